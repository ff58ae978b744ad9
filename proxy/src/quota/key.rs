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
mod tests;
