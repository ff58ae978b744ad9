//! The admin listener over real sockets: who may ask what, and what is answered.

mod live;
mod quotas;
mod sessions;

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use postern_filters::PseudonymKeys;
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::*;
use crate::clock::SystemClock;
use crate::evidence::Evidence;
use crate::load::samples::{HEADER, limits, policy, write};
use crate::metrics::{Live, Metrics};
use crate::quota::StoreAddress;
use crate::reload::ReloadOptions;
use crate::session::{ServerKeys, SessionPlace};

#[derive(Debug, Default)]
struct Plane {
    draining: AtomicBool,
}

impl Vitals for Plane {
    fn is_draining(&self) -> bool {
        self.draining.load(Ordering::SeqCst)
    }

    fn in_flight(&self) -> u64 {
        7
    }
}

/// Quotas whose store is a file of this folder, and not open.
fn quotas(folder: &Path) -> Arc<QuotaKeeper> {
    Arc::new(QuotaKeeper::new(
        StoreAddress::Embedded(folder.join("state/postern.redb")),
        Arc::new(SystemClock),
        Arc::new(Metrics::new().unwrap()),
        Evidence::off(Arc::new(SystemClock)),
    ))
}

/// Sessions that are kept in a file of this folder, which is not open.
fn sessions(folder: &Path) -> Arc<SessionKeeper> {
    let place = SessionPlace {
        origins: Vec::new(),
        store: StoreAddress::Embedded(folder.join("state/sessions.redb")),
        keys: Ok(ServerKeys::new([7; 32])),
    };
    Arc::new(SessionKeeper::new(
        place,
        Arc::new(SystemClock),
        Arc::new(Metrics::new().unwrap()),
        Evidence::off(Arc::new(SystemClock)),
    ))
}

struct Admin {
    folder: TempDir,
    plane: Arc<Plane>,
    token: AdminToken,
    metrics: Arc<Metrics>,
    sessions: Arc<SessionKeeper>,
    thread: AdminThread,
}

/// What an admin listener shows whose policy is loaded, or whose store is still empty.
fn state(folder: &Path, text: &str, loaded: bool) -> (AdminState, Arc<Plane>) {
    let path = write(folder, "policy.yaml", text);
    let reloaded = Arc::new(PolicyStore::deny_all());
    let options = ReloadOptions {
        policy: path.clone(),
        keys: PseudonymKeys::for_offline_use(),
        limits: limits(),
        signers: None,
        tls: None,
        clock: Arc::new(SystemClock),
        evidence: Evidence::off(Arc::new(SystemClock)),
    };
    let reloader = PolicyReloader::start(options, Arc::clone(&reloaded)).unwrap();
    let plane = Arc::new(Plane::default());
    let store = match loaded {
        true => reloaded,
        false => Arc::new(PolicyStore::deny_all()),
    };
    let metrics = Arc::new(Metrics::new().unwrap());
    let live = Live {
        store: Arc::clone(&store),
        vitals: plane.clone(),
        evidence: Evidence::off(Arc::new(SystemClock)).watched(),
    };
    live.register(metrics.registry()).unwrap();
    let state = AdminState {
        store,
        reloader,
        token: AdminToken::read_or_make(&folder.join("state")).unwrap(),
        metrics,
        quotas: quotas(folder),
        sessions: sessions(folder),
        evidence: Evidence::off(Arc::new(SystemClock)),
        vitals: plane.clone(),
        listen: vec!["127.0.0.1:8080".to_owned()],
        policy: path,
    };
    (state, plane)
}

impl Admin {
    /// An admin listener whose policy is loaded, or whose store is still empty.
    fn start(loaded: bool) -> Self {
        Self::start_with(&policy("one", HEADER), loaded)
    }

    /// One whose policy is this.
    fn start_with(policy: &str, loaded: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (state, plane) = state(folder.path(), policy, loaded);
        let (token, metrics) = (state.token.clone(), Arc::clone(&state.metrics));
        let sessions = Arc::clone(&state.sessions);
        let thread = spawn(bind("127.0.0.1:0", None).unwrap(), state).unwrap();
        Self {
            folder,
            plane,
            token,
            metrics,
            sessions,
            thread,
        }
    }

    async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.thread.address()).await.unwrap()
    }

    async fn raw(&self, request: &str) -> String {
        let mut stream = self.connect().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).await.unwrap();
        String::from_utf8(answer).unwrap()
    }

    /// The status and the body of a well-formed request.
    async fn ask(&self, line: &str, extra: &str) -> (u16, String) {
        let request =
            format!("{line} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{extra}\r\n");
        split(&self.raw(&request).await)
    }

    async fn ask_with_token(&self, line: &str) -> (u16, String) {
        let header = format!("Authorization: Bearer {}\r\n", self.token.reveal());
        self.ask(line, &header).await
    }
}

fn split(answer: &str) -> (u16, String) {
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, body.to_owned())
}

#[tokio::test]
async fn no_answer_is_kept_or_shown_in_a_frame() {
    let admin = Admin::start(true);
    for (path, host) in [
        ("/livez", "localhost"),
        ("/status", "localhost"),
        ("/", "localhost"),
        ("/livez", "rebound.example"),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = admin.raw(&request).await;
        for field in [
            "cache-control: no-store\r\n",
            "content-security-policy: frame-ancestors 'none'\r\n",
            "x-content-type-options: nosniff\r\n",
            "x-frame-options: DENY\r\n",
        ] {
            assert!(
                answer.contains(field),
                "{path} at {host}: {field} in {answer}"
            );
        }
    }
}

#[tokio::test]
async fn health_and_metrics_are_open_and_the_rest_needs_the_token() {
    let admin = Admin::start(true);
    for open in ["/livez", "/readyz", "/startupz", "/metrics"] {
        assert_eq!(admin.ask(&format!("GET {open}"), "").await.0, 200, "{open}");
    }
    let good = format!("Bearer {}", admin.token.reveal());
    for credentials in [
        String::new(),
        "Authorization: Bearer\r\n".to_owned(),
        "Authorization: Bearer x\r\n".to_owned(),
        format!("Authorization: Basic {}\r\n", admin.token.reveal()),
        format!("Authorization: {good}0\r\n"),
        format!("Authorization: {}\r\n", good.get(..good.len() - 1).unwrap()),
        format!("Authorization: {good}\r\nAuthorization: {good}\r\n"),
    ] {
        for line in [
            "GET /status",
            "POST /reload",
            "GET /tap",
            "GET /top",
            "GET /sessions",
            "GET /sessions/x",
            "POST /sessions/revoke?sid=x&reason=y",
        ] {
            let (status, body) = admin.ask(line, &credentials).await;
            assert_eq!(status, 401, "{line}");
            assert!(!body.contains("revision"));
        }
    }
    let query = format!("GET /status?token={}", admin.token.reveal());
    assert_eq!(admin.ask(&query, "").await.0, 401);
    assert_eq!(admin.ask_with_token("GET /status").await.0, 200);
    assert_eq!(admin.ask_with_token("GET /reload").await.0, 405);
    assert_eq!(admin.ask_with_token("GET /config_dump").await.0, 404);
}

#[tokio::test]
async fn only_requests_meant_for_loopback_are_answered() {
    let admin = Admin::start(true);
    let get = |target: &str, host: &str| {
        format!("GET {target} HTTP/1.1\r\n{host}Connection: close\r\n\r\n")
    };
    for host in [
        "localhost",
        "LOCALHOST:9090",
        "127.0.0.1:1",
        "[::1]:9090",
        "127.9.9.9",
    ] {
        let answer = admin
            .raw(&get("/livez", &format!("Host: {host}\r\n")))
            .await;
        assert_eq!(split(&answer).0, 200, "{host}");
    }
    for host in [
        "Host: evil.example\r\n",
        "Host: localhost.evil.example\r\n",
        "Host: 127.0.0.1.evil.example\r\n",
        "Host: localhost@evil.example\r\n",
        "Host: 10.0.0.1\r\n",
        "Host: \r\n",
        "Host: localhost\r\nHost: evil.example\r\n",
        "",
    ] {
        assert_eq!(
            split(&admin.raw(&get("/metrics", host)).await).0,
            421,
            "{host:?}"
        );
    }
    let absolute = get("http://evil.example/metrics", "Host: localhost\r\n");
    assert_eq!(split(&admin.raw(&absolute).await).0, 421);
}

#[tokio::test]
async fn is_ready_between_the_first_policy_and_the_drain() {
    let empty = Admin::start(false);
    assert_eq!(empty.ask("GET /livez", "").await.0, 200);
    assert_eq!(empty.ask("GET /startupz", "").await.0, 503);
    let (status, body) = empty.ask("GET /readyz?verbose", "").await;
    assert_eq!(status, 503);
    assert!(
        body.contains("[-] policy failed: none has been loaded yet"),
        "{body}"
    );

    let admin = Admin::start(true);
    assert_eq!(admin.ask("GET /readyz", "").await, (200, "ok\n".to_owned()));
    admin.plane.draining.store(true, Ordering::SeqCst);
    let (status, body) = admin.ask("GET /readyz?verbose", "").await;
    assert_eq!(status, 503);
    assert!(
        body.contains("[+] policy ok\n[-] accepting failed"),
        "{body}"
    );
    assert_eq!(admin.ask("GET /startupz", "").await.0, 200);
    assert!(
        admin
            .ask_with_token("GET /status")
            .await
            .1
            .contains("\"draining\"")
    );
}

#[tokio::test]
async fn reloads_and_tells_how_that_ended() {
    let admin = Admin::start(true);
    let (status, body) = admin.ask_with_token("POST /reload").await;
    assert_eq!(
        (status, body.contains("\"unchanged\"")),
        (200, true),
        "{body}"
    );

    write(
        admin.folder.path(),
        "policy.yaml",
        "policy: v1\nnonsense: true\n",
    );
    let (status, body) = admin.ask_with_token("POST /reload").await;
    assert_eq!((status, body.contains("nonsense")), (422, true), "{body}");
    let (status, body) = admin.ask("GET /readyz?verbose", "").await;
    assert_eq!(status, 200, "the last good policy serves");
    assert!(
        body.contains("[-] last-reload failed:") && body.contains("nonsense"),
        "{body}"
    );
    let (_, metrics) = admin.ask("GET /metrics", "").await;
    assert!(
        metrics.contains("\npostern_policy_reload_failed 1\n"),
        "{metrics}"
    );
    assert!(
        metrics.contains("\npostern_policy_reloads_total{outcome=\"refused\"} 1\n"),
        "{metrics}"
    );

    write(admin.folder.path(), "policy.yaml", &policy("two", HEADER));
    let (status, _) = admin.ask_with_token("POST /reload").await;
    assert_eq!(status, 200, "loaded now, or by the watch just before");
    let (_, body) = admin.ask_with_token("GET /status").await;
    let status: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(status["state"], "ready");
    assert_eq!(status["reload"]["ok"], 2);
    assert_eq!(status["reload"]["last_error"], serde_json::Value::Null);
    assert_eq!(status["in_flight"], 7);
    assert_eq!(status["listen"][0], "127.0.0.1:8080");
    assert!(status["loaded_at"].as_u64().unwrap() > 1_700_000_000);
    assert_eq!(status["revision"].as_str().unwrap().len(), 12);
}

#[test]
fn listens_on_loopback_only() {
    for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:9090", "10.0.0.1:0"] {
        let refused = bind(address, None);
        assert!(
            matches!(refused, Err(AdminError::NotLoopback { .. })),
            "{address}"
        );
    }
    assert!(matches!(
        bind("nonsense", None),
        Err(AdminError::Listen { .. })
    ));
    assert!(bind("127.0.0.1:0", None).is_ok() && bind("localhost:0", None).is_ok());
}

#[tokio::test]
async fn a_large_head_is_refused_and_a_crowd_waits() {
    let admin = Admin::start(true);
    let large = format!("X: {}\r\n", "x".repeat(20 << 10));
    assert_eq!(admin.ask("GET /livez", &large).await.0, 431);

    let mut crowd = Vec::new();
    for _ in 0..server::CONNECTIONS_MAX {
        let mut stream = admin.connect().await;
        stream
            .write_all(b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .await
            .unwrap();
        stream.read_u8().await.unwrap();
        crowd.push(stream);
    }
    let late = admin.ask("GET /livez", "");
    let mut late = std::pin::pin!(late);
    let waited = tokio::time::timeout(std::time::Duration::from_millis(100), &mut late).await;
    assert!(waited.is_err(), "one more than there is room for");
    crowd.pop();
    assert_eq!(late.await.0, 200);
}

#[tokio::test]
async fn stops_when_told() {
    let admin = Admin::start(true);
    let address = admin.thread.address();
    tokio::task::spawn_blocking(move || admin.thread.stop())
        .await
        .unwrap();
    assert!(TcpStream::connect(address).await.is_err());
}
