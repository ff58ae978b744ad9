//! The order in which a body is decoded, redacted and encoded again; the only mint of [`Redacted`].
//! (Being written.)

use std::collections::BTreeMap;
use std::fmt;

use bytes::Bytes;

use crate::body_filter::BodyError;

/// Bytes that may leave. Only [`BodyPipeline`] can make them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Redacted(Bytes);

impl Redacted {
    /// The bytes themselves, to be written to the client.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redacted({} bytes)", self.0.len())
    }
}

/// What a pipeline did, without any of the data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BodySummary {
    /// Decoded bytes read.
    pub bytes_in: u64,
    /// Bytes released, before they are encoded for the client.
    pub bytes_out: u64,
    /// Values withheld (any action but `show`), by label.
    pub withheld: BTreeMap<String, u64>,
}

/// One body's way from the upstream to the client.
#[derive(Debug, Default)]
pub struct BodyPipeline {
    summary: BodySummary,
}

impl BodyPipeline {
    /// Takes the next bytes as the upstream sent them and returns what may leave.
    ///
    /// # Errors
    /// The body may not leave any further; the pipeline is spent.
    pub fn push(&mut self, chunk: Bytes) -> Result<Redacted, BodyError> {
        let _ = chunk;
        Err(BodyError::Spent)
    }

    /// The upstream's body has ended.
    ///
    /// # Errors
    /// The body is incomplete or lacks what the policy requires.
    pub fn finish(&mut self) -> Result<Redacted, BodyError> {
        Err(BodyError::Spent)
    }

    /// What was done so far.
    #[must_use]
    pub fn summary(&self) -> &BodySummary {
        &self.summary
    }
}
