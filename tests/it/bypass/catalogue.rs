//! The catalogue's entries as data: what is sent, what the upstream says, and what may be seen.
//!
//! The committed copy is what runs. Nothing here judges; the meaning of every field is written in
//! the catalogue's own `meta`.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// The catalogue: its own explanation, and every entry.
#[derive(Deserialize)]
pub(super) struct Catalogue {
    pub(super) meta: Meta,
    pub(super) entries: Vec<Entry>,
}

/// What the catalogue says about itself, as far as a program needs it.
#[derive(Deserialize)]
pub(super) struct Meta {
    pub(super) canaries: BTreeMap<String, String>,
    pub(super) policies: BTreeMap<String, String>,
    pub(super) outcomes: BTreeMap<String, String>,
}

/// One way past a redacting proxy.
#[derive(Deserialize, Clone)]
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) class: String,
    pub(super) lane: String,
    pub(super) title: String,
    pub(super) policy_needed: BTreeSet<String>,
    pub(super) request: Request,
    pub(super) upstream_response: Upstream,
    pub(super) expected_client_sees: Expected,
    #[serde(default)]
    pub(super) must_not_contain: Vec<String>,
    #[serde(default)]
    pub(super) scan_target: Option<String>,
    #[serde(default)]
    pub(super) variants: Vec<String>,
    #[serde(default)]
    pub(super) control: Option<String>,
    #[serde(default)]
    pub(super) upstream_must_see: BTreeMap<String, Option<String>>,
    #[serde(default)]
    pub(super) parallel: Option<Parallel>,
}

/// How many clients at once.
#[derive(Deserialize, Clone)]
pub(super) struct Parallel {
    pub(super) clients: usize,
}

/// What the client sends.
#[derive(Deserialize, Clone)]
pub(super) struct Request {
    pub(super) proto: String,
    #[serde(default)]
    pub(super) identity: Option<String>,
    #[serde(default)]
    pub(super) listener: Option<String>,
    #[serde(default)]
    pub(super) parts: Vec<Part>,
    #[serde(default)]
    pub(super) headers: Vec<(String, String)>,
    #[serde(default)]
    pub(super) data_parts: Vec<Part>,
    #[serde(default)]
    pub(super) delivery: Option<Delivery>,
}

/// What the upstream answers.
#[derive(Deserialize, Clone)]
pub(super) struct Upstream {
    pub(super) proto: String,
    #[serde(default)]
    pub(super) parts: Vec<Part>,
    #[serde(default)]
    pub(super) headers: Vec<(String, String)>,
    #[serde(default)]
    pub(super) data_parts: Vec<Part>,
    #[serde(default)]
    pub(super) trailers: Vec<(String, String)>,
    #[serde(default)]
    pub(super) generator: Option<Generator>,
    #[serde(default)]
    pub(super) delivery: Option<Delivery>,
    #[serde(default)]
    pub(super) close_after: bool,
    #[serde(default)]
    pub(super) reset: bool,
}

/// Exact bytes, or a unit repeated.
#[derive(Deserialize, Clone)]
pub(super) struct Part {
    pub(super) enc: String,
    #[serde(default)]
    pub(super) data: String,
    #[serde(default)]
    pub(super) unit: String,
    #[serde(default)]
    pub(super) count: usize,
}

/// A body that is made rather than written down.
#[derive(Deserialize, Clone, Default)]
pub(super) struct Generator {
    pub(super) kind: String,
    #[serde(default)]
    pub(super) count: usize,
    #[serde(default)]
    pub(super) depth: usize,
    #[serde(default)]
    pub(super) width: usize,
    #[serde(default)]
    pub(super) plain_bytes: usize,
    #[serde(default)]
    pub(super) prefix: String,
    #[serde(default)]
    pub(super) window_log: u8,
    #[serde(default)]
    pub(super) last: Option<serde_json::Value>,
    #[serde(default)]
    pub(super) leaf: Option<serde_json::Value>,
}

/// How bytes are paced.
#[derive(Deserialize, Clone)]
pub(super) struct Delivery {
    pub(super) mode: String,
    #[serde(default)]
    pub(super) ms: u64,
    #[serde(default)]
    pub(super) gap_ms: u64,
    #[serde(default)]
    pub(super) bytes: usize,
}

/// What a client may see.
#[derive(Deserialize, Clone)]
pub(super) struct Expected {
    pub(super) allowed_outcomes: Vec<Allowed>,
}

/// One outcome that is fine.
#[derive(Deserialize, Clone)]
pub(super) struct Allowed {
    pub(super) outcome: String,
    #[serde(default)]
    pub(super) status: Vec<u16>,
    pub(super) connection: String,
    #[serde(default)]
    pub(super) upstream_requests: Vec<usize>,
    #[serde(default)]
    pub(super) also: Option<Vec<String>>,
}

impl Catalogue {
    /// The committed catalogue.
    pub(super) fn load() -> Self {
        let text = std::fs::read_to_string(cases().join("catalogue.json")).expect("catalogue");
        serde_json::from_str(&text).expect("the catalogue has the shape described above")
    }

    /// The entry of that id.
    pub(super) fn entry(&self, id: &str) -> &Entry {
        let found = self.entries.iter().find(|entry| entry.id == id);
        found.unwrap_or_else(|| panic!("no entry {id}"))
    }
}

impl Entry {
    /// The variants to run: each literal of the entry, or a single run without one.
    pub(super) fn runs(&self) -> Vec<Option<String>> {
        if self.variants.is_empty() {
            return vec![None];
        }
        self.variants.iter().cloned().map(Some).collect()
    }

    /// What must not be seen is looked for in what the upstream received, not at the client.
    pub(super) fn scans_upstream(&self) -> bool {
        self.scan_target.as_deref() == Some("upstream_received")
    }

    /// What must not be seen is looked for in the audit log and in what is logged, too.
    pub(super) fn scans_audit_log(&self) -> bool {
        let target = self.scan_target.as_deref();
        target.is_some_and(|target| target.starts_with("audit_log"))
    }
}

/// The folder of the suite's data.
pub(super) fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/bypass")
}
