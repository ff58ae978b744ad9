//! Tokens under several keys and in cases, and what is taken for one.

use super::*;

const VALUE: &[u8] = br#""jane""#;

fn keys(ids: &[&str]) -> PseudonymKeys {
    let secret = |id: &&str| ((*id).to_owned(), format!("secret of {id}").into_bytes());
    PseudonymKeys::new(ids.iter().map(secret).collect())
}

fn reader(subject: &str, tenant: Option<&str>) -> Identity {
    Identity {
        issuer: "idp".to_owned(),
        subject: subject.to_owned(),
        tenant: tenant.map(str::to_owned),
        groups: Vec::new(),
    }
}

fn made_by(ids: &[&str]) -> Pseudonymizer {
    Pseudonymizer::new(&keys(ids), &reader("a", Some("t")), &["r".to_owned()]).unwrap()
}

#[test]
fn the_newest_key_makes_tokens_and_old_ones_can_still_be_compared() {
    let scope = PseudonymScope::Identity;
    let before = made_by(&["k1"])
        .token(scope, JsonKind::String, VALUE)
        .unwrap();
    let rotated = made_by(&["k2", "k1"]);
    let now = rotated.token(scope, JsonKind::String, VALUE).unwrap();
    assert!(
        before.starts_with("~k1.") && now.starts_with("~k2."),
        "{before} {now}"
    );
    assert_eq!(
        rotated.tokens_of(scope, JsonKind::String, VALUE),
        [now, before.clone()]
    );
    let other = rotated.tokens_of(scope, JsonKind::String, br#""john""#);
    assert!(!other.contains(&before));
}

#[test]
fn only_the_exact_form_under_a_known_key_is_a_token() {
    let keys = keys(&["k2", "k1"]);
    let token = made_by(&["k1"]).token(PseudonymScope::Tenant, JsonKind::String, VALUE);
    let token = token.unwrap();
    let known = Recognised {
        key_id: "k1",
        newest: false,
    };
    assert_eq!(keys.recognise(&token), Some(known));
    let digits = token.strip_prefix("~k1.").unwrap();
    let newest = keys.recognise(&format!("~k2.{digits}")).unwrap();
    assert!(newest.newest);
    // 62^22 is beyond 128 bits; the largest token is 2^128 - 1.
    assert!(keys.recognise("~k1.7n42DGM5Tflk9n8mt7Fhc7").is_some());
    for other in [
        String::new(),
        digits.to_owned(),
        format!("k1.{digits}"),
        format!("~k3.{digits}"),
        format!("~K1.{digits}"),
        format!("~.{digits}"),
        format!("~k1.{digits}0"),
        format!("~k1.{}", digits.get(1..).unwrap()),
        format!("~k1.{digits} "),
        format!(" ~k1.{digits}"),
        format!("~k1.{}-", digits.get(1..).unwrap()),
        format!("~k1.{}é", digits.get(2..).unwrap()),
        "~k1.7n42DGM5Tflk9n8mt7Fhc8".to_owned(),
        "~k1.zzzzzzzzzzzzzzzzzzzzzz".to_owned(),
    ] {
        assert_eq!(keys.recognise(&other), None, "{other}");
    }
}

#[test]
fn every_token_that_is_made_is_recognised() {
    let (keys, made_by) = (keys(&["k2", "k1"]), made_by(&["k2", "k1"]));
    for number in 0..2000 {
        let raw = number.to_string();
        for token in made_by.tokens_of(PseudonymScope::Role, JsonKind::Number, raw.as_bytes()) {
            assert!(keys.recognise(&token).is_some(), "{token}");
        }
    }
}

#[test]
fn tokens_by_case_are_the_same_for_every_reader_of_one_case() {
    let made = |subject: &str, tenant: Option<&str>, case: Option<&str>| {
        let made_by = Pseudonymizer::new(&keys(&["k1"]), &reader(subject, tenant), &[]).unwrap();
        let made_by = match case {
            Some(case) => made_by.for_case(case),
            None => made_by,
        };
        made_by.token(PseudonymScope::Case, JsonKind::String, VALUE)
    };
    let one = made("a", Some("t"), Some("1001"));
    assert!(one.is_some());
    assert_eq!(one, made("b", Some("t"), Some("1001")));
    assert_ne!(one, made("a", Some("t"), Some("1002")));
    assert_ne!(one, made("a", Some("u"), Some("1001")));
    assert_ne!(one, made("a", None, Some("1001")));
    assert_eq!(made("a", Some("t"), None), None);
    // Lengths are part of what is authenticated: a tenant and a case cannot run into one another.
    assert_ne!(
        made("a", Some("t1"), Some("001")),
        made("a", Some("t"), Some("1001"))
    );
}

#[test]
fn types_that_have_no_token_have_none_under_any_key() {
    let made_by = made_by(&["k2", "k1"]);
    for (kind, raw) in [
        (JsonKind::Bool, &b"true"[..]),
        (JsonKind::Null, b"null"),
        (JsonKind::Array, b"[1]"),
        (JsonKind::Object, b"{}"),
        (JsonKind::Number, b"1e99999999999999999999"),
    ] {
        assert!(made_by.token(PseudonymScope::Tenant, kind, raw).is_none());
        assert!(
            made_by
                .tokens_of(PseudonymScope::Tenant, kind, raw)
                .is_empty()
        );
    }
}
