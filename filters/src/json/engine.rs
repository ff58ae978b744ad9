//! Which scanner reads a document.
//!
//! Guarantees: all give the same bytes and the same refusals for every document and every split; the
//! scalar one is the reference, the other one is what the machine can do beyond it.

/// A scanner.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Engine {
    /// One byte, or a word of eight, at a time: runs on every machine.
    Scalar,
    /// Blocks of 64 bytes, where the machine can; the scalar one where it cannot.
    Simd,
    /// The same also where scalar reading would be quicker: for tests.
    SimdAlways,
}

impl Engine {
    /// The fastest one.
    #[must_use]
    pub const fn best() -> Self {
        Self::Simd
    }
}
