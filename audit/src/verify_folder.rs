//! What the commands do: verify a folder and say so, make a proof file from a folder, check a proof file.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::disk::{Disk, SystemDisk};
use crate::edge_tile::read_tile;
use crate::log::recover::CHECKPOINT;
use crate::note::Note;
use crate::policy_file::PolicyFile;
use crate::proof_file::ProofFile;
use crate::receipt::ClientReceipt;
use crate::tree::proof::prove_inclusion;
use crate::tree::tiles::TileReader;
use crate::verify::verify;
use crate::vkey::VerifierKey;
use crate::{Checkpoint, NoteError};

/// What says that nothing could be said.
const UNREADABLE: u8 = 2;
const NO_PROOF: &str = "this is no proof file (C2SP tlog-proof)";

/// Verifies a folder by a policy file, with checkpoints that were kept elsewhere, and writes the verdicts.
/// Returns the exit code: 0 when all is well, 4 when something was changed, 1 when something is
/// missing or unanchored, 2 when a file cannot be read.
///
/// # Errors
/// When the verdicts cannot be written.
pub fn verify_folder(
    folder: &Path,
    policy: &Path,
    anchors: &[PathBuf],
    out: &mut dyn Write,
) -> io::Result<u8> {
    let verdict = read(policy).and_then(|bytes| {
        let policy = PolicyFile::parse(&bytes)
            .map_err(|error| format!("`{}`: {error}", policy.display()))?;
        let anchors: Vec<Vec<u8>> = anchors
            .iter()
            .map(|path| read(path))
            .collect::<Result<_, _>>()?;
        let disk = SystemDisk::new(folder.to_path_buf());
        verify(&disk, &policy, &anchors).map_err(|error| error.to_string())
    });
    match verdict {
        Ok(report) => {
            write!(out, "{report}")?;
            Ok(report.exit_code())
        }
        Err(what) => {
            writeln!(out, "cannot verify: {what}")?;
            Ok(UNREADABLE)
        }
    }
}

fn read(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("`{}` cannot be read: {error}", path.display()))
}

/// Makes the proof file of a published entry from a log's folder; nothing when the entry is not
/// published, or what is published cannot be read.
#[must_use]
pub fn prove(disk: &dyn Disk, index: u64) -> Option<ProofFile> {
    let checkpoint = Note::parse(&disk.read(CHECKPOINT).ok()?).ok()?;
    let size = Checkpoint::parse(checkpoint.text())?.size;
    let mut tiles = TileReader::new(size, |tile| read_tile(disk, tile));
    let hashes = prove_inclusion(index, size, &mut tiles).ok()??;
    Some(ProofFile {
        index,
        hashes,
        checkpoint,
    })
}

/// Why a proof file does not show that an entry is in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The bytes are no proof file.
    #[error("{NO_PROOF}")]
    NoProof,
    /// It does not lead from the entry to the signed head.
    #[error(
        "the proof is of another entry, or the entry was changed; a newline at its end is a change"
    )]
    AnotherEntry,
    /// Its checkpoint is not signed as the policy wants it.
    #[error("{0}")]
    Note(#[from] NoteError),
}

/// Whether a proof file shows, by a policy, that an entry is in a log.
///
/// # Errors
/// When it does not.
pub fn verify_proof(proof: &[u8], entry: &[u8], policy: &PolicyFile) -> Result<(), ProofError> {
    let (proof, head) = proof_file(proof).ok_or(ProofError::NoProof)?;
    if !proof.includes(entry) {
        return Err(ProofError::AnotherEntry);
    }
    Ok(judge_signatures(&proof, &head, policy)?)
}

/// A proof file, and the head that it is under.
fn proof_file(bytes: &[u8]) -> Option<(ProofFile, Checkpoint)> {
    let proof = ProofFile::parse(bytes)?;
    let head = Checkpoint::parse(proof.checkpoint.text())?;
    Some((proof, head))
}

/// Why a proof file does not keep what a receipt promised.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// The text is no receipt.
    #[error("this is no `Audit-Receipt`")]
    NoReceipt,
    /// The bytes are no proof file.
    #[error("{NO_PROOF}")]
    NoProof,
    /// The proof is of another entry.
    #[error("the proof is of entry {proved}, the receipt of {promised}")]
    AnotherEntry {
        /// The index that the proof is of.
        proved: u64,
        /// The index that was promised.
        promised: u64,
    },
    /// The proof is of another log.
    #[error("the proof is of another log than the receipt")]
    AnotherLog,
    /// The tree of the proof is smaller than the one that the receipt was given for.
    #[error("the proof is older than the receipt: ask for a new one")]
    Older,
    /// What was promised is not there: the log was changed, or it never held it.
    #[error("the entry that the receipt promised is not in the log")]
    NotIncluded,
    /// The proof's checkpoint is not signed as the policy wants it.
    #[error("{0}")]
    Note(#[from] NoteError),
}

/// Whether a proof file shows, by a policy, that a log keeps what a client's receipt promised.
///
/// # Errors
/// When it does not.
pub fn verify_receipt(
    proof: &[u8],
    receipt: &str,
    policy: &PolicyFile,
) -> Result<(), ReceiptError> {
    let ClientReceipt { origin, receipt } =
        ClientReceipt::parse(receipt).ok_or(ReceiptError::NoReceipt)?;
    let (proof, head) = proof_file(proof).ok_or(ReceiptError::NoProof)?;
    judge_signatures(&proof, &head, policy)?;
    if proof.index != receipt.index {
        return Err(ReceiptError::AnotherEntry {
            proved: proof.index,
            promised: receipt.index,
        });
    }
    if head.origin != origin {
        return Err(ReceiptError::AnotherLog);
    }
    if head.size < receipt.size {
        return Err(ReceiptError::Older);
    }
    let same_tree = head.size != receipt.size || head.root == receipt.root;
    if same_tree && proof.includes_leaf(receipt.leaf) {
        Ok(())
    } else {
        Err(ReceiptError::NotIncluded)
    }
}

/// Whether the head that a proof is under is signed as the policy wants it.
fn judge_signatures(
    proof: &ProofFile,
    head: &Checkpoint,
    policy: &PolicyFile,
) -> Result<(), NoteError> {
    let logs = policy.logs().iter().filter(|key| key.name() == head.origin);
    let known: Vec<VerifierKey> = logs.chain(policy.witnesses()).cloned().collect();
    let signers = proof.checkpoint.verified_by(&known)?;
    let keys: Vec<&VerifierKey> = signers.into_iter().map(|(key, _)| key).collect();
    let by_log = keys.iter().any(|key| policy.logs().contains(key));
    match by_log && policy.is_quorum(&keys) {
        true => Ok(()),
        false => Err(NoteError::Unsigned),
    }
}
