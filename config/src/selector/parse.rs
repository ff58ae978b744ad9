//! Reads RFC 9535 query text into its syntax tree. (Being written.)
use super::ast::Segment;

/// Why a text is no valid query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at column {column}")]
#[non_exhaustive]
pub struct SelectorError {
    /// What is wrong and what was expected.
    pub message: String,
    /// The 1-based column in the selector's text, in characters.
    pub column: usize,
}
impl SelectorError {
    pub(super) fn absolute_under() -> Self {
        Self {
            message: "a filter that refers to `$` cannot be re-rooted with `under`".to_owned(),
            column: 1,
        }
    }
}
pub(super) fn query(_text: &str) -> Result<Vec<Segment>, SelectorError> {
    Err(SelectorError {
        message: "not yet".to_owned(),
        column: 1,
    })
}
