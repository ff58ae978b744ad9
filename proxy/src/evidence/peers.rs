//! Cosigns the logs of other replicas (C2SP tlog-witness), so that each is a witness of its peers.
//!
//! It sees sizes and hashes, never an entry. Its key and what it has cosigned are in the state folder, and
//! what it has cosigned is durable before it answers.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use postern_audit::{Answer, KeyKind, Signer, SystemDisk, VerifierKey, Witness};
use postern_config::server::PeerKeys;

use super::{Evidence, EvidenceError, Opening};
use crate::{load, private_file};

/// The folder for what was cosigned, in the state folder.
const FOLDER: &str = "witness";
/// The private key's file, in the state folder.
const SEED_FILE: &str = "witness.seed";

impl Evidence {
    /// Whether other logs are cosigned here.
    pub(crate) fn is_witness(&self) -> bool {
        self.witness().is_some()
    }

    /// Answers `POST add-checkpoint` of another log; nothing when none is cosigned. It syncs files.
    pub(crate) fn cosign(&self, body: &[u8], now: SystemTime) -> Option<Answer> {
        Some(self.witness()?.add_checkpoint(body, now))
    }

    /// The key with which they are cosigned.
    pub(crate) fn witness_key(&self) -> Option<String> {
        Some(self.witness()?.key().to_string())
    }

    fn witness(&self) -> Option<&Arc<Witness>> {
        self.kept.as_ref()?.anchors.peers()
    }
}

/// The witness of the server file's peers; none when it names none.
///
/// # Errors
/// A key is of no use, or the witness's own cannot be read or made.
pub(super) fn witness(opening: &Opening<'_>) -> Result<Option<Witness>, EvidenceError> {
    if opening.audit.peers.is_empty() {
        return Ok(None);
    }
    let mut logs = Vec::new();
    for peer in &opening.audit.peers {
        logs.extend(logs_of(peer, opening.base)?);
    }
    let signer = signer(opening.state, &opening.audit.domain)?;
    let folder = opening.state.join(FOLDER);
    fs::create_dir_all(&folder).map_err(|error| EvidenceError::Folder {
        path: folder.display().to_string(),
        error,
    })?;
    tracing::info!(key = %signer.key(), logs = logs.len(), "this replica cosigns the logs of others");
    let disk = Arc::new(SystemDisk::new(folder));
    Ok(Some(Witness::new(signer, logs, disk)))
}

/// The keys of the logs that one entry names.
///
/// # Errors
/// The file that lists them cannot be read, or one is of no use.
pub(super) fn logs_of(peer: &PeerKeys, base: &Path) -> Result<Vec<VerifierKey>, EvidenceError> {
    match peer {
        PeerKeys::Key(key) => Ok(vec![log_key(key).ok_or_else(|| no_key(key))?]),
        PeerKeys::Listed(reference) => {
            let listed = load::resolve(reference, base);
            let listed = listed.map_err(|error| wrong(error.to_string()))?;
            let text = String::from_utf8_lossy(&listed).into_owned();
            log_keys(&text).map_err(|(_, line)| no_key(line))
        }
    }
}

/// The keys of logs that a text lists, one on each line, as `keys/log.vkey` has them or `postern audit keys`
/// prints them.
///
/// # Errors
/// The first line that is none, and its number.
pub(crate) fn log_keys(text: &str) -> Result<Vec<VerifierKey>, (usize, &str)> {
    let lines = (1..).zip(text.lines().map(str::trim));
    lines
        .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
        .map(|(number, line)| log_key(line).ok_or((number, line)))
        .collect()
}

/// The public key with which the replica of a state folder cosigns; it is made when there is none.
///
/// # Errors
/// The private key cannot be read or made.
pub(crate) fn witness_key(state: &Path, domain: &str) -> Result<VerifierKey, EvidenceError> {
    Ok(signer(state, domain)?.key().clone())
}

/// The name has a part of the key in it, so that replicas of one domain have different names.
fn signer(state: &Path, domain: &str) -> Result<Signer, EvidenceError> {
    let path = state.join(SEED_FILE);
    let seed = private_file::secret(&path);
    let seed = seed.map_err(|what| {
        wrong(format!(
            "the key of the witness, `{}`: {what}",
            path.display()
        ))
    })?;
    let make = |name: &str| {
        let signer = Signer::from_seed(name, KeyKind::Witness, &seed);
        signer.ok_or_else(|| wrong(format!("`{name}` cannot name a witness")))
    };
    let unnamed = make(domain)?;
    let part = unnamed.key().public().first_chunk::<4>();
    make(&format!(
        "{domain}/witness-{}",
        hex::encode(part.unwrap_or(&[0; 4]))
    ))
}

fn log_key(text: &str) -> Option<VerifierKey> {
    let key = text.strip_prefix("log ").unwrap_or(text);
    VerifierKey::parse(key).filter(|key| key.kind() == KeyKind::Log)
}

fn no_key(text: &str) -> EvidenceError {
    wrong(format!(
        "`{text}` is no key of a log; copy it anew from its `keys/log.vkey`"
    ))
}

const fn wrong(message: String) -> EvidenceError {
    EvidenceError::Anchor {
        field: "peers",
        message,
    }
}
