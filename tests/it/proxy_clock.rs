//! The system's clock is set forward and back by hours while Postern works: nobody gets more by it, whoever lost something
//! to a clock that was ahead has it again when the clock is right, and the audit log says what the clock said.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime};

use postern_audit::{Incomplete, Integrity, PolicyFile, SystemDisk, verify};
use postern_proxy::clock::{Clock, SystemClock};
use serde_json::{Value, json};

use crate::legacy_desk::{self, desk};
use crate::origin::{Answer, Origin};
use crate::postern::{
    Client, POLICY, Reply, Setting, Stage, get, request_as, start_with, token_of,
};
use crate::proxy_audit::entries;
use crate::proxy_sessions::Browser;

const HOURS: i64 = 3600;

/// A clock that stands still but for what a test does to it.
#[derive(Debug)]
struct Dial {
    wall: SystemTime,
    monotonic: Instant,
    passed: AtomicU64,
    stepped: AtomicI64,
}

impl Dial {
    fn new() -> Arc<Self> {
        Arc::new(Self {
            wall: SystemClock.wall(),
            monotonic: SystemClock.monotonic(),
            passed: AtomicU64::new(0),
            stepped: AtomicI64::new(0),
        })
    }

    /// Seconds pass.
    fn pass(&self, seconds: u64) {
        self.passed.fetch_add(seconds, Ordering::SeqCst);
    }

    /// Sets the time of day so many seconds off, and lets no time pass.
    fn set_off(&self, seconds: i64) {
        self.stepped.store(seconds, Ordering::SeqCst);
    }

    fn passed(&self) -> Duration {
        Duration::from_secs(self.passed.load(Ordering::SeqCst))
    }
}

impl Clock for Dial {
    fn wall(&self) -> SystemTime {
        let now = self.wall + self.passed();
        let stepped = self.stepped.load(Ordering::SeqCst);
        let by = Duration::from_secs(stepped.unsigned_abs());
        if stepped < 0 { now - by } else { now + by }
    }

    fn monotonic(&self) -> Instant {
        self.monotonic + self.passed()
    }
}

fn setting(clock: &Arc<Dial>, policy: &str) -> Setting {
    Setting {
        policy: policy.to_owned(),
        clock: Arc::clone(clock) as _,
        audit: "{ checkpoint: 100ms }".to_owned(),
        ..Setting::default()
    }
}

async fn case() -> Origin {
    Origin::scripted(vec![Answer::json(r#"{"id":1,"ssn":"912-04-7731"}"#)]).await
}

/// A GET with a token that is good for so many seconds from the beginning on.
async fn ask(stage: &Stage, clock: &Dial, good_for: u64) -> Reply {
    let end = clock.wall + Duration::from_secs(good_for);
    let end = end
        .duration_since(SystemTime::UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let token = token_of("ann", "agent", &json!({ "exp": end }));
    stage
        .send(&request_as(&token, "GET", "/cases/1", ("", "")))
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_has_expired_stays_so_when_the_clock_is_set_back() {
    let (origin, clock) = (case().await, Dial::new());
    let stage = start_with(&setting(&clock, POLICY), origin.address()).await;
    assert_eq!(ask(&stage, &clock, 600).await.status, 200);
    clock.pass(700);
    assert_eq!(ask(&stage, &clock, 600).await.slug(), "identity-invalid");
    for back in [-60, -HOURS, -24 * HOURS] {
        clock.set_off(back);
        assert_eq!(
            ask(&stage, &clock, 600).await.slug(),
            "identity-invalid",
            "{back}"
        );
        assert_eq!(ask(&stage, &clock, 7200).await.status, 200, "{back}");
    }
    // While it is ahead less is good; afterwards what was good is so again.
    clock.set_off(3 * HOURS);
    assert_eq!(ask(&stage, &clock, 7200).await.slug(), "identity-invalid");
    assert_eq!(ask(&stage, &clock, 86_400).await.status, 200);
    clock.set_off(0);
    assert_eq!(ask(&stage, &clock, 7200).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_lasts_no_longer_when_the_clock_is_set_back() {
    let ((origin, _given), clock) = (desk().await, Dial::new());
    let sessions = "{ bind: [context], idle: 15m, longest: 1h, required: { export: 0 } }";
    let policy = legacy_desk::POLICY.replace("SESSIONS", sessions);
    let stage = start_with(&setting(&clock, &policy), origin.address()).await;
    let (mut idle, mut busy) = (Browser::new(&stage), Browser::new(&stage));
    assert_eq!(idle.log_in("agent").await.status, 302);
    assert_eq!(busy.log_in("clerk").await.status, 302);
    for hours in [-5, 0, -1, 0] {
        clock.set_off(hours * HOURS);
        clock.pass(600);
        assert_eq!(
            busy.get("/cases/1").await.status,
            200,
            "{hours} h off, and in use"
        );
    }
    assert_eq!(idle.get("/cases/1").await.status, 401, "40 minutes unused");
    clock.set_off(-3 * HOURS);
    assert_eq!(
        idle.get("/cases/1").await.status,
        401,
        "it does not come back"
    );
    assert_eq!(busy.get("/cases/1").await.status, 200);
    clock.pass(601);
    assert_eq!(busy.get("/cases/1").await.status, 200);
    clock.pass(601);
    assert_eq!(
        busy.get("/cases/1").await.status,
        401,
        "an hour, however busy"
    );
    clock.set_off(0);
    assert_eq!(busy.get("/cases/1").await.status, 401);
}

/// Twenty records an hour.
fn counted() -> String {
    POLICY.replace(
        "routes:\n  case:\n",
        "quotas:\n  few: { unit: records, per: identity, window: 1h, limit: { agent: 20, boss: 20 } }\n\
         routes:\n  case:\n    records: $\n",
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn a_window_is_as_long_as_the_time_that_passes_whatever_the_clock_says() {
    let (origin, clock) = (case().await, Dial::new());
    let stage = start_with(&setting(&clock, &counted()), origin.address()).await;
    let good = 1_000_000;
    for number in 0..20 {
        // It is set somewhere else before each.
        clock.set_off((number % 5 - 2) * 7 * HOURS);
        assert_eq!(ask(&stage, &clock, good).await.status, 200, "{number}");
    }
    for off in [9 * HOURS, -9 * HOURS, 0, 48 * HOURS, -48 * HOURS] {
        clock.set_off(off);
        let refused = ask(&stage, &clock, good).await;
        assert_eq!(refused.slug(), "quota-exceeded", "{off}");
        let wait: u64 = refused.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=3900).contains(&wait), "{off}: {wait}");
    }
    clock.pass(3900);
    assert_eq!(
        ask(&stage, &clock, good).await.status,
        200,
        "a window has passed"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_says_what_the_clock_said_and_stays_whole() {
    let whole = Answer::json(&format!(
        "{{\"id\":1,\"note\":\"{}\"}}",
        "n".repeat(100 << 10)
    ));
    let origin = Origin::answering(
        move |request| match request.starts_with(b"GET /cases/held") {
            true => whole.clone().held_at(80 << 10),
            false => Answer::json(r#"{"id":1}"#),
        },
    )
    .await;
    let clock = Dial::new();
    let stage = start_with(&setting(&clock, POLICY), origin.address()).await;
    // One exchange runs through all of it.
    let mut running = Client::connect(stage.address()).await;
    running.write(get("/cases/held", "agent").as_bytes()).await;
    origin.asked(1).await;
    let offs = [0, 5 * HOURS, 0, -5 * HOURS, 0];
    for off in offs {
        clock.set_off(off);
        clock.pass(10);
        assert_eq!(ask(&stage, &clock, 1_000_000).await.status, 200, "{off}");
    }
    origin.let_go();
    let reply = running.reply(false).await.unwrap();
    assert!(reply.status == 200 && reply.complete && reply.body.len() > 100 << 10);
    let Stage { running, folder } = stage;
    running.shutdown().await;
    times_are_the_clocks(&entries(folder.path()));
    the_auditor_is_told(folder.path());
}

/// The entries are in order, and each of the outcomes has the time that the clock showed, right or wrong.
fn times_are_the_clocks(entries: &[Value]) {
    let mut times = Vec::new();
    for (index, entry) in entries.iter().enumerate() {
        assert_eq!(
            entry["metadata"]["sequence"], index,
            "in order, whatever the time"
        );
        let details = &entry["unmapped"]["postern"];
        if entry["class_uid"] == 6003 && details["phase"] == "outcome" {
            let lasted = details["duration_us"].as_u64();
            assert!(lasted.is_none_or(|lasted| lasted <= 60_000_000), "{entry}");
            times.push(entry["time"].as_u64().unwrap());
        }
    }
    let began = times[0];
    let expected = [
        0,
        5 * 3_600_000 + 10_000,
        20_000,
        -5 * 3_600_000 + 30_000,
        40_000,
    ];
    for (at, expected) in expected.into_iter().enumerate() {
        let off = i64::try_from(times[at]).unwrap() - i64::try_from(began).unwrap();
        assert_eq!(off, expected, "outcome {at}");
    }
}

/// The log is what it was, and says that the clock went back twice.
fn the_auditor_is_told(folder: &Path) {
    let log = folder.join("state/audit");
    let keys = std::fs::read_to_string(log.join("keys/log.vkey")).unwrap();
    let trust = PolicyFile::parse(format!("log {keys}quorum none\n").as_bytes()).unwrap();
    let report = verify(&SystemDisk::new(log), &trust, &[]).unwrap();
    assert_eq!(report.integrity, Integrity::Ok);
    let went_back = |found: &&Incomplete| matches!(found, Incomplete::ClockWentBack { .. });
    let times_back = report.completeness.iter().filter(went_back).count();
    assert_eq!(times_back, 2, "the auditor is told: {report}");
    let lost = report.completeness.iter().find(|found| {
        !matches!(
            found,
            Incomplete::ClockWentBack { .. }
                | Incomplete::Gap { .. }
                | Incomplete::Unanchored { .. }
        )
    });
    assert!(lost.is_none(), "{report}");
}
