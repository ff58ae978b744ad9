//! A reset of quotas that fails, and names that no policy has.

use axum::extract::{Query, State};
use http::{StatusCode, Uri};
use postern_audit::{OnDamage, PublishedEntries, SystemDisk};
use postern_config::Server;
use serde_json::{Value, json};

use super::*;
use crate::admin::quotas::reset;

const SERVER: &str = "listen: \"127.0.0.1:0\"\nupstream: \"http://127.0.0.1:1\"\npolicy: p.yaml\n";
const QUOTAS: &str =
    "quotas:\n  calls: { unit: requests, per: identity, window: 1h, limit: { '*': 5 } }\n";

#[tokio::test]
async fn a_reset_that_fails_is_on_record_as_one_that_failed() {
    let folder = tempfile::tempdir().unwrap();
    let text = format!("{}{QUOTAS}", policy("one", HEADER));
    let (mut state, _plane) = state(folder.path(), &text, true);
    let audit = Server::parse("postern.yaml", SERVER)
        .unwrap()
        .audit
        .unwrap();
    let places = (folder.path(), &*folder.path().join("state"));
    let clock = Arc::new(SystemClock);
    let evidence = Evidence::open(&audit, OnDamage::Refuse, places, clock).unwrap();
    state.evidence = evidence.clone();
    // A store that answers nothing any more.
    let keeper = Arc::clone(&state.quotas);
    keeper.open().await.unwrap();
    keeper.close().await;
    let uri: Uri = "/quotas/reset?quota=calls&who=ann&reason=agreed"
        .parse()
        .unwrap();
    let (status, _told) = reset(State(state), Query::try_from_uri(&uri).unwrap()).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    evidence.close().await;
    let disk = SystemDisk::new(folder.path().join(&audit.dir));
    let entries = PublishedEntries::open(&disk, 0).unwrap();
    let entries = entries.map(|read| serde_json::from_slice::<Value>(&read.unwrap().1).unwrap());
    let told: Vec<Value> = entries
        .filter(|entry| entry["unmapped"]["postern"]["admin"].is_object())
        .map(|entry| json!([entry["unmapped"]["postern"]["phase"], entry["status_id"]]))
        .collect();
    assert_eq!(told, [json!(["intent", 0]), json!(["outcome", 2])]);
}

#[tokio::test]
async fn names_that_the_policy_does_not_have_are_refused_with_those_it_has() {
    let text = format!("{}{QUOTAS}", policy("one", HEADER));
    let admin = Admin::start_with(&text, true);
    for (line, known) in [
        ("GET /quotas?quota=nope", "there are: calls"),
        ("GET /quotas?quota=calls%20nope", "there are: calls"),
        (
            "POST /quotas/reset?quota=nope&who=a&reason=x",
            "there are: calls",
        ),
        ("GET /tap?route=nope", "there are: everything_else, -"),
        ("GET /tap?role=nope", "there are: agent"),
        ("GET /tap?label=nope", "there are: secret"),
    ] {
        let (status, body) = admin.ask_with_token(line).await;
        assert!(status == 400 && body.contains(known), "{line}: {body}");
    }
    for quota in ["calls", "calls%20stepped-up"] {
        let line = format!("GET /quotas?quota={quota}");
        assert_eq!(admin.ask_with_token(&line).await.0, 200, "{quota}");
    }
}
