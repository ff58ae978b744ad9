//! Names of tokens as policies add them, for tests.

use std::sync::Arc;

use postern_config::Policy;
use postern_config::sessions::TokenNames;

/// A policy; `TOKEN` stands for the names.
const POLICY: &str = r#"
policy: v1
name: desk
identity: { from: header, subject: X-Subject, roles: X-Roles, trusted: [unix], without_a_role: deny }
labels: { secret: Secrets }
routes:
  everything: { match: "ANY /{path...}", deny: true }
roles:
  agent: { sees: { secret: redact } }
sessions:
  token: TOKEN
"#;

/// What a policy whose `sessions.token` is this adds.
pub(crate) fn names(token: &str) -> Arc<TokenNames> {
    let policy = match Policy::parse("policy.yaml", &POLICY.replace("TOKEN", token)) {
        Ok(policy) => policy,
        Err(errors) => panic!("{}", errors.render(false)),
    };
    Arc::new(policy.sessions.expect("sessions").token)
}

/// What a policy adds that adds nothing.
pub(crate) fn none() -> Arc<TokenNames> {
    Arc::default()
}
