//! What every store has to do, held against each of them: the embedded one, and the shared one on a
//! real server.

mod counts;
mod life;
mod subjects;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;

use super::embedded::EmbeddedLedger;
use super::key::{QuotaKey, Who};
use super::ledger::{Ask, Ledger, Taken};
use super::samples::{self, HandClock, folder};
use super::server::Server;
use super::shared::SharedLedger;
use super::terms::{Per, Terms, Unit};

/// How long a store may take in tests, on a machine that has much else to do.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);

/// A store that can be opened again.
#[async_trait]
pub(super) trait Store: Send {
    /// Opens it, as another replica or after an end.
    async fn open(&self) -> Arc<dyn Ledger>;
    /// Ends whatever there is of it as badly as can be; it is opened anew afterwards.
    async fn end(&mut self, ledger: Arc<dyn Ledger>);
    /// The clock that ledger time follows.
    fn clock(&self) -> &HandClock;
}

/// The embedded store, in a folder of the test.
pub(super) struct InFile {
    folder: tempfile::TempDir,
    clock: Arc<HandClock>,
}

impl InFile {
    pub(super) fn new() -> Self {
        Self {
            folder: folder(),
            clock: HandClock::new(),
        }
    }
}

#[async_trait]
impl Store for InFile {
    async fn open(&self) -> Arc<dyn Ledger> {
        let path = self.folder.path().join("quotas.redb");
        Arc::new(EmbeddedLedger::open(&path, self.clock.clone()).unwrap())
    }

    async fn end(&mut self, ledger: Arc<dyn Ledger>) {
        ledger.close().await;
    }

    fn clock(&self) -> &HandClock {
        &self.clock
    }
}

/// The shared store, on a server of the test.
pub(super) struct OnServer {
    pub(super) server: Server,
    pub(super) clock: Arc<HandClock>,
}

impl OnServer {
    pub(super) fn start() -> Option<Self> {
        Some(Self {
            server: Server::start()?,
            clock: HandClock::new(),
        })
    }
}

#[async_trait]
impl Store for OnServer {
    async fn open(&self) -> Arc<dyn Ledger> {
        let url = self.server.url();
        let opening = SharedLedger::open_telling(&url, PATIENCE, self.clock.clone());
        Arc::new(opening.await.unwrap())
    }

    async fn end(&mut self, ledger: Arc<dyn Ledger>) {
        drop(ledger);
        self.server.kill_and_restart();
    }

    fn clock(&self) -> &HandClock {
        &self.clock
    }
}

/// A promise, and the function that tries it.
type Promise = (
    &'static str,
    for<'a> fn(&'a mut dyn Store) -> BoxFuture<'a, ()>,
);

/// Names promises by their functions.
macro_rules! promises {
    ($($name:ident),+ $(,)?) => {
        pub(super) const PROMISES: &[super::Promise] =
            &[$((stringify!($name), |store| Box::pin($name(store)))),+];
    };
}
use promises;

async fn keeps_all_promises(store: &mut dyn Store) {
    let all = [counts::PROMISES, subjects::PROMISES, life::PROMISES].concat();
    for (name, promise) in all {
        println!("{name}");
        promise(store).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_embedded_store_keeps_all_promises() {
    keeps_all_promises(&mut InFile::new()).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_shared_store_keeps_all_promises() {
    if let Some(mut store) = OnServer::start() {
        keeps_all_promises(&mut store).await;
    }
}

/// A key that no other promise uses.
fn key(name: &str) -> QuotaKey {
    let quota = samples::quota(Unit::Records, Per::Identity);
    QuotaKey::new(&quota, &samples::who(name))
}

/// The key of this subject of this issuer.
fn key_of(issuer: &str, subject: &str) -> QuotaKey {
    let quota = samples::quota(Unit::Records, Per::Identity);
    let who = Who {
        issuer,
        ..samples::who(subject)
    };
    QuotaKey::new(&quota, &who)
}

async fn take(ledger: &dyn Ledger, key: &QuotaKey, terms: &Terms, need: u64) -> Taken {
    ledger.take(key, terms, Ask::exactly(need)).await.unwrap()
}
