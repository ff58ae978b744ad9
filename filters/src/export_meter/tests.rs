//! Metered bodies through a policy: what counts under which status, what waits, and what may be cut.

use std::io::Write;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use postern_config::{Policy, Revision};

use super::*;
use crate::{BodyError, CompiledPolicy, EngineLimits, ExchangePlan, Identity, PseudonymKeys};

const POLICY: &str = r#"
policy: v1
name: desk
identity: { from: header, subject: X-Subject, roles: X-Roles, trusted: [unix], without_a_role: deny }
labels: { secret: Secrets }
routes:
  one:
    match: GET /one
    label: { $.ssn: secret }
  person:
    match: GET /person
    label: { $.ssn: secret }
    subjects: $.c.id
    unreadable: { allow: [image/png] }
  list:
    match: GET /list
    label: { $.items: secret }
    records: $.items[*]
    required: ["$.items[1].id"]
  book:
    match: GET /book
    records: $.items[*]
    subjects: $..c
  nested:
    match: GET /nested
    records: ["$.items[*]", "$.items[*].n[*]"]
    subjects: $..c
  unlabelled:
    match: GET /unlabelled
    records: $[*]
  open: { match: GET /open }
  everything_else: { match: "ANY /{path...}", deny: true }
roles:
  agent: { sees: {} }
  boss: { sees: { secret: show } }
"#;

const ALL: Counted = Counted {
    records: true,
    subjects: true,
    bytes: true,
    truncates: false,
};

fn plan(role: &str, route: &str, counted: Counted) -> ExchangePlan {
    let policy = Policy::parse("policy.yaml", POLICY).unwrap_or_else(|e| panic!("{e:?}"));
    let limits = EngineLimits {
        json_depth: 128,
        held_bytes: 64,
        expand_ratio: 100,
    };
    let keys = PseudonymKeys::for_offline_use();
    let compiled = CompiledPolicy::compile(policy, Revision::of_closure(&[]), limits, keys);
    let identity = Identity {
        groups: vec![role.to_owned()],
        ..Identity::default()
    };
    let plan = compiled.unwrap().plan(route, &identity).unwrap();
    plan.counting(counted)
}

/// An answer under a status, with the fields of a head.
fn answer(
    plan: &ExchangePlan,
    status: u16,
    fields: &[(&'static str, &'static str)],
) -> crate::ResponsePlan<MeteredBody> {
    let mut head = HeaderMap::new();
    for (name, value) in fields {
        head.insert(*name, HeaderValue::from_static(value));
    }
    let status = StatusCode::from_u16(status).unwrap();
    let key = SubjectKey::new([1; 16]);
    let answer = plan.respond_metered(&Method::GET, status, &head, key);
    answer.unwrap()
}

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

fn text(redacted: crate::Redacted) -> String {
    String::from_utf8(redacted.into_bytes().to_vec()).unwrap()
}

/// How many records and subjects are due for a body that comes in two pieces, and what leaves.
fn charge(mut body: MeteredBody, input: &[u8]) -> (u64, Vec<Who>, String) {
    let (a, b) = input.split_at(input.len() / 2);
    body.push(Bytes::copy_from_slice(a)).unwrap();
    body.push(Bytes::copy_from_slice(b)).unwrap();
    body.finish().unwrap();
    let due = body.due().clone();
    assert!(!due.incomplete);
    let who = due.subjects.iter().map(|subject| subject.who).collect();
    let left = text(body.release(Admitted::All).unwrap());
    assert!(body.due().is_empty());
    assert_eq!(body.push(Bytes::from_static(b"x")), Err(BodyError::Spent));
    (due.records, who, left)
}

#[test]
fn a_successful_answer_without_declared_records_is_one() {
    for (role, route, status, input, records, subjects) in [
        ("agent", "one", 200, "{\"ssn\":1}", 1, 0),
        ("agent", "one", 404, "{}", 0, 0),
        ("agent", "person", 200, "{\"c\":{\"id\":5}}", 1, 1),
        ("agent", "person", 201, "{\"c\":{\"id\":null}}", 1, 1),
        ("agent", "person", 500, "{\"c\":{\"id\":5}}", 0, 1),
        ("boss", "person", 200, "[]", 1, 1),
        ("agent", "list", 500, "{\"items\":[1,2]}", 2, 0),
        ("boss", "list", 200, "{\"items\":[1,{\"id\":2},3]}", 3, 0),
        ("agent", "unlabelled", 400, "[1,2,3]", 3, 0),
        ("agent", "unlabelled", 200, "{}", 0, 0),
        ("agent", "open", 200, "anything", 0, 0),
    ] {
        let answer = answer(&plan(role, route, ALL), status, JSON);
        let body = answer.body.unwrap();
        let (counted, who, _) = charge(body, input.as_bytes());
        assert_eq!(
            (counted, who.len()),
            (records, subjects),
            "{role} {route} {status}"
        );
    }
}

#[test]
fn a_body_that_is_empty_or_absent_is_no_record() {
    let plan = plan("boss", "one", ALL);
    let mut body = answer(&plan, 200, &[("content-length", "0")]).body.unwrap();
    body.finish().unwrap();
    assert!(body.due().is_empty());
    assert!(answer(&plan, 204, &[]).body.is_none());
}

#[test]
fn what_needs_no_reading_to_be_counted_passes_in_its_own_buffers() {
    let fields = [("content-type", "text/plain"), ("content-length", "3")];
    for (role, route) in [("boss", "one"), ("agent", "open")] {
        let answer = answer(&plan(role, route, ALL), 200, &fields);
        assert_eq!(answer.keep_length, Some(3));
        let mut body = answer.body.unwrap();
        assert!(!body.reads());
        let chunk = Bytes::from_static(b"abc");
        body.push(chunk.clone()).unwrap();
        assert_eq!(body.due().records, u64::from(route == "one"));
        let left = body.release(Admitted::All).unwrap().into_bytes();
        assert_eq!(left.as_ptr(), chunk.as_ptr());
    }
    let records = Counted {
        subjects: false,
        ..ALL
    };
    let unread = plan("boss", "person", records);
    assert!(!unread.reads());
    assert!(plan("boss", "person", ALL).reads());
    assert!(!plan("boss", "list", Counted::default()).redacts());
}

#[test]
fn a_coded_body_that_passes_unread_is_due_before_its_first_byte_leaves() {
    let fields = [("content-type", "text/plain"), ("content-encoding", "gzip")];
    let mut body = answer(&plan("boss", "one", ALL), 200, &fields)
        .body
        .unwrap();
    assert!(!body.reads());
    let head = b"\x1f\x8b\x08\0\0\0\0\0\0\x03";
    body.push(Bytes::new()).unwrap();
    assert!(body.due().is_empty(), "nothing has come");
    body.push(Bytes::from_static(head)).unwrap();
    assert_eq!((body.decoded_bytes(), body.due().records), (0, 1));
}

#[test]
fn what_passes_unread_is_one_record_of_somebody_unknown() {
    let answer = answer(
        &plan("agent", "person", ALL),
        200,
        &[("content-type", "image/png")],
    );
    let body = answer.body.unwrap();
    assert!(body.is_one_record() && !body.reads());
    let (records, who, left) = charge(body, b"a picture");
    assert_eq!((records, who), (1, vec![Who::Nameless]));
    assert_eq!(left, "a picture");
}

#[test]
fn nothing_leaves_while_something_may_still_be_due() {
    let mut body = answer(&plan("agent", "person", ALL), 200, JSON)
        .body
        .unwrap();
    body.push(Bytes::from_static(b"{\"a\":1,")).unwrap();
    assert!(body.due().incomplete);
    assert_eq!(text(body.release(Admitted::All).unwrap()), "");
    assert_eq!(body.due().records, 1);
    body.push(Bytes::from_static(b"\"c\":{\"id\":5}")).unwrap();
    assert!(!body.due().incomplete);
    assert_eq!(body.due().subjects.len(), 1);
    let left = text(body.release(Admitted::All).unwrap());
    assert_eq!(left, "{\"a\":1,\"c\":{\"id\":5}");
    assert!(body.due().is_empty());
    body.push(Bytes::from_static(b"}")).unwrap();
    body.finish().unwrap();
    assert_eq!(text(body.release(Admitted::All).unwrap()), "}");
}

#[test]
fn what_waits_for_a_name_is_bounded() {
    let mut body = answer(&plan("agent", "person", ALL), 200, JSON)
        .body
        .unwrap();
    let long = format!("{{\"a\":\"{}\"", "x".repeat(64));
    let limit = BodyError::Limit {
        limit: "held_bytes",
    };
    assert_eq!(body.push(Bytes::from(long)), Err(limit));
    assert!(body.due().is_empty());
    assert_eq!(body.release(Admitted::All), Err(BodyError::Spent));
}

#[test]
fn less_than_all_is_admitted_only_where_records_can_be_cut() {
    let mut body = answer(&plan("agent", "list", ALL), 200, JSON).body.unwrap();
    assert!(!body.truncates());
    body.push(Bytes::from_static(b"{\"items\":[1,")).unwrap();
    assert_eq!(body.release(Admitted::Records(0)), Err(BodyError::Spent));
    assert_eq!(body.release(Admitted::All), Err(BodyError::Spent));
    let truncates = Counted {
        truncates: true,
        ..ALL
    };
    let one = answer(&plan("agent", "person", truncates), 200, JSON);
    let one = one.body.unwrap();
    assert!(one.is_one_record() && !one.truncates());
}

#[test]
fn what_is_required_may_be_in_a_record_that_is_cut() {
    let truncates = Counted {
        truncates: true,
        ..ALL
    };
    let plan = plan("boss", "list", truncates);
    for (input, outcome) in [
        (
            "{\"items\":[{},{\"id\":1}],\"n\":2}",
            Ok("{\"items\":[],\"n\":2}"),
        ),
        ("{\"items\":[{},{}]}", Err(BodyError::RequiredMissing)),
    ] {
        let mut body = answer(&plan, 200, JSON).body.unwrap();
        assert!(body.truncates());
        body.push(Bytes::from(input)).unwrap();
        let first = body.release(Admitted::Records(0)).unwrap();
        let rest = body.finish().and_then(|()| body.release(Admitted::All));
        let left = rest.map(|rest| text(first) + &text(rest));
        assert_eq!(left.as_deref(), outcome.as_deref());
        if outcome.is_ok() {
            assert_eq!(body.cut_records(), 2);
        }
    }
}

#[test]
fn a_subject_outside_of_records_counts_after_a_cut_too() {
    let truncates = Counted {
        truncates: true,
        ..ALL
    };
    let mut body = answer(&plan("agent", "book", truncates), 200, JSON)
        .body
        .unwrap();
    body.push(Bytes::from_static(b"{\"items\":[{\"c\":1},{\"c\":2},"))
        .unwrap();
    assert_eq!(body.due().records, 2);
    assert_eq!(body.due().subjects.len(), 2);
    let first = text(body.release(Admitted::Records(1)).unwrap());
    body.push(Bytes::from_static(b"{\"c\":3}],\"by\":{\"c\":\"4"))
        .unwrap();
    assert!(body.due().incomplete);
    body.push(Bytes::from_static(b"\"},\"of\":{\"c\":1}}"))
        .unwrap();
    body.finish().unwrap();
    let outside: Vec<Option<u64>> = body.due().subjects.iter().map(|s| s.record).collect();
    assert_eq!((body.due().records, outside), (0, vec![None, None]));
    let rest = text(body.release(Admitted::All).unwrap());
    let expected = "{\"items\":[{\"c\":1}],\"by\":{\"c\":\"4\"},\"of\":{\"c\":1}}";
    assert_eq!(first + &rest, expected);
    assert_eq!(body.cut_records(), 2);
}

#[test]
fn who_is_named_outside_of_a_cut_record_too_is_charged_there() {
    let truncates = Counted {
        truncates: true,
        ..ALL
    };
    let mut body = answer(&plan("agent", "book", truncates), 200, JSON)
        .body
        .unwrap();
    let input = "{\"items\":[{\"c\":1},{\"c\":1}],\"by\":{\"c\":1},\"c\":1}";
    body.push(Bytes::from(input)).unwrap();
    let named: Vec<Option<u64>> = body.due().subjects.iter().map(|s| s.record).collect();
    assert_eq!(named, [Some(0), None]);
}

#[test]
fn who_is_named_again_after_a_release_is_due_again() {
    for truncates in [false, true] {
        let counted = Counted { truncates, ..ALL };
        let answer = answer(&plan("agent", "book", counted), 200, JSON);
        let mut body = answer.body.unwrap();
        for piece in ["{\"items\":[{\"c\":1},{\"c\":1}", ",{\"c\":1}"] {
            body.push(Bytes::from(piece)).unwrap();
            assert_eq!(body.due().subjects.len(), 1, "a window may have passed");
            body.release(Admitted::All).unwrap();
        }
    }
}

#[test]
fn a_record_that_stays_without_those_in_it_is_charged_for_somebody() {
    let truncates = Counted {
        truncates: true,
        ..ALL
    };
    let answer = answer(&plan("agent", "nested", truncates), 200, JSON);
    let mut body = answer.body.unwrap();
    let input = "{\"items\":[{\"n\":[{\"c\":1},{\"c\":2}],\"c\":2}]}";
    body.push(Bytes::from(input)).unwrap();
    let named: Vec<Option<u64>> = body.due().subjects.iter().map(|s| s.record).collect();
    assert_eq!(
        (body.due().records, named),
        (3, vec![Some(0), Some(2), Some(0)])
    );
    let left = text(body.release(Admitted::Records(1)).unwrap());
    assert_eq!(left, "{\"items\":[{\"n\":[],\"c\":2}]}");
}

#[test]
fn a_coded_body_is_counted_as_it_is_decoded() {
    let input = b"{\"items\":[{\"id\":1},{\"id\":2}]}";
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(input).unwrap();
    let coded = encoder.finish().unwrap();
    let fields = [
        ("content-type", "application/json"),
        ("content-encoding", "gzip"),
    ];
    for truncates in [false, true] {
        let counted = Counted { truncates, ..ALL };
        let body = answer(&plan("boss", "list", counted), 200, &fields)
            .body
            .unwrap();
        let (records, _, left) = charge(body, &coded);
        assert_eq!(records, 2);
        assert_eq!(left.as_bytes(), input);
    }
}

#[test]
fn a_coded_body_that_passes_unread_is_measured_as_it_is_decoded() {
    let fields = [("content-type", "text/plain"), ("content-encoding", "gzip")];
    let input = vec![b'x'; 5_000];
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&input).unwrap();
    let coded = Bytes::from(encoder.finish().unwrap());
    let open = |counted, fields| answer(&plan("agent", "open", counted), 200, fields).body;
    for (bytes, measured) in [(true, 5_000), (false, coded.len() as u64)] {
        let mut body = open(Counted { bytes, ..ALL }, &fields).unwrap();
        body.push(coded.clone()).unwrap();
        body.finish().unwrap();
        assert_eq!(body.release(Admitted::All).unwrap().into_bytes(), coded);
        assert_eq!(body.summary().bytes_out, measured);
    }
    let mut cut = open(ALL, &fields).unwrap();
    cut.push(coded.slice(..coded.len() - 1)).unwrap();
    assert_eq!(cut.finish(), Err(BodyError::Incomplete));
    let mut other = HeaderMap::new();
    other.insert("content-encoding", HeaderValue::from_static("unheard-of"));
    let (plan, key) = (plan("agent", "open", ALL), SubjectKey::new([1; 16]));
    let unknown = plan.respond_metered(&Method::GET, StatusCode::OK, &other, key);
    assert!(unknown.is_err(), "what cannot be measured does not leave");
}

#[test]
fn says_nothing_of_a_key() {
    assert_eq!(format!("{:?}", SubjectKey::new([9; 16])), "SubjectKey(..)");
}
