//! Where a life takes place: the store, the replicas, and what is delivered.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use super::checker::{Event, Totals, judge};
use super::dice::Dice;
use super::mortal::{Confirmed, Mortal};
use crate::clock::Clock as _;
use crate::quota::conformance::PATIENCE;
use crate::quota::embedded::EmbeddedLedger;
use crate::quota::key::{QuotaKey, Who};
use crate::quota::ledger::Ledger;
use crate::quota::quotas::{QuotaOptions, Quotas};
use crate::quota::samples::{self, Findings, HandClock};
use crate::quota::server::Server;
use crate::quota::shared::SharedLedger;
use crate::quota::terms::{Applied, OnExceed, Per, Quota, Unit};

/// The most records of one page.
pub(super) const PAGE_MAX: u64 = 30;
/// The bytes of one record.
pub(super) const RECORD_BYTES: u64 = 10;
/// The most clients of one life.
pub(super) const CLIENTS_MAX: u64 = 8;
const REPLICAS: usize = 3;

/// What a store is kept in.
pub(super) enum Backing {
    Folder(tempfile::TempDir),
    Server(Arc<tokio::sync::Mutex<Server>>),
}

/// A process that answers clients.
#[derive(Clone)]
pub(super) struct Replica {
    pub(super) quotas: Quotas,
    pub(super) alive: Arc<AtomicBool>,
}

/// See the module's documentation.
pub(super) struct World {
    pub(super) quotas: Vec<Applied>,
    pub(super) people: Vec<String>,
    pub(super) totals: Mutex<Totals>,
    pub(super) window: Duration,
    pub(super) deadline: Duration,
    /// The clock of the replicas.
    pub(super) clock: Arc<HandClock>,
    /// Whether that was set forward since the store was opened.
    pub(super) stepped_forward: AtomicBool,
    /// The clock of the server.
    pub(super) server_clock: Arc<HandClock>,
    pub(super) server: Option<Arc<tokio::sync::Mutex<Server>>>,
    /// Held by whoever lets the store pause.
    pub(super) gate: Arc<tokio::sync::RwLock<()>>,
    /// Held while something leaves, and alone by whoever ends a replica or moves time.
    pub(super) leaving: RwLock<()>,
    confirmed: Confirmed,
    limits: BTreeMap<String, u64>,
    events: Mutex<Vec<Event>>,
    ledger: tokio::sync::RwLock<Arc<dyn Ledger>>,
    replicas: RwLock<Vec<Replica>>,
    file: Option<std::path::PathBuf>,
    began: Instant,
    /// By how much ledger time may have run ahead of the monotonic clock.
    ahead_ms: Mutex<u64>,
}

fn applied(dice: &mut Dice, unit: Unit, per: Per, most: u64, window: Duration) -> Applied {
    let truncates = matches!(unit, Unit::Records | Unit::Subjects) && dice.in_thousand(500);
    let quota = Quota {
        name: format!("{} per {}", unit.word(), per.word()),
        window,
        on_exceed: if truncates {
            OnExceed::Truncate
        } else {
            OnExceed::Deny
        },
        ..samples::quota(unit, per)
    };
    Applied {
        quota: Arc::new(quota),
        limit: dice.between(1, most),
    }
}

fn some_quotas(dice: &mut Dice, window: Duration) -> Vec<Applied> {
    let mut quotas = vec![
        applied(dice, Unit::Records, Per::Identity, 300, window),
        applied(dice, Unit::Subjects, Per::Identity, 80, window),
    ];
    for (unit, per, most) in [
        (Unit::Records, Per::Tenant, 600),
        (Unit::Subjects, Per::Tenant, 100),
        (Unit::Requests, Per::Identity, 40),
        (Unit::Bytes, Per::Tenant, 6_000),
    ] {
        if dice.in_thousand(400) {
            quotas.push(applied(dice, unit, per, most, window));
        }
    }
    quotas
}

impl World {
    pub(super) async fn begin(backing: &Backing, dice: &mut Dice) -> Arc<Self> {
        let seconds = [6, 60, 3_600];
        let window = Duration::from_secs(seconds[usize::try_from(dice.between(0, 2)).unwrap()]);
        let quotas = some_quotas(dice, window);
        let life = dice.roll();
        let people: Vec<_> = (0..dice.between(1, 3))
            .map(|person| format!("{person}-{life}"))
            .collect();
        let (server, file) = match backing {
            Backing::Folder(folder) => (None, Some(folder.path().join(format!("{life}.redb")))),
            Backing::Server(server) => (Some(Arc::clone(server)), None),
        };
        let clock = HandClock::new();
        let server_clock = HandClock::new();
        let ledger: Arc<dyn Ledger> = match (&server, &file) {
            (Some(server), _) => {
                let url = server.lock().await.url();
                let time = server_clock.clone();
                Arc::new(
                    SharedLedger::open_telling(&url, PATIENCE, time)
                        .await
                        .unwrap(),
                )
            }
            (None, Some(file)) => Arc::new(EmbeddedLedger::open(file, clock.clone()).unwrap()),
            (None, None) => panic!("every store is kept in something"),
        };
        let mut world = Self {
            totals: Mutex::default(),
            window,
            deadline: Duration::from_millis(if dice.in_thousand(100) { 20 } else { 10_000 }),
            began: clock.monotonic(),
            clock,
            stepped_forward: AtomicBool::new(false),
            server_clock,
            server,
            gate: Arc::default(),
            leaving: RwLock::default(),
            confirmed: Confirmed::default(),
            limits: BTreeMap::new(),
            events: Mutex::default(),
            ledger: tokio::sync::RwLock::new(ledger),
            replicas: RwLock::default(),
            file,
            ahead_ms: Mutex::default(),
            people,
            quotas,
        };
        for person in &world.people {
            for applied in &world.quotas {
                let key = QuotaKey::new(&applied.quota, &world.who(person));
                world.limits.insert(key.text().to_owned(), applied.limit);
            }
        }
        for _ in 0..REPLICAS {
            let replica = world.replica().await;
            world.replicas.write().unwrap().push(replica);
        }
        Arc::new(world)
    }

    /// Everybody is of one tenant.
    pub(super) fn who<'a>(&'a self, subject: &'a str) -> Who<'a> {
        let tenant = self.people.first().map(String::as_str);
        Who {
            tenant,
            ..samples::who(subject)
        }
    }

    /// The keys on which units of a kind that this person receives count.
    pub(super) fn keys(&self, unit: Unit, person: &str) -> Vec<String> {
        let who = self.who(person);
        let counting = self
            .quotas
            .iter()
            .filter(|applied| applied.quota.unit == unit);
        counting
            .map(|applied| QuotaKey::new(&applied.quota, &who).text().to_owned())
            .collect()
    }

    pub(super) fn any_replica(&self, dice: &mut Dice) -> Replica {
        let replicas = self.replicas.read().unwrap();
        replicas[usize::try_from(dice.roll() % REPLICAS as u64).unwrap()].clone()
    }

    async fn replica(&self) -> Replica {
        let alive = Arc::new(AtomicBool::new(true));
        let ledger = Mortal {
            inner: Arc::clone(&*self.ledger.read().await),
            alive: Arc::clone(&alive),
            confirmed: Arc::clone(&self.confirmed),
            gate: Arc::clone(&self.gate),
        };
        let mut options = QuotaOptions::new(self.clock.clone(), Arc::new(Findings::default()));
        options.deadline = self.deadline;
        Replica {
            quotas: Quotas::on(Arc::new(ledger), options),
            alive,
        }
    }

    /// Kills one replica with all that it holds, and starts another in its place.
    pub(super) async fn kill(&self, index: usize) {
        let another = self.replica().await;
        let _alone = self.leaving.write().unwrap();
        let killed = std::mem::replace(&mut self.replicas.write().unwrap()[index], another);
        killed.alive.store(false, Ordering::SeqCst);
        self.totals.lock().unwrap().kills += 1;
        // All that it may have had in hand: a lease, topped up ahead of need, and a page per client.
        let mut confirmed = self.confirmed.lock().unwrap();
        for (key, limit) in &self.limits {
            let pages = CLIENTS_MAX * PAGE_MAX * RECORD_BYTES;
            confirmed.entry(key.clone()).or_default().in_flight +=
                i128::from(limit / 20 * 2 + pages);
        }
    }

    /// Ends the process that keeps the file, and starts it again. With a server, that is the server.
    pub(super) async fn restart_store(&self) {
        self.totals.lock().unwrap().restarts += 1;
        if let Some(server) = &self.server {
            server.lock().await.kill_and_restart();
            return;
        }
        let Some(file) = &self.file else { return };
        let mut ledger = self.ledger.write().await;
        {
            let _alone = self.leaving.write().unwrap();
            for replica in self.replicas.read().unwrap().iter() {
                replica.alive.store(false, Ordering::SeqCst);
            }
        }
        ledger.close().await;
        let opened = EmbeddedLedger::open(file, self.clock.clone());
        *ledger = Arc::new(opened.unwrap());
        if self.stepped_forward.swap(false, Ordering::SeqCst) {
            // Ledger time begins at the wall clock, when that is later: what left before and after this
            // moment need not be in one window.
            *self.ahead_ms.lock().unwrap() += u64::try_from(self.window.as_millis()).unwrap();
        }
        drop(ledger);
        for index in 0..REPLICAS {
            self.kill(index).await;
        }
    }

    pub(super) fn charged_in_flight(&self, keys: &[String], units: i128) {
        let mut confirmed = self.confirmed.lock().unwrap();
        for key in keys {
            confirmed.entry(key.clone()).or_default().in_flight += units;
        }
    }

    /// Notes what leaves now. The caller holds `leaving`.
    pub(super) fn deliver(&self, keys: &[String], units: u64, subjects: &[u64]) {
        let run = self.clock.monotonic() - self.began;
        let at_ms = u64::try_from(run.as_millis()).unwrap() + *self.ahead_ms.lock().unwrap();
        let event = |holder: &String| Event {
            at_ms,
            holder: holder.clone(),
            units,
            subjects: subjects.to_vec(),
        };
        self.events.lock().unwrap().extend(keys.iter().map(event));
    }

    /// Ends the life in peace, and judges it.
    pub(super) async fn end(&self) -> Result<Totals, String> {
        let replicas = self.replicas.read().unwrap().clone();
        for replica in replicas {
            replica.quotas.drain().await;
        }
        let ledger = self.ledger.read().await;
        for (text, limit) in &self.limits {
            let usage = ledger.usage(&QuotaKey::stored(text)).await.unwrap();
            if usage.used > *limit {
                return Err(format!(
                    "{text}: the store counts {} of {limit}",
                    usage.used
                ));
            }
        }
        ledger.close().await;
        if let Some(file) = &self.file {
            std::fs::remove_file(file).unwrap();
        }
        let window_ms = u64::try_from(self.window.as_millis()).unwrap();
        let confirmed = self.confirmed.lock().unwrap();
        let judged = judge(
            &self.limits,
            window_ms,
            &self.events.lock().unwrap(),
            &confirmed,
        )?;
        let mut totals = self.totals.lock().unwrap().clone();
        totals.add(&judged);
        Ok(totals)
    }
}
