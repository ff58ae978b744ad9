//! One JWK set, reduced to the public keys that may verify tokens, each pinned to one algorithm.
//!
//! What an algorithm is for is decided by the key, never by the token (RFC 8725 section 3.1): RSA keys
//! are for RS256, or PS256 when they say so, P-256 keys for ES256, Ed25519 keys for EdDSA. Symmetric
//! keys, keys for encryption and keys of other kinds are left out. A set with a private key in it, or
//! with two keys of one name, is refused: somebody made a mistake that no guess should cover.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde_json::{Map, Value};

use crate::jws::strict_json;

/// The most keys a set may hold.
pub(crate) const KEYS_MAX: usize = 100;
/// The sizes of RSA moduli that are accepted, in bits.
const RSA_BITS: std::ops::RangeInclusive<u32> = 2048..=4096;

/// Why a key set is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum KeySetError {
    /// It is no JSON object with an array `keys` of objects, or not strictly so.
    #[error("not a JWK set: expected one JSON object with an array `keys` of objects")]
    NotASet,
    /// It holds more keys than the bound.
    #[error("more than {KEYS_MAX} keys")]
    TooMany,
    /// It holds a private key.
    #[error("it holds a private key: publish the public half only, and replace the key")]
    PrivateKey,
    /// Two keys have the same `kid`, or several have none.
    #[error("two keys have the same `kid`, or one has none")]
    Ambiguous,
    /// A key that should be usable is malformed or too weak.
    #[error("a key is malformed, or an RSA key is not of 2048 to 4096 bits")]
    BadKey,
    /// No key of it can verify a token.
    #[error("no key can verify tokens: RSA, P-256 or Ed25519, for signatures")]
    NoneUsable,
}

/// Keys by name.
pub(crate) struct KeySet {
    keys: Vec<VerifyingKey>,
}

/// A public key and the one algorithm it is for.
pub(crate) struct VerifyingKey {
    kid: Option<String>,
    name: &'static str,
    algorithm: Algorithm,
    key: DecodingKey,
}

impl VerifyingKey {
    /// The algorithm as a token's header must name it.
    pub(crate) fn algorithm_name(&self) -> &str {
        self.name
    }

    /// Whether a signature, in base64url, is this key's over a message.
    pub(crate) fn verifies(&self, message: &[u8], signature: &str) -> bool {
        crypto::verify(signature, message, &self.key, self.algorithm).unwrap_or(false)
    }
}

impl KeySet {
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, KeySetError> {
        let set = strict_json::object(bytes).ok_or(KeySetError::NotASet)?;
        let listed = set
            .get("keys")
            .and_then(Value::as_array)
            .ok_or(KeySetError::NotASet)?;
        if listed.len() > KEYS_MAX {
            return Err(KeySetError::TooMany);
        }
        let mut keys: Vec<VerifyingKey> = Vec::new();
        for jwk in listed {
            let jwk = jwk.as_object().ok_or(KeySetError::NotASet)?;
            if let Some(key) = read_key(jwk)? {
                keys.push(key);
            }
        }
        let mut names: Vec<Option<&str>> = keys.iter().map(|key| key.kid.as_deref()).collect();
        names.sort_unstable();
        let repeats = names.windows(2).any(|pair| pair.first() == pair.last());
        if repeats || (names.len() > 1 && names.contains(&None)) {
            return Err(KeySetError::Ambiguous);
        }
        if keys.is_empty() {
            return Err(KeySetError::NoneUsable);
        }
        Ok(Self { keys })
    }

    /// The key that a token names, exactly; a token that names none means the only key there is.
    pub(crate) fn key(&self, kid: Option<&str>) -> Option<&VerifyingKey> {
        match (kid, self.keys.as_slice()) {
            (None, [only]) => Some(only),
            (None, _) => None,
            (Some(kid), keys) => keys.iter().find(|key| key.kid.as_deref() == Some(kid)),
        }
    }
}

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeySet")
            .field("keys", &self.keys.len())
            .finish_non_exhaustive()
    }
}

/// Reads one key; none when it is for something else.
fn read_key(jwk: &Map<String, Value>) -> Result<Option<VerifyingKey>, KeySetError> {
    let text = |name: &str| jwk.get(name).and_then(Value::as_str);
    let kty = text("kty").ok_or(KeySetError::BadKey)?;
    if kty == "oct" {
        return Ok(None);
    }
    if jwk.contains_key("d") {
        return Err(KeySetError::PrivateKey);
    }
    if !is_for_verifying(jwk) {
        return Ok(None);
    }
    let alg = match jwk.get("alg") {
        None => None,
        Some(alg) => Some(alg.as_str().ok_or(KeySetError::BadKey)?),
    };
    let (name, algorithm) = match (kty, text("crv"), alg) {
        ("RSA", _, None | Some("RS256")) => ("RS256", Algorithm::RS256),
        ("RSA", _, Some("PS256")) => ("PS256", Algorithm::PS256),
        ("EC", Some("P-256"), None | Some("ES256")) => ("ES256", Algorithm::ES256),
        ("OKP", Some("Ed25519"), None | Some("EdDSA")) => ("EdDSA", Algorithm::EdDSA),
        // RFC 9864 section 2.2 names the curve.
        ("OKP", Some("Ed25519"), Some("Ed25519")) => ("Ed25519", Algorithm::EdDSA),
        _ => return Ok(None),
    };
    let kid = match jwk.get("kid") {
        None => None,
        Some(kid) => Some(kid.as_str().ok_or(KeySetError::BadKey)?.to_owned()),
    };
    let key = match kty {
        "RSA" => rsa(text("n"), text("e")),
        "EC" => p256(text("x"), text("y")),
        _ => ed25519(text("x")),
    };
    Ok(Some(VerifyingKey {
        kid,
        name,
        algorithm,
        key: key.ok_or(KeySetError::BadKey)?,
    }))
}

/// RFC 7517 sections 4.2 and 4.3: a key that says what it is for is for nothing else.
fn is_for_verifying(jwk: &Map<String, Value>) -> bool {
    let by_use = jwk.get("use").is_none_or(|used| used == "sig");
    let by_operations = jwk.get("key_ops").is_none_or(|operations| {
        operations
            .as_array()
            .is_some_and(|operations| operations.iter().any(|operation| operation == "verify"))
    });
    by_use && by_operations
}

fn rsa(n: Option<&str>, e: Option<&str>) -> Option<DecodingKey> {
    let modulus = URL_SAFE_NO_PAD.decode(n?).ok()?;
    let exponent = URL_SAFE_NO_PAD.decode(e?).ok()?;
    let first = modulus.iter().position(|byte| *byte != 0)?;
    let significant = modulus.get(first..)?;
    let bits = u32::try_from(significant.len()).ok()?.checked_mul(8)?
        - significant.first()?.leading_zeros();
    let odd = exponent.last().is_some_and(|byte| byte & 1 == 1);
    let at_least_3 = exponent.len() > 1 || exponent.first().is_some_and(|byte| *byte >= 3);
    if !RSA_BITS.contains(&bits) || !odd || !at_least_3 || exponent.len() > 4 {
        return None;
    }
    Some(DecodingKey::from_rsa_raw_components(significant, &exponent))
}

/// RFC 7518 section 6.2.1: both coordinates at full length.
fn p256(x: Option<&str>, y: Option<&str>) -> Option<DecodingKey> {
    let (x, y) = (x?, y?);
    for coordinate in [x, y] {
        if URL_SAFE_NO_PAD.decode(coordinate).ok()?.len() != 32 {
            return None;
        }
    }
    DecodingKey::from_ec_components(x, y).ok()
}

/// RFC 8037 section 2.
fn ed25519(x: Option<&str>) -> Option<DecodingKey> {
    let x = x?;
    if URL_SAFE_NO_PAD.decode(x).ok()?.len() != 32 {
        return None;
    }
    DecodingKey::from_ed_components(x).ok()
}

#[cfg(test)]
mod tests;
