//! Ledger time of the embedded store.

use std::sync::Arc;
use std::time::Instant;

use crate::clock::{Clock, millis, unix_millis};

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
        Self {
            base_ms: unix_millis(clock.wall()).max(mark_ms),
            began: clock.monotonic(),
            clock,
        }
    }

    /// Now.
    pub(super) fn now_ms(&self) -> u64 {
        let run = self.clock.monotonic().saturating_duration_since(self.began);
        self.base_ms.saturating_add(millis(run))
    }
}
