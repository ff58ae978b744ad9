//! Time, as the proxy knows it: one trait, so that tests own the time.
//!
//! Everything in this crate that asks what time it is takes a [`Clock`]; nothing else reads the
//! system's. Timers of the runtime (time-outs) are not clocks and are used where they are needed.

use std::fmt::Debug;
use std::sync::Arc;
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

/// A clock whose time of day does not fall behind what has passed since it was made, on the clock that never goes back.
///
/// What expires stays expired when the system's clock is set back while Postern runs. Set forward, the system's clock counts:
/// then more expires, and what did so too early is good again when the clock is right again.
#[derive(Debug)]
pub(crate) struct AnchoredClock {
    clock: Arc<dyn Clock>,
    wall: SystemTime,
    monotonic: Instant,
}

impl AnchoredClock {
    /// Anchored in what another clock says now.
    pub(crate) fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            wall: clock.wall(),
            monotonic: clock.monotonic(),
            clock,
        }
    }
}

impl Clock for AnchoredClock {
    fn wall(&self) -> SystemTime {
        let run = self.monotonic().saturating_duration_since(self.monotonic);
        let least = self.wall.checked_add(run).unwrap_or(self.wall);
        self.clock.wall().max(least)
    }

    fn monotonic(&self) -> Instant {
        self.clock.monotonic()
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
