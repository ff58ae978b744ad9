//! Heads that somebody signed, from wherever they are: the published checkpoint, the last cosigned one,
//! the head slots, and the anchors that were given. The write-ahead log adds its own.

use super::evidence::{Evidence, Place};
use super::{VerifyError, checkpoint_of, files};
use crate::checkpoint::Checkpoint;
use crate::disk::Disk;
use crate::head_slots::{self, Slot};
use crate::log::cosigned::COSIGNED;
use crate::note::Note;
use crate::vkey::VerifierKey;

/// Where a head is from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The write-ahead log.
    Batch,
    /// A head slot.
    Slot,
    /// The published checkpoint, or the last cosigned one.
    Published,
    /// Kept elsewhere: the number of the checkpoint that was given, counted from 1.
    Anchor(usize),
}

impl Source {
    /// How it is called.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Batch => "a batch of the write-ahead log",
            Self::Slot => "a head slot",
            Self::Published => "the published checkpoint",
            Self::Anchor(_) => "a checkpoint that was kept elsewhere",
        }
    }
}

/// What somebody says the tree was at a size.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) source: Source,
    pub(super) checkpoint: Checkpoint,
    pub(super) note: Note,
}

/// What was gathered.
#[derive(Debug, Default)]
pub(super) struct Claims {
    pub(super) list: Vec<Claim>,
    /// The size of the published tree; 0 when no checkpoint can be read.
    pub(super) published: u64,
    /// There is no published checkpoint: of a log that was killed in its first moments, there is none yet.
    pub(super) is_unpublished: bool,
    /// The head slots that cannot be read.
    pub(super) unreadable: Vec<&'static str>,
}

/// Gathers all but those of the write-ahead log.
pub(super) fn gather(
    disk: &dyn Disk,
    key: &VerifierKey,
    published: Option<&[u8]>,
    anchors: &[Vec<u8>],
    evidence: &mut Evidence,
) -> Result<Claims, VerifyError> {
    let mut claims = Claims::default();
    let claim = |bytes: &[u8], source| read(bytes, source).filter(|it| is_of(it, key));
    match published.map(|bytes| claim(bytes, Source::Published)) {
        Some(Some(found)) => {
            claims.published = found.checkpoint.size;
            claims.list.push(found);
        }
        Some(None) => evidence.add(
            Place::Bound,
            0,
            "the published checkpoint is not one of this log",
        ),
        None => claims.is_unpublished = true,
    }
    if let Some(bytes) = files::optional(disk, COSIGNED)? {
        if claims.is_unpublished {
            // Only what was published is cosigned.
            evidence.add(Place::Bound, 0, "there is no published checkpoint");
        }
        match claim(&bytes, Source::Published) {
            Some(found) => claims.list.push(found),
            None => claims.unreadable.push(COSIGNED),
        }
    }
    for path in head_slots::PATHS {
        let slot = head_slots::read(disk, path).map_err(|error| files::unreadable(path, error))?;
        match slot {
            Slot::Absent => {}
            Slot::Unreadable => claims.unreadable.push(path),
            Slot::Head { note, .. } => match claim(&note, Source::Slot) {
                Some(found) => claims.list.push(found),
                None => claims.unreadable.push(path),
            },
        }
    }
    for (number, bytes) in (1..).zip(anchors) {
        let found = claim(bytes, Source::Anchor(number)).ok_or(VerifyError::Anchor { number })?;
        claims.list.push(found);
    }
    Ok(claims)
}

/// Reads a claim; who signed it is checked when its size is reached, because only then its key is known.
pub(super) fn read(bytes: &[u8], source: Source) -> Option<Claim> {
    Some(Claim {
        source,
        checkpoint: checkpoint_of(bytes)?,
        note: Note::parse(bytes).ok()?,
    })
}

fn is_of(claim: &Claim, key: &VerifierKey) -> bool {
    claim.checkpoint.origin == key.name()
}
