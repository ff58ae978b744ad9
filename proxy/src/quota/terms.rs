//! What a quota says, and what of it the ledger has to know.
//!
//! The ledger knows limits and windows only; what happens past a limit is decided by whoever asks.
//! Windows slide in buckets: a unit is charged to the bucket of ledger time that is open, and counts
//! until the end of that bucket is a window ago. So every sliding window is covered, at the price of
//! counting up to one bucket longer.

use std::sync::Arc;
use std::time::Duration;

pub use postern_config::quota::{IfStoreIsDown, OnExceed, Per, Quota, Unit};

/// Into how many buckets a window is cut.
pub(super) const BUCKETS: u64 = 24;
/// The narrowest bucket, in milliseconds. A lease is only good within its bucket, so that a bucket
/// has to outlast a round trip to the store.
pub(super) const BUCKET_MS_MIN: u64 = 250;

/// A quota as it binds one exchange.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The quota.
    pub quota: Arc<Quota>,
    /// The limit for the roles of whoever asks.
    pub limit: u64,
}

/// What the ledger does with charges past the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PastLimit {
    /// It refuses them.
    Refused,
    /// It counts them, and says so once per window.
    Counted,
}

/// What the ledger has to know of a quota to count for one key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Terms {
    /// How many units may be charged within the window; at most 2^63-1, more is taken for that.
    pub limit: u64,
    /// The sliding window, whole milliseconds.
    pub window: Duration,
    /// The usage from which a warning is due; none for never.
    pub warn_from: Option<u64>,
    /// What becomes of charges past the limit.
    pub past_limit: PastLimit,
}

/// The highest limit.
pub(super) const LIMIT_MAX: u64 = i64::MAX.unsigned_abs();

impl Terms {
    /// What the ledger has to know of a quota that applies.
    #[must_use]
    pub fn of(applied: &Applied) -> Self {
        let limit = applied.limit.min(LIMIT_MAX);
        let share = |percent: u8| {
            let product = u128::from(limit) * u128::from(percent);
            u64::try_from(product.div_ceil(100)).unwrap_or(LIMIT_MAX)
        };
        Self {
            limit,
            window: applied.quota.window,
            warn_from: applied.quota.warn_at.map(share),
            past_limit: match applied.quota.on_exceed {
                OnExceed::Deny | OnExceed::Truncate | OnExceed::StepUp => PastLimit::Refused,
                OnExceed::Alert => PastLimit::Counted,
            },
        }
    }

    /// The window in milliseconds, at least one.
    pub(super) fn window_ms(&self) -> u64 {
        u64::try_from(self.window.as_millis())
            .unwrap_or(u64::MAX)
            .max(1)
    }

    /// How wide a bucket is, in milliseconds.
    pub(super) fn bucket_ms(&self) -> u64 {
        self.window_ms().div_ceil(BUCKETS).max(BUCKET_MS_MIN)
    }

    /// When the bucket that is open at `now_ms` ends, in ledger time.
    pub(super) fn bucket_end_ms(&self, now_ms: u64) -> u64 {
        let width = self.bucket_ms();
        (now_ms / width).saturating_add(1).saturating_mul(width)
    }
}
