//! Written cases of each action on each type of value: `tests/cases/actions/*.toml`. A case is data;
//! adding one needs no Rust.
//!
//! ```toml
//! [[case]]
//! name = "what it shows"
//! action = "{ mask: { keep_last: 4 } }"          # as a policy writes it
//! values = [['"12345678"', '"•••5678"']]         # what comes, what leaves; nothing: it is removed
//! ```
//!
//! Each value goes through a policy, its plan and the engine, whole and byte by byte.

use std::fs;
use std::path::Path;

use bytes::Bytes;
use http::HeaderMap;
use postern_config::{Policy, Revision};
use postern_filters::{
    BodyPipeline, CompiledPolicy, EngineLimits, Identity, PseudonymKeys, RequestFacts, Verdict,
};
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    action: String,
    values: Vec<(String, String)>,
}

/// The policy in which a role sees the member `v` by this action.
fn policy(action: &str) -> CompiledPolicy {
    let text = format!(
        "policy: v1\nname: actions\n\
         identity: {{ from: header, subject: X-Subject, roles: X-Roles, trusted: [unix], without_a_role: deny }}\n\
         labels: {{ it: A value, other: Another }}\n\
         routes:\n\
         \x20 case: {{ match: [\"GET /cases/{{case_id}}\", \"GET /old/{{x}}/of/{{case_id}}\"], label: {{ $.v: it, $.other: other }} }}\n\
         \x20 rest: {{ match: \"ANY /{{path...}}\", deny: true }}\n\
         roles: {{ agent: {{ sees: {{ it: {action}, other: remove }} }} }}\n"
    );
    let policy =
        Policy::parse("policy.yaml", &text).unwrap_or_else(|e| panic!("{}", e.render(false)));
    let limits = EngineLimits {
        json_depth: 16,
        held_bytes: 1 << 16,
        expand_ratio: 100,
    };
    let keys = PseudonymKeys::for_offline_use();
    CompiledPolicy::compile(policy, Revision::of_closure(&[]), limits, keys).unwrap()
}

fn pipeline(policy: &CompiledPolicy, path: &str) -> BodyPipeline {
    let reader = Identity {
        issuer: "offline".to_owned(),
        subject: "reader".to_owned(),
        tenant: Some("desk".to_owned()),
        groups: vec!["agent".to_owned()],
    };
    let verdict = policy.decide(&RequestFacts {
        method: "GET",
        path,
        query: None,
        headers: &HeaderMap::new(),
        upgrade: false,
        has_body: false,
        identity: &reader,
    });
    match verdict {
        Verdict::Allow(plan) => plan.json_pipeline(),
        Verdict::Deny(reason) => panic!("{reason:?}"),
    }
}

fn run(policy: &CompiledPolicy, document: &str, piece_bytes: usize) -> String {
    let mut pipeline = pipeline(policy, "/cases/1001");
    let mut out = Vec::new();
    for piece in document.as_bytes().chunks(piece_bytes) {
        let piece = Bytes::copy_from_slice(piece);
        out.extend(pipeline.push(piece).unwrap().into_bytes());
    }
    out.extend(pipeline.finish().unwrap().into_bytes());
    String::from_utf8(out).unwrap()
}

#[test]
fn the_case_of_a_token_is_the_parameter_of_the_line_that_matched() {
    let policy = policy("{ pseudonym: { scope: case } }");
    let token = |path: &str| {
        let document = r#"{"v":"jane"}"#;
        let mut pipeline = pipeline(&policy, path);
        let mut out = pipeline
            .push(Bytes::from_static(document.as_bytes()))
            .unwrap()
            .into_bytes()
            .to_vec();
        out.extend(pipeline.finish().unwrap().into_bytes());
        String::from_utf8(out).unwrap()
    };
    let one = token("/cases/1001");
    assert!(one.contains("~test."), "{one}");
    assert_eq!(token("/old/archive/of/1001"), one);
    assert_eq!(token("/cases/%31001"), one);
    assert_ne!(token("/old/1001/of/archive"), one);
    assert_ne!(token("/cases/1002"), one);
}

#[test]
fn every_action_does_to_every_type_what_is_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/actions");
    let mut wrong = Vec::new();
    let mut checked = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file: File = toml::from_str(&fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for case in &file.case {
            let policy = policy(&case.action);
            for (value, expected) in &case.values {
                let document = format!(r#"{{"a":0,"v":{value},"z":1}}"#);
                let expected = match expected.is_empty() {
                    true => r#"{"a":0,"z":1}"#.to_owned(),
                    false => format!(r#"{{"a":0,"v":{expected},"z":1}}"#),
                };
                for piece_bytes in [document.len(), 1] {
                    let got = run(&policy, &document, piece_bytes);
                    if got != expected {
                        wrong.push(format!("{}: {document}: {got}, not {expected}", case.name));
                    }
                }
                checked += 1;
            }
        }
    }
    println!("{checked} written values");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked > 100, "only {checked}");
}
