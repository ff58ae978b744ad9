//! Device Bound Session Credentials with Chromium (W3C draft, repository head d346811): a session is registered,
//! renewed and proved anew by the browser itself, and its cookies alone are worth nothing for long.
//!
//! Chromium binds nothing on Linux without both features below: there the keys of a device are software.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime};

use postern_proxy::clock::{Clock, SystemClock};
use serde_json::json;

use super::agent::{Agent, SAFARI};
use super::browsing::fetch;
use super::forms::Form;
use super::messages::{Message, answers, requests};
use super::relay::Relay;
use super::site::Door;
use super::webdriver::Browser;
use crate::legacy_desk::{Given, POLICY, desk};
use crate::origin::Origin;
use crate::postern::{Setting, Stage};

/// What makes Chromium register a session.
const FEATURES: [&str; 2] = [
    "DeviceBoundSessions",
    "EnableBoundSessionCredentialsSoftwareKeysForManualTesting",
];
const BOUND: &str = "__Host-pnb";
const REGISTER: &str = "POST /__postern/dbsc/reg";
const REFRESH: &str = "POST /__postern/dbsc/refresh";
/// How long a bound cookie is taken, by default.
const BOUND_FOR: Duration = Duration::from_secs(301);

/// How long after a login a session may go on unbound, by default.
const UNBOUND_FOR: Duration = Duration::from_secs(61);

/// The system's clock, moved on.
#[derive(Debug, Default)]
struct Moved(AtomicU64);

impl Moved {
    fn by(&self) -> Duration {
        Duration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

impl Clock for Moved {
    fn wall(&self) -> SystemTime {
        SystemClock.wall() + self.by()
    }

    fn monotonic(&self) -> Instant {
        SystemClock.monotonic() + self.by()
    }
}

/// A browser that has logged in to a desk of our own, behind Postern.
struct Scene {
    browser: Browser,
    door: Door,
    behind: Relay,
    clock: Arc<Moved>,
    stage: Stage,
    _origin: Origin,
    _given: Arc<Mutex<Given>>,
}

impl Scene {
    async fn new() -> Option<Self> {
        let door = Door::new().await;
        let browser = Browser::start(&door.trusted(), &FEATURES).await?;
        let (origin, given) = desk().await;
        let behind = Relay::plain(origin.address()).await;
        let policy = POLICY.replace("match: GET /export", "match: [GET /export, POST /export]");
        let sessions =
            "{ token: { cookies: sid }, bind: [dbsc, context], required: { export: 2 } }";
        let clock = Arc::<Moved>::default();
        let setting = Setting {
            clock: Arc::<Moved>::clone(&clock),
            ..Setting::default()
        };
        let stage = door
            .guard(policy.replace("SESSIONS", sessions), &behind, setting)
            .await;
        let scene = Self {
            browser,
            door,
            behind,
            clock,
            stage,
            _origin: origin,
            _given: given,
        };
        scene.log_in().await;
        Some(scene)
    }

    async fn log_in(&self) {
        self.browser
            .open(&format!("{}/login", self.door.origin()))
            .await;
        self.browser
            .type_into("input[name=username]", "agent")
            .await;
        self.browser
            .type_into("input[name=password]", "right")
            .await;
        self.browser
            .run("document.forms[0].submit(); done();")
            .await;
        self.browser.wait_for_text("<p>home</p>").await;
        self.browser.wait_for_cookie(BOUND).await;
    }

    /// Every exchange in front of Postern whose request is this one.
    fn exchanges(&self, line: &str) -> Vec<(Message, Message)> {
        let kept = self.door.front.kept();
        let pairs = kept
            .iter()
            .flat_map(|one| requests(&one.up).into_iter().zip(answers(&one.down)));
        pairs
            .filter(|(request, _)| request.line() == line)
            .collect()
    }

    /// Everything that happened in front of Postern, a line each.
    fn story(&self) -> String {
        let kept = self.door.front.kept();
        let pairs = kept
            .iter()
            .flat_map(|one| requests(&one.up).into_iter().zip(answers(&one.down)));
        let told = pairs.map(|(request, answer)| {
            let skipped = request.field("secure-session-skipped");
            let text: String = answer.text().chars().take(160).collect();
            format!(
                "{} {skipped} -> {} {text}\n",
                request.line(),
                answer.status()
            )
        });
        told.collect()
    }

    /// How often the desk was asked this.
    fn reached(&self, line: &str) -> usize {
        let kept = self.behind.kept();
        let reached = kept.iter().flat_map(|one| requests(&one.up));
        reached.filter(|request| request.line() == line).count()
    }

    /// Moves the server's clock on.
    fn pass(&self, time: Duration) {
        self.clock.0.fetch_add(time.as_secs(), Ordering::SeqCst);
    }

    /// A second client with these cookies, which says of itself what the browser says.
    fn thief(&self, jar: &[(String, String)]) -> Agent {
        let exchanges = self.exchanges("GET /home");
        let (request, _) = exchanges.first().unwrap();
        let mut thief = self.door.agent();
        thief.user_agent = request.field("user-agent").to_owned();
        thief.language = request.field("accept-language").to_owned();
        thief.jar = jar.iter().cloned().collect();
        thief
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn chromium_binds_renews_and_proves_its_session() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    registers(&scene);
    scene.pass(UNBOUND_FOR);
    renews_once_for_three(&scene).await;
    proves_before_an_export(&scene).await;
    is_told_to_try_again_past_its_quota(&scene).await;
}

fn registers(scene: &Scene) {
    let registered = scene.exchanges(REGISTER);
    assert_eq!(registered.len(), 1);
    let (request, answer) = &registered[0];
    assert!(!request.field("secure-session-response").is_empty());
    assert_eq!(answer.status(), 200, "{}", answer.text());
    assert_eq!(answer.field("cache-control"), "no-store");
    assert!(answer.field("secure-session-challenge").contains(";id="));
}

async fn renews_once_for_three(scene: &Scene) {
    let before = scene.exchanges(REFRESH).len();
    scene.browser.forget(BOUND).await;
    let script = "Promise.all([1, 2, 3].map(() => fetch('/cases/1').then(answer => answer.status))).then(done, done);";
    let statuses = scene.browser.run(script).await;
    assert_eq!(statuses, json!([200, 200, 200]), "{}", scene.story());
    let renewed = scene.exchanges(REFRESH);
    assert_eq!(renewed.len(), before + 1, "three requests, one renewal");
    assert_eq!(renewed[before].1.status(), 200);
}

async fn proves_before_an_export(scene: &Scene) {
    let before = scene.exchanges(REFRESH).len();
    let asked = json!({
        "method": "POST", "body": "rows=all",
        "headers": { "Content-Type": "application/x-www-form-urlencoded" },
    });
    let rows = fetch(&scene.browser, "/export", &asked).await;
    assert_eq!(rows["status"], 200, "{rows}\n{}", scene.story());
    assert!(
        rows["text"].as_str().unwrap().contains("rows=all"),
        "the body arrived: {rows}"
    );
    let mut statuses: Vec<u16> = scene
        .exchanges("POST /export")
        .iter()
        .map(|(_, answer)| answer.status())
        .collect();
    // They may come over two connections.
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 307]);
    assert!(
        scene.exchanges(REFRESH).len() > before,
        "no fresh proof: {}",
        scene.story()
    );
    assert_eq!(scene.reached("POST /export"), 1, "the desk was asked once");
}

/// The browser's own bound on renewals is five or so in nine minutes; then it says that it skips one.
async fn is_told_to_try_again_past_its_quota(scene: &Scene) {
    for _ in 0..12 {
        scene.browser.forget(BOUND).await;
        let answer = fetch(&scene.browser, "/cases/1", &json!({})).await;
        let exchanges = scene.exchanges("GET /cases/1");
        let mut exchanges = exchanges.iter();
        let skipped = exchanges.find(|(request, _)| {
            let skipped = request.field("secure-session-skipped");
            skipped.starts_with("quota_exceeded")
        });
        if let Some((_, told)) = skipped {
            assert_eq!((told.status(), &answer["status"]), (401, &json!(401)));
            assert!(told.text().contains("binding-required"), "{answer}");
            return;
        }
        assert_eq!(answer["status"], 200, "{answer}\n{}", scene.story());
    }
    panic!("the browser never skipped a renewal: {}", scene.story());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copied_jar_reads_within_the_bound_lifetime_and_nothing_else() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let jar = scene.browser.cookies().await;
    scene.pass(UNBOUND_FOR);
    let mut thief = scene.thief(&jar);
    let read = thief.fetch("/cases/1").await.status();
    let form = Form::bare("/export").set("rows", "all");
    let export = thief.post("/home", &form).await;
    assert_ne!(export.status(), 200, "an export without a proof");
    assert_eq!(scene.reached("POST /export"), 0);

    scene.pass(BOUND_FOR);
    let late = scene.thief(&jar).fetch("/cases/1").await.status();
    println!("a copied jar under dbsc: {read} at once, {late} after {BOUND_FOR:?}");
    assert_eq!(late, 401);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copied_jar_from_elsewhere_ends_the_session() {
    let Some(scene) = Scene::new().await else {
        return;
    };
    let jar = scene.browser.cookies().await;
    let mut elsewhere = scene.thief(&jar);
    elsewhere.user_agent = SAFARI.to_owned();
    elsewhere.from = IpAddr::V4(Ipv4Addr::new(127, 77, 0, 9));
    assert_eq!(elsewhere.fetch("/cases/1").await.status(), 401);
    let found = scene.stage.metrics().await;
    assert!(found.contains("H05b"), "no finding: {found}");
    let answer = fetch(&scene.browser, "/cases/1", &json!({})).await;
    assert_eq!(answer["status"], 401, "the session goes on: {answer}");
}
