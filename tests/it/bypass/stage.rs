//! One running Postern with its own scripted upstream, and the ways to speak to it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use postern_audit::{Disk as _, OnDamage, SystemDisk};
use postern_config::Server;
use postern_proxy::clock::{Clock, SystemClock};
use postern_proxy::start::{Postern, Running, StartOptions};
use tempfile::TempDir;
use tokio::net::TcpStream;

use super::bodies;
use super::catalogue::cases;
use super::client::{self, Capture, Sending};
use super::messages::find;
use super::records::{self, Heard};
use super::tls::Tls;
use super::tokens::Tokens;
use super::upstream::{Script, Upstream};
use super::visitors::{self, Visitors};

/// What differs between stages.
#[derive(Clone, Default)]
pub(super) struct Setting {
    /// The policy file, without its extension.
    pub(super) policy: String,
    /// Listen with TLS, which is where HTTP/2 is spoken.
    pub(super) tls: bool,
    /// Further lines under `limits:`.
    pub(super) limits: String,
    /// The admin listener's address, when not loopback on a port of its own.
    pub(super) admin: Option<String>,
    /// Where quotas are kept, when not in the state folder.
    pub(super) store: Option<String>,
    /// What time it is, when not the system's.
    pub(super) clock: Option<Arc<dyn Clock>>,
}

/// A running Postern and its upstream.
pub(super) struct Stage {
    pub(super) upstream: Upstream,
    running: Option<Running>,
    pub(super) folder: TempDir,
    tls: Option<Tls>,
    asked: AtomicU64,
    heard: Mutex<Heard>,
    /// The policy file that it began with, without its extension.
    pub(super) policy: String,
    /// Who has logged in.
    pub(super) visitors: Visitors,
}

impl Setting {
    /// A stage of this policy, otherwise plain.
    pub(super) fn policy(name: &str) -> Self {
        Self {
            policy: name.to_owned(),
            ..Self::default()
        }
    }
}

impl Stage {
    /// Starts a stage that has to start.
    pub(super) async fn start(setting: &Setting) -> Self {
        match Self::try_start(setting).await {
            Ok(stage) => stage,
            Err(error) => panic!("policy {}: {error}", setting.policy),
        }
    }

    /// Starts a stage.
    pub(super) async fn try_start(setting: &Setting) -> Result<Self, String> {
        let upstream = Upstream::start().await;
        let folder = folder();
        let policies = cases()
            .join("policies")
            .join(format!("{}.yaml", setting.policy));
        std::fs::copy(policies, folder.path().join("policy.yaml")).expect("a policy file");
        std::fs::copy(
            cases().join("keys/jwks.json"),
            folder.path().join("jwks.json"),
        )
        .expect("keys");
        let tls = setting.tls.then(|| Tls::write(folder.path()));
        std::fs::write(folder.path().join("session.secret"), [b'k'; 32]).expect("a key");
        let base = folder.path().to_owned();
        let text = server_file(setting, upstream.address());
        let running = run_at(clock_of(setting), &text, base).await?;
        let asked = AtomicU64::new(1_000_001);
        Ok(Self {
            upstream,
            running: Some(running),
            folder,
            tls,
            asked,
            heard: Mutex::default(),
            policy: setting.policy.clone(),
            visitors: Visitors::default(),
        })
    }

    /// Cuts Postern off without a word, as a crash would, and starts another one in its folder.
    pub(super) async fn crash(self, setting: &Setting) -> Self {
        let again = self.changed(setting, |_log| {}).await;
        again.unwrap_or_else(|error| panic!("it does not start again: {error}"))
    }

    /// The same, with a change to the folder of the audit log while nobody has it open.
    ///
    /// # Errors
    /// Why it does not start again.
    pub(super) async fn changed(
        mut self,
        setting: &Setting,
        change: impl FnOnce(&Path),
    ) -> Result<Self, String> {
        let log = records::folder(self.folder.path());
        drop(self.running.take());
        released(&log).await;
        change(&log);
        self.resumed(setting).await
    }

    /// Stops Postern as an upgrade does and starts another one in its folder.
    pub(super) async fn restart(mut self, setting: &Setting) -> Self {
        if let Some(running) = self.running.take() {
            running.shutdown().await;
        }
        let again = self.resumed(setting).await;
        again.unwrap_or_else(|error| panic!("it does not start again: {error}"))
    }

    /// Stops Postern as it should be stopped, and says what became of its exchanges: how many there were,
    /// each of them on record once (I4).
    pub(super) async fn stopped(&mut self) -> Result<usize, String> {
        if let Some(running) = self.running.take() {
            running.shutdown().await;
        }
        let heard = self.heard.lock().expect("heard");
        records::each_ended_once(&records::folder(self.folder.path()), &heard)
    }

    async fn resumed(mut self, setting: &Setting) -> Result<Self, String> {
        let address = self.upstream.address();
        self.running = Some(run_again(setting, address, self.folder.path()).await?);
        Ok(self)
    }

    /// Takes note of what a client was told.
    pub(super) fn heard(&self, bytes: &[u8]) {
        self.heard.lock().expect("heard").note(bytes);
    }

    /// Postern itself.
    pub(super) fn running(&self) -> &Running {
        self.running.as_ref().expect("it runs")
    }

    /// The data listener.
    pub(super) fn address(&self) -> SocketAddr {
        self.running().data_address()
    }

    /// What `{{HOST}}` stands for.
    pub(super) fn host(&self) -> String {
        self.address().to_string()
    }

    /// Sends a request over HTTP/1.1 to the data listener, or to the admin listener.
    pub(super) async fn send(&self, sending: &Sending, admin: bool) -> Capture {
        if admin {
            return client::exchange(self.running().admin_address(), sending).await;
        }
        let capture = match &self.tls {
            None => client::exchange(self.address(), sending).await,
            Some(tls) => {
                client::converse(tls.connect(self.address(), b"http/1.1").await, sending).await
            }
        };
        self.heard(&capture.bytes);
        capture
    }

    /// A connection that speaks HTTP/2.
    pub(super) async fn connect_h2(&self) -> tokio_rustls::client::TlsStream<TcpStream> {
        let tls = self.tls.as_ref().expect("a stage with TLS");
        tls.connect(self.address(), b"h2").await
    }

    /// I5 and I6: the process lives, and a plain good request is answered on a new connection.
    pub(super) async fn still_serves(&self, tokens: &Tokens) -> Result<(), String> {
        let mark = self.asked.fetch_add(1, Ordering::Relaxed);
        let body = format!(r#"{{"id":{mark},"ssn":"x","items":[{{"id":1}}]}}"#);
        let cookie = visitors::cookie_of_a_good_request(self, tokens).await?;
        self.upstream.play(Script {
            bytes: bodies::json(&body),
            ..Script::default()
        });
        let mut sending = self.good_request(tokens);
        let end = sending.bytes.len() - 2;
        sending.bytes.splice(end..end, cookie.into_bytes());
        let capture = self.send(&sending, false).await;
        // The mark tells this answer from one that was meant for an earlier request.
        let ours = find(&capture.bytes, format!("\"id\":{mark}").as_bytes()).is_some();
        if ours && capture.bytes.starts_with(b"HTTP/1.1 200 ") {
            return Ok(());
        }
        let start = String::from_utf8_lossy(&capture.bytes).into_owned();
        let line = start.lines().next().unwrap_or("nothing").to_owned();
        Err(format!("I6: a good request afterwards got: {line}"))
    }

    /// A plain good request.
    pub(super) fn good_request(&self, tokens: &Tokens) -> Sending {
        let (host, token) = (self.host(), tokens.good("agent"));
        let head = format!(
            "GET /api/cases/1 HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        );
        let bytes = format!("{head}Accept: application/json\r\n\r\n").into_bytes();
        Sending {
            bytes,
            ..Sending::default()
        }
    }

    /// Replaces the policy file and asks for a reload; the admin listener's answer.
    pub(super) async fn reload(&self, policy: &str) -> Capture {
        std::fs::write(self.folder.path().join("policy.yaml"), policy).expect("a file");
        self.administer("POST /reload").await
    }

    /// Asks the admin listener for something, with its token.
    pub(super) async fn administer(&self, line: &str) -> Capture {
        let host = self.running().admin_address();
        let token =
            std::fs::read_to_string(self.folder.path().join("state/admin.token")).expect("a token");
        let head = format!(
            "{line} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {}\r\n",
            token.trim()
        );
        let bytes = format!("{head}Content-Length: 0\r\nConnection: close\r\n\r\n").into_bytes();
        self.send(
            &Sending {
                bytes,
                expects_close: true,
                ..Sending::default()
            },
            true,
        )
        .await
    }

    /// Everything the metrics say.
    pub(super) async fn metrics(&self) -> Vec<u8> {
        let host = self.running().admin_address();
        let bytes = format!("GET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")
            .into_bytes();
        self.send(
            &Sending {
                bytes,
                expects_close: true,
                ..Sending::default()
            },
            true,
        )
        .await
        .bytes
    }
}

/// A folder in memory where the system has one: a busy disk may take longer to make a charge durable than
/// Postern waits for it, and answers of 503 say nothing of an entry.
fn folder() -> TempDir {
    TempDir::new_in("/dev/shm")
        .or_else(|_absent| TempDir::new())
        .expect("a folder")
}

/// Starts Postern in this process from a server file's text.
pub(super) async fn run(text: &str, base: PathBuf) -> Result<Running, String> {
    run_at(Arc::new(SystemClock), text, base).await
}

fn clock_of(setting: &Setting) -> Arc<dyn Clock> {
    let system = || Arc::new(SystemClock) as Arc<dyn Clock>;
    setting.clock.clone().unwrap_or_else(system)
}

/// Starts Postern where another one ended. What that one held open is closed a moment later.
async fn run_again(
    setting: &Setting,
    upstream: SocketAddr,
    folder: &Path,
) -> Result<Running, String> {
    let text = server_file(setting, upstream);
    let mut last = String::new();
    for _ in 0..500 {
        match run_at(clock_of(setting), &text, folder.to_owned()).await {
            Ok(running) => return Ok(running),
            Err(error) => last = error,
        }
        if !last.contains("in use") {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    Err(last)
}

/// Waits until nobody has a log open.
async fn released(log: &Path) {
    let disk = SystemDisk::new(log.to_owned());
    for _ in 0..500 {
        match disk.lock(".state/lock") {
            Ok(_held) => return,
            Err(_held) => tokio::time::sleep(Duration::from_millis(10)).await,
        }
    }
    panic!("the audit log is never let go");
}

async fn run_at(clock: Arc<dyn Clock>, text: &str, base: PathBuf) -> Result<Running, String> {
    let server = Server::parse("postern.yaml", text).map_err(|errors| errors.render(false))?;
    let options = StartOptions {
        server,
        base,
        clock,
        on_damage: OnDamage::Refuse,
        audit_disk: None,
        telemetry: crate::postern::silence(),
        inherited: None,
    };
    Postern::start(options)
        .await
        .map_err(|error| error.report(false))
}

/// The server file of a stage. Time-outs are short, so that a stalled peer ends a case and not the
/// suite; the catalogue's own waits are scaled by the same factor.
pub(super) fn server_file(setting: &Setting, upstream: SocketAddr) -> String {
    let tls = if setting.tls {
        ", tls: { cert: \"file:cert.pem\", key: \"file:key.pem\" }"
    } else {
        ""
    };
    let admin = setting.admin.as_deref().unwrap_or("127.0.0.1:0");
    let limits = &setting.limits;
    let store = setting.store.as_ref();
    let store = store.map_or_else(String::new, |url| {
        let key = "keys: { sessions: [{ id: s1, secret: \"file:session.secret\" }] }";
        format!("store: \"{url}\"\n{key}\n")
    });
    format!(
        "listen: {{ address: \"127.0.0.1:0\", hosts: [\"127.0.0.1\"]{tls} }}\n\
         upstream: {{ url: \"http://{upstream}\", connect_timeout: 2s, read_timeout: 4s, write_timeout: 4s }}\n\
         policy: policy.yaml\n\
         admin: \"{admin}\"\n\
         state: state\n\
         {store}limits:\n  header_seconds: 2\n{limits}\
         drain: 2s\n"
    )
}
