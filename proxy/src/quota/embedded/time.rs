//! Ledger time of the embedded store.

use std::sync::Arc;
use std::time::{Instant, UNIX_EPOCH};

use crate::clock::Clock;

/// Milliseconds since 1970 that never go back: the later of the wall clock and the last time that was
/// written, plus what the monotonic clock has run since.
#[derive(Debug, Clone)]
pub(super) struct LedgerTime {
    base_ms: u64,
    began: Instant,
    clock: Arc<dyn Clock>,
}

impl LedgerTime {
    /// Time that goes on from `mark_ms`.
    pub(super) fn starting(clock: Arc<dyn Clock>, mark_ms: u64) -> Self {
        let wall = clock.wall().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall_ms = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX);
        Self {
            base_ms: wall_ms.max(mark_ms),
            began: clock.monotonic(),
            clock,
        }
    }

    /// Now.
    pub(super) fn now_ms(&self) -> u64 {
        let run = self.clock.monotonic().saturating_duration_since(self.began);
        let run_ms = u64::try_from(run.as_millis()).unwrap_or(u64::MAX);
        self.base_ms.saturating_add(run_ms)
    }
}
