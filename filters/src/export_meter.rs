//! Counts what leaves before it leaves: records and data subjects, for export quotas.
//!
//! ```text
//! bytes ──▶ decode ──▶ count ──▶ redact ──▶ [ waits ] ──▶ release ──▶ client
//!                        └──▶ due ──▶ the caller charges it ──┘
//! ```
//!
//! Guarantees: nothing leaves before the caller has had the chance to charge all that it tells of, the
//! subjects of its records included; what is counted does not depend on what a role sees, nor on how the
//! body was split; what waits for a record to name its subject is bounded by `held_bytes_max`. Where
//! records are cut, what leaves is the redaction of a valid document without them.
//!
//! It knows no limits and no ledger: the caller decides what is admitted. It counts no bytes and no
//! requests either, which the caller sees itself.

mod body;
mod subject;
mod tally;

pub use body::MeteredBody;
pub(crate) use body::Unread;
pub use subject::SubjectKey;
pub(crate) use subject::TEXT_BYTES_MAX;
pub(crate) use tally::{Tally, TallyRules};

/// What some quota counts, so that it has to be looked for.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is asked on its own, and any of them may be so"
)]
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Records.
    pub records: bool,
    /// Data subjects.
    pub subjects: bool,
    /// Bytes: a body that passes unread is decoded beside, so as to be measured.
    pub bytes: bool,
    /// What is too much is to be cut out of the answer, and not to end it.
    pub truncates: bool,
}

impl Counted {
    /// Whether anything is counted that only an answer's content tells.
    #[must_use]
    pub const fn anything(self) -> bool {
        self.records || self.subjects
    }
}

/// What has to be charged before what waits may leave.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Due {
    /// How many records begin in what waits.
    pub records: u64,
    /// Data subjects in the order in which they appear. One that was named since the last release is not
    /// named again, as far as is remembered, unless it stays where the record may go that named it.
    pub subjects: Vec<DueSubject>,
    /// It is not known yet what else is in what waits: nothing may leave until more of the body has
    /// come. Never so once the body has ended.
    pub incomplete: bool,
}

impl Due {
    /// Whether there is nothing to charge.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.records == 0 && self.subjects.is_empty()
    }
}

/// A data subject to be charged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueSubject {
    /// Of which of the due records it is, counted from 0: where records are in each other, of the outermost
    /// that names nobody before. None when it is of none of them: then it leaves however many of them are
    /// admitted.
    pub record: Option<u64>,
    /// Who it is.
    pub who: Who,
}

/// A data subject, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// The one that this keyed hash stands for.
    Known(u64),
    /// Somebody of whom nothing is known: one of its own, every time.
    Nameless,
}

/// How much of what is due may leave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admitted {
    /// All of it.
    All,
    /// So many of the due records, the first ones. The others and all that follow are removed; only a
    /// body that [`MeteredBody::truncates`] can do that.
    Records(u64),
}

#[cfg(test)]
mod tests;
