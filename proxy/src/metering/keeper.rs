//! Opens the quotas' store when it is first needed, and keeps it open.
//!
//! A policy without quotas needs no store, and a reload may bring the first quota. A store that cannot be
//! opened then is asked for again by the next exchange; at start it is fatal.

use std::sync::Arc;

use tokio::sync::OnceCell;

use super::findings::Findings;
use crate::clock::Clock;
use crate::evidence::Evidence;
use crate::metrics::Metrics;
use crate::quota::{OpenError, QuotaOptions, Quotas, StoreAddress};
use crate::respond::Problem;

/// The quotas of this process, opened or not.
#[derive(Debug)]
pub struct QuotaKeeper {
    address: StoreAddress,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    evidence: Evidence,
    quotas: OnceCell<Quotas>,
}

impl QuotaKeeper {
    /// A keeper of a store that is not open.
    pub(crate) fn new(
        address: StoreAddress,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        evidence: Evidence,
    ) -> Self {
        Self {
            address,
            clock,
            metrics,
            evidence,
            quotas: OnceCell::new(),
        }
    }

    /// Everything is counted here.
    pub(crate) fn metrics(&self) -> &Arc<Metrics> {
        &self.metrics
    }

    /// Opens the store, unless it is open.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub(crate) async fn open(&self) -> Result<&Quotas, OpenError> {
        let open = || async {
            let watcher = Arc::new(Findings::new(
                Arc::clone(&self.metrics),
                self.evidence.clone(),
            ));
            let options = QuotaOptions::new(Arc::clone(&self.clock), watcher);
            Quotas::open(&self.address, options).await
        };
        self.quotas.get_or_try_init(open).await
    }

    /// The quotas, for an exchange.
    ///
    /// # Errors
    /// The store cannot be opened: nobody can tell what may leave.
    pub(crate) async fn quotas(&self) -> Result<&Quotas, Problem> {
        self.open().await.map_err(|error| {
            tracing::error!(%error, "quotas cannot be counted");
            Problem::StoreUnavailable
        })
    }

    /// Returns what is leased and releases the store.
    pub(crate) async fn close(&self) {
        if let Some(quotas) = self.quotas.get() {
            quotas.close().await;
        }
    }
}
