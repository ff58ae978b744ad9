//! Whose count it is: one text per quota and whoever shares it.
//!
//! Aliases of one account must end in one key, or each alias would have a quota of its own: subjects
//! and tenants are normalised (NFKC), folded to one case, freed of what cannot be seen, of spaces that no
//! directory tells apart, of trailing dots, and of the `+tag` of an address. Merging two people by mistake costs them a shared quota; splitting one person would cost
//! the limit its meaning. `Debug` shows nothing of a key.

use std::fmt;
use std::sync::Arc;

use ring::digest;
use unicode_normalization::UnicodeNormalization;

use super::terms::{Per, Quota};

/// Who asks, as far as quotas are concerned.
#[derive(Clone, Copy)]
pub struct Who<'a> {
    /// Who vouches for the subject.
    pub issuer: &'a str,
    /// The subject, unique per issuer.
    pub subject: &'a str,
    /// The tenant, when there is one. Those without one share one count.
    pub tenant: Option<&'a str>,
    /// The roles held.
    pub roles: &'a [String],
    /// The credential that was presented. Only its hash is kept; without one the identity is counted.
    pub session: Option<&'a [u8]>,
}

impl fmt::Debug for Who<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Who").finish_non_exhaustive()
    }
}

/// The key of one count: a JSON array of the quota's name, its unit, whom it is per, and who it is.
/// Two keys are equal exactly when all of these are.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct QuotaKey {
    text: Arc<str>,
}

/// What a key is made of.
#[derive(Clone, PartialEq, Eq)]
pub struct KeyParts {
    /// The quota's name.
    pub quota: String,
    /// The word of its unit.
    pub unit: String,
    /// The word of whom it is per.
    pub per: String,
    /// Who it is, in canonical spelling: issuer and subject; the tenant; the roles; or the
    /// hash of a credential. An empty tenant is none.
    pub who: Vec<String>,
}

impl KeyParts {
    /// Who draws from it, without who vouches for them.
    fn holders(&self) -> &[String] {
        match self.who.as_slice() {
            [_issuer, subject @ ..] if !subject.is_empty() && self.is_of_a_subject() => subject,
            all => all,
        }
    }

    fn is_of_a_subject(&self) -> bool {
        [Per::Identity, Per::Session]
            .map(Per::word)
            .contains(&self.per.as_str())
    }
}

impl fmt::Debug for KeyParts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyParts")
            .field("quota", &self.quota)
            .finish_non_exhaustive()
    }
}

impl QuotaKey {
    /// The key under which `who` draws from `quota`.
    #[must_use]
    pub fn new(quota: &Quota, who: &Who<'_>) -> Self {
        let tenant = who.tenant.map(canonical).unwrap_or_default();
        let mut parts = vec![
            quota.name.clone(),
            quota.unit.word().to_owned(),
            quota.per.word().to_owned(),
        ];
        match (quota.per, who.session) {
            (Per::Session, Some(credential)) => {
                let hash = digest::digest(&digest::SHA256, credential);
                parts.push(hex::encode(hash));
            }
            (Per::Identity | Per::Session, _) => {
                parts.extend([who.issuer.to_owned(), canonical(who.subject)]);
            }
            (Per::Tenant, _) => parts.push(tenant),
            (Per::Role, _) => {
                let mut roles = who.roles.to_vec();
                roles.sort_unstable();
                roles.dedup();
                parts.extend(roles);
            }
        }
        Self {
            text: serde_json::Value::from(parts).to_string().into(),
        }
    }

    /// The key as text, as it is stored.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The key that was stored as this text. Any text is a key; one that is not ours has no parts.
    #[must_use]
    pub fn stored(text: &str) -> Self {
        Self { text: text.into() }
    }

    /// What the key is made of; none when the text is none of ours.
    #[must_use]
    pub fn parts(&self) -> Option<KeyParts> {
        let parts: Vec<String> = serde_json::from_str(&self.text).ok()?;
        let mut parts = parts.into_iter();
        Some(KeyParts {
            quota: parts.next()?,
            unit: parts.next()?,
            per: parts.next()?,
            who: parts.collect(),
        })
    }

    /// A name for the key that holds nothing of it: 32 hexadecimal digits.
    pub(super) fn digest(&self) -> String {
        let hash = digest::digest(&digest::SHA256, self.text.as_bytes());
        hash.as_ref()
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

impl fmt::Debug for QuotaKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("QuotaKey").finish_non_exhaustive()
    }
}

/// Which counts are meant. Without any condition, all.
#[derive(Clone, Default)]
pub struct Filter {
    /// Only those of this quota.
    pub quota: Option<String>,
    /// Only those of this subject, tenant or session, or of a set with this role, in any spelling. Who vouches for
    /// a subject is not asked: it vouches for many.
    pub who: Option<String>,
}

impl Filter {
    /// Whether the filter means this key.
    #[must_use]
    pub fn matches(&self, key: &QuotaKey) -> bool {
        let Some(parts) = key.parts() else {
            return self.quota.is_none() && self.who.is_none();
        };
        let quota = self.quota.as_ref().is_none_or(|name| *name == parts.quota);
        let who = self.who.as_ref().is_none_or(|who| {
            let spelled = canonical(who);
            parts
                .holders()
                .iter()
                .any(|part| part == who || *part == spelled)
        });
        quota && who
    }
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter")
            .field("quota", &self.quota)
            .finish_non_exhaustive()
    }
}

/// The one spelling of all aliases of a subject or tenant. A text of which nothing would be left
/// stays as it is, but for its letters' form and case.
fn canonical(text: &str) -> String {
    let folded = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        let seen = text.nfkc().filter(|letter| !is_ignorable(*letter));
        // By way of upper case, letters meet that have no lower case of their own: `ß` and `ss`.
        let lower = seen
            .flat_map(char::to_uppercase)
            .flat_map(char::to_lowercase);
        lower.collect::<String>().nfkc().collect()
    };
    let words: Vec<&str> = folded.split_whitespace().collect();
    let spaced = words.join(" ");
    let undotted = spaced.trim_end_matches('.');
    let untagged = match undotted.rsplit_once('@') {
        Some((local, domain)) => match local.split_once('+') {
            Some((account, _tag)) if !account.is_empty() => format!("{account}@{domain}"),
            Some(_) | None => undotted.to_owned(),
        },
        None => undotted.to_owned(),
    };
    if untagged.is_empty() {
        folded
    } else {
        untagged
    }
}

/// Whether a letter shows nothing (Default_Ignorable_Code_Point of Unicode, DerivedCoreProperties).
pub(crate) const fn is_ignorable(letter: char) -> bool {
    matches!(
        letter,
        '\u{ad}'
            | '\u{34f}'
            | '\u{61c}'
            | '\u{115f}'..='\u{1160}'
            | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}'
            | '\u{200b}'..='\u{200f}'
            | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}'
            | '\u{3164}'
            | '\u{fe00}'..='\u{fe0f}'
            | '\u{feff}'
            | '\u{ffa0}'
            | '\u{fff0}'..='\u{fff8}'
            | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}'
            | '\u{e0000}'..='\u{e0fff}'
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::samples;
    use crate::quota::terms::Unit;

    fn key(per: Per, subject: &str) -> QuotaKey {
        let who = Who {
            subject,
            ..samples::who("x")
        };
        QuotaKey::new(&samples::quota(Unit::Records, per), &who)
    }

    #[test]
    fn aliases_of_one_account_share_one_key() {
        let plain = key(Per::Identity, "ana@example.com");
        for alias in [
            "Ana@Example.com",
            "ana@example.com.",
            "ana+export@example.com",
            "ANA+a+b@EXAMPLE.COM..",
            "\u{ff41}na@example.com",
            " ana@example.com ",
            "a\u{200b}na@example\u{ad}.com",
        ] {
            assert_eq!(key(Per::Identity, alias), plain, "{alias}");
        }
        assert_ne!(key(Per::Identity, "ana.b@example.com"), plain);
        assert_ne!(key(Per::Identity, "anab@example.com"), plain);
        assert_ne!(
            key(Per::Identity, "+@example.com"),
            key(Per::Identity, "@example.com")
        );
        assert_ne!(key(Per::Identity, "..."), key(Per::Identity, ""));
        assert_eq!(
            key(Per::Identity, "cafe\u{301}"),
            key(Per::Identity, "CAF\u{c9}")
        );
        for [one, other] in [
            ["stra\u{df}e", "STRASSE"],
            ["\u{3c3}\u{3b1}\u{3c2}", "\u{3a3}\u{391}\u{3a3}"],
            ["ann  smith", "ann\u{a0}smith"],
        ] {
            assert_eq!(key(Per::Identity, one), key(Per::Identity, other), "{one}");
        }
        assert_ne!(
            key(Per::Identity, "ann smith"),
            key(Per::Identity, "annsmith")
        );
        assert_ne!(
            key(Per::Identity, "a+b"),
            key(Per::Identity, "a"),
            "no address"
        );
    }

    #[test]
    fn parts_never_run_into_each_other() {
        let quota = samples::quota(Unit::Records, Per::Identity);
        let one = Who {
            issuer: "a",
            subject: "b\",\"c",
            ..samples::who("x")
        };
        let other = Who {
            issuer: "a\",\"b",
            subject: "c",
            ..samples::who("x")
        };
        assert_ne!(QuotaKey::new(&quota, &one), QuotaKey::new(&quota, &other));
        let colon = Who {
            issuer: "a:b",
            subject: "c",
            ..samples::who("x")
        };
        let after = Who {
            issuer: "a",
            subject: "b:c",
            ..samples::who("x")
        };
        let (colon, after) = (QuotaKey::new(&quota, &colon), QuotaKey::new(&quota, &after));
        assert_ne!(colon.digest(), after.digest());
    }

    #[test]
    fn a_session_is_kept_as_a_hash_only() {
        let quota = samples::quota(Unit::Requests, Per::Session);
        let who = Who {
            session: Some(b"secret-credential"),
            ..samples::who("ana")
        };
        let key = QuotaKey::new(&quota, &who);
        assert!(!key.text().contains("secret") && !key.text().contains("ana"));
        let bare = QuotaKey::new(&quota, &samples::who("ana"));
        assert!(
            bare.text().contains("ana"),
            "no credential: the identity is counted"
        );
    }

    #[test]
    fn roles_are_a_set() {
        let quota = samples::quota(Unit::Records, Per::Role);
        let roles = |names: &[&str]| {
            names
                .iter()
                .map(|&name| name.to_owned())
                .collect::<Vec<_>>()
        };
        let (ab, ba) = (roles(&["a", "b"]), roles(&["b", "a", "b"]));
        let key = |roles: &[String]| {
            QuotaKey::new(
                &quota,
                &Who {
                    roles,
                    ..samples::who("x")
                },
            )
        };
        assert_eq!(key(&ab), key(&ba));
        assert_ne!(key(&ab), key(&roles(&["a"])));
    }

    #[test]
    fn a_filter_finds_every_spelling() {
        let key = key(Per::Identity, "ana@example.com");
        let by = |who: &str| Filter {
            quota: None,
            who: Some(who.to_owned()),
        };
        assert!(by("Ana+x@example.com").matches(&key));
        assert!(!by("bob@example.com").matches(&key));
        assert!(Filter::default().matches(&key));
        let other = Filter {
            quota: Some("other".to_owned()),
            who: None,
        };
        assert!(!other.matches(&key));
    }

    #[test]
    fn a_filter_means_whom_it_names_and_not_all_for_whom_the_same_issuer_vouches() {
        let by = |who: &str| Filter {
            quota: None,
            who: Some(who.to_owned()),
        };
        let issuer = samples::who("x").issuer;
        for per in [Per::Identity, Per::Session] {
            assert!(by("ana").matches(&key(per, "ana")), "{}", per.word());
            assert!(!by(issuer).matches(&key(per, "ana")), "{}", per.word());
        }
        let (quota, tenants, roles) = (
            samples::quota(Unit::Requests, Per::Session),
            samples::quota(Unit::Requests, Per::Tenant),
            samples::quota(Unit::Requests, Per::Role),
        );
        let held = ["agent".to_owned(), "lead".to_owned()];
        let who = Who {
            session: Some(b"credential"),
            tenant: Some("North"),
            roles: &held,
            ..samples::who("ana")
        };
        let session = QuotaKey::new(&quota, &who);
        let hash = session.parts().unwrap().who;
        assert!(by(&hash[0]).matches(&session) && !by("ana").matches(&session));
        assert!(by("north").matches(&QuotaKey::new(&tenants, &who)));
        for role in &held {
            assert!(by(role).matches(&QuotaKey::new(&roles, &who)), "{role}");
        }
    }
}
