//! A bearer token as a compact JWS whose header is that of an access token. It never looks at the payload:
//! that is the caller's, once the signature is verified.

use serde_json::{Map, Value};

use super::super::jwks::KeySet;
use super::super::{IdentityError, refuse};
use crate::jws::Jws;

/// The longest `kid` that is looked up, in bytes.
const KID_BYTES_MAX: usize = 256;

/// A well-formed token whose signature has not been verified.
pub(super) struct Compact<'t> {
    jws: Jws<'t>,
    algorithm: String,
    kid: Option<String>,
}

impl<'t> Compact<'t> {
    pub(super) fn parse(token: &'t str) -> Result<Self, IdentityError> {
        let jws = Jws::parse(token).map_err(refuse)?;
        let (algorithm, kid) = read_header(&jws.header)?;
        Ok(Self {
            jws,
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
        if key.verifies(self.jws.signed.as_bytes(), self.jws.signature) {
            Ok(())
        } else {
            Err(refuse("signature"))
        }
    }

    pub(super) fn payload(&self) -> &[u8] {
        &self.jws.payload
    }
}

/// Reads the header's algorithm and key id, and refuses what it must not say.
fn read_header(header: &Map<String, Value>) -> Result<(String, Option<String>), IdentityError> {
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
