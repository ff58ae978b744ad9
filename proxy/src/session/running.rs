//! Exchanges that run in sessions, so that they are cut when their session ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct RunningExchanges(Mutex<HashMap<String, Vec<Weak<Notify>>>>);

/// An exchange runs in a session for as long as this lives.
#[derive(Debug)]
pub(crate) struct Runs {
    all: Arc<RunningExchanges>,
    sid: String,
    cut: Arc<Notify>,
}

impl RunningExchanges {
    /// An exchange runs in a session from now on; `cut` is told when the session ends.
    pub(crate) fn enter(self: &Arc<Self>, sid: &str, cut: &Arc<Notify>) -> Runs {
        let mut running = self.lock();
        let of_session = running.entry(sid.to_owned()).or_default();
        of_session.push(Arc::downgrade(cut));
        Runs {
            all: Arc::clone(self),
            sid: sid.to_owned(),
            cut: Arc::clone(cut),
        }
    }

    /// A session has ended: what runs in it is cut. Says how many that were.
    pub(crate) fn end(&self, sid: &str) -> usize {
        let ended = self.lock().remove(sid);
        tell(ended.into_iter().flatten())
    }

    /// Nobody knows any more which sessions have ended: all are cut.
    pub(crate) fn end_all(&self) -> usize {
        let ended = std::mem::take(&mut *self.lock());
        tell(ended.into_values().flatten())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Vec<Weak<Notify>>>> {
        // Entries are added and removed whole: a panic elsewhere leaves the map sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(ended: impl Iterator<Item = Weak<Notify>>) -> usize {
    let alive = ended.filter_map(|cut| cut.upgrade());
    alive.map(|cut| cut.notify_one()).count()
}

impl Runs {
    /// Whether it is this session.
    pub(crate) fn is_in(&self, sid: &str) -> bool {
        self.sid == sid
    }
}

impl Drop for Runs {
    fn drop(&mut self) {
        let mut running = self.all.lock();
        if let Some(of_session) = running.get_mut(&self.sid) {
            of_session.retain(|cut| !std::ptr::eq(cut.as_ptr(), Arc::as_ptr(&self.cut)));
            if of_session.is_empty() {
                running.remove(&self.sid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_runs_in_a_session_is_cut_when_it_ends_and_nothing_else() {
        let all = Arc::new(RunningExchanges::default());
        let (one, other) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let _one = all.enter("s1", &one);
        let _other = all.enter("s2", &other);
        assert_eq!(all.end("s1"), 1);
        one.notified().await;
        assert_eq!(all.end("s1"), 0);
        assert_eq!(all.end_all(), 1);
        other.notified().await;
    }

    #[test]
    fn what_has_ended_is_forgotten() {
        let all = Arc::new(RunningExchanges::default());
        let cut = Arc::new(Notify::new());
        drop(all.enter("s1", &cut));
        assert!(all.lock().is_empty());
    }
}
