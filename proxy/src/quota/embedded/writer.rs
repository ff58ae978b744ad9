//! The one thread that writes the file.
//!
//! ```text
//!  asked ─┐
//!  asked ─┼─▶ queue ─▶ one transaction ─▶ one durable commit ─▶ all are answered
//!  asked ─┘
//! ```
//!
//! INVARIANT: nobody is answered before the commit. When anything fails between, the transaction is
//! not trusted, and neither is the file from then on: whether a failed commit is on the disk nobody
//! can know.

use std::fmt;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::thread::JoinHandle;

use redb::Database;
use tokio::sync::oneshot;

use super::pages::Pages;
use super::time::LedgerTime;
use crate::quota::ledger::StoreError;

/// How many may wait; more are refused.
const WAITING_MAX: usize = 8_192;
/// How many are written together at most.
const TOGETHER_MAX: usize = 1_024;

/// Asks the thread. It ends with this.
pub(super) struct Writer {
    queue: Mutex<Option<SyncSender<Box<dyn Job>>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// Something to do within a transaction, and to answer after its commit.
trait Job: Send {
    fn work(&mut self, pages: &mut Pages<'_>) -> Result<(), StoreError>;
    fn answer(self: Box<Self>, committed: Result<(), StoreError>);
}

struct Asked<T, F> {
    work: Option<F>,
    outcome: Option<T>,
    reply: oneshot::Sender<Result<T, StoreError>>,
}

impl<T, F> Job for Asked<T, F>
where
    T: Send,
    F: FnOnce(&mut Pages<'_>) -> Result<T, StoreError> + Send,
{
    fn work(&mut self, pages: &mut Pages<'_>) -> Result<(), StoreError> {
        if let Some(work) = self.work.take() {
            self.outcome = Some(work(pages)?);
        }
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), StoreError>) {
        let outcome = self.outcome.ok_or(StoreError::Unavailable);
        let answer = committed.and(outcome);
        if self.reply.send(answer).is_err() {
            tracing::debug!(target: "postern::quota", "an answer of the quota store came too late");
        }
    }
}

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] when the system starts no thread.
    pub(super) fn start(database: Database, time: LedgerTime) -> Result<Self, StoreError> {
        let (queue, waiting) = sync_channel(WAITING_MAX);
        let thread = std::thread::Builder::new()
            .name("quota-store".to_owned())
            .spawn(move || run(&database, &time, &waiting))
            .map_err(|_refused| StoreError::Unavailable)?;
        Ok(Self {
            queue: Mutex::new(Some(queue)),
            thread: Mutex::new(Some(thread)),
        })
    }

    /// Has something done, and waits for its durable outcome.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub(super) async fn ask<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&mut Pages<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job = Box::new(Asked {
            work: Some(work),
            outcome: None,
            reply,
        });
        let queued = match self
            .queue
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .as_ref()
        {
            Some(queue) => queue.try_send(job).is_ok(),
            None => false,
        };
        if !queued {
            return Err(StoreError::Unavailable);
        }
        answer.await.unwrap_or(Err(StoreError::Unavailable))
    }

    /// Ends the thread after what waits, and releases the file.
    pub(super) async fn close(&self) {
        if let Some(thread) = self.stop() {
            // A panic of the thread has been reported where it happened.
            let joined = tokio::task::spawn_blocking(move || thread.join().is_ok()).await;
            if !joined.unwrap_or(false) {
                tracing::error!(target: "postern::quota", "the quota store's thread had failed");
            }
        }
    }

    fn stop(&self) -> Option<JoinHandle<()>> {
        drop(
            self.queue
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take(),
        );
        self.thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The file is released when the thread ends; nobody waits for that here.
        drop(self.stop());
    }
}

impl fmt::Debug for Writer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Writer").finish_non_exhaustive()
    }
}

fn run(database: &Database, time: &LedgerTime, waiting: &Receiver<Box<dyn Job>>) {
    let mut poisoned = false;
    let mut sweep_from = String::new();
    while let Ok(first) = waiting.recv() {
        let mut jobs = vec![first];
        jobs.extend(waiting.try_iter().take(TOGETHER_MAX - 1));
        let committed = if poisoned {
            Err(StoreError::Poisoned)
        } else {
            write(database, time, &mut jobs, &mut sweep_from)
        };
        if let Err(error) = committed
            && !poisoned
        {
            poisoned = true;
            tracing::error!(target: "postern::quota", %error, "the quota store is no longer trusted");
        }
        for job in jobs {
            job.answer(committed);
        }
    }
}

/// Does all of the jobs in one transaction.
fn write(
    database: &Database,
    time: &LedgerTime,
    jobs: &mut [Box<dyn Job>],
    sweep_from: &mut String,
) -> Result<(), StoreError> {
    let transaction = database
        .begin_write()
        .map_err(|_failed| StoreError::Unavailable)?;
    let mut pages = Pages::open(&transaction, time.now_ms())?;
    for job in jobs {
        job.work(&mut pages)?;
    }
    if !pages.is_changed() {
        drop(pages);
        return transaction.abort().map_err(|error| super::broken(&error));
    }
    pages.sweep(sweep_from)?;
    pages.close()?;
    transaction
        .commit()
        .map_err(|_failed| StoreError::Unavailable)
}
