//! The store is killed, or cut off, while clients work and an export runs: nobody is let in meanwhile, the
//! export is cut, and afterwards sessions go on as the store knows them. What it has lost is lost.
//!
//! It prints times and asserts none: `POSTERN_OUTAGES=20 cargo test -p postern-proxy --test proofs outage --
//! --nocapture`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use postern_proxy::clock::{Clock as _, SystemClock};
use tokio::task::JoinSet;

use super::download::Download;
use super::stage::{Held, ask, refused, replica, served, told};
use super::store::StoreServer;
use crate::client::Client;
use crate::process::Process;
use crate::{count, origin};

/// How many clients ask again and again.
const CLIENTS: usize = 4;
/// Whoever waits longer than this for the store to be noticed again, waits for nothing.
const PATIENCE: Duration = Duration::from_secs(60);

/// One request of a client that works.
struct Asked {
    began: Instant,
    ended: Instant,
    told: (u16, String),
}

/// Clients that work until they are stopped.
struct Work {
    asked: Arc<Mutex<Vec<Asked>>>,
    stop: Arc<AtomicBool>,
    clients: JoinSet<()>,
}

impl Work {
    fn start(at: &Process, held: &Held) -> Self {
        let (asked, stop) = (Arc::<Mutex<Vec<Asked>>>::default(), Arc::default());
        let mut clients = JoinSet::new();
        for _ in 0..CLIENTS {
            let (asked, stop) = (Arc::clone(&asked), Arc::<AtomicBool>::clone(&stop));
            let (address, cookie) = (at.data, held.cookie());
            clients.spawn(async move {
                while !stop.load(Ordering::SeqCst) {
                    let began = SystemClock.monotonic();
                    let mut client = Client::connect(address).await.with(&cookie);
                    let told = told(&client.get("/own/1").await);
                    let ended = SystemClock.monotonic();
                    asked.lock().unwrap().push(Asked { began, ended, told });
                }
            });
        }
        Self {
            asked,
            stop,
            clients,
        }
    }

    async fn stopped(mut self) -> Vec<Asked> {
        self.stop.store(true, Ordering::SeqCst);
        while let Some(client) = self.clients.join_next().await {
            client.unwrap();
        }
        std::mem::take(&mut *self.asked.lock().unwrap())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_store_is_cut_off_or_gone_nobody_is_let_in_and_what_runs_is_cut() {
    let Some(mut store) = StoreServer::start() else {
        return;
    };
    let origin = origin::start().await;
    for _ in 0..count("POSTERN_OUTAGES", 1) {
        for what in ["cut off", "killed"] {
            let (one, other) = (replica(&store, origin).await, replica(&store, origin).await);
            let held = Held::by_login(&one, "").await;
            outage(what, &mut store, (&one, &other), &held).await;
            assert_eq!(held.get(&other, "/logout").await, served());
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_has_lost_is_served_from_no_memory() {
    let Some(store) = StoreServer::start() else {
        return;
    };
    let origin = origin::start().await;
    let (one, other) = (replica(&store, origin).await, replica(&store, origin).await);
    let held = Held::by_login(&one, "").await;
    for at in [&one, &other] {
        assert_eq!(held.get(at, "/own/1").await, served());
    }
    store.tell(&["FLUSHALL"]).await;
    for at in [&one, &other] {
        let unknown = refused(401, "session-missing");
        assert_eq!(held.get(at, "/own/1").await, unknown);
    }
    let again = Held::by_login(&other, &held.cookie()).await;
    assert_eq!(again.get(&one, "/own/1").await, served());
}

async fn outage(
    what: &str,
    store: &mut StoreServer,
    (one, other): (&Process, &Process),
    held: &Held,
) {
    let export = Download::start(other, held).await;
    let work = Work::start(other, held);
    match what {
        "killed" => store.kill(),
        _ => store.pause(),
    }
    let down = SystemClock.monotonic();
    let end = export.cut().await;
    for at in [one, other] {
        let nobody = refused(503, "store-unavailable");
        assert_eq!(held.get(at, "/own/1").await, nobody);
        assert_eq!(told(&ask(at, "", "/login").await), nobody, "no login");
        assert_eq!(held.get(at, "/logout").await, nobody, "no logout");
    }
    let back = SystemClock.monotonic();
    match what {
        "killed" => store.restart(),
        _ => store.resume(),
    }
    served_again(one, held).await;
    served_again(other, held).await;
    let served = SystemClock.monotonic();
    let asked = work.stopped().await;
    let (requests, slowest) = all_refused(&asked, (down, back));
    println!(
        "outage, the store is {what}: {requests} requests refused, each within {} ms; the export was cut after \
         {} ms; served again {} ms after the store was back",
        slowest.as_millis(),
        end.at.saturating_duration_since(down).as_millis(),
        served.saturating_duration_since(back).as_millis()
    );
}

/// Whether each request that fell into the outage was refused, and no other answer was ever given than a
/// right one or that refusal; how many there were, and how long the slowest took.
fn all_refused(asked: &[Asked], (down, back): (Instant, Instant)) -> (usize, Duration) {
    let nobody = refused(503, "store-unavailable");
    for one in asked {
        assert!(one.told == served() || one.told == nobody, "{:?}", one.told);
    }
    let within = asked
        .iter()
        .filter(|one| one.began >= down && one.ended <= back);
    let mut slowest = Duration::ZERO;
    let mut requests = 0;
    for one in within {
        assert_eq!(one.told, nobody, "without the store");
        slowest = slowest.max(one.ended.saturating_duration_since(one.began));
        requests += 1;
    }
    assert!(requests > 0, "nobody asked meanwhile");
    (requests, slowest)
}

/// Asks until the store is known to answer again.
async fn served_again(at: &Process, held: &Held) {
    let asking = async {
        loop {
            match held.get(at, "/own/1").await {
                (200, _) => return,
                told => assert_eq!(told, refused(503, "store-unavailable")),
            }
        }
    };
    let served = tokio::time::timeout(PATIENCE, asking).await;
    served.expect("the store is noticed again");
}
