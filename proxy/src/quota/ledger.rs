//! The contract of a store: durable, exact counts per key over sliding windows.
//!
//! Every store keeps these promises, and one test suite holds them all to it:
//!
//! * What a call grants is durable before it answers.
//! * The units that count at any moment of ledger time are never more than the limit, unless the
//!   terms count past it. Arithmetic saturates; nothing wraps.
//! * Ledger time never goes back, whatever the clocks do, also over a restart.
//! * A call that fails or is given up may have been charged; it has granted nothing. Nothing is ever
//!   tried twice, except what the store is known not to have seen.
//! * Errors and `Debug` output hold nothing about whoever is counted.

use std::fmt::Debug;
use std::time::Duration;

use async_trait::async_trait;

use super::key::{Filter, QuotaKey};
use super::terms::Terms;

/// How many units are wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ask {
    /// What is needed now. Less than this is only granted with `partial`.
    pub need: u64,
    /// What would be liked, at least `need`. Of what goes beyond it, at most the asker's share of
    /// what remains is granted.
    pub wish: u64,
    /// Whether what is left is welcome when it is less than needed.
    pub partial: bool,
}

impl Ask {
    /// Exactly so many.
    #[must_use]
    pub const fn exactly(need: u64) -> Self {
        Self {
            need,
            wish: need,
            partial: false,
        }
    }
}

/// To what a grant was charged, so that it can be given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Mark {
    /// When its bucket ends, in milliseconds of ledger time.
    pub bucket_end_ms: u64,
    /// Of which life of the count: a reset begins another, and what was charged before is void.
    pub generation: u64,
}

/// What should be told, at most once per window and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct News {
    /// The usage reached the point of warning.
    pub warned: bool,
    /// Something was counted past the limit, or refused because of it.
    pub exceeded: bool,
}

/// What became of an [`Ask`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// How many units were charged and may be spent.
    pub granted: u64,
    /// To what they were charged.
    pub mark: Mark,
    /// How long they may be spent, from the moment at which the call was made.
    pub good_for: Duration,
    /// The usage after this.
    pub used: u64,
    /// When something that was refused may be granted: until enough has left the window.
    pub reset_after: Duration,
    /// What should be told.
    pub news: News,
}

/// A data subject, as the ledger knows it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Subject {
    /// The keyed hash of its name.
    Known(u64),
    /// Nobody can tell who it is: it counts as one of its own, each time.
    Nameless,
}

impl Debug for Subject {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Subject").finish_non_exhaustive()
    }
}

/// How data subjects are to be admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AdmitMode {
    /// All of them, or none.
    AllOrNothing,
    /// In order, as far as the limit goes.
    Prefix,
    /// None; only say how many [`AdmitMode::Prefix`] would admit. That some would not be is told.
    Look,
}

/// What became of data subjects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Admission {
    /// How many were admitted, from the first on. Those that count already cost nothing, and count
    /// anew from now.
    pub admitted: usize,
    /// How many units were charged for them.
    pub cost: u64,
    /// To what they were charged.
    pub mark: Mark,
    /// How long they may leave, from the moment at which the call was made.
    pub good_for: Duration,
    /// The usage after this.
    pub used: u64,
    /// When something that was refused may be admitted.
    pub reset_after: Duration,
    /// What should be told.
    pub news: News,
}

/// How much of a count is in use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// What counts now, with what is leased.
    pub used: u64,
    /// The window that was last counted over.
    pub window: Duration,
    /// Until something leaves the window; zero when nothing counts.
    pub frees_after: Duration,
}

/// One count in a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Whose it is.
    pub key: QuotaKey,
    /// How much of it is in use.
    pub usage: Usage,
}

/// Why a store did not answer. The operator must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, refuses, or has more to do than it can.
    #[error("the quota store cannot be reached or refuses to answer")]
    Unavailable,
    /// It did not answer in time.
    #[error("the quota store did not answer in time")]
    Timeout,
    /// A write failed once, so that nobody knows what it holds. Restart Postern.
    #[error("the quota store failed to write and is no longer trusted; restart Postern")]
    Poisoned,
    /// It holds something that Postern did not write.
    #[error("the quota store holds something that Postern did not write")]
    Corrupt,
}

/// A store of counts. See the module's documentation for what all of them promise.
#[async_trait]
pub trait Ledger: Send + Sync + Debug {
    /// Charges units.
    ///
    /// # Errors
    /// See [`StoreError`]. Units may have been charged; none may be spent.
    async fn take(&self, key: &QuotaKey, terms: &Terms, ask: Ask) -> Result<Taken, StoreError>;

    /// Returns units that were granted under `mark` and will not be spent. Of a count that was reset,
    /// or a bucket that counts no more, there is nothing to return, and that is no error. Call it once
    /// per unit, whatever it answers.
    ///
    /// # Errors
    /// See [`StoreError`]. The units may have stayed charged.
    async fn give_back(&self, key: &QuotaKey, mark: Mark, unused: u64) -> Result<(), StoreError>;

    /// Charges data subjects: those that do not count yet. It never keeps more than four times the
    /// limit; with terms that count past it, further ones are nameless.
    ///
    /// # Errors
    /// See [`StoreError`]. Subjects may have been charged; none may leave.
    async fn admit(
        &self,
        key: &QuotaKey,
        terms: &Terms,
        subjects: &[Subject],
        mode: AdmitMode,
    ) -> Result<Admission, StoreError>;

    /// How much of one count is in use.
    ///
    /// # Errors
    /// See [`StoreError`].
    async fn usage(&self, key: &QuotaKey) -> Result<Usage, StoreError>;

    /// The counts that a filter means and of which something is in use, at most `max`, in the order of
    /// their keys where there are no more.
    ///
    /// # Errors
    /// See [`StoreError`].
    async fn list(&self, filter: &Filter, max: usize) -> Result<Vec<Entry>, StoreError>;

    /// Forgets what was charged to a key, and says whether there was anything. What was leased before
    /// may still be spent until its bucket ends.
    ///
    /// # Errors
    /// See [`StoreError`].
    async fn reset(&self, key: &QuotaKey) -> Result<bool, StoreError>;

    /// The key of the hashes of data subjects, the same for everybody who shares the store, for as
    /// long as it holds any.
    fn subject_key(&self) -> [u8; 16];

    /// Releases what the store holds of the system: nothing is answered afterwards.
    async fn close(&self);
}
