//! Why an entry is not in the log, and why a log does not open.

use std::io;

use crate::store::StoreError;

/// Why something asked of an open log did not happen.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LogError {
    /// The entry is empty, which no entry may be.
    #[error("an entry must not be empty")]
    Empty,
    /// The entry is longer than tiles can hold.
    #[error("an entry of {bytes} bytes is too long: at most 65535 are possible")]
    TooLong {
        /// How long it would be.
        bytes: usize,
    },
    /// The queue is full.
    #[error("the queue of the audit log is full")]
    Full,
    /// The disk refused it. The log is as it was before, and the next entry may succeed.
    #[error("the audit log could not be written ({kind}): free space or repair the disk")]
    Unwritten {
        /// What the system said.
        kind: io::ErrorKind,
    },
    /// A sync has failed, now or before. Nothing is appended until the log is opened again.
    #[error("the audit log has failed and takes no entries: repair the disk and start again")]
    Poisoned,
    /// The log has been closed.
    #[error("the audit log is closed")]
    Closed,
    /// Another checkpoint has been published meanwhile.
    #[error("another checkpoint has been published meanwhile")]
    Superseded,
    /// There is no such entry, or it is not published yet.
    #[error("nothing is published at `{index}`")]
    Unpublished {
        /// The index or size that was asked for.
        index: u64,
    },
    /// What is published does not agree with itself.
    #[error("the published files are damaged: verify the log")]
    Damaged,
    /// The system has no random numbers to give, which a new key needs.
    #[error("no random numbers can be had for a new key")]
    NoRandomness,
}

impl From<io::Error> for LogError {
    fn from(error: io::Error) -> Self {
        Self::Unwritten { kind: error.kind() }
    }
}

impl From<StoreError> for LogError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Write(error) => error.into(),
            StoreError::Sync(_) => Self::Poisoned,
        }
    }
}

/// Why a log does not open.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// Another process has it open.
    #[error("the audit log is in use by another process")]
    Locked,
    /// Something is invalid before something valid, which no crash leaves.
    #[error("the audit log is damaged at index {index}: {what}")]
    Damaged {
        /// The first index that is not vouched for.
        index: u64,
        /// What is wrong.
        what: String,
    },
    /// The log is shorter than it was.
    #[error("the audit log was rolled back: it has {ours} entries, and {by} knows {known}")]
    RolledBack {
        /// How many entries there are.
        ours: u64,
        /// How many there were.
        known: u64,
        /// Who says so.
        by: &'static str,
    },
    /// Somebody else has signed another tree under the log's name, or this one was replaced.
    #[error("the audit log was forked: {by} knows another tree of its first {size} entries")]
    Forked {
        /// The size up to which they were to agree.
        size: u64,
        /// Who says so.
        by: &'static str,
    },
    /// There is a log but not its private key, or the key is not one of its keys.
    #[error("the private key of the audit log is missing or another: {what}")]
    Key {
        /// What is wrong.
        what: &'static str,
    },
    /// The domain cannot begin an origin.
    #[error(
        "`{0}` cannot name an audit log: use a domain of at most 200 bytes without spaces or `+`"
    )]
    Domain(String),
    /// The disk failed.
    #[error("the audit log cannot be opened: {0}")]
    Disk(#[from] io::Error),
    /// The first entry could not be appended.
    #[error("{0}")]
    Append(#[from] LogError),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Write(error) | StoreError::Sync(error) => Self::Disk(error),
        }
    }
}
