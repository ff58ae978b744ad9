//! SHA-256 as RFC 6962 section 2.1 uses it: leaves and nodes are hashed in separate domains, so that
//! no entry can pass for a node.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::digest::{Context, SHA256};

/// The length of a hash.
pub(crate) const HASH_BYTES: usize = 32;

/// A SHA-256 hash of a leaf, a node or a whole tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Hash([u8; HASH_BYTES]);

impl Hash {
    /// The hash with these bytes.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; HASH_BYTES]) -> Self {
        Self(bytes)
    }

    /// Its bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; HASH_BYTES] {
        &self.0
    }

    /// Reads standard base64 with padding, as checkpoints and proofs have it.
    #[must_use]
    pub fn from_base64(text: &str) -> Option<Self> {
        let bytes = STANDARD.decode(text).ok()?;
        Some(Self(bytes.try_into().ok()?))
    }

    /// The root of the tree without leaves.
    #[must_use]
    pub fn of_nothing() -> Self {
        Self::digest(&[])
    }

    /// The hash of an entry as a leaf.
    #[must_use]
    pub fn of_leaf(entry: &[u8]) -> Self {
        Self::digest(&[&[0], entry])
    }

    /// The hash of two subtrees side by side.
    #[must_use]
    pub fn of_node(left: &Self, right: &Self) -> Self {
        Self::digest(&[&[1], &left.0, &right.0])
    }

    fn digest(parts: &[&[u8]]) -> Self {
        let mut context = Context::new(&SHA256);
        for part in parts {
            context.update(part);
        }
        let mut bytes = [0; HASH_BYTES];
        for (to, from) in bytes.iter_mut().zip(context.finish().as_ref()) {
            *to = *from;
        }
        Self(bytes)
    }
}

/// Standard base64 with padding.
impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&STANDARD.encode(self.0))
    }
}
