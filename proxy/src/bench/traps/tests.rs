//! What is made of the documents, as a verdict.

use http::{HeaderValue, StatusCode};
use serde_json::Value;

use super::*;

fn trap(name: &str) -> &'static Trap {
    TRAPS.iter().find(|trap| trap.name == name).unwrap()
}

fn judged(name: &str, body: &str) -> Verdict {
    let body = Bytes::copy_from_slice(body.as_bytes());
    verdict(trap(name), &Ok(HeaderMap::new()), &body)
}

/// The body of an answer that is sent whole.
fn sent(name: &str) -> Bytes {
    let (_, pieces) = pieces_by_name().find(|(named, _)| *named == name).unwrap();
    let [whole] = &pieces[..] else {
        panic!("{name} is sent in {} pieces", pieces.len())
    };
    let head = whole.windows(4).position(|bytes| bytes == b"\r\n\r\n");
    whole.slice(head.unwrap() + 4..)
}

#[test]
fn what_has_to_leave_is_json_without_anything_hidden_and_with_all_that_is_kept() {
    for trap in &TRAPS {
        let Some(redacted) = trap.redacted() else {
            assert_eq!(trap.name, "cut-off");
            continue;
        };
        assert!(redacted.contains("[redacted]"), "{}", trap.name);
        assert!(!redacted.contains(HIDDEN), "{}", trap.name);
        assert!(!redacted.contains(['«', '»', '@']), "{}", trap.name);
        for kept in trap.kept {
            assert!(redacted.contains(kept), "{}: {kept}", trap.name);
        }
        // What a tree cannot hold is not this test's business.
        let read: Result<Value, _> = serde_json::from_str(&redacted);
        assert!(read.is_ok() || trap.name == "exponents", "{}", trap.name);
        assert_eq!(judged(trap.name, &redacted), Verdict::Exact);
    }
}

#[test]
fn the_application_sends_the_hidden_values() {
    for name in ["plain", "members-twice", "nested", "cut-off"] {
        let body = sent(name);
        let text = std::str::from_utf8(&body).unwrap();
        assert!(text.contains(HIDDEN) && !text.contains('«'), "{name}");
        assert!(matches!(judged(name, text), Verdict::Leaks(_)), "{name}");
    }
}

#[test]
fn a_packed_answer_leaks_what_is_in_it() {
    let leak = verdict(trap("gzip"), &Ok(HeaderMap::new()), &sent("gzip"));
    assert_eq!(leak, Verdict::Leaks("hidden-l".to_owned()));
    let part = sent("gzip").slice(..70);
    let leak = verdict(trap("gzip"), &Ok(HeaderMap::new()), &part);
    assert_eq!(leak, Verdict::Leaks("hidden-l".to_owned()), "cut off");
}

#[test]
fn a_packed_answer_is_judged_by_what_is_in_it() {
    use std::io::Write as _;
    let redacted = trap("gzip").redacted().unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    packed.write_all(redacted.as_bytes()).unwrap();
    let mut fields = HeaderMap::new();
    fields.insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    let body = Bytes::from(packed.finish().unwrap());
    assert_eq!(verdict(trap("gzip"), &Ok(fields), &body), Verdict::Exact);
}

#[test]
fn a_document_that_is_written_in_another_way_may_lose_nothing() {
    let exact = trap("large-integers").redacted().unwrap();
    let spaced = exact.replace(':', ": ");
    assert_eq!(judged("large-integers", &spaced), Verdict::Rewritten);
    let rounded = exact.replace("9007199254740993", "9007199254740992");
    let lost = judged("large-integers", &rounded);
    assert_eq!(lost, Verdict::Loses("9007199254740993"));
    assert_eq!(lost.to_string(), "loses 9007199254740993");
}

#[test]
fn a_refusal_is_one_but_not_when_something_hidden_came_before_it() {
    let refused = || Err(AskError::Status(StatusCode::BAD_GATEWAY));
    let verdict = |body: &'static str| verdict(trap("cut-off"), &refused(), &Bytes::from(body));
    assert_eq!(verdict("no"), Verdict::Refuses("502".to_owned()));
    let leak = Verdict::Leaks("hidden-m".to_owned());
    assert_eq!(verdict("{\"email\":\"hidden-m@exa"), leak);
    assert_eq!(judged("cut-off", "{}"), Verdict::Completes);
}
