//! The second reader of every selector. (Being written.)
use super::SelectorError;
pub(super) fn agrees(_text: &str) -> Result<(), SelectorError> {
    Ok(())
}
