//! A Postern in the test's process, between a test and its origin: policy, keys and tokens.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header};
use postern_audit::{Disk, OnDamage};
use postern_config::Server;
use postern_proxy::clock::{Clock, SystemClock};
use postern_proxy::{Postern, Running, StartError, StartOptions, Telemetry, TelemetrySettings};
use serde_json::{Value, json};
use tempfile::TempDir;

mod wire;

pub(crate) use wire::{Client, Reply};

/// The identity section of every policy here.
pub(crate) const IDENTITY: &str = "identity: { from: jwt, issuer: https://idp.example, \
    audience: case-api, keys: \"file:jwks.json\", subject: $.sub, roles: \"$.groups[*]\", \
    without_a_role: deny }\n";

/// A policy with something to hide from `agent` and nothing from `boss`.
pub(crate) const POLICY: &str = "\
policy: v1
name: test
mode: enforce
IDENTITY
labels: { pii: Personal data, secret: Secrets }
routes:
  case:
    match: ['GET /cases/{id}', 'HEAD /cases/{id}', 'POST /cases/{id}']
    label: { '$..ssn': pii, '$..token': secret }
    query: [page]
  events:
    match: GET /events
    allow: [sse]
  receipt:
    match: GET /receipt
    label: { '$..ssn': pii, '$..token': secret }
    receipt: true
  note:
    match: [ANY /notes, 'GET /notes/{id}']
  closed:
    match: ANY /{path...}
    deny: true
roles:
  agent: { sees: { pii: redact } }
  boss: { sees: { pii: show, secret: show } }
";

/// A running Postern and the folder with its files.
pub(crate) struct Stage {
    pub(crate) running: Running,
    pub(crate) folder: TempDir,
}

/// What differs from the plain server file.
#[derive(Clone, Debug)]
pub(crate) struct Setting {
    /// The policy.
    pub(crate) policy: String,
    /// The value of `listen`.
    pub(crate) listen: String,
    /// The value of `limits`.
    pub(crate) limits: String,
    /// The value of `drain`.
    pub(crate) drain: String,
    /// Further keys of `upstream`.
    pub(crate) upstream: String,
    /// `http` or `https`.
    pub(crate) scheme: &'static str,
    /// Further files of the folder.
    pub(crate) files: Vec<(String, String)>,
    /// The value of `audit`; by default it is not there.
    pub(crate) audit: String,
    /// Where the log's files are, if not on the disk.
    pub(crate) audit_disk: Option<Arc<dyn Disk>>,
    /// What is exported, if anything is.
    pub(crate) telemetry: Option<Telemetry>,
    /// How long the upstream may take to answer.
    pub(crate) patience: &'static str,
    /// What time it is.
    pub(crate) clock: Arc<dyn Clock>,
    /// Further lines of the server file.
    pub(crate) lines: String,
}

impl Default for Setting {
    fn default() -> Self {
        Self {
            policy: POLICY.to_owned(),
            listen: "127.0.0.1:0".to_owned(),
            limits: "{}".to_owned(),
            drain: "10s".to_owned(),
            upstream: String::new(),
            scheme: "http",
            files: Vec::new(),
            audit: String::new(),
            audit_disk: None,
            telemetry: None,
            patience: "5s",
            clock: Arc::new(SystemClock),
            lines: String::new(),
        }
    }
}

/// Starts a Postern with a policy; `IDENTITY` in it stands for [`IDENTITY`].
pub(crate) async fn start(policy: &str, origin: SocketAddr) -> Stage {
    start_with(
        &Setting {
            policy: policy.to_owned(),
            ..Setting::default()
        },
        origin,
    )
    .await
}

/// Starts a Postern with other settings.
pub(crate) async fn start_with(setting: &Setting, origin: SocketAddr) -> Stage {
    start_there(tempfile::tempdir().unwrap(), setting, origin).await
}

/// Starts a Postern in a folder that another one has left.
pub(crate) async fn start_in(folder: TempDir, policy: &str, origin: SocketAddr) -> Stage {
    let setting = Setting {
        policy: policy.to_owned(),
        ..Setting::default()
    };
    start_there(folder, &setting, origin).await
}

/// Starts a Postern with other settings in a folder that another one has left.
pub(crate) async fn start_there(folder: TempDir, setting: &Setting, origin: SocketAddr) -> Stage {
    try_start_there(folder, setting, origin)
        .await
        .unwrap_or_else(|(error, _)| panic!("{}", error.report(false)))
}

/// The same; when it does not start, why, and the folder.
pub(crate) async fn try_start_there(
    folder: TempDir,
    setting: &Setting,
    origin: SocketAddr,
) -> Result<Stage, (StartError, TempDir)> {
    let write = |name: &str, text: &str| {
        std::fs::write(folder.path().join(name), text).unwrap();
    };
    write(
        "policy.yaml",
        &setting.policy.replace("IDENTITY\n", IDENTITY),
    );
    write("jwks.json", &key_file("jwks.json"));
    for (name, text) in &setting.files {
        write(name, text);
    }
    let Setting {
        listen,
        limits,
        drain,
        upstream,
        scheme,
        patience,
        lines,
        ..
    } = setting;
    let audit = match setting.audit.as_str() {
        "" => String::new(),
        audit => format!("audit: {audit}\n"),
    };
    let text = format!(
        "listen: {listen}\n\
         upstream: {{ url: \"{scheme}://localhost:{}\", connect_timeout: 5s, read_timeout: {patience}, \
         write_timeout: 5s{upstream} }}\n\
         policy: policy.yaml\nadmin: 127.0.0.1:0\nstate: state\nlimits: {limits}\ndrain: {drain}\n{audit}{lines}",
        origin.port()
    );
    let server = Server::parse("postern.yaml", &text)
        .unwrap_or_else(|errors| panic!("{}", errors.render(false)));
    let base = folder.path().to_owned();
    let clock = Arc::clone(&setting.clock);
    let options = StartOptions {
        server,
        base,
        clock,
        on_damage: OnDamage::Refuse,
        audit_disk: setting.audit_disk.clone(),
        telemetry: setting.telemetry.clone().unwrap_or_else(silence),
        inherited: None,
    };
    match Postern::start(options).await {
        Ok(running) => Ok(Stage { running, folder }),
        Err(error) => Err((error, folder)),
    }
}

/// Nothing is exported.
pub(crate) fn silence() -> Telemetry {
    Telemetry::new(TelemetrySettings::off(), Arc::new(SystemClock)).unwrap()
}

impl Stage {
    /// Where clients connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.running.data_address()
    }

    /// Every metric, as the admin listener tells them.
    pub(crate) async fn metrics(&self) -> String {
        let address = self.running.admin_address();
        let mut client = Client::connect(address).await;
        let request = format!("GET /metrics HTTP/1.1\r\nHost: {address}\r\n\r\n");
        client.write(request.as_bytes()).await;
        client.reply(false).await.unwrap().text()
    }

    /// The admin token.
    pub(crate) fn admin_token(&self) -> String {
        let path = self.folder.path().join("state/admin.token");
        std::fs::read_to_string(path).unwrap().trim().to_owned()
    }

    /// What the admin listener answers to a request with the token.
    pub(crate) async fn administer(&self, line: &str) -> String {
        let address = self.running.admin_address();
        let token = self.admin_token();
        let mut client = Client::connect(address).await;
        let request =
            format!("{line} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n");
        client.write(request.as_bytes()).await;
        client.reply(false).await.unwrap().text()
    }

    /// Waits until no exchange runs: one whose answer has been read gives its place back a moment later.
    pub(crate) async fn idle(&self) {
        let waiting = async {
            while !self
                .metrics()
                .await
                .contains("\npostern_exchanges_in_flight 0\n")
            {
                tokio::task::yield_now().await;
            }
        };
        let waited = tokio::time::timeout(Duration::from_secs(30), waiting);
        waited.await.expect("idle in time");
    }

    /// A GET by a role.
    pub(crate) async fn get(&self, target: &str, role: &str) -> Reply {
        self.send(&get(target, role)).await
    }

    /// Sends bytes and reads until the answer is complete or the connection ends.
    pub(crate) async fn send(&self, request: &str) -> Reply {
        let mut client = Client::connect(self.address()).await;
        client.write(request.as_bytes()).await;
        let head_only = request.starts_with("HEAD ");
        client.reply(head_only).await.expect("an answer")
    }
}

/// A GET request of a role.
pub(crate) fn get(target: &str, role: &str) -> String {
    request("GET", target, role, "", "")
}

/// A request of a role; `lines` end with CRLF each.
pub(crate) fn request(method: &str, target: &str, role: &str, lines: &str, body: &str) -> String {
    request_as(&token(role), method, target, (lines, body))
}

/// A request with a token; `lines` end with CRLF each.
pub(crate) fn request_as(
    token: &str,
    method: &str,
    target: &str,
    (lines, body): (&str, &str),
) -> String {
    format!(
        "{method} {target} HTTP/1.1\r\nHost: a.example\r\nAuthorization: Bearer {token}\r\n\
         {lines}\r\n{body}"
    )
}

/// A token of somebody in one group.
pub(crate) fn token(group: &str) -> String {
    token_of(&format!("user-{group}"), group, &json!({}))
}

/// A token of this subject in one group, with further claims.
pub(crate) fn token_of(subject: &str, group: &str, further: &Value) -> String {
    let key = EncodingKey::from_rsa_pem(key_file("rs256.pem").as_bytes()).unwrap();
    let mut header = Header::new(Algorithm::RS256);
    header.kid = Some("rs256".to_owned());
    let now = SystemClock
        .wall()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let mut claims = json!({
        "iss": "https://idp.example", "aud": "case-api", "sub": subject,
        "exp": now + 3600, "groups": [group],
    });
    let further = further.as_object().cloned().unwrap_or_default();
    claims.as_object_mut().unwrap().extend(further);
    jsonwebtoken::encode(&header, &claims, &key).unwrap()
}

/// A committed key.
pub(crate) fn key_file(name: &str) -> String {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/cases/keys/");
    std::fs::read_to_string(format!("{folder}{name}")).unwrap()
}
