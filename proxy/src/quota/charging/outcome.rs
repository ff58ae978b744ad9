//! How a charge ends, for whoever answers the client.

use std::time::{Duration, Instant};

use crate::quota::ledger::StoreError;
use crate::quota::terms::Applied;

/// What to do with records for which there is not enough left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shortage {
    /// Refuse all of them: the body cannot be cut.
    Refuse,
    /// Grant the first ones, as far as the quotas that truncate go: the body can be cut.
    Cut,
}

/// What was charged and may leave.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Granted {
    /// How many units: all that were due, unless it was cut.
    pub units: u64,
    /// How many data subjects cost anything, in the quota in which that were the most. Those that counted
    /// before cost nothing.
    pub subjects: u64,
    /// The quota for which it was cut; none when all was granted. What comes later need not be asked
    /// for.
    pub cut: Option<Exceeded>,
    /// What was granted must have left by then; none when nothing was counted. That is never shorter
    /// than a moment, and seldom shorter than a minute: nothing has to be done about it where bytes
    /// leave at once.
    pub leave_before: Option<Instant>,
}

/// A quota that is used up, or has less left than is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exceeded {
    /// The quota, and the limit for these roles.
    pub applied: Applied,
    /// The usage, with what is leased.
    pub used: u64,
    /// What is left for whoever asks, as far as this process knows.
    pub left: u64,
    /// What was needed at once, of data subjects those that count already included: more than the limit
    /// is never granted, however long somebody waits.
    pub needed: u64,
    /// When what was refused may be granted.
    pub reset_after: Duration,
}

/// How much of a quota is left, as far as this process knows without asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The quota, and the limit for these roles.
    pub applied: Applied,
    /// What is left; other replicas may hold a part of the rest.
    pub remaining: u64,
    /// When something leaves the window; zero when that is not known.
    pub reset_after: Duration,
}

/// Why nothing was granted. No text of it names anybody.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuotaError {
    /// A quota does not allow it: the client must wait, or step up, as the quota says.
    #[error("the quota `{}` is used up", .0.applied.quota.name)]
    Exceeded(Exceeded),
    /// The ledger does not answer, and the quota says that then nothing leaves.
    #[error("{error}")]
    StoreDown {
        /// The quota; none when it was not about a particular one.
        applied: Option<Applied>,
        /// What is wrong with the store.
        error: StoreError,
    },
}
