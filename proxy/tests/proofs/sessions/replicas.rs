//! Replicas on one store are one Postern to a client: a session of one is a session of all, and what one has
//! ended is over for all.

use super::stage::{Held, KEY, policy, refused, replica, replica_in, served};
use super::store::StoreServer;
use crate::origin;
use crate::process::Process;

#[tokio::test(flavor = "multi_thread")]
async fn a_session_of_one_replica_is_one_of_all_and_ends_on_all() {
    let Some(store) = StoreServer::start() else {
        return;
    };
    let origin = origin::start().await;
    let (one, other) = (replica(&store, origin).await, replica(&store, origin).await);
    let first = Held::by_login(&one, "").await;
    for at in [&one, &other] {
        // The application lets in only who brings the cookie of the login.
        assert_eq!(first.get(at, "/own/1").await, served(), "{}", at.log());
    }
    let second = Held::by_login(&other, &first.cookie()).await;
    assert_ne!(first, second);
    for at in [&one, &other] {
        let over = refused(401, "session-revoked");
        assert_eq!(first.get(at, "/own/1").await, over);
        assert_eq!(second.get(at, "/own/1").await, served());
    }
    assert_eq!(second.get(&one, "/logout").await, served());
    for at in [&one, &other] {
        let over = refused(401, "session-revoked");
        assert_eq!(second.get(at, "/own/1").await, over);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_of_a_replica_forgets_nothing() {
    let Some(store) = StoreServer::start() else {
        return;
    };
    let origin = origin::start().await;
    let (one, other) = (replica(&store, origin).await, replica(&store, origin).await);
    let (kept, ended) = (
        Held::by_login(&one, "").await,
        Held::by_login(&one, "").await,
    );
    assert_eq!(kept.get(&other, "/own/1").await, served());
    let folder = one.killed();
    assert_eq!(ended.get(&other, "/logout").await, served());
    let one = replica_in(folder, (&store, KEY), origin).await;
    assert_eq!(kept.get(&one, "/own/1").await, served());
    let over = refused(401, "session-revoked");
    assert_eq!(ended.get(&one, "/own/1").await, over);
    let one = replica_in(one.stopped(), (&store, KEY), origin).await;
    assert_eq!(kept.get(&one, "/own/1").await, served());
    assert_eq!(ended.get(&one, "/own/1").await, over);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_with_another_key_opens_nothing_of_the_others_and_goes_on() {
    let Some(store) = StoreServer::start() else {
        return;
    };
    let origin = origin::start().await;
    let one = replica(&store, origin).await;
    let other_key = "another secret, which is long enough as well";
    let folder = tempfile::tempdir().unwrap();
    let other = replica_in(folder, (&store, other_key), origin).await;
    let (of_one, of_other) = (
        Held::by_login(&one, "").await,
        Held::by_login(&other, "").await,
    );
    for _again in 0..2 {
        let unknown = refused(401, "session-missing");
        assert_eq!(of_one.get(&other, "/own/1").await, unknown);
        assert_eq!(of_other.get(&one, "/own/1").await, unknown);
        assert_eq!(of_one.get(&one, "/own/1").await, served());
        assert_eq!(of_other.get(&other, "/own/1").await, served());
    }
    // Nor can it end what it cannot open.
    assert_eq!(of_one.get(&other, "/logout").await.0, 401);
    assert_eq!(of_one.get(&one, "/own/1").await, served());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_shared_store_without_a_shared_key_keeps_it_from_starting() {
    let Some(store) = StoreServer::start() else {
        return;
    };
    let origin = origin::start().await;
    let lines = format!("store: {}\n", store.url());
    let output = Process::refusal(&lines, origin, &policy("[context]")).await;
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(2), "{told}");
    let advice = "add `keys: { sessions: [{ id: s1, secret: env:NAME }] }` to the server file";
    assert!(told.contains(advice), "{told}");
}
