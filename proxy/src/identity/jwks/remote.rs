//! A key set behind a URL: fetched by one task beside the traffic, never by a request.
//!
//! ```text
//!  every REFRESH, or a retry ─┐
//!  a token names a new key ───┴─▶ one task ─▶ fetch ─▶ swap the set, wake who waits
//! ```
//!
//! It guarantees at most one fetch per [`ASK_AGAIN`] on behalf of requests, whatever they bring, and
//! that a set older than [`STALE`] verifies nothing any more. A fetch that fails, or brings a set of no
//! use, leaves the last good set in place until then.

use std::sync::Arc;
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use tokio::sync::{Notify, watch};
use tokio::task::JoinHandle;

use super::fetch::{FETCH_TIME_MAX, KeyUrl, KeyUrlError};
use super::key_set::KeySet;
use crate::clock::Clock;
use crate::identity::{IdentityError, refuse};

/// How often the set is fetched.
pub(super) const REFRESH: Duration = Duration::from_secs(300);
/// How soon a failed fetch is tried again, and how soon a request may cause the next one.
pub(super) const ASK_AGAIN: Duration = Duration::from_secs(30);
/// How old a set may become when every fetch fails.
pub(super) const STALE: Duration = Duration::from_secs(3600);

/// A key set that is kept fresh by its own task, which ends with it.
pub(in crate::identity) struct RemoteKeys {
    url: String,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    fetched: ArcSwapOption<Fetched>,
    wanted: Notify,
    /// When the task last tried; it is sent after every attempt and every declined wish.
    attempted: watch::Sender<Option<Instant>>,
}

struct Fetched {
    set: Arc<KeySet>,
    at: Instant,
}

impl RemoteKeys {
    pub(super) fn start(url: &str, clock: Arc<dyn Clock>) -> Result<Arc<Self>, KeyUrlError> {
        let key_url = KeyUrl::parse(url)?;
        let runtime =
            tokio::runtime::Handle::try_current().map_err(|_none| KeyUrlError::NoRuntime)?;
        let shared = Arc::new(Shared {
            clock,
            fetched: ArcSwapOption::empty(),
            wanted: Notify::new(),
            attempted: watch::Sender::new(None),
        });
        let task = runtime.spawn(keep_fresh(Arc::clone(&shared), key_url));
        Ok(Arc::new(Self {
            url: url.to_owned(),
            shared,
            task,
        }))
    }

    pub(super) fn is_for(&self, url: &str) -> bool {
        self.url == url
    }

    /// The set, after looking for `kid` once more when it is not in it and it was not just looked for.
    pub(super) async fn holding(&self, kid: Option<&str>) -> Result<Arc<KeySet>, IdentityError> {
        match self.shared.fresh() {
            Some(set) if kid.is_none() || set.key(kid).is_some() => return Ok(set),
            Some(set) if !self.shared.may_ask() => return Ok(set),
            None if !self.shared.may_ask() => return Err(unavailable()),
            Some(_) | None => {}
        }
        self.ask().await;
        self.shared.fresh().ok_or_else(unavailable)
    }

    /// Asks the task to fetch and waits for its next attempt.
    async fn ask(&self) {
        let mut attempts = self.shared.attempted.subscribe();
        attempts.mark_unchanged();
        self.shared.wanted.notify_one();
        let waited = tokio::time::timeout(FETCH_TIME_MAX * 2, attempts.changed()).await;
        if waited.is_err() {
            tracing::debug!(target: "postern::identity", "no key set within the time to wait");
        }
    }
}

impl Drop for RemoteKeys {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Shared {
    fn fresh(&self) -> Option<Arc<KeySet>> {
        let fetched = self.fetched.load();
        let fetched = fetched.as_ref()?;
        let age = self.clock.monotonic().saturating_duration_since(fetched.at);
        (age <= STALE).then(|| Arc::clone(&fetched.set))
    }

    fn may_ask(&self) -> bool {
        let last = *self.attempted.borrow();
        last.is_none_or(|at| self.clock.monotonic().saturating_duration_since(at) >= ASK_AGAIN)
    }

    /// One attempt. Returns when the next one is due.
    async fn attempt(&self, url: &KeyUrl) -> Duration {
        let outcome = match url.fetch().await {
            Ok(bytes) => KeySet::parse(&bytes).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        let at = self.clock.monotonic();
        let due = match outcome {
            Ok(set) => {
                self.fetched.store(Some(Arc::new(Fetched {
                    set: Arc::new(set),
                    at,
                })));
                REFRESH
            }
            Err(reason) => {
                tracing::warn!(target: "postern::identity", reason, "the key set could not be fetched");
                ASK_AGAIN
            }
        };
        self.attempted.send_replace(Some(at));
        due
    }
}

async fn keep_fresh(shared: Arc<Shared>, url: KeyUrl) {
    let mut due = shared.attempt(&url).await;
    loop {
        tokio::select! {
            () = tokio::time::sleep(due) => due = shared.attempt(&url).await,
            () = shared.wanted.notified() => {
                if shared.may_ask() {
                    due = shared.attempt(&url).await;
                } else {
                    // Somebody asked just before the last attempt ended: its answer is theirs too.
                    shared.attempted.send_modify(|_| ());
                }
            }
        }
    }
}

fn unavailable() -> IdentityError {
    refuse("keys-unavailable");
    IdentityError::Unavailable
}

#[cfg(test)]
mod tests;
