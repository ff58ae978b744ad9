//! One free text as a body, at every split.

use super::*;
use crate::body_filter::{BodyError, BodyFilter};
use crate::json::tests::Setup;

fn run(action: &str, input: &[u8]) -> Result<String, BodyError> {
    let rules = [("$", action)];
    let plan = Setup::new(&rules).plan();
    let over = |pieces: &[&[u8]]| {
        let mut filter = TextFilter::new(plan.clone(), 0);
        let mut out = Vec::new();
        for piece in pieces {
            filter.push(piece, &mut out)?;
        }
        filter.finish(&mut out)?;
        Ok(String::from_utf8(out).unwrap())
    };
    let whole = over(&[input]);
    for at in 0..=input.len() {
        let (a, b) = input.split_at(at);
        let split = over(&[a, b]);
        assert!(split == whole || split.is_err() && whole.is_err(), "{at}");
    }
    whole
}

#[test]
fn a_text_is_kept_searched_or_hidden_as_its_label_says() {
    let text = "Grüße 😀 an j@x.com, ok";
    for (action, expected) in [
        ("show", text),
        ("detect", "Grüße 😀 an [redacted], ok"),
        ("redact", "[redacted]"),
        ("mask", "•••"),
        ("remove", ""),
        ("\"gone\"", "gone"),
    ] {
        assert_eq!(run(action, text.as_bytes()).as_deref(), Ok(expected));
    }
}

#[test]
fn what_is_no_utf_8_is_refused_whatever_happens_to_it() {
    for action in ["show", "detect", "redact"] {
        for bytes in [&b"a\xFFb"[..], b"a\xC3", b"\xE2\x82", b"\xC0\x80"] {
            let left = run(action, bytes);
            assert!(matches!(left, Err(BodyError::Malformed { .. })), "{left:?}");
        }
    }
}
