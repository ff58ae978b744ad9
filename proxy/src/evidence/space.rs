//! How much room the log's disk has: below a twentieth only refusals and what operators do is recorded.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};

/// Below this share of free blocks, in percent, operators are told.
const LOW_PERCENT: u8 = 10;
/// Below this share, exchanges are not recorded, so that they are refused.
const SHORT_PERCENT: u8 = 5;

/// What was seen of the disk when it was last looked at.
#[derive(Debug)]
pub(super) struct Space {
    folder: PathBuf,
    free_percent: AtomicU8,
}

impl Space {
    /// Looks at the disk that a folder is on.
    pub(super) fn of(folder: &Path) -> Self {
        let space = Self {
            folder: folder.to_owned(),
            free_percent: AtomicU8::new(100),
        };
        space.look();
        space
    }

    /// Looks again, and says so in the log where room gets low.
    pub(super) fn look(&self) {
        let Ok(found) = rustix::fs::statvfs(&self.folder) else {
            tracing::warn!("the audit log's disk does not say how much room it has");
            return;
        };
        let free = found.f_bavail.saturating_mul(100) / found.f_blocks.max(1);
        let free = u8::try_from(free).unwrap_or(100);
        self.free_percent.store(free, Ordering::Relaxed);
        if free < LOW_PERCENT {
            tracing::warn!(free_percent = free, "the audit log's disk gets full");
        }
    }

    /// The share of free blocks when it was last looked at, in percent.
    pub(super) fn free_percent(&self) -> u8 {
        self.free_percent.load(Ordering::Relaxed)
    }

    /// Whether exchanges are to be refused.
    pub(super) fn is_short(&self) -> bool {
        self.free_percent() < SHORT_PERCENT
    }
}
