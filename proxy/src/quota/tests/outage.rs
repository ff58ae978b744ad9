//! What an exchange meets while the store says nothing.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::{join_all, pending};

use super::Refuse;
use crate::quota::STORE_DEADLINE;
use crate::quota::charging::QuotaError;
use crate::quota::key::{Filter, QuotaKey};
use crate::quota::ledger::{
    Admission, AdmitMode, Ask, Entry, Ledger, Mark, StoreError, Subject, Taken, Usage,
};
use crate::quota::quotas::{QuotaOptions, Quotas};
use crate::quota::samples::{Findings, HandClock, applied, who};
use crate::quota::terms::{OnExceed, Terms, Unit};

/// A store that takes every call and answers none.
#[derive(Debug)]
struct Mute;

#[async_trait]
impl Ledger for Mute {
    async fn take(&self, _: &QuotaKey, _: &Terms, _: Ask) -> Result<Taken, StoreError> {
        pending().await
    }

    async fn give_back(&self, _: &QuotaKey, _: Mark, _: u64) -> Result<(), StoreError> {
        pending().await
    }

    async fn admit(
        &self,
        _: &QuotaKey,
        _: &Terms,
        _: &[Subject],
        _: AdmitMode,
    ) -> Result<Admission, StoreError> {
        pending().await
    }

    async fn usage(&self, _: &QuotaKey) -> Result<Usage, StoreError> {
        pending().await
    }

    async fn list(&self, _: &Filter, _: usize) -> Result<Vec<Entry>, StoreError> {
        pending().await
    }

    async fn reset(&self, _: &QuotaKey) -> Result<bool, StoreError> {
        pending().await
    }

    fn subject_key(&self) -> [u8; 16] {
        [0; 16]
    }

    async fn close(&self) {}
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_for_those_who_wait_for_a_store_that_says_nothing() {
    let findings = Arc::<Findings>::default();
    let options = QuotaOptions::new(HandClock::new(), findings.clone());
    let quotas = Quotas::on(Arc::new(Mute), options);
    let records = applied(Unit::Records, 600, OnExceed::Deny);
    let ask = || async {
        let mut exchange = quotas.begin(std::slice::from_ref(&records), &who("ana"));
        exchange.due(1, &[], Refuse).await
    };
    let began = tokio::time::Instant::now();
    let asked = join_all((0..20).map(|_| ask())).await;
    assert!(began.elapsed() < STORE_DEADLINE + Duration::from_millis(50));
    for answer in asked {
        assert!(matches!(answer, Err(QuotaError::StoreDown { .. })));
    }
    assert_eq!(findings.take(), ["down"]);
    let began = tokio::time::Instant::now();
    assert!(ask().await.is_err());
    assert!(
        began.elapsed() >= STORE_DEADLINE,
        "whoever comes later asks anew"
    );
}
