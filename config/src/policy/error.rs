//! What is wrong with a policy or a server file: every error at once, each pointing into the file.

use std::fmt;

/// Everything wrong with one file; never empty when returned as an error.
#[derive(Debug, Clone, Default, thiserror::Error)]
#[non_exhaustive]
pub struct PolicyErrors {
    /// What errors call the file.
    pub file: String,
    /// The file's text, for the report's snippets.
    pub source_text: String,
    /// Each error, in the order of the file.
    pub errors: Vec<PolicyError>,
}

/// One error, with where it is and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyError {
    /// The stable code, such as `PN012`.
    pub code: &'static str,
    /// What is wrong: lower case, no full stop, the author's words in backticks.
    pub message: String,
    /// The 1-based line; 0 when the error is of the whole file.
    pub line: usize,
    /// The 1-based column, in characters.
    pub column: usize,
    /// How many characters the mark under the snippet spans.
    pub width: usize,
    /// What to do.
    pub help: Option<String>,
    /// What was probably meant.
    pub did_you_mean: Option<String>,
}

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} error(s) in {}", self.errors.len(), self.file)
    }
}
