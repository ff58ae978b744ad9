//! `kill -9` under load, again and again: the quota goes on where it was, and is never filled anew.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::task::JoinSet;

use super::client::Client;
use super::process::{Process, policy, quotas};
use super::{count, origin};

/// How many clients ask at once.
const CLIENTS: usize = 8;
/// How many records each life of the process may deliver on the average.
const PER_LIFE: usize = 60;

/// What clients saw.
#[derive(Default)]
struct Seen {
    delivered: AtomicUsize,
    refused: AtomicUsize,
    stop: AtomicBool,
}

#[tokio::test(flavor = "multi_thread")]
async fn kill_under_load_never_fills_a_quota_anew() {
    let kills = count("POSTERN_KILLS", 5);
    let limit = kills * PER_LIFE;
    let quotas = format!(
        "quotas:\n  a-day: {{ unit: records, per: identity, window: 24h, limit: {{ agent: {limit} }} }}\n"
    );
    let policy = format!("{}{quotas}", policy("hidden"));
    let origin = origin::start().await;
    let seen = Arc::new(Seen::default());
    let mut folder = tempfile::tempdir().unwrap();
    for life in 0..kills {
        let process = Process::start_with(folder, origin, None, &policy).await;
        let clients = ask_until_told(process.data, &seen);
        // Lives of different lengths, so that the end comes at different moments of a charge.
        tokio::time::sleep(Duration::from_millis(40 + (life as u64 * 37) % 90)).await;
        folder = process.killed();
        finished(clients, &seen).await;
    }
    let delivered = seen.delivered.load(Ordering::SeqCst);
    assert!(delivered <= limit, "{delivered} delivered of {limit}");
    let (refused, folder) = drained(folder, origin, &policy, &seen).await;
    assert_eq!(
        stored(&folder),
        limit,
        "the store itself says what was charged"
    );
    let delivered_in_all = seen.delivered.load(Ordering::SeqCst);
    assert!(delivered_in_all <= limit, "{delivered_in_all} of {limit}");
    // A kill loses at most a lease, a twentieth of the limit, and what each client waits for.
    let lost_max = kills * (limit / 20 + CLIENTS);
    assert!(
        delivered_in_all + lost_max >= limit,
        "{delivered_in_all} of {limit}: more was charged than was in flight"
    );
    assert!(refused > 0);
    println!(
        "killed: {kills} kills, {delivered} delivered until then, {delivered_in_all} of {limit} in all, \
         then only 429"
    );
}

/// Starts once more and asks until the quota is used up; how often it was refused then, and the folder
/// of what was killed at last.
async fn drained(
    folder: tempfile::TempDir,
    origin: SocketAddr,
    policy: &str,
    seen: &Seen,
) -> (usize, tempfile::TempDir) {
    let process = Process::start_with(folder, origin, None, policy).await;
    let mut refused = 0;
    while refused < 20 {
        let response = Client::get_once(process.data, "/cases/1").await;
        match response.status {
            200 => {
                assert_eq!(refused, 0, "something was left again");
                seen.delivered.fetch_add(1, Ordering::SeqCst);
            }
            429 => refused += 1,
            other => panic!("{other}: {}", process.log()),
        }
    }
    (refused, process.killed())
}

/// What the store says was charged, while no Postern runs.
fn stored(folder: &tempfile::TempDir) -> usize {
    let listing = quotas(folder.path());
    let count = &listing["quotas"][0];
    assert_eq!(count["limit"]["agent"], count["used"]);
    usize::try_from(count["used"].as_u64().unwrap()).unwrap()
}

fn ask_until_told(data: SocketAddr, seen: &Arc<Seen>) -> JoinSet<()> {
    seen.stop.store(false, Ordering::SeqCst);
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let seen = Arc::clone(seen);
        clients.spawn(async move {
            let mut client = Client::connect(data).await;
            while !seen.stop.load(Ordering::SeqCst) {
                if client.try_send("/cases/1").await.is_err() {
                    return;
                }
                // Also what was cut by the kill has been delivered in part.
                match client.response().await.status {
                    200 => seen.delivered.fetch_add(1, Ordering::SeqCst),
                    429 => seen.refused.fetch_add(1, Ordering::SeqCst),
                    _ => return,
                };
            }
        });
    }
    clients
}

async fn finished(mut clients: JoinSet<()>, seen: &Seen) {
    seen.stop.store(true, Ordering::SeqCst);
    while let Some(client) = clients.join_next().await {
        client.unwrap();
    }
}
