//! Bodies as clients write them, and those that two readers would divide differently.

use super::*;

const BOUNDARY: &[u8] = b"--b0";

fn divided(body: &str) -> Result<Vec<Part>, RequestBodyError> {
    parts(body.as_bytes(), BOUNDARY, true)
}

fn why(body: &str) -> &'static str {
    match divided(body) {
        Err(RequestBodyError::Parts { what }) => what,
        other => panic!("{body:?}: {other:?}"),
    }
}

fn content<'b>(body: &'b str, part: &Part) -> &'b str {
    body.get(part.content.clone()).expect("inside of the body")
}

const NAMED: &str = "Content-Disposition: form-data; name=\"a\"";

#[test]
fn contents_are_where_they_are_said_to_be() {
    let body = format!(
        "--b0\r\n{NAMED}\r\n\r\none\r\n--b0\r\n{NAMED}; filename=\"\"\r\ncontent-type: text/x\r\n\r\n\r\n--b0--\r\n"
    );
    for before in ["", "\r\n"] {
        let body = format!("{before}{body}");
        let parts = divided(&body).expect("one reading");
        let read: Vec<_> = parts
            .iter()
            .map(|part| (content(&body, part), part.kind()))
            .collect();
        let expected = [
            ("one", Ok(Kind::Message(Place::Plain))),
            ("", Ok(Kind::File)),
        ];
        assert_eq!(read, expected);
    }
    assert_eq!(divided("--b0--"), Ok(vec![]));
    let bare = "--b0\r\n\r\nx\r\ny\r\n--b0--";
    let part = &parts(bare.as_bytes(), BOUNDARY, false).expect("one reading")[0];
    assert_eq!(content(bare, part), "x\r\ny");
}

/// What is changed in a good body, and what is wrong with it then.
const CHANGES: &[(&str, &str, &str)] = &[
    (
        "--b0\r\nC",
        "preamble\r\n--b0\r\nC",
        "something before the first boundary",
    ),
    ("one", "one --b0 two", "a boundary inside of a line"),
    ("one", "one\n--b0\r\n", "a boundary inside of a line"),
    ("one", "one\r\n--b0x", "something behind a boundary"),
    ("one", "one\r\n--b0 \r\n", "something behind a boundary"),
    ("one", "one\r\n--b0-", "something behind a boundary"),
    ("--\r\n", "--\r\nepilogue", "something behind a boundary"),
    ("--\r\n", "-- \r\n", "something behind a boundary"),
    ("\r\n\r\none", "\n\none", "a part without content"),
    (
        "\r\n\r\none",
        "\r\n folded\r\n\r\none",
        "a field of a part that cannot be read",
    ),
    (
        "\r\n\r\none",
        "\r\nx\r\n\r\none",
        "a field of a part that cannot be read",
    ),
    (
        "\r\n\r\none",
        "\r\nx : y\r\n\r\none",
        "a field of a part that cannot be read",
    ),
    (
        "\r\n\r\none",
        "\r\nx: \ny\r\n\r\none",
        "a field of a part that cannot be read",
    ),
    (
        "Content-D",
        "content-disposition: form-data; name=b\r\nContent-D",
        "a field of a part that comes twice",
    ),
    (
        "Content-D",
        "content-type: a/b\r\nContent-TYPE: a/b\r\nContent-D",
        "a field of a part that comes twice",
    ),
    (
        "Content-D",
        "Content-Transfer-Encoding: base64\r\nContent-D",
        "a part with a transfer encoding",
    ),
    (
        "Content-D",
        "Content-Encoding: gzip\r\nContent-D",
        "a part with a content coding",
    ),
    (
        "name=\"a\"",
        "name=\"a",
        "a disposition that cannot be read",
    ),
    ("; name=\"a\"", "", "a part without a name"),
    (
        "Content-Disposition",
        "X-Disposition",
        "a part without a name",
    ),
];

#[test]
fn what_readers_divide_differently_is_refused() {
    let good = format!("--b0\r\n{NAMED}\r\n\r\none\r\n--b0--\r\n");
    assert!(divided(&good).is_ok());
    let cases = [
        ("", "something before the first boundary"),
        ("--b1--", "something before the first boundary"),
        ("--b0\r\n", "no last boundary"),
        ("--b0", "something behind a boundary"),
        ("--b0 \r\n", "something behind a boundary"),
        ("--b0\n", "something behind a boundary"),
        ("--b0\r\n--b0--", "a boundary inside of a line"),
        ("--b0\r\n\r\n--b0--", "a part without content"),
    ];
    for (body, what) in cases {
        assert_eq!(why(body), what, "{body:?}");
    }
    for &(from, to, what) in CHANGES {
        assert_eq!(why(&good.replacen(from, to, 1)), what, "{to:?}");
    }
    let binary = good.replacen(
        "Content-D",
        "Content-Transfer-Encoding: Binary\r\nContent-D",
        1,
    );
    assert!(divided(&binary).is_ok());
}

#[test]
fn parts_and_their_fields_are_bounded() {
    let part = format!("--b0\r\n{NAMED}\r\n\r\n1\r\n");
    let many = |count| part.repeat(count) + "--b0--";
    assert_eq!(
        divided(&many(PARTS_MAX)).map(|parts| parts.len()),
        Ok(PARTS_MAX)
    );
    assert_eq!(why(&many(PARTS_MAX + 1)), "too many parts");
    let with = |fields: usize| {
        let filler = fields - NAMED.len() - "\r\nx: \r\n".len();
        format!(
            "--b0\r\n{NAMED}\r\nx: {}\r\n\r\n1\r\n--b0--",
            "y".repeat(filler)
        )
    };
    assert!(divided(&with(PART_HEAD_BYTES_MAX)).is_ok());
    assert_eq!(
        why(&with(PART_HEAD_BYTES_MAX + 1)),
        "a part with too many fields"
    );
}

#[test]
fn a_boundary_is_one_that_mail_would_take() {
    let longest = "b".repeat(BOUNDARY_BYTES_MAX);
    for valid in [
        "x",
        "----WebKitFormBoundary7MA4YWxk",
        "=_a b'(c)+,./:?",
        &longest,
    ] {
        assert_eq!(boundary(Some(valid)), Ok(format!("--{valid}").into_bytes()));
    }
    let longer = longest + "b";
    for invalid in [
        None,
        Some(""),
        Some("a "),
        Some("a;b"),
        Some("\u{e9}"),
        Some(&longer),
    ] {
        assert!(boundary(invalid).is_err(), "{invalid:?}");
    }
}

#[test]
fn a_file_is_told_by_its_name_in_every_spelling() {
    let said =
        |text: &str| disposition(text.as_bytes()).map(|said| (said.name.is_some(), said.file));
    let cases = [
        ("form-data; name=a", (true, false)),
        ("form-data; NAME = x", (false, false)),
        ("form-data;name=\"a; filename=b\"", (true, false)),
        (
            "form-data; name=\"a\"; filename=\"C:\\x.har\"",
            (true, true),
        ),
        ("form-data; name=\"a\" ; FileName=x.har;", (true, true)),
        ("form-data; name=a; filename*=UTF-8''na%20me", (true, true)),
        ("attachment", (false, true)),
    ];
    for (text, expected) in cases {
        let expected = (!text.contains(" = ")).then_some(expected);
        assert_eq!(said(text), expected, "{text}");
    }
    for ambiguous in [
        "",
        "form data",
        "form-data; name",
        "form-data; name=\"a\\\"; filename=\"b\"",
        "form-data; name=a; name=b",
        "form-data; filename=a; FILENAME=b",
        "form-data; name*=UTF-8''a",
        "form-data; filename*0=a",
        "form-data; name=a b",
        "form-data; name=\"a\"b",
        "form-data, name=a",
    ] {
        assert_eq!(said(ambiguous), None, "{ambiguous}");
    }
}
