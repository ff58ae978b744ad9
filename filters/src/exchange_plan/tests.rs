//! Heads: what is refused, what leaves, and what the body then goes through. Cases are data.

mod bodies;
mod heads;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use postern_config::{Policy, Revision};

use crate::{
    BodyError, CompiledPolicy, EngineLimits, ExchangePlan, Identity, PseudonymKeys, RequestFacts,
    ResponsePlan, Verdict,
};

const POLICY: &str = r#"
policy: v1
name: desk
identity: { from: header, subject: X-Subject, roles: X-Roles, trusted: [unix], without_a_role: deny }
labels: { secret: Secrets, name: Names }
routes:
  read:
    match: ["GET /cases", "HEAD /cases"]
    label: { $..ssn: secret, $..name: name }
  file:
    match: GET /file
    label: { $..ssn: secret }
    unreadable: { allow: [image/png] }
  strict:
    match: GET /strict
    required: [$.id]
  open: { match: "ANY /open/{rest...}" }
  stream: { match: GET /stream, allow: [sse] }
  everything_else: { match: "ANY /{path...}", deny: true }
roles:
  agent: { sees: { name: mask } }
  boss: { sees: { secret: show, name: show } }
"#;

const DOCUMENT: &str = r#"{"id":1,"ssn":"912-04-7731","name":"Jane"}"#;
const REDACTED: &str = r#"{"id":1,"name":"•••"}"#;

fn plan(role: &str, target: &str, headers: &HeaderMap) -> ExchangePlan {
    let policy = match Policy::parse("policy.yaml", POLICY) {
        Ok(policy) => policy,
        Err(errors) => panic!("{}", errors.render(false)),
    };
    let limits = EngineLimits {
        json_depth: 128,
        held_bytes: 1 << 20,
        expand_ratio: 100,
    };
    let keys = PseudonymKeys::for_offline_use();
    let compiled =
        CompiledPolicy::compile(policy, Revision::of_closure(&[]), limits, keys).unwrap();
    let identity = Identity {
        groups: vec![role.to_owned()],
        ..Identity::default()
    };
    let verdict = compiled.decide(&RequestFacts {
        method: "GET",
        path: target,
        query: None,
        headers,
        upgrade: false,
        has_body: false,
        identity: &identity,
    });
    match verdict {
        Verdict::Allow(plan) => *plan,
        Verdict::Deny(reason) => panic!("{reason:?}"),
    }
}

fn head(fields: &[(&str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in fields {
        let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
        headers.append(name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

fn respond(
    role: &str,
    target: &str,
    status: u16,
    fields: &[(&str, &str)],
) -> Result<ResponsePlan, BodyError> {
    let status = StatusCode::from_u16(status).unwrap();
    plan(role, target, &HeaderMap::new()).respond(&Method::GET, status, &head(fields))
}

fn run(plan: ResponsePlan, body: &[u8]) -> Result<Vec<u8>, BodyError> {
    let mut pipeline = plan.body.unwrap();
    let mut out = pipeline
        .push(Bytes::copy_from_slice(body))?
        .into_bytes()
        .to_vec();
    out.extend(pipeline.finish()?.into_bytes());
    Ok(out)
}

const JSON: (&str, &str) = ("content-type", "application/json");
