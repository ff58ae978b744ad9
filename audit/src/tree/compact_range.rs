//! What appending to a tree needs to remember: the roots of its complete subtrees, one for each bit
//! of its size.

use super::HashReader;
use super::hash::Hash;

/// The state of a tree that grows to the right: `O(log n)` hashes.
#[derive(Debug, Clone, Default)]
pub struct CompactRange {
    size: u64,
    /// INVARIANT: one hash for each bit that is set in `size`, the largest subtree first.
    peaks: Vec<Hash>,
}

impl CompactRange {
    /// The state of a tree of this size, read from its hashes.
    ///
    /// # Errors
    /// When a hash cannot be read.
    pub fn load<R: HashReader>(size: u64, reader: &mut R) -> Result<Self, R::Error> {
        let mut peaks = Vec::new();
        for level in (0..64_u8).rev() {
            if (size >> level) & 1 == 1 {
                // The subtree of this bit begins where the higher bits end.
                let index = (size >> level) - 1;
                peaks.push(reader.node(level, index)?);
            }
        }
        Ok(Self { size, peaks })
    }

    /// How many leaves there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Appends a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let mut hash = leaf;
        let mut bits = self.size;
        while bits & 1 == 1 {
            if let Some(left) = self.peaks.pop() {
                hash = Hash::of_node(&left, &hash);
            }
            bits >>= 1;
        }
        self.peaks.push(hash);
        self.size += 1;
    }

    /// The root of the whole tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut peaks = self.peaks.iter().rev();
        let Some(last) = peaks.next() else {
            return Hash::of_nothing();
        };
        peaks.fold(*last, |right, left| Hash::of_node(left, &right))
    }
}
