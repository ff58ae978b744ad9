//! What all accounts of this process share: the store, the clock, and whether the store answers.
//!
//! Every call to the store passes here, so that each has a deadline and each outcome is noticed.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::key::QuotaKey;
use super::ledger::{Admission, AdmitMode, Ask, Ledger, Mark, StoreError, Subject, Taken};
use super::quotas::{QuotaFinding, QuotaWatcher};
use super::terms::Terms;
use crate::clock::Clock;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Bank {
    ledger: Arc<dyn Ledger>,
    clock: Arc<dyn Clock>,
    watcher: Arc<dyn QuotaWatcher>,
    deadline: Duration,
    down: AtomicBool,
}

impl Bank {
    pub(super) fn new(
        ledger: Arc<dyn Ledger>,
        clock: Arc<dyn Clock>,
        watcher: Arc<dyn QuotaWatcher>,
        deadline: Duration,
    ) -> Self {
        Self {
            ledger,
            clock,
            watcher,
            deadline,
            down: AtomicBool::new(false),
        }
    }

    pub(super) fn now(&self) -> Instant {
        self.clock.monotonic()
    }

    /// Whether the store failed to answer when it was last asked.
    pub(super) fn is_down(&self) -> bool {
        self.down.load(Ordering::Relaxed)
    }

    pub(super) fn tell(&self, finding: &QuotaFinding<'_>) {
        self.watcher.found(finding);
    }

    pub(super) fn ledger(&self) -> &dyn Ledger {
        self.ledger.as_ref()
    }

    pub(super) async fn take(
        &self,
        key: &QuotaKey,
        terms: &Terms,
        ask: Ask,
    ) -> Result<Taken, StoreError> {
        self.in_time(self.ledger.take(key, terms, ask)).await
    }

    pub(super) async fn admit(
        &self,
        key: &QuotaKey,
        terms: &Terms,
        subjects: &[Subject],
        mode: AdmitMode,
    ) -> Result<Admission, StoreError> {
        self.in_time(self.ledger.admit(key, terms, subjects, mode))
            .await
    }

    /// Returns units. When the store does not answer they stay charged: nothing is over then.
    pub(super) async fn give_back(&self, key: &QuotaKey, mark: Mark, units: u64) {
        if units == 0 {
            return;
        }
        let given = self.in_time(self.ledger.give_back(key, mark, units)).await;
        if let Err(error) = given {
            tracing::debug!(target: "postern::quota", %error, "unused units stay charged");
        }
    }

    /// Waits for the store, until its deadline.
    pub(super) async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let answer = tokio::time::timeout(self.deadline, call)
            .await
            .unwrap_or(Err(StoreError::Timeout));
        match &answer {
            Ok(_) => {
                if self.is_down() && self.down.swap(false, Ordering::Relaxed) {
                    self.tell(&QuotaFinding::StoreBack);
                }
            }
            Err(error) => {
                if !self.down.swap(true, Ordering::Relaxed) {
                    self.tell(&QuotaFinding::StoreDown { error: *error });
                }
            }
        }
        answer
    }
}
