//! What a state of the automaton means: looked up for every value, so that it fits in a few bits.

use crate::json::automaton::TestId;

/// What a state is for these roles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::json) struct Facts {
    pub(super) flags: u8,
    /// The number of the value's verdict; 0 when it has no label.
    pub(in crate::json) verdict: u32,
}

impl Facts {
    pub(super) const LIVE: u8 = 1;
    pub(super) const LIVE_FOR_REQUIRED: u8 = 2;
    pub(super) const REQUIRED: u8 = 4;
    pub(super) const FILTERS: u8 = 8;
    pub(super) const ENDS: u8 = 16;
    pub(super) const RECORD: u8 = 32;
    pub(super) const SUBJECT: u8 = 64;
    pub(super) const COUNTED: u8 = 128;

    const fn has(self, flag: u8) -> bool {
        self.flags & flag != 0
    }

    /// Something inside the value can still be selected.
    pub(in crate::json) const fn is_live(self) -> bool {
        self.has(Self::LIVE)
    }

    /// Something inside the value can still be what is required.
    pub(in crate::json) const fn is_live_for_required(self) -> bool {
        self.has(Self::LIVE_FOR_REQUIRED)
    }

    /// The value is what some selector requires.
    pub(in crate::json) const fn is_required(self) -> bool {
        self.has(Self::REQUIRED)
    }

    /// Note has to be taken of the value: it is required, or counted.
    pub(in crate::json) const fn is_noted(self) -> bool {
        self.has(Self::REQUIRED | Self::COUNTED)
    }

    /// The value is a record that is counted.
    pub(in crate::json) const fn is_counted_record(self) -> bool {
        self.has(Self::COUNTED) && self.has(Self::RECORD)
    }

    /// The value names a data subject that is counted.
    pub(in crate::json) const fn is_counted_subject(self) -> bool {
        self.has(Self::SUBJECT)
    }

    /// The value's children are to be filtered.
    pub(in crate::json) const fn filters_children(self) -> bool {
        self.has(Self::FILTERS)
    }

    /// The value is a record.
    pub(in crate::json) const fn is_record(self) -> bool {
        self.has(Self::RECORD)
    }

    /// Of an array, its length must be known.
    pub(in crate::json) const fn needs_length(self) -> bool {
        self.has(Self::ENDS)
    }
}

/// A state for these roles.
#[derive(Debug, Clone, Default)]
pub(in crate::json) struct Entry {
    pub(in crate::json) facts: Facts,
    /// The tests that matter here, filters and ends.
    pub(in crate::json) tests: Box<[TestId]>,
}
