//! The compact serialisation of a JWS (RFC 7515 section 3.1), read without leniency.
//!
//! ```text
//! base64url(header) . base64url(payload) . base64url(signature)
//! └──────────── what is signed ────────┘
//! ```
//!
//! Exactly three parts of canonical base64url without padding; a header that is one JSON object without
//! duplicate members, extensions that must be understood, unencoded payloads or nested content. It
//! never looks at the payload: that is the caller's, once the signature is verified.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::super::jwks::KeySet;
use super::super::{IdentityError, refuse};
use super::strict_json;

/// The longest token, in bytes.
pub(super) const TOKEN_BYTES_MAX: usize = 8 << 10;
/// The longest `kid` that is looked up, in bytes.
const KID_BYTES_MAX: usize = 256;

/// A well-formed token whose signature has not been verified.
pub(super) struct Compact<'t> {
    signed: &'t str,
    signature: &'t str,
    payload: Vec<u8>,
    algorithm: String,
    kid: Option<String>,
}

impl<'t> Compact<'t> {
    pub(super) fn parse(token: &'t str) -> Result<Self, IdentityError> {
        if token.len() > TOKEN_BYTES_MAX {
            return Err(refuse("token-too-long"));
        }
        let mut parts = token.split('.');
        let (Some(header), Some(payload), Some(signature), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(refuse("not-a-compact-jws"));
        };
        let (Ok(header), Ok(payload)) = (
            URL_SAFE_NO_PAD.decode(header),
            URL_SAFE_NO_PAD.decode(payload),
        ) else {
            return Err(refuse("base64url"));
        };
        if signature.is_empty() || URL_SAFE_NO_PAD.decode(signature).is_err() {
            return Err(refuse("base64url"));
        }
        let (signed, _) = token
            .rsplit_once('.')
            .ok_or_else(|| refuse("not-a-compact-jws"))?;
        let (algorithm, kid) = read_header(&header)?;
        Ok(Self {
            signed,
            signature,
            payload,
            algorithm,
            kid,
        })
    }

    pub(super) fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// Whether the key that `kid` names is in the set, is for the token's algorithm, and made the
    /// signature.
    pub(super) fn verified_by(&self, keys: &KeySet) -> Result<(), IdentityError> {
        let key = keys.key(self.kid()).ok_or_else(|| refuse("unknown-key"))?;
        if key.algorithm_name() != self.algorithm {
            return Err(refuse("algorithm"));
        }
        if key.verifies(self.signed.as_bytes(), self.signature) {
            Ok(())
        } else {
            Err(refuse("signature"))
        }
    }

    pub(super) fn payload(&self) -> &[u8] {
        &self.payload
    }
}

/// Reads the header's algorithm and key id, and refuses what it must not say.
fn read_header(bytes: &[u8]) -> Result<(String, Option<String>), IdentityError> {
    let header = strict_json::object(bytes).ok_or_else(|| refuse("header"))?;
    // RFC 7515 section 4.1.11: an extension that must be understood is not; RFC 7797: unencoded payloads
    // are not read; RFC 7516 and RFC 7519 section 5.2: neither is encrypted or nested content.
    if ["crit", "b64", "enc", "zip", "cty"]
        .iter()
        .any(|name| header.contains_key(*name))
    {
        return Err(refuse("header-extension"));
    }
    // RFC 8725 section 3.11, RFC 9068 section 4: a token made for something else says so.
    match header.get("typ") {
        None => {}
        Some(Value::String(typ)) if is_access_token(typ) => {}
        Some(_) => return Err(refuse("typ")),
    }
    let Some(Value::String(algorithm)) = header.get("alg") else {
        return Err(refuse("alg"));
    };
    let kid = match header.get("kid") {
        None => None,
        Some(Value::String(kid)) if kid.len() <= KID_BYTES_MAX => Some(kid.clone()),
        Some(_) => return Err(refuse("kid")),
    };
    Ok((algorithm.clone(), kid))
}

fn is_access_token(typ: &str) -> bool {
    ["JWT", "at+jwt", "application/at+jwt"]
        .iter()
        .any(|known| typ.eq_ignore_ascii_case(known))
}

#[cfg(test)]
mod tests;
