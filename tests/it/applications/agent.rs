//! A program that works as an agent: a client with a cookie jar, which sends what a browser sends.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsConnector;

use super::forms::Form;
use super::messages::{Message, answers};
use super::relay::connect;
use super::secrets::cookie;

/// A browser's name.
pub(super) const CHROME: &str = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
/// The name of another browser on another system.
pub(super) const SAFARI: &str = "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15";

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A client of one site.
#[derive(Clone)]
pub(super) struct Agent {
    /// The address it comes from.
    pub(super) from: IpAddr,
    /// What it says it is.
    pub(super) user_agent: String,
    /// The languages that it asks for.
    pub(super) language: String,
    /// Its cookies.
    pub(super) jar: BTreeMap<String, String>,
    /// Fields of every request of its own.
    pub(super) fields: Vec<(String, String)>,
    site: SocketAddr,
    tls: Option<Arc<ClientConfig>>,
}

impl Agent {
    /// A client without cookies; without TLS it speaks to the application itself.
    pub(super) fn new(site: SocketAddr, tls: Option<Arc<ClientConfig>>) -> Self {
        Self {
            from: Ipv4Addr::LOCALHOST.into(),
            user_agent: CHROME.to_owned(),
            language: "en-US,en;q=0.9".to_owned(),
            jar: BTreeMap::new(),
            fields: Vec::new(),
            site,
            tls,
        }
    }

    /// The origin of the site.
    pub(super) fn origin(&self) -> String {
        match self.tls {
            Some(_) => format!("https://localhost:{}", self.site.port()),
            None => format!("http://{}", self.site),
        }
    }

    /// Opens a page.
    pub(super) async fn get(&mut self, target: &str) -> Message {
        let fields =
            "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nSec-Fetch-User: ?1\r\n";
        self.send(("GET", target), fields, &[]).await
    }

    /// Asks as a script of a page does.
    pub(super) async fn fetch(&mut self, target: &str) -> Message {
        let fields = "Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n";
        self.send(("GET", target), fields, &[]).await
    }

    /// Opens a page and every page that it leads to.
    pub(super) async fn open(&mut self, target: &str) -> Message {
        let answer = self.get(target).await;
        self.follow(answer).await
    }

    /// Sends a form of the page at `from`, and opens what it leads to.
    pub(super) async fn submit(&mut self, from: &str, form: &Form) -> Message {
        let answer = self.post(from, form).await;
        self.follow(answer).await
    }

    /// Sends a form of the page at `from`.
    pub(super) async fn post(&mut self, from: &str, form: &Form) -> Message {
        let target = match form.action.as_str() {
            "" => from.to_owned(),
            action => self.path_of(action),
        };
        let (kind, body) = form.encoded();
        let origin = self.origin();
        let fields = format!(
            "Origin: {origin}\r\nReferer: {origin}{from}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
             Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\nSec-Fetch-User: ?1\r\n",
            body.len()
        );
        self.send(("POST", &target), &fields, &body).await
    }

    /// Sends JSON, as a script of a page does.
    pub(super) async fn post_json(&mut self, target: &str, json: &str) -> Message {
        let fields = format!(
            "Origin: {}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nPostern-Request: 1\r\n\
             Sec-Fetch-Mode: cors\r\nSec-Fetch-Dest: empty\r\n",
            self.origin(),
            json.len()
        );
        self.send(("POST", target), &fields, json.as_bytes()).await
    }

    async fn follow(&mut self, mut answer: Message) -> Message {
        for _ in 0..5 {
            let location = answer.field("location").to_owned();
            if !(300..400).contains(&answer.status()) || location.is_empty() {
                return answer;
            }
            let target = self.path_of(&location);
            answer = self.get(&target).await;
        }
        panic!("redirected in circles");
    }

    /// The path of an address of this site, from its root.
    fn path_of(&self, address: &str) -> String {
        let origin = self.origin();
        let path = address.strip_prefix(&origin).unwrap_or(address);
        assert!(!path.contains("://"), "led to another site: {address}");
        format!("/{}", path.trim_start_matches('/'))
    }

    async fn send(&mut self, (method, target): (&str, &str), fields: &str, body: &[u8]) -> Message {
        let origin = self.origin();
        let (_, host) = origin.split_once("://").unwrap();
        let mut head = format!(
            "{method} {target} HTTP/1.1\r\nHost: {host}\r\nUser-Agent: {}\r\nAccept: */*\r\n\
             Accept-Language: {}\r\nAccept-Encoding: gzip\r\nSec-Fetch-Site: same-origin\r\n{fields}",
            self.user_agent, self.language
        );
        for (name, value) in &self.fields {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let cookies: Vec<String> = self
            .jar
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        if !cookies.is_empty() {
            head.push_str(&format!("Cookie: {}\r\n", cookies.join("; ")));
        }
        head.push_str("Connection: close\r\n\r\n");
        let request = [head.as_bytes(), body].concat();
        let asking = tokio::time::timeout(PATIENCE, self.exchange(&request));
        let said = asking.await.expect("an answer in time").unwrap();
        let final_answer = answers(&said)
            .into_iter()
            .find(|answer| answer.status() >= 200);
        let answer = final_answer.unwrap_or_else(|| panic!("{method} {target}: no answer"));
        for field in answer.all("set-cookie") {
            self.keep(field);
        }
        answer
    }

    fn keep(&mut self, field: &str) {
        let Some((name, value)) = cookie(field) else {
            return;
        };
        let attributes = field.to_ascii_lowercase();
        let is_gone = value.is_empty() || value == "None" || attributes.contains("max-age=0");
        match is_gone {
            true => self.jar.remove(name),
            false => self.jar.insert(name.to_owned(), value.to_owned()),
        };
    }

    async fn exchange(&self, request: &[u8]) -> std::io::Result<Vec<u8>> {
        let stream = connect(self.from, self.site).await?;
        match &self.tls {
            None => say(stream, request).await,
            Some(config) => {
                let name = ServerName::try_from("localhost").unwrap();
                let connector = TlsConnector::from(Arc::clone(config));
                say(connector.connect(name, stream).await?, request).await
            }
        }
    }
}

async fn say(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    request: &[u8],
) -> std::io::Result<Vec<u8>> {
    stream.write_all(request).await?;
    stream.flush().await?;
    let mut said = Vec::new();
    // Without a TLS close the end is an error; what was said counts.
    while let Ok(1..) = stream.read_buf(&mut said).await {}
    Ok(said)
}
