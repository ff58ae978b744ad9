//! A witness (C2SP tlog-witness): cosigns a log's checkpoints as long as each continues the one before,
//! so that a log which it watches can neither be rolled back nor forked unseen.
//!
//! It knows no HTTP: a request's body goes in, a status and a body come out. What it has seen is stored
//! before it answers, and one request is decided at a time.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::SystemTime;

use crate::checkpoint::{Checkpoint, decimal};
use crate::clock::millis;
use crate::disk::{Access, Disk};
use crate::log::held;
use crate::note::Note;
use crate::signer::Signer;
use crate::store::{read_optional, replace};
use crate::tree::hash::Hash;
use crate::tree::proof::{PROOF_HASHES_MAX, is_consistent};
use crate::vkey::VerifierKey;

/// A request is no longer than this.
const REQUEST_BYTES_MAX: usize = 64 << 10;

/// What is answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The `Content-Type` of the body.
    pub content_type: &'static str,
    /// The body.
    pub body: String,
}

impl Answer {
    fn plain(status: u16, body: impl Into<String>) -> Self {
        Self {
            status,
            content_type: "text/plain; charset=utf-8",
            body: body.into(),
        }
    }

    /// What the witness has seen last.
    fn conflict(size: u64) -> Self {
        Self {
            status: 409,
            content_type: "text/x.tlog.size",
            body: format!("{size}\n"),
        }
    }
}

/// A witness of the logs that it knows.
#[derive(Debug)]
pub struct Witness {
    signer: Signer,
    logs: BTreeMap<String, Vec<VerifierKey>>,
    disk: Arc<dyn Disk>,
    /// What this process has stored durably last, by origin.
    /// INVARIANT: held from the reading of what was seen until the writing of what is seen now.
    stored: Mutex<BTreeMap<String, Checkpoint>>,
}

/// The parts of a request.
struct Request {
    old: u64,
    proof: Vec<Hash>,
    note: Note,
    checkpoint: Checkpoint,
}

impl Witness {
    /// A witness that signs with a key of kind [`crate::KeyKind::Witness`], for the logs with these keys,
    /// and keeps what it has seen in a folder of its own.
    #[must_use]
    pub fn new(signer: Signer, logs: Vec<VerifierKey>, disk: Arc<dyn Disk>) -> Self {
        let mut by_origin: BTreeMap<String, Vec<VerifierKey>> = BTreeMap::new();
        for key in logs {
            by_origin
                .entry(key.name().to_owned())
                .or_default()
                .push(key);
        }
        Self {
            signer,
            logs: by_origin,
            disk,
            stored: Mutex::default(),
        }
    }

    /// The witness's public key.
    #[must_use]
    pub const fn key(&self) -> &VerifierKey {
        self.signer.key()
    }

    /// The checkpoint of a log that was cosigned last.
    ///
    /// # Errors
    /// When what was stored cannot be read, or is no checkpoint.
    pub fn latest(&self, origin: &str) -> io::Result<Option<Checkpoint>> {
        let Some(bytes) = read_optional(self.disk.as_ref(), &path(origin))? else {
            return Ok(None);
        };
        let note = Note::parse(&bytes).ok();
        let checkpoint = note.and_then(|note| Checkpoint::parse(note.text()));
        checkpoint
            .map(Some)
            .ok_or_else(|| io::ErrorKind::InvalidData.into())
    }

    /// Answers `POST add-checkpoint`.
    #[must_use]
    pub fn add_checkpoint(&self, body: &[u8], now: SystemTime) -> Answer {
        let Some(request) = parse(body) else {
            return Answer::plain(400, "the request is malformed\n");
        };
        let Some(keys) = self.logs.get(&request.checkpoint.origin) else {
            return Answer::plain(404, "the log is unknown\n");
        };
        if request.note.verified_by(keys).is_err() {
            return Answer::plain(403, "no known key of the log has signed the checkpoint\n");
        }
        if request.old > request.checkpoint.size {
            return Answer::plain(400, "the old size is above the new one\n");
        }
        let mut stored = held(&self.stored);
        match self.latest(&request.checkpoint.origin) {
            Ok(latest) => self.decide(&request, latest.as_ref(), (&mut stored, now)),
            Err(_) => Answer::plain(500, "what was seen last cannot be read\n"),
        }
    }

    fn decide(
        &self,
        request: &Request,
        latest: Option<&Checkpoint>,
        (stored, now): (&mut BTreeMap<String, Checkpoint>, SystemTime),
    ) -> Answer {
        let (seen, root) =
            latest.map_or_else(|| (0, Hash::of_nothing()), |head| (head.size, head.root));
        let head = &request.checkpoint;
        let is_another = head.size == seen && head.root != root;
        if request.old != seen || is_another {
            return Answer::conflict(seen);
        }
        if !is_consistent((seen, &root), (head.size, &head.root), &request.proof) {
            return Answer::plain(422, "the consistency proof does not verify\n");
        }
        // SECURITY: anybody can send a checkpoint again that was seen, and must not make this disk sync.
        if latest != Some(head) || stored.get(&head.origin) != Some(head) {
            let bytes = request.note.to_string();
            let path = path(&head.origin);
            stored.remove(&head.origin);
            if replace(self.disk.as_ref(), &path, bytes.as_bytes(), Access::Public).is_err() {
                return Answer::plain(500, "the checkpoint could not be stored\n");
            }
            stored.insert(head.origin.clone(), head.clone());
        }
        let line = self.signer.cosign(request.note.text(), millis(now) / 1000);
        Answer::plain(200, line.to_string())
    }
}

/// Where a log's checkpoint is kept: origins may contain what file names may not.
fn path(origin: &str) -> String {
    let digest = Hash::of_leaf(origin.as_bytes());
    let hex = digest.as_bytes().iter().map(|byte| format!("{byte:02x}"));
    format!("{}.checkpoint", hex.collect::<String>())
}

fn parse(body: &[u8]) -> Option<Request> {
    let text = std::str::from_utf8(body).ok()?;
    let (head, note) = text.split_once("\n\n")?;
    let mut lines = head.split('\n');
    let old = decimal(lines.next()?.strip_prefix("old ")?)?;
    let proof: Vec<Hash> = lines.map(Hash::from_base64).collect::<Option<_>>()?;
    let note = Note::parse(note.as_bytes()).ok()?;
    let checkpoint = Checkpoint::parse(note.text())?;
    (body.len() <= REQUEST_BYTES_MAX && proof.len() <= PROOF_HASHES_MAX).then_some(Request {
        old,
        proof,
        note,
        checkpoint,
    })
}
