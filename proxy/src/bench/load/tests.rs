//! Load on a paused clock, against servers that stall, cannot keep up, or refuse.

use std::time::SystemTime;

use super::super::latencies::{P50, QUANTILES};
use super::*;

/// The runtime's clock, which stands still while somebody works and jumps when all wait.
#[derive(Debug)]
struct PausedClock;

impl Clock for PausedClock {
    fn wall(&self) -> SystemTime {
        SystemTime::UNIX_EPOCH
    }

    fn monotonic(&self) -> Instant {
        tokio::time::Instant::now().into_std()
    }
}

/// A server that takes ten milliseconds for each answer, and ten seconds for one of them.
struct Stalling {
    asked: Arc<AtomicU64>,
    stalls_at: u64,
}

impl Ask for Stalling {
    type Error = &'static str;

    async fn ask(&mut self) -> Result<(), Self::Error> {
        let time = match self.asked.fetch_add(1, Ordering::Relaxed) == self.stalls_at {
            true => Duration::from_secs(10),
            false => Duration::from_millis(10),
        };
        tokio::time::sleep(time).await;
        Ok(())
    }
}

struct Failing;

impl Ask for Failing {
    type Error = &'static str;

    async fn ask(&mut self) -> Result<(), Self::Error> {
        Err("the status is 502")
    }
}

fn clock() -> Arc<dyn Clock> {
    Arc::new(PausedClock)
}

fn stalling(askers: usize, stalls_at: u64) -> Vec<Stalling> {
    let asked = Arc::<AtomicU64>::default();
    let asker = |_| Stalling {
        asked: Arc::clone(&asked),
        stalls_at,
    };
    (0..askers).map(asker).collect()
}

/// At a rate, on the runtime's paused time.
async fn paced<A: Ask>(askers: Vec<A>, rate: f64, time: Duration) -> Result<Load, A::Error> {
    let clock = clock();
    let schedule = Schedule::new(clock.monotonic(), rate, time);
    let due = Arc::new(Semaphore::new(0));
    let pacing = tokio::spawn({
        let (due, clock) = (Arc::clone(&due), Arc::clone(&clock));
        async move {
            for index in 0..schedule.count {
                let at = schedule
                    .due(index)
                    .saturating_duration_since(clock.monotonic());
                tokio::time::sleep(at).await;
                due.add_permits(1);
            }
        }
    });
    let loaded = at_paced_rate(askers, schedule, &due, &clock).await;
    pacing.abort();
    loaded.map(|(_, load)| load)
}

#[tokio::test(start_paused = true)]
async fn a_server_that_stalls_makes_all_that_was_due_meanwhile_late() {
    let load = paced(stalling(1, 100), 10.0, Duration::from_secs(100)).await;
    let load = load.unwrap();
    assert_eq!((load.latencies.count(), load.given_up), (1000, 0));
    let [p50, p99, p999] = QUANTILES.map(|quantile| load.latencies.at(quantile).unwrap());
    assert!(p50 < 50_000.0, "{p50}");
    // A tenth of the requests were due in those ten seconds or while the queue behind it was worked off. Counted from
    // when each was sent, only one of a thousand would have been slow.
    assert!(p99 > 8_500_000.0, "{p99}");
    assert!(p999 > 9_800_000.0, "{p999}");
    let late = load.latencies.at_share(0.92);
    assert!(late > 1_000_000.0, "{late}");
}

#[tokio::test(start_paused = true)]
async fn another_connection_takes_over_while_one_waits() {
    let load = paced(stalling(2, 100), 10.0, Duration::from_secs(100)).await;
    let p99 = load.unwrap().latencies.at(QUANTILES[1]).unwrap();
    assert!(p99 < 50_000.0, "{p99}");
}

#[tokio::test(start_paused = true)]
async fn what_there_is_no_time_left_to_send_is_late_and_given_up() {
    // One connection answers a hundred a second, and three hundred are due.
    let load = paced(stalling(1, u64::MAX), 300.0, Duration::from_secs(20)).await;
    let load = load.unwrap();
    assert_eq!(load.latencies.count(), 6000);
    assert!((1800..=2400).contains(&load.given_up), "{}", load.given_up);
    let p50 = load.latencies.at(P50).unwrap();
    assert!(p50 > 10_000_000.0, "{p50}");
}

#[tokio::test(start_paused = true)]
async fn as_fast_as_possible_is_as_fast_as_the_server() {
    let askers = stalling(4, u64::MAX);
    let loaded = as_fast_as_possible(askers, Duration::from_secs(10), &clock()).await;
    let (askers, load) = loaded.unwrap();
    assert_eq!(askers.len(), 4);
    let throughput = load.throughput();
    assert!((350.0..410.0).contains(&throughput), "{throughput}");
}

#[tokio::test(start_paused = true)]
async fn one_answer_that_does_not_count_ends_it() {
    let time = Duration::from_secs(1);
    assert!(paced(vec![Failing], 10.0, time).await.is_err());
    assert!(
        as_fast_as_possible(vec![Failing], time, &clock())
            .await
            .is_err()
    );
}

#[test]
fn a_schedule_has_the_rate_and_at_least_one_request() {
    let began = PausedClock.monotonic();
    let schedule = Schedule::new(began, 250.0, Duration::from_secs(2));
    assert_eq!(schedule.count, 500);
    assert_eq!(schedule.due(250), began + Duration::from_secs(1));
    assert_eq!(schedule.due_by(began), 1);
    assert_eq!(schedule.due_by(began + Duration::from_secs(60)), 500);
    let slow = Schedule::new(began, 0.1, Duration::from_secs(2));
    assert_eq!((slow.count, slow.due(0)), (1, began));
    for absurd in [f64::INFINITY, f64::MIN_POSITIVE] {
        assert!(Schedule::new(began, absurd, Duration::from_secs(1)).count >= 1);
    }
}

#[test]
fn a_thread_lets_in_what_is_due_and_ends_when_nobody_asks() {
    let clock = crate::clock::SystemClock;
    let schedule = Schedule::new(clock.monotonic(), 1e6, Duration::from_millis(1));
    let due = Semaphore::new(0);
    pace(schedule, &due, &clock);
    assert_eq!(due.available_permits(), 1000);
    let never = Schedule::new(clock.monotonic(), 1.0, Duration::from_secs(3600));
    due.close();
    pace(never, &due, &clock);
}
