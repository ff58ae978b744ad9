//! Which requests ask for another method, at every split of a form.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use http::HeaderValue;

use super::*;

fn head(method: &str, query: Option<&str>, fields: &[(&'static str, &'static str)]) -> bool {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        headers.append(*name, HeaderValue::from_static(value));
    }
    in_head(method, query, &headers).is_ok()
}

#[test]
fn a_head_may_not_ask_for_another_method() {
    for name in FIELDS.iter().map(HeaderName::as_str) {
        assert!(!head("POST", None, &[(name, "DELETE")]), "{name}");
        assert!(!head("GET", None, &[(name, "DELETE")]), "{name}");
        assert!(!head("POST", None, &[(name, "POST"), (name, "DELETE")]));
        assert!(!head("POST", None, &[(name, "POST, DELETE")]), "{name}");
        assert!(!head("POST", None, &[(name, "")]), "{name}");
        assert!(head("POST", None, &[(name, "post ")]), "{name}");
    }
    assert!(head("POST", None, &[("x-http-methods", "DELETE")]));
    assert!(head("POST", None, &[]));
}

#[test]
fn a_query_may_not_ask_for_another_method() {
    for query in [
        "_method=DELETE",
        "a=1&_method=delete",
        "a=1;_method=DELETE",
        "_METHOD=PUT",
        "%5fmethod=PUT",
        "_m%65thod=PUT",
        "_method%20=PUT",
        "+_method=PUT",
        ".method=PUT",
        "_method[]=PUT",
        "_method%5Bx=PUT",
        "_method%00x=PUT",
        "_method",
        "_method=",
        "_method=POST&_method=PUT",
        "X-HTTP-Method-Override=PUT",
        "x_http_method=PUT",
    ] {
        assert!(!head("POST", Some(query), &[]), "{query}");
    }
    for query in [
        "",
        "a=_method",
        "method=PUT",
        "__method=PUT",
        "_methods=PUT",
        "a%26_method=PUT",
        "_method=POST",
        "_method=p%6Fst",
    ] {
        assert!(head("POST", Some(query), &[]), "{query}");
    }
}

const PAIRS: &str = "application/x-www-form-urlencoded";
const PARTS: &str = "multipart/form-data; boundary=x";

/// The answer to a posted body, which has to be the same at every split.
fn form(content_type: Option<&str>, body: &[u8]) -> bool {
    let mut headers = HeaderMap::new();
    if let Some(text) = content_type {
        headers.insert("content-type", HeaderValue::from_str(text).unwrap());
    }
    let watch = |pieces: &[&[u8]]| {
        let Some(mut form) = FormOverride::of("POST", &headers)? else {
            return Ok(());
        };
        pieces.iter().try_for_each(|piece| form.push(piece))?;
        form.finish()
    };
    let whole = watch(&[body]);
    for at in 0..=body.len().min(400) {
        let (first, second) = body.split_at(at);
        assert_eq!(watch(&[first, second]), whole, "split at {at}");
    }
    whole.is_ok()
}

#[test]
fn a_form_may_not_ask_for_another_method() {
    for body in [
        "_method=DELETE",
        "a=1&_method=DELETE",
        "a=1&_method=DELETE&b=2",
        "a=1;_method=DELETE",
        "%5Fmethod=put",
        "a&_Method=put",
        "++_method=put",
        "_method",
        "_method=POST%20x",
    ] {
        assert!(!form(Some(PAIRS), body.as_bytes()), "{body}");
        assert!(!form(None, body.as_bytes()), "{body}");
        assert!(!form(
            Some("APPLICATION/X-www-form-urlencoded;charset=UTF-8"),
            body.as_bytes()
        ));
        assert!(form(Some("text/plain"), body.as_bytes()), "{body}");
    }
    for body in [
        "",
        "a=1",
        "method=DELETE",
        "a=_method=DELETE",
        "_method=post",
        "{\"_method\":1}",
    ] {
        assert!(form(Some(PAIRS), body.as_bytes()), "{body}");
    }
}

#[test]
fn parts_of_a_form_may_not_be_called_like_an_override() {
    let part = |disposition: &str| {
        format!("--x\r\nContent-Disposition: form-data; {disposition}\r\n\r\nDELETE\r\n--x--\r\n")
    };
    for disposition in [
        "name=\"_method\"",
        "name=_method",
        "name = \"_METHOD\"",
        "name=\"_method[]\"",
        "name*=utf-8''%5Fmethod",
        "filename=\"a\"; name=\"_method\"",
        "\r\n name=\"_method\"",
        "\r\n\tname='_method'",
        "name*0=\"_met\"; name*1=\"hod\"",
        "name*0*=utf-8''%5Fmet; name*1 = hod",
        "name*1=hod; name*0=_met",
    ] {
        assert!(
            !form(Some(PARTS), part(disposition).as_bytes()),
            "{disposition}"
        );
    }
    for disposition in [
        "name=\"method\"",
        "name=\"a\"; filename=\"_method\"",
        "name=\"a\"",
        "name=\"a*0\"; filename*0=\"b\"; filename*1=\"c\"",
        "name=\"name*0\"",
    ] {
        assert!(
            form(Some(PARTS), part(disposition).as_bytes()),
            "{disposition}"
        );
    }
    let page = "--x\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n<input name=\"_method\">\r\n--x--";
    assert!(form(Some(PARTS), page.as_bytes()));
}

#[test]
fn a_type_ends_where_the_most_lenient_framework_ends_it() {
    for content_type in [
        "application/x-www-form-urlencoded, x",
        "application/x-www-form-urlencoded,x",
        "application/x-www-form-urlencoded x",
        "application/x-www-form-urlencoded\tx",
        " application/x-www-form-urlencoded x; y",
        " application/x-www-form-urlencoded ",
        ", text/plain",
    ] {
        assert!(
            !form(Some(content_type), b"_method=DELETE"),
            "{content_type}"
        );
        assert!(form(Some(content_type), b"a=1"), "{content_type}");
    }
    let part = "--b\r\nContent-Disposition: form-data; name=\"_method\"\r\n\r\nDELETE\r\n--b--\r\n";
    for content_type in [
        "multipart/form-data, x; boundary=b",
        "multipart/form-data x; boundary=b",
    ] {
        assert!(!form(Some(content_type), part.as_bytes()), "{content_type}");
    }
    let hidden = "application/x-www-form-urlencoded, charset=utf-16";
    assert!(!form(Some(hidden), b"a=1"));
}

#[test]
fn a_posted_object_may_not_have_a_member_like_an_override() {
    for content_type in [
        "application/json",
        "application/json; charset=utf-8",
        "APPLICATION/JSON, x",
        "application/vnd.api+json",
        "text/plain; a=/json",
    ] {
        for body in [
            r#"{"_method":"DELETE"}"#,
            r#" {"a":{"b":["}"]},"c":"\\","_method" : 1}"#,
            r#"{"\u005fme\u0074hod":"DELETE"}"#,
            r#"{"\_method":"DELETE"}"#,
            r#"{"a":"\"","_METHOD":"DELETE"}"#,
            "\u{feff}{\"_method\":\"DELETE\"}",
        ] {
            assert!(!form(Some(content_type), body.as_bytes()), "{body}");
            assert!(form(Some("text/plain"), body.as_bytes()), "{body}");
        }
        for body in [
            "",
            "{}",
            r#"{"a":"_method","b":{"_method":"DELETE"},"c":[{"_method":1}]}"#,
            r#"{"a":"\",\"_method\":1","method":1,"__method":2}"#,
            r#"[{"_method":"DELETE"}]"#,
            r#""_method""#,
        ] {
            assert!(form(Some(content_type), body.as_bytes()), "{body}");
        }
    }
    let long = format!(
        r#"{{"{}":1,"_method":2}}"#,
        "_".repeat(2 * FORM_NAME_BYTES_MAX)
    );
    assert!(!form(Some("application/json"), long.as_bytes()));
    for wide in ["utf-16", "UTF-16LE", "\"utf-32\""] {
        let content_type = format!("application/json; charset={wide}");
        assert!(!form(Some(&content_type), b"{}"), "{wide}");
    }
    let latin = "application/json; charset=iso-8859-1";
    assert!(form(Some(latin), b"{\"a\":\"\xe9\"}"));
    let images = "multipart/related; type=\"application/dicom+json\"; boundary=b";
    assert!(form(Some(images), b"--b\r\n\r\n{}\r\n--b--\r\n"));
    let twice = "application/x-www-form-urlencoded; a=+json";
    assert!(!form(Some(twice), b"a=1"), "read as either");
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

/// The answer to JSON that is posted in codings, which has to be the same at every split.
fn coded(codings: &[&'static str], body: &[u8]) -> bool {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    for coding in codings {
        headers.append("content-encoding", HeaderValue::from_static(coding));
    }
    let watch = |pieces: &[&[u8]]| {
        let mut form = FormOverride::of("POST", &headers)?.unwrap();
        pieces.iter().try_for_each(|piece| form.push(piece))?;
        form.finish()
    };
    let whole = watch(&[body]);
    for at in 0..=body.len().min(400) {
        let (first, second) = body.split_at(at);
        assert_eq!(watch(&[first, second]), whole, "split at {at}");
    }
    whole.is_ok()
}

#[test]
fn an_object_in_a_coding_is_decoded() {
    let asking = br#"{"a":{"b":1},"_method":"DELETE"}"#;
    let plain = br#"{"a":{"_method":"DELETE"},"b":"_method"}"#;
    for codings in [
        &["gzip"][..],
        &["X-GZIP"],
        &["identity, gzip"],
        &["identity", "gzip"],
    ] {
        assert!(!coded(codings, &gzip(asking)), "{codings:?}");
        assert!(coded(codings, &gzip(plain)), "{codings:?}");
    }
    let twice = |text: &[u8]| gzip(&gzip(text));
    assert!(!coded(&["gzip, gzip"], &twice(asking)));
    assert!(coded(&["gzip, gzip"], &twice(plain)));
    let members = [gzip(br#"{"a":1,"_met"#), gzip(br#"hod":"DELETE"}"#)].concat();
    assert!(!coded(&["gzip"], &members), "in two members");
    assert!(coded(&["gzip"], b""), "there is nothing");
}

#[test]
fn an_object_in_a_coding_that_cannot_be_taken_off_is_refused() {
    let sound = gzip(br#"{"a":1}"#);
    assert!(coded(&["gzip"], &sound));
    assert!(!coded(&["gzip"], &sound[..sound.len() - 1]), "it is cut");
    assert!(!coded(&["gzip"], br#"{"a":1}"#), "it is none");
    assert!(!coded(&["compress"], &sound), "it is not known");
    assert!(!coded(&["gzip, gzip, gzip"], &sound), "there are too many");
    assert!(!coded(&["identity"], br#"{"_method":"DELETE"}"#));
    let vast = gzip(&b" ".repeat(64 << 20));
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("text/json"));
    headers.insert("content-encoding", HeaderValue::from_static("gzip"));
    let mut form = FormOverride::of("POST", &headers).unwrap().unwrap();
    assert!(form.push(&vast).is_err(), "it expands too far");
}

#[test]
fn a_form_that_hides_what_it_says_is_refused() {
    for content_type in [
        "application/x-www-form-urlencoded; charset=utf-16",
        "application/x-www-form-urlencoded; charset=ibm037",
        "multipart/form-data; boundary=x; charset=utf-7",
    ] {
        assert!(!form(Some(content_type), b"a=1"), "{content_type}");
    }
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static(PAIRS));
    headers.insert("content-encoding", HeaderValue::from_static("gzip"));
    assert!(FormOverride::of("POST", &headers).is_err());
    assert!(FormOverride::of("PUT", &headers).is_ok_and(|form| form.is_none()));
    headers.insert("content-encoding", HeaderValue::from_static("identity"));
    assert!(FormOverride::of("POST", &headers).is_ok());
    headers.append("content-type", HeaderValue::from_static("text/plain"));
    assert!(FormOverride::of("POST", &headers).is_err());
}

#[test]
fn what_is_past_the_bounds_cannot_be_an_override_unseen() {
    let long = |length: usize| format!("{}=1&_method=POST", "a".repeat(length));
    assert!(form(Some(PAIRS), long(FORM_NAME_BYTES_MAX).as_bytes()));
    assert!(form(Some(PAIRS), long(FORM_NAME_BYTES_MAX + 1).as_bytes()));
    for blank in ["+", "%20", " ", "%09"] {
        let blanks = blank.repeat(FORM_NAME_BYTES_MAX);
        assert!(!form(
            Some(PAIRS),
            format!("{blanks}_method=PUT").as_bytes()
        ));
    }
    let padded = |length: usize| {
        let padding = "x".repeat(length);
        format!("--x\r\nContent-Disposition: form-data; a={padding}; name=\"_method\"\r\n\r\n")
    };
    assert!(!form(Some(PARTS), padded(16).as_bytes()));
    assert!(!form(Some(PARTS), padded(9000).as_bytes()));
    let binary = vec![b'y'; 9000];
    assert!(form(Some(PARTS), &binary));
}
