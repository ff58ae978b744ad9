//! The handle: 32 random bytes, which nobody keeps but the client.

use zeroize::Zeroizing;

use crate::session::digest::{Digest, sha256};

/// What the client holds. It is wiped when it is dropped, and never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Handle(Zeroizing<[u8; 32]>);

impl Handle {
    /// A handle of these bytes, which must be random.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// Its bytes, to be told to the client.
    #[must_use]
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Its SHA-256, by which the store finds the session: whoever reads the store cannot go back to it.
    #[must_use]
    pub fn digest(&self) -> Digest {
        sha256(self.0.as_slice())
    }
}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle(..)")
    }
}
