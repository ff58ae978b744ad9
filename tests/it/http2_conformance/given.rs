//! What every case starts from: a Postern with TLS in front of an origin, and the requests that it serves.

use tokio::net::TcpStream;
use tokio_rustls::client::TlsStream;

use crate::bypass::h2::{block, frames};
use crate::origin::{Answer, Origin};
use crate::postern::{POLICY, Stage, token};
use crate::secure::{Authority, TLS, connect, tls_stage};

use super::connection::Connection;

/// What a case of the origin holds; the policy hides its number.
const CASE: &str = r#"{"id":1,"ssn":"912-04-7731","text":"something to read"}"#;
/// What no client may see.
pub(super) const CANARY: &str = "912-04-7731";

/// A running Postern and its origin.
pub(super) struct Given {
    authority: Authority,
    stage: Stage,
    token: String,
    // Serves until it is dropped.
    _origin: Origin,
}

impl Given {
    /// Starts both.
    pub(super) async fn start() -> Self {
        let authority = Authority::new();
        let (origin, stage) = tls_stage(&authority, TLS, POLICY, Answer::json(CASE)).await;
        Self {
            authority,
            stage,
            token: format!("Bearer {}", token("agent")),
            _origin: origin,
        }
    }

    /// A connection that has agreed on HTTP/2 and said nothing yet.
    pub(super) async fn connect(&self) -> Result<TlsStream<TcpStream>, String> {
        let client = self.authority.client(b"h2", None);
        let connected = connect(&self.stage, client).await;
        connected.map_err(|error| format!("no connection: {error}"))
    }

    /// The fields of a request that is served.
    pub(super) fn fields(&self, method: &str) -> Fields {
        Fields::default()
            .with(":method", method)
            .with(":scheme", "https")
            .with(":path", "/cases/1")
            .with(":authority", "a.example")
            .with("authorization", &self.token)
    }

    /// The header block of a GET.
    pub(super) fn get(&self) -> Vec<u8> {
        self.fields("GET").block()
    }

    /// The header block of a POST.
    pub(super) fn post(&self) -> Vec<u8> {
        let fields = self.fields("POST");
        fields.with("content-type", "application/json").block()
    }

    /// The HEADERS frame of a whole GET.
    pub(super) fn got(&self, stream: u32) -> Vec<u8> {
        frames::headers(stream, &self.get(), true)
    }

    /// The HEADERS frame of a POST whose body is still to come.
    pub(super) fn posted(&self, stream: u32) -> Vec<u8> {
        frames::headers(stream, &self.post(), false)
    }

    /// A fresh connection gets its answer.
    pub(super) async fn still_serves(&self) -> Result<(), String> {
        let mut connection = Connection::open(self).await?;
        connection.shake().await?;
        connection.send(&self.got(1)).await;
        connection.answer(1, Some("200")).await
    }
}

/// A list of fields, to be changed and encoded.
#[derive(Clone, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// The same with one more at the end.
    pub(super) fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The same with one more at the front.
    pub(super) fn led_by(mut self, name: &str, value: &str) -> Self {
        self.0.insert(0, (name.to_owned(), value.to_owned()));
        self
    }

    /// The same without those of a name.
    pub(super) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(own, _)| own != name);
        self
    }

    /// The same with another value of a name, where that name was.
    pub(super) fn changed(mut self, name: &str, value: &str) -> Self {
        for (own, old) in &mut self.0 {
            if own == name {
                value.clone_into(old);
            }
        }
        self
    }

    /// The header block, every field a literal.
    pub(super) fn block(&self) -> Vec<u8> {
        let pairs = self.0.iter();
        let pairs: Vec<_> = pairs.map(|(name, value)| (&**name, &**value)).collect();
        block(&pairs)
    }
}
