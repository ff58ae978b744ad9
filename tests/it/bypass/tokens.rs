//! Credentials of the test policies: good ones by name, and every malformed one of the catalogue.
//!
//! The keys are committed, guard nothing, and are trusted by nobody but the policies of this suite.

mod malformed;
pub(super) mod proofs;

use std::collections::BTreeMap;
use std::time::UNIX_EPOCH;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use postern_proxy::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use super::catalogue::cases;

pub(super) const ISSUER: &str = "https://idp.example";
pub(super) const AUDIENCE: &str = "case-api";
/// The key ids of the committed key set.
const RSA: &str = "rsa-1";
const EC: &str = "ec-1";

/// One malformed credential, and what must become of it.
pub(super) struct Malformed {
    pub(super) what: String,
    pub(super) token: String,
    pub(super) fate: Fate,
}

/// What a credential deserves.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Fate {
    /// Refused, whatever else the entry allows.
    Refused,
    /// Whatever the entry allows.
    AsAllowed,
    /// Accepted: the near miss that shows that the refusals are for the right reason.
    Accepted,
}

/// The keys of the suite and the tokens minted once.
pub(super) struct Tokens {
    issuer_rsa: EncodingKey,
    issuer_ec: EncodingKey,
    stranger_rsa: EncodingKey,
    public_pem: Vec<u8>,
    now: u64,
    good: BTreeMap<&'static str, String>,
}

impl Tokens {
    /// Reads the committed keys and mints the good tokens.
    pub(super) fn load() -> Self {
        let rsa = |name: &str| EncodingKey::from_rsa_pem(&key_file(name)).expect("an RSA key");
        let ec = EncodingKey::from_ec_pem(&key_file("issuer.es256.pem")).expect("an EC key");
        let now = SystemClock
            .wall()
            .duration_since(UNIX_EPOCH)
            .expect("after 1970")
            .as_secs();
        let mut tokens = Self {
            issuer_rsa: rsa("issuer.rs256.pem"),
            issuer_ec: ec,
            stranger_rsa: rsa("stranger.rs256.pem"),
            public_pem: key_file("issuer.rs256.public.pem"),
            now,
            good: BTreeMap::new(),
        };
        for who in ["agent", "admin", "adminops"] {
            let token = tokens.rs256(&tokens.claims(who));
            tokens.good.insert(who, token);
        }
        tokens
    }

    /// A valid token of `agent` (restricted), `admin` (sees all) or `adminops`.
    pub(super) fn good(&self, who: &str) -> String {
        self.good
            .get(who)
            .unwrap_or_else(|| panic!("no identity {who}"))
            .clone()
    }

    /// A valid token of a restricted identity of this subject, with further claims or others.
    pub(super) fn of(&self, subject: &str, further: &Value) -> String {
        let mut claims = self.claims("agent");
        claims["sub"] = Value::from(subject);
        for (name, value) in further.as_object().into_iter().flatten() {
            claims[name] = value.clone();
        }
        self.rs256(&claims)
    }

    /// Every secret that must never be seen in a log or a metric.
    pub(super) fn secrets(&self) -> impl Iterator<Item = &str> {
        self.good.values().map(String::as_str)
    }

    /// The malformed credentials of one `jwt:NAME`.
    pub(super) fn malformed(&self, name: &str) -> Vec<Malformed> {
        malformed::of(self, name)
    }

    fn claims(&self, who: &str) -> Value {
        json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": who, "groups": [who],
            "iat": self.now, "nbf": self.now, "exp": self.now + 3600,
        })
    }

    fn rs256(&self, claims: &Value) -> String {
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": RSA});
        self.sign(
            &header.to_string(),
            &claims.to_string(),
            &self.issuer_rsa,
            Algorithm::RS256,
        )
    }

    fn sign(&self, header: &str, claims: &str, key: &EncodingKey, algorithm: Algorithm) -> String {
        let signed = format!(
            "{}.{}",
            encode(header.as_bytes()),
            encode(claims.as_bytes())
        );
        let signature = crypto::sign(signed.as_bytes(), key, algorithm).expect("a signature");
        format!("{signed}.{signature}")
    }
}

fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn key_file(name: &str) -> Vec<u8> {
    std::fs::read(cases().join("keys").join(name)).expect(name)
}
