//! Requests as browsers and programs send them, each with what goes up.

use http::HeaderValue;

use super::*;
use crate::placeholder::Handle;
use crate::token_rules::samples::none;

const TOKEN: &str = "a/b <c>&\"d";
const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0.9JrdRHh2DWYl";
const HAR: &str = r#"{"log":{"entries":[{"cookies":[{"name":"a","value":"live"}]}]}}"#;

fn placeholder() -> Placeholder {
    Placeholder::new([7; 16])
}

/// Names of ours in a text: `{known}` and `{unknown}` are placeholders, `{handle}` is a handle.
fn named(text: &str) -> String {
    text.replace("{known}", placeholder().as_str())
        .replace("{unknown}", Placeholder::new([8; 16]).as_str())
        .replace("{handle}", &Handle::new([9; 32]).text())
}

fn head(fields: &[(&'static str, &'static str)]) -> HeaderMap {
    let fields = fields.iter().map(|(name, value)| {
        let value = HeaderValue::from_static(value);
        (http::HeaderName::from_static(name), value)
    });
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(name, value);
    }
    headers
}

fn read(
    method: &Method,
    fields: &[(&'static str, &'static str)],
    body: &str,
) -> Result<ReadBody, RequestBodyError> {
    let lookup = |asked: &Placeholder, name: &[u8]| {
        (*asked == placeholder() && (name == b"t" || name == b"csrf")).then(|| TOKEN.into())
    };
    let secrets = Arc::new(Secrets::none());
    RequestBody::of(method, &head(fields))?.read(named(body).as_bytes(), &none(), &secrets, lookup)
}

/// What goes up of a POST; none when it goes up as it came.
fn up(content_type: &'static str, body: &str) -> Result<Option<String>, RequestBodyError> {
    let read = read(&Method::POST, &[("content-type", content_type)], body)?;
    Ok(read.body.map(|body| String::from_utf8(body).expect("text")))
}

#[test]
fn messages_get_their_tokens_back_in_the_encoding_of_their_place() {
    let cases = [
        (
            "application/x-www-form-urlencoded",
            "a=1&csrf={known}&b=2",
            "a=1&csrf=a%2Fb+%3Cc%3E%26%22d&b=2",
        ),
        (
            "application/json; charset=utf-8",
            "{\"t\":\"{known}\"}",
            "{\"t\":\"a/b <c>&\\\"d\"}",
        ),
        (
            "application/vnd.api+json",
            "{\"c\":\"{handle}{known}\",\"t\":\"{known}\"}",
            "{\"c\":\"***{known}\",\"t\":\"a/b <c>&\\\"d\"}",
        ),
        (
            "application/soap+xml",
            "<s><t>{known}</t><c>{known}</c></s>",
            "<s><t>a/b &lt;c&gt;&amp;&#34;d</t><c>{known}</c></s>",
        ),
        (
            "text/xml",
            "<t>{known}</t>",
            "<t>a/b &lt;c&gt;&amp;&#34;d</t>",
        ),
        (
            "text/x-gwt-rpc",
            "7|0|{known}|{handle}|",
            "7|0|{known}|***|",
        ),
        (
            "application/json",
            "{\"t\":\"{handle}\"}",
            "{\"t\":\"***\"}",
        ),
    ];
    for (content_type, body, expected) in cases {
        assert_eq!(
            up(content_type, body),
            Ok(Some(named(expected))),
            "{content_type}"
        );
        assert_eq!(up(content_type, "t={unknown}&c={known} pnp_"), Ok(None));
        assert_eq!(
            up(content_type, JWT),
            Ok(None),
            "a message may speak of tokens"
        );
    }
}

#[test]
fn files_lose_credentials_and_get_no_token() {
    let clean = HAR.replace("live", "[redacted]");
    for content_type in ["application/octet-stream", "image/png", "application/zip"] {
        let log = format!("{JWT} {{known}} {{unknown}} {{handle}}");
        assert_eq!(
            up(content_type, &log),
            Ok(Some("*** *** *** ***".to_owned()))
        );
        assert_eq!(up(content_type, HAR), Ok(Some(clean.clone())));
        assert_eq!(up(content_type, "\0\x01{handle}"), Ok(None));
    }
    assert_eq!(up("application/json", HAR), Ok(Some(clean)));
    let log = [("content-type", "text/plain")];
    let put = read(&Method::PUT, &log, "{known}").expect("readable");
    assert_eq!(put.body.as_deref(), Some(b"***".as_slice()));
    let called = [
        ("content-type", "text/csv"),
        ("content-disposition", "attachment"),
    ];
    let post = read(&Method::POST, &called, "{known}").expect("readable");
    assert_eq!(post.body.as_deref(), Some(b"***".as_slice()));
    let untyped = read(&Method::POST, &[], "{known}").expect("readable");
    assert_eq!((untyped.removed, untyped.swapped), (1, Swapped::default()));
}

const FORM: &str = "multipart/form-data; boundary=\"b 0\"";

fn form(parts: &[(&str, &str)]) -> String {
    let part = |(fields, content): &(&str, &str)| {
        format!("--b 0\r\nContent-Disposition: form-data; {fields}\r\n\r\n{content}\r\n")
    };
    parts.iter().map(part).collect::<String>() + "--b 0--\r\n"
}

#[test]
fn of_parts_fields_get_tokens_and_files_lose_them() {
    let picture = "\u{1}\0\u{2}\r\n--b\r\n{known}";
    let body = form(&[
        ("name=csrf", "{known}"),
        ("name=note", JWT),
        ("name=\"note\"", "t={known}"),
        (
            "name=json\r\nContent-Type: application/json",
            "{\"t\":\"{known}\"}",
        ),
        (
            "name=a; filename=\"a.har\"\r\nContent-Type: application/json",
            HAR,
        ),
        ("name=b; filename=b.log", "{known} {handle}"),
        ("name=c; filename=c.png\r\nContent-Type: image/png", picture),
    ]);
    let expected = form(&[
        ("name=csrf", TOKEN),
        ("name=note", JWT),
        ("name=\"note\"", "t={known}"),
        (
            "name=json\r\nContent-Type: application/json",
            "{\"t\":\"a/b <c>&\\\"d\"}",
        ),
        (
            "name=a; filename=\"a.har\"\r\nContent-Type: application/json",
            &HAR.replace("live", "[redacted]"),
        ),
        ("name=b; filename=b.log", "*** ***"),
        ("name=c; filename=c.png\r\nContent-Type: image/png", picture),
    ]);
    let read = read(&Method::POST, &[("content-type", FORM)], &body).expect("one reading");
    let text = read.body.map(|body| String::from_utf8(body).expect("text"));
    assert_eq!(text, Some(named(&expected)));
    let swapped = Swapped {
        swapped: 2,
        unknown: 1,
    };
    assert_eq!(
        (read.swapped, read.removed, read.recordings),
        (swapped, 3, 1)
    );
    let clean = form(&[("name=a", "1"), ("name=b; filename=b.txt", "2")]);
    assert_eq!(up(FORM, &clean), Ok(None));
}

#[test]
fn what_cannot_go_up_clean_does_not_go_up() {
    let parts = |what| Err(RequestBodyError::Parts { what });
    let twice = form(&[("name=a; name=b", "1")]);
    assert_eq!(up(FORM, &twice), parts("a disposition that cannot be read"));
    let nested = form(&[("name=a\r\nContent-Type: multipart/mixed; boundary=c", "1")]);
    assert_eq!(up(FORM, &nested), parts("parts inside of a part"));
    for content_type in [
        "multipart/form-data",
        "multipart/form-data; boundary=",
        "multipart/form-data; boundary=a; boundary=b",
        "multipart/form-data; boundary*0=a; boundary=b",
        "json",
        "application/json, text/plain",
    ] {
        assert!(up(content_type, "--a--").is_err(), "{content_type}");
    }
    let several = [
        ("content-type", "text/plain"),
        ("content-type", "text/plain"),
    ];
    let read = read(&Method::POST, &several, "");
    assert_eq!(read, Err(RequestBodyError::ContentType));
    let broken = "{\"log\":{\"entries\":[";
    let refused = Err(RequestBodyError::Recording(HarError::Malformed));
    assert_eq!(up("application/json", broken), refused);
    assert_eq!(up("application/octet-stream", broken), refused);
    let broken = form(&[("name=a; filename=b", broken)]);
    assert_eq!(up(FORM, &broken), refused);
}

#[test]
fn a_token_that_would_divide_a_body_or_break_its_text_is_refused() {
    let lookup = |_: &Placeholder, _: &[u8]| Some(b"\r\n--b 0--\xFF".to_vec());
    let secrets = Arc::new(Secrets::none());
    let read = |content_type, body: &str| {
        let kind = RequestBody::of(&Method::POST, &head(&[("content-type", content_type)]));
        let body = named(body);
        kind.and_then(|kind| kind.read(body.as_bytes(), &none(), &secrets, lookup))
    };
    let what = "the boundary inside of a part";
    let body = form(&[("name=a", "{known}")]);
    assert_eq!(read(FORM, &body), Err(RequestBodyError::Parts { what }));
    let encoding = Err(RequestBodyError::Swap(SwapError::Encoding));
    assert_eq!(read("application/json", "{\"t\":\"{known}\"}"), encoding);
}

#[test]
fn nothing_of_a_body_is_shown() {
    let read = read(&Method::PUT, &[], "{known}").expect("readable");
    let text = format!("{read:?}");
    assert!(
        !text.contains("***") && text.contains("removed: 1"),
        "{text}"
    );
}
