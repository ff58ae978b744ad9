//! What a client waited, told by percentiles.

use std::fmt;
use std::time::Duration;

/// What a client waited for its answers, shortest first.
pub(crate) struct Waits(Vec<Duration>);

impl Waits {
    pub(crate) fn of(mut list: Vec<Duration>) -> Self {
        list.sort_unstable();
        Self(list)
    }

    /// The wait that so many of a hundred answers did not exceed; none where there was no answer.
    fn percentile(&self, of_hundred: usize) -> Duration {
        let at = (self.0.len() * of_hundred).div_ceil(100).max(1) - 1;
        self.0.get(at).copied().unwrap_or_default()
    }
}

impl fmt::Display for Waits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (half, most) = (self.percentile(50), self.percentile(99));
        write!(f, "p50 {half:.1?}, p99 {most:.1?} of {}", self.0.len())
    }
}
