//! Reads the counts from the store itself, for when no Postern runs that could be asked.
//!
//! It makes no store where there is none and changes no count. A file that a running Postern holds
//! cannot be opened, and the error says so.

use std::path::Path;
use std::sync::Arc;

use postern_config::quota::Quota;
use serde_json::Value;

use crate::clock::{Clock, SystemClock};
use crate::load::{self, LoadError};
use crate::metering::{self, UnknownQuota};
use crate::quota::{
    Entry, Filter, OpenError, QuotaFinding, QuotaOptions, QuotaWatcher, Quotas, StoreAddress,
    StoreError,
};
use crate::start;

/// Why the store cannot be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum ReadError {
    /// The server file, or a secret that it names.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// Nothing was ever counted there.
    #[error("there is no quota store at `{}` either", .0.display())]
    Absent(std::path::PathBuf),
    /// The quota that was asked for.
    #[error(transparent)]
    Unknown(#[from] UnknownQuota),
    /// It is there and cannot be opened.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It does not answer.
    #[error("the quota store cannot be read: {0}")]
    Store(#[from] StoreError),
    /// The system refuses.
    #[error("cannot start: {0}")]
    System(#[from] std::io::Error),
}

/// What the admin listener would list: the counts that the filter means, beside the limits of the policy
/// on disk. With a policy that does not load, the limits are missing.
pub(super) fn listing(config: &Path, filter: &Filter) -> Result<Value, ReadError> {
    let server = load::load_server(config)?;
    let base = load::base_of(config);
    let address = start::quota_store(&server, base)?;
    if let StoreAddress::Embedded(path) = &address
        && !path.exists()
    {
        return Err(ReadError::Absent(path.clone()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let entries = runtime.block_on(read(&address, filter))?;
    let loaded = load::pseudonym_keys(&server, base).and_then(|keys| {
        load::load_policy(
            &base.join(&server.policy),
            keys,
            start::engine_limits(&server.limits),
        )
    });
    let quotas: &[Arc<Quota>] = match &loaded {
        Ok(loaded) => loaded.compiled.quotas(),
        Err(_) => &[],
    };
    if entries.is_empty()
        && loaded.is_ok()
        && let Some(name) = &filter.quota
    {
        metering::known_quota(name, quotas)?;
    }
    Ok(metering::listing(&entries, quotas))
}

async fn read(address: &StoreAddress, filter: &Filter) -> Result<Vec<Entry>, ReadError> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let quotas = Quotas::open(address, QuotaOptions::new(clock, Arc::new(Nobody))).await?;
    let entries = quotas.list(filter).await;
    quotas.close().await;
    Ok(entries?)
}

/// Nothing is charged here, so nothing is found.
#[derive(Debug)]
struct Nobody;

impl QuotaWatcher for Nobody {
    fn found(&self, _: &QuotaFinding<'_>) {}
}
