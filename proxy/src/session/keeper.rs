//! Opens the vault when it is first needed, keeps it open, and cuts what runs in sessions that end.
//!
//! A policy without sessions needs no vault, and a reload may bring them. A vault that cannot be opened then is
//! asked for again by the next exchange; at start it is fatal.
//!
//! Replicas learn of an end from the store, four times a second. When the store has not answered for
//! [`BLIND_MAX`], everything that runs in a session is cut: nobody can tell any more which have ended.

mod ending;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use postern_config::Sessions;
use tokio::sync::OnceCell;
use tokio::task::JoinHandle;

use super::decoy::Decoys;
use super::dpop::DpopVerifier;
use super::embedded::EmbeddedSessions;
use super::findings::SessionFindings;
use super::judge::{Finding, Recent};
use super::keys::ServerKeys;
use super::record::{Holder, Lifetimes};
use super::running::RunningExchanges;
use super::shared::SharedSessions;
use super::store::SessionStore;
use super::vault::Vault;
use crate::clock::{Clock, unix_millis};
use crate::evidence::Evidence;
use crate::metrics::Metrics;
use crate::private_file;
use crate::quota::StoreAddress;
pub(crate) use ending::{RevokeError, Revoker};

/// The purpose of the key that makes nonces.
const NONCE_PURPOSE: &str = "postern/dpop-nonce/v1";
/// How often it is asked which sessions have ended.
const ASK_EVERY: Duration = Duration::from_millis(250);
/// For how long an exchange may run on without anybody knowing whether its session has ended.
const BLIND_MAX: Duration = Duration::from_secs(3);
/// The clocks of replicas differ by no more than this.
const SKEW_MAX_MS: u64 = 5_000;
/// How long the server may take for one answer.
const STORE_DEADLINE: Duration = Duration::from_millis(500);

/// Where sessions are kept, and with which keys.
#[derive(Debug, Clone)]
pub(crate) struct SessionPlace {
    /// Where clients find us, as `scheme://host[:port]`.
    pub origins: Vec<String>,
    /// The store.
    pub store: StoreAddress,
    /// The keys; none when there is one in this file, which is made if it is absent.
    pub keys: Result<ServerKeys, PathBuf>,
}

/// Why sessions cannot be kept. The operator must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeepError {
    /// The file cannot be opened.
    #[error("the session store `{path}` cannot be opened: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// The server cannot be reached.
    #[error("the session store cannot be used: {0}")]
    Server(#[from] super::StoreError),
    /// The key is of no use.
    #[error("the key of sessions `{path}`: {reason}")]
    Key {
        /// The file.
        path: PathBuf,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// Replicas need one key.
    #[error(
        "sessions in a shared store need a key that all replicas have: add `keys: {{ sessions: [{{ id: s1, secret: env:NAME }}] }}` to the server file"
    )]
    NoSharedKey,
}

/// The sessions of this process, opened or not.
#[derive(Debug)]
pub struct SessionKeeper {
    place: SessionPlace,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    vault: OnceCell<Opened>,
    running: Arc<RunningExchanges>,
    recent: Recent,
    evidence: Evidence,
    findings: SessionFindings,
}

#[derive(Debug)]
struct Opened {
    vault: Arc<Vault>,
    keys: ServerKeys,
    verifier: Option<DpopVerifier>,
    /// Learns what others have ended.
    asking: Option<JoinHandle<()>>,
}

impl Drop for Opened {
    fn drop(&mut self) {
        if let Some(asking) = &self.asking {
            asking.abort();
        }
    }
}

impl SessionKeeper {
    /// A keeper of a vault that is not open.
    pub(crate) fn new(
        place: SessionPlace,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        evidence: Evidence,
    ) -> Self {
        Self {
            place,
            clock,
            findings: SessionFindings::new(Arc::clone(&metrics), evidence.clone()),
            metrics,
            evidence,
            vault: OnceCell::new(),
            running: Arc::default(),
            recent: Recent::default(),
        }
    }

    /// What time it is.
    pub(crate) fn clock(&self) -> &dyn Clock {
        self.clock.as_ref()
    }

    /// What was seen of sessions a moment ago.
    pub(crate) const fn recent(&self) -> &Recent {
        &self.recent
    }

    /// Where clients find us.
    pub(crate) fn origins(&self) -> &[String] {
        &self.place.origins
    }

    /// The origin that a client calls us by, where it is one of ours; else the first of ours.
    pub(crate) fn origin_of(&self, authority: &str) -> String {
        let mut origins = self.place.origins.iter();
        let named = origins.clone().find(|origin| {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some_and(|host| host.eq_ignore_ascii_case(authority))
        });
        named
            .or_else(|| origins.next())
            .cloned()
            .unwrap_or_default()
    }

    /// The keys, once the vault is open.
    fn keys(&self) -> Option<&ServerKeys> {
        self.vault.get().map(|opened| &opened.keys)
    }

    /// The decoys of a policy, once the vault is open; none where it has none.
    pub(crate) fn decoys(&self, sessions: &Sessions) -> Option<Decoys> {
        let named = sessions.decoy.as_deref().zip(self.keys());
        named.map(|(name, keys)| Decoys::new(name, keys))
    }

    /// What checks proofs of keys, once the vault is open.
    pub(crate) fn verifier(&self) -> Option<&DpopVerifier> {
        self.vault.get()?.verifier.as_ref()
    }

    /// The nonce for the next proof.
    pub(crate) fn dpop_nonce(&self) -> Option<String> {
        Some(self.verifier()?.nonce(self.clock.wall()))
    }

    /// Tells operators what a rule has noticed, and about which session, if that is known.
    pub(crate) fn found(&self, finding: Finding, of: Option<(&str, &Holder)>) {
        self.findings.found(finding, of);
    }

    /// The vault, opened if need be, for sessions that live as long as this policy says.
    ///
    /// # Errors
    /// See [`KeepError`].
    pub(crate) async fn open(&self, sessions: &Sessions) -> Result<&Arc<Vault>, KeepError> {
        let lifetimes = Lifetimes::of(sessions);
        let opened = self
            .vault
            .get_or_try_init(|| self.opened(lifetimes))
            .await?;
        opened.vault.set_lifetimes(lifetimes);
        Ok(&opened.vault)
    }

    async fn opened(&self, lifetimes: Lifetimes) -> Result<Opened, KeepError> {
        let keys = self.read_keys().await?;
        let now = unix_millis(self.clock.wall());
        let (store, shared): (Arc<dyn SessionStore>, bool) = match &self.place.store {
            StoreAddress::Embedded(path) => (Arc::new(embedded(path.clone(), now).await?), false),
            StoreAddress::Shared(url) => (
                Arc::new(SharedSessions::open(url, STORE_DEADLINE).await?),
                true,
            ),
        };
        let verifier = keys
            .secret(NONCE_PURPOSE)
            .map(|key| DpopVerifier::new(&self.place.origins, &key, false));
        let vault = Vault::new(keys.clone(), store, Arc::clone(&self.clock), lifetimes);
        let vault = Arc::new(vault);
        // Nobody else ends sessions of a file that only this process has.
        let asking = shared.then(|| {
            let metrics = Arc::clone(&self.metrics);
            tokio::spawn(ask(Arc::clone(&vault), Arc::clone(&self.running), metrics))
        });
        Ok(Opened {
            vault,
            keys,
            verifier,
            asking,
        })
    }

    async fn read_keys(&self) -> Result<ServerKeys, KeepError> {
        let path = match &self.place.keys {
            Ok(keys) => return Ok(keys.clone()),
            Err(path) => path.clone(),
        };
        if matches!(self.place.store, StoreAddress::Shared(_)) {
            return Err(KeepError::NoSharedKey);
        }
        let wrong = |reason| KeepError::Key {
            path: path.clone(),
            reason,
        };
        let file = path.clone();
        let secret = tokio::task::spawn_blocking(move || private_file::secret::<32>(&file)).await;
        let secret = secret.unwrap_or_else(|_panic| Err("cannot be read".to_owned()));
        secret.map(ServerKeys::new).map_err(wrong)
    }
}

async fn embedded(path: PathBuf, now: u64) -> Result<EmbeddedSessions, KeepError> {
    let file = path.clone();
    let opening = tokio::task::spawn_blocking(move || EmbeddedSessions::open(&file, now)).await;
    let wrong = |reason: String| KeepError::File { path, reason };
    match opening {
        Ok(Ok(store)) => Ok(store),
        Ok(Err(error)) => Err(wrong(error.to_string())),
        Err(_panic) => Err(wrong("opening it failed".to_owned())),
    }
}

/// Asks again and again which sessions have ended, and cuts what runs in them.
async fn ask(vault: Arc<Vault>, running: Arc<RunningExchanges>, metrics: Arc<Metrics>) {
    let mut since = vault.now();
    let mut heard = tokio::time::Instant::now();
    loop {
        tokio::time::sleep(ASK_EVERY).await;
        let now = vault.now();
        match vault.ended_since(since.saturating_sub(SKEW_MAX_MS)).await {
            Ok(ended) => {
                heard = tokio::time::Instant::now();
                since = now;
                let cut: usize = ended.iter().map(|sid| running.end(sid)).sum();
                metrics.sessions().cut(cut);
                if cut > 0 {
                    tracing::info!(cut, "exchanges were cut: their sessions have ended");
                }
            }
            Err(error) if heard.elapsed() >= BLIND_MAX => {
                let cut = running.end_all();
                metrics.sessions().cut(cut);
                if cut > 0 {
                    tracing::error!(%error, cut, "nobody knows which sessions have ended: exchanges were cut");
                }
            }
            Err(_error) => {}
        }
    }
}
