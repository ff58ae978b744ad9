//! The audit log and the exchanges: what goes on record, and who waits for it.
//!
//! ```text
//! decide ─▶ intent ─▶ (upstream) ─▶ first byte waits for the intent ─▶ outcome ─▶ last byte waits for it
//!    └▶ refusal ─▶ the problem waits for it                                └ or from Drop, without waiting
//! ```
//!
//! Guarantees (D12): an unsafe request goes upstream after its intent is durable, and no byte of an answer
//! leaves before it; the last byte leaves after the outcome is. What cannot be recorded does not happen.
//! With `audit: off` nothing is recorded, nobody waits, and a start says so.

mod anchors;
mod api_call;
mod checkpoint;
mod event;
mod exchange;
mod health;
mod heartbeat;
mod keyed_hash;
mod opening;
mod peers;
mod receipts;
mod retention;
mod session_events;
mod space;
mod witnesses;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use postern_audit::{Log, LogError, OpenError, Receipt};
use tokio::sync::oneshot::{self, error::TryRecvError};

use crate::clock::Clock;
use crate::respond::Problem;

use anchors::Anchors;
pub(crate) use anchors::faults as anchor_faults;
pub(crate) use event::{Act, Class, Event};
pub(crate) use exchange::ExchangeRecord;
use health::Tally;
pub(crate) use health::{Health, Watched};
use heartbeat::Heartbeat;
pub(crate) use keyed_hash::FILE as HASH_KEY_FILE;
use keyed_hash::HashKey;
pub(crate) use opening::Opening;
pub(crate) use peers::{log_keys, witness_key};
pub(crate) use receipts::NoProof;
use receipts::Receipts;
use space::Space;

/// More entries than these may not wait where nobody waits for them.
const BATCH_LAG_MAX: usize = 1_000;
/// How long tasks that were cut may take to let go of the log.
const LET_GO_TIME_MAX: Duration = Duration::from_secs(5);
const LET_GO_POLL: Duration = Duration::from_millis(2);

/// Why there is no evidence. The operator must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum EvidenceError {
    /// The log's folder cannot be made.
    #[error("cannot make the folder of the audit log, `{path}`: {error}")]
    Folder {
        /// The folder.
        path: String,
        /// What the system says.
        error: std::io::Error,
    },
    /// The log cannot be opened.
    #[error("{0}")]
    Log(#[from] OpenError),
    /// The key of the hashes cannot be read or made.
    #[error("the key of the audit log's hashes, `{path}`: {message}")]
    HashKey {
        /// The file.
        path: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// Others can read the key that signs the log.
    #[error("the key that signs the audit log, `{path}`: {message}")]
    Seed {
        /// The file.
        path: String,
        /// What is wrong, and what to do.
        message: String,
    },
    /// A witness cannot be asked, or a peer cannot be cosigned.
    #[error("`audit.{field}`: {message}")]
    Anchor {
        /// The field of the server file.
        field: &'static str,
        /// What is wrong, and what to do.
        message: String,
    },
    /// Something was done by a thread that panicked: a fault of ours.
    #[error("the audit log could not be opened because of a fault in Postern")]
    Fault,
}

/// Where things go on record. Cloning it is cheap and shares everything.
#[derive(Debug, Clone)]
pub(crate) struct Evidence {
    kept: Option<Arc<Kept>>,
    clock: Arc<dyn Clock>,
}

#[derive(Debug)]
struct Kept {
    log: Log,
    hash_key: HashKey,
    heartbeat: Heartbeat,
    space: Space,
    anchors: Anchors,
    receipts: Receipts,
    /// How long entries are kept; none: for ever.
    keep: Option<Duration>,
    /// What became of entries. Where the last one could not be written, everybody waits from now on.
    tally: Arc<Tally>,
}

impl Evidence {
    /// No log is kept.
    pub(crate) fn off(clock: Arc<dyn Clock>) -> Self {
        Self { kept: None, clock }
    }

    /// Whether a log is kept.
    pub(crate) fn is_on(&self) -> bool {
        self.kept.is_some()
    }

    /// Puts an event on record. It is queued when this returns, and durable when the result says so.
    pub(crate) fn record(&self, event: &Event) -> Written {
        let Some(kept) = &self.kept else {
            return Written::nowhere();
        };
        if event.may_be_shed() && kept.space.is_short() {
            kept.tally.shed();
            return Written::failed();
        }
        let entry = event.entry(self.clock.wall());
        let tally = Arc::clone(&kept.tally);
        let (reply, answer) = oneshot::channel();
        let on_durable = move |result: Result<Receipt, LogError>| {
            tally.written(result.is_ok());
            // Nobody may be waiting.
            drop(reply.send(result));
        };
        match kept.log.try_append(entry, on_durable) {
            Ok(()) => Written(Some(answer)),
            Err(error) => {
                kept.tally.shed();
                tracing::error!(%error, "the audit log does not take an entry");
                Written::failed()
            }
        }
    }

    /// Puts something that an operator did, or that was found, on record and waits for it, off the
    /// runtime's threads.
    ///
    /// # Errors
    /// It is not on record: it must not be done.
    pub(crate) fn record_and_wait(&self, event: &Event) -> Result<(), LogError> {
        match &self.kept {
            None => Ok(()),
            Some(kept) => {
                let entry = event.entry(self.clock.wall());
                let written = kept.log.append_and_wait(entry).map(drop);
                kept.tally.written(written.is_ok());
                written
            }
        }
    }

    /// Whether an entry for which nobody would wait is waited for all the same: the log is behind, or
    /// did not take the last one.
    pub(crate) fn must_wait(&self) -> bool {
        self.kept.as_ref().is_some_and(|kept| {
            kept.log.queued() > BATCH_LAG_MAX || kept.tally.is_failing() || kept.log.is_poisoned()
        })
    }

    /// A keyed hash of something that identifies a customer, by tenant and month: the same value has
    /// the same hash, and nobody without the key can try values.
    pub(crate) fn hash(&self, tenant: Option<&str>, value: &str) -> Option<String> {
        let kept = self.kept.as_ref()?;
        Some(kept.hash_key.hash(tenant, self.clock.wall(), value))
    }

    /// An exchange has begun.
    pub(crate) fn exchange_began(&self) {
        if let Some(kept) = &self.kept {
            kept.heartbeat.began();
        }
    }

    /// An exchange has ended that leaves no record: another log was cosigned, which would otherwise make this
    /// log grow, and that one by cosigning it, for ever.
    pub(crate) fn exchange_struck(&self) {
        if let Some(kept) = &self.kept {
            kept.heartbeat.struck();
        }
    }

    /// An exchange has ended, whether or not that is on record.
    pub(crate) fn exchange_ended(&self, class: Class) {
        if let Some(kept) = &self.kept {
            kept.heartbeat.ended(class);
        }
    }

    /// Says on record that the log ends here, and closes it. Tasks that were cut a moment ago may still
    /// hold it; they are waited for.
    pub(crate) async fn close(self) {
        let Some(mut kept) = self.kept else {
            return;
        };
        let patience = tokio::time::Instant::now() + LET_GO_TIME_MAX;
        let kept = loop {
            match Arc::try_unwrap(kept) {
                Ok(kept) => break kept,
                Err(shared) if tokio::time::Instant::now() < patience => kept = shared,
                Err(shared) => {
                    tracing::error!("the audit log is in use; it is published, and not closed");
                    let publishing = tokio::task::spawn_blocking(move || shared.log.publish());
                    if !matches!(publishing.await, Ok(Ok(()))) {
                        tracing::error!("the audit log could not be published");
                    }
                    return;
                }
            }
            tokio::time::sleep(LET_GO_POLL).await;
        };
        let closed = tokio::task::spawn_blocking(move || kept.log.close()).await;
        match closed {
            Ok(Ok(())) => {}
            Ok(Err(error)) => {
                tracing::error!(%error, "the audit log was not closed as it should be");
            }
            Err(_panicked) => tracing::error!("the audit log could not be closed"),
        }
    }
}

/// What becomes of an entry.
#[derive(Debug)]
pub(crate) struct Written(Option<oneshot::Receiver<Result<Receipt, LogError>>>);

impl Written {
    /// No log is kept.
    const fn nowhere() -> Self {
        Self(None)
    }

    /// It did not even reach the queue.
    fn failed() -> Self {
        let (reply, answer) = oneshot::channel();
        drop(reply.send(Err(LogError::Full)));
        Self(Some(answer))
    }

    /// What is still open, if it is not known by now that the entry is not on record.
    ///
    /// # Errors
    /// It is not on record.
    fn unless_failed(self) -> Result<Self, Problem> {
        let Some(mut answer) = self.0 else {
            return Ok(self);
        };
        match answer.try_recv() {
            Ok(Ok(_)) => Ok(Self(None)),
            Err(TryRecvError::Empty) => Ok(Self(Some(answer))),
            Ok(Err(_)) | Err(TryRecvError::Closed) => Err(Problem::AuditUnavailable),
        }
    }

    /// Waits until the entry is durable. Without a log there is no receipt.
    ///
    /// # Errors
    /// It is not on record.
    pub(crate) async fn durable(self) -> Result<Option<Receipt>, Problem> {
        let Some(answer) = self.0 else {
            return Ok(None);
        };
        match answer.await {
            Ok(Ok(receipt)) => Ok(Some(receipt)),
            Ok(Err(error)) => {
                tracing::error!(%error, "an exchange cannot be put on record");
                Err(Problem::AuditUnavailable)
            }
            Err(_gone) => Err(Problem::AuditUnavailable),
        }
    }
}

/// The log's clock is the process's.
#[derive(Debug)]
struct WallClock(Arc<dyn Clock>);

impl postern_audit::Clock for WallClock {
    fn wall(&self) -> SystemTime {
        self.0.wall()
    }
}
