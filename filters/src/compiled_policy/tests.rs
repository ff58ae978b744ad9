//! Decisions: which route, who, what may be asked and written.

mod requests;
mod routes;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;

const POLICY: &str = r#"
policy: v1
name: desk
identity: { from: header, subject: X-Subject, roles: X-Roles, trusted: [unix], without_a_role: deny }
labels: { pii.name: Names, pii.mail: Mail, note: Notes }
routes:
  read:
    match: ["GET /cases/{id}", "PUT /cases/{id}", "HEAD /cases/{id}"]
    label: { $.name: pii.name, $.mail: [pii.mail, note] }
  gone:
    match: ANY /gone
    labels_of: read
  one:
    match: GET /cases/first
    label: { $.name: pii.name }
    query: [page, "tag[]", "a b"]
  allowlist:
    match: [GET /export, POST /export]
    label: { $.name: pii.name }
    unlabelled: remove
  strict:
    match: [GET /strict, POST /strict]
    required: [$.id]
  open:
    match: ["ANY /open/{rest...}", POST /login]
  listed:
    match: GET /listed
    query: [q]
  socket:
    match: GET /socket
    allow: [websocket]
  secret:
    match: ["DELETE /cases/{id}", GET /secret]
    deny: true
  everything_else:
    match: ANY /{path...}
    deny: true
roles:
  agent: { sees: { pii.name: show, pii.mail: mask, note: show } }
  boss: { sees: { pii: show, note: show } }
  clerk: { sees: { pii: { pseudonym: { scope: identity } } } }
"#;

fn compiled() -> CompiledPolicy {
    compile(POLICY)
}

fn compile(text: &str) -> CompiledPolicy {
    let policy = match Policy::parse("policy.yaml", text) {
        Ok(policy) => policy,
        Err(errors) => panic!("{}", errors.render(false)),
    };
    let limits = EngineLimits {
        json_depth: 128,
        held_bytes: 1 << 20,
        expand_ratio: 100,
    };
    let keys = PseudonymKeys::for_offline_use();
    CompiledPolicy::compile(policy, Revision::of_closure(&[]), limits, keys).unwrap()
}

fn reader(groups: &[&str]) -> Identity {
    Identity {
        subject: "jane".to_owned(),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        ..Identity::default()
    }
}

/// `METHOD /path?query`, headers, and whether there is a body.
struct Ask<'a> {
    groups: &'a [&'a str],
    line: &'a str,
    headers: &'a [(&'static str, &'static str)],
    has_body: bool,
}

fn ask(compiled: &CompiledPolicy, ask: &Ask<'_>) -> Result<ExchangePlan, DenyReason> {
    let mut headers = HeaderMap::new();
    for (name, value) in ask.headers {
        headers.append(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    let (method, target) = ask.line.split_once(' ').unwrap();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let verdict = compiled.decide(&RequestFacts {
        method,
        path,
        query,
        upgrade: headers.contains_key("upgrade"),
        headers: &headers,
        has_body: ask.has_body,
        identity: &reader(ask.groups),
    });
    match verdict {
        Verdict::Allow(plan) => Ok(*plan),
        Verdict::Deny(reason) => Err(reason),
    }
}

fn route_of(groups: &[&str], line: &str) -> Result<String, DenyReason> {
    let request = Ask {
        groups,
        line,
        headers: &[],
        has_body: false,
    };
    ask(&compiled(), &request).map(|plan| plan.route().to_owned())
}

fn with_headers(
    line: &str,
    headers: &[(&'static str, &'static str)],
    has_body: bool,
) -> Result<String, DenyReason> {
    let request = Ask {
        groups: &["agent"],
        line,
        headers,
        has_body,
    };
    ask(&compiled(), &request).map(|plan| plan.route().to_owned())
}
