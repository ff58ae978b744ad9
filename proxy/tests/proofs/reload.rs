//! Reload under load: no request fails, every response is wholly of one policy, and broken policies
//! change nothing.

use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use super::client::{Client, Response};
use super::process::{Process, policy};
use super::{count, origin};

/// What the requests of one run showed.
#[derive(Default)]
struct Tally {
    old: AtomicUsize,
    new: AtomicUsize,
    failed: AtomicUsize,
    mixed: AtomicUsize,
}

#[tokio::test(flavor = "multi_thread")]
async fn reloads_under_load_fail_no_request_and_mix_no_policy() {
    let requests = count("POSTERN_REQUESTS", 20_000);
    let reloads = count("POSTERN_RELOADS", 30);
    let origin = origin::start().await;
    let process = Arc::new(Process::start(origin, None).await);
    let (tally, stop) = (Arc::new(Tally::default()), Arc::new(AtomicBool::new(false)));
    let load: Vec<_> = (0..16)
        .map(|_| tokio::spawn(load(process.data, Arc::clone(&tally), Arc::clone(&stop))))
        .collect();
    let broken = broken_policies();
    assert!(broken.len() >= 50, "{} broken policies", broken.len());
    let mut refused = 0;
    for round in 0..reloads {
        process.write_policy(&policy(if round % 2 == 0 { "new" } else { "old" }));
        assert_eq!(
            reload(&process).await,
            0,
            "reload {round}: {}",
            process.log()
        );
        let due = broken.len() * (round + 1) / reloads;
        while refused < due {
            process.write_policy(&broken[refused]);
            assert_ne!(
                reload(&process).await,
                0,
                "a broken policy was loaded:\n{}",
                broken[refused]
            );
            refused += 1;
        }
    }
    while tally.total() < requests {
        tokio::task::yield_now().await;
        tokio::time::sleep(std::time::Duration::from_millis(5)).await;
    }
    stop.store(true, Ordering::Relaxed);
    for task in load {
        task.await.unwrap();
    }
    let [old, new, failed, mixed] = [&tally.old, &tally.new, &tally.failed, &tally.mixed]
        .map(|counter| counter.load(Ordering::Relaxed));
    println!(
        "reload: {reloads} reloads, {refused} broken policies refused, {old} old + {new} new responses, {failed} failed, {mixed} mixed"
    );
    assert_eq!((failed, mixed), (0, 0));
    assert!(old > 0 && new > 0, "both policies must have been seen");
}

impl Tally {
    fn total(&self) -> usize {
        self.old.load(Ordering::Relaxed)
            + self.new.load(Ordering::Relaxed)
            + self.failed.load(Ordering::Relaxed)
            + self.mixed.load(Ordering::Relaxed)
    }

    /// Files a response under what it showed.
    fn add(&self, response: &Response) {
        let body = String::from_utf8_lossy(&response.body);
        let (old, new) = (
            body.matches("\"old\"").count(),
            body.matches("\"new\"").count(),
        );
        let counter = match (response.status == 200 && response.complete, old, new) {
            (true, 2, 0) => &self.old,
            (true, 0, 2) => &self.new,
            (true, _, _) => &self.mixed,
            (false, _, _) => &self.failed,
        };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

async fn load(address: std::net::SocketAddr, tally: Arc<Tally>, stop: Arc<AtomicBool>) {
    let mut client = Client::connect(address).await;
    while !stop.load(Ordering::Relaxed) {
        let response = client.get("/cases/7").await;
        tally.add(&response);
        if response.header("connection") == Some("close") || !response.complete {
            client = Client::connect(address).await;
        }
    }
}

async fn reload(process: &Arc<Process>) -> i32 {
    let process = Arc::clone(process);
    tokio::task::spawn_blocking(move || process.reload())
        .await
        .unwrap()
}

/// The committed broken policies.
fn broken_policies() -> Vec<String> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../tests/cases/policy/bad");
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    paths
        .iter()
        .filter_map(|path| fs::read_to_string(path).ok())
        .collect()
}
