//! Who follows the structure of a document.
//!
//! The scanner has checked the grammar before it reports anything: a sink sees only sequences of
//! events that a valid document has.

use super::Halt;
use crate::value_action::JsonKind;

/// Whether the inside of a container is reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::json) enum Inside {
    /// Every event inside is reported.
    Follow,
    /// The next event is the end of this container.
    Skip,
}

/// Follows the structure of a document. Positions are offsets in the chunk being read.
pub(in crate::json) trait Sink {
    /// A value's first byte is at `at`. The answer only matters for a container.
    fn value_begins(&mut self, kind: JsonKind, at: usize) -> Result<Inside, Halt>;
    /// The value that began last and has not ended ends before `at`.
    fn value_ends(&mut self, at: usize) -> Result<(), Halt>;
    /// The closing bracket of a followed container is at `at`; `value_ends` comes next.
    fn closes(&mut self, at: usize) -> Result<(), Halt>;
    /// A member's name begins with the quote at `at`.
    fn name_begins(&mut self, at: usize) -> Result<(), Halt>;
    /// A member's name has ended: its text without quotes, and whether it has escapes.
    fn name_ends(&mut self, raw: &[u8], escaped: bool) -> Result<(), Halt>;
    /// A comma of a followed container is at `at`.
    fn comma(&mut self, at: usize) -> Result<(), Halt>;
}
