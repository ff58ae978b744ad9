//! Proofs of possession: a JWS that names its kind, signed by a key that only the client has.
//!
//! A proof brings its own public key (`jwk`) when it is about showing one, or is verified with a key that
//! was shown before. Algorithms are ES256 and EdDSA, each pinned by the key; a private or symmetric key,
//! `none`, or another kind of token is refused.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::digest::sha256;
use crate::identity::KeySet;
use crate::jws::{Jws, strict_json};

/// The algorithms that proofs may be signed with.
pub(super) const ALGORITHMS: [&str; 2] = ["ES256", "EdDSA"];

/// A public key that somebody has shown.
#[derive(Debug)]
pub struct ProofKey {
    jwk: Map<String, Value>,
    set: KeySet,
    thumbprint: String,
}

impl ProofKey {
    /// Reads a public key.
    ///
    /// # Errors
    /// It is none, or not one that proofs may be made with.
    pub fn parse(jwk: &Map<String, Value>) -> Result<Self, BadProof> {
        // RFC 9449 section 4.3 check 7; RFC 7518 sections 6.2.2 and 6.3.2 name the private members.
        if ["d", "k", "p", "q", "dp", "dq", "qi", "oth"]
            .iter()
            .any(|private| jwk.contains_key(*private))
        {
            return Err(BadProof("private-key"));
        }
        let thumbprint = thumbprint(jwk).ok_or(BadProof("jwk"))?;
        let set = json!({ "keys": [jwk] }).to_string();
        let set = KeySet::parse(set.as_bytes()).map_err(|_unusable| BadProof("jwk"))?;
        Ok(Self {
            jwk: jwk.clone(),
            set,
            thumbprint,
        })
    }

    /// The key as it was shown, to be read again later.
    #[must_use]
    pub const fn jwk(&self) -> &Map<String, Value> {
        &self.jwk
    }

    /// Its SHA-256 thumbprint (RFC 7638), in base64url.
    #[must_use]
    pub fn thumbprint(&self) -> &str {
        &self.thumbprint
    }
}

/// A proof is not accepted; the word is for operators, and no client sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the proof is not accepted: {0}")]
pub struct BadProof(pub &'static str);

/// The claims of a proof, and the key that it was made with.
#[derive(Debug)]
pub(super) struct Proof {
    pub(super) claims: Map<String, Value>,
    pub(super) key: ProofKey,
}

impl Proof {
    /// Verifies a proof with the key that it brings.
    pub(super) fn with_own_key(token: &str, kind: &str) -> Result<Self, BadProof> {
        let jws = Jws::parse(token).map_err(BadProof)?;
        let Some(Value::Object(jwk)) = jws.header.get("jwk") else {
            return Err(BadProof("no-jwk"));
        };
        let key = ProofKey::parse(jwk)?;
        let claims = verified(&jws, kind, &key)?;
        Ok(Self { claims, key })
    }
}

/// The claims of a proof that was made with a known key, and brings none.
pub(super) fn verify(
    token: &str,
    kind: &str,
    key: &ProofKey,
) -> Result<Map<String, Value>, BadProof> {
    let jws = Jws::parse(token).map_err(BadProof)?;
    if jws.header.contains_key("jwk") {
        return Err(BadProof("jwk"));
    }
    verified(&jws, kind, key)
}

fn verified(jws: &Jws<'_>, kind: &str, key: &ProofKey) -> Result<Map<String, Value>, BadProof> {
    if jws.header.get("typ").and_then(Value::as_str) != Some(kind) {
        return Err(BadProof("typ"));
    }
    let algorithm = jws.header.get("alg").and_then(Value::as_str);
    let key = key.set.key(None).ok_or(BadProof("jwk"))?;
    if algorithm != Some(key.algorithm_name()) || !ALGORITHMS.contains(&key.algorithm_name()) {
        return Err(BadProof("alg"));
    }
    if !key.verifies(jws.signed.as_bytes(), jws.signature) {
        return Err(BadProof("signature"));
    }
    strict_json::object(&jws.payload).ok_or(BadProof("payload"))
}

/// RFC 7638 section 3: the required members, in the order of their names, without spaces.
fn thumbprint(jwk: &Map<String, Value>) -> Option<String> {
    let names: &[&str] = match jwk.get("kty")?.as_str()? {
        "EC" => &["crv", "kty", "x", "y"],
        "OKP" => &["crv", "kty", "x"],
        "RSA" => &["e", "kty", "n"],
        _ => return None,
    };
    let mut members = Map::new();
    for name in names {
        let value = jwk.get(*name)?.as_str()?;
        members.insert((*name).to_owned(), Value::String(value.to_owned()));
    }
    let text = Value::Object(members).to_string();
    Some(URL_SAFE_NO_PAD.encode(sha256(text.as_bytes())))
}
