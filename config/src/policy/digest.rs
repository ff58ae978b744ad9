//! The revision of a policy: the digest of the policy and everything it includes.

use std::fmt;

use sha2::{Digest, Sha256};

/// The SHA-256 of a policy's closure: the policy file and every file it names, in a fixed order.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Revision([u8; 32]);

impl Revision {
    /// The digest of named parts; the same parts in the same order give the same revision, and no two
    /// different lists give the same input to the digest.
    #[must_use]
    pub fn of_closure(parts: &[(&str, &[u8])]) -> Self {
        let mut digest = Sha256::new();
        for (name, bytes) in parts {
            for field in [name.as_bytes(), bytes] {
                digest.update((field.len() as u64).to_be_bytes());
                digest.update(field);
            }
        }
        Self(digest.finalize().into())
    }

    /// All 64 hex digits: what is signed.
    #[must_use]
    pub fn digest(&self) -> String {
        hex::encode(self.0)
    }

    /// The first 12 hex digits: how a revision is named in logs, metrics and `Postern-Revision`.
    #[must_use]
    pub fn short(&self) -> String {
        let Self(digest) = self;
        let [a, b, c, d, e, f, ..] = *digest;
        format!("{:012x}", u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }
}

impl fmt::Display for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.short())
    }
}

impl fmt::Debug for Revision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Revision({})", self.short())
    }
}
