//! The verifier: reads a copy of a log's folder, offline, and says two things that are never one.
//!
//! *Integrity*: every entry is hashed again, every tile made again, and every head that somebody signed
//! is held against the tree. *Completeness*: what no hash can show is looked for in what the entries
//! say: intents without outcomes, gaps, heartbeats that do not add up, and a tail that nobody outside
//! vouches for. It changes nothing and asks nobody.

mod claims;
mod evidence;
mod files;
mod key_chain;
mod pruned;
mod tiles;
mod timeline;
mod wal_copy;
mod walk;

use std::fmt;
use std::io;

use crate::checkpoint::Checkpoint;
use crate::disk::Disk;
use crate::note::Note;
use crate::policy_file::PolicyFile;
use evidence::Evidence;
use walk::Walk;

pub use timeline::Incomplete;

/// Whether anything was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Integrity {
    /// Everything is as it was signed.
    Ok,
    /// Something is not.
    Tampered {
        /// The first index that is not vouched for: that of the entry, where one is recognised; otherwise
        /// where the last head ends that still agrees.
        index: u64,
        /// What is wrong there.
        what: String,
    },
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Whose log it is.
    pub origin: String,
    /// How many entries there are.
    pub size: u64,
    /// The first index from which on every entry is there: those before were pruned, and only their hashes are
    /// left, but for bundles with a change of keys.
    pub first: u64,
    /// Whether anything was changed.
    pub integrity: Integrity,
    /// What is missing or may be; empty when nothing is.
    pub completeness: Vec<Incomplete>,
    /// Bytes after the last whole batch, which nobody was told are there.
    pub torn_bytes: u64,
}

impl Report {
    /// 0 when all is well, 4 when something was changed, 1 when something is missing or unanchored.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        match (&self.integrity, self.completeness.is_empty()) {
            (Integrity::Tampered { .. }, _) => 4,
            (Integrity::Ok, false) => 1,
            (Integrity::Ok, true) => 0,
        }
    }

    /// The first verdict in a few words.
    #[must_use]
    pub fn integrity_in_words(&self) -> String {
        match &self.integrity {
            Integrity::Ok if self.first > 0 => format!("ok from {}", self.first),
            Integrity::Ok => "ok".to_owned(),
            Integrity::Tampered { index, what } => format!("TAMPERED@{index} ({what})"),
        }
    }

    /// The second verdict: a few words for each thing that is missing, or that nothing is.
    #[must_use]
    pub fn completeness_in_words(&self) -> Vec<String> {
        match self.completeness.as_slice() {
            [] => vec!["ok".to_owned()],
            missing => missing.iter().map(ToString::to_string).collect(),
        }
    }
}

/// The two verdicts, a line each; each thing that is missing on a line of its own.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "log: {} ({} entries", self.origin, self.size)?;
        match self.first {
            0 => writeln!(f, ")")?,
            first => writeln!(f, ", those before {first} pruned)")?,
        }
        writeln!(f, "integrity: {}", self.integrity_in_words())?;
        let completeness = self.completeness_in_words();
        let mut lines = completeness.iter();
        lines.try_for_each(|said| writeln!(f, "completeness: {said}"))
    }
}

/// Why nothing can be said.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A file could not be read.
    #[error("`{path}` cannot be read: {error}")]
    Unreadable {
        /// Which.
        path: String,
        /// Why.
        error: io::Error,
    },
    /// There is no log.
    #[error("there is no audit log: neither a checkpoint nor a write-ahead log")]
    NoLog,
    /// The policy names no log.
    #[error("the policy has no `log` line")]
    NoLogInPolicy,
    /// A checkpoint that was given is not one of this log's.
    #[error("checkpoint {number} that was given is not a checkpoint of this log")]
    Anchor {
        /// Which one, counted from 1.
        number: usize,
    },
}

/// Verifies a log's folder. `anchors` are checkpoints that were kept elsewhere: each has to be a
/// beginning of this log.
///
/// # Errors
/// When there is nothing to verify or it cannot be read. What was changed is no error but a verdict.
pub fn verify(
    disk: &dyn Disk,
    policy: &PolicyFile,
    anchors: &[Vec<u8>],
) -> Result<Report, VerifyError> {
    let published = files::optional(disk, crate::log::recover::CHECKPOINT)?;
    let wal = crate::wal::scan::segments(disk).map_err(|error| VerifyError::Unreadable {
        path: crate::wal::FOLDER.to_owned(),
        error,
    })?;
    if published.is_none() && wal.is_empty() {
        return Err(VerifyError::NoLog);
    }
    let named = published
        .as_deref()
        .and_then(checkpoint_of)
        .map(|checkpoint| checkpoint.origin);
    let first_key = policy
        .logs()
        .iter()
        .find(|key| named.as_deref() == Some(key.name()))
        .or_else(|| policy.logs().first())
        .ok_or(VerifyError::NoLogInPolicy)?;
    let mut evidence = Evidence::default();
    let claims = claims::gather(
        disk,
        first_key,
        published.as_deref(),
        anchors,
        &mut evidence,
    )?;
    let walk = Walk::new(disk, policy, first_key, claims, evidence);
    walk.run()
}

fn checkpoint_of(bytes: &[u8]) -> Option<Checkpoint> {
    Checkpoint::parse(Note::parse(bytes).ok()?.text())
}
