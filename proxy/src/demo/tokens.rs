//! The demo's identity provider: a signing key made at start, the JWK set Postern reads, and one
//! token for each role.
//!
//! SECURITY: the private key never leaves the process and is gone when it ends; tokens of one start
//! are worthless after the next.

use std::fmt;
use std::time::{Duration, SystemTime};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::{SecureRandom as _, SystemRandom};
use ring::signature::{Ed25519KeyPair, KeyPair as _};
use serde_json::json;

/// The `iss` of the demo's tokens, as its policy names it.
const ISSUER: &str = "https://idp.example.com";

/// The `aud` of the demo's tokens, as its policy names it.
const AUDIENCE: &str = "case-api";

const KEY_ID: &str = "demo";

/// How long a token of the demo is valid.
const LIFETIME: Duration = Duration::from_secs(12 * 60 * 60);

/// The operating system gave no randomness.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gives no random numbers")]
pub struct NoRandomness;

/// The demo's signing key (Ed25519, RFC 8037). `Debug` shows nothing.
pub(super) struct SigningKey {
    pair: Ed25519KeyPair,
}

impl SigningKey {
    /// A new key.
    pub(super) fn generate() -> Result<Self, NoRandomness> {
        let seed = random_bytes::<32>()?;
        let pair = Ed25519KeyPair::from_seed_unchecked(&seed).map_err(|_rejected| NoRandomness)?;
        Ok(Self { pair })
    }

    /// The public side, as a JWK set (RFC 7517).
    pub(super) fn key_set(&self) -> String {
        let key = json!({
            "kty": "OKP",
            "crv": "Ed25519",
            "alg": "EdDSA",
            "use": "sig",
            "kid": KEY_ID,
            "x": URL_SAFE_NO_PAD.encode(self.pair.public_key()),
        });
        json!({ "keys": [key] }).to_string()
    }

    /// A token for somebody in one role, valid for twelve hours from `now`.
    pub(super) fn token(&self, role: &str, now: SystemTime) -> String {
        let issued = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default();
        let header = json!({ "alg": "EdDSA", "kid": KEY_ID, "typ": "JWT" });
        let claims = json!({
            "iss": ISSUER,
            "aud": AUDIENCE,
            "sub": format!("{role}@example.com"),
            "tenant": "demo",
            "groups": [role],
            "iat": issued.as_secs(),
            "exp": (issued + LIFETIME).as_secs(),
        });
        let encode = |part: &serde_json::Value| URL_SAFE_NO_PAD.encode(part.to_string());
        let signed = format!("{}.{}", encode(&header), encode(&claims));
        let signature = URL_SAFE_NO_PAD.encode(self.pair.sign(signed.as_bytes()));
        format!("{signed}.{signature}")
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

/// Random bytes for a key.
pub(super) fn random_bytes<const LENGTH: usize>() -> Result<[u8; LENGTH], NoRandomness> {
    let mut bytes = [0; LENGTH];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_unspecified| NoRandomness)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use ring::signature::{ED25519, UnparsedPublicKey};
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_token_verifies_against_the_key_set() {
        let key = SigningKey::generate().unwrap();
        let token = key.token("agent", SystemTime::UNIX_EPOCH);
        let set: Value = serde_json::from_str(&key.key_set()).unwrap();
        let public = URL_SAFE_NO_PAD
            .decode(set["keys"][0]["x"].as_str().unwrap())
            .unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let verifier = UnparsedPublicKey::new(&ED25519, public);
        verifier.verify(signed.as_bytes(), &signature).unwrap();
        assert!(verifier.verify(b"another text", &signature).is_err());
    }

    #[test]
    fn a_token_is_valid_for_twelve_hours() {
        let token = SigningKey::generate()
            .unwrap()
            .token("agent", SystemTime::UNIX_EPOCH);
        let claims = URL_SAFE_NO_PAD
            .decode(token.split('.').nth(1).unwrap())
            .unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["exp"], 43_200);
        assert_eq!(claims["groups"], json!(["agent"]));
    }
}
