//! Pseudonyms: tokens that are the same for the same value within a scope, and say nothing else.
//!
//! A token is `~<key id>.<22 base62 digits>`: the first 128 bits of HMAC-SHA-256 over a fixed
//! prefix, the scope, whose scope it is, and the canonical value with its type. Every field is
//! preceded by its length, so no two different inputs are the same bytes. Strings are compared
//! character by character after decoding (no Unicode normalisation), numbers by exact value; the
//! string `"1"` and the number `1` differ.
//!
//! The newest key makes every token. Old keys stay so that a token made with one of them can still be
//! recognised, and compared with what a value would have become under it; they make nothing that
//! leaves.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use postern_config::PseudonymScope;
use sha2::Sha256;

use crate::base62::{DIGITS_OF_128_BITS, base62, of_base62};
use crate::request_facts::Identity;
use crate::value_action::{Decimal, JsonKind, decode};

/// What separates these digests from any other use of the same key.
const PURPOSE: &[u8] = b"postern pseudonym v1";
/// How a token begins, and what stands between its key id and its digits.
const BEGINS: char = '~';
const DIVIDES: char = '.';

/// The keys of pseudonyms, newest first. `Debug` shows only the key ids.
#[derive(Clone, Default)]
pub struct PseudonymKeys {
    keys: Vec<(String, Vec<u8>)>,
}

impl PseudonymKeys {
    /// Keys by id, newest first; the newest makes tokens.
    #[must_use]
    pub fn new(keys: Vec<(String, Vec<u8>)>) -> Self {
        Self { keys }
    }

    /// The fixed key of offline commands: its tokens mean nothing outside them.
    #[must_use]
    pub fn for_offline_use() -> Self {
        Self::new(vec![(
            "test".to_owned(),
            b"postern offline test key".to_vec(),
        )])
    }

    /// Whether there is no key at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// What a decoded text is, if it has the exact form of a token of one of these keys. Whether the
    /// key made it for some value is another question: see [`Pseudonymizer::tokens_of`].
    #[must_use]
    pub fn recognise(&self, text: &str) -> Option<Recognised<'_>> {
        let (id, digits) = text.strip_prefix(BEGINS)?.split_once(DIVIDES)?;
        let is_whole = digits.len() == DIGITS_OF_128_BITS;
        if !is_whole || of_base62::<16>(digits.as_bytes()).is_none() {
            return None;
        }
        let place = self.keys.iter().position(|(known, _)| known == id)?;
        let (key_id, _) = self.keys.get(place)?;
        Some(Recognised {
            key_id,
            newest: place == 0,
        })
    }
}

/// A text that has the form of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recognised<'k> {
    /// The key that the token names.
    pub key_id: &'k str,
    /// Whether that is the key that makes tokens now.
    pub newest: bool,
}

impl fmt::Debug for PseudonymKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|(id, _)| id))
            .finish()
    }
}

/// Makes the tokens that one reader sees. `Debug` shows only the newest key's id.
#[derive(Clone)]
pub struct Pseudonymizer {
    /// Newest first; at least one.
    keys: Vec<(String, Hmac<Sha256>)>,
    tenant: Vec<u8>,
    role: Vec<u8>,
    identity: Vec<u8>,
    /// None where no case is known: tokens by case cannot be made then.
    case: Option<Vec<u8>>,
}

impl Pseudonymizer {
    /// Tokens for this reader in these roles; none without a key.
    #[must_use]
    pub fn new(keys: &PseudonymKeys, reader: &Identity, roles: &[String]) -> Option<Self> {
        let keyed = keys.keys.iter().map(|(id, secret)| {
            let keyed = Hmac::<Sha256>::new_from_slice(secret).ok()?;
            Some((id.clone(), keyed))
        });
        let keys: Vec<(String, Hmac<Sha256>)> = keyed.collect::<Option<_>>()?;
        let mut sorted: Vec<&str> = roles.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let tenant: Vec<&str> = std::iter::once(reader.issuer.as_str())
            .chain(reader.tenant.as_deref())
            .collect();
        (!keys.is_empty()).then(|| Self {
            keys,
            tenant: joined(&tenant),
            role: joined(&sorted),
            identity: joined(&[&reader.issuer, &reader.subject]),
            case: None,
        })
    }

    /// The same, for an exchange about this case: tokens by case are the same for every reader of a
    /// tenant, and differ from case to case.
    #[must_use]
    pub fn for_case(self, case: &str) -> Self {
        let mut whose = self.tenant.clone();
        whose.extend(joined(&[case]));
        Self {
            case: Some(whose),
            ..self
        }
    }

    /// The token of a scalar, given as validated JSON text; none for what has none: other types than
    /// strings and numbers, numbers beyond counting, and tokens by case where no case is known.
    #[must_use]
    pub fn token(&self, scope: PseudonymScope, kind: JsonKind, raw: &[u8]) -> Option<String> {
        let (key_id, keyed) = self.keys.first()?;
        let input = self.input(scope, kind, raw)?;
        Some(token(key_id, keyed, &input))
    }

    /// The tokens that a scalar has or would have had under each key, the newest first: what a token
    /// that somebody sends back is compared with. Empty where [`Self::token`] gives none.
    #[must_use]
    pub fn tokens_of(&self, scope: PseudonymScope, kind: JsonKind, raw: &[u8]) -> Vec<String> {
        let Some(input) = self.input(scope, kind, raw) else {
            return Vec::new();
        };
        let keys = self.keys.iter();
        keys.map(|(id, keyed)| token(id, keyed, &input)).collect()
    }

    /// What is authenticated.
    fn input(&self, scope: PseudonymScope, kind: JsonKind, raw: &[u8]) -> Option<Vec<u8>> {
        let (kind, value): (&[u8], Vec<u8>) = match kind {
            JsonKind::String => (b"string", decode(raw)?.into_bytes()),
            JsonKind::Number => (b"number", Decimal::parse(raw)?.canonical()),
            JsonKind::Bool | JsonKind::Null | JsonKind::Array | JsonKind::Object => return None,
        };
        let (scope, whose): (&[u8], &[u8]) = match scope {
            PseudonymScope::Tenant => (b"tenant", &self.tenant),
            PseudonymScope::Role => (b"role", &self.role),
            PseudonymScope::Identity => (b"identity", &self.identity),
            PseudonymScope::Case => (b"case", self.case.as_deref()?),
        };
        let mut input = Vec::new();
        for field in [PURPOSE, scope, whose, kind, &value] {
            input.extend_from_slice(&length_of(field));
            input.extend_from_slice(field);
        }
        Some(input)
    }
}

fn token(key_id: &str, keyed: &Hmac<Sha256>, input: &[u8]) -> String {
    let mut mac = keyed.clone();
    mac.update(input);
    let digest = mac.finalize().into_bytes();
    let bits = digest.get(..16).unwrap_or_default();
    let digits = base62(bits, DIGITS_OF_128_BITS);
    format!("{BEGINS}{key_id}{DIVIDES}{digits}")
}

impl fmt::Debug for Pseudonymizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pseudonymizer")
            .field("key_id", &self.keys.first().map(|(id, _)| id))
            .finish_non_exhaustive()
    }
}

fn length_of(field: &[u8]) -> [u8; 8] {
    (field.len() as u64).to_be_bytes()
}

fn joined(parts: &[&str]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        bytes.extend_from_slice(&length_of(part.as_bytes()));
        bytes.extend_from_slice(part.as_bytes());
    }
    bytes
}

#[cfg(test)]
mod tests;
