//! HTTP/1.1 under attack: crowds that are slow, silent, greedy or too many, and a client that behaves beside them.
//!
//! It prints what that client waits in peace and beside each crowd, and asserts no time. It asserts that every
//! answer was right, that the crowd was ended or told what it should be, and that its memory is bounded. The waits
//! mean something in a release build:
//! `POSTERN_ATTACKERS=2000 cargo test --release -p postern-proxy --test proofs attacked -- --nocapture`.

mod ways;

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use crate::client::{Client, Response};
use crate::process::{Process, policy};
use crate::waits::Waits;
use crate::{count, descriptors, origin};

use ways::{ALL, Met, Way};

/// How many requests the client sends at least, in peace and beside each crowd.
const REQUESTS_MIN: usize = 100;
/// With each of so many requests it takes a new connection besides.
const FRESH_EVERY: usize = 10;
/// What a crowd may add to what the process holds: for each of its connections, and besides.
const KIB_EACH: u64 = 256;
const KIB_BESIDES: u64 = 64 << 10;
/// The connections that the client needs.
const SPARE: usize = 50;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_behaves_is_served_beside_every_crowd() {
    let attackers = descriptors::allowed(2 * count("POSTERN_ATTACKERS", 50)) / 2;
    // Of the crowd before some are still being told why they were ended.
    let places = 2 * attackers + SPARE;
    let lines = format!("limits: {{ header_seconds: 2, connections: {places} }}\n");
    // A case may be written too: a body that never comes has to be waited for.
    let policy = policy("old").replacen("match: [ ", "match: [ \"POST /cases/{id}\", ", 1);
    let folder = (tempfile::tempdir().unwrap(), lines.as_str());
    let process = Process::start_as(folder, origin::start().await, None, &policy).await;
    let mut client = Client::connect(process.data).await;
    let calm = ask(&mut client, Some(process.data), || true).await;
    let base = process.memory_kib("VmRSS");
    println!("attacked: HTTP/1.1 in peace: {calm}; {base} KiB");
    for way in ALL {
        let met = Arc::new(Met::default());
        let (told, over) = watch::channel(false);
        let crowd = match way == Way::Crowd {
            true => places + SPARE,
            false => attackers,
        };
        let running = tokio::spawn(way.run(process.data, crowd, Arc::clone(&met), over));
        // Whoever comes while every place is taken is let go.
        let fresh = Some(process.data).filter(|_| way != Way::Crowd);
        let enough = || met.rounds.load(Ordering::Relaxed) >= crowd;
        let waits = ask(&mut client, fresh, enough).await;
        let with = process.memory_kib("VmRSS");
        told.send_replace(true);
        running.await.unwrap();
        println!("attacked: {way}: {waits}; {met}; {with} KiB");
        way.check(&met, SPARE);
    }
    let mut after = served_again(process.data).await;
    let waits = ask(&mut after, Some(process.data), || true).await;
    let peak = process.memory_kib("VmHWM");
    println!("attacked: HTTP/1.1 in peace again: {waits}; peak {peak} KiB");
    let bound = base + KIB_EACH * u64::try_from(places).unwrap() + KIB_BESIDES;
    assert!(peak <= bound, "peak {peak} KiB, bound {bound} KiB");
}

/// A new connection that is served, once the crowd has given its places back.
async fn served_again(address: SocketAddr) -> Client {
    for _ in 0..500 {
        let mut client = Client::connect(address).await;
        if client.try_send("/cases/7").await.is_ok() && client.response().await.status == 200 {
            return client;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("nobody is served after the crowd");
}

/// Asks until it is enough, now and then on a new connection too; every answer has to be right.
async fn ask(client: &mut Client, fresh: Option<SocketAddr>, enough: impl Fn() -> bool) -> Waits {
    let mut waits = Vec::new();
    while waits.len() < REQUESTS_MIN || !enough() {
        let begun = Instant::now();
        check(&client.get("/cases/7").await);
        waits.push(begun.elapsed());
        if let Some(address) = fresh.filter(|_| waits.len() % FRESH_EVERY == 0) {
            check(&Client::get_once(address, "/cases/8").await);
        }
        // The crowd has this process's threads as well.
        tokio::task::yield_now().await;
    }
    Waits::of(waits)
}

fn check(answer: &Response) {
    let body = String::from_utf8_lossy(&answer.body);
    assert!(answer.status == 200 && answer.complete, "{answer:?}");
    let name = r#""customer":{"name":"old","email":"old"}"#;
    assert!(
        body.contains(name) && !body.contains(origin::CANARY),
        "{body}"
    );
}
