//! Fields of answers, each with what is left of it, and near misses that stay.

use super::*;
use crate::token_rules::samples::names;
use crate::token_sweep::Secret;

const TOKEN: &str = "A1b2C3d4E5f6G7h8I9j0K";
const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0.9JrdRHh2DWYl";
const SECRET: &str = "2r5cxvp7hj3jfe31dnlrm4hquqgrix8y";

fn map(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
        headers.append(name, HeaderValue::from_str(value).expect("a value"));
    }
    headers
}

fn left(fields: &[(&str, &str)], instead: &Instead) -> (HeaderMap, FoundTokens) {
    let secret = Secret {
        value: SECRET.as_bytes(),
        instead: b"pnp_of-the-secret",
    };
    let secrets = Arc::new(Secrets::new(&[secret]).expect("within the limits"));
    let names = TokenNames::default();
    response_header_tokens(&map(fields), &names, &secrets, &mut |_| instead.clone())
}

/// What is left of one field, as text.
fn field(name: &str, value: &str, instead: &Instead) -> Option<String> {
    let (headers, _) = left(&[(name, value)], instead);
    let value = headers.get(name)?;
    Some(value.to_str().expect("text").to_owned())
}

#[test]
fn a_field_that_is_a_token_by_its_name_is_removed() {
    for name in [
        "Set-Cookie",
        "Set-Cookie2",
        "Authorization",
        "Authentication-Info",
        "Proxy-Authentication-Info",
        "X-Auth-Token",
        "X-Refresh-Token-1",
        "X-Session-Id",
        "X-CSRF-Param",
        "Set-Authorization",
    ] {
        for value in [TOKEN, "a", ""] {
            assert_eq!(field(name, value, &Instead::Strip), None, "{name}: {value}");
        }
    }
    let kept = [("x-tokyo", "1"), ("date", "now"), ("x-csrf", "1")];
    assert_eq!(left(&kept, &Instead::Strip).0, map(&kept));
}

#[test]
fn a_text_stands_in_the_place_of_a_token_behind_its_scheme() {
    let text = Instead::Text("pnp_x".to_owned());
    let cases = [
        ("X-CSRF-Token", TOKEN, Some("pnp_x")),
        (
            "Authorization",
            &format!("Bearer {JWT}"),
            Some("Bearer pnp_x"),
        ),
        // A cookie is the jar's, and what is no token cannot be sent back.
        ("Set-Cookie", TOKEN, None),
        ("X-Session-Timeout", "900", None),
        ("Authentication-Info", "nextnonce=\"a b\"", None),
    ];
    for (name, value, expected) in cases {
        assert_eq!(field(name, value, &text).as_deref(), expected, "{name}");
    }
    let broken = Instead::Text("a\r\nset-cookie: b".to_owned());
    assert_eq!(field("X-CSRF-Token", TOKEN, &broken), None);
    let kept = field("X-CSRF-Token", TOKEN, &Instead::Keep);
    assert_eq!(kept.as_deref(), Some(TOKEN));
}

#[test]
fn urls_are_cleaned_and_shapes_found_in_any_field() {
    let cases = [
        (
            "Location",
            format!("/a;jsessionid={TOKEN}?x=1"),
            "/a?x=1".to_owned(),
        ),
        (
            "Refresh",
            format!("1; url=/a?sid={TOKEN}"),
            "1; url=/a".to_owned(),
        ),
        (
            "Server-Timing",
            format!("db;desc={JWT}"),
            "db;desc=***".to_owned(),
        ),
        (
            "Warning",
            format!("199 - \"{JWT}\""),
            "199 - \"***\"".to_owned(),
        ),
    ];
    for (name, value, expected) in cases {
        assert_eq!(
            field(name, &value, &Instead::Strip),
            Some(expected),
            "{name}"
        );
        assert_eq!(field(name, &value, &Instead::Keep), Some(value), "{name}");
    }
}

#[test]
fn a_secret_leaves_in_no_field() {
    let hex: String = SECRET.bytes().map(|byte| format!("{byte:02x}")).collect();
    let cases = [
        (
            "X-Debug",
            format!("a {SECRET} b"),
            Some("a pnp_of-the-secret b"),
        ),
        ("ETag", format!("\"{hex}\""), Some("\"***\"")),
        (
            "Location",
            format!("/{SECRET}/?a=1"),
            Some("/pnp_of-the-secret/?a=1"),
        ),
        // Kept by its name, it is found by its value.
        ("X-CSRF-Token", SECRET.to_owned(), Some("pnp_of-the-secret")),
        (SECRET, "1".to_owned(), None),
    ];
    for (name, value, expected) in cases {
        let left = field(name, &value, &Instead::Keep);
        assert_eq!(left.as_deref(), expected, "{name}");
    }
}

#[test]
fn challenges_leave_without_handshakes() {
    let cases = [
        ("Negotiate oYG2MIGzoAMKAQ==", "Negotiate"),
        (
            "NTLM TlRMTVNTUAACAAAA, Basic realm=\"a, NTLM b\"",
            "NTLM, Basic realm=\"a, NTLM b\"",
        ),
        (
            "Basic realm=\"a\\\", negotiate x\", negotiate YII=",
            "Basic realm=\"a\\\", negotiate x\",negotiate",
        ),
        ("Negotiate", "Negotiate"),
        (
            "Bearer realm=\"x\", error=\"invalid_token\"",
            "Bearer realm=\"x\", error=\"invalid_token\"",
        ),
    ];
    for (challenges, expected) in cases {
        for name in ["WWW-Authenticate", "Proxy-Authenticate"] {
            let left = field(name, challenges, &Instead::Strip);
            assert_eq!(left.as_deref(), Some(expected), "{challenges}");
        }
    }
}

#[test]
fn several_fields_of_one_name_stay_apart_and_everything_is_counted() {
    let fields = [
        ("x-a", "1"),
        ("x-a", JWT),
        ("x-a", SECRET),
        ("x-auth-token", TOKEN),
        ("set-cookie", "a=b"),
        ("www-authenticate", "NTLM TlRM"),
    ];
    let (headers, found) = left(&fields, &Instead::Strip);
    let expected = [
        ("x-a", "1"),
        ("x-a", "***"),
        ("x-a", "pnp_of-the-secret"),
        ("www-authenticate", "NTLM"),
    ];
    assert_eq!(headers, map(&expected));
    let counts = FoundTokens {
        by_name: 3,
        by_shape: 1,
        by_value: 1,
    };
    assert_eq!(found, counts);
}

#[test]
fn bytes_that_are_no_text_leave_as_they_came() {
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_bytes(b"caf\xE9").expect("a value");
    headers.insert("x-a", value);
    let secrets = Arc::new(Secrets::none());
    let names = TokenNames::default();
    let (left, found) = response_header_tokens(&headers, &names, &secrets, &mut |_| Instead::Strip);
    assert_eq!((left, found), (headers, FoundTokens::default()));
}

#[test]
fn a_parameter_that_the_policy_names_leaves_no_url_of_a_field() {
    let own = names("{ query: entry }");
    let secrets = Arc::new(Secrets::none());
    let headers = map(&[
        ("Location", "/home?entry=agent-7&tab=1"),
        ("Link", "</a?entry=agent-7>; rel=next"),
    ]);
    let (left, found) = response_header_tokens(&headers, &own, &secrets, &mut |_| Instead::Strip);
    assert_eq!(left["location"], "/home?tab=1");
    assert_eq!(left["link"], "</a>; rel=next");
    assert_eq!(found.by_name, 2);
}
