//! An entry on its way into the log: its bytes, or its bytes around its own index.

use super::error::LogError;
use crate::tree::bundle::ENTRY_BYTES_MAX;

/// The digits of the largest index.
const INDEX_DIGITS_MAX: usize = 20;

/// What is to be appended. It may contain its own index, which is known only when it is written: OCSF's
/// `metadata.sequence`.
#[derive(Clone, PartialEq, Eq)]
pub struct NewEntry {
    before: Vec<u8>,
    /// What follows the index; nothing when the entry does not contain it.
    after: Option<Vec<u8>>,
}

impl NewEntry {
    /// An entry with these bytes.
    #[must_use]
    pub const fn new(bytes: Vec<u8>) -> Self {
        Self {
            before: bytes,
            after: None,
        }
    }

    /// An entry that has its index, in decimal, between two parts. It is refused as too long when it
    /// would be with an index of twenty digits.
    #[must_use]
    pub const fn numbered(before: Vec<u8>, after: Vec<u8>) -> Self {
        Self {
            before,
            after: Some(after),
        }
    }

    /// How long it is at most.
    #[must_use]
    pub fn bytes_max(&self) -> usize {
        let after = self.after.as_ref();
        let rest = after.map_or(0, |after| INDEX_DIGITS_MAX.saturating_add(after.len()));
        self.before.len().saturating_add(rest)
    }

    pub(crate) fn check(&self) -> Result<(), LogError> {
        match self.bytes_max() {
            0 => Err(LogError::Empty),
            bytes if bytes > ENTRY_BYTES_MAX => Err(LogError::TooLong { bytes }),
            _ => Ok(()),
        }
    }

    pub(crate) fn at(&self, index: u64) -> Vec<u8> {
        let mut bytes = self.before.clone();
        if let Some(after) = &self.after {
            bytes.extend_from_slice(index.to_string().as_bytes());
            bytes.extend_from_slice(after);
        }
        bytes
    }
}

/// SECURITY: shows its length only.
impl std::fmt::Debug for NewEntry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewEntry")
            .field("bytes_max", &self.bytes_max())
            .finish_non_exhaustive()
    }
}
