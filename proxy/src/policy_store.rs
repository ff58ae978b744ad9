//! The policy in force: one pointer, swapped whole.
//!
//! An exchange takes one [`Snapshot`] when it begins and keeps it to its end, so that it never sees
//! half of an old and half of a new policy. Until the first policy loads, everything is refused. The
//! store keeps no history and reads no file; [`crate::reload`] fills it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use arc_swap::ArcSwap;
use postern_config::Revision;
use postern_filters::CompiledPolicy;
use tokio::sync::watch;

use crate::identity::Authenticator;
use crate::visit::SessionTerms;

/// All that an exchange needs of one revision.
#[derive(Debug)]
pub struct Snapshot {
    /// What is decided.
    pub compiled: Arc<CompiledPolicy>,
    /// Who is recognised, and how; none until the first policy loads.
    pub authenticator: Option<Arc<Authenticator>>,
    /// How sessions are kept; none when the policy has none.
    pub(crate) sessions: Option<Arc<SessionTerms>>,
}

/// What operators are told about the policy. It holds text about the policy file, and none of the data
/// that passes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyStatus {
    /// The revision in force; none until the first policy loads.
    pub revision: Option<Revision>,
    /// When it came into force.
    pub loaded_at: Option<SystemTime>,
    /// Why the files on disk now are not in force; none when they are.
    pub last_error: Option<String>,
    /// How many policies came into force.
    pub reloads_ok: u64,
    /// How many were refused; the same files refused again do not count again.
    pub reloads_failed: u64,
    /// What lay on disk when files were last refused; none when they are in force.
    refused: Option<Revision>,
}

/// Where the policy in force is.
pub struct PolicyStore {
    current: ArcSwap<Snapshot>,
    status: Mutex<PolicyStatus>,
    changes: watch::Sender<()>,
}

impl PolicyStore {
    /// A store before its first policy: every exchange is refused.
    #[must_use]
    pub fn deny_all() -> Self {
        Self {
            current: ArcSwap::from_pointee(Snapshot {
                compiled: Arc::new(CompiledPolicy::deny_all()),
                authenticator: None,
                sessions: None,
            }),
            status: Mutex::default(),
            changes: watch::Sender::new(()),
        }
    }

    /// The policy in force now. Call it once per exchange.
    #[must_use]
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// What operators are told.
    #[must_use]
    pub fn status(&self) -> PolicyStatus {
        self.lock().clone()
    }

    /// Announces every policy that comes into force or is refused from now on.
    #[must_use]
    pub fn changes(&self) -> watch::Receiver<()> {
        self.changes.subscribe()
    }

    /// Whether any policy has come into force.
    #[must_use]
    pub fn is_loaded(&self) -> bool {
        self.lock().revision.is_some()
    }

    /// Puts a policy into force. Exchanges that begin after this returns use it.
    pub fn publish(&self, snapshot: Snapshot, at: SystemTime) {
        let mut status = self.lock();
        status.revision = Some(snapshot.compiled.revision().clone());
        status.loaded_at = Some(at);
        status.last_error = None;
        status.refused = None;
        status.reloads_ok = status.reloads_ok.saturating_add(1);
        self.current.store(Arc::new(snapshot));
        drop(status);
        self.changes.send_replace(());
    }

    /// Notes that the files on disk were refused; `files` tells them from others. What is in force stays. Returns
    /// whether this is news: other files than the last time, or another report on them.
    pub fn refuse(&self, report: &str, files: Revision) -> bool {
        let mut status = self.lock();
        if status.last_error.as_deref() == Some(report) && status.refused.as_ref() == Some(&files) {
            return false;
        }
        status.last_error = Some(report.to_owned());
        status.refused = Some(files);
        status.reloads_failed = status.reloads_failed.saturating_add(1);
        drop(status);
        self.changes.send_replace(());
        true
    }

    /// Notes that the files on disk are those in force.
    pub fn confirm(&self) {
        let mut status = self.lock();
        status.last_error = None;
        status.refused = None;
    }

    fn lock(&self) -> MutexGuard<'_, PolicyStatus> {
        // The status is only ever replaced field by field: a panic elsewhere leaves it readable.
        self.status.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for PolicyStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PolicyStore")
            .field("status", &self.status())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refuses_everything_until_the_first_policy() {
        let store = PolicyStore::deny_all();
        assert!(!store.is_loaded());
        assert!(store.snapshot().authenticator.is_none());
        assert!(store.snapshot().compiled.policy().is_none());
    }

    #[test]
    fn counts_the_same_refusal_once() {
        let store = PolicyStore::deny_all();
        let [one, other] = ["one", "other"].map(|it| Revision::of_closure(&[("", it.as_bytes())]));
        assert!(store.refuse("line 3", one.clone()));
        assert!(!store.refuse("line 3", one.clone()));
        assert!(store.refuse("line 4", one.clone()));
        assert_eq!(store.status().reloads_failed, 2);
        store.confirm();
        assert_eq!(store.status().last_error, None);
        assert!(store.refuse("line 4", one), "it was good in between");
        assert!(
            store.refuse("line 4", other),
            "the same is wrong with other files"
        );
    }

    #[test]
    fn a_snapshot_outlives_the_swap() {
        let store = PolicyStore::deny_all();
        let before = store.snapshot();
        let next = Snapshot {
            compiled: Arc::new(CompiledPolicy::deny_all()),
            authenticator: None,
            sessions: None,
        };
        store.publish(next, SystemTime::UNIX_EPOCH);
        assert!(!Arc::ptr_eq(&before, &store.snapshot()));
        assert_eq!(store.status().reloads_ok, 1);
        assert_eq!(store.status().loaded_at, Some(SystemTime::UNIX_EPOCH));
    }
}
