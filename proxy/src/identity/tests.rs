//! The whole way from a policy file to a recognised identity.

use std::path::Path;

use postern_filters::Identity;

use super::jwks::scripted::{Scripted, ok};
use super::samples::{TestClock, authorization, claims, key_file, now, sign, token};
use super::*;
use crate::load::samples::{HEADER, KEY_FILE, load, policy, write};
use crate::policy_store::Snapshot;

fn snapshot(folder: &Path, text: &str, previous: Option<&Authenticator>) -> Snapshot {
    let loaded = load(&write(folder, "policy.yaml", text)).unwrap();
    loaded.snapshot(TestClock::new(), previous).unwrap()
}

async fn recognised(authenticator: &Authenticator, token: &str) -> Result<Identity, IdentityError> {
    let headers = authorization(&[&format!("Bearer {token}")]);
    let recognised = authenticator
        .authenticate(&headers, &PeerFacts::default(), now())
        .await;
    recognised.map(|recognised| recognised.identity)
}

#[tokio::test]
async fn fetched_keys_survive_a_reload_and_the_failure_of_their_server() {
    let folder = tempfile::tempdir().unwrap();
    let server = Scripted::with_body(&key_file("jwks.json")).await;
    let text = |name: &str| policy(name, &KEY_FILE.replace("file:jwks.json", &server.url()));
    let token = token(&claims());

    let first = snapshot(folder.path(), &text("one"), None)
        .authenticator
        .unwrap();
    assert_eq!(recognised(&first, &token).await.unwrap().subject, "ann");
    server.answer(ok(b"gone"));
    let second = snapshot(folder.path(), &text("two"), Some(&first))
        .authenticator
        .unwrap();
    drop(first);
    assert_eq!(recognised(&second, &token).await.unwrap().subject, "ann");
    assert_eq!(server.requests(), 1);

    let stranger = sign(
        "es256",
        r#"{"alg":"ES256","kid":"new"}"#,
        &claims().to_string(),
    );
    assert_eq!(
        recognised(&second, &stranger).await,
        Err(IdentityError::Invalid)
    );
    let fresh = snapshot(folder.path(), &text("two"), None)
        .authenticator
        .unwrap();
    assert_eq!(
        recognised(&fresh, &token).await,
        Err(IdentityError::Unavailable)
    );
}

#[test]
fn a_key_url_needs_a_runtime_and_a_key_file_does_not() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("jwks.json"), key_file("jwks.json")).unwrap();
    assert!(
        snapshot(folder.path(), &policy("one", KEY_FILE), None)
            .authenticator
            .is_some()
    );
    let url = KEY_FILE.replace("file:jwks.json", "http://127.0.0.1:1/keys");
    let loaded = load(&write(folder.path(), "policy.yaml", &policy("one", &url))).unwrap();
    let error = loaded.snapshot(TestClock::new(), None).unwrap_err();
    assert!(
        error.to_string().contains("only by `postern run`"),
        "{error}"
    );
}

#[test]
fn names_the_headers_that_carry_credentials() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("jwks.json"), key_file("jwks.json")).unwrap();
    for (identity, names) in [
        (KEY_FILE, vec!["authorization"]),
        (HEADER, vec!["x-subject", "x-roles"]),
        (
            "{ from: mtls, subject: san.uri, roles: { '*': [agent] }, without_a_role: deny }",
            vec![],
        ),
    ] {
        let made = snapshot(folder.path(), &policy("one", identity), None)
            .authenticator
            .unwrap();
        assert_eq!(made.credential_headers(), names, "{identity}");
    }
}

#[test]
fn debug_output_shows_nothing_of_anybody() {
    let peer = PeerFacts {
        address: Some("127.0.0.9:4711".parse().unwrap()),
        certificate: Some(b"certificate".to_vec()),
        unix: false,
    };
    assert_eq!(format!("{peer:?}"), "PeerFacts { .. }");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("jwks.json"), key_file("jwks.json")).unwrap();
    let made = snapshot(folder.path(), &policy("one", KEY_FILE), None)
        .authenticator
        .unwrap();
    assert_eq!(format!("{made:?}"), "Authenticator { scheme: \"jwt\", .. }");
}
