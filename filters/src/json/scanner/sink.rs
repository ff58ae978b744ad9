//! Who follows the structure of a document.
//!
//! The scanner has checked the grammar before it reports anything: a sink sees only sequences of
//! events that a valid document has.

use std::ops::Range;

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

/// What a sink wants to be told of what is directly inside the container that it follows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::json) struct Terms {
    /// Whether the container is an object.
    pub(in crate::json) object: bool,
    /// Everything; otherwise only members that [`Sink::meets`] knows, and containers as below.
    pub(in crate::json) all: bool,
    /// Of members that are not known, and of elements: that they are containers.
    pub(in crate::json) containers: bool,
}

/// What a sink has to do with a member of this name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::json) enum Interest {
    /// Nothing.
    None,
    /// It follows the value if that is a container.
    Inside,
    /// It replaces the value if that is a scalar, and otherwise wants to know everything.
    Replaced,
    /// It wants to know everything.
    Value,
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

    /// What it wants to be told inside of the present container.
    fn terms(&self) -> Terms {
        Terms {
            object: false,
            all: true,
            containers: true,
        }
    }
    /// How many bytes may pass between two events of members.
    fn unheard_max(&self) -> usize {
        0
    }
    /// Whether it has nothing to do with any name that ends like this: before the closing quote stand
    /// these bytes as written, the last one in the highest byte of the word; of the lowest two nothing is
    /// said. Some of them may stand before the name.
    fn ignores(&self, _word: u64) -> bool {
        false
    }
    /// The name, which has no escapes, of the next member; it need not be told otherwise.
    fn meets(&mut self, _raw: &[u8]) -> Interest {
        Interest::Value
    }
    /// The same of a name whose last bytes, up to eight, are also given as a word; none when the sink
    /// does not know by these.
    fn meets_short(&mut self, _word: u64, _raw: &[u8]) -> Option<Interest> {
        None
    }
    /// The member whose name it met last, and of which nothing else was told, has this scalar as its
    /// value: does all that the events would have done, from the comma before the name to the value's
    /// end; or does nothing and says so.
    fn replaces(&mut self, _kind: JsonKind, _value: Range<usize>) -> Result<bool, Halt> {
        Ok(false)
    }
    /// A container begins, an object or else an array, as the value of the member that it met last or as
    /// an element, and nothing else was told of it: follows it, and says what it wants to be told inside;
    /// or does nothing and gives none. Asked only where it does not want to be told everything.
    fn enters(&mut self, _object: bool) -> Option<Terms> {
        None
    }
    /// The container that it follows ends: does all that the events would have done, and says what it
    /// wants to be told around it; or does nothing and gives none. Asked as above.
    fn leaves(&mut self) -> Option<Terms> {
        None
    }
    /// The next member has a name that is not known.
    fn meets_another(&mut self) {}
    /// Members or elements of which nothing was told have passed, and stay.
    fn passed(&mut self) {}
    /// Whether the comma that comes next must be told before the next member begins.
    fn awaits_comma(&self) -> bool {
        true
    }
}
