//! The handle: 32 random bytes, which nobody keeps but the client.

use postern_filters::placeholder;
use zeroize::Zeroizing;

use crate::session::digest::{Digest, sha256};

/// What the client holds. It is wiped when it is dropped, and never shown.
#[derive(Clone)]
pub struct Handle(Zeroizing<[u8; 32]>);

impl Handle {
    /// A handle of these bytes, which must be random.
    #[must_use]
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(Zeroizing::new(bytes))
    }

    /// The handle that is exactly this text; none when it is no handle of ours.
    #[must_use]
    pub fn parse(text: &[u8]) -> Option<Self> {
        let handle = placeholder::Handle::parse(text)?;
        Some(Self::new(*handle.bytes()))
    }

    /// Its text, for the one cookie or header that carries it.
    #[must_use]
    pub fn text(&self) -> String {
        placeholder::Handle::new(*self.0).text()
    }

    /// Its bytes.
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

/// SECURITY: digests are compared, so that how long it takes says nothing about a handle.
impl PartialEq for Handle {
    fn eq(&self, other: &Self) -> bool {
        self.digest() == other.digest()
    }
}

impl Eq for Handle {}

impl std::fmt::Debug for Handle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Handle(..)")
    }
}
