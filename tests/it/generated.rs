//! Generated cases: documents, rules, roles and chunkings, all from one seed.
//!
//! A case is a pure function of the seed and its number, so that any one can be made again:
//! `POSTERN_SEED` and `POSTERN_CASE` name it.

pub(crate) mod case;
pub(crate) mod chunking;
pub(crate) mod documents;
mod engines;
mod padding;
pub(crate) mod random;
pub(crate) mod selectors;
pub(crate) mod strings;

pub(crate) use case::{Case, Ready};
pub(crate) use chunking::Chunking;
pub(crate) use engines::Difference;
pub(crate) use random::Random;

/// The seed of a plain run; `POSTERN_SEED` replaces it.
pub(crate) fn seed() -> u64 {
    number_from("POSTERN_SEED").unwrap_or(0x0005_eed0)
}

/// A number from the environment.
pub(crate) fn number_from(variable: &str) -> Option<u64> {
    let text = std::env::var(variable).ok()?;
    Some(text.parse().expect("a decimal number"))
}
