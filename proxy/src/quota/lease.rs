//! A share of a count that this process may spend without asking the ledger.
//!
//! Spending is one atomic step. A lease is only good until its bucket of ledger time ends, and is
//! closed exactly once, by whoever returns or replaces it: what is left then belongs to the closer,
//! and nobody spends or puts back after.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::ledger::Mark;

/// What stands in a lease that was closed. No grant is ever that large.
const CLOSED: u64 = u64::MAX;

/// Units that were charged and not yet spent.
#[derive(Debug)]
pub(super) struct Lease {
    left: AtomicU64,
    mark: Mark,
    good_until: Option<Instant>,
    spare: u64,
}

impl Lease {
    /// A lease of `left` units, of which `spare` are more than was needed when it was taken.
    pub(super) fn new(left: u64, mark: Mark, good_until: Instant) -> Self {
        Self {
            left: AtomicU64::new(left.min(CLOSED - 1)),
            mark,
            good_until: Some(good_until),
            spare: left,
        }
    }

    /// No lease at all: closed from the beginning.
    pub(super) fn none() -> Self {
        Self {
            left: AtomicU64::new(CLOSED),
            mark: Mark::default(),
            good_until: None,
            spare: 0,
        }
    }

    /// To what the units were charged.
    pub(super) const fn mark(&self) -> Mark {
        self.mark
    }

    /// Until when they may be spent.
    pub(super) const fn good_until(&self) -> Option<Instant> {
        self.good_until
    }

    /// Whether they may still be spent.
    pub(super) fn is_good(&self, now: Instant) -> bool {
        self.good_until.is_some_and(|end| now < end)
    }

    /// How many are left; none in a closed lease.
    pub(super) fn left(&self) -> u64 {
        match self.left.load(Ordering::Acquire) {
            CLOSED => 0,
            left => left,
        }
    }

    /// Spends `units`, all or none, and says how many are left then.
    pub(super) fn spend(&self, units: u64, now: Instant) -> Option<u64> {
        if !self.is_good(now) {
            return None;
        }
        let step = |left: u64| (left != CLOSED).then(|| left.checked_sub(units)).flatten();
        let before = self
            .left
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, step)
            .ok()?;
        Some(before.saturating_sub(units))
    }

    /// Puts back what was spent of this lease and has not left. False when it was closed: then the
    /// ledger has to be told.
    pub(super) fn put_back(&self, units: u64) -> bool {
        let step = |left: u64| (left != CLOSED).then(|| left.saturating_add(units).min(CLOSED - 1));
        self.left
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, step)
            .is_ok()
    }

    /// Closes the lease and hands over what was left.
    pub(super) fn close(&self) -> u64 {
        match self.left.swap(CLOSED, Ordering::AcqRel) {
            CLOSED => 0,
            left => left,
        }
    }

    /// Whether so little is left of so much that more should be asked for before it is needed.
    pub(super) const fn is_low(&self, left: u64) -> bool {
        self.spare >= AHEAD_FROM && left < self.spare / 4
    }
}

/// The smallest lease that is topped up ahead of need. Close to a limit leases are smaller, and asking
/// ahead would only cost round trips.
const AHEAD_FROM: u64 = 16;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::{Clock as _, SystemClock};

    #[test]
    fn spends_all_or_nothing_and_only_while_it_is_good() {
        let now = SystemClock.monotonic();
        let lease = Lease::new(10, Mark::default(), now + Duration::from_secs(1));
        assert_eq!(lease.spend(11, now), None);
        assert_eq!(lease.spend(10, now), Some(0));
        assert_eq!(lease.spend(0, now), Some(0));
        assert!(lease.put_back(4));
        assert_eq!(
            lease.spend(1, now + Duration::from_secs(1)),
            None,
            "its bucket has ended"
        );
        assert_eq!(lease.left(), 4);
    }

    #[test]
    fn what_is_left_is_handed_over_once() {
        let now = SystemClock.monotonic();
        let lease = Lease::new(10, Mark::default(), now + Duration::from_secs(1));
        assert_eq!(lease.close(), 10);
        assert_eq!(lease.close(), 0);
        assert!(!lease.put_back(1));
        assert_eq!(lease.spend(0, now), None);
        assert_eq!(Lease::none().spend(0, now), None);
    }
}
