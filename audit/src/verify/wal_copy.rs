//! The second copy of the newest entries: what the write-ahead log holds.

use super::claims::{self, Claim, Source};
use super::evidence::{Evidence, Place};
use super::{VerifyError, files};
use crate::disk::Disk;
use crate::tree::hash::Hash;
use crate::wal::record::Trailer;
use crate::wal::scan::{WalEnd, scan};

/// What the write-ahead log holds. Of its entries only the hashes are kept.
#[derive(Debug, Default)]
pub(super) struct WalCopy {
    pub(super) end: WalEnd,
    first: u64,
    leaves: Vec<Hash>,
}

impl WalCopy {
    /// Reads it, and pushes the heads of its batches onto `claims`.
    pub(super) fn read(
        disk: &dyn Disk,
        (origin, published): (&str, u64),
        claims: &mut Vec<Claim>,
        evidence: &mut Evidence,
    ) -> Result<Self, VerifyError> {
        let mut leaves = Vec::new();
        let mut odd = None;
        let end = scan(disk, 0, &|trailer| is_of(trailer, origin), &mut |batch| {
            let trailer = &batch.trailer;
            leaves.extend(batch.entries.iter().map(|entry| Hash::of_leaf(entry)));
            let claim = claims::read(&trailer.note, Source::Batch).filter(|claim| {
                let head = &claim.checkpoint;
                (head.origin.as_str(), head.size, head.root) == (origin, trailer.size, trailer.root)
            });
            match claim {
                Some(claim) => claims.push(claim),
                None => odd = odd.or(Some(trailer.first)),
            }
        });
        let end = end.map_err(|error| files::unreadable(crate::wal::FOLDER, error))?;
        if let Some(index) = odd {
            let what = "a batch carries another head than its own";
            evidence.add(Place::Exact, index, what);
        }
        if let Some(fault) = end.fault.filter(|fault| fault.later) {
            evidence.add(Place::Exact, fault.index, "the write-ahead log is damaged");
        }
        // The checkpoint is published after what it names is durable in the write-ahead log.
        if end.first.is_some() && end.size < published {
            let index = end.fault.map_or(end.size, |fault| fault.index);
            let what = "the write-ahead log ends before what is published";
            evidence.add(Place::Exact, index, what);
        }
        Ok(Self {
            first: end.first.unwrap_or_default(),
            end,
            leaves,
        })
    }

    /// The hash of its copy of an entry; nothing when it has none.
    pub(super) fn leaf(&self, index: u64) -> Option<&Hash> {
        let at = usize::try_from(index.checked_sub(self.first)?).ok()?;
        self.leaves.get(at)
    }
}

/// Hands out the entries from an index on, batch by batch.
pub(super) fn entries_from(
    disk: &dyn Disk,
    (origin, index): (&str, u64),
    each: &mut dyn FnMut(u64, &[u8]),
) -> Result<(), VerifyError> {
    let read = scan(
        disk,
        index,
        &|trailer| is_of(trailer, origin),
        &mut |batch| {
            for (at, entry) in (batch.trailer.first..).zip(&batch.entries) {
                if at >= index {
                    each(at, entry);
                }
            }
        },
    );
    read.map(drop)
        .map_err(|error| files::unreadable(crate::wal::FOLDER, error))
}

fn is_of(trailer: &Trailer, origin: &str) -> bool {
    let claim = claims::read(&trailer.note, Source::Batch);
    claim.is_some_and(|claim| claim.checkpoint.origin == origin)
}
