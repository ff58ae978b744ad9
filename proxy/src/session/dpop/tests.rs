//! The vectors of the corpus, and one negative for each check of RFC 9449 section 4.3.

use std::path::PathBuf;

use jsonwebtoken::{Algorithm, EncodingKey, jwk::Jwk};
use serde_json::json;

use super::*;

const NOW: u64 = 1_800_000_000;
const TOKEN: &str = "pnh_token";
const ORIGIN: &str = "https://desk.example";

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn verifier(needs_nonce: bool) -> DpopVerifier {
    DpopVerifier::new(&[ORIGIN.to_owned()], &[1; 32], needs_nonce)
}

/// A client with a key of its own.
struct Holder {
    key: EncodingKey,
    jwk: Value,
}

impl Holder {
    fn new() -> Self {
        let pair = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).unwrap();
        let key = EncodingKey::from_ec_der(&pair.serialize_der());
        let jwk = Jwk::from_encoding_key(&key, Algorithm::ES256).unwrap();
        let mut jwk = serde_json::to_value(jwk).unwrap();
        jwk.as_object_mut()
            .unwrap()
            .retain(|name, _| ["kty", "crv", "x", "y"].contains(&name.as_str()));
        Self { key, jwk }
    }

    /// A proof, after `change` had its way with header and claims.
    fn proof(&self, change: impl FnOnce(&mut Value, &mut Value)) -> String {
        let mut header = json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": self.jwk });
        let hash = URL_SAFE_NO_PAD.encode(sha256(TOKEN.as_bytes()));
        let mut claims = json!({
            "jti": "one", "htm": "GET", "htu": "https://desk.example/cases/1",
            "iat": NOW, "ath": hash,
        });
        change(&mut header, &mut claims);
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        // The signature is over exactly these parts, whatever the header says.
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &self.key, Algorithm::ES256);
        format!("{signed}.{}", signature.unwrap())
    }
}

fn check_with(
    verifier: &DpopVerifier,
    proofs: &[&str],
    bound_to: Option<&str>,
) -> Result<Checked, DpopError> {
    let request = Proven {
        proofs,
        method: "GET",
        path: "/cases/1",
        token: TOKEN,
        bound_to,
    };
    verifier.check(&request, at(NOW))
}

fn refused(change: impl FnOnce(&mut Value, &mut Value)) -> DpopError {
    let proof = Holder::new().proof(change);
    check_with(&verifier(false), &[&proof], None).unwrap_err()
}

#[test]
fn accepts_a_proof_and_knows_it_again() {
    let holder = Holder::new();
    let proof = holder.proof(|_, _| {});
    let first = check_with(&verifier(false), &[&proof], None).unwrap();
    let again = check_with(&verifier(false), &[&proof], Some(&first.thumbprint)).unwrap();
    assert_eq!(first, again);
    let other = holder.proof(|_, claims| claims["jti"] = json!("two"));
    let other = check_with(&verifier(false), &[&other], None).unwrap();
    assert_ne!(first.replay, other.replay);
}

const fn bad(word: &'static str) -> DpopError {
    DpopError::Proof(BadProof(word))
}

#[test]
fn checks_1_2_6_and_12_refuse_what_is_not_one_proof_of_this_key_and_token() {
    let holder = Holder::new();
    let proof = holder.proof(|_, _| {});
    let (rest, _) = proof.rsplit_once('.').unwrap();
    let other = Holder::new().proof(|_, _| {});
    let swapped = format!("{rest}.{}", other.rsplit_once('.').unwrap().1);
    let refused = |proofs: &[&str]| check_with(&verifier(false), proofs, None).unwrap_err();
    assert_eq!(refused(&[&proof, &proof]), bad("not-one-header"));
    assert_eq!(refused(&[]), bad("not-one-header"));
    assert_eq!(refused(&[rest]), bad("not-a-compact-jws"));
    assert_eq!(refused(&[&swapped]), bad("signature"));
    let elsewhere = holder.proof(|_, claims| claims["ath"] = json!("AAAA"));
    assert_eq!(refused(&[&elsewhere]), bad("ath"));
    let bound = Some("0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I");
    let bound = check_with(&verifier(false), &[&proof], bound);
    assert_eq!(bound.unwrap_err(), DpopError::OtherKey);
}

#[test]
fn checks_3_10_and_11_refuse_claims_that_are_missing_or_not_of_now() {
    for claim in ["jti", "htm", "htu", "iat", "ath"] {
        let missing = refused(|_, claims| {
            claims.as_object_mut().unwrap().remove(claim);
        });
        assert_eq!(missing, bad(claim));
    }
    for (claim, value, why) in [
        ("jti", json!("x".repeat(129)), bad("jti")),
        ("jti", json!(""), bad("jti")),
        ("nonce", json!("guessed"), DpopError::Nonce),
        ("iat", json!(NOW - 61), bad("iat")),
        ("iat", json!(NOW + 6), bad("iat")),
        ("iat", json!(NOW.to_string()), bad("iat")),
    ] {
        assert_eq!(refused(|_, claims| claims[claim] = value), why, "{claim}");
    }
}

#[test]
fn checks_4_5_and_7_refuse_what_the_header_must_not_say() {
    assert_eq!(
        refused(|header, _| header["typ"] = json!("JWT")),
        bad("typ")
    );
    for algorithm in ["none", "HS256", "RS256", "ES384"] {
        let refused = refused(|header, _| header["alg"] = json!(algorithm));
        assert_eq!(refused, bad("alg"), "{algorithm}");
    }
    let private = refused(|header, _| header["jwk"]["d"] = json!("AA"));
    assert_eq!(private, bad("private-key"));
    let symmetric = json!({ "kty": "oct", "k": "AA" });
    let symmetric = refused(|header, _| header["jwk"] = symmetric);
    assert_eq!(symmetric, bad("private-key"));
}

#[test]
fn checks_8_and_9_refuse_a_proof_for_another_request() {
    for method in ["POST", "get"] {
        let refused = refused(|_, claims| claims["htm"] = json!(method));
        assert_eq!(refused, bad("htm"), "{method}");
    }
    for target in [
        "https://desk.example/cases/2",
        "https://desk.example.evil/cases/1",
        "http://desk.example/cases/1",
        "https://desk.example:444/cases/1",
        "https://a@desk.example/cases/1",
        "https://desk.example/cases/../cases/1",
        "/cases/1",
        "https:///cases/1",
    ] {
        let refused = refused(|_, claims| claims["htu"] = json!(target));
        assert_eq!(refused, bad("htu"), "{target}");
    }
}

#[test]
fn near_misses_are_accepted() {
    for target in [
        "https://DESK.example:443/cases/1?page=2#x",
        "https://desk.example/c%61ses/1",
    ] {
        let proof = Holder::new().proof(|_, claims| claims["htu"] = json!(target));
        assert!(
            check_with(&verifier(false), &[&proof], None).is_ok(),
            "{target}"
        );
    }
    for made in [NOW - 60, NOW + 5] {
        let proof = Holder::new().proof(|_, claims| claims["iat"] = json!(made));
        assert!(
            check_with(&verifier(false), &[&proof], None).is_ok(),
            "{made}"
        );
    }
}

#[test]
fn a_nonce_is_good_for_three_minutes_at_most() {
    let verifier = verifier(true);
    let holder = Holder::new();
    let bare = holder.proof(|_, _| {});
    assert_eq!(
        check_with(&verifier, &[&bare], None).unwrap_err(),
        DpopError::Nonce
    );
    for (age, good) in [
        (0, true),
        (60, true),
        (120, true),
        (180, false),
        (3_600, false),
    ] {
        let nonce = verifier.nonce(at(NOW - age));
        let proof = holder.proof(|_, claims| claims["nonce"] = json!(nonce));
        assert_eq!(
            check_with(&verifier, &[&proof], None).is_ok(),
            good,
            "{age}"
        );
    }
    let other = DpopVerifier::new(&[ORIGIN.to_owned()], &[2; 32], true).nonce(at(NOW));
    let proof = holder.proof(|_, claims| claims["nonce"] = json!(other));
    assert_eq!(
        check_with(&verifier, &[&proof], None).unwrap_err(),
        DpopError::Nonce
    );
}

/// The proofs of the corpus. Those of algorithms that are not accepted here are refused whatever they
/// are; those without a token have no `ath`, which everything here must have.
#[test]
fn agrees_with_the_vectors() {
    let corpus = std::env::var_os("POSTERN_CORPUS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus"),
        PathBuf::from,
    );
    let Ok(bytes) = std::fs::read(corpus.join("dpop/dpop-vectors.json")) else {
        let required = std::env::var_os("POSTERN_REQUIRE_CORPUS").is_some();
        assert!(!required, "the vectors are not there");
        println!("skipped: the vectors are not there");
        return;
    };
    let vectors: Vec<Value> = serde_json::from_slice(&bytes).unwrap();
    let (mut agreed, mut without_token, mut other_algorithms) = (0, 0, 0);
    for vector in &vectors {
        let field = |name: &str| vector[name].as_str().unwrap_or_default();
        let target = field("htu");
        let end = target
            .find("/token")
            .or_else(|| target.rfind('/'))
            .unwrap_or_default();
        let (origin, path) = target.split_at(end);
        let path = path.split(['?', '#']).next().unwrap();
        let verifier = DpopVerifier::new(&[origin.to_owned()], &[1; 32], false);
        let proof = field("proof");
        let request = Proven {
            proofs: &[proof],
            method: field("htm"),
            path,
            token: field("access_token"),
            bound_to: vector["expect_jkt"].as_str(),
        };
        let checked = verifier.check(&request, at(vector["iat"].as_u64().unwrap()));
        let is_ours = ["ES256", "EdDSA"].contains(&field("alg"));
        match (field("expect"), is_ours, &checked) {
            ("valid", true, Err(DpopError::Proof(BadProof("ath"))))
                if field("access_token").is_empty() =>
            {
                without_token += 1;
            }
            ("valid", false, Err(_)) => other_algorithms += 1,
            ("valid", true, Ok(_)) | ("invalid", _, Err(_)) => agreed += 1,
            (expected, ..) => panic!("{} is {expected}: {checked:?}", vector["name"]),
        }
    }
    println!(
        "{} vectors: {agreed} as expected, {without_token} valid but for the token that they are not for, {other_algorithms} valid of other algorithms",
        vectors.len()
    );
    assert_eq!(agreed + without_token + other_algorithms, vectors.len());
    assert!(agreed > 10);
}
