//! What happens to a labelled value, and how strict that is.
//!
//! Guarantees: `Action` is totally ordered by strictness (spec: `show < detect < mask < generalize <
//! pseudonym < redact < remove`); two actions of one rank are ordered by what they keep, so that "the
//! stricter" is always one answer. It does not apply actions: that is the filters crate's work.

use std::cmp::Ordering;

/// What happens to a labelled value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// The value leaves untouched, byte for byte.
    Show,
    /// The value leaves but for what is found in it: the `detect` section says what is searched for in
    /// values of its label, and what happens to it.
    Detect,
    /// Some of a string is kept, the rest becomes exactly three `•`; anything else is redacted.
    Mask(Mask),
    /// The value becomes coarser; what is not of the expected form is redacted.
    Generalize(Generalize),
    /// The value becomes a token that is the same for the same value within a scope.
    Pseudonym(PseudonymScope),
    /// The value becomes a constant of its JSON type, or the given constant.
    Redact {
        /// The JSON text put in place of a value of any type; by default one that fits the type.
        with: Option<String>,
    },
    /// The member or element disappears.
    Remove,
}

/// How much of a string a mask keeps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mask {
    /// By the shape of the value: an e-mail address keeps its first character and its domain, a
    /// telephone number its country code and last digits, anything else nothing.
    ByShape,
    /// The given number of grapheme clusters at either end.
    Keep {
        /// Grapheme clusters kept at the start.
        first: usize,
        /// Grapheme clusters kept at the end.
        last: usize,
    },
}

/// To what a value is made coarser.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Generalize {
    /// An ISO 8601 date or time becomes its year.
    Year,
    /// An ISO 8601 date or time becomes its year and month.
    Month,
    /// The same, and a number is a point in time that becomes the one at which its year or month began
    /// (UTC).
    Epoch(DatePart, EpochUnit),
    /// A number becomes the lower bound of its bucket of this width (at least 1).
    Bucket(u64),
    /// A string keeps this many leading characters (postal codes).
    Prefix(usize),
}

/// How much of a date stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum DatePart {
    /// The year and the month.
    Month,
    /// The year.
    Year,
}

/// What a number counts that stands for a point in time, from the beginning of 1970 in UTC on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EpochUnit {
    /// Seconds.
    Seconds,
    /// Thousandths of seconds.
    Millis,
}

/// Within what a pseudonym is the same for the same value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PseudonymScope {
    /// Every reader of a tenant sees the same token.
    Tenant,
    /// Every reader in the same set of roles sees the same token.
    Role,
    /// Each reader sees a token of their own.
    Identity,
    /// Every reader of a case sees the same token, and another in another case.
    Case,
}

impl Action {
    /// The fixed rank of strictness; higher shows less.
    #[must_use]
    pub const fn rank(&self) -> u8 {
        match self {
            Self::Show => 0,
            Self::Detect => 1,
            Self::Mask(_) => 2,
            Self::Generalize(_) => 3,
            Self::Pseudonym(_) => 4,
            Self::Redact { .. } => 5,
            Self::Remove => 6,
        }
    }

    /// The stricter of two actions; of two equally strict ones the first in a fixed order, so that
    /// the answer does not depend on which rule was written first.
    #[must_use]
    pub fn stricter(self, other: Self) -> Self {
        if self.strictness(&other) == Ordering::Less {
            other
        } else {
            self
        }
    }

    /// The looser of two actions, by the same order.
    #[must_use]
    pub fn looser(self, other: Self) -> Self {
        if self.strictness(&other) == Ordering::Greater {
            other
        } else {
            self
        }
    }

    /// Compares by strictness: `Greater` shows less.
    #[must_use]
    pub fn strictness(&self, other: &Self) -> Ordering {
        self.rank().cmp(&other.rank()).then_with(|| self.tie(other))
    }

    fn tie(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Mask(a), Self::Mask(b)) => b.kept().cmp(&a.kept()),
            (Self::Generalize(a), Self::Generalize(b)) => a.tie_key().cmp(&b.tie_key()),
            (Self::Pseudonym(a), Self::Pseudonym(b)) => a.cmp(b),
            (Self::Redact { with: a }, Self::Redact { with: b }) => b.cmp(a),
            _ => Ordering::Equal,
        }
    }
}

impl Mask {
    /// Orders masks by what they keep; a mask by shape keeps more than any count.
    fn kept(&self) -> (usize, usize, usize) {
        match self {
            Self::ByShape => (usize::MAX, 0, 0),
            Self::Keep { first, last } => (first.saturating_add(*last), *first, *last),
        }
    }
}

impl Generalize {
    /// Orders generalizations: a year tells less than a month, one that redacts numbers less than one
    /// that reads them, a wide bucket less than a narrow one.
    const fn tie_key(&self) -> (u8, u64) {
        match self {
            Self::Epoch(DatePart::Month, unit) => (0, *unit as u64),
            Self::Month => (0, 2),
            Self::Epoch(DatePart::Year, unit) => (1, *unit as u64),
            Self::Year => (1, 2),
            Self::Prefix(kept) => (2, u64::MAX - *kept as u64),
            Self::Bucket(width) => (3, *width),
        }
    }
}
