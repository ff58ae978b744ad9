//! Load, in two forms: as fast as answers come, and at a fixed rate.
//!
//! At a fixed rate every request is due at a time that depends on no answer. Its latency counts from then, also
//! when it had to wait for a connection to be free: a server that stalls makes all that was due meanwhile late,
//! as it would for people (the percentiles are free of coordinated omission).
//!
//! ```text
//! due     |  |  |  |  |  |  |  |          one every 1/rate
//! sent    |  |  |           ||||          the server stalls
//! answer   |  |  |           ||||
//! latency    1  1  9  8 ...               from due to answer
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::clock::Clock;

use super::latencies::Latencies;

/// Who asks on one connection.
pub(super) trait Ask: Send + 'static {
    /// Why there is no answer that counts.
    type Error: Send + 'static;

    /// Asks once and waits for the whole answer.
    fn ask(&mut self) -> impl Future<Output = Result<(), Self::Error>> + Send;
}

/// What came of some load.
#[derive(Debug, Clone)]
pub(super) struct Load {
    /// How long each answer took.
    pub(super) latencies: Latencies,
    /// How long all of it took.
    pub(super) elapsed: Duration,
    /// How many requests were given up, because there was no time left to send them. Their latency counts until then.
    pub(super) given_up: u64,
}

impl Load {
    /// Answers a second.
    pub(super) fn throughput(&self) -> f64 {
        self.latencies.count() as f64 / self.elapsed.as_secs_f64()
    }
}

/// When requests are due.
#[derive(Debug, Clone, Copy)]
pub(super) struct Schedule {
    began: Instant,
    every: Duration,
    count: u64,
    deadline: Instant,
}

impl Schedule {
    /// As many requests as there are at this rate in this time, at least one. After as much time again, and a second,
    /// none is sent any more.
    pub(super) fn new(began: Instant, rate: f64, time: Duration) -> Self {
        let every = Duration::try_from_secs_f64(rate.recip()).unwrap_or(time);
        let every = every.clamp(Duration::from_nanos(1), time.max(Duration::from_nanos(1)));
        let count = time.as_nanos() / every.as_nanos();
        Self {
            began,
            every,
            count: u64::try_from(count).unwrap_or(u64::MAX).max(1),
            deadline: began + 2 * time + Duration::from_secs(1),
        }
    }

    fn due(&self, index: u64) -> Instant {
        let nanoseconds = self.every.as_nanos().saturating_mul(u128::from(index));
        let after = u64::try_from(nanoseconds).unwrap_or(u64::MAX);
        self.began + Duration::from_nanos(after)
    }

    /// How many were due until now.
    fn due_by(&self, now: Instant) -> u64 {
        let Some(elapsed) = now.checked_duration_since(self.began) else {
            return 0;
        };
        let intervals = elapsed.as_nanos() / self.every.as_nanos();
        let due = u64::try_from(intervals)
            .unwrap_or(u64::MAX)
            .saturating_add(1);
        due.min(self.count)
    }
}

/// Asks for so long, each asker as fast as it is answered. Gives the askers back.
pub(super) async fn as_fast_as_possible<A: Ask>(
    askers: Vec<A>,
    time: Duration,
    clock: &Arc<dyn Clock>,
) -> Result<(Vec<A>, Load), A::Error> {
    let began = clock.monotonic();
    let until = began + time;
    all(askers, (began, clock), |mut asker| {
        let clock = Arc::clone(clock);
        async move {
            let mut latencies = Latencies::new();
            let mut sent = clock.monotonic();
            loop {
                asker.ask().await?;
                let answered = clock.monotonic();
                latencies.record(answered.saturating_duration_since(sent));
                if answered >= until {
                    return Ok((asker, latencies, 0));
                }
                sent = answered;
            }
        }
    })
    .await
}

/// Asks when requests are due, each on the next asker that is free. Gives the askers back.
pub(super) async fn at_rate<A: Ask>(
    askers: Vec<A>,
    schedule: Schedule,
    clock: &Arc<dyn Clock>,
) -> Result<(Vec<A>, Load), A::Error> {
    let due = Arc::new(Semaphore::new(0));
    let pacer = (Arc::clone(&due), Arc::clone(clock));
    // Timers of the runtime tick every millisecond; a thread wakes within a tenth of that.
    let pacer = thread::spawn(move || pace(schedule, &pacer.0, pacer.1.as_ref()));
    let loaded = at_paced_rate(askers, schedule, &due, clock).await;
    due.close();
    pacer.thread().unpark();
    loaded
}

/// The same, for requests that somebody lets in one by one.
async fn at_paced_rate<A: Ask>(
    askers: Vec<A>,
    schedule: Schedule,
    due: &Arc<Semaphore>,
    clock: &Arc<dyn Clock>,
) -> Result<(Vec<A>, Load), A::Error> {
    let next = Arc::new(AtomicU64::new(0));
    all(askers, (schedule.began, clock), |mut asker| {
        let (due, next, clock) = (Arc::clone(due), Arc::clone(&next), Arc::clone(clock));
        async move {
            let (mut latencies, mut given_up) = (Latencies::new(), 0);
            while let Ok(permit) = due.acquire().await {
                permit.forget();
                let index = next.fetch_add(1, Ordering::Relaxed);
                if index + 1 >= schedule.count {
                    due.close();
                }
                if clock.monotonic() > schedule.deadline {
                    given_up += 1;
                } else {
                    asker.ask().await?;
                }
                let waited = clock.monotonic();
                latencies.record(waited.saturating_duration_since(schedule.due(index)));
            }
            Ok((asker, latencies, given_up))
        }
    })
    .await
}

/// Lets requests in when they are due, until all are or nobody asks any more.
fn pace(schedule: Schedule, due: &Semaphore, clock: &dyn Clock) {
    let mut let_in = 0;
    while let_in < schedule.count && !due.is_closed() {
        let now = clock.monotonic();
        let until_now = schedule.due_by(now);
        if until_now > let_in {
            let more = usize::try_from(until_now - let_in).unwrap_or(usize::MAX);
            due.add_permits(more.min(Semaphore::MAX_PERMITS));
            let_in = until_now;
        } else {
            thread::park_timeout(schedule.due(let_in).saturating_duration_since(now));
        }
    }
}

/// Runs one task for each asker to its end; the first that fails ends them all.
async fn all<A, F, T>(
    askers: Vec<A>,
    (began, clock): (Instant, &Arc<dyn Clock>),
    task: F,
) -> Result<(Vec<A>, Load), A::Error>
where
    A: Ask,
    F: Fn(A) -> T,
    T: Future<Output = Result<(A, Latencies, u64), A::Error>> + Send + 'static,
{
    let mut tasks: JoinSet<_> = askers.into_iter().map(task).collect();
    let mut askers = Vec::new();
    let (mut latencies, mut given_up) = (Latencies::new(), 0);
    while let Some(ended) = tasks.join_next().await {
        // A task that panicked is a bug, and its asker is missed where it is counted.
        let Ok(ended) = ended else { continue };
        let (asker, its_latencies, its_given_up) = ended?;
        askers.push(asker);
        latencies.add(&its_latencies);
        given_up += its_given_up;
    }
    let elapsed = clock.monotonic().saturating_duration_since(began);
    let load = Load {
        latencies,
        elapsed,
        given_up,
    };
    Ok((askers, load))
}

#[cfg(test)]
mod tests;
