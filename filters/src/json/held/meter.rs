//! What the filters of one held value cost, and whether two readers could answer them differently.
//!
//! Guarantees: work is paid for where it is done, also that inside one comparison, one pattern or one
//! name, so that the time a held value takes is bounded by its length; the answers that are given once
//! nothing is left are not used.

use std::cell::Cell;

use crate::body_filter::BodyError;
use crate::json::scanner::{Halt, limit};

/// Steps that the filters of one held value may take, per byte of it.
pub(in crate::json) const STEPS_PER_BYTE_MAX: u64 = 256;

/// Steps that the filters of one held value may always take.
const STEPS_MIN: u64 = 1 << 20;

/// Bytes of text that are read for one step.
const BYTES_PER_STEP: usize = 4;

/// What compiling a pattern that the document spells out costs.
const STEPS_PER_PATTERN: u64 = 1 << 16;

/// The account of one held value.
pub(super) struct Meter {
    steps_left: Cell<u64>,
    is_ambiguous: Cell<bool>,
}

impl Meter {
    /// An account for a text of this length.
    pub(super) fn new(bytes: usize) -> Self {
        let steps = STEPS_PER_BYTE_MAX.saturating_mul(bytes as u64);
        Self {
            steps_left: Cell::new(steps.saturating_add(STEPS_MIN)),
            is_ambiguous: Cell::new(false),
        }
    }

    /// Takes a step; false when there are none left.
    #[inline]
    pub(super) fn step(&self) -> bool {
        self.take(1)
    }

    /// Pays for reading a text.
    #[inline]
    pub(super) fn text(&self, bytes: usize) {
        self.take((bytes / BYTES_PER_STEP) as u64);
    }

    /// Pays for compiling a pattern; false when that is too much.
    pub(super) fn pattern(&self) -> bool {
        self.take(STEPS_PER_PATTERN)
    }

    /// Gives up: what is asked for would take too much.
    pub(super) fn exhaust(&self) {
        self.steps_left.set(0);
    }

    /// A filter asks for a name that comes twice in one object.
    pub(super) fn meets_repeated_name(&self) {
        self.is_ambiguous.set(true);
    }

    /// Whether what was answered so far can be used.
    ///
    /// # Errors
    /// The filters have taken too many steps, or have met a name that comes twice.
    pub(super) fn check(&self) -> Result<(), Halt> {
        if self.steps_left.get() == 0 {
            return Err(limit("filter_steps"));
        }
        if self.is_ambiguous.get() {
            return Err(Box::new(BodyError::Ambiguous {
                what: "a filter asks for a name that comes twice in one object",
            }));
        }
        Ok(())
    }

    #[inline]
    fn take(&self, steps: u64) -> bool {
        let left = self.steps_left.get().saturating_sub(steps);
        self.steps_left.set(left);
        left > 0
    }
}
