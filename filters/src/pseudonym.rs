//! Pseudonyms: tokens that are the same for the same value within a scope, and say nothing else.
//!
//! A token is `~<key id>.<22 base62 digits>`: the first 128 bits of HMAC-SHA-256 over a fixed
//! prefix, the scope, whose scope it is, and the canonical value with its type. Every field is
//! preceded by its length, so no two different inputs are the same bytes. Strings are compared
//! character by character after decoding (no Unicode normalisation), numbers by exact value; the
//! string `"1"` and the number `1` differ. Old keys are kept only so that tokens can be traced to
//! them: the newest key makes every token.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use postern_config::PseudonymScope;
use sha2::Sha256;

use crate::request_facts::Identity;
use crate::value_action::Decimal;

/// What separates these digests from any other use of the same key.
const PURPOSE: &[u8] = b"postern pseudonym v1";
/// Base62 digits of 128 bits: 62^22 is just above 2^130.
const TOKEN_DIGITS: usize = 22;
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

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
}

impl fmt::Debug for PseudonymKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries(self.keys.iter().map(|(id, _)| id))
            .finish()
    }
}

/// Makes the tokens that one reader sees. `Debug` shows only the key id.
#[derive(Clone)]
pub struct Pseudonymizer {
    key_id: String,
    keyed: Hmac<Sha256>,
    tenant: Vec<u8>,
    role: Vec<u8>,
    identity: Vec<u8>,
}

impl Pseudonymizer {
    /// Tokens for this reader in these roles, by the newest key; none without a key.
    #[must_use]
    pub fn new(keys: &PseudonymKeys, reader: &Identity, roles: &[String]) -> Option<Self> {
        let (key_id, secret) = keys.keys.first()?;
        let keyed = Hmac::<Sha256>::new_from_slice(secret).ok()?;
        let mut sorted: Vec<&str> = roles.iter().map(String::as_str).collect();
        sorted.sort_unstable();
        sorted.dedup();
        let tenant: Vec<&str> = std::iter::once(reader.issuer.as_str())
            .chain(reader.tenant.as_deref())
            .collect();
        Some(Self {
            key_id: key_id.clone(),
            keyed,
            tenant: joined(&tenant),
            role: joined(&sorted),
            identity: joined(&[&reader.issuer, &reader.subject]),
        })
    }

    /// The token of a string, given decoded.
    pub(crate) fn of_string(&self, scope: PseudonymScope, value: &str) -> String {
        self.token(scope, b"string", value.as_bytes())
    }

    /// The token of a number.
    pub(crate) fn of_number(&self, scope: PseudonymScope, value: &Decimal) -> String {
        self.token(scope, b"number", &value.canonical())
    }

    fn token(&self, scope: PseudonymScope, kind: &[u8], value: &[u8]) -> String {
        let (scope_name, whose): (&[u8], &[u8]) = match scope {
            PseudonymScope::Tenant => (b"tenant", &self.tenant),
            PseudonymScope::Role => (b"role", &self.role),
            PseudonymScope::Identity => (b"identity", &self.identity),
        };
        let mut mac = self.keyed.clone();
        for field in [PURPOSE, scope_name, whose, kind, value] {
            mac.update(&length_of(field));
            mac.update(field);
        }
        let digest = mac.finalize().into_bytes();
        let bits = digest
            .iter()
            .take(16)
            .fold(0_u128, |bits, byte| (bits << 8) | u128::from(*byte));
        format!("~{}.{}", self.key_id, base62(bits))
    }
}

impl fmt::Debug for Pseudonymizer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pseudonymizer")
            .field("key_id", &self.key_id)
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

/// Always [`TOKEN_DIGITS`] digits, most significant first.
fn base62(mut bits: u128) -> String {
    let mut digits = [b'0'; TOKEN_DIGITS];
    for place in digits.iter_mut().rev() {
        let digit = usize::try_from(bits % 62).unwrap_or_default();
        *place = BASE62.get(digit).copied().unwrap_or(b'0');
        bits /= 62;
    }
    digits.iter().map(|digit| char::from(*digit)).collect()
}
