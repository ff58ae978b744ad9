//! How long answers took: a histogram with three significant digits, from a microsecond to an hour.

use std::time::Duration;

use hdrhistogram::Histogram;

/// The shortest and the longest time that is told apart, in nanoseconds. What is longer counts as the longest.
const NANOSECONDS: (u64, u64) = (100, 3_600_000_000_000);
/// How many digits of a time are kept.
const DIGITS: u8 = 3;

/// A share of the answers that were no slower, and how many answers it takes to tell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Quantile {
    /// What tables call it.
    pub(crate) name: &'static str,
    /// The share, between 0 and 1.
    pub(crate) share: f64,
    /// With fewer answers it would only be the slowest of them.
    answers_min: u64,
}

/// What is reported.
pub(crate) const QUANTILES: [Quantile; 3] = [
    P50,
    Quantile {
        name: "p99",
        share: 0.99,
        answers_min: 100,
    },
    Quantile {
        name: "p99.9",
        share: 0.999,
        answers_min: 1000,
    },
];

/// Half of the answers.
pub(super) const P50: Quantile = Quantile {
    name: "p50",
    share: 0.5,
    answers_min: 1,
};

/// Times of answers.
#[derive(Debug, Clone)]
pub(crate) struct Latencies(Histogram<u64>);

impl Latencies {
    /// No answer yet.
    #[expect(
        clippy::expect_used,
        reason = "INVARIANT: the bounds are constants that a histogram takes"
    )]
    pub(super) fn new() -> Self {
        let (shortest, longest) = NANOSECONDS;
        let empty = Histogram::new_with_bounds(shortest, longest, DIGITS);
        Self(empty.expect("the bounds are valid"))
    }

    /// One answer more.
    pub(super) fn record(&mut self, time: Duration) {
        let nanoseconds = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.0.saturating_record(nanoseconds);
    }

    /// Those of another too.
    pub(super) fn add(&mut self, other: &Self) {
        // Both have the same bounds, so that nothing can be out of them.
        self.0.add(&other.0).unwrap_or_default();
    }

    /// How many answers there are.
    pub(super) fn count(&self) -> u64 {
        self.0.len()
    }

    /// The time within which this share was answered, in microseconds; none when there are too few answers.
    pub(super) fn at(&self, quantile: Quantile) -> Option<f64> {
        (self.count() >= quantile.answers_min).then(|| self.at_share(quantile.share))
    }

    /// The same for any share, however many answers there are.
    pub(super) fn at_share(&self, share: f64) -> f64 {
        self.0.value_at_quantile(share) as f64 / 1000.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(times: impl IntoIterator<Item = u64>) -> Latencies {
        let mut latencies = Latencies::new();
        for time in times {
            latencies.record(Duration::from_micros(time));
        }
        latencies
    }

    #[test]
    fn a_share_has_the_time_within_which_it_was_answered() {
        let latencies = of(1..=1000);
        for (quantile, expected) in QUANTILES.iter().zip([500.0, 990.0, 999.0]) {
            let time = latencies.at(*quantile).unwrap();
            assert!((time - expected).abs() <= 1.0, "{quantile:?}: {time}");
        }
    }

    #[test]
    fn a_share_that_the_answers_are_too_few_for_has_none() {
        let latencies = of(1..=999);
        assert!(latencies.at(QUANTILES[1]).is_some());
        assert_eq!(latencies.at(QUANTILES[2]), None);
        assert_eq!(of(1..=99).at(QUANTILES[1]), None);
        assert_eq!(of([]).at(P50), None);
    }

    #[test]
    fn two_are_as_one() {
        let mut both = of(1..=500);
        both.add(&of(501..=1000));
        assert_eq!(both.at(P50), of(1..=1000).at(P50));
        assert_eq!(both.count(), 1000);
    }

    #[test]
    fn a_time_out_of_bounds_is_still_an_answer() {
        let mut latencies = Latencies::new();
        latencies.record(Duration::ZERO);
        latencies.record(Duration::MAX);
        assert_eq!(latencies.count(), 2);
    }
}
