//! A vault on each store, with a clock that is moved by hand.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use postern_config::Sessions;
use tempfile::TempDir;

use super::*;
use crate::clock::{Clock, SystemClock};
use crate::quota::server::Server;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(super) struct Set(Mutex<Duration>);

impl Set {
    pub(super) fn pass(&self, seconds: u64) {
        *self.0.lock().unwrap() += Duration::from_secs(seconds);
    }
}

impl Clock for Set {
    fn wall(&self) -> SystemTime {
        UNIX_EPOCH + *self.0.lock().unwrap()
    }

    fn monotonic(&self) -> Instant {
        SystemClock.monotonic()
    }
}

pub(super) struct Stage {
    pub(super) vault: Vault,
    pub(super) store: Arc<dyn SessionStore>,
    pub(super) clock: Arc<Set>,
    pub(super) folder: TempDir,
    pub(super) server: Option<Server>,
}

pub(super) const KEY: [u8; 32] = [7; 32];

impl Stage {
    pub(super) fn embedded() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = EmbeddedSessions::open(&folder.path().join("sessions"), 0).unwrap();
        Self::on(Arc::new(store), None, folder)
    }

    /// One on each store that is there.
    pub(super) async fn each() -> Vec<Self> {
        let mut stages = vec![Self::embedded()];
        if let Some(server) = Server::start() {
            let shared = SharedSessions::open(&server.url(), Duration::from_secs(10)).await;
            stages.push(Self::on(
                Arc::new(shared.unwrap()),
                Some(server),
                tempfile::tempdir().unwrap(),
            ));
        }
        stages
    }

    pub(super) fn on(
        store: Arc<dyn SessionStore>,
        server: Option<Server>,
        folder: TempDir,
    ) -> Self {
        let since = SystemClock.wall().duration_since(UNIX_EPOCH).unwrap();
        let clock = Arc::new(Set(Mutex::new(since)));
        Self {
            vault: Self::vault(&store, &clock, ServerKeys::new(KEY)),
            store,
            clock,
            folder,
            server,
        }
    }

    pub(super) fn vault(
        store: &Arc<dyn SessionStore>,
        clock: &Arc<Set>,
        keys: ServerKeys,
    ) -> Vault {
        Vault::new(
            keys,
            Arc::clone(store),
            Arc::clone(clock) as _,
            Lifetimes::of(&Sessions::default()),
        )
    }

    pub(super) async fn begin(&self) -> OpenSession {
        self.vault.begin(start(None)).await.unwrap().0
    }

    /// Rewrites what is stored, as somebody with write access to the store would.
    pub(super) async fn tamper(&self, sid: &str, forged: impl FnOnce(Vec<u8>) -> Vec<u8>) {
        let now = self.vault.now();
        let stored = self.store.read(sid, now).await.unwrap().unwrap();
        let change = Change {
            revision: stored.revision,
            sealed: forged(stored.sealed),
            new_handle: None,
            old_handle: None,
            fingerprints: Vec::new(),
            ended: None,
        };
        let replaced = self.store.replace(sid, change, now).await.unwrap();
        assert_eq!(replaced, Replaced::Done);
    }
}

pub(super) fn start(limit: Option<Limit>) -> Start {
    Start {
        holder: Holder {
            issuer: "session".to_owned(),
            subject: "ann".to_owned(),
            tenant: None,
            roles: vec!["agent".to_owned()],
        },
        client: Client::Browser,
        binding: Binding::default(),
        jar: Jar::new(b"sessionid=s3cr3t-of-the-application".to_vec()),
        fingerprints: Vec::new(),
        follows: None,
        limit,
    }
}
