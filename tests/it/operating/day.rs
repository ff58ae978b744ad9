//! One day of exchanges of every kind, and everything that operators were told about it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::canaries::{CANARIES, canary};
use crate::bypass::logs::Logs;
use crate::origin::{Answer, Origin};
use crate::postern::{Client, Stage, request_as, start, token, token_of};

const POLICY: &str = "\
policy: v1
name: operated
mode: enforce
IDENTITY
labels: { pii: Personal data, secret: Secrets, idle: Never there }
routes:
  case:
    match: ['GET /cases/{id}', 'HEAD /cases/{id}', 'POST /cases/{id}']
    label: { '$..ssn': pii, '$..token': secret, $.idle: idle }
    query: [page]
    case: id
  note:
    match: [ANY /notes, 'GET /notes/{id}']
  closed:
    match: ANY /{path...}
    deny: true
roles:
  agent: { sees: { pii: redact } }
  boss: { sees: { pii: show, secret: show, idle: show } }
  guest: { sees: { pii: remove } }
quotas:
  requests-a-day: { unit: requests, per: identity, window: 24h, limit: { guest: 1, '*': 1000 }, on_exceed: deny }
";

/// Whoever asks last, so that a tap knows the end.
const LAST: &str = "the-last-one";

/// Everything that operators were told.
pub(super) struct Told {
    /// Where it was told, and what.
    pub(super) sources: Vec<(String, Vec<u8>)>,
    /// The metrics, as text.
    pub(super) metrics: String,
    tokens: Vec<String>,
}

impl Told {
    /// Everything that must not be in it.
    pub(super) fn hidden(&self) -> Vec<(&'static str, String)> {
        let canaries = CANARIES.map(|(place, text)| (place, text.to_owned()));
        let tokens = self.tokens.iter().map(|token| ("a token", token.clone()));
        canaries.into_iter().chain(tokens).collect()
    }
}

/// The day, which passes once.
pub(super) fn told() -> &'static Told {
    static TOLD: OnceLock<Told> = OnceLock::new();
    TOLD.get_or_init(|| {
        let logs = Logs::default();
        crate::heard::by_some_threads();
        let dispatch = logs.dispatch();
        let _here = tracing::dispatcher::set_default(&dispatch);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .worker_threads(2)
            .on_thread_start(move || {
                // The guard would restore the default on drop; the thread belongs to this runtime alone.
                std::mem::forget(tracing::dispatcher::set_default(&dispatch));
            })
            .build()
            .unwrap();
        let mut told = runtime.block_on(day());
        told.sources.push(("log".to_owned(), logs.bytes()));
        told
    })
}

async fn day() -> Told {
    let origin = Origin::answering(|asked| answer(&String::from_utf8_lossy(asked))).await;
    let stage = start(POLICY, origin.address()).await;
    let tapped = tap(&stage).await;
    let askers = Askers::new();
    let asked = askers.requests().into_iter().chain(askers.strangers());
    for (request, status) in asked {
        let mut client = Client::connect(stage.address()).await;
        client.write(request.as_bytes()).await;
        let reply = client.reply(request.starts_with("HEAD ")).await.unwrap();
        assert_eq!(reply.status, status, "{request}{}", reply.text());
    }
    stage.idle().await;
    let last = request_as(
        &token_of(LAST, "boss", &json!({})),
        "GET",
        "/notes",
        ("", ""),
    );
    stage.send(&last).await;
    let mut sources = vec![("tap".to_owned(), tapped.until_last().await)];
    for (name, line) in [
        ("top", "GET /top"),
        ("status", "GET /status"),
        ("quotas", "GET /quotas"),
        ("readiness", "GET /readyz?verbose"),
    ] {
        sources.push((name.to_owned(), stage.administer(line).await.into_bytes()));
    }
    let metrics = stage.metrics().await;
    sources.push(("metrics".to_owned(), metrics.clone().into_bytes()));
    let mut tokens = askers.secret_parts();
    tokens.push(stage.admin_token());
    let Stage { running, folder } = stage;
    running.shutdown().await;
    files(&folder.path().join("state"), &mut sources);
    Told {
        sources,
        metrics,
        tokens,
    }
}

/// Who asks: one token for each role, so that it is known which were shown, and the same fields always.
struct Askers {
    tokens: BTreeMap<&'static str, String>,
    fields: String,
}

impl Askers {
    fn new() -> Self {
        let roles = ["agent", "boss", "guest", "nobody"];
        Self {
            tokens: roles.map(|role| (role, token(role))).into(),
            fields: format!(
                "X-Note: {}\r\nCookie: s={}\r\nUser-Agent: {}\r\nX-Forwarded-For: {}\r\n",
                canary("a header"),
                canary("a cookie"),
                canary("a user agent"),
                canary("a forwarded address"),
            ),
        }
    }

    /// Claims and signatures: the head of a token is the same for everybody.
    fn secret_parts(&self) -> Vec<String> {
        let parts = self
            .tokens
            .values()
            .flat_map(|token| token.split('.').skip(1));
        parts.map(str::to_owned).collect()
    }

    fn ask(&self, role: &str, method: &str, target: &str) -> String {
        request_as(&self.tokens[role], method, target, (&self.fields, ""))
    }

    fn post(&self, role: &str, target: &str, (kind, body): (&str, &str)) -> String {
        let lines = format!(
            "{}Content-Type: {kind}\r\nContent-Length: {}\r\n",
            self.fields,
            body.len()
        );
        request_as(&self.tokens[role], "POST", target, (&lines, body))
    }

    /// What is asked, and the status that each is answered with.
    fn requests(&self) -> Vec<(String, u16)> {
        let path = canary("a path");
        let case = format!("/cases/{path}?page={}", canary("a query"));
        let json = format!(r#"{{"note":"{}"}}"#, canary("a JSON body"));
        let hidden = format!(r#"{{"ssn":"{}"}}"#, canary("a JSON body"));
        let form = format!("a={}", canary("a form"));
        let form = ("application/x-www-form-urlencoded", form.as_str());
        vec![
            (self.ask("agent", "GET", &case), 200),
            (self.ask("boss", "GET", &case), 200),
            (self.ask("agent", "HEAD", &case), 200),
            (self.post("boss", &case, ("application/json", &json)), 200),
            (
                self.post("agent", &case, ("application/json", &hidden)),
                403,
            ),
            (self.post("agent", "/notes", form), 200),
            (self.ask("agent", "GET", &format!("/nowhere/{path}")), 403),
            (self.ask("agent", "PUT", &case), 405),
            (self.ask("agent", "GET", &format!("/cases/1?q={path}")), 400),
            (self.ask("guest", "GET", &case), 200),
            (self.ask("guest", "GET", &case), 429),
            (self.ask("nobody", "GET", &case), 403),
            (self.ask("agent", "GET", "/cases/error"), 502),
            (self.ask("agent", "GET", "/cases/broken"), 502),
            (self.ask("agent", "GET", "/cases/head"), 502),
            (self.ask("agent", "GET", "/cases/cut"), 200),
        ]
    }

    /// Requests of nobody.
    fn strangers(&self) -> Vec<(String, u16)> {
        let case = format!("/cases/{}", canary("a path"));
        let (malformed, token) = (
            canary("a malformed request"),
            canary("a token that is none"),
        );
        let missing = format!("GET {case} HTTP/1.1\r\nHost: a\r\n{}\r\n", self.fields);
        let two_hosts =
            format!("GET /cases/{malformed} HTTP/1.1\r\nHost: a\r\nHost: {malformed}\r\n\r\n");
        vec![
            (request_as(token, "GET", &case, (&self.fields, "")), 401),
            (missing, 401),
            (two_hosts, 400),
        ]
    }
}

/// What the application answers.
fn answer(asked: &str) -> Answer {
    let broken = canary("a body that breaks off");
    let target = asked.split(' ').nth(1).unwrap_or_default();
    match target {
        "/cases/error" => {
            let text = canary("an upstream's error");
            let length = text.len();
            Answer::raw(format!(
                "HTTP/1.1 500 {text}\r\nContent-Type: text/plain\r\nContent-Length: {length}\r\n\r\n{text}"
            ))
        }
        "/cases/broken" => Answer::json(&format!(r#"{{"ssn":"{broken}","#)),
        "/cases/head" => {
            let text = canary("an upstream's malformed head");
            Answer::raw(format!("HTTP/1.1 200 OK\r\nX: a\r\n {text}\r\n\r\n")).then_close()
        }
        "/cases/cut" => {
            let filler = format!(r#"{{"a":["{broken}",{}"#, "\"filler\",".repeat(20_000));
            Answer::chunked(&[&filler, &format!(r#""ssn":{broken}"#)])
        }
        _ => {
            let body = format!(
                r#"{{"id":1,"name":"{}","ssn":"{}","token":"{}","{}":1}}"#,
                canary("a shown value"),
                canary("a hidden value"),
                canary("a session token"),
                canary("a member's name"),
            );
            let (session, header) = (canary("a session token"), canary("an upstream's header"));
            Answer::raw(format!(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\
                 Set-Cookie: LEGACYSID={session}\r\nX-Upstream: {header}\r\n\r\n{}",
                body.len(),
                if asked.starts_with("HEAD ") {
                    ""
                } else {
                    &body
                },
            ))
        }
    }
}

/// What a tap has told so far.
struct Tapped(Arc<Mutex<Vec<u8>>>);

/// Opens a tap that is read as it tells.
async fn tap(stage: &Stage) -> Tapped {
    let address = stage.running.admin_address();
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = format!(
        "GET /tap HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\r\n",
        stage.admin_token()
    );
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = vec![0; 12];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head, b"HTTP/1.1 200");
    let told = Arc::new(Mutex::new(head));
    let kept = Arc::clone(&told);
    tokio::spawn(async move {
        let mut piece = [0; 4096];
        while let Ok(length @ 1..) = stream.read(&mut piece).await {
            kept.lock().unwrap().extend_from_slice(&piece[..length]);
        }
    });
    Tapped(told)
}

impl Tapped {
    /// Everything up to the decision about the last one.
    async fn until_last(self) -> Vec<u8> {
        let waiting = async {
            loop {
                let told = self.0.lock().unwrap().clone();
                if super::canaries::is_in(&told, LAST) {
                    return told;
                }
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(30), waiting);
        waited.await.expect("the tap tells of the last one")
    }
}

/// Every file below a folder but the admin token's own.
fn files(folder: &Path, sources: &mut Vec<(String, Vec<u8>)>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files(&path, sources);
        } else if !path.ends_with("admin.token") {
            let bytes = std::fs::read(&path).unwrap();
            sources.push((path.display().to_string(), bytes));
        }
    }
}
