//! Time, as the proxy knows it: one trait, so that tests own the time.
//!
//! Everything in this crate that asks what time it is takes a [`Clock`]; nothing else reads the
//! system's. Timers of the runtime (time-outs) are not clocks and are used where they are needed.

use std::fmt::Debug;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// What time it is.
pub trait Clock: Send + Sync + Debug {
    /// The time of day: for expiry dates and for people. It may jump.
    fn wall(&self) -> SystemTime;

    /// A time that never goes back: for durations and deadlines.
    fn monotonic(&self) -> Instant;
}

/// The system's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "INVARIANT: this is the one place that reads the system's clock"
    )]
    fn wall(&self) -> SystemTime {
        SystemTime::now()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "INVARIANT: this is the one place that reads the system's clock"
    )]
    fn monotonic(&self) -> Instant {
        Instant::now()
    }
}

/// Whole milliseconds; as many as fit.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// Whole milliseconds since 1970; 0 before.
pub(crate) fn unix_millis(time: SystemTime) -> u64 {
    millis(time.duration_since(UNIX_EPOCH).unwrap_or_default())
}
