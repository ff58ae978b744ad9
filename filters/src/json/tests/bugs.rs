//! Mistakes that engines like this one have made: each stays a test.

use super::*;

#[test]
fn a_name_that_ends_after_an_escaped_quote_is_found() {
    check(&[
        (
            &[("$['it\"em']", "remove")],
            r#"{"a":1,"it\"em":2,"it":3}"#,
            r#"{"a":1,"it":3}"#,
        ),
        (
            &[("$['em\"']", "remove")],
            r#"{"em\"":2,"em":3}"#,
            r#"{"em":3}"#,
        ),
        (
            &[("$['\\\\']", "remove")],
            r#"{"\\":2,"\\\\":3}"#,
            r#"{"\\\\":3}"#,
        ),
    ]);
}

#[test]
fn a_second_removal_after_a_leading_comma_was_cut_leaves_no_trace() {
    check(&[
        (
            &[("$['a','b']", "remove")],
            r#"{"a":1,"b":2,"c":3,"d":4}"#,
            r#"{"c":3,"d":4}"#,
        ),
        (
            &[("$['a','b','d']", "remove")],
            r#"{"a":1 ,"b":2, "c":3 , "d":4}"#,
            r#"{ "c":3 }"#,
        ),
        (&[("$[0,1,3]", "remove")], "[[],{},2,\"x\"]", "[2]"),
    ]);
}

#[test]
fn a_comma_far_from_its_value_is_the_one_that_goes() {
    check(&[
        (&[("$[0]", "remove")], "[\"a,b\"  ,\n \"c\"]", "[\n \"c\"]"),
        (
            &[("$[1]", "remove")],
            "[\"a\"  ,\n \"b\\\",\" ]",
            "[\"a\"   ]",
        ),
    ]);
}

const MALFORMED: &[&str] = &[
    "",
    " ",
    "[1,2,]",
    "[tru]",
    "[012]",
    "{\"a\" 1}",
    "[\"\t\"]",
    "[\"\\q\"]",
    "[1}",
    "[1",
    "1,2",
    "[1]]",
    "{}{}",
    "[1 2]",
    "{\"a\":1,}",
    "{,}",
    "[,1]",
    "{\"a\"}",
    "{1:2}",
    "[-]",
    "[1.]",
    "[.5]",
    "[1e]",
    "[1e+]",
    "[+1]",
    "[--1]",
    "nul",
    "nulll",
    "[\"\\u12\"]",
    "[\"\\ud800\"]",
    "[\"\\udc00\"]",
    "[\"\\ud800\\u0041\"]",
    "[\"\\ud800x\"]",
    "{\"\\ud800\":1}",
    "\u{feff}1",
    "\"",
    "{\"a",
    "[\"\\",
    "}",
    "]",
    ":",
    ",",
    "{\"a\":}",
    "{\"a\":1 \"b\":2}",
    "[1:2]",
    "{[]:1}",
    "\u{c}1",
    "[1,,2]",
    "{\"a\":1,,\"b\":2}",
    "NaN",
    "[Infinity]",
    "'a'",
    "/**/1",
];

#[test]
fn malformed_text_is_refused_wherever_it_is_and_nothing_panics() {
    let setup = Setup::new(&[
        ("$..ssn", "redact"),
        ("$[?@.a]", "remove"),
        ("$[-1]", "remove"),
    ]);
    let plan = setup.plan();
    for text in MALFORMED {
        assert!(every_way(&plan, text.as_bytes()).is_err(), "{text}");
    }
}

#[test]
fn a_whole_string_block_after_a_cut_character_is_not_refused() {
    let text = format!("[\"{}é{}\"]", "a".repeat(13), "b".repeat(64));
    check(&[(&[("$.x", "remove")], &text, &text)]);
}

#[test]
fn invalid_utf_8_is_refused_in_names_and_values() {
    let plan = Setup::new(&[("$.a", "redact")]).plan();
    for bad in [
        &b"\xff"[..],
        b"\xc0\xaf",
        b"\xe0\x80\x80",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\xf8\x88\x80\x80\x80",
        b"\x80",
        b"\xc3",
        b"\xe2\x82",
        b"\xf0\x9f\x98",
        b"\xc3\xc3\xa9",
    ] {
        for frame in [
            [&b"{\"a\":\""[..], b"\"}"],
            [b"{\"", b"\":1}"],
            [b"[\"\xc3\xa9", b"\xc3\xa9\"]"],
        ] {
            let text = [frame[0], bad, frame[1]].concat();
            let outcome = every_way(&plan, &text);
            assert!(
                matches!(outcome, Err(BodyError::Malformed { .. })),
                "{text:x?}"
            );
        }
    }
}

#[test]
fn the_failing_call_releases_nothing_and_nothing_hidden_has_left_before() {
    let plan = Setup::new(&[("$..ssn", "remove")]).plan();
    let text = br#"{"a":1,"ssn":"078-05-1120","b":[{"ssn":"078-05-1120"}],"c":tru}"#;
    for size in 1..text.len() {
        let (out, outcome) = run_chunks(&plan, text.chunks(size));
        assert!(outcome.is_err());
        let out = String::from_utf8(out).unwrap();
        assert!(!out.contains("ssn") && !out.contains("078"), "{out}");
        assert!(r#"{"a":1,"b":[{}],"c":tru"#.starts_with(&out), "{out}");
    }
}
