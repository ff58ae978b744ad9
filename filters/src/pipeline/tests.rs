//! A body's whole way: what leaves, what is counted, and that nothing leaves after an error.

use std::sync::Arc;

use bytes::Bytes;
use postern_config::{Policy, Revision};

use crate::token_rules::samples::none;
use crate::{
    BodyError, BodyPipeline, CompiledPolicy, EngineLimits, FoundToken, FoundTokens, Identity,
    Instead, NamedIn, PseudonymKeys, Redacted, Secret, Secrets, TokenFilter,
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

const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0.9JrdRHh2DWYl";

/// Takes out what is a token, and `s3cr3t-v4lue` wherever it stands.
fn stripping(named_in: NamedIn) -> TokenFilter {
    let secrets = Secrets::new(&[Secret {
        value: b"s3cr3t-v4lue",
        instead: b"pnp_v",
    }]);
    let keeper = |found: FoundToken<'_>| {
        assert!(found.value != b"hidden-token");
        Instead::Text("pnp_n".to_owned())
    };
    TokenFilter::new(named_in, none(), Arc::new(secrets.unwrap()), keeper)
}

/// What leaves, however the body is split.
fn left(body: impl Fn() -> BodyPipeline, text: &str) -> (String, FoundTokens) {
    let run = |chunks: &[&[u8]]| {
        let mut body = body();
        let mut out = Vec::new();
        for chunk in chunks {
            out.extend(
                body.push(Bytes::copy_from_slice(chunk))
                    .unwrap()
                    .into_bytes(),
            );
        }
        out.extend(body.finish().unwrap().into_bytes());
        assert_eq!(body.summary().bytes_out, out.len() as u64);
        (String::from_utf8(out).unwrap(), body.found_tokens())
    };
    let whole = run(&[text.as_bytes()]);
    for split in 0..=text.len() {
        let (first, second) = text.as_bytes().split_at(split);
        assert_eq!(run(&[first, second]), whole, "split at {split}");
    }
    whole
}

#[test]
fn tokens_are_taken_out_of_what_is_redacted_by_name_by_shape_and_by_value() {
    let body = || pipeline().stripping(stripping(NamedIn::Json));
    let text = format!(
        r#"{{"name":"s3cr3t-v4lue","ssn":{{"token":"hidden-token"}},"token":"abcdef","note":"see {JWT}","file":"s3cr3t-v4lue.csv"}}"#
    );
    let (left, found) = left(body, &text);
    let expected = r#"{"name":"[redacted]","token":"pnp_n","note":"see pnp_n","file":"pnp_v.csv"}"#;
    assert_eq!(left, expected);
    let one_each = FoundTokens {
        by_name: 1,
        by_shape: 1,
        by_value: 1,
    };
    assert_eq!(found, one_each);
}

#[test]
fn tokens_are_taken_out_of_a_body_that_nothing_else_reads() {
    let page = r#"<input name=csrf value="abcdef"><!-- s3cr3t-v4lue -->"#;
    let html = || BodyPipeline::pass_through().stripping(stripping(NamedIn::Html));
    let expected = r#"<input name=csrf value="pnp_n"><!-- pnp_v -->"#;
    assert_eq!(left(html, page).0, expected);
    assert!(html().reads());
    let text = || BodyPipeline::pass_through().stripping(stripping(NamedIn::Nothing));
    assert_eq!(left(text, "token: s3cr3t-v4lue").0, "token: pnp_v");
}

#[test]
fn a_body_that_fails_does_not_let_out_what_was_held_for_its_tokens() {
    let mut body = pipeline().stripping(stripping(NamedIn::Json));
    let first = body.push(Bytes::from_static(br#"["s3cr3t-v4l"#)).unwrap();
    assert!(!first.into_bytes().ends_with(b"s3cr3t-v4l"));
    assert!(body.push(Bytes::from_static(br#"ue",]"#)).is_err());
    assert_eq!(body.finish(), Err(BodyError::Spent));
}
