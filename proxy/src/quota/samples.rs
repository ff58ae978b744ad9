//! Quotas, askers and a clock for the tests of this folder.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use super::key::Who;
use super::quotas::{QuotaFinding, QuotaWatcher};
use super::terms::{Applied, IfStoreIsDown, OnExceed, PastLimit, Per, Quota, Terms, Unit};
use crate::clock::{Clock, SystemClock};

/// A clock that the test moves. It begins a day from now, so that what a server is told to keep until
/// then is kept.
#[derive(Debug)]
pub(super) struct HandClock {
    monotonic: Instant,
    moved: Mutex<Moved>,
}

#[derive(Debug)]
struct Moved {
    monotonic: Duration,
    wall: SystemTime,
}

impl HandClock {
    pub(super) fn new() -> Arc<Self> {
        let moved = Moved {
            monotonic: Duration::ZERO,
            wall: SystemClock.wall() + Duration::from_secs(86_400),
        };
        Arc::new(Self {
            monotonic: SystemClock.monotonic(),
            moved: Mutex::new(moved),
        })
    }

    /// Lets time pass.
    pub(super) fn pass(&self, time: Duration) {
        let mut moved = self.moved.lock().unwrap();
        moved.monotonic += time;
        moved.wall += time;
    }

    /// Lets time pass while the wall clock stands still.
    pub(super) fn pass_frozen(&self, time: Duration) {
        self.moved.lock().unwrap().monotonic += time;
    }

    /// Sets the wall clock back.
    pub(super) fn step_back(&self, time: Duration) {
        self.moved.lock().unwrap().wall -= time;
    }

    /// Sets the wall clock forward.
    pub(super) fn step_forward(&self, time: Duration) {
        self.moved.lock().unwrap().wall += time;
    }
}

impl Clock for HandClock {
    fn wall(&self) -> SystemTime {
        self.moved.lock().unwrap().wall
    }

    fn monotonic(&self) -> Instant {
        self.monotonic + self.moved.lock().unwrap().monotonic
    }
}

/// Remembers what was found, without whom.
#[derive(Debug, Default)]
pub(super) struct Findings {
    found: Mutex<Vec<&'static str>>,
}

impl Findings {
    pub(super) fn take(&self) -> Vec<&'static str> {
        std::mem::take(&mut self.found.lock().unwrap())
    }
}

impl QuotaWatcher for Findings {
    fn found(&self, finding: &QuotaFinding<'_>) {
        self.found.lock().unwrap().push(match finding {
            QuotaFinding::Warned { .. } => "warned",
            QuotaFinding::Exceeded { .. } => "exceeded",
            QuotaFinding::StoreDown { .. } => "down",
            QuotaFinding::StoreBack => "back",
        });
    }
}

/// A folder for files that need not outlive the machine: in memory, where there is such a place.
pub(super) fn folder() -> tempfile::TempDir {
    let memory = std::path::Path::new("/dev/shm");
    if memory.is_dir() {
        return tempfile::tempdir_in(memory).unwrap();
    }
    tempfile::tempdir().unwrap()
}

/// A quota over an hour.
pub(super) fn quota(unit: Unit, per: Per) -> Quota {
    Quota {
        name: "export".to_owned(),
        unit,
        per,
        limit: postern_config::quota::Limits::default(),
        window: Duration::from_secs(3_600),
        warn_at: None,
        on_exceed: OnExceed::Deny,
        if_store_is_down: IfStoreIsDown::Deny,
    }
}

/// A quota per identity, under its unit's name.
pub(super) fn applied(unit: Unit, limit: u64, on_exceed: OnExceed) -> Applied {
    let name = unit.word().to_owned();
    let quota = Quota {
        name,
        on_exceed,
        ..quota(unit, Per::Identity)
    };
    Applied {
        quota: Arc::new(quota),
        limit,
    }
}

/// Terms over an hour.
pub(super) fn terms(limit: u64) -> Terms {
    Terms {
        limit,
        window: Duration::from_secs(3_600),
        warn_from: None,
        past_limit: PastLimit::Refused,
    }
}

/// Somebody.
pub(super) fn who(subject: &str) -> Who<'_> {
    Who {
        issuer: "https://login.example",
        subject,
        tenant: None,
        roles: &[],
        session: None,
    }
}
