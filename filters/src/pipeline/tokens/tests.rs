//! What a body is read as, by its head, and that each kind has its stage.

use http::HeaderValue;
use http::header::CONTENT_TYPE;

use super::*;
use crate::token_rules::samples::none;

#[test]
fn a_head_says_what_names_are_looked_for_in() {
    let cases = [
        ("application/json", NamedIn::Json),
        ("application/problem+json; charset=utf-8", NamedIn::Json),
        ("application/har+json", NamedIn::Recording),
        ("text/html; charset=utf-8", NamedIn::Html),
        ("application/xhtml+xml", NamedIn::Html),
        ("text/xml", NamedIn::Xml),
        ("application/soap+xml", NamedIn::Xml),
        ("text/plain", NamedIn::Recording),
        ("application/octet-stream", NamedIn::Recording),
        ("", NamedIn::Recording),
        ("image/png", NamedIn::Nothing),
        ("text/csv", NamedIn::Nothing),
    ];
    for (content_type, expected) in cases {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        assert_eq!(NamedIn::of(&headers), expected, "{content_type}");
        headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
        let expected = match expected {
            NamedIn::Json => NamedIn::Recording,
            kind @ (NamedIn::Html | NamedIn::Xml | NamedIn::Recording | NamedIn::Nothing) => kind,
        };
        assert_eq!(NamedIn::of(&headers), expected, "{content_type}, attached");
    }
    assert_eq!(NamedIn::of(&HeaderMap::new()), NamedIn::Recording);
}

#[test]
fn each_kind_has_its_stage() {
    let cases = [
        (NamedIn::Json, "{\"token\":\"a1b2c3\"}", "{\"token\":\"\"}"),
        (
            NamedIn::Html,
            "<input name=csrf value=\"a1b2c3\">",
            "<input name=csrf value=\"\">",
        ),
        (NamedIn::Xml, "<token>a1b2c3</token>", "<token></token>"),
        (
            NamedIn::Recording,
            "{\"token\":\"a1b2c3\"}",
            "{\"token\":\"\"}",
        ),
        (
            NamedIn::Recording,
            "{\"log\":{\"entries\":[{\"name\":\"cookie\",\"value\":\"a\"}]}}",
            "{\"log\":{\"entries\":[{\"name\":\"cookie\",\"value\":\"[redacted]\"}]}}",
        ),
    ];
    for (named_in, text, expected) in cases {
        let secrets = Arc::new(Secrets::none());
        let mut filter = TokenFilter::new(named_in, none(), secrets, |_| Instead::Strip);
        let mut out = Vec::new();
        filter.push(text.as_bytes(), &mut out).expect("not spent");
        filter.finish(&mut out).expect("complete");
        assert_eq!(String::from_utf8_lossy(&out), expected);
        assert_eq!(filter.found().by_name, 1);
    }
}
