//! The embedded store: one file of this process, written by one thread.
//!
//! Whatever waits is written in one transaction and made durable by one commit; then all are answered.
//! So a grant that anybody has seen survives `kill -9`. A write that fails ends all trust in the file:
//! from then on nothing is granted. A second process cannot open the file. Ledger time begins at the
//! wall clock or at the last time that was written, whichever is later, and then follows the
//! monotonic clock: steps of the wall clock do not reach it.

mod codec;
mod pages;
mod subjects;
mod time;
mod writer;

use std::path::Path;
use std::sync::Arc;

use async_trait::async_trait;
use redb::{Builder, Database, DatabaseError, StorageError};

use super::key::{Filter, QuotaKey};
use super::ledger::{
    Admission, AdmitMode, Ask, Entry, Ledger, Mark, StoreError, Subject, Taken, Usage,
};
use super::quotas::OpenError;
use super::terms::Terms;
use crate::clock::Clock;
use crate::private_file;
use time::LedgerTime;
use writer::Writer;

/// About how much of the file is kept in memory; the library would keep a gibibyte.
const CACHE_BYTES: usize = 16 << 20;

/// See the module's documentation.
#[derive(Debug)]
pub struct EmbeddedLedger {
    writer: Writer,
    subject_key: [u8; 16],
}

impl EmbeddedLedger {
    /// Opens the store, and makes it when there is none. It reads and writes the file: do not call it
    /// on a thread that must not block.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, OpenError> {
        let database = create(path)?;
        Self::on(database, clock).map_err(|error| match error {
            StoreError::Corrupt => OpenError::NotAStore {
                path: path.to_owned(),
            },
            StoreError::Unavailable | StoreError::Timeout | StoreError::Poisoned => {
                OpenError::File {
                    path: path.to_owned(),
                    reason: error.to_string(),
                }
            }
        })
    }

    fn on(database: Database, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let preface = pages::prepare(&database)?;
        let time = LedgerTime::starting(clock, preface.time_mark_ms);
        Ok(Self {
            writer: Writer::start(database, time)?,
            subject_key: preface.subject_key,
        })
    }
}

/// Opens the file, readable by its owner only.
fn create(path: &Path) -> Result<Database, OpenError> {
    let owned = || path.to_owned();
    let file = |error: std::io::Error| OpenError::File {
        path: owned(),
        reason: error.to_string(),
    };
    // It names people: nobody else may read it.
    private_file::make(path).map_err(file)?;
    let mut builder = Builder::new();
    builder.set_cache_size(CACHE_BYTES);
    builder.create(path).map_err(|error| {
        if matches!(
            error,
            DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch
        ) {
            return OpenError::InUse { path: owned() };
        }
        if let DatabaseError::Storage(StorageError::Io(error)) = error
            && error.kind() != std::io::ErrorKind::InvalidData
        {
            return file(error);
        }
        OpenError::NotAStore { path: owned() }
    })
}

#[async_trait]
impl Ledger for EmbeddedLedger {
    async fn take(&self, key: &QuotaKey, terms: &Terms, ask: Ask) -> Result<Taken, StoreError> {
        let (key, terms) = (key.clone(), *terms);
        let work = move |pages: &mut pages::Pages<'_>| {
            pages.change(&key, Some(&terms), |book, now_ms| {
                book.take(now_ms, &terms, ask, 1)
            })
        };
        self.writer.ask(work).await
    }

    async fn give_back(&self, key: &QuotaKey, mark: Mark, unused: u64) -> Result<(), StoreError> {
        let key = key.clone();
        let work = move |pages: &mut pages::Pages<'_>| {
            pages.change_known(&key, |book| book.give_back(mark, unused))
        };
        self.writer.ask(work).await
    }

    async fn admit(
        &self,
        key: &QuotaKey,
        terms: &Terms,
        subjects: &[Subject],
        mode: AdmitMode,
    ) -> Result<Admission, StoreError> {
        let (key, terms, subjects) = (key.clone(), *terms, subjects.to_vec());
        let work = move |pages: &mut pages::Pages<'_>| pages.admit(&key, &terms, &subjects, mode);
        self.writer.ask(work).await
    }

    async fn usage(&self, key: &QuotaKey) -> Result<Usage, StoreError> {
        let key = key.clone();
        let work = move |pages: &mut pages::Pages<'_>| pages.usage(&key);
        self.writer.ask(work).await
    }

    async fn list(&self, filter: &Filter, max: usize) -> Result<Vec<Entry>, StoreError> {
        let filter = filter.clone();
        let work = move |pages: &mut pages::Pages<'_>| pages.list(&filter, max);
        self.writer.ask(work).await
    }

    async fn reset(&self, key: &QuotaKey) -> Result<bool, StoreError> {
        let key = key.clone();
        let work = move |pages: &mut pages::Pages<'_>| pages.reset(&key);
        self.writer.ask(work).await
    }

    fn subject_key(&self) -> [u8; 16] {
        self.subject_key
    }

    async fn close(&self) {
        self.writer.close().await;
    }
}

/// What a failing database means to whoever asked. INVARIANT: whoever sees this while writing stops
/// trusting the file, see [`writer`].
fn broken(error: &StorageError) -> StoreError {
    if matches!(error, StorageError::Corrupted(_)) {
        StoreError::Corrupt
    } else {
        StoreError::Unavailable
    }
}

#[cfg(test)]
mod tests;
