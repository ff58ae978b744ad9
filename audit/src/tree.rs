//! The Merkle tree of RFC 6962 section 2.1: hashes, the state that appending needs, proofs, and the
//! files that hold it (C2SP tlog-tiles). Pure: it reads hashes through [`HashReader`] and does no IO.

pub(crate) mod bundle;
pub(crate) mod compact_range;
pub(crate) mod hash;
pub(crate) mod proof;
pub(crate) mod tiles;

use hash::Hash;

/// Where the hashes of complete subtrees are read.
pub trait HashReader {
    /// Why a hash could not be read.
    type Error;

    /// The hash of the complete subtree over the leaves `index << level ..= ((index + 1) << level) - 1`.
    ///
    /// # Errors
    /// When the hash cannot be had.
    fn node(&mut self, level: u8, index: u64) -> Result<Hash, Self::Error>;
}
