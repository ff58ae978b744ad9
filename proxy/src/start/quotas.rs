//! What a start makes of the quotas' part of the server file.

use std::path::Path;
use std::sync::Arc;

use percent_encoding::{NON_ALPHANUMERIC, percent_encode};
use postern_config::Server;

use crate::clock::Clock;
use crate::evidence::Evidence;
use crate::load::{self, LoadError};
use crate::metering::QuotaKeeper;
use crate::metrics::Metrics;
use crate::policy_store::PolicyStore;
use crate::quota::{OpenError, StoreAddress};

/// Opens the quotas' store when the policy has quotas.
pub(super) async fn open_if_needed(
    quotas: &QuotaKeeper,
    store: &PolicyStore,
) -> Result<(), OpenError> {
    if !store.snapshot().compiled.quotas().is_empty() {
        quotas.open().await?;
    }
    Ok(())
}

/// The keeper of the quotas that the server file describes.
///
/// # Errors
/// The store's password cannot be read.
pub(super) fn quota_keeper(
    server: &Server,
    base: &Path,
    (clock, metrics, evidence): (&Arc<dyn Clock>, &Arc<Metrics>, &Evidence),
) -> Result<Arc<QuotaKeeper>, LoadError> {
    let address = quota_store(server, base)?;
    let keeper = QuotaKeeper::new(
        address,
        Arc::clone(clock),
        Arc::clone(metrics),
        evidence.clone(),
    );
    Ok(Arc::new(keeper))
}

/// Where the quotas are kept.
///
/// # Errors
/// The password cannot be read.
pub(crate) fn quota_store(server: &Server, base: &Path) -> Result<StoreAddress, LoadError> {
    let shared = match &server.store {
        postern_config::server::StoreAddress::Embedded(path) => {
            return Ok(StoreAddress::Embedded(base.join(path)));
        }
        postern_config::server::StoreAddress::Shared(shared) => shared,
    };
    let encoded = |text: &[u8]| percent_encode(text, NON_ALPHANUMERIC).to_string();
    let mut user = encoded(shared.username.as_deref().unwrap_or_default().as_bytes());
    if let Some(password) = &shared.password {
        let password = load::resolve(password, base)?;
        user = format!("{user}:{}@", encoded(load::without_line_break(&password)));
    }
    let url = shared.url.replacen("://", &format!("://{user}"), 1);
    Ok(StoreAddress::Shared(url))
}
