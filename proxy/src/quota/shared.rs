//! The shared store.

use std::time::Duration;

use async_trait::async_trait;

use super::key::{Filter, QuotaKey};
use super::ledger::{
    Admission, AdmitMode, Ask, Entry, Ledger, Mark, StoreError, Subject, Taken, Usage,
};
use super::quotas::OpenError;
use super::terms::Terms;

/// See the module's documentation.
#[derive(Debug)]
pub struct SharedLedger {}

impl SharedLedger {
    /// Opens the store.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(_url: &str, _deadline: Duration) -> Result<Self, OpenError> {
        Err(OpenError::Address)
    }
}

#[async_trait]
impl Ledger for SharedLedger {
    async fn take(&self, _: &QuotaKey, _: &Terms, _: Ask) -> Result<Taken, StoreError> {
        Err(StoreError::Unavailable)
    }

    async fn give_back(&self, _: &QuotaKey, _: Mark, _: u64) -> Result<(), StoreError> {
        Err(StoreError::Unavailable)
    }

    async fn admit(
        &self,
        _: &QuotaKey,
        _: &Terms,
        _: &[Subject],
        _: AdmitMode,
    ) -> Result<Admission, StoreError> {
        Err(StoreError::Unavailable)
    }

    async fn usage(&self, _: &QuotaKey) -> Result<Usage, StoreError> {
        Err(StoreError::Unavailable)
    }

    async fn list(&self, _: &Filter, _: usize) -> Result<Vec<Entry>, StoreError> {
        Err(StoreError::Unavailable)
    }

    async fn reset(&self, _: &QuotaKey) -> Result<bool, StoreError> {
        Err(StoreError::Unavailable)
    }

    fn subject_key(&self) -> [u8; 16] {
        [0; 16]
    }

    async fn close(&self) {}
}
