//! Browsers and sessions that the tests of this folder share.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm, EncodingKey, jwk::Jwk};
use postern_config::Sessions;
use serde_json::{Value, json};

use super::binding::Binding;
use super::context::Context;
use super::dbsc::{Device, DeviceTimes, Fresh, Proved};
use super::digest::sha256;
use super::record::{Client, Holder, Record, Times};

pub(super) const SID: &str = "01J00000000000000000000000";
pub(super) const NOW: u64 = 1_800_000_000_000;
pub(super) const CHROME: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/146.0.0.0 Safari/537.36";
const DBSC: &str = "dbsc+jwt";

/// A browser with a key of its own.
pub(super) struct Browser {
    key: EncodingKey,
    pub(super) jwk: Value,
}

impl Browser {
    pub(super) fn new() -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let key = EncodingKey::from_ec_der(&pair.serialize_der());
        let jwk = serde_json::to_value(Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap());
        Self {
            key,
            jwk: jwk.unwrap(),
        }
    }

    pub(super) fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, Algorithm::ES256);
        format!("{signed}.{}", signature.unwrap())
    }

    pub(super) fn registration(&self, challenge: &str, authorization: &str) -> String {
        let header = json!({ "typ": DBSC, "alg": "ES256", "jwk": self.jwk });
        let claims = json!({ "jti": challenge, "authorization": authorization });
        self.sign(&header, &claims)
    }

    pub(super) fn refresh(&self, challenge: &str) -> String {
        self.sign(
            &json!({ "typ": DBSC, "alg": "ES256" }),
            &json!({ "jti": challenge }),
        )
    }
    /// A proof of the key for a request with this handle.
    pub(super) fn dpop(&self, (method, target): (&str, &str), handle: &str, jti: &str) -> String {
        let header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk });
        let hash = URL_SAFE_NO_PAD.encode(sha256(handle.as_bytes()));
        let claims = json!({
            "jti": jti, "htm": method, "htu": target, "iat": NOW / 1_000, "ath": hash,
        });
        self.sign(&header, &claims)
    }

    /// A device with the browser's key bound at [`NOW`], and what the browser was told.
    pub(super) fn bound(&self) -> (Device, Proved) {
        let (mut device, offer) = Device::offer(fresh(1), times(), NOW);
        let challenge = quoted(&offer, "challenge=\"");
        let proof = self.registration(challenge, quoted(&offer, "authorization=\""));
        let proved = device
            .register((SID, &proof), fresh(2), times(), NOW)
            .unwrap();
        (device, proved)
    }
}

/// Different bytes with each number.
pub(super) fn fresh(n: u8) -> Fresh {
    Fresh {
        value: [n; 32],
        challenge: [n ^ 0xff; 32],
    }
}

pub(super) fn times() -> DeviceTimes {
    DeviceTimes::of(&Sessions::default())
}

/// A parameter of a header's value, or its first string.
pub(super) fn quoted<'a>(value: &'a str, before: &str) -> &'a str {
    let (_, rest) = value.split_once(before).unwrap();
    rest.split('"').next().unwrap()
}

/// Somewhere.
pub(super) fn there(address: &str, user_agent: &str) -> Context {
    Context::of(Some(address.parse().unwrap()), user_agent)
}

/// A session that began at [`NOW`] in Chrome, at 192.0.2.1.
pub(super) fn record() -> Record {
    Record {
        sid: SID.to_owned(),
        holder: Holder {
            issuer: "session".to_owned(),
            subject: "ann".to_owned(),
            tenant: None,
            roles: vec!["agent".to_owned()],
        },
        client: Client::Browser,
        times: Times {
            created: NOW,
            last_seen: NOW,
            idle_end: NOW + 900_000,
            end: NOW + 43_200_000,
            rotated: NOW,
        },
        revoked: None,
        binding: Binding::beginning(there("192.0.2.1", CHROME)),
        jar: Vec::new(),
        jar_keys: Vec::new(),
    }
}
