//! The contract of a store of sessions.
//!
//! Every store keeps these promises, and one test suite holds them all to it:
//!
//! * What a call says has happened is durable before it answers.
//! * Of two changes to the same revision one happens, and the other is told that it is [`Replaced::Stale`].
//! * A person has no more sessions than the limit allows, whoever asks at once.
//! * A fingerprint leads to the session that holds it until that ends. One that two hold at once is neither's secret,
//!   and leads to nobody until both are past their time.
//! * What is past its time is not found. What was found was written by somebody; whether by us, the
//!   seals say.

use std::fmt::Debug;

use async_trait::async_trait;
use postern_config::sessions::OnLimit;

use super::digest::Digest;

/// A session to be made.
#[derive(Debug, Clone)]
pub struct NewSession {
    /// Its id.
    pub sid: String,
    /// The handle's digest.
    pub handle: Digest,
    /// The person's, by kind of client.
    pub person: Digest,
    /// The sealed record, at revision 1.
    pub sealed: Vec<u8>,
    /// The fingerprints of what it holds of the application.
    pub fingerprints: Vec<Digest>,
    /// The session that it takes the place of: what that one holds is this one's from now on, and it is not
    /// counted beside it.
    pub follows: Option<String>,
    /// When it ends whatever happens, in milliseconds since 1970.
    pub ends_at: u64,
}

/// How many sessions a person may have, and what happens to one more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// So many.
    pub max: usize,
    /// And then.
    pub on_limit: OnLimit,
}

/// What became of a new session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Admitted {
    /// It is there, and these have ended for it.
    Made {
        /// Their ids, oldest first.
        evicted: Vec<String>,
    },
    /// The person has as many as allowed.
    Full,
}

/// A session as it is stored.
#[derive(Clone, PartialEq, Eq)]
pub struct Stored {
    /// Its id.
    pub sid: String,
    /// Its revision.
    pub revision: u64,
    /// The sealed record.
    pub sealed: Vec<u8>,
}

impl Debug for Stored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stored")
            .field("sid", &self.sid)
            .field("revision", &self.revision)
            .finish_non_exhaustive()
    }
}

/// A change to a session.
#[derive(Debug, Clone)]
pub struct Change {
    /// The revision that was read; the new one is the next.
    pub revision: u64,
    /// The sealed record.
    pub sealed: Vec<u8>,
    /// Another handle that leads to it from now on.
    pub new_handle: Option<Digest>,
    /// The handle that leads to it until then, in milliseconds since 1970, and not after.
    pub old_handle: Option<(Digest, u64)>,
    /// The fingerprints of what it holds besides.
    pub fingerprints: Vec<Digest>,
    /// It has ended: it no longer counts among its person's, and is among the revoked.
    pub ended: Option<Digest>,
}

/// What became of a [`Change`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replaced {
    /// It is durable.
    Done,
    /// Somebody else was first, or the session is gone.
    Stale,
}

/// Why a store did not answer. The operator must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached, refuses, or has more to do than it can.
    #[error("the session store cannot be reached or refuses to answer")]
    Unavailable,
    /// It did not answer in time.
    #[error("the session store did not answer in time")]
    Timeout,
    /// It answers what no store of ours would hold.
    #[error("the session store holds what Postern did not write")]
    Corrupt,
}

/// See the module's documentation.
#[async_trait]
pub trait SessionStore: Send + Sync + Debug {
    /// Makes a session, if the person may have another.
    ///
    /// # Errors
    /// See [`StoreError`].
    async fn admit(
        &self,
        session: NewSession,
        limit: Option<Limit>,
        now: u64,
    ) -> Result<Admitted, StoreError>;

    /// The session that a handle leads to.
    ///
    /// # Errors
    /// See [`StoreError`].
    async fn find(&self, handle: &Digest, now: u64) -> Result<Option<Stored>, StoreError>;

    /// A session by its id.
    ///
    /// # Errors
    /// See [`StoreError`].
    async fn read(&self, sid: &str, now: u64) -> Result<Option<Stored>, StoreError>;

    /// Changes a session.
    ///
    /// # Errors
    /// See [`StoreError`].
    async fn replace(&self, sid: &str, change: Change, now: u64) -> Result<Replaced, StoreError>;

    /// The session that each of these fingerprints leads to, in their order.
    ///
    /// # Errors
    /// See [`StoreError`].
    async fn holders(
        &self,
        fingerprints: &[Digest],
        now: u64,
    ) -> Result<Vec<Option<String>>, StoreError>;

    /// Whether a proof, made at `made`, is seen for the first time; it is remembered until `until`, both in
    /// milliseconds since 1970. A store that cannot know says no.
    ///
    /// # Errors
    /// See [`StoreError`].
    async fn is_first(
        &self,
        proof: &Digest,
        (made, until): (u64, u64),
        now: u64,
    ) -> Result<bool, StoreError>;

    /// The ids of all sessions, or of one person's, oldest first; no more than `max`.
    ///
    /// # Errors
    /// See [`StoreError`].
    async fn list(
        &self,
        person: Option<&Digest>,
        max: usize,
        now: u64,
    ) -> Result<Vec<String>, StoreError>;

    /// The ids of those that ended at that time or later, in milliseconds since 1970.
    ///
    /// # Errors
    /// See [`StoreError`].
    async fn ended_since(&self, time: u64) -> Result<Vec<String>, StoreError>;
}
