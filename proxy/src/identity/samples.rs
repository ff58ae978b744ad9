//! What the tests of this module share: rules as a policy writes them, keys, tokens and requests.

use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderValue, header};
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use postern_config::Policy;
use postern_config::identity::IdentityRule;
use serde_json::{Value, json};

use crate::clock::{Clock, SystemClock};
use crate::load::samples::policy;

/// The time of the tests, in seconds.
pub(super) const NOW: u64 = 1_800_000_000;

pub(super) const JWT: &str = "{ from: jwt, issuer: https://idp.example.com, audience: case-api, \
    keys: file:jwks.json, subject: $.sub, tenant: $.tenant, roles: '$.groups[*]', without_a_role: deny }";

pub(super) fn now() -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(NOW)
}

/// The identity rule of a policy that holds nothing else worth mentioning.
pub(super) fn rule(identity: &str) -> IdentityRule {
    match Policy::parse("test.yaml", &policy("test", identity)) {
        Ok(policy) => policy.identity,
        Err(errors) => panic!("{}", errors.render(false)),
    }
}

pub(super) fn key_file(name: &str) -> Vec<u8> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/keys");
    std::fs::read(folder.join(name)).unwrap()
}

/// The claims that are accepted.
pub(super) fn claims() -> Value {
    json!({
        "iss": "https://idp.example.com", "aud": "case-api", "exp": NOW + 600,
        "sub": "ann", "tenant": "north", "groups": ["agent", "auditor"],
    })
}

/// A token as it is, whatever its header and payload say, signed by a key of `tests/cases/keys`.
pub(super) fn sign(key: &str, header: &str, payload: &str) -> String {
    let pem = key_file(&format!("{key}.pem"));
    let (key, algorithm) = match key {
        "rs256" => (EncodingKey::from_rsa_pem(&pem), Algorithm::RS256),
        "es256" => (EncodingKey::from_ec_pem(&pem), Algorithm::ES256),
        "ed25519" => (EncodingKey::from_ed_pem(&pem), Algorithm::EdDSA),
        other => panic!("no key {other}"),
    };
    let signed = format!(
        "{}.{}",
        URL_SAFE_NO_PAD.encode(header),
        URL_SAFE_NO_PAD.encode(payload)
    );
    let signature = crypto::sign(signed.as_bytes(), &key.unwrap(), algorithm).unwrap();
    format!("{signed}.{signature}")
}

/// A token with an honest header.
pub(super) fn token(payload: &Value) -> String {
    sign(
        "es256",
        r#"{"alg":"ES256","kid":"es256"}"#,
        &payload.to_string(),
    )
}

/// Request headers with these values of `Authorization`.
pub(super) fn authorization(values: &[&str]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
    }
    headers
}

/// A clock that the test moves.
#[derive(Debug)]
pub(super) struct TestClock {
    began: Instant,
    ahead: Mutex<Duration>,
}

impl TestClock {
    pub(super) fn new() -> Arc<Self> {
        Arc::new(Self {
            began: SystemClock.monotonic(),
            ahead: Mutex::default(),
        })
    }

    pub(super) fn advance(&self, by: Duration) {
        *self.ahead.lock().unwrap() += by;
    }
}

impl Clock for TestClock {
    fn wall(&self) -> SystemTime {
        now() + *self.ahead.lock().unwrap()
    }

    fn monotonic(&self) -> Instant {
        self.began + *self.ahead.lock().unwrap()
    }
}
