//! A ledger as one replica sees it: it hears nothing any more once the replica is dead. On the way, what
//! the store confirmed is noted for the checker.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use async_trait::async_trait;

use super::checker::Charged;
use crate::quota::key::{Filter, QuotaKey};
use crate::quota::ledger::{
    Admission, AdmitMode, Ask, Entry, Ledger, Mark, StoreError, Subject, Taken, Usage,
};
use crate::quota::terms::Terms;

/// What the store confirmed, by key.
pub(super) type Confirmed = Arc<Mutex<HashMap<String, Charged>>>;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Mortal {
    pub(super) inner: Arc<dyn Ledger>,
    pub(super) alive: Arc<AtomicBool>,
    pub(super) confirmed: Confirmed,
    /// Held by whoever lets the store pause.
    pub(super) gate: Arc<tokio::sync::RwLock<()>>,
}

impl Mortal {
    async fn ask<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        drop(self.gate.read().await);
        self.lives()?;
        let answer = call.await?;
        self.lives()?;
        Ok(answer)
    }

    fn lives(&self) -> Result<(), StoreError> {
        let alive = self.alive.load(Ordering::SeqCst);
        alive.then_some(()).ok_or(StoreError::Unavailable)
    }

    fn note(&self, key: &QuotaKey, note: impl FnOnce(&mut Charged)) {
        let mut confirmed = self.confirmed.lock().unwrap();
        note(confirmed.entry(key.text().to_owned()).or_default());
    }
}

#[async_trait]
impl Ledger for Mortal {
    async fn take(&self, key: &QuotaKey, terms: &Terms, ask: Ask) -> Result<Taken, StoreError> {
        let taken = self.ask(self.inner.take(key, terms, ask)).await?;
        self.note(key, |charged| {
            charged.units += i128::from(taken.granted);
            charged.history.push(format!("take {ask:?}: {taken:?}"));
        });
        Ok(taken)
    }

    async fn give_back(&self, key: &QuotaKey, mark: Mark, unused: u64) -> Result<(), StoreError> {
        // Until it is confirmed, it may be lost.
        self.note(key, |charged| charged.in_flight += i128::from(unused));
        self.ask(self.inner.give_back(key, mark, unused)).await?;
        self.note(key, |charged| {
            charged.in_flight -= i128::from(unused);
            charged.units -= i128::from(unused);
            charged
                .history
                .push(format!("give back {unused} of {mark:?}"));
        });
        Ok(())
    }

    async fn admit(
        &self,
        key: &QuotaKey,
        terms: &Terms,
        subjects: &[Subject],
        mode: AdmitMode,
    ) -> Result<Admission, StoreError> {
        let admission = self
            .ask(self.inner.admit(key, terms, subjects, mode))
            .await?;
        if mode != AdmitMode::Look {
            self.note(key, |charged| {
                charged
                    .history
                    .push(format!("admit {subjects:?}: {admission:?}"));
                for subject in &subjects[..admission.admitted] {
                    match subject {
                        Subject::Known(hash) => drop(charged.subjects.insert(*hash)),
                        Subject::Nameless => charged.units += 1,
                    }
                }
            });
        }
        Ok(admission)
    }

    async fn usage(&self, key: &QuotaKey) -> Result<Usage, StoreError> {
        self.ask(self.inner.usage(key)).await
    }

    async fn list(&self, filter: &Filter, max: usize) -> Result<Vec<Entry>, StoreError> {
        self.ask(self.inner.list(filter, max)).await
    }

    async fn reset(&self, key: &QuotaKey) -> Result<bool, StoreError> {
        self.ask(self.inner.reset(key)).await
    }

    fn subject_key(&self) -> [u8; 16] {
        self.inner.subject_key()
    }

    async fn close(&self) {}
}
