//! Demonstrating proof of possession, RFC 9449: each request brings a proof that its sender has the key
//! which a token is bound to.
//!
//! [`DpopVerifier::check`] makes the twelve checks of section 4.3 but for the replay of `jti`, which
//! needs a store: [`Checked::replay`] is what must not have been seen before. Nonces (section 9) need
//! none: each is a time, authenticated by a key.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::hmac;
use serde_json::{Map, Value};

use super::digest::{Digest, sha256};
use super::proof::{BadProof, Proof};
use crate::clock::millis;
use crate::hygiene::canonical_path;

/// The longest proof, in bytes.
const PROOF_BYTES_MAX: usize = 4 << 10;
/// The longest `jti`, in bytes.
const JTI_BYTES_MAX: usize = 128;
/// How old a proof may be.
const AGE_MAX: Duration = Duration::from_secs(60);
/// How far its clock may be ahead of ours.
const AHEAD_MAX: Duration = Duration::from_secs(5);
/// A nonce is made anew so often, and the two before it are still good.
const NONCE_SECONDS: u64 = 60;
const NONCES_KEPT: u64 = 2;
const NONCE_TAG_BYTES: usize = 16;

/// A request, as its proof must describe it.
#[derive(Debug, Clone, Copy)]
pub struct Proven<'a> {
    /// The values of the `DPoP` header.
    pub proofs: &'a [&'a str],
    /// The method.
    pub method: &'a str,
    /// The canonical path.
    pub path: &'a str,
    /// The token that the request is authorized with.
    pub token: &'a str,
    /// The thumbprint that the token is bound to; none when this request binds it.
    pub bound_to: Option<&'a str>,
}

/// Why a proof is refused: each has an `error` code of its own (RFC 9449 sections 7.1 and 9).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DpopError {
    /// `invalid_dpop_proof`.
    #[error(transparent)]
    Proof(#[from] BadProof),
    /// `use_dpop_nonce`: the same again, with the nonce that the answer brings.
    #[error("the proof needs a nonce of ours")]
    Nonce,
    /// `invalid_token`: the token is bound to another key.
    #[error("the token is bound to another key")]
    OtherKey,
}

/// A proof that holds, if it was not seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// The thumbprint of its key.
    pub thumbprint: String,
    /// What must not have been seen before.
    pub replay: Digest,
    /// Until when it must be remembered, in milliseconds since 1970.
    pub until: u64,
    /// When it was made, in milliseconds since 1970.
    pub made: u64,
}

/// Verifies proofs for one service.
pub struct DpopVerifier {
    /// Where clients find it, as `scheme://host[:port]`; never what a request says.
    origins: Vec<String>,
    nonce_key: hmac::Key,
    needs_nonce: bool,
}

impl DpopVerifier {
    /// A verifier for a service at these origins.
    #[must_use]
    pub fn new(origins: &[String], nonce_key: &[u8; 32], needs_nonce: bool) -> Self {
        Self {
            origins: origins
                .iter()
                .filter_map(|origin| normal_origin(origin))
                .collect(),
            nonce_key: hmac::Key::new(hmac::HMAC_SHA256, nonce_key),
            needs_nonce,
        }
    }

    /// Checks a proof, as RFC 9449 section 4.3 numbers it.
    ///
    /// # Errors
    /// See [`DpopError`].
    pub fn check(&self, request: &Proven<'_>, now: SystemTime) -> Result<Checked, DpopError> {
        // 1: exactly one header.
        let [proof] = request.proofs else {
            return Err(BadProof("not-one-header").into());
        };
        if proof.len() > PROOF_BYTES_MAX {
            return Err(BadProof("too-long").into());
        }
        // 2, 4, 5, 6, 7: one well-formed JWS of the right kind, signed by the key that it brings.
        let proof = Proof::with_own_key(proof, "dpop+jwt")?;
        let claims = &proof.claims;
        // 3: the claims are there, and of the right types.
        let (jti, method, target) = (
            text(claims, "jti")?,
            text(claims, "htm")?,
            text(claims, "htu")?,
        );
        if jti.is_empty() || jti.len() > JTI_BYTES_MAX {
            return Err(BadProof("jti").into());
        }
        // 8, 9: for this request.
        if method != request.method {
            return Err(BadProof("htm").into());
        }
        if !self.is_target(target, request.path) {
            return Err(BadProof("htu").into());
        }
        // 11: made just now.
        let made = in_time(claims, now)?;
        // 12: for this token, and by the key that it is bound to.
        let hash = URL_SAFE_NO_PAD.encode(sha256(request.token.as_bytes()));
        if text(claims, "ath")? != hash {
            return Err(BadProof("ath").into());
        }
        let thumbprint = proof.key.thumbprint();
        if request.bound_to.is_some_and(|bound| bound != thumbprint) {
            return Err(DpopError::OtherKey);
        }
        // 10: the nonce is one that we gave. Last, so that only who has the key learns of one.
        self.check_nonce(claims, now)?;
        Ok(Checked {
            replay: replay_of(thumbprint, target, jti),
            until: millis(made.saturating_add(AGE_MAX).saturating_add(AHEAD_MAX)),
            made: millis(made),
            thumbprint: thumbprint.to_owned(),
        })
    }

    /// The nonce of this minute.
    #[must_use]
    pub fn nonce(&self, now: SystemTime) -> String {
        self.nonce_of(minute(now))
    }

    fn nonce_of(&self, minute: u64) -> String {
        let time = minute.to_be_bytes();
        let tag = hmac::sign(&self.nonce_key, &time);
        let tag = tag.as_ref().get(..NONCE_TAG_BYTES).unwrap_or_default();
        URL_SAFE_NO_PAD.encode([time.as_slice(), tag].concat())
    }

    fn check_nonce(&self, claims: &Map<String, Value>, now: SystemTime) -> Result<(), DpopError> {
        let Some(nonce) = claims.get("nonce") else {
            return if self.needs_nonce {
                Err(DpopError::Nonce)
            } else {
                Ok(())
            };
        };
        let newest = minute(now);
        let good = (newest.saturating_sub(NONCES_KEPT)..=newest)
            .any(|minute| nonce.as_str() == Some(&self.nonce_of(minute)));
        if good { Ok(()) } else { Err(DpopError::Nonce) }
    }

    /// Whether a URI is this path at one of our origins, without its query and fragment, after the
    /// normalisation of RFC 3986 sections 6.2.2 and 6.2.3.
    fn is_target(&self, uri: &str, path: &str) -> bool {
        let end = uri.find(['?', '#']).unwrap_or(uri.len());
        let uri = uri.get(..end).unwrap_or_default();
        let Some(authority) = uri.find("://").map(|at| at + 3) else {
            return false;
        };
        let slash = uri.get(authority..).and_then(|rest| rest.find('/'));
        let (origin, of_uri) = match slash {
            Some(at) => uri.split_at_checked(authority + at).unwrap_or((uri, "/")),
            None => (uri, "/"),
        };
        normal_origin(origin).is_some_and(|origin| self.origins.contains(&origin))
            && canonical_path(of_uri.as_bytes()).is_ok_and(|of_uri| of_uri == path)
    }
}

impl std::fmt::Debug for DpopVerifier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("DpopVerifier")
            .field("origins", &self.origins)
            .finish_non_exhaustive()
    }
}

/// An origin in lower case, without the port that its scheme has anyway.
pub(super) fn normal_origin(origin: &str) -> Option<String> {
    let origin = origin.to_ascii_lowercase();
    let (scheme, authority) = origin.split_once("://")?;
    let default = match scheme {
        "https" => ":443",
        "http" => ":80",
        _ => return None,
    };
    let authority = authority.strip_suffix(default).unwrap_or(authority);
    let authority = authority.strip_suffix(':').unwrap_or(authority);
    let is_plain = !authority.is_empty() && !authority.contains(['@', '/', '%', '\\', ' ']);
    is_plain.then(|| format!("{scheme}://{authority}"))
}

fn text<'a>(claims: &'a Map<String, Value>, name: &'static str) -> Result<&'a str, BadProof> {
    claims
        .get(name)
        .and_then(Value::as_str)
        .ok_or(BadProof(name))
}

/// When the proof was made, as a time since 1970.
fn in_time(claims: &Map<String, Value>, now: SystemTime) -> Result<Duration, BadProof> {
    let seconds = claims.get("iat").and_then(Value::as_u64);
    let made = Duration::from_secs(seconds.ok_or(BadProof("iat"))?);
    let now = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    if made.saturating_add(AGE_MAX) < now || made > now.saturating_add(AHEAD_MAX) {
        return Err(BadProof("iat"));
    }
    Ok(made)
}

/// RFC 9449 section 11.1: a proof is known by its key, its target and its id.
fn replay_of(thumbprint: &str, target: &str, jti: &str) -> Digest {
    let named = Value::from(vec![thumbprint, target, jti]).to_string();
    sha256(named.as_bytes())
}

fn minute(now: SystemTime) -> u64 {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_secs() / NONCE_SECONDS
}

#[cfg(test)]
mod tests;
