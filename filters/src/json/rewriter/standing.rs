//! Where a rewriter stood before it read a string as a document, to go back to when the string is none.
//!
//! It guarantees that a string that turned out to hold no document has left no trace in the frames around
//! it, nor in what is still required. It does not undo what was appended to an output, nor what was
//! counted: whoever tried the string does that.

use super::Rewriter;

/// Where a rewriter stood.
pub(super) struct Standing {
    /// How many frames were around the one on top.
    pub(super) levels: usize,
    opened: usize,
    missing: Vec<usize>,
}

impl Rewriter {
    /// Where it stands, in front of a string.
    pub(super) fn standing(&self) -> Standing {
        Standing {
            levels: self.parents.len(),
            opened: self.opened,
            missing: self.missing.clone(),
        }
    }

    /// Goes back to in front of the string, of which nothing is followed any more.
    pub(super) fn go_back_to(&mut self, before: Standing) {
        // INVARIANT: the first frame that a document in a string pushes is the one that was on top.
        if let Some(top) = self.parents.get(before.levels).copied() {
            self.top = top;
        }
        self.parents.truncate(before.levels);
        self.opened = before.opened;
        self.missing = before.missing;
        self.captured = None;
        self.holding = None;
    }
}
