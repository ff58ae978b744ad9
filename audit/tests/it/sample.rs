//! A log to change: its files, who signs it, and its last checkpoint.

use std::collections::BTreeMap;
use std::sync::mpsc;

use postern_audit::{
    Checkpoint, CompactRange, Hash, Integrity, KeyKind, NewEntry, Note, PolicyFile, Report, Signer,
    TileBuilder, TileId, TileKind, VerifyError, bundle_entries, verify,
};

use crate::memory_disk::MemoryDisk;
use crate::stage::{Stage, place};

pub(crate) type Files = BTreeMap<String, Vec<u8>>;

/// A log, who signs it, and its last checkpoint.
pub(crate) struct Sample {
    pub(crate) stage: Stage,
    pub(crate) files: Files,
    pub(crate) policy: PolicyFile,
    pub(crate) anchor: Vec<u8>,
    pub(crate) size: u64,
}

/// A log of at least this many bytes, all files together, in batches of different sizes.
pub(crate) fn sample(bytes_min: usize) -> Sample {
    let stage = Stage::new();
    let log = stage.open().unwrap();
    // A large log has larger entries, so that they stay in one bundle.
    let (padding, gathered) = if bytes_min > 10_000 {
        (bytes_min / 220, 40)
    } else {
        (0, 5)
    };
    let mut number = 0;
    let total = || stage.disk.files().values().map(Vec::len).sum::<usize>();
    while total() < bytes_min {
        // While the writer waits in the first entry's callback, the others gather to one batch.
        let (go, gate) = mpsc::channel::<()>();
        let (reply, done) = mpsc::channel();
        log.append(padded(number, padding), move |_| gate.recv().unwrap());
        for more in 1..=gathered {
            let reply = reply.clone();
            log.append(padded(number + more, padding), move |result| {
                drop(reply.send(result));
            });
        }
        go.send(()).unwrap();
        for _ in 0..gathered {
            done.recv().unwrap().unwrap();
        }
        number += gathered + 1;
        log.publish().unwrap();
    }
    let key = log.keys()[0].clone();
    log.close().unwrap();
    let files = stage.disk.files();
    let anchor = files["checkpoint"].clone();
    let policy = format!("log {key}\nquorum none\n");
    let size = checkpoint(&anchor).size;
    Sample {
        stage,
        files,
        policy: PolicyFile::parse(policy.as_bytes()).unwrap(),
        anchor,
        size,
    }
}

pub(crate) fn padded(number: u64, padding: usize) -> NewEntry {
    let pad = "x".repeat(padding);
    let text = format!(r#"{{"number":{number},"time":1700000000000,"pad":"{pad}"}}"#);
    NewEntry::new(text.into_bytes())
}

pub(crate) fn checkpoint(note: &[u8]) -> Checkpoint {
    Checkpoint::parse(Note::parse(note).unwrap().text()).unwrap()
}

impl Sample {
    pub(crate) fn verify(&self, files: &Files, anchors: &[Vec<u8>]) -> Result<Report, VerifyError> {
        verify(&MemoryDisk::with(files.clone()), &self.policy, anchors)
    }

    /// The index that is said to be the first bad one.
    pub(crate) fn first_bad(&self, files: &Files, anchors: &[Vec<u8>]) -> Option<u64> {
        match self.verify(files, anchors).unwrap().integrity {
            Integrity::Ok => None,
            Integrity::Tampered { index, .. } => Some(index),
        }
    }

    pub(crate) fn bundle(&self) -> (String, Vec<Vec<u8>>) {
        let path = self.path_of(TileKind::Entries);
        let (entries, whole) = bundle_entries(&self.files[&path]);
        assert!(whole);
        let entries = entries.into_iter().map(<[u8]>::to_vec).collect();
        (path, entries)
    }

    pub(crate) fn path_of(&self, kind: TileKind) -> String {
        let is_it = |path: &&String| TileId::from_path(path).is_some_and(|tile| tile.kind == kind);
        self.files.keys().find(is_it).unwrap().clone()
    }

    /// The files with other entries, hashed again, as somebody without the key can do it.
    pub(crate) fn rewritten(&self, entries: &[Vec<u8>], hashes_too: bool) -> Files {
        let mut files = self.files.clone();
        let (path, _) = self.bundle();
        files.remove(&path);
        let mut bundle = Vec::new();
        let mut builder = TileBuilder::default();
        for entry in entries {
            bundle.extend_from_slice(&u16::try_from(entry.len()).unwrap().to_be_bytes());
            bundle.extend_from_slice(entry);
            builder.push(Hash::of_leaf(entry), &mut Vec::new());
        }
        files.insert(path, bundle);
        if hashes_too {
            let mut bytes = builder.partial().remove(0).1;
            // As many hashes as the path says, whatever the number of entries.
            bytes.resize(place(self.size) * 32, 0);
            files.insert(self.path_of(TileKind::Hashes(0)), bytes);
        }
        files
    }
}

impl Sample {
    /// What whoever has the key can publish: any entries.
    pub(crate) fn resigned(&self, entries: &[Vec<u8>]) -> Files {
        let seed: [u8; 32] = self.stage.seeds.files()["audit.seed"]
            .clone()
            .try_into()
            .unwrap();
        let head = checkpoint(&self.anchor);
        let signer = Signer::from_seed(&head.origin, KeyKind::Log, &seed).unwrap();
        let size = entries.len() as u64;
        let (mut bundle, mut range) = (Vec::new(), CompactRange::default());
        let mut builder = TileBuilder::default();
        for entry in entries {
            bundle.extend_from_slice(&u16::try_from(entry.len()).unwrap().to_be_bytes());
            bundle.extend_from_slice(entry);
            builder.push(Hash::of_leaf(entry), &mut Vec::new());
            range.push(Hash::of_leaf(entry));
        }
        let root = range.root();
        let head = Checkpoint { size, root, ..head };
        let mut files = Files::new();
        files.insert(
            "checkpoint".to_owned(),
            signer.sign(head.to_string()).to_string().into(),
        );
        let kind = TileKind::Entries;
        let tile = TileId {
            kind,
            index: 0,
            width: size,
        };
        files.insert(tile.path(), bundle);
        for (tile, bytes) in builder.partial() {
            files.insert(tile.path(), bytes);
        }
        files
    }
}
