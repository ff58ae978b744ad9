//! Writes judged by what their role sees: cases as data, and a property over generated documents.

mod property;

use std::path::Path;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use postern_config::{Policy, Revision};
use postern_filters::request_guard::write::Reading;
use postern_filters::{
    CompiledPolicy, DenyReason, EngineLimits, ExchangePlan, Identity, PseudonymKeys, RequestFacts,
    Resource, Verdict, WriteError, WriteGuard,
};
use serde::Deserialize;

/// Nesting that the cases may have.
const DEPTH: usize = 16;

#[derive(Deserialize)]
struct Cases {
    case: Vec<Case>,
}

#[derive(Deserialize, Debug)]
struct Case {
    claim: String,
    line: String,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    body: String,
    stored: Option<String>,
    up: Option<String>,
    reaches: Option<Vec<String>>,
    dropped: Option<String>,
    error: Option<String>,
}

/// What became of a write.
#[derive(Debug, PartialEq, Eq, Clone)]
enum Outcome {
    Up(String),
    Reaches(Vec<String>),
    Error(&'static str),
}

fn folder() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/writes")
}

fn cases(name: &str) -> Vec<Case> {
    let text = std::fs::read_to_string(folder().join(name)).unwrap();
    let cases: Cases = toml::from_str(&text).unwrap();
    cases.case
}

fn compiled(mode: &str) -> CompiledPolicy {
    let text = std::fs::read_to_string(folder().join("policy.yaml")).unwrap();
    let text = text.replace("write_back: reject", &format!("write_back: {mode}"));
    compile(&text)
}

fn compile(text: &str) -> CompiledPolicy {
    let policy = Policy::parse("policy.yaml", text)
        .unwrap_or_else(|errors| panic!("{}", errors.render(false)));
    let limits = EngineLimits {
        json_depth: DEPTH,
        held_bytes: 1 << 16,
        expand_ratio: 100,
    };
    let keys = PseudonymKeys::for_offline_use();
    CompiledPolicy::compile(policy, Revision::of_closure(&[]), limits, keys).unwrap()
}

fn decide(compiled: &CompiledPolicy, line: &str, kind: Option<&str>) -> Verdict {
    let mut headers = HeaderMap::new();
    let full = match kind {
        Some("merge") => "application/merge-patch+json",
        Some("patch") => "application/json-patch+json",
        Some("form") => "application/x-www-form-urlencoded",
        Some(_) | None => "application/json",
    };
    let (method, path) = line.split_once(' ').unwrap();
    if method != "GET" {
        headers.insert("content-type", HeaderValue::from_static(full));
    }
    compiled.decide(&RequestFacts {
        method,
        path,
        query: None,
        headers: &headers,
        upgrade: false,
        has_body: method != "GET",
        identity: &Identity {
            subject: "jane".to_owned(),
            groups: vec!["agent".to_owned()],
            ..Identity::default()
        },
    })
}

fn outcome(result: Result<Vec<u8>, WriteError>) -> Outcome {
    match result {
        Ok(up) => Outcome::Up(String::from_utf8(up).unwrap()),
        Err(WriteError::Hidden { labels }) => Outcome::Reaches(labels),
        Err(WriteError::Ambiguous(_)) => Outcome::Error("ambiguous"),
        Err(WriteError::TooLarge) => Outcome::Error("too large"),
        Err(WriteError::Conflict(_)) => Outcome::Error("conflict"),
        Err(WriteError::Stored(_)) => Outcome::Error("stored"),
    }
}

/// What is stored, read as the agent would.
fn resource(plan: &ExchangePlan, stored: &str) -> Resource {
    let mut headers = HeaderMap::new();
    headers.insert("content-type", HeaderValue::from_static("application/json"));
    let mut reading = Reading::begin(plan, StatusCode::OK, &headers).unwrap();
    reading.push(stored.as_bytes()).unwrap();
    reading.finish().unwrap()
}

/// What the agent is shown of a document.
fn shown(compiled: &CompiledPolicy, line: &str, stored: &str) -> String {
    let Verdict::Allow(plan) = decide(compiled, line, None) else {
        panic!("{line} is not allowed");
    };
    let mut pipeline = plan.json_pipeline();
    let mut shown = Vec::new();
    let pushed = pipeline.push(Bytes::copy_from_slice(stored.as_bytes()));
    shown.extend_from_slice(&pushed.unwrap().into_bytes());
    shown.extend_from_slice(&pipeline.finish().unwrap().into_bytes());
    String::from_utf8(shown).unwrap()
}

fn run(compiled: &CompiledPolicy, case: &Case) -> Outcome {
    match decide(compiled, &case.line, case.kind.as_deref()) {
        Verdict::Deny(DenyReason::WriteOfHiddenField { labels }) => Outcome::Reaches(labels),
        Verdict::Deny(reason) => panic!("{}: {reason:?}", case.claim),
        Verdict::Allow(plan) => {
            let guard = plan.write_guard().expect("a guard");
            outcome(guarded(guard, case))
        }
    }
}

fn guarded(guard: &WriteGuard, case: &Case) -> Result<Vec<u8>, WriteError> {
    match (guard.restores(), &case.stored) {
        (Some(plan), Some(stored)) => guard.restore(case.body.as_bytes(), &resource(plan, stored)),
        _ => guard.judge(case.body.as_bytes()),
    }
}

fn expected(case: &Case, mode: &str) -> Outcome {
    if let Some(up) = &case.up {
        return Outcome::Up(up.clone());
    }
    match (&case.dropped, &case.reaches, &case.error) {
        (Some(dropped), _, _) if mode == "drop_field" => Outcome::Up(dropped.clone()),
        (_, Some(labels), None) => Outcome::Reaches(labels.clone()),
        (_, None, Some(error)) if error == "ambiguous" => Outcome::Error("ambiguous"),
        (_, None, Some(error)) if error == "conflict" => Outcome::Error("conflict"),
        _ => panic!("{}: nothing is expected", case.claim),
    }
}

fn check(name: &str, mode: &str) -> usize {
    let compiled = compiled(mode);
    let cases = cases(name);
    let mut wrong = Vec::new();
    for case in &cases {
        let (found, expected) = (run(&compiled, case), expected(case, mode));
        if found != expected {
            wrong.push(format!(
                "{mode}: {}:\n  {found:?}\n  {expected:?}",
                case.claim
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    cases.len()
}

#[test]
fn what_a_write_reaches_is_refused_or_taken_out() {
    let judged = check("judge.toml", "reject") + check("judge.toml", "drop_field");
    assert!(judged > 100, "{judged}");
}

#[test]
fn what_is_stored_is_put_back_or_the_write_refused() {
    assert!(check("restore.toml", "restore") > 25);
}

#[test]
fn whoever_cannot_see_everything_replaces_nothing_without_restoring() {
    for mode in ["reject", "drop_field"] {
        for line in ["PUT /cases/1", "PUT /allow/1", "DELETE /cases/1"] {
            let verdict = decide(&compiled(mode), line, None);
            let refused = matches!(
                verdict,
                Verdict::Deny(DenyReason::WriteOfHiddenField { .. })
            );
            assert!(refused, "{mode} {line}");
        }
    }
    // Nobody may read there, so nothing can be put back.
    let verdict = decide(&compiled("restore"), "PUT /unread/1", None);
    assert!(matches!(
        verdict,
        Verdict::Deny(DenyReason::WriteOfHiddenField { .. })
    ));
}

#[test]
fn a_body_is_judged_up_to_the_bound_and_no_further() {
    let compiled = compiled("reject");
    let Verdict::Allow(plan) = decide(&compiled, "PATCH /cases/1", None) else {
        panic!("not allowed");
    };
    let guard = plan.write_guard().unwrap();
    let sized = |bytes: usize| format!("{{\"a\":\"{}\"}}", "x".repeat(bytes - 8));
    let most = guard.body_bytes_max();
    assert!(guard.judge(sized(most).as_bytes()).is_ok());
    assert_eq!(
        guard.judge(sized(most + 1).as_bytes()),
        Err(WriteError::TooLarge)
    );
}
