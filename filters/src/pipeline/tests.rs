//! A body's whole way: what leaves, what is counted, and that nothing leaves after an error.

use bytes::Bytes;
use postern_config::{Policy, Revision};

use crate::{
    BodyError, BodyPipeline, CompiledPolicy, EngineLimits, Identity, PseudonymKeys, Redacted,
};

const POLICY: &str = r#"
policy: v1
name: desk
identity: { from: header, subject: X-Subject, roles: X-Roles, trusted: [unix], without_a_role: deny }
labels: { secret: Secrets, name: Names }
routes:
  read:
    match: GET /cases
    label: { $..ssn: secret, $..name: name }
  everything_else: { match: "ANY /{path...}", deny: true }
roles:
  agent: { sees: { name: redact } }
"#;

fn pipeline() -> BodyPipeline {
    let policy = Policy::parse("policy.yaml", POLICY).unwrap();
    let limits = EngineLimits {
        json_depth: 4,
        held_bytes: 1 << 10,
        expand_ratio: 100,
    };
    let revision = Revision::of_closure(&[]);
    let keys = PseudonymKeys::default();
    let compiled = CompiledPolicy::compile(policy, revision, limits, keys).unwrap();
    let identity = Identity {
        groups: vec!["agent".to_owned()],
        ..Identity::default()
    };
    compiled.plan("read", &identity).unwrap().json_pipeline()
}

#[test]
fn counts_what_was_withheld_by_label() {
    let mut body = pipeline();
    let text = r#"[{"ssn":1,"name":"a"},{"name":"b"}]"#;
    let mut out = body.push(Bytes::from(text)).unwrap().into_bytes().to_vec();
    out.extend(body.finish().unwrap().into_bytes());
    let redacted = r#"[{"name":"[redacted]"},{"name":"[redacted]"}]"#;
    assert_eq!(String::from_utf8(out).unwrap(), redacted);
    let summary = body.summary();
    assert_eq!(summary.bytes_in, text.len() as u64);
    assert_eq!(summary.bytes_out, redacted.len() as u64);
    let counts: Vec<(&str, u64)> = summary
        .withheld
        .iter()
        .map(|(label, count)| (label.as_str(), *count))
        .collect();
    assert_eq!(counts, [("name", 2), ("secret", 1)]);
}

#[test]
fn nothing_leaves_after_an_error() {
    let mut body = pipeline();
    assert!(body.push(Bytes::from_static(b"[1,2,")).is_ok());
    assert!(body.push(Bytes::from_static(b"3,]")).is_err());
    for _ in 0..2 {
        let after = body.push(Bytes::from_static(b"4]"));
        assert_eq!(after, Err(BodyError::Spent));
    }
    assert_eq!(body.finish(), Err(BodyError::Spent));
}

#[test]
fn an_incomplete_or_absent_document_is_an_error_once_and_spent_after() {
    for text in ["", "[1", r#"{"a":"#] {
        let mut body = pipeline();
        body.push(Bytes::from(text)).unwrap();
        assert!(matches!(
            body.finish(),
            Err(BodyError::Incomplete | BodyError::Malformed { .. })
        ));
        assert_eq!(body.finish(), Err(BodyError::Spent));
    }
}

#[test]
fn the_engine_gets_its_limits() {
    let run = |text: String| {
        let mut body = pipeline();
        body.push(Bytes::from(text))?;
        body.finish()
    };
    assert!(run("[[[[1]]]]".to_owned()).is_ok());
    assert!(matches!(
        run("[[[[[1]]]]]".to_owned()),
        Err(BodyError::Limit { .. })
    ));
}

#[test]
fn shows_nothing_of_the_body_when_debugged() {
    let mut body = pipeline();
    let released = body
        .push(Bytes::from_static(br#"["912-04-7731"]"#))
        .unwrap();
    for text in [
        format!("{body:?}"),
        format!("{released:?}"),
        format!("{:?}", Redacted::default()),
    ] {
        assert!(!text.contains("912"), "{text}");
    }
}
