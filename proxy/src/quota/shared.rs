//! The shared store: a Valkey or Redis server that all replicas use.
//!
//! Each call is one script, which the server runs as one step, by its own clock. Ledger time is that
//! clock, but for each count never earlier than what was last written there. What is durable is up to
//! the server: with `appendonly yes` and `appendfsync always`, a grant that anybody has seen survives
//! its end. It is never asked twice on its own: a call whose answer is lost has charged what nobody
//! spends. Replicas say that they live, so that each leases its share.

mod answer;
mod replicas;
mod scripts;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use redis::aio::ConnectionManager;
use redis::{AsyncCommands as _, Client, RedisError, Script, ScriptInvocation};

use super::key::{Filter, QuotaKey};
use super::ledger::{
    Admission, AdmitMode, Ask, Entry, Ledger, Mark, StoreError, Subject, Taken, Usage,
};
use super::quotas::OpenError;
use super::terms::{LIMIT_MAX, PastLimit, Terms};
use crate::store_server;
use answer::Answer;
use scripts::{COUNTS, REPLICAS, SUBJECT_KEY, Scripts, keys_of, subjects_of};

/// How long opening may take. A server that is only just starting is worth waiting for.
const OPENING: Duration = Duration::from_secs(5);

/// See the module's documentation.
pub struct SharedLedger {
    connection: Arc<Connection>,
    subject_key: [u8; 16],
    time: ServerTime,
}

/// What the calls share.
struct Connection {
    manager: ConnectionManager,
    scripts: Scripts,
    replica: String,
    replicas: AtomicU64,
}

/// Whose clock ledger time follows.
enum ServerTime {
    /// The server's.
    Own,
    /// That of a test.
    #[cfg(test)]
    Told(Arc<dyn crate::clock::Clock>),
}

impl SharedLedger {
    /// Connects to the server. Call it on a Tokio runtime, where it leaves a task that ends with the
    /// ledger.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub async fn open(url: &str, deadline: Duration) -> Result<Self, OpenError> {
        let client = Client::open(url).map_err(|_invalid| OpenError::Address)?;
        let host = client.get_connection_info().addr().to_string();
        let opening = Self::connect(url, deadline);
        let opened = tokio::time::timeout(OPENING, opening)
            .await
            .unwrap_or(Err(StoreError::Timeout));
        opened.map_err(|error| OpenError::Server { host, error })
    }

    /// A ledger that follows the clock of a test.
    #[cfg(test)]
    pub(super) async fn open_telling(
        url: &str,
        deadline: Duration,
        clock: Arc<dyn crate::clock::Clock>,
    ) -> Result<Self, OpenError> {
        let mut ledger = Self::open(url, deadline).await?;
        ledger.time = ServerTime::Told(clock);
        Ok(ledger)
    }

    async fn connect(url: &str, deadline: Duration) -> Result<Self, StoreError> {
        let manager = store_server::connect(url, deadline).await;
        let manager = manager.map_err(|error| refused(&error))?;
        let connection = Arc::new(Connection {
            manager,
            scripts: Scripts::new(),
            replica: hex::encode(random()?),
            replicas: AtomicU64::new(1),
        });
        let subject_key = connection.subject_key().await?;
        connection.beat().await?;
        connection.warn_of_forgetting().await;
        tokio::spawn(replicas::keep_saying(Arc::downgrade(&connection)));
        Ok(Self {
            connection,
            subject_key,
            time: ServerTime::Own,
        })
    }

    /// What the scripts are told of the time: nothing, but in tests.
    fn told(&self) -> String {
        match &self.time {
            ServerTime::Own => String::new(),
            #[cfg(test)]
            ServerTime::Told(clock) => {
                let since = clock.wall().duration_since(std::time::UNIX_EPOCH);
                since.unwrap_or_default().as_millis().to_string()
            }
        }
    }

    async fn usage_at(&self, count: &str, subjects: &str) -> Result<Usage, StoreError> {
        let mut call = self.connection.scripts.usage.key(count);
        call.key(subjects).arg(self.told());
        self.connection.call(&call).await?.usage()
    }
}

impl Connection {
    async fn call(&self, call: &ScriptInvocation<'_>) -> Result<Answer, StoreError> {
        let mut manager = self.manager.clone();
        let answer: Result<Vec<String>, RedisError> = call.invoke_async(&mut manager).await;
        answer.map(Answer::new).map_err(|error| refused(&error))
    }

    /// Says that this replica lives, and notes how many do.
    async fn beat(&self) -> Result<(), StoreError> {
        let mut call = self.scripts.beat.key(REPLICAS);
        call.arg(&self.replica).arg(replicas::ALIVE_MS);
        let mut manager = self.manager.clone();
        let alive: Result<u64, RedisError> = call.invoke_async(&mut manager).await;
        let alive = alive.map_err(|error| refused(&error))?;
        let alive = alive.clamp(1, replicas::REPLICAS_MAX);
        self.replicas.store(alive, Ordering::Relaxed);
        Ok(())
    }

    /// The key of the hashes: the first replica makes it, all others read it.
    async fn subject_key(&self) -> Result<[u8; 16], StoreError> {
        let mut manager = self.manager.clone();
        let made = hex::encode(random()?);
        let set: Result<bool, RedisError> = manager.set_nx(SUBJECT_KEY, made).await;
        set.map_err(|error| refused(&error))?;
        let text: Result<String, RedisError> = manager.get(SUBJECT_KEY).await;
        let text = text.map_err(|error| refused(&error))?;
        let mut key = [0; 16];
        hex::decode_to_slice(text, &mut key).map_err(|_odd| StoreError::Corrupt)?;
        Ok(key)
    }

    /// Tells the operator when the end of the server would forget what was charged.
    async fn warn_of_forgetting(&self) {
        let mut manager = self.manager.clone();
        let mut info = redis::cmd("INFO");
        info.arg("persistence");
        let text: Result<String, RedisError> = info.query_async(&mut manager).await;
        if text.is_ok_and(|text| text.contains("aof_enabled:0")) {
            tracing::warn!(
                target: "postern::quota",
                "the quota store keeps no append-only file: when it restarts, quotas are full again"
            );
        }
    }
}

#[async_trait]
impl Ledger for SharedLedger {
    async fn take(&self, key: &QuotaKey, terms: &Terms, ask: Ask) -> Result<Taken, StoreError> {
        let replicas = self.connection.replicas.load(Ordering::Relaxed);
        let mut call = on(&self.connection.scripts.take, key);
        call.arg(self.told()).arg(key.text());
        call.arg(terms.window_ms()).arg(terms.bucket_ms());
        call.arg(terms.limit.min(LIMIT_MAX));
        call.arg(ask.need).arg(ask.wish.max(ask.need));
        call.arg(flag(ask.partial)).arg(flag(counts_past(terms)));
        call.arg(replicas.saturating_mul(2)).arg(warn_from(terms));
        self.connection.call(&call).await?.taken()
    }

    async fn give_back(&self, key: &QuotaKey, mark: Mark, unused: u64) -> Result<(), StoreError> {
        let mut call = on(&self.connection.scripts.give_back, key);
        call.arg(mark.bucket_end_ms).arg(mark.generation);
        call.arg(unused.min(LIMIT_MAX));
        self.connection.call(&call).await.map(drop)
    }

    async fn admit(
        &self,
        key: &QuotaKey,
        terms: &Terms,
        subjects: &[Subject],
        mode: AdmitMode,
    ) -> Result<Admission, StoreError> {
        let mut call = on(&self.connection.scripts.admit, key);
        call.arg(self.told()).arg(key.text());
        call.arg(terms.window_ms()).arg(terms.bucket_ms());
        call.arg(terms.limit.min(LIMIT_MAX))
            .arg(flag(counts_past(terms)));
        call.arg(warn_from(terms)).arg(match mode {
            AdmitMode::AllOrNothing => "all",
            AdmitMode::Prefix => "prefix",
            AdmitMode::Look => "look",
        });
        for subject in subjects {
            match subject {
                Subject::Known(hash) => call.arg(hash.to_be_bytes().as_slice()),
                Subject::Nameless => call.arg(""),
            };
        }
        self.connection.call(&call).await?.admission()
    }

    async fn usage(&self, key: &QuotaKey) -> Result<Usage, StoreError> {
        let (count, subjects) = keys_of(key);
        self.usage_at(&count, &subjects).await
    }

    async fn list(&self, filter: &Filter, max: usize) -> Result<Vec<Entry>, StoreError> {
        let mut manager = self.connection.manager.clone();
        let mut found = BTreeMap::new();
        let mut cursor = 0_u64;
        loop {
            let mut scan = redis::cmd("SCAN");
            scan.arg(cursor)
                .arg("MATCH")
                .arg(COUNTS)
                .arg("COUNT")
                .arg(512);
            let page: Result<(u64, Vec<String>), RedisError> = scan.query_async(&mut manager).await;
            let (next, counts) = page.map_err(|error| refused(&error))?;
            for count in counts {
                let text: Result<Option<String>, RedisError> = manager.hget(&count, "key").await;
                let Some(text) = text.map_err(|error| refused(&error))? else {
                    continue;
                };
                let key = QuotaKey::stored(&text);
                if let Some(subjects) = subjects_of(&count)
                    && filter.matches(&key)
                {
                    let usage = self.usage_at(&count, &subjects).await?;
                    // A count of which nothing is in use does not take the place of one that is.
                    if usage.used > 0 {
                        found.insert(key, usage);
                    }
                }
            }
            cursor = next;
            if cursor == 0 || found.len() >= max {
                break;
            }
        }
        let entries = found.into_iter().take(max);
        Ok(entries.map(|(key, usage)| Entry { key, usage }).collect())
    }

    async fn reset(&self, key: &QuotaKey) -> Result<bool, StoreError> {
        let mut call = on(&self.connection.scripts.reset, key);
        call.arg(self.told());
        self.connection.call(&call).await?.yes()
    }

    fn subject_key(&self) -> [u8; 16] {
        self.subject_key
    }

    async fn close(&self) {
        let mut manager = self.connection.manager.clone();
        let gone: Result<(), RedisError> = manager.zrem(REPLICAS, &self.connection.replica).await;
        if gone.is_err() {
            tracing::debug!(target: "postern::quota", "the quota store was not told of the end");
        }
    }
}

impl fmt::Debug for SharedLedger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedLedger").finish_non_exhaustive()
    }
}

/// A call of a script on the keys of a count.
fn on<'a>(script: &'a Script, key: &QuotaKey) -> ScriptInvocation<'a> {
    let (count, subjects) = keys_of(key);
    let mut call = script.key(count);
    call.key(subjects);
    call
}

const fn flag(is: bool) -> &'static str {
    if is { "1" } else { "0" }
}

fn counts_past(terms: &Terms) -> bool {
    terms.past_limit == PastLimit::Counted
}

fn warn_from(terms: &Terms) -> String {
    terms
        .warn_from
        .map(|from| from.to_string())
        .unwrap_or_default()
}

fn random() -> Result<[u8; 16], StoreError> {
    let source = ring::rand::SystemRandom::new();
    let random = ring::rand::generate(&source).map_err(|_failed| StoreError::Unavailable)?;
    Ok(random.expose())
}

/// What an error of the client means. Its text may hold data: only its kind is told.
fn refused(error: &RedisError) -> StoreError {
    let kind = error.category();
    tracing::debug!(target: "postern::quota", kind, "the quota store did not answer");
    if error.is_timeout() {
        StoreError::Timeout
    } else {
        StoreError::Unavailable
    }
}

#[cfg(test)]
mod tests;
