//! Headless Chromium, driven over WebDriver (W3C Recommendation, 5 June 2018): JSON over HTTP to `chromedriver`.
//!
//! Ten commands are all that is needed here, so they are written out; the crates that speak the protocol bring
//! `webdriver` under MPL-2.0, which `deny.toml` does not allow, or an HTTP client with a TLS stack of its own.

use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

use super::starter::not_here;
use crate::postern::Client;

/// How an element is called in answers (section 12.2).
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";
/// How long a page may take to become what it is waited for.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(50);
/// What lets it run as root, without a network beyond this machine.
const ARGUMENTS: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    // A page that scrolls smoothly to what is to be clicked may take longer than anybody waits.
    "--force-prefers-reduced-motion",
    "--window-size=1280,1000",
];

/// A running browser. It is ended when it is dropped.
pub(super) struct Browser {
    driver: Child,
    address: SocketAddr,
    session: String,
    process: Option<Pid>,
    _profile: TempDir,
}

impl Browser {
    /// Starts a browser that trusts the certificate with this key (the SHA-256 of it, in base64); none where it is
    /// not installed. With `--ignore-certificate-errors` it would bind no session.
    pub(super) async fn start(trusted: &str, features: &[&str]) -> Option<Self> {
        let Some((driver, address)) = driver().await else {
            not_here("chromedriver is not installed (Debian: chromium, chromium-driver)");
            return None;
        };
        let profile = tempfile::tempdir().unwrap();
        let mut arguments: Vec<String> = ARGUMENTS.map(ToOwned::to_owned).into();
        arguments.push(format!("--ignore-certificate-errors-spki-list={trusted}"));
        arguments.push(format!("--user-data-dir={}", profile.path().display()));
        arguments.push(format!("--enable-features={}", features.join(",")));
        let mut browser = Self {
            driver,
            address,
            session: String::new(),
            process: None,
            _profile: profile,
        };
        let wanted = json!({ "alwaysMatch": { "goog:chromeOptions": { "args": arguments } } });
        let made = browser
            .ask("POST", "/session", &json!({ "capabilities": wanted }))
            .await
            .unwrap();
        browser.session = format!("/session/{}", made["sessionId"].as_str().unwrap());
        let process = made["capabilities"]["goog:processID"].as_i64();
        browser.process = process.and_then(|id| Pid::from_raw(id.try_into().unwrap()));
        Some(browser)
    }

    /// Opens a page and waits until it is loaded.
    pub(super) async fn open(&self, url: &str) {
        self.tell("/url", &json!({ "url": url })).await;
    }

    /// Waits until there is an element that a CSS selector selects.
    pub(super) async fn wait_for(&self, css: &str) -> String {
        let waiting = async {
            loop {
                let query = json!({ "using": "css selector", "value": css });
                let path = format!("{}/element", self.session);
                if let Ok(found) = self.ask("POST", &path, &query).await {
                    return found[ELEMENT].as_str().unwrap().to_owned();
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(element) => element,
            Err(_) => panic!("no `{css}` on {}", self.page().await),
        }
    }

    /// Waits until the page says this, and gives its source.
    pub(super) async fn wait_for_text(&self, text: &str) -> String {
        let waiting = async {
            loop {
                let source = self.source().await;
                if source.contains(text) {
                    return source;
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        match tokio::time::timeout(PATIENCE, waiting).await {
            Ok(source) => source,
            Err(_) => panic!("no `{text}` on {}", self.page().await),
        }
    }

    /// Types into a field, or chooses a file for one.
    pub(super) async fn type_into(&self, css: &str, text: &str) {
        self.act(css, "value", &json!({ "text": text })).await;
    }

    /// Clicks on an element.
    pub(super) async fn click(&self, css: &str) {
        self.act(css, "click", &json!({})).await;
    }

    /// Does something with an element as soon as it can be done: one that a page is still moving cannot be used.
    async fn act(&self, css: &str, what: &str, with: &Value) {
        let acting = async {
            loop {
                let element = self.wait_for(css).await;
                let path = format!("{}/element/{element}/{what}", self.session);
                if self.ask("POST", &path, with).await.is_ok() {
                    return;
                }
                tokio::time::sleep(PAUSE).await;
            }
        };
        if tokio::time::timeout(PATIENCE, acting).await.is_err() {
            panic!("`{css}` takes no {what} on {}", self.page().await);
        }
    }

    /// Runs a script of the page that calls `done` with what it has found.
    pub(super) async fn run(&self, script: &str) -> Value {
        let script = format!("const done = arguments[0]; {script}");
        self.tell("/execute/async", &json!({ "script": script, "args": [] }))
            .await
    }

    /// The cookies of the page's site, those that scripts cannot read included.
    pub(super) async fn cookies(&self) -> Vec<(String, String)> {
        let path = format!("{}/cookie", self.session);
        let cookies = self.ask("GET", &path, &Value::Null).await.unwrap();
        let text = |cookie: &Value, key: &str| cookie[key].as_str().unwrap().to_owned();
        let cookies = cookies.as_array().unwrap().iter();
        cookies
            .map(|cookie| (text(cookie, "name"), text(cookie, "value")))
            .collect()
    }

    /// Waits until there is a cookie of this name.
    pub(super) async fn wait_for_cookie(&self, name: &str) {
        let waiting = async {
            while !self.cookies().await.iter().any(|(known, _)| known == name) {
                tokio::time::sleep(PAUSE).await;
            }
        };
        let waited = tokio::time::timeout(PATIENCE, waiting).await;
        assert!(waited.is_ok(), "no cookie `{name}`");
    }

    /// Takes a cookie away.
    pub(super) async fn forget(&self, cookie: &str) {
        let path = format!("{}/cookie/{cookie}", self.session);
        self.ask("DELETE", &path, &Value::Null).await.unwrap();
    }

    /// Keeps a picture of the page.
    pub(super) async fn picture(&self, path: &Path) {
        let asked = format!("{}/screenshot", self.session);
        let picture = self.ask("GET", &asked, &Value::Null).await.unwrap();
        let picture = STANDARD.decode(picture.as_str().unwrap()).unwrap();
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, picture).unwrap();
    }

    async fn source(&self) -> String {
        let path = format!("{}/source", self.session);
        // Between two pages there is none.
        let source = self
            .ask("GET", &path, &Value::Null)
            .await
            .unwrap_or_default();
        source.as_str().unwrap_or_default().to_owned()
    }

    async fn page(&self) -> String {
        let path = format!("{}/url", self.session);
        let url = self
            .ask("GET", &path, &Value::Null)
            .await
            .unwrap_or_default();
        let source: String = self.source().await.chars().take(600).collect();
        format!("{url}: {source}")
    }

    async fn tell(&self, path: &str, body: &Value) -> Value {
        let asked = format!("{}{path}", self.session);
        let answer = self.ask("POST", &asked, body).await;
        answer.unwrap_or_else(|error| panic!("{path}: {error}"))
    }

    async fn ask(&self, method: &str, path: &str, body: &Value) -> Result<Value, Value> {
        let body = match body.is_null() {
            true => String::new(),
            false => body.to_string(),
        };
        let mut client = Client::connect(self.address).await;
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        client.write(request.as_bytes()).await;
        let reply = client
            .reply(false)
            .await
            .expect("an answer of chromedriver");
        let mut answer: Value = serde_json::from_slice(&reply.body).unwrap();
        let value = answer["value"].take();
        match reply.status {
            200 => Ok(value),
            _ => Err(value),
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if let Some(process) = self.process {
            let _ended = kill_process(process, Signal::KILL);
        }
        let _ended = self.driver.start_kill();
    }
}

/// A driver on a port of its own choice.
async fn driver() -> Option<(Child, SocketAddr)> {
    let started = Command::new("chromedriver")
        .arg("--port=0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true)
        .spawn();
    let mut driver = started.ok()?;
    let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines();
    while let Some(line) = lines.next_line().await.unwrap() {
        if let Some((_, port)) = line.split_once("successfully on port ") {
            let port: u16 = port.trim_end_matches('.').parse().unwrap();
            return Some((driver, SocketAddr::from(([127, 0, 0, 1], port))));
        }
    }
    panic!("chromedriver ended at once");
}
