//! Windows and clocks that a test moves: any sliding window holds the cap, and only time that has passed
//! refills it.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use postern_proxy::clock::{Clock, SystemClock};
use serde_json::json;

use crate::bypass::also::CAP;
use crate::bypass::catalogue::Entry;
use crate::bypass::exchange::Suite;
use crate::bypass::stage::{Setting, Stage};

use super::{Result, answer_of, ask, ask_times, charged, ensure, nearly_all, request, within};

/// The window of `cap`, in seconds.
const WINDOW: u64 = 3600;
const HOUR: i64 = 3600;

/// A clock that stands still unless it is moved.
#[derive(Debug)]
struct Dial {
    /// What the time of day is at first: a full hour, where a window that does not slide would begin.
    began: Duration,
    monotonic: Instant,
    /// Seconds that have passed.
    passed: AtomicU64,
    /// Seconds by which the time of day was put forward.
    stepped: AtomicI64,
}

impl Dial {
    fn at_a_full_hour() -> Arc<Self> {
        let now = SystemClock.wall().duration_since(UNIX_EPOCH);
        let seconds = now.unwrap_or_default().as_secs();
        Arc::new(Self {
            began: Duration::from_secs(seconds - seconds % WINDOW),
            monotonic: SystemClock.monotonic(),
            passed: AtomicU64::new(0),
            stepped: AtomicI64::new(0),
        })
    }

    /// Time passes.
    fn pass(&self, seconds: u64) {
        self.passed.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Sets the time of day so many seconds off, and lets no time pass.
    fn step_to(&self, seconds: i64) {
        self.stepped.store(seconds, Ordering::SeqCst);
    }

    fn passed(&self) -> u64 {
        self.passed.load(Ordering::SeqCst)
    }
}

impl Clock for Dial {
    fn wall(&self) -> SystemTime {
        let now = self.began + Duration::from_secs(self.passed());
        let stepped = self.stepped.load(Ordering::SeqCst);
        let by = Duration::from_secs(stepped.unsigned_abs());
        UNIX_EPOCH + if stepped < 0 { now - by } else { now + by }
    }

    fn monotonic(&self) -> Instant {
        self.monotonic + Duration::from_secs(self.passed())
    }
}

/// A token that is good at every time these tests set.
fn lasting(suite: &Suite, who: &str) -> String {
    let now = SystemClock.wall().duration_since(UNIX_EPOCH);
    let now = now.unwrap_or_default().as_secs();
    let (past, future) = (now - 100 * WINDOW, now + 100 * WINDOW);
    let claims = json!({ "iat": past, "nbf": past, "exp": future });
    suite.tokens.of(who, &claims)
}

fn setting(clock: &Arc<Dial>) -> Setting {
    Setting {
        clock: Some(Arc::clone(clock) as Arc<dyn Clock>),
        ..Setting::policy("cap")
    }
}

/// B-346: the whole cap a second before a full hour, and again a second after it; then whoever asks all
/// the time for three windows.
pub(super) async fn window_boundaries(suite: &Suite, entry: &Entry) -> Result {
    let clock = Dial::at_a_full_hour();
    let stage = Stage::start(&setting(&clock)).await;
    stage.upstream.play(answer_of(10));
    let sending = request(suite, &stage, entry, (None, &lasting(suite, "watch")));
    clock.pass(WINDOW - 1);
    let before = ask_times(&stage, &sending, 10).await?;
    nearly_all("before the boundary", before)?;
    let mut delivered = vec![(clock.passed(), before)];
    clock.pass(2);
    let refused = ask(&stage, &sending).await?;
    ensure(
        refused.is_capped(),
        format!("a second after the boundary: {refused:?}"),
    )?;
    // Steps of an odd length, so that every place within a bucket is met.
    for _ in 0..150 {
        clock.pass(73);
        let records = ask(&stage, &sending).await?.served_or_capped()?;
        delivered.push((clock.passed(), records));
    }
    for (end, _) in &delivered {
        let inside = delivered
            .iter()
            .filter(|(at, _)| at <= end && at + WINDOW >= *end);
        let sum = inside.map(|(_, records)| records).sum::<u64>();
        ensure(
            sum <= CAP,
            format!("{sum} records within the window that ends at {end} s"),
        )?;
    }
    let sum: u64 = delivered.iter().map(|(_, records)| records).sum();
    ensure(
        sum > 2 * CAP,
        format!("{sum} in four windows: it never refills"),
    )?;
    within("four windows", sum, 4 * CAP, charged(&stage).await)?;
    Ok("capped")
}

/// B-347: the time of day jumps, also over a restart, and stands still; no cap is refilled by it.
pub(super) async fn clock_steps(suite: &Suite, entry: &Entry) -> Result {
    let clock = Dial::at_a_full_hour();
    let mut stage = Stage::start(&setting(&clock)).await;
    stage.upstream.play(answer_of(10));
    let token = lasting(suite, "traveller");
    let sending = request(suite, &stage, entry, (None, &token));
    let own = ask_times(&stage, &sending, 10).await?;
    nearly_all("at first", own)?;
    let steps = [
        ("25 hours on", 25 * HOUR),
        ("25 hours back", -25 * HOUR),
        ("summer time", HOUR),
        ("winter time", -HOUR),
        ("a leap second", -1),
        ("frozen", 0),
    ];
    for (what, seconds) in steps {
        clock.step_to(seconds);
        for _ in 0..3 {
            let refused = ask(&stage, &sending).await?;
            ensure(refused.is_capped(), format!("{what}: {refused:?}"))?;
        }
    }
    clock.step_to(-25 * HOUR);
    stage = stage.restart(&setting(&clock)).await;
    let sending = request(suite, &stage, entry, (None, &token));
    let refused = ask(&stage, &sending).await?;
    ensure(
        refused.is_capped(),
        format!("started again 25 hours before: {refused:?}"),
    )?;
    clock.pass(WINDOW + WINDOW / 24);
    let refilled = ask_times(&stage, &sending, 12).await?;
    nearly_all("when a window has passed", refilled)?;
    Ok("capped")
}
