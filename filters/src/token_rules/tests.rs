//! Names and shapes, each with a near miss.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::samples::{names, none};
use super::*;

#[test]
fn a_name_is_compared_without_case_and_separators() {
    for name in [
        "access_token",
        "accessToken",
        "ACCESS-TOKEN",
        "id_token",
        "sessionId",
        "sid",
        "jsessionid",
        "csrfToken",
        "X-CSRF-Token ",
        "@csrf",
        "__RequestVerificationToken",
        "ASP.NET_SessionId",
        "connect.sid",
        "samlResponse",
        "apiKey",
        "client_secret",
        "csrfmiddlewaretoken",
    ] {
        assert!(field(name.as_bytes(), &none()).is_some(), "{name}");
    }
    assert_eq!(field(b"token", &none()), Some(Says::Token));
    assert_eq!(field(b"ticket", &none()), Some(Says::Perhaps));
    assert_eq!(field(b"desk_token", &none()), Some(Says::Perhaps));
    assert_eq!(parameter(b"state", &none()), Some(Says::Perhaps));
}

#[test]
fn other_names_say_nothing() {
    for name in [
        "tokens_used",
        "side",
        "inside",
        "state",
        "next_page_token",
        "syncToken",
        "__VIEWSTATE",
        "id",
        "",
    ] {
        assert_eq!(field(name.as_bytes(), &none()), None, "{name}");
    }
    assert_eq!(parameter(b"page", &none()), None);
    assert_eq!(field(&[b'x'; 100], &none()), None);
}

#[test]
fn a_name_that_the_policy_adds_needs_no_value_that_looks_random() {
    let own = names("{ json: [state, desk_ref], query: entry, cookies: desk_cookie }");
    assert_eq!(field(b"deskRef", &own), Some(Says::Token));
    assert_eq!(field(b"Desk_Cookie", &own), Some(Says::Token));
    assert_eq!(field(b"state", &own), Some(Says::Token));
    assert_eq!(field(b"entry", &own), None, "it is a parameter");
    assert_eq!(form_field(b"entry", &own), Some(Says::Token));
    assert_eq!(parameter(b"Entry", &own), Some(Says::Token));
    assert_eq!(parameter(b"state", &own), Some(Says::Perhaps));
    assert_eq!(parameter(b"desk_ref", &own), None, "it is a member");
    assert_eq!(field(b"desk_ref\xff", &own), None);
}

#[test]
fn a_word_needs_a_value_that_looks_random() {
    let tokens = [
        "7c702b61b3500165d61c6baafc65982b8aa637a0",
        "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
        "s22UNeq1DdVSOPqJFiD9/AOy/6rMLh5SUxtLI4G/8YM",
        "ST-1856339-aA5Yuvrxzpv8Tau1cYQ7",
        "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
        "Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0.9JrdRHh2DWYlfAgT6vz",
    ];
    for token in tokens {
        assert!(Says::Perhaps.is_token(token.as_bytes()), "{token}");
    }
    let ordinary = [
        "open",
        "HELP-2026-000123",
        "https-everywhere-and-always",
        "2026-11-29T16:29:30.000Z",
        "aaaaaaaaaaaaaaaaaaaaaaaaaaaa1",
        "The ticket was closed at 10 o'clock",
        "12345678901234567890",
    ];
    for text in ordinary {
        assert!(!Says::Perhaps.is_token(text.as_bytes()), "{text}");
    }
}

#[test]
fn a_name_for_tokens_needs_a_value_that_can_be_one() {
    assert!(Says::Token.is_token(b"abc123"));
    assert!(!Says::Token.is_token(b"abc12"));
    assert!(!Says::Token.is_token(b"This field is required."));
    assert!(!Says::Token.is_token(b""));
}

#[test]
fn shapes_are_those_of_their_issuers() {
    let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0.9JrdRHh2DWYlfAgT6vz-zh_M";
    assert_eq!(shaped_length(jwt.as_bytes()), Some(jwt.len()));
    assert_eq!(shaped_length(format!("{jwt}.").as_bytes()), Some(jwt.len()));
    for near in [
        "eyJhbGci.eyJzdWIiOiIyIn0.9JrdRHh2",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWI.x",
        "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0",
    ] {
        assert_eq!(shaped_length(near.as_bytes()), None, "{near}");
    }
    assert_eq!(shaped_length(b"ghp_short1"), None);
    assert_eq!(shaped_length(b"sk_live_0123456789abcdef"), Some(24));
    let saml = STANDARD.encode("<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML\">");
    assert!(is_shaped(saml.as_bytes()));
    assert!(!is_shaped(&saml.as_bytes()[..60]));
    let picture =
        STANDARD.encode("<?xml version=\"1.0\"?><svg xmlns=\"http://www.w3.org/2000/svg\"/>");
    assert!(picture.starts_with("PD94bW") && !is_shaped(picture.as_bytes()));
}

#[test]
fn nothing_of_a_token_is_shown() {
    let found = FoundToken {
        name: Some(b"name"),
        value: b"value",
        why: Why::Name,
    };
    let text = Instead::Text("text".to_owned());
    assert_eq!(format!("{found:?} {text:?}"), "FoundToken(Name) Text");
}

#[test]
fn a_request_brings_a_token_under_its_own_names_and_under_those_of_tokens() {
    const RANDOM: &[u8] = b"c4VnEu1yD9hQkXwZt7rB2pLm";
    let known = ["refresh".to_owned(), "deskref".to_owned()];
    let brings = |name: &str, token: &[u8]| is_sent_under(name.as_bytes(), token, &known, &none());
    for name in [
        "refresh",
        "desk-ref",
        "access_token",
        "_csrf",
        "form[_token]",
        "x-desk-token",
    ] {
        assert!(brings(name, RANDOM), "{name}");
    }
    for name in [
        "comment",
        "state",
        "ticket",
        "code",
        "",
        "@",
        "comment[a]token",
        "comment\0token",
        "next_page_token",
    ] {
        assert!(!brings(name, RANDOM), "{name}");
    }
    assert!(brings("refresh", b"function") && brings("token", b"function"));
    assert!(!brings("desk_token", b"function"));
    let own = names("{ json: desk_ref, query: entry, headers: X-Desk-Key }");
    assert!(is_sent_under(b"deskRef", b"chosen", &[], &own));
    assert!(
        [&b"entry"[..], b"desk-ref", b"x-desk-key"]
            .iter()
            .all(|name| is_added(name, &own))
    );
    assert!(!is_added(b"token", &own) && !is_added(b"entry", &none()));
    assert_eq!(name_letters(b"X-CSRF-Token"), Some("xcsrftoken".to_owned()));
    assert_eq!(name_letters("@\u{e9}".as_bytes()), None);
    assert_eq!(name_letters(&[b'a'; 65]), None);
}
