//! What a log asks of a witness (C2SP tlog-witness), and what an answer means.
//!
//! It knows no HTTP: a request's body comes out, a status and a body go in. A cosignature counts only when
//! it is the witness's own, over the very checkpoint that was sent.

use crate::checkpoint::{Checkpoint, decimal};
use crate::note::{Note, SignatureLine};
use crate::tree::hash::Hash;
use crate::vkey::VerifierKey;

/// A signed checkpoint that is taken to a witness.
#[derive(Debug, Clone)]
pub struct Asking {
    note: Note,
    checkpoint: Checkpoint,
}

/// What is taken to witnesses.
#[derive(Debug, Clone)]
pub struct WithProofs {
    /// The checkpoint.
    pub asking: Asking,
    /// For each witness, in the order in which they were named, a proof from what it has seen; empty where there
    /// is none.
    pub proofs: Vec<Vec<Hash>>,
}

/// What a witness has answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Heard {
    /// It has cosigned the checkpoint.
    Cosigned(SignatureLine),
    /// It has last cosigned a checkpoint of another size than it was told: ask again from there.
    Behind {
        /// That size, which the log has.
        size: u64,
    },
    /// It has cosigned a checkpoint that is larger than this one: the log was rolled back.
    Ahead {
        /// The size that it knows.
        size: u64,
    },
    /// It has cosigned another tree under the log's name: the log was forked.
    Forked {
        /// The size up to which they were to agree.
        size: u64,
    },
    /// It does not know the log, or not its key.
    Unknown,
    /// It says something else, or its signature is not its own.
    Useless {
        /// The HTTP status.
        status: u16,
    },
}

impl Asking {
    /// The checkpoint of a note, signed by the log; nothing when it is none.
    #[must_use]
    pub fn new(note: &str) -> Option<Self> {
        let note = Note::parse(note.as_bytes()).ok()?;
        let checkpoint = Checkpoint::parse(note.text())?;
        Some(Self { note, checkpoint })
    }

    /// Which tree it is about.
    #[must_use]
    pub const fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The signed checkpoint itself.
    #[must_use]
    pub const fn note(&self) -> &Note {
        &self.note
    }

    /// The text that is to be cosigned.
    #[must_use]
    pub fn text(&self) -> &str {
        self.note.text()
    }

    /// The body of `POST add-checkpoint`, with the proof that the tree of `old` entries is the beginning of
    /// this one.
    #[must_use]
    pub fn request(&self, old: u64, proof: &[Hash]) -> String {
        let proof: String = proof.iter().map(|hash| format!("{hash}\n")).collect();
        format!("old {old}\n{proof}\n{}", self.note)
    }

    /// What the answer to the request with this `old` means.
    #[must_use]
    pub fn hear(&self, old: u64, witness: &VerifierKey, (status, body): (u16, &[u8])) -> Heard {
        let text = std::str::from_utf8(body).unwrap_or_default();
        match status {
            200 => self.cosigned(text, witness),
            403 | 404 => Heard::Unknown,
            409 => match decimal(text.trim_end_matches('\n')) {
                Some(size) if size > self.checkpoint.size => Heard::Ahead { size },
                Some(size) if size == old => Heard::Forked { size },
                Some(size) => Heard::Behind { size },
                None => Heard::Useless { status },
            },
            // The proof is made from the tree itself, so it is the witness's tree that is another.
            422 => Heard::Forked { size: old },
            _ => Heard::Useless { status },
        }
    }

    fn cosigned(&self, text: &str, witness: &VerifierKey) -> Heard {
        let lines = text.lines().filter_map(SignatureLine::parse);
        let mut own = lines.filter(|line| {
            line.key_id == witness.id()
                && line.name == witness.name()
                && witness.verifies(self.text(), &line.signature)
        });
        own.next()
            .map_or(Heard::Useless { status: 200 }, Heard::Cosigned)
    }
}
