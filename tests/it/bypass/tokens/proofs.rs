//! Proofs of possession (RFC 9449): a client with a key of its own, and every malformed proof of the catalogue.

use std::sync::atomic::{AtomicU64, Ordering};

use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, crypto};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::encode;

/// A client that holds a key.
pub(in crate::bypass) struct KeyHolder {
    key: EncodingKey,
    jwk: Value,
    private: Value,
    made: AtomicU64,
}

/// What a proof is for.
#[derive(Clone, Copy)]
pub(in crate::bypass) struct For<'a> {
    /// The request's URI, as the client knows it.
    pub(in crate::bypass) target: &'a str,
    /// The handle that the request is authorized with.
    pub(in crate::bypass) handle: &'a str,
    /// Seconds since 1970.
    pub(in crate::bypass) now: u64,
}

impl KeyHolder {
    /// A client with a new key.
    pub(in crate::bypass) fn new() -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).expect("a key");
        let key = EncodingKey::from_ec_der(&pair.serialize_der());
        let jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).expect("a public key");
        let private = serde_json::to_value(jwk).expect("JSON");
        let member = |name: &str| private[name].clone();
        let jwk = json!({"kty": "EC", "crv": "P-256", "x": member("x"), "y": member("y")});
        let mut private = jwk.clone();
        private["d"] = Value::from(encode(&[7; 32]));
        Self {
            key,
            jwk,
            private,
            made: AtomicU64::new(0),
        }
    }

    /// The public key.
    pub(in crate::bypass) const fn public(&self) -> &Value {
        &self.jwk
    }

    /// A good proof for a GET.
    pub(in crate::bypass) fn proof(&self, of: For<'_>) -> String {
        self.changed(of, |_header, _claims| {})
    }

    /// A proof in which somebody has changed something; the signature is over what it says then.
    pub(in crate::bypass) fn changed(
        &self,
        of: For<'_>,
        change: impl FnOnce(&mut Value, &mut Value),
    ) -> String {
        let number = self.made.fetch_add(1, Ordering::Relaxed);
        let mut header = json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk});
        let mut claims = json!({
            "jti": format!("proof-{number}"), "htm": "GET", "htu": of.target, "iat": of.now,
            "ath": encode(&Sha256::digest(of.handle)),
        });
        change(&mut header, &mut claims);
        let part = |value: &Value| encode(value.to_string().as_bytes());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = crypto::sign(signed.as_bytes(), &self.key, Algorithm::ES256);
        format!("{signed}.{}", signature.expect("a signature"))
    }

    /// The malformed proofs of one `dpop:NAME`, and near misses that are good: what it is, the proof, and whether
    /// it is good.
    pub(in crate::bypass) fn malformed(
        &self,
        name: &str,
        of: For<'_>,
    ) -> Vec<(String, String, bool)> {
        match name {
            "dpop_htu" => self.for_other_requests(of),
            "dpop_ath" => self.for_other_tokens(of),
            "dpop_alg" => self.by_no_good_key(of),
            other => panic!("no malformed proof {other}"),
        }
    }

    fn claim(&self, of: For<'_>, name: &str, value: &Value, good: bool) -> (String, String, bool) {
        let proof = self.changed(of, |_header, claims| {
            if value.is_null() {
                claims.as_object_mut().expect("claims").remove(name);
            } else {
                claims[name] = value.clone();
            }
        });
        (format!("{name} {value}"), proof, good)
    }

    fn for_other_requests(&self, of: For<'_>) -> Vec<(String, String, bool)> {
        let target = of.target;
        let (origin, path) = target.split_at(target.rfind("/api").unwrap_or_default());
        let methods = [
            json!("POST"),
            json!("get"),
            json!("GET "),
            json!(["GET"]),
            Value::Null,
        ];
        let wrong = [
            format!("{origin}/api/cases/2"),
            format!("{origin}/API/cases/1"),
            format!("{target}/"),
            format!("{origin}/api/cases/../cases/1"),
            format!("{origin}.evil.example{path}"),
            format!("http://evil.example{path}"),
            format!("http://user@{}", target.trim_start_matches("http://")),
            format!("http://127.0.0.1:1{path}"),
            format!("ftp{}", target.trim_start_matches("http")),
            path.to_owned(),
            String::new(),
        ];
        let near = [
            format!("{target}?limit=1"),
            format!("{target}#part"),
            format!("HTTP{}", target.trim_start_matches("http")),
            format!("{origin}/api/c%61ses/1"),
        ];
        let methods = methods
            .iter()
            .map(|method| self.claim(of, "htm", method, false));
        let wrong = wrong.map(Value::from);
        let wrong = wrong.iter().chain([&Value::Null]);
        let wrong = wrong.map(|target| self.claim(of, "htu", target, false));
        let near = near.map(Value::from);
        let near = near
            .iter()
            .map(|target| self.claim(of, "htu", target, true));
        methods.chain(wrong).chain(near).collect()
    }

    fn for_other_tokens(&self, of: For<'_>) -> Vec<(String, String, bool)> {
        let hash = |text: &str| encode(&Sha256::digest(text));
        let own = hash(of.handle);
        let values = [
            Value::Null,
            json!(""),
            json!(hash("another token")),
            json!(hash(&format!("DPoP {}", of.handle))),
            json!(own.to_ascii_lowercase()),
            json!(format!("{own}=")),
            json!(of.handle),
            json!([own]),
        ];
        let claims = values
            .iter()
            .map(|value| self.claim(of, "ath", value, false));
        claims
            .chain([self.claim(of, "ath", &json!(own), true)])
            .collect()
    }

    fn by_no_good_key(&self, of: For<'_>) -> Vec<(String, String, bool)> {
        let header = |what: &str, change: &dyn Fn(&mut Value)| {
            let proof = self.changed(of, |header, _claims| change(header));
            (what.to_owned(), proof, false)
        };
        let mut list: Vec<(String, String, bool)> =
            ["none", "None", "", "HS256", "RS256", "ES384", "EdDSA"]
                .map(|alg| header(&format!("alg {alg}"), &|header| header["alg"] = json!(alg)))
                .into();
        let symmetric = json!({"kty": "oct", "k": encode(&[1; 32])});
        list.push(header("a symmetric key", &|header| {
            header["alg"] = json!("HS256");
            header["jwk"] = symmetric.clone();
        }));
        list.push(header("the private key", &|header| {
            header["jwk"] = self.private.clone();
        }));
        list.push(header("no key", &|header| {
            header.as_object_mut().expect("a header").remove("jwk");
        }));
        list.push(header("another kind", &|header| {
            header["typ"] = json!("JWT");
        }));
        let good = self.proof(of);
        let unsigned = good.rsplit_once('.').expect("three parts").0;
        list.push(("no signature".to_owned(), format!("{unsigned}."), false));
        list.push(("a good one".to_owned(), good, true));
        list
    }
}
