//! The log: one writer that makes entries durable in batches, and a publisher that makes the files
//! which anybody can verify.
//!
//! ```text
//! append ─▶ queue ─▶ writer: hash, sign, one write, one fdatasync ─▶ acknowledge (index, size, root)
//!                       │ .wal/            └▶ .state/head.A|B
//!                       ▼
//!                    publisher: tile/…, tile/entries/…, then checkpoint; then old segments go
//! ```
//!
//! Guarantees: an entry that was acknowledged is durable, at its index, under a signed head. A failed
//! write refuses its entries and changes nothing; a failed sync ends the log until it is opened again.

pub(crate) mod cosigned;
pub(crate) mod error;
pub(crate) mod keys;
pub(crate) mod life;
pub(crate) mod new_entry;
mod open;
pub(crate) mod pruning;
pub(crate) mod publisher;
mod queue;
pub(crate) mod recover;
pub(crate) mod settings;
mod successor;
mod writer;

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::thread::JoinHandle;

use crate::asking::{Asking, WithProofs};
use crate::checkpoint::Checkpoint;
use crate::disk::Lock;
use crate::note::{Note, SignatureLine};
use crate::receipt::Receipt;
use crate::store::StoreError;
use crate::tree::hash::Hash;
use crate::vkey::VerifierKey;
use error::{LogError, OpenError};
use life::Activity;
use new_entry::NewEntry;
use publisher::Publisher;
use queue::{Item, Pending, Queue};
use settings::LogSettings;

/// The latest durable head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) checkpoint: Checkpoint,
    pub(crate) note: String,
}

/// What the threads and the handle share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) queue: Queue,
    head: Mutex<Option<Head>>,
    keys: Mutex<Vec<VerifierKey>>,
    /// The next batch begins another segment, however short this one is.
    begin_segment: AtomicBool,
}

impl Shared {
    pub(crate) fn head(&self) -> Option<Head> {
        held(&self.head).clone()
    }

    pub(crate) fn set_head(&self, head: Head) {
        *held(&self.head) = Some(head);
    }
}

/// A log that is open for writing. Dropping it closes it without a Stop entry.
#[derive(Debug)]
pub struct Log {
    settings: LogSettings,
    origin: String,
    shared: Arc<Shared>,
    publisher: Arc<Mutex<Publisher>>,
    threads: Vec<JoinHandle<()>>,
    /// INVARIANT: held for as long as anything may write; released after the threads have ended.
    _lock: Box<dyn Lock>,
}

impl Log {
    /// Opens the log of a folder, and makes one when there is none. It repairs what a crash left, refuses
    /// what a crash cannot have left, and appends a Start or Restart entry.
    ///
    /// # Errors
    /// When another process has it, it was damaged or rolled back, its key is missing, or the disk fails.
    pub fn open(settings: LogSettings) -> Result<Self, OpenError> {
        open::open(settings)
    }

    /// The log's name, which is its key's too.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The log's public keys, the first one first and the one that signs now last.
    #[must_use]
    pub fn keys(&self) -> Vec<VerifierKey> {
        held(&self.shared.keys).clone()
    }

    /// The latest durable head, signed. It may be ahead of what is published.
    #[must_use]
    pub fn head(&self) -> Option<String> {
        self.shared.head().map(|head| head.note)
    }

    /// Appends an entry and returns when it is queued; waits while the queue is full. `on_durable` is
    /// called once: with a receipt when the entry is durable, or with why it is not in the log. It is
    /// called by the writer's thread, so it must neither wait nor panic.
    pub fn append(
        &self,
        entry: NewEntry,
        on_durable: impl FnOnce(Result<Receipt, LogError>) + Send + 'static,
    ) {
        let on_durable = Box::new(on_durable);
        match entry.check() {
            Ok(()) => self
                .shared
                .queue
                .push(Item::Append(Pending { entry, on_durable })),
            Err(error) => on_durable(Err(error)),
        }
    }

    /// As [`Log::append`], but never waits.
    ///
    /// # Errors
    /// [`LogError::Full`] when the queue is full, and whatever else is known at once; `on_durable` is
    /// then not called.
    pub fn try_append(
        &self,
        entry: NewEntry,
        on_durable: impl FnOnce(Result<Receipt, LogError>) + Send + 'static,
    ) -> Result<(), LogError> {
        entry.check()?;
        let on_durable = Box::new(on_durable);
        self.shared
            .queue
            .try_push(Item::Append(Pending { entry, on_durable }))
    }

    /// Appends an entry and waits until it is durable.
    ///
    /// # Errors
    /// When the entry is not in the log.
    pub fn append_and_wait(&self, entry: NewEntry) -> Result<Receipt, LogError> {
        let (reply, answer) = mpsc::sync_channel(1);
        self.append(entry, move |result| drop(reply.send(result)));
        answer.recv().unwrap_or(Err(LogError::Poisoned))
    }

    /// Makes a new key, which signs from the next entry on, and appends the entry by which the old key
    /// says so. Waits until that is durable.
    ///
    /// # Errors
    /// When the old key stays in force, or the log has failed.
    pub fn rotate_key(&self) -> Result<Receipt, LogError> {
        let (reply, answer) = mpsc::sync_channel(1);
        let on_durable = Box::new(move |result| drop(reply.send(result)));
        self.shared.queue.push(Item::Rotate(on_durable));
        answer.recv().unwrap_or(Err(LogError::Poisoned))
    }

    /// Whether a sync has failed, after which nothing is appended any more.
    #[must_use]
    pub fn is_poisoned(&self) -> bool {
        self.shared.queue.is_poisoned()
    }

    /// How many entries wait.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.shared.queue.len()
    }

    /// Publishes everything that is durable now: tiles, bundles, the checkpoint. The publisher's thread
    /// does this every interval.
    ///
    /// # Errors
    /// When the disk fails. It is tried again at the next interval, unless a sync failed.
    pub fn publish(&self) -> Result<(), LogError> {
        held(&self.publisher).publish(&self.shared)
    }

    /// The checkpoint as it was published last, with its cosignatures.
    #[must_use]
    pub fn published(&self) -> Option<String> {
        held(&self.publisher).published()
    }

    /// Adds cosignatures to the published checkpoint whose text this is. The caller has verified them.
    ///
    /// # Errors
    /// [`LogError::Superseded`] when another checkpoint has been published (see [`Log::keep_cosigned`]), and
    /// when the disk fails.
    pub fn cosign(&self, checkpoint: &str, lines: Vec<SignatureLine>) -> Result<(), LogError> {
        held(&self.publisher).cosign(&self.shared, checkpoint, lines)
    }

    /// Keeps a checkpoint of this log with its cosignatures, although another one has been published: the
    /// verifier finds it beside the log. The caller has verified them.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn keep_cosigned(&self, note: &Note) -> Result<(), LogError> {
        let kept = cosigned::keep(self.settings.disk.as_ref(), note);
        self.fatal_if_unsynced(kept)
    }

    /// Remembers up to which size a witness has cosigned. A log that is shorter at its next start was
    /// rolled back.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn remember_witness(&self, witness: &VerifierKey, size: u64) -> Result<(), LogError> {
        let kept = cosigned::remember(self.settings.disk.as_ref(), witness, size);
        self.fatal_if_unsynced(kept)
    }

    /// Takes no more entries, for good: somebody outside knows more of this log than is here, so that it
    /// was rolled back or forked.
    pub fn stop_for_rollback(&self) {
        self.shared.queue.poison();
    }

    fn fatal_if_unsynced(&self, stored: Result<(), StoreError>) -> Result<(), LogError> {
        if matches!(stored, Err(StoreError::Sync(_))) {
            self.shared.queue.poison();
        }
        Ok(stored?)
    }

    /// The proof that the tree of `old` entries is the beginning of the published one: what a witness
    /// asks for.
    ///
    /// # Errors
    /// When nothing so large is published, or the disk fails.
    pub fn prove_consistency(&self, old: u64) -> Result<Vec<Hash>, LogError> {
        held(&self.publisher).prove_consistency(old)
    }

    /// The published checkpoint, to be taken to witnesses, and for each size that one has seen the proof that
    /// the tree continues it; an empty one where there is none. Nothing when nothing is published.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn asking(&self, seen: &[u64]) -> Result<Option<WithProofs>, LogError> {
        let publisher = held(&self.publisher);
        let Some(asking) = publisher.published().as_deref().and_then(Asking::new) else {
            return Ok(None);
        };
        let proofs = seen
            .iter()
            .map(|old| match publisher.prove_consistency(*old) {
                Err(LogError::Unpublished { .. }) => Ok(Vec::new()),
                proof => proof,
            });
        let proofs = proofs.collect::<Result<_, _>>()?;
        Ok(Some(WithProofs { asking, proofs }))
    }

    /// The proof file (C2SP tlog-proof) that an entry is in the published tree.
    ///
    /// # Errors
    /// When the entry is not published yet, or the disk fails.
    pub fn prove(&self, index: u64) -> Result<String, LogError> {
        held(&self.publisher).prove(index)
    }

    /// Appends a Stop entry after everything that is queued, publishes, and ends the log.
    ///
    /// # Errors
    /// When the Stop entry or what it ends could not be written; the log has ended all the same.
    pub fn close(mut self) -> Result<(), LogError> {
        let stop = life::entry(
            self.settings.clock.as_ref(),
            &self.origin,
            Activity::Stop,
            None,
        );
        let stopped = self.append_and_wait(stop);
        self.end();
        stopped?;
        self.publish()
    }

    fn end(&mut self) {
        self.shared.queue.close();
        for thread in self.threads.drain(..) {
            // A thread that panicked has poisoned the queue on its way out.
            drop(thread.join());
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.end();
    }
}

/// The value behind a lock, whatever became of whoever held it last: a panic there has poisoned the
/// queue, and nothing is written any more.
pub(crate) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
