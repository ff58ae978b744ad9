//! The server file as it is written: a private mirror of its grammar, key by key.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::document::read::{At, OneOrMany, Read, Secret};
use crate::document::section::section;
use crate::document::{Kind, Node};
use crate::policy::error::Problems;
use crate::units::{DurationText, SizeText};

section! {
    /// Where Postern runs; changes need a restart.
    ServerFile, required: ["listen", "upstream", "policy"] {
        /// Where clients connect.
        listen: "listen" => ListenFile,
        /// The legacy application.
        upstream: "upstream" => UpstreamFile,
        /// The policy file.
        policy: "policy" => PolicyPath,
        /// The public keys of those who sign policies: a policy that none of them signed is refused.
        policy_signers: "policy_signers" => OneOrMany<String>,
        /// Where the admin listener is.
        admin: "admin" => String,
        /// The state folder.
        state: "state" => String,
        /// Where quotas are kept: `redb:PATH`, or a server that several replicas share.
        store: "store" => StoreFile,
        /// The audit log, by default in the state folder; `off` turns it off.
        audit: "audit" => AuditFile,
        /// Every limit.
        limits: "limits" => LimitsFile,
        /// How long running exchanges may take to finish after SIGTERM.
        drain: "drain" => DurationText,
        /// Keys that Postern makes tokens with.
        keys: "keys" => Secret<KeysFile>,
    }
}

section! {
    /// The data listener in full.
    ListenLong, required: ["address"] {
        /// `HOST:PORT` or `unix:PATH`.
        address: "address" => String,
        /// TLS 1.3 for clients.
        tls: "tls" => TlsFile,
        /// The hosts that are served, `HOST` or `HOST:PORT`; others are refused. By default any.
        hosts: "hosts" => OneOrMany<String>,
    }
}

section! {
    /// Certificate and key of the data listener.
    TlsFile, required: ["cert", "key"] {
        /// The certificate chain, PEM.
        cert: "cert" => Secret<String>,
        /// The private key, PEM.
        key: "key" => Secret<String>,
        /// The CA of client certificates, PEM.
        client_ca: "client_ca" => Secret<String>,
    }
}

section! {
    /// The upstream in full.
    UpstreamLong, required: ["url"] {
        /// `http://HOST:PORT` or `https://HOST:PORT`.
        url: "url" => String,
        /// The CA of its certificate, PEM.
        ca: "ca" => Secret<String>,
        /// What Postern presents as `Authorization`.
        credential: "credential" => Secret<String>,
        /// Time to connect, TLS included.
        connect_timeout: "connect_timeout" => DurationText,
        /// Time between two reads.
        read_timeout: "read_timeout" => DurationText,
        /// Time between two writes.
        write_timeout: "write_timeout" => DurationText,
        /// Idle connections kept.
        pool: "pool" => u64,
    }
}

section! {
    /// The store in full.
    StoreLong, required: ["url"] {
        /// `redb:PATH`, `redis://HOST:PORT`, `valkey://HOST:PORT`; `rediss://` and `valkeys://` with TLS.
        url: "url" => String,
        /// The user that Postern signs in as; by default the server's default user.
        username: "username" => String,
        /// Where that user's password is.
        password: "password" => Secret<String>,
    }
}

section! {
    /// The audit log.
    AuditLong, required: [] {
        /// Its folder.
        dir: "dir" => String,
        /// What its name begins with: a domain of yours.
        domain: "domain" => String,
        /// How often its signed head is published.
        checkpoint: "checkpoint" => DurationText,
        /// How long entries are kept; by default for ever.
        keep: "keep" => DurationText,
        /// Whether answers carry a receipt, and proofs can be asked for. By default not.
        receipts: "receipts" => bool,
        /// Who is asked to cosign its head.
        witnesses: "witnesses" => Vec<At<WitnessFile>>,
        /// The keys of other replicas' logs, which this one cosigns: each a key, or `file:PATH`.
        peers: "peers" => OneOrMany<String>,
    }
}

section! {
    /// A witness.
    WitnessFile, required: ["url", "key"] {
        /// `https://HOST:PORT/PATH`, below which `add-checkpoint` is; `http://` on loopback.
        url: "url" => String,
        /// Its public key, `NAME+ID+KEY`.
        key: "key" => String,
        /// The CA of its certificate, PEM.
        ca: "ca" => Secret<String>,
    }
}

section! {
    /// Limits; sizes are texts with a unit.
    LimitsFile, required: [] {
        /// The request's header block.
        header_bytes: "header_bytes" => SizeText,
        /// The number of request headers.
        header_count: "header_count" => u64,
        /// The request target.
        target_bytes: "target_bytes" => SizeText,
        /// Seconds until the request's head must be complete.
        header_seconds: "header_seconds" => u64,
        /// Nesting depth of JSON.
        json_depth: "json_depth" => u64,
        /// What an exchange may hold back to look ahead.
        held_bytes: "held_bytes" => SizeText,
        /// Decoded bytes per encoded byte.
        expand_ratio: "expand_ratio" => u64,
        /// The request's body.
        request_body: "request_body" => SizeText,
        /// Client connections at once.
        connections: "connections" => u64,
        /// Exchanges at once.
        exchanges: "exchanges" => u64,
    }
}

section! {
    /// Keys by purpose.
    KeysFile, required: [] {
        /// Keys of pseudonyms, newest first.
        pseudonym: "pseudonym" => Secret<Vec<At<Secret<KeyFile>>>>,
        /// Keys of sessions, newest first. Replicas that share a store need the same.
        sessions: "sessions" => Secret<Vec<At<Secret<KeyFile>>>>,
    }
}

section! {
    /// One key.
    KeyFile, required: ["id", "secret"] {
        /// The id that appears in tokens.
        id: "id" => String,
        /// Where the secret is.
        secret: "secret" => Secret<String>,
    }
}

/// An address, or the listener in full.
#[derive(Debug)]
pub(crate) enum ListenFile {
    Address(String),
    Long(Box<ListenLong>),
}

/// A URL, or the upstream in full.
#[derive(Debug)]
pub(crate) enum UpstreamFile {
    Url(String),
    Long(Box<UpstreamLong>),
}

/// A URL, or the store in full.
#[derive(Debug)]
pub(crate) enum StoreFile {
    Url(String),
    Long(Box<StoreLong>),
}

/// Whether there is an audit log, and where.
#[derive(Debug)]
pub(crate) enum AuditFile {
    Off,
    Long(Box<AuditLong>),
}

/// The path of the policy; a signed bundle is read and refused.
#[derive(Debug)]
pub(crate) enum PolicyPath {
    Path(String),
    Bundle,
}

/// Implements reading and the schema of a text that has a long form too.
macro_rules! text_or_map {
    ($name:ident, $short:ident, $long:ident($section:ty), $expected:literal) => {
        impl Read for $name {
            fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
                match &node.kind {
                    Kind::Text(text) => Some(Self::$short(text.clone())),
                    Kind::Map(_) => {
                        let long = <$section>::read(node, problems)?;
                        Some(Self::$long(Box::new(long)))
                    },
                    Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) => {
                        node.expected($expected, problems)
                    }
                }
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                let long = generator.subschema_for::<$section>();
                json_schema!({ "anyOf": [{ "type": "string" }, long] })
            }
        }
    };
}

text_or_map!(
    ListenFile,
    Address,
    Long(ListenLong),
    "an address, or `{ address, tls }`"
);
text_or_map!(
    UpstreamFile,
    Url,
    Long(UpstreamLong),
    "a URL text, or `{ url, ca, ... }`"
);
text_or_map!(
    StoreFile,
    Url,
    Long(StoreLong),
    "a URL text, or `{ url, username, password }`"
);

impl Read for AuditFile {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        const EXPECTED: &str = "`off`, or `{ dir, domain, checkpoint, ... }`";
        match &node.kind {
            Kind::Text(text) if text == "off" => Some(Self::Off),
            Kind::Map(_) => Some(Self::Long(Box::new(AuditLong::read(node, problems)?))),
            Kind::Text(_) | Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) => {
                node.expected(EXPECTED, problems)
            }
        }
    }
}

impl JsonSchema for AuditFile {
    fn schema_name() -> Cow<'static, str> {
        "AuditFile".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let long = generator.subschema_for::<AuditLong>();
        json_schema!({ "anyOf": [{ "const": "off" }, long] })
    }
}

impl Read for PolicyPath {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.kind {
            Kind::Text(path) => Some(Self::Path(path.clone())),
            Kind::Map(_) => Some(Self::Bundle),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) => {
                node.expected("the text of a path", problems)
            }
        }
    }
}

impl JsonSchema for PolicyPath {
    fn schema_name() -> Cow<'static, str> {
        "PolicyPath".into()
    }
    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string" })
    }
}
