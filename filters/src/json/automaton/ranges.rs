//! Which elements an index or a slice selects (RFC 9535 sections 2.3.3 and 2.3.4).
//!
//! Some say so without the array's length: those are [`Range`]s and stream. The others are [`Ends`]:
//! they need the length, and the array is held for them.

use postern_config::selector::ast::Pick;

/// Whether the length of an array decides what is selected of it.
pub(in crate::json) fn needs_length(pick: &Pick) -> bool {
    let elements = match pick {
        Pick::Index(index) => Elements::of_index(*index),
        Pick::Slice { start, end, step } => Elements::of_slice(*start, *end, *step),
        Pick::Name(_) | Pick::Wildcard | Pick::Filter(_) => return false,
    };
    matches!(elements, Elements::Ends(_))
}

/// Whether an index or a slice selects an element of an array of this length.
pub(in crate::json) fn selects(pick: &Pick, index: u64, length: u64) -> bool {
    let elements = match pick {
        Pick::Index(index) => Elements::of_index(*index),
        Pick::Slice { start, end, step } => Elements::of_slice(*start, *end, *step),
        Pick::Name(_) | Pick::Wildcard | Pick::Filter(_) => return false,
    };
    match elements {
        Elements::None => false,
        Elements::Range(range) => range.selects(index),
        Elements::Ends(ends) => ends.selects(index, length),
    }
}

/// Every `step`-th index from `first` on, up to `end`. INVARIANT: `step` is at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) first: u64,
    pub(super) end: Option<u64>,
    pub(super) step: u64,
}

/// An index or a slice that counts from the end, or depends on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::json) enum Ends {
    /// A negative index.
    Index(i64),
    /// A slice.
    Slice {
        start: Option<i64>,
        end: Option<i64>,
        step: i64,
    },
}

/// What an index or a slice selects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Elements {
    /// Nothing, whatever the array.
    None,
    /// These, whatever the array's length.
    Range(Range),
    /// It depends on the length.
    Ends(Ends),
}

impl Elements {
    /// What an index selects.
    pub(super) fn of_index(index: i64) -> Self {
        match u64::try_from(index) {
            Ok(first) => Self::Range(Range {
                first,
                end: first.checked_add(1),
                step: 1,
            }),
            Err(_) => Self::Ends(Ends::Index(index)),
        }
    }

    /// What a slice selects.
    pub(super) fn of_slice(start: Option<i64>, end: Option<i64>, step: Option<i64>) -> Self {
        let step = step.unwrap_or(1);
        let depends = Self::Ends(Ends::Slice { start, end, step });
        let bound = |bound: Option<i64>| bound.map(u64::try_from).transpose();
        let (Ok(from), Ok(to)) = (bound(start), bound(end)) else {
            return if step == 0 { Self::None } else { depends };
        };
        match step {
            0 => Self::None,
            1.. => Self::Range(Range {
                first: from.unwrap_or(0),
                end: to,
                step: step.unsigned_abs(),
            }),
            // Backwards by one: every index at most `start` and above `end`.
            -1 => Self::Range(Range {
                first: to.map_or(0, |to| to.saturating_add(1)),
                end: from.map(|from| from.saturating_add(1)),
                step: 1,
            }),
            // Where a longer step backwards begins depends on the length.
            _ => depends,
        }
    }
}

impl Range {
    /// Whether the element is selected.
    pub(super) fn selects(&self, index: u64) -> bool {
        let Some(distance) = index.checked_sub(self.first) else {
            return false;
        };
        self.end.is_none_or(|end| index < end) && distance.checked_rem(self.step) == Some(0)
    }
}

impl Ends {
    /// Whether the element is selected in an array of this length.
    pub(in crate::json) fn selects(&self, index: u64, length: u64) -> bool {
        let (index, length) = (i128::from(index), i128::from(length));
        match *self {
            Self::Index(from_end) => index == length + i128::from(from_end),
            Self::Slice { start, end, step } => {
                let step = i128::from(step);
                let at = |bound: i64| match i128::from(bound) {
                    bound @ 0.. => bound,
                    bound => length + bound,
                };
                if step > 0 {
                    let lower = start.map_or(0, at).clamp(0, length);
                    let upper = end.map_or(length, at).clamp(0, length);
                    lower <= index && index < upper && (index - lower) % step == 0
                } else if step < 0 {
                    let upper = start.map_or(length - 1, at).clamp(-1, length - 1);
                    let lower = end.map_or(-1, at).clamp(-1, length - 1);
                    lower < index && index <= upper && (upper - index) % step == 0
                } else {
                    false
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9535 section 2.3.4.2.2, by walking.
    fn walked(start: Option<i64>, end: Option<i64>, step: i64, length: i64) -> Vec<i64> {
        let normal = |i: i64| if i >= 0 { i } else { length + i };
        let mut picked = Vec::new();
        if step > 0 {
            let lower = normal(start.unwrap_or(0)).max(0).min(length);
            let upper = normal(end.unwrap_or(length)).max(0).min(length);
            let mut i = lower;
            while i < upper {
                picked.push(i);
                i += step;
            }
        } else if step < 0 {
            let upper = normal(start.unwrap_or(length - 1)).max(-1).min(length - 1);
            let lower = normal(end.unwrap_or(-length - 1)).max(-1).min(length - 1);
            let mut i = upper;
            while lower < i {
                picked.push(i);
                i += step;
            }
        }
        picked.sort_unstable();
        picked
    }

    #[test]
    fn every_small_slice_selects_what_the_standard_walks() {
        let bounds: Vec<Option<i64>> = std::iter::once(None).chain((-5..=5).map(Some)).collect();
        for start in &bounds {
            for end in &bounds {
                for step in -3..=3 {
                    for length in 0..5_i64 {
                        let elements = Elements::of_slice(*start, *end, Some(step));
                        let picked: Vec<i64> = (0..length)
                            .filter(|i| match elements {
                                Elements::None => false,
                                Elements::Range(range) => range.selects(*i as u64),
                                Elements::Ends(ends) => ends.selects(*i as u64, length as u64),
                            })
                            .collect();
                        let expected = walked(*start, *end, step, length);
                        assert_eq!(picked, expected, "{start:?}:{end:?}:{step} of {length}");
                    }
                }
            }
        }
    }

    #[test]
    fn only_what_needs_the_length_asks_for_it() {
        let streams = [(Some(1), None, 2), (None, None, -1), (Some(5), Some(2), -1)];
        for (start, end, step) in streams {
            assert!(matches!(
                Elements::of_slice(start, end, Some(step)),
                Elements::Range(_)
            ));
        }
        for (start, end, step) in [(Some(-1), None, 1), (None, Some(-1), 1), (None, None, -2)] {
            assert!(matches!(
                Elements::of_slice(start, end, Some(step)),
                Elements::Ends(_)
            ));
        }
    }
}
