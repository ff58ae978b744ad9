//! Every code an error can carry, with the long explanation that `postern explain PN012` prints.
//!
//! Codes are stable: one is never given another meaning. Codes from `PN100` on are lint findings.

mod content;
mod file;
mod lint;
mod meaning;
mod outside;
mod quota;
mod routing;
mod session;

/// A code, in one line and at length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Code {
    /// The code, such as `PN012`.
    pub code: &'static str,
    /// What it is about, in a few words.
    pub title: &'static str,
    /// What it means, why it is refused, and what to do.
    pub explanation: &'static str,
}

/// Every code, in order.
pub fn codes() -> impl Iterator<Item = &'static Code> {
    RANGES.iter().copied().flatten()
}

/// The code of this name, in either case.
#[must_use]
pub fn explanation(code: &str) -> Option<&'static Code> {
    codes().find(|known| known.code.eq_ignore_ascii_case(code))
}

const fn code(code: &'static str, title: &'static str, explanation: &'static str) -> Code {
    Code {
        code,
        title,
        explanation,
    }
}

/// The codes by what they are about, in order.
const RANGES: &[&[Code]] = &[
    file::CODES,
    meaning::CODES,
    routing::CODES,
    outside::CODES,
    content::CODES,
    quota::CODES,
    session::CODES,
    lint::CODES,
];
