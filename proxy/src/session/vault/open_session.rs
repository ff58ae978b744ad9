//! What a session begins with, and what its handle opens.

use super::{Handle, Jar};
use crate::session::binding::Binding;
use crate::session::digest::Digest;
use crate::session::keys::Key;
use crate::session::record::{Client, Holder, Record};
use crate::session::store::Limit;

/// What a session begins with.
#[derive(Debug, Clone)]
pub struct Start {
    /// Whose it is.
    pub holder: Holder,
    /// What holds it.
    pub client: Client,
    /// What binds it to its holder.
    pub binding: Binding,
    /// What is in the jar.
    pub jar: Jar,
    /// The fingerprints of what in it nobody may bring from outside.
    pub fingerprints: Vec<Digest>,
    /// The id of the session that it takes the place of, whose jar it takes over.
    pub follows: Option<String>,
    /// How many the person may have.
    pub limit: Option<Limit>,
}

/// A session that its handle has opened.
pub struct OpenSession {
    pub(super) record: Record,
    pub(super) jar: Jar,
    pub(super) handle: Handle,
    pub(super) revision: u64,
    pub(super) jar_key: Key,
}

impl OpenSession {
    /// What is known of it.
    #[must_use]
    pub const fn record(&self) -> &Record {
        &self.record
    }

    /// What is in its jar.
    #[must_use]
    pub fn jar(&self) -> &[u8] {
        &self.jar
    }

    /// How often it was changed: what is in it is the same as long as this is.
    #[must_use]
    pub const fn revision(&self) -> u64 {
        self.revision
    }

    /// What opened it.
    #[must_use]
    pub const fn handle(&self) -> &Handle {
        &self.handle
    }
}

impl std::fmt::Debug for OpenSession {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OpenSession")
            .field("sid", &self.record.sid)
            .finish_non_exhaustive()
    }
}

/// What became of a session that was to be ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It has ended now; what was known of it.
    Now(Box<Record>),
    /// It had been ended before.
    Before,
}
