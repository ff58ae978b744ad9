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

use super::known_secrets::KnownSecrets;
use crate::identity::{AuthenticatorError, ClaimSelector, is_name};

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
            UserTerms::Form(field) => typed_name(&form?.only(field)?),
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

/// A form that was posted whole, as `application/x-www-form-urlencoded`. `Debug` shows nothing of it.
#[derive(Clone, Copy)]
pub(crate) struct PostedForm<'a>(&'a [u8]);

impl<'a> PostedForm<'a> {
    /// The form in a body; none when it is something else.
    pub(crate) fn read(headers: &HeaderMap, body: &'a [u8]) -> Option<Self> {
        let mut types = headers.get_all(CONTENT_TYPE).iter();
        let (Some(kind), None) = (types.next(), types.next()) else {
            return None;
        };
        let essence = kind.to_str().ok()?.split(';').next()?.trim();
        let is_form = essence.eq_ignore_ascii_case("application/x-www-form-urlencoded");
        is_form.then_some(Self(body))
    }

    /// The value of a field that is in the form once.
    fn only(self, field: &str) -> Option<String> {
        let mut values = form_urlencoded::parse(self.0).filter(|(name, _)| name == field);
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value.into_owned()),
            (Some(_) | None, _) => None,
        }
    }
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
