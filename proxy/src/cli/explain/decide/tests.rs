//! The explanation against the engine: on every value of a demo case, for every role, they agree.

use bytes::Bytes;
use postern_config::{Policy, Revision};
use postern_filters::{CompiledPolicy, EngineLimits, Identity, PseudonymKeys};
use serde_json::Value;

use super::super::reach::{Place, reach};
use super::*;
use crate::demo;

const LIMITS: EngineLimits = EngineLimits {
    json_depth: 128,
    held_bytes: 1 << 20,
    expand_ratio: 100,
};

/// Every leaf of a document: its place as a selector, and its JSON pointer.
fn leaves(document: &Value) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![("$".to_owned(), String::new(), document)];
    while let Some((place, pointer, value)) = open.pop() {
        match value {
            Value::Object(members) => {
                for (name, child) in members {
                    open.push((
                        format!("{place}['{name}']"),
                        format!("{pointer}/{name}"),
                        child,
                    ));
                }
            }
            Value::Array(elements) => {
                for (at, child) in elements.iter().enumerate() {
                    open.push((format!("{place}[{at}]"), format!("{pointer}/{at}"), child));
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                found.push((place, pointer));
            }
        }
    }
    found
}

fn redacted(policy: &CompiledPolicy, role: &str, document: &Value) -> Value {
    let identity = Identity {
        subject: "somebody".to_owned(),
        groups: vec![role.to_owned()],
        ..Identity::default()
    };
    let mut pipeline = policy.plan("case.read", &identity).unwrap().json_pipeline();
    let body = Bytes::from(document.to_string());
    let mut out = pipeline.push(body).unwrap().into_bytes().to_vec();
    out.extend_from_slice(&pipeline.finish().unwrap().into_bytes());
    serde_json::from_slice(&out).unwrap()
}

/// Compares both on every leaf whose pointer counts, and says how many there were.
fn agree(text: &str, counts: fn(&str) -> bool) -> usize {
    let policy = Policy::parse("policy", text).unwrap();
    let compiled = CompiledPolicy::compile(
        policy.clone(),
        Revision::of_closure(&[]),
        LIMITS,
        PseudonymKeys::for_offline_use(),
    )
    .unwrap();
    let route = policy
        .routes
        .iter()
        .find(|route| route.name == "case.read")
        .unwrap();
    let mut compared = 0;
    for document in demo::cases::all().iter().take(40) {
        for (name, role) in &policy.roles {
            let seen = redacted(&compiled, name, document);
            let leaves = leaves(document).into_iter();
            for (place, pointer) in leaves.filter(|(_, pointer)| counts(pointer)) {
                let place = Place::parse(&place).unwrap();
                let rules = route.rules.iter();
                let reaches: Vec<_> = rules
                    .map(|rule| (rule, reach(&rule.selector, &place, route.names)))
                    .collect();
                let decision = decide(&policy, route, &place, &reaches, &[role]);
                let (was, is) = (document.pointer(&pointer), seen.pointer(&pointer));
                let shown = decision.action == "show";
                assert_eq!(was == is, shown, "{name} {} {decision:?}", place.text());
                if decision.action == "remove" {
                    assert_eq!(is, None, "{name} {} {decision:?}", place.text());
                }
                compared += 1;
            }
        }
    }
    compared
}

#[test]
fn the_explanation_agrees_with_the_engine_on_every_value_of_the_demo() {
    assert!(agree(demo::POLICY, |_| true) > 4_000);
}

#[test]
fn the_explanation_agrees_with_the_engine_on_an_allow_list() {
    let text = demo::POLICY.replace("unlabelled: show", "unlabelled: remove");
    // Elements of an array that disappear shift the ones behind them.
    let outside_arrays = |pointer: &str| !pointer.contains(|c: char| c.is_ascii_digit());
    assert!(agree(&text, outside_arrays) > 2_000);
}
