//! An export is cut when its session ends, on whichever replica somebody ends it.
//!
//! It prints the time from the answer that says so to the end that the client of the export sees, and
//! asserts no time: `POSTERN_REVOCATIONS=100 cargo test -p postern-proxy --test proofs revoked --
//! --nocapture`.

use std::time::Duration;

use postern_proxy::clock::{Clock as _, SystemClock};

use super::download::Download;
use super::stage::{Held, alone, refused, replica, served};
use super::store::StoreServer;
use crate::process::Process;
use crate::{count, origin};

#[tokio::test(flavor = "multi_thread")]
async fn an_export_through_one_replica_is_cut_when_its_session_ends_on_another() {
    let Some(store) = StoreServer::start() else {
        return;
    };
    let origin = origin::start().await;
    let (one, other) = (replica(&store, origin).await, replica(&store, origin).await);
    cut_again_and_again("another replica", &one, &other).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_cut_when_its_session_ends_in_the_same_process() {
    let origin = origin::start().await;
    let process = alone(origin).await;
    cut_again_and_again("the same process", &process, &process).await;
}

/// Ends sessions at one while their exports run through the other, and prints how long the cut took.
async fn cut_again_and_again(what: &str, one: &Process, other: &Process) {
    let mut took = Vec::new();
    for _ in 0..count("POSTERN_REVOCATIONS", 3) {
        took.push(cut(one, other).await);
    }
    took.sort_unstable();
    println!(
        "revoked, through {what}: {} exports cut, after {} ms in the middle and {} ms at worst",
        took.len(),
        took[took.len() / 2].as_millis(),
        took[took.len() - 1].as_millis()
    );
}

async fn cut(one: &Process, other: &Process) -> Duration {
    let held = Held::by_login(one, "").await;
    let export = Download::start(other, &held).await;
    // Another session of the same person is not concerned.
    let bystander = Held::by_login(other, "").await;
    assert_eq!(held.get(one, "/logout").await, served());
    let over = SystemClock.monotonic();
    let end = export.cut().await;
    let gone = refused(401, "session-revoked");
    assert_eq!(held.get(other, "/own/1").await, gone);
    assert_eq!(bystander.get(other, "/own/1").await, served());
    assert_eq!(bystander.get(one, "/logout").await, served());
    end.at.saturating_duration_since(over)
}
