//! Tokens in every kind of text, split everywhere.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::*;

const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0.9JrdRHh2DWYl-_fAgT6vz";
const GITHUB: &str = "ghp_16C7e42F292c6912E7710c838347Ae178B4a";

fn strip(_found: FoundToken<'_>) -> Instead {
    Instead::Strip
}

fn swept(chunks: &[&[u8]]) -> String {
    let mut sweep = ShapeSweep::new(strip);
    let mut out = Vec::new();
    for chunk in chunks {
        sweep.push(chunk, &mut out).expect("not spent");
    }
    sweep.finish(&mut out).expect("not spent");
    String::from_utf8(out).expect("text")
}

fn whole(text: &str) -> String {
    swept(&[text.as_bytes()])
}

#[test]
fn tokens_are_found_in_any_text() {
    let saml = STANDARD.encode("<samlp:Response xmlns:samlp=\"urn:oasis:names:tc:SAML:2.0\">>?>?");
    for token in [JWT, GITHUB, &saml] {
        let texts = [
            "TOKEN",
            "{\"a\":\"TOKEN\"}",
            "var t='TOKEN';",
            "see TOKEN, please",
            "a\nTOKEN\n",
            "<!--TOKEN-->",
            "{\"a\":\"next=%2Fx%3Ftoken%3DTOKEN\"}",
            "{\"a\":\"{\\u0022b\\u0022:\\u0022TOKEN\\u0022}\"}",
            "{\"a\":\"the token:\\nTOKEN\\n\"}",
            "var t = '\\x22TOKEN\\x22';",
        ];
        for text in texts {
            let left = whole(&text.replace("TOKEN", token));
            assert_eq!(left, text.replace("TOKEN", "***"));
        }
    }
    assert_eq!(whole(&format!("It is {JWT}. Yes.")), "It is ***. Yes.");
    assert_eq!(whole(&format!("{JWT} {GITHUB}")), "*** ***");
}

#[test]
fn what_only_resembles_one_stays() {
    for text in [
        "eyJ",
        "eyJhbGciOiJIUzI1NiJ9",
        "heyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0.x",
        "ghp_short and sk-inny",
        "github_pat_",
        "data:image/svg+xml;base64,PD94bWwgdmVyc2lvbj0iMS4wIj8+PHN2ZyB4bWxucz0iaHR0cDovL3d3dy53My5vcmcvMjAwMC9zdmciLz4=",
    ] {
        assert_eq!(whole(text), text);
        assert_eq!(without_shapes(text.as_bytes(), &mut strip), None);
    }
}

#[test]
fn only_what_may_begin_a_token_waits_for_more() {
    for (text, held) in [
        ("data: {\"n\":1}\n\n", ""),
        ("a 10-byte end that is not", ""),
        ("a word and g", "g"),
        ("a word and github_pat", "github_pat"),
        ("\"ey", "ey"),
        ("\"eyJh", "eyJh"),
    ] {
        let mut sweep = ShapeSweep::new(strip);
        let mut out = Vec::new();
        sweep.push(text.as_bytes(), &mut out).expect("not spent");
        assert_eq!(out, text.strip_suffix(held).unwrap().as_bytes(), "{text}");
        sweep.finish(&mut out).expect("not spent");
        assert_eq!(out, text.as_bytes());
    }
}

#[test]
fn splitting_does_not_matter() {
    let text = format!("a {JWT}.. x-{GITHUB}; eyJa.eyJb.c-eyJ {JWT}");
    let expected = whole(&text);
    assert_eq!(expected, "a ***.. x-***; eyJa.eyJb.c-eyJ ***");
    for split in 0..=text.len() {
        let (first, second) = text.as_bytes().split_at(split);
        assert_eq!(swept(&[first, second]), expected);
    }
    let bytes: Vec<&[u8]> = text.as_bytes().chunks(1).collect();
    assert_eq!(swept(&bytes), expected);
    assert_eq!(
        without_shapes(text.as_bytes(), &mut strip),
        Some(expected.into())
    );
}

#[test]
fn a_token_that_is_too_long_is_removed_unseen() {
    let fits = format!("{JWT}{}", "x".repeat(SHAPED_BYTES_MAX - JWT.len()));
    assert_eq!(whole(&format!("a {fits} b")), "a *** b");
    let long = format!("a {fits}{} b {JWT} c", "y".repeat(40_000));
    for size in [7, 1000, 100_000] {
        let mut sweep = ShapeSweep::new(|found: FoundToken<'_>| {
            assert_eq!(found.value, JWT.as_bytes());
            Instead::Text("pnp".to_owned())
        });
        let mut out = Vec::new();
        for chunk in long.as_bytes().chunks(size) {
            sweep.push(chunk, &mut out).expect("not spent");
            assert!(sweep.held.len() <= SHAPED_BYTES_MAX + BEGINNING_HELD);
        }
        sweep.finish(&mut out).expect("not spent");
        assert_eq!(out, b"a *** b pnp c");
        assert_eq!(sweep.found(), 2);
    }
}

#[test]
fn many_beginnings_in_one_run_end_somewhere() {
    let text = "eyJ-".repeat(4000);
    assert_eq!(whole(&text), text);
    let mixed = format!("{} {JWT}", "eyJ-".repeat(40));
    assert_eq!(whole(&mixed), format!("{} ***", "eyJ-".repeat(40)));
}

#[test]
fn what_is_kept_stays_byte_for_byte() {
    let text = format!("a {JWT} b");
    assert_eq!(
        without_shapes(text.as_bytes(), &mut |_| Instead::Keep),
        None
    );
    let mut sweep = ShapeSweep::new(strip);
    let mut out = Vec::new();
    sweep.finish(&mut out).expect("not spent");
    assert_eq!(sweep.push(b"x", &mut out), Err(BodyError::Spent));
    assert_eq!(sweep.finish(&mut out), Err(BodyError::Spent));
}
