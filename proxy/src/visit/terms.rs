//! What a policy says about sessions, ready for use.

use std::sync::Arc;

use http::HeaderMap;
use http::header::CONTENT_TYPE;
use postern_config::identity::{
    IdentityRule, LoginSuccess, RoleMap, SessionRoles, SessionRule, UserSource, typed_name,
};
use postern_config::routes::{PathPart, RouteMethod};
use postern_config::sessions::TokenNames;
use postern_config::{Policy, RouteMatch, Sessions};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization;

use super::known_secrets::KnownSecrets;
use crate::identity::{AuthenticatorError, ClaimSelector, is_name};
use crate::quota::is_ignorable;

/// What a policy says about sessions.
#[derive(Debug)]
pub(crate) struct SessionTerms {
    /// How they are kept.
    pub sessions: Sessions,
    /// By which names the application's session is known, for what runs beside an exchange.
    pub names: Arc<TokenNames>,
    /// How a login is recognised; none when something else says who asks.
    pub login: Option<LoginTerms>,
    /// What is looked for in the answers of sessions.
    pub(super) known: KnownSecrets,
}

impl SessionTerms {
    /// The terms of a policy; none when it has no sessions.
    ///
    /// # Errors
    /// A selector cannot be evaluated.
    pub(crate) fn of(policy: &Policy) -> Result<Option<Self>, AuthenticatorError> {
        let Some(sessions) = policy.sessions.clone() else {
            return Ok(None);
        };
        let login = match &policy.identity {
            IdentityRule::Session(rule) => Some(LoginTerms::of(rule)?),
            IdentityRule::Jwt(_) | IdentityRule::Mtls(_) | IdentityRule::Header(_) => None,
        };
        Ok(Some(Self {
            names: Arc::new(sessions.token.clone()),
            sessions,
            login,
            known: KnownSecrets::default(),
        }))
    }
}

/// How a login is recognised, and who has logged in.
#[derive(Debug)]
pub(crate) struct LoginTerms {
    success: LoginSuccess,
    /// What an answer must hold to be a success.
    holds: Option<ClaimSelector>,
    user: UserTerms,
    roles: RoleTerms,
    /// Where a browser finds the form; none when no line of the login is a plain GET.
    pub page: Option<String>,
}

#[derive(Debug)]
enum UserTerms {
    Form(String),
    Answer(ClaimSelector),
    FollowUp { path: String, user: ClaimSelector },
}

#[derive(Debug)]
enum RoleTerms {
    ByUser(RoleMap),
    FromAnswer(ClaimSelector),
}

/// Who has logged in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct LoggedIn {
    /// The name.
    pub user: String,
    /// The roles that were found; those that are none of the policy's do not count.
    pub roles: Vec<String>,
}

impl LoginTerms {
    fn of(rule: &SessionRule) -> Result<Self, AuthenticatorError> {
        let login = &rule.login;
        let user = match &login.user {
            UserSource::Form { field } => UserTerms::Form(field.clone()),
            UserSource::Answer(selector) => UserTerms::Answer(ClaimSelector::new(selector)?),
            UserSource::FollowUp { path, user } => UserTerms::FollowUp {
                path: path.clone(),
                user: ClaimSelector::new(user)?,
            },
        };
        let roles = match &rule.roles {
            SessionRoles::FromAnswer(selector) => {
                RoleTerms::FromAnswer(ClaimSelector::new(selector)?)
            }
            SessionRoles::ByUser(map) => RoleTerms::ByUser(map.clone()),
        };
        let holds = login.success.json.as_ref().map(ClaimSelector::new);
        Ok(Self {
            success: login.success.clone(),
            holds: holds.transpose()?,
            user,
            roles,
            page: login.matches.iter().find_map(page),
        })
    }

    /// Whether the head of an answer to a login may be that of a success.
    pub(crate) fn allows_head(&self, status: http::StatusCode, location: Option<&str>) -> bool {
        self.success.allows_head(status.as_u16(), location)
    }

    /// Whether the answer's body has to be read to tell who has logged in, or whether anybody has.
    pub(crate) const fn reads_answer(&self) -> bool {
        self.holds.is_some() || matches!(self.user, UserTerms::Answer(_))
    }

    /// Whether an answer's body is that of a success, as far as it matters.
    pub(crate) fn allows_body(&self, answer: Option<&Value>) -> bool {
        let holds = |selector: &ClaimSelector| {
            answer.is_some_and(|answer| !selector.select(answer).is_empty())
        };
        self.holds.as_ref().is_none_or(holds)
    }

    /// Whether it is the form that says who has logged in.
    pub(crate) const fn is_typed(&self) -> bool {
        matches!(self.user, UserTerms::Form(_))
    }

    /// Whether what somebody typed is their name as soon as they are sent anywhere.
    pub(crate) const fn takes_any_target_for_a_name(&self) -> bool {
        self.is_typed() && self.success.location.is_none() && self.holds.is_none()
    }

    /// The path that says who has logged in, where neither form nor answer does.
    pub(crate) fn follow_up(&self) -> Option<&str> {
        match &self.user {
            UserTerms::FollowUp { path, .. } => Some(path),
            UserTerms::Form(_) | UserTerms::Answer(_) => None,
        }
    }

    /// Who has logged in, by the form that was posted and the answer that names the user. Nobody unless
    /// there is exactly one name.
    pub(crate) fn logged_in(
        &self,
        form: Option<&PostedForm<'_>>,
        answer: Option<&Value>,
    ) -> Option<LoggedIn> {
        let user = match &self.user {
            UserTerms::Form(field) => typed(&form?.only(field)?, &self.roles)?,
            UserTerms::Answer(user) | UserTerms::FollowUp { user, .. } => named(user, answer?)?,
        };
        let user = Some(user).filter(|user| is_name(user))?;
        let roles = match &self.roles {
            RoleTerms::ByUser(map) => map.roles_of(&user),
            RoleTerms::FromAnswer(selector) => selector.groups(answer?).ok()?,
        };
        Some(LoggedIn { user, roles })
    }

    /// The roles that the policy itself gives to a name; none where the application says them.
    pub(super) fn roles_by_name(&self, user: &str) -> Option<Vec<String>> {
        match &self.roles {
            RoleTerms::ByUser(map) => Some(map.roles_of(user)),
            RoleTerms::FromAnswer(_) => None,
        }
    }
}

/// What may stand behind the type of a form.
const CHARSETS: [&str; 4] = ["", "charset=utf-8", "charset=\"utf-8\"", "charset=us-ascii"];

/// The name in what somebody typed, folded as some applications do (NFKC, without what cannot be seen); none when that
/// changes whose roles these are.
///
/// SECURITY: to an application that folds, `\u{ff54}emp` is `temp`; to another these are two accounts. Whoever typed so
/// would have the roles of everybody in the one case, and those of somebody else in the other.
fn typed(text: &str, roles: &RoleTerms) -> Option<String> {
    let plain = text.trim();
    let folded: String = plain.nfkc().filter(|one| !is_ignorable(*one)).collect();
    let (as_typed, name) = (typed_name(plain), typed_name(&folded));
    let is_same = match roles {
        RoleTerms::ByUser(map) => map.roles_of(&as_typed) == map.roles_of(&name),
        RoleTerms::FromAnswer(_) => true,
    };
    is_same.then_some(name)
}

/// Exactly one text or whole number.
fn named(selector: &ClaimSelector, answer: &Value) -> Option<String> {
    match selector.select(answer).as_slice() {
        [Value::String(name)] => Some(name.clone()),
        [Value::Number(number)] if number.is_i64() || number.is_u64() => Some(number.to_string()),
        _ => None,
    }
}

/// The path of a GET line without parameters.
fn page(line: &RouteMatch) -> Option<String> {
    let is_get = matches!(&line.method, RouteMethod::Exactly(method) if method == "GET");
    let mut path = String::new();
    for part in &line.path {
        match part {
            PathPart::Literal(text) => path.extend(["/", text]),
            PathPart::Parameter(_) | PathPart::Rest(_) => return None,
        }
    }
    if path.is_empty() {
        path.push('/');
    }
    is_get.then_some(path)
}

/// A form that was posted whole, as `application/x-www-form-urlencoded`, and the query beside it. `Debug` shows nothing
/// of it.
#[derive(Clone, Copy)]
pub(crate) struct PostedForm<'a> {
    body: &'a [u8],
    query: &'a [u8],
}

impl<'a> PostedForm<'a> {
    /// The form in a body; none when it is something else, or says that its bytes are not UTF-8.
    pub(crate) fn read(
        headers: &HeaderMap,
        body: &'a [u8],
        query: Option<&'a str>,
    ) -> Option<Self> {
        let mut types = headers.get_all(CONTENT_TYPE).iter();
        let (Some(kind), None) = (types.next(), types.next()) else {
            return None;
        };
        let mut parts = kind.to_str().ok()?.split(';').map(str::trim);
        let is_form = parts
            .next()?
            .eq_ignore_ascii_case("application/x-www-form-urlencoded");
        let is_text = parts.all(|part| CHARSETS.iter().any(|one| one.eq_ignore_ascii_case(part)));
        (is_form && is_text).then_some(Self {
            body,
            query: query.unwrap_or_default().as_bytes(),
        })
    }

    /// The value of a field that is in the form once.
    ///
    /// SECURITY: whoever logs in must not be somebody else to us than to the application. It may look into the query
    /// first, take names without case, cut them at a bracket, or divide fields at `;`. So nothing else that one
    /// reader could take for the field may be there.
    fn only(self, field: &str) -> Option<String> {
        let pieces = [self.query, self.body]
            .into_iter()
            .flat_map(|text| text.split(|byte| matches!(byte, b'&' | b';')))
            .flat_map(form_urlencoded::parse);
        let alike: Vec<_> = pieces.filter(|(name, _)| is_alike(name, field)).collect();
        let [only] = alike.as_slice() else {
            return None;
        };
        let is_whole = form_urlencoded::parse(self.body).any(|posted| posted == *only);
        (only.0 == field && is_whole).then(|| only.1.to_string())
    }
}

/// Whether some reader of forms takes a name for this one.
fn is_alike(name: &str, field: &str) -> bool {
    plain(name) == plain(field)
}

/// A name without what readers drop: case, blanks, what is behind a bracket or a NUL, and which sign it was that PHP
/// makes an underscore.
fn plain(name: &str) -> String {
    let kept = name.trim_start_matches(|c: char| c.is_whitespace() || c.is_control());
    let kept = kept.split(['[', '\0']).next().unwrap_or_default();
    let kept = kept.trim().to_lowercase();
    kept.replace(['.', ' '], "_")
}

impl std::fmt::Debug for PostedForm<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PostedForm(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn login(roles: &str) -> LoginTerms {
        let policy = include_str!("../../../tests/cases/policy/good/login-by-form.yaml");
        let policy = policy.replace(r#"{ "*": [agent], Boss: [lead] }"#, roles);
        let policy = Policy::parse("policy.yaml", &policy)
            .unwrap_or_else(|errors| panic!("{}", errors.render(false)));
        SessionTerms::of(&policy).unwrap().unwrap().login.unwrap()
    }

    fn named_by(kind: &str, query: Option<&str>, body: &str) -> Option<String> {
        let headers = HeaderMap::from_iter([(CONTENT_TYPE, kind.parse().unwrap())]);
        let form = PostedForm::read(&headers, body.as_bytes(), query)?;
        let logged_in = login("{ \"*\": [agent] }").logged_in(Some(&form), None);
        logged_in.map(|logged_in| logged_in.user)
    }

    #[test]
    fn nobody_is_named_by_what_two_readers_could_read_as_two_names() {
        const FORM: &str = "application/x-www-form-urlencoded";
        let named = |query: Option<&str>, body: &str| named_by(FORM, query, body);
        let boss = Some("boss".to_owned());
        assert_eq!(named(None, "password=a%3Bb&username=Boss+&x=y"), boss);
        assert_eq!(named(Some("next=/cases;1"), "username=boss"), boss);
        for query in ["username=ann", "a=b&%55sername=ann", "a=b;username=ann"] {
            assert_eq!(named(Some(query), "username=boss"), None, "{query}");
        }
        assert_eq!(named(Some("username=boss"), "password=x"), None);
        for other in [
            "username=ann",
            "Username=ann",
            "+username=ann",
            "username%00x=ann",
            "username[]=ann",
            "x=1;username=ann",
        ] {
            let before = format!("{other}&username=boss");
            let behind = format!("username=boss&{other}");
            assert_eq!(named(None, &before), None, "{before}");
            assert_eq!(named(None, &behind), None, "{behind}");
        }
        assert_eq!(named(None, "username=boss;x"), None);
        for (charset, is_named) in [("UTF-8", true), ("us-ascii", true), ("ibm037", false)] {
            let kind = format!("{FORM}; charset={charset}");
            assert_eq!(
                named_by(&kind, None, "username=boss").is_some(),
                is_named,
                "{kind}"
            );
        }
    }

    #[test]
    fn nobody_is_named_by_what_an_application_may_fold_to_a_name_with_other_roles() {
        let terms = login(r#"{ "*": [agent], temp: [lead] }"#);
        let named = |name: &str| {
            let encoded: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
            let headers = HeaderMap::from_iter([(
                CONTENT_TYPE,
                "application/x-www-form-urlencoded".parse().unwrap(),
            )]);
            let body = format!("username={encoded}");
            let form = PostedForm::read(&headers, body.as_bytes(), None)?;
            terms.logged_in(Some(&form), None).map(|one| one.user)
        };
        for (name, as_one) in [
            ("Temp", "temp"),
            (" te mp\u{a0}", "te mp"),
            ("Ren\u{e9}", "ren\u{e9}"),
            ("Rene\u{301}", "ren\u{e9}"),
            ("\u{5f20}\u{4f1f}", "\u{5f20}\u{4f1f}"),
            ("\u{e01}\u{e33}", "\u{e01}\u{e4d}\u{e32}"),
            ("\u{212a}im", "kim"),
            ("a\u{200c}b", "ab"),
        ] {
            assert_eq!(named(name).as_deref(), Some(as_one), "{name}");
        }
        for name in [
            "\u{ff54}\u{ff45}\u{ff4d}\u{ff50}",
            "tem\u{200b}p",
            "\u{feff}temp",
            "tem\u{ad}p",
        ] {
            assert_eq!(named(name), None, "{name}");
        }
    }

    #[test]
    fn roles_by_name_are_those_that_the_policy_gives_now() {
        let before = login(r#"{ "*": [agent], Boss: [lead] }"#);
        let roles = |login: &LoginTerms, user: &str| login.roles_by_name(user).unwrap();
        assert_eq!(roles(&before, "boss"), ["agent", "lead"]);
        assert_eq!(roles(&before, "ann"), ["agent"]);
        let after = login("{ ann: [agent] }");
        assert_eq!(roles(&after, "ann"), ["agent"]);
        assert!(roles(&after, "boss").is_empty());
    }
}
