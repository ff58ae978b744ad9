//! HTTP/1.1 under attack: crowds that are slow, silent, greedy or too many, and a client that behaves beside them.
//!
//! It prints what that client waits in peace and beside each crowd, and asserts no time. It asserts that every
//! answer was right, that the crowd was ended or told what it should be, and that its memory is bounded. The waits
//! mean something in a release build:
//! `POSTERN_ATTACKERS=2000 cargo test --release -p postern-proxy --test proofs attacked -- --nocapture`.

mod ways;

use std::fmt;
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
/// Of so many attackers one floods, where that is what they do.
const BUSY_SHARE: usize = 5;
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
    let calm = ask(&mut client, process.data, || true).await;
    assert_eq!(calm.let_go, 0, "{}", process.log());
    let base = process.memory_kib("VmRSS");
    println!("attacked: HTTP/1.1 in peace: {calm}; {base} KiB");
    for way in ALL {
        let met = Arc::new(Met::default());
        let (told, over) = watch::channel(false);
        let crowd = match way {
            Way::Crowd => places + SPARE,
            // Each of them is as busy as it can be.
            Way::Pipelining | Way::ManyFields | Way::LongField => attackers.div_ceil(BUSY_SHARE),
            Way::SlowHead | Way::SlowBody | Way::SlowReader | Way::Silence => attackers,
        };
        all_left(&process).await;
        let running = tokio::spawn(way.run(process.data, crowd, Arc::clone(&met), over));
        let enough = || met.rounds.load(Ordering::Relaxed) >= crowd;
        let beside = ask(&mut client, process.data, enough).await;
        let with = process.memory_kib("VmRSS");
        let is_full = way == Way::Crowd;
        assert!(
            !is_full || !is_served(process.data).await,
            "every place is taken"
        );
        told.send_replace(true);
        running.await.unwrap();
        println!("attacked: {way}: {beside}; {met}; {with} KiB");
        way.check(&met, SPARE);
    }
    all_left(&process).await;
    let after = ask(&mut client, process.data, || true).await;
    let peak = process.memory_kib("VmHWM");
    println!("attacked: HTTP/1.1 in peace again: {after}; peak {peak} KiB");
    let bound = base + KIB_EACH * u64::try_from(places).unwrap() + KIB_BESIDES;
    assert!(peak <= bound, "peak {peak} KiB, bound {bound} KiB");
}

/// Waits until the crowd before has given its places back, and only the client is there.
async fn all_left(process: &Process) {
    for _ in 0..500 {
        let metrics = process.metrics().await;
        if metrics.lines().any(|line| line == "postern_connections 1") {
            return;
        }
        sleep(Duration::from_millis(20)).await;
    }
    panic!("connections stay: {}", process.log());
}

/// What the client met: its waits, and how many of its new connections were let go because every place was taken.
struct Beside {
    waits: Waits,
    let_go: usize,
}

impl fmt::Display for Beside {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {} new ones let go", self.waits, self.let_go)
    }
}

/// Asks until it is enough, now and then on a new connection too; every answer has to be right.
async fn ask(client: &mut Client, address: SocketAddr, enough: impl Fn() -> bool) -> Beside {
    let (mut waits, mut let_go) = (Vec::new(), 0);
    while waits.len() < REQUESTS_MIN || !enough() {
        let begun = Instant::now();
        check(&client.get("/cases/7").await);
        waits.push(begun.elapsed());
        if waits.len() % FRESH_EVERY == 0 && !is_served(address).await {
            let_go += 1;
        }
        // The crowd has this process's threads as well.
        tokio::task::yield_now().await;
    }
    let waits = Waits::of(waits);
    Beside { waits, let_go }
}

/// Whether a new connection is served, and then rightly. While every place is taken it is let go.
async fn is_served(address: SocketAddr) -> bool {
    let mut client = Client::connect(address).await;
    if client.try_send("/cases/8").await.is_err() {
        return false;
    }
    let answer = client.response().await;
    if answer.status == 0 {
        return false;
    }
    check(&answer);
    true
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
