//! From start to stop: how many connections and exchanges there are, whether more are taken, and how
//! the last ones end.
//!
//! ```text
//! running ──begin_drain──▶ draining: nothing new is accepted, what runs may finish, idle connections
//!    │                       close after a moment, in which what is on its way to them is answered
//!    └────────────────────▶ cut: whatever is left is abandoned, visibly
//! ```

use std::sync::Arc;
use std::time::Duration;

use postern_config::server::Limits;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, watch};

use crate::admin::Vitals;

/// How long connections may take to close once the last exchange has ended or was cut.
const CLOSE_TIME_MAX: Duration = Duration::from_secs(2);
/// How long a connection that is idle when draining begins waits for a request that may be on its way: one that
/// arrives as its connection closes is lost.
const IDLE_TIME_LEFT: Duration = Duration::from_millis(300);

/// Counts what runs and tells it when to stop.
#[derive(Debug)]
pub(crate) struct Lifecycle {
    exchanges: Room,
    connections: Room,
    stage: watch::Sender<Stage>,
}

/// How far the process is on its way to the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Running,
    Draining,
    Cut,
}

/// How a drain ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Drained {
    /// Every exchange finished.
    Whole,
    /// Some were cut because the time was over.
    Cut,
}

impl Lifecycle {
    /// Room for what the limits allow.
    pub(crate) fn new(limits: &Limits) -> Self {
        Self {
            exchanges: Room::new(limits.exchanges),
            connections: Room::new(limits.connections),
            stage: watch::Sender::new(Stage::Running),
        }
    }

    /// A place for one more connection, if there is one.
    pub(crate) fn admit_connection(&self) -> Option<Place> {
        self.connections.take()
    }

    /// A place for one more exchange, if there is one.
    pub(crate) fn admit_exchange(&self) -> Option<Place> {
        self.exchanges.take()
    }

    /// A signal that turns true when draining begins: what pingora's connection code watches.
    pub(crate) fn drain_signal(&self) -> watch::Receiver<bool> {
        let (sender, receiver) = watch::channel(self.is_draining());
        let mut stage = self.stage.subscribe();
        tokio::spawn(async move {
            // Reached, or nobody is left to reach it: either way it is time to stop.
            drop(stage.wait_for(|stage| *stage >= Stage::Draining).await);
            sender.send_replace(true);
            // The last receiver is gone when every connection has ended.
            sender.closed().await;
        });
        receiver
    }

    /// Done when draining has begun.
    pub(crate) async fn draining(&self) {
        self.reached(Stage::Draining).await;
    }

    /// Done when a connection that has nothing to do should close.
    pub(crate) async fn idle_over(&self) {
        self.draining().await;
        tokio::time::sleep(IDLE_TIME_LEFT).await;
    }

    /// Done when whatever is left must be abandoned.
    pub(crate) async fn cut(&self) {
        self.reached(Stage::Cut).await;
    }

    /// Begins to stop and waits until every exchange has ended. All of it takes `time` at most: the last
    /// of it, [`CLOSE_TIME_MAX`] or a quarter, is for connections to close and for what is cut to leave
    /// its record.
    pub(crate) async fn drain(&self, time: Duration) -> Drained {
        self.stage.send_replace(Stage::Draining);
        let closing = CLOSE_TIME_MAX.min(time / 4);
        let running = time.saturating_sub(closing);
        let finished = async {
            let idle = tokio::time::timeout(IDLE_TIME_LEFT, self.connections.empty());
            idle.await.unwrap_or_default();
            self.exchanges.empty().await;
        };
        let drained = match tokio::time::timeout(running, finished).await {
            Ok(()) => Drained::Whole,
            Err(_elapsed) => {
                self.cut_now();
                Drained::Cut
            }
        };
        // A connection that does not close in time has nothing more to say.
        tokio::time::timeout(closing, self.connections.empty())
            .await
            .unwrap_or_default();
        self.cut_now();
        drained
    }

    /// Abandons whatever runs.
    pub(crate) fn cut_now(&self) {
        self.stage.send_replace(Stage::Cut);
    }

    async fn reached(&self, stage: Stage) {
        // The sender lives as long as `self`: waiting cannot fail.
        if self
            .stage
            .subscribe()
            .wait_for(|now| *now >= stage)
            .await
            .is_err()
        {
            std::future::pending::<()>().await;
        }
    }
}

impl Vitals for Lifecycle {
    fn is_draining(&self) -> bool {
        *self.stage.borrow() >= Stage::Draining
    }

    fn in_flight(&self) -> u64 {
        u64::try_from(self.exchanges.taken()).unwrap_or(u64::MAX)
    }
}

/// A counted number of places.
#[derive(Debug)]
struct Room {
    size: usize,
    places: Arc<Semaphore>,
    freed: Arc<Notify>,
}

/// One place, given back when dropped.
#[derive(Debug)]
pub(crate) struct Place {
    permit: Option<OwnedSemaphorePermit>,
    freed: Arc<Notify>,
}

impl Room {
    fn new(size: usize) -> Self {
        let size = size.clamp(1, Semaphore::MAX_PERMITS);
        Self {
            size,
            places: Arc::new(Semaphore::new(size)),
            freed: Arc::default(),
        }
    }

    fn take(&self) -> Option<Place> {
        let permit = Arc::clone(&self.places).try_acquire_owned().ok()?;
        Some(Place {
            permit: Some(permit),
            freed: Arc::clone(&self.freed),
        })
    }

    fn taken(&self) -> usize {
        self.size.saturating_sub(self.places.available_permits())
    }

    async fn empty(&self) {
        loop {
            // Registered before the check, so that a place freed in between is not missed.
            let mut freed = std::pin::pin!(self.freed.notified());
            freed.as_mut().enable();
            if self.taken() == 0 {
                return;
            }
            freed.await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.permit.take();
        self.freed.notify_waiters();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lifecycle() -> Lifecycle {
        let mut limits = Limits::default();
        limits.exchanges = 2;
        Lifecycle::new(&limits)
    }

    #[test]
    fn admits_as_many_exchanges_as_the_limit_and_not_one_more() {
        let lifecycle = lifecycle();
        let first = lifecycle.admit_exchange().unwrap();
        let _second = lifecycle.admit_exchange().unwrap();
        assert!(lifecycle.admit_exchange().is_none());
        assert_eq!(lifecycle.in_flight(), 2);
        drop(first);
        assert!(lifecycle.admit_exchange().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn drains_when_the_last_exchange_ends() {
        let lifecycle = Arc::new(lifecycle());
        let place = lifecycle.admit_exchange().unwrap();
        let drain = tokio::spawn({
            let lifecycle = Arc::clone(&lifecycle);
            async move { lifecycle.drain(Duration::from_secs(25)).await }
        });
        lifecycle.draining().await;
        assert!(lifecycle.is_draining());
        drop(place);
        assert_eq!(drain.await.unwrap(), Drained::Whole);
    }

    #[tokio::test(start_paused = true)]
    async fn ends_within_the_time_and_after_the_record_of_what_was_cut() {
        let lifecycle = Arc::new(lifecycle());
        let places = (lifecycle.admit_connection(), lifecycle.admit_exchange());
        let connection = tokio::spawn({
            let lifecycle = Arc::clone(&lifecycle);
            async move {
                lifecycle.cut().await;
                tokio::time::sleep(Duration::from_millis(100)).await;
                drop(places);
            }
        });
        let (started, time) = (tokio::time::Instant::now(), Duration::from_secs(6));
        assert_eq!(lifecycle.drain(time).await, Drained::Cut);
        assert!(started.elapsed() <= time, "{:?}", started.elapsed());
        assert_eq!(lifecycle.connections.taken(), 0);
        connection.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn cuts_what_is_left_when_the_time_is_over() {
        let lifecycle = lifecycle();
        let _place = lifecycle.admit_exchange().unwrap();
        assert_eq!(lifecycle.drain(Duration::from_secs(1)).await, Drained::Cut);
        lifecycle.cut().await;
    }
}
