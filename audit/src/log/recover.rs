//! What a log's folder says when it is opened: where the log ends, what a crash has torn, and whether
//! something is wrong that no crash leaves.
//!
//! A torn write is what comes after the last whole batch, in the newest segment, with no later batch
//! behind it: it was never acknowledged. Everything else that does not fit is damage, and a log that
//! ends before a head that was signed was rolled back.

use std::io;

use super::cosigned::{self, COSIGNED};
use super::error::OpenError;
use crate::checkpoint::Checkpoint;
use crate::disk::Disk;
use crate::head_slots::{self, Slot};
use crate::note::{Note, SignatureLine};
use crate::store::read_optional;
use crate::tree::compact_range::CompactRange;
use crate::tree::hash::Hash;
use crate::tree::tiles::{TILE_WIDTH, TileError, TileReader};
use crate::vkey::VerifierKey;
use crate::wal::record::Trailer;
use crate::wal::scan::{Batch, WalEnd, scan};

/// The published checkpoint.
pub(crate) const CHECKPOINT: &str = "checkpoint";
const UNREADABLE_TILES: &str = "the tiles before the write-ahead log cannot be read";
const ANOTHER_TREE: &str = "the published checkpoint is of another tree";

/// A checkpoint that a known key has signed.
#[derive(Debug, Clone)]
pub(crate) struct Signed {
    pub(crate) note: Note,
    pub(crate) checkpoint: Checkpoint,
}

impl Signed {
    /// Reads a note and believes it when one of the keys has signed it as the log it names.
    pub(crate) fn read(bytes: &[u8], keys: &[VerifierKey]) -> Option<Self> {
        let note = Note::parse(bytes).ok()?;
        note.verified_by(keys).ok()?;
        let checkpoint = Checkpoint::parse(note.text())?;
        let ours = keys.iter().any(|key| key.name() == checkpoint.origin);
        ours.then_some(Self { note, checkpoint })
    }

    /// The note as the log signed it, without cosignatures: it fits into a head slot.
    fn head(&self, keys: &[VerifierKey]) -> Option<Vec<u8>> {
        let is_own = |line: &&SignatureLine| {
            let mut keys = keys.iter();
            keys.any(|key| key.id() == line.key_id && key.name() == line.name)
        };
        let own = self.note.signatures().iter().find(is_own)?.clone();
        let note = Note::new(self.note.text().to_owned(), own);
        Some(note.to_string().into_bytes())
    }
}

/// Where a log ends.
#[derive(Debug)]
pub(super) struct Recovered {
    pub(super) range: CompactRange,
    /// The note of the last batch; where none is left, that of the log's own published checkpoint.
    pub(super) last_note: Option<Vec<u8>>,
    /// The last entry.
    pub(super) last_entry: Option<Vec<u8>>,
    pub(super) published: Option<Signed>,
    pub(super) end: WalEnd,
}

/// Reads it all, and refuses what no crash leaves.
pub(super) fn recover(
    disk: &dyn Disk,
    keys: &[VerifierKey],
    witnessed_size: Option<u64>,
) -> Result<Recovered, OpenError> {
    let published = published(disk, keys)?;
    let size = published
        .as_ref()
        .map_or(0, |signed| signed.checkpoint.size);
    let base = size - size % TILE_WIDTH;
    let mut replay = Replay::new(disk, published.as_ref().map(|signed| &signed.checkpoint));
    let signed = |trailer: &Trailer| Signed::read(&trailer.note, keys).is_some();
    let end = scan(disk, base, &signed, &mut |batch| replay.take(batch))?;
    let (wrong, range, last) = (replay.wrong, replay.range, replay.last);
    if let Some((index, what)) = wrong {
        return Err(damaged(index, what));
    }
    if let Some(fault) = end.fault.filter(|fault| fault.later) {
        return Err(damaged(
            fault.index,
            "a whole batch comes after one that is not",
        ));
    }
    if end.first.is_some_and(|first| first > base) {
        return Err(damaged(base, "segments of the write-ahead log are missing"));
    }
    let range = match range {
        Some(range) => range,
        None => unreplayed(disk, published.as_ref(), end.first)?,
    };
    if let Some((trailer, _)) = last.as_ref().filter(|(trailer, _)| !signed(trailer)) {
        return Err(damaged(
            trailer.first,
            "the last batch is not signed by this log",
        ));
    }
    rolled_back(range.size(), size, "its published checkpoint")?;
    for path in head_slots::PATHS {
        check_slot(&head_slots::read(disk, path)?, keys, &range)?;
    }
    if let Some(bytes) = read_optional(disk, COSIGNED)?
        && let Some(cosigned) = Signed::read(&bytes, keys)
    {
        let known = cosigned.checkpoint.size;
        rolled_back(range.size(), known, "its last cosigned checkpoint")?;
    }
    let known = witnessed_size.max(cosigned::largest_size(disk)?);
    rolled_back(range.size(), known.unwrap_or_default(), "a witness")?;
    let (last_note, last_entry) = last.map(|(trailer, entry)| (trailer.note, entry)).unzip();
    let of_tiles = || published.as_ref()?.head(keys);
    Ok(Recovered {
        last_note: last_note.or_else(of_tiles),
        range,
        last_entry,
        published,
        end,
    })
}

/// The tree where no batch was read. A segment is removed when the next one is there, and that may have been made
/// for a batch that never came: then all there is was published.
fn unreplayed(
    disk: &dyn Disk,
    published: Option<&Signed>,
    first: Option<u64>,
) -> Result<CompactRange, OpenError> {
    // Without any segment, none of this log was written, or somebody has removed what was.
    let Some(first) = first else {
        return Ok(CompactRange::default());
    };
    let published = published.map(|signed| &signed.checkpoint);
    let range = Replay::new(disk, published)
        .range_at(first)
        .ok_or_else(|| damaged(first, UNREADABLE_TILES))?;
    let published = published.filter(|published| published.size == first);
    if published.is_some_and(|published| published.root != range.root()) {
        return Err(damaged(first, ANOTHER_TREE));
    }
    Ok(range)
}

fn published(disk: &dyn Disk, keys: &[VerifierKey]) -> Result<Option<Signed>, OpenError> {
    let Some(bytes) = read_optional(disk, CHECKPOINT)? else {
        return Ok(None);
    };
    let signed = Signed::read(&bytes, keys);
    signed
        .map(Some)
        .ok_or_else(|| damaged(0, "the published checkpoint is not signed by this log"))
}

fn check_slot(slot: &Slot, keys: &[VerifierKey], range: &CompactRange) -> Result<(), OpenError> {
    let note = match slot {
        // A slot is not synced with every batch, so a power loss may tear it.
        Slot::Absent | Slot::Unreadable => return Ok(()),
        Slot::Head { note, .. } => note,
    };
    let signed = Signed::read(note, keys);
    let head = signed.map(|signed| signed.checkpoint);
    let head = head.ok_or_else(|| damaged(0, "a head slot is not signed by this log"))?;
    rolled_back(range.size(), head.size, "a head slot")?;
    if head.size == range.size() && head.root != range.root() {
        return Err(damaged(
            0,
            "a head slot and the write-ahead log are of different trees",
        ));
    }
    Ok(())
}

fn rolled_back(ours: u64, known: u64, by: &'static str) -> Result<(), OpenError> {
    if ours < known {
        return Err(OpenError::RolledBack { ours, known, by });
    }
    Ok(())
}

fn damaged(index: u64, what: &str) -> OpenError {
    OpenError::Damaged {
        index,
        what: what.to_owned(),
    }
}

/// The tree, as the batches make it again.
struct Replay<'d> {
    disk: &'d dyn Disk,
    published: Option<&'d Checkpoint>,
    range: Option<CompactRange>,
    last: Option<(Trailer, Vec<u8>)>,
    /// The first thing that is wrong: an index and what.
    wrong: Option<(u64, &'static str)>,
}

impl<'d> Replay<'d> {
    const fn new(disk: &'d dyn Disk, published: Option<&'d Checkpoint>) -> Self {
        Self {
            disk,
            published,
            range: None,
            last: None,
            wrong: None,
        }
    }

    fn take(&mut self, batch: &Batch<'_>) {
        if self.wrong.is_some() {
            return;
        }
        let first = batch.trailer.first;
        let Some(mut range) = self.range.take().or_else(|| self.range_at(first)) else {
            self.wrong = Some((first, UNREADABLE_TILES));
            return;
        };
        for entry in &batch.entries {
            range.push(Hash::of_leaf(entry));
        }
        let root = range.root();
        let published = self
            .published
            .filter(|published| published.size == range.size());
        if root != batch.trailer.root {
            self.wrong = Some((
                first,
                "a batch does not have the root that was signed for it",
            ));
        } else if published.is_some_and(|published| published.root != root) {
            self.wrong = Some((first, ANOTHER_TREE));
        }
        self.range = Some(range);
        let entry = batch.entries.last().map(|entry| entry.to_vec());
        self.last = Some((batch.trailer.clone(), entry.unwrap_or_default()));
    }

    /// The tree before the oldest segment, from the tiles that were published.
    fn range_at(&self, first: u64) -> Option<CompactRange> {
        if first == 0 {
            return Some(CompactRange::default());
        }
        let size = self.published?.size;
        let mut reader = TileReader::new(size, |tile| self.disk.read(&tile.path()));
        let range: Result<_, TileError<io::Error>> = CompactRange::load(first, &mut reader);
        range.ok()
    }
}
