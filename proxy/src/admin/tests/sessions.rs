//! Sessions as operators see and end them.

use postern_config::Sessions;
use serde_json::Value;

use super::*;
use crate::session::{Binding, Client, Holder, Jar, OpenSession, Start, Vault};

/// An admin listener whose policy has sessions, and the vault.
async fn with_sessions() -> (Admin, Arc<Vault>) {
    let policy = format!("{}sessions: {{}}\n", policy("one", HEADER));
    let admin = Admin::start_with(&policy, true);
    let vault = admin.sessions.open(&Sessions::default()).await.unwrap();
    let vault = Arc::clone(vault);
    (admin, vault)
}

async fn begun(vault: &Vault, subject: &str, client: Client) -> OpenSession {
    let start = Start {
        holder: Holder {
            issuer: "session".to_owned(),
            subject: subject.to_owned(),
            tenant: None,
            roles: vec!["agent".to_owned()],
        },
        client,
        binding: Binding::default(),
        fingerprints: Vec::new(),
        follows: None,
        jar: Jar::new(b"sessionid=s3cr3t".to_vec()),
        limit: None,
    };
    vault.begin(start).await.unwrap().0
}

impl Admin {
    async fn told(&self, line: &str) -> (u16, Value) {
        let (status, body) = self.ask_with_token(line).await;
        (status, serde_json::from_str(&body).unwrap())
    }
}

#[tokio::test]
async fn a_list_has_filters_and_nothing_that_opens_a_session() {
    let (admin, vault) = with_sessions().await;
    let ann = begun(&vault, "ann", Client::Browser).await;
    begun(&vault, "bob", Client::Api).await;
    begun(&vault, "", Client::Browser).await;
    let (status, body) = admin.ask_with_token("GET /sessions").await;
    assert_eq!(status, 200);
    assert!(
        !body.contains(&ann.handle().text()) && !body.contains("pnh_") && !body.contains("s3cr3t")
    );
    let count = async |query: &str| {
        let (_, told) = admin.told(&format!("GET /sessions{query}")).await;
        told["sessions"].as_array().unwrap().len()
    };
    assert_eq!(count("").await, 2, "those of nobody are left out");
    assert_eq!(count("?anonymous=true").await, 3);
    assert_eq!(count("?who=ann").await, 1);
    assert_eq!(count("?who=an").await, 0);
    assert_eq!(count(&format!("?sid={}", ann.record().sid)).await, 1);
    let (status, one) = admin
        .told(&format!("GET /sessions/{}", ann.record().sid))
        .await;
    assert_eq!((status, one["state"].as_str()), (200, Some("alive")));
    assert_eq!(one["who"]["subject"], "ann");
    assert_eq!(one["client"], "browser");
    assert_eq!(one["created"], ann.record().times.created / 1_000);
    assert_eq!(admin.told("GET /sessions/none").await.0, 404);
    assert_eq!(admin.ask_with_token("GET /sessions?when=now").await.0, 400);
}

#[tokio::test]
async fn a_revocation_needs_a_reason_and_ends_what_is_named() {
    let (admin, vault) = with_sessions().await;
    let one = begun(&vault, "ann", Client::Browser).await;
    let other = begun(&vault, "ann", Client::Api).await;
    let bob = begun(&vault, "bob", Client::Browser).await;
    let sid = &one.record().sid;
    for query in [
        format!("?sid={sid}"),
        format!("?sid={sid}&reason=%20"),
        format!("?sid={sid}&who=ann&reason=x"),
        "?reason=x".to_owned(),
    ] {
        let (status, _) = admin.told(&format!("POST /sessions/revoke{query}")).await;
        assert_eq!(status, 400, "{query}");
    }
    assert!(vault.open(one.handle()).await.is_ok());
    let revoke = async |query: &str| admin.told(&format!("POST /sessions/revoke{query}")).await.1;
    assert_eq!(
        revoke(&format!("?sid={sid}&reason=lost")).await["revoked"],
        1
    );
    assert!(vault.open(one.handle()).await.is_err());
    assert!(vault.open(other.handle()).await.is_ok());
    assert_eq!(
        revoke(&format!("?sid={sid}&reason=lost")).await["revoked"],
        0
    );
    assert_eq!(revoke("?who=ann&reason=left").await["revoked"], 1);
    assert!(vault.open(other.handle()).await.is_err());
    assert!(vault.open(bob.handle()).await.is_ok());
    let (_, ended) = admin.told(&format!("GET /sessions/{sid}")).await;
    assert_eq!(
        ended["ended"]["reason"], "admin",
        "what was typed is on record, not in the vault"
    );
}

#[tokio::test]
async fn a_policy_without_sessions_has_an_empty_list_and_says_why() {
    let admin = Admin::start(true);
    let (status, told) = admin.told("GET /sessions").await;
    assert_eq!(
        (status, told["sessions"].as_array().map(Vec::len)),
        (200, Some(0))
    );
    assert_eq!(told["note"], "the policy in force has no sessions");
    let (_, told) = admin.told("POST /sessions/revoke?who=ann&reason=x").await;
    assert_eq!(told["revoked"], 0);
    assert_eq!(admin.told("GET /sessions/x").await.0, 404);
    let store = admin.folder.path().join("state/sessions.redb");
    assert!(!store.exists(), "nothing is opened");
}
