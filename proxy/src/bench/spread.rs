//! A figure over several rounds: the median, and how far the rounds lie apart.

use serde_json::{Value, json};

/// The median of some rounds with the smallest and the largest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spread {
    /// The middle one; of two, their mean.
    pub(crate) median: f64,
    /// The smallest.
    pub(crate) least: f64,
    /// The largest.
    pub(crate) most: f64,
    /// How many there are.
    pub(crate) rounds: usize,
}

impl Spread {
    /// The spread of these figures; none when there are none, or one is no number.
    pub(crate) fn of(figures: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = figures.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        let (least, most) = (*sorted.first()?, *sorted.last()?);
        let upper = *sorted.get(sorted.len() / 2)?;
        let lower = *sorted.get((sorted.len() - 1) / 2)?;
        let median = f64::midpoint(lower, upper);
        sorted
            .iter()
            .all(|figure| figure.is_finite())
            .then_some(Self {
                median,
                least,
                most,
                rounds: sorted.len(),
            })
    }

    /// The spread of figures of which each must be there.
    pub(crate) fn of_all(figures: impl IntoIterator<Item = Option<f64>>) -> Option<Self> {
        let figures: Option<Vec<f64>> = figures.into_iter().collect();
        Self::of(figures?)
    }

    /// Three numbers with three decimals, and over how many rounds.
    pub(crate) fn as_json(self) -> Value {
        json!({
            "median": rounded(self.median),
            "least": rounded(self.least),
            "most": rounded(self.most),
            "rounds": self.rounds,
        })
    }
}

/// With three decimals.
pub(crate) fn rounded(figure: f64) -> f64 {
    (figure * 1000.0).round() / 1000.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_one_or_the_mean_of_two() {
        let spread = Spread::of([3.0, 1.0, 2.0]).unwrap();
        assert_eq!((spread.least, spread.median, spread.most), (1.0, 2.0, 3.0));
        assert_eq!(Spread::of([4.0, 1.0]).unwrap().median, 2.5);
        assert_eq!(Spread::of([-4.0]).unwrap().median, -4.0);
    }

    #[test]
    fn nothing_and_what_is_no_number_have_no_spread() {
        assert_eq!(Spread::of([]), None);
        assert_eq!(Spread::of([1.0, f64::NAN]), None);
        assert_eq!(Spread::of([1.0, f64::INFINITY]), None);
        assert_eq!(Spread::of_all([Some(1.0), None]), None);
    }
}
