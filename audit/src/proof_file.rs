//! Proof files (C2SP tlog-proof): that one entry is in a tree whose checkpoint is signed, in a file that
//! can be verified offline.

use std::fmt;

use crate::checkpoint::{Checkpoint, decimal};
use crate::note::Note;
use crate::tree::hash::Hash;
use crate::tree::proof::{PROOF_HASHES_MAX, is_included};

/// The first line.
const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// That an entry is in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFile {
    /// Where the entry is.
    pub index: u64,
    /// The inclusion proof, from the leaf's sibling upwards.
    pub hashes: Vec<Hash>,
    /// The signed checkpoint.
    pub checkpoint: Note,
}

impl ProofFile {
    /// Reads a proof file; extra data is passed over, because nothing vouches for it.
    #[must_use]
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (head, checkpoint) = text.split_once("\n\n")?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return None;
        }
        lines.next_if(|line| line.starts_with("extra "));
        let index = decimal(lines.next()?.strip_prefix("index ")?)?;
        let hashes: Vec<Hash> = lines.map(Hash::from_base64).collect::<Option<_>>()?;
        let checkpoint = Note::parse(checkpoint.as_bytes()).ok()?;
        (hashes.len() <= PROOF_HASHES_MAX).then_some(Self {
            index,
            hashes,
            checkpoint,
        })
    }

    /// Whether it shows that the entry is in the tree of its checkpoint. Who signed that is another
    /// question.
    #[must_use]
    pub fn includes(&self, entry: &[u8]) -> bool {
        self.includes_leaf(Hash::of_leaf(entry))
    }

    /// The same for an entry of which only the hash is known.
    #[must_use]
    pub fn includes_leaf(&self, leaf: Hash) -> bool {
        Checkpoint::parse(self.checkpoint.text())
            .is_some_and(|tree| is_included(leaf, self.index, &self.hashes, tree.size, &tree.root))
    }
}

impl fmt::Display for ProofFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{HEADER}\nindex {}", self.index)?;
        self.hashes
            .iter()
            .try_for_each(|hash| writeln!(f, "{hash}"))?;
        write!(f, "\n{}", self.checkpoint)
    }
}
