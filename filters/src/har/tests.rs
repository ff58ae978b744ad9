//! A recording with live credentials in every place comes out clean, and everything else stays.

use serde_json::json;

use super::*;
use crate::token_rules::samples::{names, none};

const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0.9JrdRHh2DWYl";

/// What must not be in a recording that is handed on.
const LIVE: [&str; 11] = [
    "sid-cookie-live",
    "csrf-cookie-live",
    "set-cookie-live",
    "basic-live",
    "query-live",
    "url-live",
    "form-live",
    "hunter2-live",
    "json-live",
    "location-live",
    "9JrdRHh2DWYl",
];

fn recording() -> Value {
    json!({"log": {"version": "1.2", "creator": {"name": "browser", "version": "1"}, "entries": [{
        "time": 12.5,
        "request": {
            "method": "POST",
            "url": "https://desk.example/login;jsessionid=url-live?page=2",
            "headers": [
                {"name": "Cookie", "value": "sessionid=sid-cookie-live"},
                {"value": "Basic basic-live", "name": "authorization"},
                {"name": "Accept", "value": "text/html"},
            ],
            "cookies": [
                {"name": "theme", "value": "sid-cookie-live", "path": "/"},
                {"name": "csrftoken", "value": "csrf-cookie-live"},
            ],
            "queryString": [{"name": "access_token", "value": "query-live"}, {"name": "page", "value": "2"}],
            "postData": {
                "mimeType": "application/x-www-form-urlencoded",
                "text": "a=1&csrf_token=form-live&b=2",
                "params": [{"name": "password", "value": "hunter2-live"}, {"name": "a", "value": "1"}],
            },
        },
        "response": {
            "status": 302,
            "redirectURL": "/next?sid=url-live",
            "headers": [
                {"name": "Set-Cookie", "value": "x=set-cookie-live"},
                {"name": "Location", "value": "/next?sid=location-live&x=1"},
                {"name": "X-Trace", "value": JWT},
            ],
            "content": {"mimeType": "application/json", "text": format!("{{\"token\":\"json-live\",\"id\":7,\"t\":\"{JWT}\"}}")},
        },
    }]}})
}

#[test]
fn a_recording_with_live_credentials_comes_out_clean() {
    let text = recording().to_string();
    let clean = sanitize_har(text.as_bytes(), &none())
        .expect("readable")
        .expect("a recording");
    let left = String::from_utf8(clean.text).expect("text");
    for live in LIVE {
        assert!(text.contains(live) && !left.contains(live), "{live}");
    }
    let left: Value = serde_json::from_str(&left).expect("JSON");
    let entry = &left["log"]["entries"][0];
    assert_eq!(entry["time"], 12.5);
    assert_eq!(entry["request"]["url"], "https://desk.example/login?page=2");
    assert_eq!(entry["request"]["headers"][2]["value"], "text/html");
    assert_eq!(entry["request"]["queryString"][1]["value"], "2");
    assert_eq!(entry["request"]["postData"]["text"], "a=1&b=2");
    assert_eq!(entry["request"]["postData"]["params"][1]["value"], "1");
    assert_eq!(entry["response"]["headers"][1]["value"], "/next?x=1");
    let body = r#"{"token":"","id":7,"t":"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0.redacted"}"#;
    assert_eq!(entry["response"]["content"]["text"], body);
    assert_eq!(clean.removed, 14);
}

#[test]
fn a_clean_recording_stays_as_it_is() {
    let once = sanitize_har(recording().to_string().as_bytes(), &none())
        .expect("readable")
        .expect("one");
    let twice = sanitize_har(&once.text, &none())
        .expect("readable")
        .expect("one");
    assert_eq!(twice.text, once.text);
}

#[test]
fn what_is_no_recording_is_left_alone() {
    for text in [
        "",
        "{}",
        "{\"log\":1,\"entries\":[]}",
        "{\"log\":{\"entries\":{}}}",
        "GIF89a",
    ] {
        assert!(
            sanitize_har(text.as_bytes(), &none())
                .expect("readable")
                .is_none(),
            "{text}"
        );
    }
}

#[test]
fn what_cannot_be_read_is_not_handed_on() {
    let broken = b"{\"log\":{\"entries\":[{\"request\":";
    assert_eq!(
        sanitize_har(broken, &none()).err(),
        Some(HarError::Malformed)
    );
    let mut long = recording().to_string().into_bytes();
    long.resize(HAR_BYTES_MAX, b' ');
    assert!(sanitize_har(&long, &none()).expect("readable").is_some());
    long.push(b' ');
    assert_eq!(sanitize_har(&long, &none()).err(), Some(HarError::TooLarge));
}

#[test]
fn what_the_policy_names_is_a_credential_wherever_it_was_recorded() {
    let own = names("{ json: desk_ref, query: entry, headers: X-Desk-Ticket }");
    let text = r#"{"log":{"entries":[{"url":"/a?entry=agent-7&b=1","headers":[{"name":"x-desk-ticket","value":"7"}],"text":"{\"desk_ref\":\"agent-7\"}"}]}}"#;
    let clean = sanitize_har(text.as_bytes(), &own);
    let clean = clean.expect("readable").expect("a recording");
    let clean = String::from_utf8(clean.text).expect("text");
    for gone in ["agent-7", "\"7\""] {
        assert!(!clean.contains(gone), "{gone} in {clean}");
    }
    assert!(clean.contains("/a?b=1"), "{clean}");
}
