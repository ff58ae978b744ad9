//! Sets that are taken, and one mutation per reason not to.

use super::super::super::samples::key_file;
use super::*;
use serde_json::json;

fn listed() -> Vec<Value> {
    let set: Value = serde_json::from_slice(&key_file("jwks.json")).unwrap();
    set["keys"].as_array().unwrap().clone()
}

fn parse(keys: &[Value]) -> Result<KeySet, KeySetError> {
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes())
}

/// The set with one member of its RSA key changed.
fn with(name: &str, value: Value) -> Result<KeySet, KeySetError> {
    let mut keys = listed();
    keys[0][name] = value;
    parse(&keys)
}

fn names(set: &KeySet) -> Vec<&str> {
    set.keys.iter().map(VerifyingKey::algorithm_name).collect()
}

#[test]
fn pins_each_key_to_one_algorithm() {
    assert_eq!(
        names(&parse(&listed()).unwrap()),
        ["RS256", "ES256", "EdDSA"]
    );
    let mut bare = listed();
    for key in &mut bare {
        key.as_object_mut().unwrap().remove("alg");
    }
    assert_eq!(names(&parse(&bare).unwrap()), ["RS256", "ES256", "EdDSA"]);
    assert_eq!(
        names(&with("alg", json!("PS256")).unwrap()),
        ["PS256", "ES256", "EdDSA"]
    );
}

#[test]
fn leaves_out_what_is_for_something_else() {
    for (name, value) in [
        ("alg", json!("RS512")),
        ("alg", json!("RSA-OAEP")),
        ("alg", json!("HS256")),
        ("alg", json!("none")),
        ("use", json!("enc")),
        ("key_ops", json!(["encrypt"])),
        ("kty", json!("oct")),
        ("kty", json!("XYZ")),
    ] {
        assert_eq!(
            names(&with(name, value.clone()).unwrap()),
            ["ES256", "EdDSA"],
            "{name} {value}"
        );
    }
    assert_eq!(names(&with("key_ops", json!(["verify"])).unwrap()).len(), 3);
}

#[test]
fn refuses_a_set_with_a_mistake_in_it() {
    use KeySetError::{Ambiguous, BadKey, NoneUsable, NotASet, PrivateKey, TooMany};
    let repeated = with("kid", json!("es256"));
    let short = URL_SAFE_NO_PAD.encode([0xC1_u8; 128]);
    for (expected, outcome) in [
        (PrivateKey, with("d", json!("AQ"))),
        (Ambiguous, repeated),
        (BadKey, with("n", json!(short))),
        (BadKey, with("n", json!("*"))),
        (
            BadKey,
            with("n", json!(URL_SAFE_NO_PAD.encode([0xC1_u8; 513]))),
        ),
        (BadKey, with("e", json!("AQ"))),
        (BadKey, with("e", json!("Ag"))),
        (BadKey, with("kid", json!(7))),
        (BadKey, with("alg", json!(["RS256"]))),
        (NoneUsable, parse(&[])),
        (NoneUsable, parse(&[json!({ "kty": "oct", "k": "AQ" })])),
        (NotASet, parse(&[json!("x")])),
        (NotASet, KeySet::parse(b"[]")),
        (NotASet, KeySet::parse(b"{\"keys\":[],\"keys\":[]}")),
        (NotASet, KeySet::parse(b"")),
        (TooMany, parse(&vec![json!({ "kty": "oct" }); KEYS_MAX + 1])),
        (NoneUsable, parse(&vec![json!({ "kty": "oct" }); KEYS_MAX])),
    ] {
        assert_eq!(outcome.err(), Some(expected));
    }
    let mut nameless = listed();
    nameless[2].as_object_mut().unwrap().remove("kid");
    assert_eq!(parse(&nameless).err(), Some(Ambiguous));
}

#[test]
fn finds_a_key_by_its_exact_name() {
    let set = parse(&listed()).unwrap();
    assert_eq!(set.key(Some("es256")).unwrap().algorithm_name(), "ES256");
    for kid in [None, Some(""), Some("es25"), Some("ES256"), Some("es256 ")] {
        assert!(set.key(kid).is_none(), "{kid:?}");
    }
    let only = parse(&listed()[1..2]).unwrap();
    assert!(only.key(None).is_some());
    assert!(only.key(Some("other")).is_none());
}
