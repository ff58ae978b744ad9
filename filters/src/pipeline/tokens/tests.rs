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
        ("application/pdf", NamedIn::Nothing),
        ("text/csv", NamedIn::Text),
    ];
    for (content_type, expected) in cases {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
        assert_eq!(NamedIn::of(&headers), expected, "{content_type}");
        headers.insert(CONTENT_DISPOSITION, HeaderValue::from_static("attachment"));
        let expected = match expected {
            NamedIn::Json => NamedIn::Recording,
            kind @ (NamedIn::Html
            | NamedIn::Xml
            | NamedIn::Recording
            | NamedIn::Text
            | NamedIn::Nothing) => kind,
        };
        assert_eq!(NamedIn::of(&headers), expected, "{content_type}, attached");
    }
    assert_eq!(NamedIn::of(&HeaderMap::new()), NamedIn::Recording);
    for content_type in [
        "application/x-ndjson",
        "text/javascript; charset=utf-8",
        "text/event-stream",
        "multipart/mixed; boundary=b",
    ] {
        let content_type = HeaderValue::from_static(content_type);
        let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, content_type)]);
        assert_eq!(NamedIn::of(&headers), NamedIn::Json);
    }
}

#[test]
fn scripts_events_and_parts_are_read_like_json() {
    for (text, expected) in [
        (
            "jQuery1_2({\"access_token\":\"a1b2c3d4\"});",
            "jQuery1_2({\"access_token\":\"\"});",
        ),
        (
            "event: login\ndata: {\"token\": \"a1b2c3d4\"}\n\n",
            "event: login\ndata: {\"token\": \"\"}\n\n",
        ),
        (
            "--b\r\nContent-Type: application/json\r\n\r\n{\"sid\":\"a1b2c3d4\"}\r\n--b--\r\n",
            "--b\r\nContent-Type: application/json\r\n\r\n{\"sid\":\"\"}\r\n--b--\r\n",
        ),
    ] {
        let secrets = Arc::new(Secrets::none());
        let mut filter = TokenFilter::new(NamedIn::Json, none(), secrets, |_| Instead::Strip);
        let mut out = Vec::new();
        filter.push(text.as_bytes(), &mut out).expect("not spent");
        filter.finish(&mut out).expect("complete");
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }
}

#[test]
fn what_a_name_gave_away_is_taken_out_wherever_else_it_stands() {
    let token = "0a1b2c3d4e5f60718293a4b5c6d7e8f9";
    let page = format!(
        "<p>{token}</p><meta name=csrf-token content=\"{token}\"><script>boot('{token}')</script>"
    );
    for length in [1, 7, 60, page.len()] {
        let secrets = Arc::new(Secrets::none());
        let instead = |_: FoundToken<'_>| Instead::Text("pnp_placeholder".to_owned());
        let mut filter = TokenFilter::new(NamedIn::Html, none(), secrets, instead);
        let mut out = Vec::new();
        for chunk in page.as_bytes().chunks(length) {
            filter.push(chunk, &mut out).expect("not spent");
        }
        filter.finish(&mut out).expect("complete");
        let out = String::from_utf8_lossy(&out);
        let script = "<script>boot('pnp_placeholder')</script>";
        assert!(out.ends_with(script), "{length}: {out}");
        // What has left before the name came is gone.
        let all = length == page.len();
        assert_eq!(out.contains(token), !all, "{length}: {out}");
    }
}

#[test]
fn encodings_in_which_nothing_could_be_found_are_told_from_others() {
    for (content_type, keeps) in [
        ("", true),
        ("text/html", true),
        ("text/html; charset=iso-8859-15", true),
        ("text/csv; charset=\"Windows-1252\"", true),
        ("application/json;charset=UTF-16BE", false),
        ("text/plain; charset=utf-32", false),
        ("text/plain; charset=utf-7", false),
        ("text/plain; charset=utf-8; charset=utf-16", false),
        ("text/plain; charset", false),
        ("nonsense", true),
    ] {
        let content_type_value = HeaderValue::from_static(content_type);
        let headers = HeaderMap::from_iter([(http::header::CONTENT_TYPE, content_type_value)]);
        assert_eq!(keeps_ascii(&headers), keeps, "{content_type}");
    }
}

#[test]
fn a_page_in_wide_characters_is_refused_whatever_its_head_says() {
    let wide: Vec<u8> = "\u{feff}<p>0a1b2c3d4e5f"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let secrets = Arc::new(Secrets::none());
    let mut filter = TokenFilter::new(NamedIn::Html, none(), secrets, |_| Instead::Strip);
    let mut out = Vec::new();
    let pushed = filter.push(&wide, &mut out);
    assert!(matches!(pushed, Err(BodyError::Ambiguous { .. })));
    assert!(out.is_empty());
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
