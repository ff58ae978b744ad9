//! Exchanges that run in sessions, so that they are cut when their session ends: those that run then, and those
//! that had found it before its end and begin to run after it.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use tokio::sync::Notify;

/// So many sessions that have ended are remembered. An exchange begins to run a moment after it has found its
/// session.
const ENDED_MAX: usize = 1024;

/// See the module's documentation.
#[derive(Debug, Default)]
pub(crate) struct RunningExchanges(Mutex<Running>);

#[derive(Debug, Default)]
struct Running {
    by_session: HashMap<String, Vec<Weak<Notify>>>,
    /// Ids of sessions that ended last, the same in both.
    ended: HashSet<String>,
    in_order: VecDeque<String>,
}

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
        let of_session = running.by_session.entry(sid.to_owned()).or_default();
        of_session.push(Arc::downgrade(cut));
        if running.ended.contains(sid) {
            cut.notify_one();
        }
        drop(running);
        Runs {
            all: Arc::clone(self),
            sid: sid.to_owned(),
            cut: Arc::clone(cut),
        }
    }

    /// A session has ended: what runs in it is cut. Says how many that were.
    pub(crate) fn end(&self, sid: &str) -> usize {
        let mut running = self.lock();
        running.note_ended(sid);
        let ended = running.by_session.remove(sid);
        drop(running);
        tell(ended.into_iter().flatten())
    }

    /// Nobody knows any more which sessions have ended: all are cut.
    pub(crate) fn end_all(&self) -> usize {
        let ended = std::mem::take(&mut self.lock().by_session);
        tell(ended.into_values().flatten())
    }

    fn lock(&self) -> MutexGuard<'_, Running> {
        // Entries are added and removed whole: a panic elsewhere leaves the map sound.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running {
    fn note_ended(&mut self, sid: &str) {
        if !self.ended.insert(sid.to_owned()) {
            return;
        }
        self.in_order.push_back(sid.to_owned());
        if self.in_order.len() > ENDED_MAX
            && let Some(oldest) = self.in_order.pop_front()
        {
            self.ended.remove(&oldest);
        }
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
        let by_session = &mut running.by_session;
        if let Some(of_session) = by_session.get_mut(&self.sid) {
            of_session.retain(|cut| !std::ptr::eq(cut.as_ptr(), Arc::as_ptr(&self.cut)));
            if of_session.is_empty() {
                by_session.remove(&self.sid);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

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
    fn what_enters_a_session_after_its_end_is_cut_at_once() {
        let all = Arc::new(RunningExchanges::default());
        let (late, other) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        all.end("s1");
        let _late = all.enter("s1", &late);
        let _other = all.enter("s2", &other);
        let told = |cut: &Notify| cut.notified().now_or_never().is_some();
        assert!(told(&late) && !told(&other));
    }

    #[test]
    fn what_has_ended_is_forgotten() {
        let all = Arc::new(RunningExchanges::default());
        let cut = Arc::new(Notify::new());
        drop(all.enter("s1", &cut));
        assert!(all.lock().by_session.is_empty());
    }

    #[test]
    fn only_the_ends_of_late_are_remembered() {
        let all = RunningExchanges::default();
        for n in 0..=ENDED_MAX {
            all.end(&n.to_string());
            all.end(&n.to_string());
        }
        let running = all.lock();
        assert_eq!(
            (running.ended.len(), running.in_order.len()),
            (ENDED_MAX, ENDED_MAX)
        );
        assert!(!running.ended.contains("0") && running.ended.contains("1"));
    }
}
