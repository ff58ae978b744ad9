//! The quotas of this process: opens the store, begins charges, and answers operators.

use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use super::account::Account;
use super::accounts::Accounts;
use super::bank::Bank;
use super::charging::Charging;
use super::embedded::EmbeddedLedger;
use super::key::{Filter, QuotaKey, Who};
use super::ledger::{Entry, Ledger, StoreError, Usage};
use super::shared::SharedLedger;
use super::terms::{Applied, Terms};
use super::{FILE_DEADLINE, STORE_DEADLINE};
use crate::clock::Clock;

/// How often leases are looked through for such as nobody spends.
const SWEEP_EVERY: Duration = Duration::from_secs(5);
/// For how long an account is kept warm after the last exchange that used it began.
const WARM_SECONDS: u64 = 60;
/// The most counts that one list names.
pub const LIST_MAX: usize = 10_000;

/// Where the counts are kept.
#[derive(Clone, PartialEq, Eq)]
pub enum StoreAddress {
    /// In a file of this process, which nobody else may open.
    Embedded(PathBuf),
    /// In a Valkey or Redis server: `valkey:`, `valkeys:`, `redis:` or `rediss:`, where a final `s`
    /// means TLS.
    Shared(String),
}

impl Debug for StoreAddress {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // A URL may hold a password.
        match self {
            Self::Embedded(path) => f.debug_tuple("Embedded").field(path).finish(),
            Self::Shared(_) => f.debug_tuple("Shared").finish_non_exhaustive(),
        }
    }
}

/// Why the store could not be opened. The operator must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// Another process has the file.
    #[error(
        "the quota store `{path}` is in use by another process; stop it, or name another `store`"
    )]
    InUse {
        /// The file.
        path: PathBuf,
    },
    /// The file cannot be opened or written.
    #[error("the quota store `{path}` cannot be opened: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// The file is none of ours, of another version, or damaged.
    #[error("`{path}` is no quota store that this version can read; restore it, or move it away")]
    NotAStore {
        /// The file.
        path: PathBuf,
    },
    /// The address cannot be used.
    #[error(
        "the address of the quota store is not valid; write `redis://host:port/number`, or `rediss:`, `valkey:`, `valkeys:`"
    )]
    Address,
    /// The server does not answer, or refuses.
    #[error("the quota store at `{host}` cannot be used: {error}")]
    Server {
        /// The host and port, without credentials.
        host: String,
        /// What is wrong.
        error: StoreError,
    },
}

/// Something about quotas that an operator should see. `Debug` shows nothing about anybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuotaFinding<'a> {
    /// The usage reached the point of warning: once per window and key.
    Warned {
        /// Whose count it is.
        key: &'a QuotaKey,
        /// The limit.
        limit: u64,
        /// The usage, with what is leased.
        used: u64,
    },
    /// More was asked for than a quota allows, or a quota that only alerts was exceeded: once per window
    /// and key.
    Exceeded {
        /// Whose count it is.
        key: &'a QuotaKey,
        /// The limit.
        limit: u64,
        /// The usage, with what is leased.
        used: u64,
    },
    /// The store has ceased to answer.
    StoreDown {
        /// What is wrong.
        error: StoreError,
    },
    /// The store answers again.
    StoreBack,
}

/// Who is told what should be seen. It is called on whatever task notices, and must not block.
pub trait QuotaWatcher: Send + Sync + Debug {
    /// Tells it.
    fn found(&self, finding: &QuotaFinding<'_>);
}

/// What [`Quotas`] need.
#[derive(Debug, Clone)]
pub struct QuotaOptions {
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// Who is told what should be seen.
    pub watcher: Arc<dyn QuotaWatcher>,
    /// How long the store may take to answer one call.
    pub deadline: Duration,
}

impl QuotaOptions {
    /// Options with the usual deadline, [`STORE_DEADLINE`].
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, watcher: Arc<dyn QuotaWatcher>) -> Self {
        Self {
            clock,
            watcher,
            deadline: STORE_DEADLINE,
        }
    }
}

/// See the module's documentation. Cloning it is cheap and shares everything.
#[derive(Debug, Clone)]
pub struct Quotas {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    bank: Arc<Bank>,
    accounts: Accounts,
    began: Instant,
}

impl Quotas {
    /// Opens the store. Call it on a Tokio runtime, where it leaves a task that ends with the last of
    /// its clones.
    ///
    /// # Errors
    /// See [`OpenError`]: at start that is fatal.
    pub async fn open(
        address: &StoreAddress,
        mut options: QuotaOptions,
    ) -> Result<Self, OpenError> {
        let clock = Arc::clone(&options.clock);
        let ledger: Arc<dyn Ledger> = match address {
            StoreAddress::Embedded(path) => {
                options.deadline = options.deadline.max(FILE_DEADLINE);
                let (path, of) = (path.clone(), path.clone());
                let opening = move || EmbeddedLedger::open(&path, clock);
                let opened = tokio::task::spawn_blocking(opening).await;
                let fault = |error: tokio::task::JoinError| OpenError::File {
                    path: of,
                    reason: format!("because of a fault in Postern: {error}"),
                };
                Arc::new(opened.map_err(fault)??)
            }
            StoreAddress::Shared(url) => Arc::new(SharedLedger::open(url, options.deadline).await?),
        };
        Ok(Self::on(ledger, options))
    }

    /// Quotas on a ledger that is open already.
    #[must_use]
    pub fn on(ledger: Arc<dyn Ledger>, options: QuotaOptions) -> Self {
        let began = options.clock.monotonic();
        let QuotaOptions {
            clock,
            watcher,
            deadline,
        } = options;
        let shared = Arc::new(Shared {
            bank: Arc::new(Bank::new(ledger, clock, watcher, deadline)),
            accounts: Accounts::new(),
            began,
        });
        tokio::spawn(sweep(Arc::downgrade(&shared)));
        Self { shared }
    }

    /// The key of the hashes of data subjects: the same for everybody who shares the store.
    #[must_use]
    pub fn subject_key(&self) -> [u8; 16] {
        self.shared.bank.ledger().subject_key()
    }

    /// Whether the store failed to answer when it was last asked.
    #[must_use]
    pub fn is_down(&self) -> bool {
        self.shared.bank.is_down()
    }

    /// Begins to charge an exchange. Nothing is charged yet, and no store is asked.
    #[must_use]
    pub fn begin(&self, applied: &[Applied], who: &Who<'_>) -> Charging {
        let second = self.shared.second();
        let counts = applied.iter().map(|applied| {
            let key = QuotaKey::new(&applied.quota, who);
            let account = self.shared.accounts.open(key, Terms::of(applied));
            account.touch(second);
            (applied.clone(), account)
        });
        Charging::new(Arc::clone(&self.shared.bank), counts.collect())
    }

    /// The counts that a filter means and of which something is in use, at most [`LIST_MAX`].
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn list(&self, filter: &Filter) -> Result<Vec<Entry>, StoreError> {
        // Listing looks at every count: it may take longer than a charge.
        self.shared.bank.ledger().list(filter, LIST_MAX).await
    }

    /// How much of one count is in use.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn usage(&self, key: &QuotaKey) -> Result<Usage, StoreError> {
        let bank = &self.shared.bank;
        bank.in_time(bank.ledger().usage(key)).await
    }

    /// Forgets what was charged to a key, and says whether there was anything. What other replicas
    /// have leased of it may still be spent until its bucket ends.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn reset(&self, key: &QuotaKey) -> Result<bool, StoreError> {
        let bank = &self.shared.bank;
        let was = bank.in_time(bank.ledger().reset(key)).await?;
        for account in self.shared.accounts.all() {
            if account.key == *key {
                account.forget().await;
            }
        }
        Ok(was)
    }

    /// Returns what is leased. Call it when no exchange runs any more.
    pub async fn drain(&self) {
        for account in self.shared.accounts.all() {
            account.return_lease(&self.shared.bank).await;
        }
    }

    /// Returns what is leased and releases the store, so that another process can open it.
    pub async fn close(&self) {
        self.drain().await;
        self.shared.bank.ledger().close().await;
    }

    /// The store itself.
    #[cfg(test)]
    pub(super) fn shared_ledger(&self) -> &dyn Ledger {
        self.shared.bank.ledger()
    }
}

impl Shared {
    /// Seconds since the beginning.
    fn second(&self) -> u64 {
        let now = self.bank.now();
        now.saturating_duration_since(self.began).as_secs()
    }

    /// Returns leases whose bucket has ended, and accounts that have gone cold.
    async fn sweep(&self) {
        let now = self.bank.now();
        let cold = self.second().saturating_sub(WARM_SECONDS);
        let is_cold = |account: &Account| account.touched_second() < cold;
        for account in self.accounts.remove_unused(is_cold) {
            account.return_lease(&self.bank).await;
        }
        for account in self.accounts.all() {
            if account.is_stale(now) {
                account.return_lease(&self.bank).await;
            }
        }
    }
}

async fn sweep(shared: Weak<Shared>) {
    let mut tick = tokio::time::interval(SWEEP_EVERY);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tick.tick().await;
        let Some(shared) = shared.upgrade() else {
            return;
        };
        shared.sweep().await;
    }
}
