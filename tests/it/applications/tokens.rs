//! Tokens that helpdesk gives to programs in JSON: the client gets placeholders, and works with them as with tokens.

use serde_json::Value;

use super::agent::Agent;
use super::desk::Desk;
use super::messages::requests;
use super::relay::Relay;
use super::work::expected;

/// Logs in for a token, uses it, and has it renewed.
pub(super) async fn are_usable_and_never_seen(agent: &mut Agent, behind: &Relay) {
    let login = r#"{"username":"agent","password":"agentpw"}"#;
    let given = agent.post_json("/api/jwt/", login).await;
    let given = expected(given, "the login for a token", "\"access\"");
    let given: Value = serde_json::from_slice(&given.body).unwrap();
    let held = |name: &str| given[name].as_str().unwrap().to_owned();
    for name in ["access", "refresh"] {
        assert!(held(name).starts_with("pnp_"), "`{name}` is no placeholder");
    }

    let credential = format!("Bearer {}", held("access"));
    agent.fields.push(("Authorization".to_owned(), credential));
    let (record, says) = Desk::Helpdesk.places().record;
    expected(agent.get(record).await, "a record by token", says);
    agent.fields.clear();
    let went_up = behind
        .kept()
        .iter()
        .flat_map(|one| requests(&one.up))
        .any(|request| {
            request.line() == format!("GET {record}")
                && request.field("authorization").starts_with("Bearer eyJ")
        });
    assert!(went_up, "the token did not take the placeholder's place");

    let renewal = format!(r#"{{"refresh":"{}"}}"#, held("refresh"));
    let renewed = agent.post_json("/api/jwt/refresh/", &renewal).await;
    expected(renewed, "the renewal", "\"access\":\"pnp_");
}
