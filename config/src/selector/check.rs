//! The second reader of every selector: `jsonpath-rust` must accept what our parser accepts.
//!
//! Guarantees: no selector loads that only one of two independent readers understands. The converse
//! is not asked for: `jsonpath-rust` also accepts queries that are not well-typed, and functions
//! that the standard does not know; our parser has refused those before.

use super::SelectorError;

/// Whether the second reader accepts `text`, which our parser has accepted.
pub(super) fn agrees(text: &str) -> Result<(), SelectorError> {
    match jsonpath_rust::parser::parse_json_path(text) {
        Ok(_) => Ok(()),
        Err(_refusal) => Err(SelectorError::at(
            1,
            "two readers of this selector disagree on whether it is valid; write it more simply",
        )),
    }
}
