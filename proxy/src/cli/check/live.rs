//! What `--live` tries: the upstream, with the handshake of TLS, the keys behind a URL, and a shared store.
//!
//! It connects as `run` does, and sends the upstream nothing: what the application answers is not looked at. The store
//! is logged in to and left as it is.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use postern_config::{Policy, Server};

use super::needs::key_url;
use crate::cli::findings::Finding;
use crate::clock::SystemClock;
use crate::forward::Upstream;
use crate::identity::try_out_keys;
use crate::quota::StoreAddress;
use crate::start::quota_store;
use crate::store_server;

/// How long the store may take to be logged in to.
const STORE_TIME_MAX: Duration = Duration::from_secs(3);

/// What of this a policy cannot have. What [`super::needs::start`] tells is not told again.
pub(super) fn unreachable(
    server: &Server,
    base: &Path,
    policy: Option<&Policy>,
    file: &str,
) -> Vec<Finding> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    let messages = match runtime {
        Ok(runtime) => runtime.block_on(tried(server, base, policy)),
        Err(error) => vec![format!("nothing can be tried: {error}")],
    };
    let finding = |message| Finding::of_file(file, message);
    messages.into_iter().map(finding).collect()
}

async fn tried(server: &Server, base: &Path, policy: Option<&Policy>) -> Vec<String> {
    let mut messages = Vec::new();
    if let Err(why) = upstream(server, base).await {
        let url = &server.upstream.url;
        messages.push(format!("the upstream `{url}` cannot be reached: {why}"));
    }
    if let Some(url) = policy.and_then(key_url)
        && let Err(why) = try_out_keys(url).await
    {
        messages.push(format!("`identity`: there are no keys at `{url}`: {why}"));
    }
    let keeps = policy.is_some_and(|policy| !policy.quotas.is_empty() || policy.sessions.is_some());
    if keeps && let Err(why) = store(server, base).await {
        messages.push(format!("`store`: the server cannot be reached: {why}"));
    }
    messages
}

async fn upstream(server: &Server, base: &Path) -> Result<(), String> {
    let mut described = server.upstream.clone();
    // A connection needs none.
    described.credential = None;
    match Upstream::new(&described, base, Arc::new(SystemClock)) {
        Ok(upstream) => upstream.try_out().await,
        Err(_told_already) => Ok(()),
    }
}

async fn store(server: &Server, base: &Path) -> Result<(), String> {
    let url = match quota_store(server, base) {
        Ok(StoreAddress::Shared(url)) => url,
        Ok(StoreAddress::Embedded(_)) | Err(_) => return Ok(()),
    };
    let connecting = store_server::connect(&url, STORE_TIME_MAX);
    match tokio::time::timeout(STORE_TIME_MAX, connecting).await {
        Ok(connected) => connected.map(drop).map_err(|error| error.to_string()),
        Err(_elapsed) => Err("it did not answer in time".to_owned()),
    }
}
