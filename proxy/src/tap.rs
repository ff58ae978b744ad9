//! Live decisions for `postern tap`: what the decision log says of each exchange that ends, handed to
//! whoever watches at that moment.
//!
//! ```text
//! Exchange ends ─▶ tell ─▶ [ the last 1024 decisions ] ─▶ Watcher 1 ─▶ admin listener
//!                    └ nobody watches: nothing            └▶ Watcher 2 (slow: skips, and is told how many)
//! ```
//!
//! Guarantees: it never waits, and costs one load of a number while nobody watches; what is kept for slow
//! watchers is bounded, and so is their number; it holds what a decision line holds, and no more (D15).

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use postern_audit::AuditEntry;
use serde::Serialize;
use tokio::sync::broadcast;
use tokio::sync::broadcast::error::RecvError;

use crate::clock::{Clock, unix_millis};

/// How many may watch at once.
pub(crate) const TAPS_MAX: usize = 8;
/// How many decisions wait for the slowest watcher; older ones are lost to it.
const DECISIONS_MAX: usize = 1_024;

/// Where decisions can be watched.
#[derive(Debug)]
pub(crate) struct Tap {
    watchers: AtomicUsize,
    decisions: broadcast::Sender<Arc<Decision>>,
}

/// One exchange that has ended.
#[derive(Debug, Serialize)]
pub(crate) struct Decision {
    /// When, in milliseconds since 1970.
    time: u64,
    /// What was decided.
    #[serde(flatten)]
    pub(crate) entry: AuditEntry,
}

/// What a watcher sees next.
#[derive(Debug)]
pub(crate) enum Seen {
    /// A decision.
    Decision(Arc<Decision>),
    /// So many decisions came and went while it did not look.
    Lost(u64),
}

/// Somebody who watches. Dropping it gives the place back.
#[derive(Debug)]
pub(crate) struct Watcher {
    tap: Arc<Tap>,
    decisions: broadcast::Receiver<Arc<Decision>>,
}

impl Default for Tap {
    fn default() -> Self {
        Self {
            watchers: AtomicUsize::new(0),
            decisions: broadcast::Sender::new(DECISIONS_MAX),
        }
    }
}

impl Tap {
    /// An exchange has ended; whoever watches is shown how.
    pub(crate) fn tell(&self, entry: &AuditEntry, clock: &dyn Clock) {
        if self.watchers.load(Ordering::Relaxed) == 0 {
            return;
        }
        let decision = Decision {
            time: unix_millis(clock.wall()),
            entry: entry.clone(),
        };
        // The last watcher may just have left.
        drop(self.decisions.send(Arc::new(decision)));
    }

    /// Begins to watch; none where enough do already.
    pub(crate) fn watch(self: &Arc<Self>) -> Option<Watcher> {
        let more = |watching: usize| (watching < TAPS_MAX).then_some(watching + 1);
        let counted = self
            .watchers
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        counted.ok().map(|_before| Watcher {
            tap: Arc::clone(self),
            decisions: self.decisions.subscribe(),
        })
    }
}

impl Watcher {
    /// Waits for what comes next; none when there is nothing to come.
    pub(crate) async fn next(&mut self) -> Option<Seen> {
        match self.decisions.recv().await {
            Ok(decision) => Some(Seen::Decision(decision)),
            Err(RecvError::Lagged(lost)) => Some(Seen::Lost(lost)),
            Err(RecvError::Closed) => None,
        }
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        self.tap.watchers.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::SystemClock;

    fn decision(number: usize) -> AuditEntry {
        AuditEntry {
            bytes_out: number as u64,
            ..AuditEntry::default()
        }
    }

    #[tokio::test]
    async fn a_slow_watcher_is_told_how_many_it_lost_and_nobody_waits() {
        let tap = Arc::new(Tap::default());
        tap.tell(&decision(0), &SystemClock);
        let mut watcher = tap.watch().unwrap();
        for number in 1..=DECISIONS_MAX + 5 {
            tap.tell(&decision(number), &SystemClock);
        }
        assert!(matches!(watcher.next().await, Some(Seen::Lost(5))));
        let Some(Seen::Decision(next)) = watcher.next().await else {
            panic!("the oldest that is kept");
        };
        assert_eq!(next.entry.bytes_out, 6);
        assert!(next.time > 1_700_000_000_000);
    }

    #[test]
    fn watchers_are_few_and_give_their_place_back() {
        let tap = Arc::new(Tap::default());
        let mut watchers: Vec<_> = (0..TAPS_MAX).map(|_| tap.watch().unwrap()).collect();
        assert!(tap.watch().is_none());
        watchers.pop();
        assert!(tap.watch().is_some());
        drop(watchers);
        assert_eq!(tap.watchers.load(Ordering::Relaxed), 0);
    }
}
