//! The audit log of a process that is killed under load, and of one whose disk is full.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use postern_audit::{PublishedEntries, SystemDisk};
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::Value;
use tokio::task::JoinSet;

use super::client::Client;
use super::process::{Process, policy};
use super::{count, origin};

/// How many clients ask at once.
const CLIENTS: usize = 8;

/// What clients saw. Each request has a name of its own, which the log has to know.
#[derive(Default)]
struct Seen {
    next: AtomicUsize,
    completed: Mutex<BTreeSet<String>>,
    stop: AtomicBool,
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_was_answered_is_on_record_however_often_it_is_killed() {
    let kills = count("POSTERN_KILLS", 5);
    let origin = origin::start().await;
    let seen = Arc::new(Seen::default());
    let mut folder = tempfile::tempdir().unwrap();
    for life in 0..kills {
        let process = Process::start_with(folder, origin, None, &policy("hidden")).await;
        let clients = ask_until_told(process.data, &seen);
        // Lives of different lengths, so that the end comes at different moments of a batch.
        tokio::time::sleep(Duration::from_millis(20 + (life as u64 * 37) % 90)).await;
        folder = process.killed();
        seen.stop.store(true, Ordering::SeqCst);
        clients.join_all().await;
    }
    // One more life repairs, publishes and stops well.
    let process = Process::start_with(folder, origin, None, &policy("hidden")).await;
    let folder = process.stopped();
    let entries = entries(&folder.path().join("state/audit"));
    assert_eq!(
        entries.last().unwrap()["activity_id"],
        7,
        "it ends with a Stop"
    );
    let mut outcomes: BTreeMap<String, usize> = BTreeMap::new();
    for (index, entry) in entries.iter().enumerate() {
        assert_eq!(entry["metadata"]["sequence"], index, "no index twice");
        let details = &entry["unmapped"]["postern"];
        if details["phase"] == "outcome" && details["outcome"] == "allowed" {
            let subject = entry["actor"]["user"]["uid"].as_str().unwrap().to_owned();
            *outcomes.entry(subject).or_default() += 1;
        }
    }
    let completed = seen.completed.lock().unwrap();
    let missing = completed
        .iter()
        .filter(|subject| !outcomes.contains_key(*subject));
    assert_eq!(missing.count(), 0, "answered and not on record");
    assert!(outcomes.values().all(|times| *times == 1), "recorded twice");
    let restarts = entries
        .iter()
        .filter(|entry| entry["activity_id"] == 8 && entry["class_uid"] == 1008);
    println!(
        "audited: {kills} kills, {} answers, all of them among {} outcomes of {} entries; {} torn tails repaired",
        completed.len(),
        outcomes.len(),
        entries.len(),
        restarts.count()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_full_disk_nothing_is_answered_and_afterwards_the_log_goes_on() {
    let origin = origin::start().await;
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start_with(folder, origin, None, &policy("hidden")).await;
    let status = async || Client::get_once(process.data, "/cases/1").await.status;
    assert_eq!(status().await, 200);
    // No file may grow beyond what one more entry would need.
    let process_id = Pid::from_child(&process.child);
    let limit = |bytes| Rlimit {
        current: bytes,
        maximum: None,
    };
    prlimit(Some(process_id), Resource::Fsize, limit(Some(64))).unwrap();
    for _ in 0..3 {
        let refused = Client::get_once(process.data, "/cases/1").await;
        assert_eq!(refused.status, 503, "{}", process.log());
        let body = String::from_utf8(refused.body).unwrap();
        assert!(
            body.contains("urn:postern:problem:audit-unavailable"),
            "{body}"
        );
        assert!(!body.contains(origin::CANARY));
    }
    prlimit(Some(process_id), Resource::Fsize, limit(None)).unwrap();
    assert_eq!(status().await, 200, "{}", process.log());
    let folder = process.stopped();
    let entries = entries(&folder.path().join("state/audit"));
    assert_eq!(
        entries.last().unwrap()["activity_id"],
        7,
        "it ends with a Stop"
    );
    for (index, entry) in entries.iter().enumerate() {
        assert_eq!(entry["metadata"]["sequence"], index);
    }
    let answered = entries.iter().filter(|entry| {
        let details = &entry["unmapped"]["postern"];
        details["phase"] == "outcome" && details["outcome"] == "allowed"
    });
    assert_eq!(answered.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_running_postern_changes_its_key_and_goes_on() {
    let origin = origin::start().await;
    let folder = tempfile::tempdir().unwrap();
    let process = Process::start_with(folder, origin, None, &policy("hidden")).await;
    let status = async || Client::get_once(process.data, "/cases/1").await.status;
    assert_eq!(status().await, 200);
    let rotated = process.postern(&["audit", "rotate-key", "-o", "json"]);
    let rotated: Value = serde_json::from_slice(&rotated.stdout).unwrap();
    assert_eq!(status().await, 200);
    let keys = process.postern(&["audit", "keys"]);
    let keys = String::from_utf8(keys.stdout).unwrap();
    let last = keys.lines().last().unwrap().trim_start_matches("log ");
    assert_eq!(rotated["key"], last);
    let folder = process.stopped();
    let entries = entries(&folder.path().join("state/audit"));
    let index = usize::try_from(rotated["index"].as_u64().unwrap()).unwrap();
    assert_eq!(entries[index]["activity_id"], 5);
    assert_eq!(entries[index]["unmapped"]["postern"]["next_key"], last);
    assert!(
        entries.len() > index + 2,
        "and what came after is signed with it"
    );
}

/// Every published entry of a log, in order.
pub(crate) fn entries(log: &Path) -> Vec<Value> {
    let mut entries = Vec::new();
    each_entry(log, |entry| entries.push(entry));
    entries
}

/// Reads a log entry by entry: one of an hour does not fit into memory.
pub(crate) fn each_entry(log: &Path, mut take: impl FnMut(Value)) {
    let disk = SystemDisk::new(log.to_owned());
    for read in PublishedEntries::open(&disk, 0).unwrap() {
        take(serde_json::from_slice(&read.unwrap().1).unwrap());
    }
}

fn ask_until_told(data: SocketAddr, seen: &Arc<Seen>) -> JoinSet<()> {
    seen.stop.store(false, Ordering::SeqCst);
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let seen = Arc::clone(seen);
        clients.spawn(async move {
            let mut client = Client::connect(data).await;
            while !seen.stop.load(Ordering::SeqCst) {
                let subject = format!("s{}", seen.next.fetch_add(1, Ordering::SeqCst));
                if client.try_send_as(&subject, "/cases/1").await.is_err() {
                    return;
                }
                let response = client.response().await;
                if response.status != 200 || !response.complete {
                    return;
                }
                seen.completed.lock().unwrap().insert(subject);
            }
        });
    }
    clients
}
