//! The Wycheproof vectors: every invalid signature is refused, and every valid one of an algorithm that
//! is accepted here verifies. The vectors are read where they lie, outside of the repository.

use std::path::PathBuf;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::super::super::jwks::KeySet;
use super::*;
use serde_json::json;

/// A file of the vectors; none when they are not there and need not be.
fn vectors(name: &str) -> Option<Value> {
    let corpus = std::env::var_os("POSTERN_CORPUS").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus"),
        PathBuf::from,
    );
    let path = corpus.join("wycheproof").join(name);
    match std::fs::read(&path) {
        Ok(bytes) => Some(serde_json::from_slice(&bytes).unwrap()),
        Err(error) => {
            let required = std::env::var_os("POSTERN_REQUIRE_CORPUS").is_some();
            assert!(!required, "{}: {error}", path.display());
            println!("skipped: {} is not there", path.display());
            None
        }
    }
}

fn groups(file: &Value) -> impl Iterator<Item = (&Value, &Vec<Value>)> {
    let groups = file["testGroups"].as_array().unwrap();
    groups
        .iter()
        .map(|group| (group, group["tests"].as_array().unwrap()))
}

/// A set of one public key; an error when no key of it is for verifying.
fn one_key(jwk: &Value) -> Option<KeySet> {
    KeySet::parse(json!({ "keys": [jwk] }).to_string().as_bytes()).ok()
}

#[test]
fn wycheproof_jws_vectors() {
    let Some(file) = vectors("json_web_signature_test.json") else {
        return;
    };
    let (mut refused, mut accepted, mut other_algorithms) = (0, 0, 0);
    for (group, tests) in groups(&file) {
        let jwk = group.get("public").unwrap_or_else(|| &group["private"]);
        let set = one_key(jwk);
        for test in tests {
            let verified = set.as_ref().is_some_and(|set| {
                let token = test["jws"].as_str().unwrap_or_default();
                Compact::parse(token).is_ok_and(|token| token.verified_by(set).is_ok())
            });
            match (test["result"].as_str().unwrap(), verified) {
                ("invalid", false) => refused += 1,
                ("valid", true) => accepted += 1,
                ("valid", false) => other_algorithms += 1,
                (result, _) => panic!("{} is {result}", test["tcId"]),
            }
        }
    }
    println!("{refused} refused, {accepted} accepted, {other_algorithms} of other algorithms");
    assert_eq!((refused, accepted, other_algorithms), (355, 16, 30));
}

#[test]
fn wycheproof_ecdsa_p256_vectors() {
    let Some(file) = vectors("ecdsa_secp256r1_sha256_p1363_test.json") else {
        return;
    };
    let (mut refused, mut accepted) = (0, 0);
    for (group, tests) in groups(&file) {
        let point = hex::decode(group["publicKey"]["uncompressed"].as_str().unwrap()).unwrap();
        let (x, y) = (&point[1..33], &point[33..65]);
        let jwk = json!({ "kty": "EC", "crv": "P-256", "x": URL_SAFE_NO_PAD.encode(x), "y": URL_SAFE_NO_PAD.encode(y) });
        count(&one_key(&jwk).unwrap(), tests, &mut refused, &mut accepted);
    }
    println!("{refused} refused, {accepted} accepted");
    assert_eq!((refused, accepted), (89, 173));
}

#[test]
fn wycheproof_ed25519_vectors() {
    let Some(file) = vectors("ed25519_test.json") else {
        return;
    };
    let (mut refused, mut accepted) = (0, 0);
    for (group, tests) in groups(&file) {
        let x = hex::decode(group["publicKey"]["pk"].as_str().unwrap()).unwrap();
        let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": URL_SAFE_NO_PAD.encode(x) });
        count(&one_key(&jwk).unwrap(), tests, &mut refused, &mut accepted);
    }
    println!("{refused} refused, {accepted} accepted");
    assert_eq!((refused, accepted), (63, 88));
}

/// Verifies raw signatures over raw messages, and fails on the first that goes wrong.
fn count(set: &KeySet, tests: &[Value], refused: &mut usize, accepted: &mut usize) {
    let key = set.key(None).unwrap();
    for test in tests {
        let bytes = |name: &str| hex::decode(test[name].as_str().unwrap()).unwrap();
        let verified = key.verifies(&bytes("msg"), &URL_SAFE_NO_PAD.encode(bytes("sig")));
        match (test["result"].as_str().unwrap(), verified) {
            ("invalid", false) => *refused += 1,
            ("valid", true) => *accepted += 1,
            (result, _) => panic!("{} is {result}", test["tcId"]),
        }
    }
}
