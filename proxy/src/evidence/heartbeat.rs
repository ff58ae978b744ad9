//! A sign of life every minute, with what was seen: so that a missing record is arithmetic.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use postern_audit::{Activity, life_entry};
use serde_json::{Map, Value, json};

use super::event::Class;
use super::{Kept, WallClock};
use crate::clock::Clock;

/// How often the log shows that it lives.
const BEAT_EVERY: Duration = Duration::from_secs(60);
/// How often the disk's room is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// What was seen since the process began.
#[derive(Debug, Default)]
pub(super) struct Heartbeat {
    running: AtomicU64,
    calls: AtomicU64,
    malformed: AtomicU64,
}

impl Heartbeat {
    pub(super) fn began(&self) {
        self.running.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn ended(&self, class: Class) {
        match class {
            Class::Call => self.calls.fetch_add(1, Ordering::Relaxed),
            Class::Malformed => self.malformed.fetch_add(1, Ordering::Relaxed),
        };
        self.running.fetch_sub(1, Ordering::Relaxed);
    }

    pub(super) fn struck(&self) {
        self.running.fetch_sub(1, Ordering::Relaxed);
    }

    /// By OCSF class, how many events there were, and how many of them may not be on record yet.
    fn counts(&self) -> Value {
        let running = self.running.load(Ordering::Relaxed);
        let of = |count: &AtomicU64, pending: u64| {
            let seen = count.load(Ordering::Relaxed).saturating_add(pending);
            json!({ "seen": seen, "pending": pending })
        };
        let mut counts = Map::new();
        counts.insert(Class::Call.uid().to_string(), of(&self.calls, running));
        counts.insert(Class::Malformed.uid().to_string(), of(&self.malformed, 0));
        json!({ "heartbeat": counts })
    }
}

/// Beats until the log is closed.
pub(super) async fn run(kept: Weak<Kept>, clock: Arc<dyn Clock>) {
    let mut tick = tokio::time::interval(LOOK_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    let looks_per_beat = BEAT_EVERY.as_secs() / LOOK_EVERY.as_secs();
    let mut looked = 0_u64;
    loop {
        tick.tick().await;
        let Some(kept) = kept.upgrade() else {
            return;
        };
        kept.space.look();
        looked = looked.wrapping_add(1);
        if looked.is_multiple_of(looks_per_beat) {
            let clock = WallClock(Arc::clone(&clock));
            let counts = Some(kept.heartbeat.counts());
            let entry = life_entry(&clock, kept.log.origin(), Activity::Heartbeat, counts);
            let beaten = kept.log.try_append(entry, |result| {
                if let Err(error) = result {
                    tracing::error!(%error, "the audit log could not show that it lives");
                }
            });
            if let Err(error) = beaten {
                tracing::error!(%error, "the audit log takes no entries");
            }
        }
    }
}
