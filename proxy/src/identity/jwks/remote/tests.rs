//! A key set over its life: first fetch, rotation, floods, failure, staleness, end.

use super::super::super::samples::{TestClock, key_file};
use super::super::Keys;
use super::super::scripted::{Scripted, ok};
use super::*;
use serde_json::{Value, json};

/// The test key set with the key `es256` under another name.
fn renamed(kid: &str) -> Vec<u8> {
    let set: Value = serde_json::from_slice(&key_file("jwks.json")).unwrap();
    let mut key = set["keys"][1].clone();
    key["kid"] = json!(kid);
    json!({ "keys": [key] }).to_string().into_bytes()
}

async fn started(body: &[u8]) -> (Scripted, Arc<TestClock>, Arc<RemoteKeys>) {
    let server = Scripted::with_body(body).await;
    let clock = TestClock::new();
    let keys = RemoteKeys::start(&server.url(), clock.clone()).unwrap();
    (server, clock, keys)
}

async fn has(keys: &RemoteKeys, kid: &str) -> Result<bool, IdentityError> {
    let set = keys.holding(Some(kid)).await?;
    Ok(set.key(Some(kid)).is_some())
}

#[tokio::test]
async fn the_first_request_waits_for_the_first_fetch() {
    let (server, _clock, keys) = started(&renamed("a")).await;
    assert_eq!(has(&keys, "a").await, Ok(true));
    assert_eq!(has(&keys, "a").await, Ok(true));
    assert_eq!(server.requests(), 1);
}

#[tokio::test]
async fn a_flood_of_unknown_keys_causes_one_fetch_per_30_seconds() {
    let (server, clock, keys) = started(&renamed("a")).await;
    assert_eq!(has(&keys, "a").await, Ok(true));
    assert_eq!(has(&keys, "b").await, Ok(false));
    assert_eq!(server.requests(), 1, "it was only just fetched");

    clock.advance(ASK_AGAIN - Duration::from_millis(1));
    assert_eq!(has(&keys, "b").await, Ok(false));
    assert_eq!(server.requests(), 1);

    for round in 2..5 {
        clock.advance(ASK_AGAIN);
        let flood = (0..200).map(|n| {
            let keys = &keys;
            async move { has(keys, &format!("unknown-{n}")).await }
        });
        let answers = futures::future::join_all(flood).await;
        assert!(answers.iter().all(|answer| *answer == Ok(false)));
        assert_eq!(server.requests(), round);
    }
}

#[tokio::test]
async fn a_new_key_is_found_when_a_token_names_it() {
    let (server, clock, keys) = started(&renamed("a")).await;
    assert_eq!(has(&keys, "a").await, Ok(true));
    server.answer(ok(&renamed("b")));
    clock.advance(ASK_AGAIN);
    assert_eq!(has(&keys, "b").await, Ok(true));
    assert_eq!(
        has(&keys, "a").await,
        Ok(false),
        "what was withdrawn is gone"
    );
}

#[tokio::test]
async fn a_set_outlives_failures_for_an_hour_and_not_longer() {
    let (server, clock, keys) = started(&renamed("a")).await;
    assert_eq!(has(&keys, "a").await, Ok(true));
    let private = json!({ "keys": [{ "kty": "EC", "crv": "P-256", "kid": "a", "d": "AQ" }] });
    for bad in [
        b"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n".to_vec(),
        ok(b"not a key set"),
        ok(private.to_string().as_bytes()),
    ] {
        server.answer(bad);
        clock.advance(ASK_AGAIN);
        assert_eq!(
            has(&keys, "b").await,
            Ok(false),
            "the failure is not the caller's"
        );
        assert_eq!(has(&keys, "a").await, Ok(true));
    }
    clock.advance(STALE - 3 * ASK_AGAIN);
    assert_eq!(has(&keys, "a").await, Ok(true), "exactly an hour old");
    clock.advance(Duration::from_millis(1));
    assert_eq!(has(&keys, "a").await, Err(IdentityError::Unavailable));

    server.answer(ok(&renamed("a")));
    assert_eq!(
        has(&keys, "a").await,
        Err(IdentityError::Unavailable),
        "it was only just asked"
    );
    clock.advance(ASK_AGAIN);
    assert_eq!(has(&keys, "a").await, Ok(true));
}

#[tokio::test]
async fn nobody_is_recognised_before_the_first_fetch_succeeds() {
    let (server, clock, keys) = started(b"").await;
    assert_eq!(has(&keys, "a").await, Err(IdentityError::Unavailable));
    assert_eq!(server.requests(), 1);
    server.answer(ok(&renamed("a")));
    clock.advance(ASK_AGAIN);
    assert_eq!(has(&keys, "a").await, Ok(true));
}

#[tokio::test]
async fn a_reload_with_the_same_url_keeps_the_keys() {
    let (server, clock, keys) = started(&renamed("a")).await;
    assert_eq!(has(&keys, "a").await, Ok(true));
    let again = Keys::remote(&server.url(), clock.clone(), Some(&keys)).unwrap();
    assert!(Arc::ptr_eq(again.as_remote().unwrap(), &keys));
    let other = format!("{}?v=2", server.url());
    let other = Keys::remote(&other, clock, Some(&keys)).unwrap();
    assert!(!Arc::ptr_eq(other.as_remote().unwrap(), &keys));
}

#[tokio::test]
async fn the_task_ends_with_the_keys() {
    let (_server, _clock, keys) = started(&renamed("a")).await;
    assert_eq!(has(&keys, "a").await, Ok(true));
    let shared = Arc::downgrade(&keys.shared);
    drop(keys);
    // The task is cancelled when the runtime next comes to it.
    let mut turns = 0..1_000;
    while shared.upgrade().is_some() && turns.next().is_some() {
        tokio::task::yield_now().await;
    }
    assert!(shared.upgrade().is_none());
}
