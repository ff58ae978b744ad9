//! How the log is, for metrics: what became of entries, what waits, and how much room there is.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Weak};

use super::{Evidence, Kept};

/// What became of the entries of this process.
#[derive(Debug, Default)]
pub(super) struct Tally {
    written: AtomicU64,
    failed: AtomicU64,
    failing: AtomicBool,
}

/// How the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Health {
    /// Entries that became durable.
    pub(crate) written: u64,
    /// Entries that did not.
    pub(crate) failed: u64,
    /// Entries that wait.
    pub(crate) queued: usize,
    /// The last entry could not be written, or none can be any more.
    pub(crate) failing: bool,
    /// The share of the disk that is free, in percent.
    pub(crate) free_percent: u8,
}

impl Tally {
    /// An entry is durable, or could not be written.
    pub(super) fn written(&self, durable: bool) {
        self.failing.store(!durable, Ordering::Relaxed);
        let counted = if durable { &self.written } else { &self.failed };
        counted.fetch_add(1, Ordering::Relaxed);
    }

    /// An entry did not even reach the queue.
    pub(super) fn shed(&self) {
        self.failed.fetch_add(1, Ordering::Relaxed);
    }

    /// Whether the last entry could not be written.
    pub(super) fn is_failing(&self) -> bool {
        self.failing.load(Ordering::Relaxed)
    }
}

/// The log as somebody sees it who does not keep it open.
#[derive(Debug, Clone, Default)]
pub(crate) struct Watched(Weak<Kept>);

impl Watched {
    /// How the log is; none where none is kept, or not any more.
    pub(crate) fn health(&self) -> Option<Health> {
        let kept = self.0.upgrade()?;
        Some(Health {
            written: kept.tally.written.load(Ordering::Relaxed),
            failed: kept.tally.failed.load(Ordering::Relaxed),
            queued: kept.log.queued(),
            failing: kept.tally.is_failing() || kept.log.is_poisoned(),
            free_percent: kept.space.free_percent(),
        })
    }
}

impl Evidence {
    /// The same for whoever wants to know how it is.
    pub(crate) fn watched(&self) -> Watched {
        Watched(self.kept.as_ref().map(Arc::downgrade).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fails_until_an_entry_is_durable_again() {
        let tally = Tally::default();
        tally.written(false);
        tally.shed();
        assert!(tally.is_failing());
        tally.written(true);
        assert!(!tally.is_failing());
        assert_eq!(tally.written.load(Ordering::Relaxed), 1);
        assert_eq!(tally.failed.load(Ordering::Relaxed), 2);
    }
}
