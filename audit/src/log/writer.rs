//! The writer: the one thread that appends to the write-ahead log. It drains what waits, hashes it into
//! the tree, signs the new head, writes everything by one call, syncs once, and only then acknowledges.
//! There is no timer: while a sync runs, the next batch gathers.

use std::io;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::error::LogError;
use super::keys::KeyStore;
use super::life::rotation;
use super::new_entry::NewEntry;
use super::queue::{OnDurable, Pending, Work};
use super::{Head, Shared, held};
use crate::checkpoint::Checkpoint;
use crate::clock::Clock;
use crate::disk::{Access, Disk, DiskFile};
use crate::head_slots::HeadSlots;
use crate::receipt::Receipt;
use crate::signer::Signer;
use crate::store::{StoreError, write_all};
use crate::tree::compact_range::CompactRange;
use crate::tree::hash::Hash;
use crate::wal::record::{Trailer, put_record, put_trailer};
use crate::wal::{FOLDER, segment_path};

/// The segment that is being written.
#[derive(Debug)]
pub(super) struct Segment {
    pub(super) file: Box<dyn DiskFile>,
    /// Where its last whole batch ends.
    pub(super) whole: u64,
    /// Whether something may be after that, which has to be cut before anything is written.
    pub(super) is_torn: bool,
}

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Writer {
    pub(super) disk: Arc<dyn Disk>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) keys: KeyStore,
    pub(super) signer: Signer,
    pub(super) range: CompactRange,
    pub(super) segment: Option<Segment>,
    pub(super) segment_bytes: u64,
    pub(super) slots: HeadSlots,
    pub(super) shared: Arc<Shared>,
}

/// A batch that is durable.
struct Committed {
    size: u64,
    root: Hash,
    /// One for each entry.
    leaves: Vec<Hash>,
}

/// Leaves nobody waiting when the writer ends, in whatever way.
struct Ending(Arc<Shared>);

impl Drop for Ending {
    fn drop(&mut self) {
        self.0.queue.abandon();
    }
}

impl Writer {
    /// Writes until the queue is closed and empty, or a sync fails.
    pub(super) fn run(mut self) {
        let ending = Ending(Arc::clone(&self.shared));
        while let Some(work) = self.shared.queue.take() {
            match work {
                Work::Batch(batch) => self.append(batch),
                Work::Rotate(on_durable) => {
                    let rotated = self.rotate();
                    self.fail_if_poisoned(rotated.as_ref().err());
                    on_durable(rotated);
                }
            }
        }
        drop(ending);
    }

    /// Makes a batch durable and tells everybody who waits for it.
    fn append(&mut self, batch: Vec<Pending>) {
        let first = self.range.size();
        let (entries, waiting): (Vec<NewEntry>, Vec<OnDurable>) = batch
            .into_iter()
            .map(|pending| (pending.entry, pending.on_durable))
            .unzip();
        let outcome = self.commit(&entries);
        self.fail_if_poisoned(outcome.as_ref().err());
        let mut leaves = outcome.iter().flat_map(|head| &head.leaves);
        for (index, on_durable) in (first..).zip(waiting) {
            // INVARIANT: a batch that is durable has one leaf for each of its entries.
            let leaf = leaves.next().copied().unwrap_or_else(Hash::of_nothing);
            on_durable(match &outcome {
                Ok(Committed { size, root, .. }) => Ok(Receipt {
                    index,
                    leaf,
                    size: *size,
                    root: *root,
                }),
                Err(error) => Err(error.clone()),
            });
        }
    }

    /// INVARIANT: nobody is told of a failed sync before the queue has stopped taking entries.
    fn fail_if_poisoned(&self, error: Option<&LogError>) {
        if error == Some(&LogError::Poisoned) {
            self.shared.queue.poison();
        }
    }

    fn commit(&mut self, entries: &[NewEntry]) -> Result<Committed, LogError> {
        self.prepare_segment()?;
        let first = self.range.size();
        let mut range = self.range.clone();
        let mut bytes = Vec::new();
        let mut leaves = Vec::with_capacity(entries.len());
        for entry in entries {
            let index = range.size();
            let entry = entry.at(index);
            let leaf = Hash::of_leaf(&entry);
            put_record(&mut bytes, index, &entry);
            range.push(leaf);
            leaves.push(leaf);
        }
        let checkpoint = Checkpoint {
            origin: self.signer.key().name().to_owned(),
            size: range.size(),
            root: range.root(),
        };
        let note = self.signer.sign(checkpoint.to_string()).to_string();
        let trailer = Trailer {
            first,
            size: checkpoint.size,
            root: checkpoint.root,
            note: note.clone().into_bytes(),
        };
        put_trailer(&mut bytes, &trailer);
        self.write(&bytes)?;
        self.range = range;
        // An older slot is as true, only weaker: the next batch writes it again.
        drop(self.slots.put(note.as_bytes()));
        let committed = Committed {
            size: checkpoint.size,
            root: checkpoint.root,
            leaves,
        };
        self.shared.set_head(Head { checkpoint, note });
        Ok(committed)
    }

    /// One write and one sync. A failed write is cut off again; a failed sync is final.
    fn write(&mut self, bytes: &[u8]) -> Result<(), LogError> {
        let segment = self.segment.as_mut().ok_or(LogError::Poisoned)?;
        if let Err(error) = write_all(segment.file.as_mut(), segment.whole, bytes) {
            segment.is_torn = true;
            cut(segment)?;
            return Err(error.into());
        }
        segment.file.sync().map_err(|_error| LogError::Poisoned)?;
        segment.whole += bytes.len() as u64;
        Ok(())
    }

    /// Makes sure that there is a segment to write to and that it ends with a whole batch.
    fn prepare_segment(&mut self) -> Result<(), LogError> {
        if let Some(segment) = &mut self.segment {
            if segment.is_torn {
                cut(segment)?;
            }
            let is_due = self.shared.begin_segment.swap(false, Ordering::Relaxed);
            let is_full = segment.whole >= self.segment_bytes;
            if segment.whole == 0 || (!is_due && !is_full) {
                return Ok(());
            }
        }
        let begun = self.begin_segment();
        if begun.is_err() {
            // What is there of it is where the next batch has to begin.
            self.shared.begin_segment.store(true, Ordering::Relaxed);
        }
        self.segment = Some(Segment {
            file: begun?,
            whole: 0,
            is_torn: false,
        });
        Ok(())
    }

    /// The file of the segment that begins with the next entry, under a durable name.
    fn begin_segment(&self) -> Result<Box<dyn DiskFile>, LogError> {
        let path = segment_path(self.range.size());
        let file = match self.disk.create(&path, Access::Public) {
            // It was made, but its name could not be synced, or nothing was written to it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.disk.open(&path),
            created => created,
        }?;
        let synced = self.disk.sync_folder(FOLDER);
        synced.map_err(StoreError::of_folder)?;
        Ok(file)
    }

    /// Makes a new key, and has the old one sign it in an entry of its own; from the next batch on the
    /// new key signs.
    fn rotate(&mut self) -> Result<Receipt, LogError> {
        let next = self.keys.prepare_next(self.signer.key().name())?;
        let index = self.range.size();
        let entry = rotation(self.clock.as_ref(), &self.signer, next.key(), index);
        let Committed { size, root, leaves } = self.commit(&[entry])?;
        match self.keys.adopt_next(next.key()) {
            Ok(()) => {}
            Err(StoreError::Write(_) | StoreError::Sync(_)) => return Err(LogError::Poisoned),
        }
        held(&self.shared.keys).push(next.key().clone());
        self.signer = next;
        Ok(Receipt {
            index,
            leaf: leaves.first().copied().unwrap_or_else(Hash::of_nothing),
            size,
            root,
        })
    }
}

/// Cuts a segment to its last whole batch and makes that durable, so that a head which was signed for
/// what is cut can never come back.
fn cut(segment: &mut Segment) -> Result<(), LogError> {
    segment.file.truncate(segment.whole)?;
    segment.file.sync().map_err(|_error| LogError::Poisoned)?;
    segment.is_torn = false;
    Ok(())
}
