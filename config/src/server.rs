//! The server file `postern.yaml`: where Postern listens, what is behind it, and every limit.
//!
//! Guarantees: every limit is within a sane range and none is off; secrets are references; what this
//! build cannot do is refused by name. It opens nothing: whether a port is free or a file is there is
//! found out by whoever starts.

mod addresses;
mod anchors;
mod audit;
mod file;
mod resolve;
mod stores;

use std::path::PathBuf;
use std::time::Duration;

use crate::policy::error::PolicyErrors;
use crate::secret::Reference;

/// Keys that only a server file has.
pub(crate) const OF_SERVER_FILES: &[&str] = &["listen", "upstream"];

/// A valid server file.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Server {
    /// Where clients connect.
    pub listen: Listen,
    /// The legacy application.
    pub upstream: Upstream,
    /// The policy file's path; a relative one is relative to the server file.
    pub policy: String,
    /// The public keys of those who sign policies, as a C2SP signed note names keys; empty where none has to be
    /// signed. Only their form has been checked.
    pub policy_signers: Vec<String>,
    /// Where the admin listener is (`host:port`); loopback only in this build.
    pub admin: String,
    /// The state folder (admin token, the embedded store, the audit log).
    pub state: String,
    /// Where quotas are kept.
    pub store: StoreAddress,
    /// The audit log; none when the operator has turned it off.
    pub audit: Option<AuditLog>,
    /// Every limit.
    pub limits: Limits,
    /// How long running exchanges may take to finish after SIGTERM.
    pub drain: Duration,
    /// Keys for pseudonyms, newest first.
    pub pseudonym_keys: Vec<KeyRef>,
    /// Keys of sessions, newest first; empty where one is made in the state folder.
    pub session_keys: Vec<KeyRef>,
}

/// Where clients connect, and with what TLS.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Listen {
    /// `host:port`, or `unix:PATH`.
    pub address: String,
    /// TLS, when given.
    pub tls: Option<ListenTls>,
    /// The hosts that are served (`HOST` or `HOST:PORT`); empty: whatever host a request names.
    pub hosts: Vec<String>,
}

/// The TLS side of the data listener: TLS 1.3 only.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ListenTls {
    /// The certificate chain, PEM.
    pub cert: Reference,
    /// The private key, PEM.
    pub key: Reference,
    /// The CA whose client certificates are asked for and required (mutual TLS), PEM.
    pub client_ca: Option<Reference>,
}

/// The legacy application behind Postern.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Upstream {
    /// `http://host:port` or `https://host:port`, without a path.
    pub url: String,
    /// The CA that signs the upstream's certificate, PEM; by default the system's.
    pub ca: Option<Reference>,
    /// The value of the `Authorization` header that Postern itself presents.
    pub credential: Option<Reference>,
    /// Time to connect, TLS included.
    pub connect_timeout: Duration,
    /// Time between two reads.
    pub read_timeout: Duration,
    /// Time between two writes.
    pub write_timeout: Duration,
    /// Idle connections kept.
    pub pool: usize,
}

/// Where quotas are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoreAddress {
    /// One file, for one process; a relative path is relative to the server file.
    Embedded(PathBuf),
    /// A server that several replicas share.
    Shared(SharedStore),
}

/// A Valkey or Redis server.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SharedStore {
    /// `redis://HOST:PORT/DATABASE`, with TLS `rediss://`, whichever of the schemes was written; it
    /// holds no user and no password.
    pub url: String,
    /// The host, an IPv6 address without brackets.
    pub host: String,
    /// The port.
    pub port: u16,
    /// The database's number.
    pub database: u32,
    /// Whether the connection is encrypted and the server's certificate checked.
    pub tls: bool,
    /// Whom to sign in as; without a name the server's default user.
    pub username: Option<String>,
    /// Where the password is; without one nobody signs in.
    pub password: Option<Reference>,
}

/// The audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct AuditLog {
    /// Its folder; a relative path is relative to the server file.
    pub dir: PathBuf,
    /// What the log's name begins with: a domain of the operator's.
    pub domain: String,
    /// How often its signed head is published.
    pub checkpoint: Duration,
    /// How long entries are kept; none: for ever.
    pub keep: Option<Duration>,
    /// Whether clients get receipts, and proofs when they ask.
    pub receipts: bool,
    /// Who is asked to cosign the head.
    pub witnesses: Vec<WitnessAddress>,
    /// Whose heads this Postern cosigns.
    pub peers: Vec<PeerKeys>,
}

/// A witness, and where it is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct WitnessAddress {
    /// `https://HOST[:PORT][/PATH]`, or `http://` on loopback; no slash at its end.
    pub url: String,
    /// Its public key, as a C2SP signed note names keys. Only its form has been checked.
    pub key: String,
    /// The CA that signs its certificate, PEM; by default the system's.
    pub ca: Option<Reference>,
}

/// Where the public keys of other logs are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PeerKeys {
    /// The key itself. Only its form has been checked.
    Key(String),
    /// One key on each line.
    Listed(Reference),
}

/// A named secret key.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct KeyRef {
    /// The key id that appears in tokens.
    pub id: String,
    /// Where the secret is.
    pub secret: Reference,
}

/// A limit on everything. Sizes are bytes; other units are in the names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The request's header block (431 past it).
    pub header_bytes: usize,
    /// The number of request headers (431 past it).
    pub header_count: usize,
    /// The request target (414 past it).
    pub target_bytes: usize,
    /// Seconds until the request's head must be complete.
    pub header_seconds: u64,
    /// Nesting depth of JSON.
    pub json_depth: usize,
    /// What an exchange may hold back to look ahead.
    pub held_bytes: usize,
    /// Decoded bytes per encoded byte of a content coding.
    pub expand_ratio: usize,
    /// The request's body (413 past it).
    pub request_body: usize,
    /// Client connections at once (503 or a refused connection past it).
    pub connections: usize,
    /// Exchanges at once (503 `overloaded` past it).
    pub exchanges: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            header_bytes: 16 << 10,
            header_count: 100,
            target_bytes: 8 << 10,
            header_seconds: 10,
            json_depth: 128,
            held_bytes: 1 << 20,
            expand_ratio: 100,
            request_body: 10 << 20,
            connections: 10_000,
            exchanges: 4_096,
        }
    }
}

impl Server {
    /// Reads a server file. `name` is what errors call it.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn parse(name: &str, text: &str) -> Result<Self, PolicyErrors> {
        resolve::server(name, text)
    }
}

/// The JSON Schema (draft 2020-12) of server files.
#[must_use]
pub fn schema() -> serde_json::Value {
    let generator = schemars::SchemaGenerator::default();
    let mut schema = generator.into_root_schema_for::<file::ServerFile>();
    schema.insert("title".to_owned(), "Postern server file".into());
    schema.to_value()
}

#[cfg(test)]
mod tests;
