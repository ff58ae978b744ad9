//! One mutation of acceptable claims per case.

use super::super::super::samples::{NOW, claims, now};
use super::*;
use serde_json::json;

fn accepted(name: &str, value: Option<Value>) -> bool {
    let expected = Expected {
        issuer: "https://idp.example.com".to_owned(),
        audience: "case-api".to_owned(),
    };
    let Value::Object(mut members) = claims() else {
        panic!("not an object");
    };
    match value {
        Some(value) => members.insert(name.to_owned(), value),
        None => members.remove(name),
    };
    expected.check(&members, now()).is_ok()
}

#[test]
fn the_issuer_is_one_exact_string() {
    assert!(accepted("iss", Some(json!("https://idp.example.com"))));
    for value in [
        json!("https://idp.example.com/"),
        json!("https://idp.example.co"),
        json!("https://IDP.example.com"),
        json!(["https://idp.example.com"]),
        json!(null),
        json!(7),
    ] {
        assert!(!accepted("iss", Some(value.clone())), "{value}");
    }
    assert!(!accepted("iss", None));
}

#[test]
fn the_audience_is_or_holds_ours() {
    for value in [
        json!("case-api"),
        json!(["case-api"]),
        json!(["x", "case-api"]),
    ] {
        assert!(accepted("aud", Some(value.clone())), "{value}");
    }
    for value in [
        json!("case-api-2"),
        json!("case"),
        json!([]),
        json!(["x"]),
        json!([["case-api"]]),
        json!(["case-api", 7]),
        json!({ "case-api": true }),
        json!(null),
        json!(true),
    ] {
        assert!(!accepted("aud", Some(value.clone())), "{value}");
    }
    assert!(!accepted("aud", None));
}

#[test]
fn a_date_of_the_wrong_type_is_never_an_absent_one() {
    let later = (NOW + 600).to_string();
    for name in ["exp", "nbf", "iat"] {
        for value in [
            json!(later),
            json!("never"),
            json!(null),
            json!([NOW + 600]),
            json!(-1),
            json!(1.5),
            json!(1e30),
            json!(true),
            json!({}),
        ] {
            assert!(!accepted(name, Some(value.clone())), "{name}: {value}");
        }
    }
    assert!(!accepted("exp", None));
    assert!(accepted("nbf", None) && accepted("iat", None));
}

#[test]
fn clocks_may_be_apart_by_less_than_the_leeway() {
    assert!(accepted("exp", Some(json!(NOW - 59))));
    assert!(
        !accepted("exp", Some(json!(NOW - 60))),
        "expired at that very second"
    );
    assert!(!accepted("exp", Some(json!(NOW - 61))));
    assert!(accepted("exp", Some(json!(u64::MAX))));
    for name in ["nbf", "iat"] {
        assert!(accepted(name, Some(json!(NOW + 60))));
        assert!(!accepted(name, Some(json!(NOW + 61))));
    }
}

#[test]
fn tokens_for_another_use_are_refused() {
    assert!(accepted("typ", Some(json!("Bearer"))));
    assert!(accepted("token_use", Some(json!("access"))));
    for (name, value) in [
        ("typ", json!("ID")),
        ("typ", json!("Refresh")),
        ("typ", json!(7)),
        ("token_use", json!("id")),
        ("at_hash", json!("x")),
        ("c_hash", json!("x")),
    ] {
        assert!(!accepted(name, Some(value.clone())), "{name}: {value}");
    }
}

#[test]
fn a_clock_before_1970_accepts_nothing() {
    let expected = Expected {
        issuer: "https://idp.example.com".to_owned(),
        audience: "case-api".to_owned(),
    };
    let Value::Object(members) = claims() else {
        panic!("not an object");
    };
    let before = UNIX_EPOCH - std::time::Duration::from_secs(1);
    assert!(expected.check(&members, before).is_err());
}
