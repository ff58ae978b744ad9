//! Counts a document while another plan rewrites it: one scanner tells both.
//!
//! ```text
//!                 ┌──▶ rewriter, by what the reader sees ──▶ bytes
//! bytes ─▶ scanner┤
//!                 └──▶ rewriter, by what is counted ──▶ tally      its bytes are dropped
//! ```
//!
//! Guarantees: neither of the two changes what the other one makes of the document; where one does not
//! look into a container, the other may.

use std::ops::Range;
use std::sync::Arc;

use super::plan::JsonPlan;
use super::rewriter::{Pass, Rewriter, Tape};
use super::scanner::{Halt, Inside, Interest, Sink, Terms};
use crate::body_filter::BodyError;
use crate::export_meter::Tally;
use crate::value_action::JsonKind;

/// The state of what counts a document between two chunks.
#[derive(Clone)]
pub(super) struct Counter {
    plan: Arc<JsonPlan>,
    pub(super) rewriter: Rewriter,
    undecided: Vec<u8>,
    decided: u64,
    attention: Attention,
}

/// Who listens to the scanner at the present place.
#[derive(Debug, Clone, Copy, Default)]
struct Attention {
    /// How many containers are open that the scanner follows.
    level: usize,
    /// For each of the two, how many of them are around the container that it does not look into.
    first_skips: Option<usize>,
    second_skips: Option<usize>,
}

impl Counter {
    /// A counter before the first byte of a document.
    pub(super) fn new(plan: Arc<JsonPlan>, rewriter: Rewriter, tally: Tally) -> Self {
        Self {
            rewriter: rewriter.count(tally),
            plan,
            undecided: Vec::new(),
            decided: 0,
            attention: Attention::default(),
        }
    }

    /// Lets the scanner tell both. PERF: apart from the way of a body that nobody counts.
    #[inline(never)]
    pub(super) fn listen(
        &mut self,
        chunk: &[u8],
        first: &mut Pass<'_>,
        tell: impl FnOnce(&mut Both<'_, '_, '_>) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        let mut second = Pass {
            plan: &self.plan,
            rewriter: &mut self.rewriter,
            tape: Tape::new(chunk, &mut self.undecided, 0, self.decided),
            question: None,
        };
        tell(&mut Both {
            first,
            second: &mut second,
            attention: &mut self.attention,
        })?;
        let decided = second.settle_unread(chunk.len())?;
        // What is left of the output is what is not decided.
        let left = second.tape.left(decided);
        let dropped = self.undecided.len().checked_sub(left);
        let dropped = dropped.ok_or_else(|| Box::new(BodyError::Spent))?;
        self.undecided.drain(..dropped);
        self.decided = decided;
        Ok(())
    }

    /// The next document of a sequence begins.
    pub(super) fn next_document(&mut self) {
        self.rewriter.next_document(self.decided);
        self.undecided.clear();
        self.attention = Attention::default();
    }
}

/// Two listeners as one.
pub(super) struct Both<'b, 'f, 's> {
    first: &'b mut Pass<'f>,
    second: &'b mut Pass<'s>,
    attention: &'b mut Attention,
}

impl Both<'_, '_, '_> {
    /// Whether each of the two looks into the present container.
    #[inline]
    fn listening(&self) -> (bool, bool) {
        let Attention {
            first_skips,
            second_skips,
            ..
        } = *self.attention;
        (first_skips.is_none(), second_skips.is_none())
    }
}

/// What one of the two does not listen to asks for nothing.
const NOTHING: Terms = Terms {
    object: false,
    all: false,
    containers: false,
};

/// The more of two interests, of the one that writes and the one that counts.
const fn either(first: Interest, second: Interest) -> Interest {
    match (first, second) {
        // What is counted is told, and so is what only the counting plan would replace.
        (Interest::Value, _) | (_, Interest::Value | Interest::Replaced) => Interest::Value,
        // A scalar that the reader gets in another form is nothing to whoever does not count it.
        (Interest::Replaced, Interest::None | Interest::Inside) => Interest::Replaced,
        (Interest::Inside, _) | (_, Interest::Inside) => Interest::Inside,
        (Interest::None, Interest::None) => Interest::None,
    }
}

impl Sink for Both<'_, '_, '_> {
    fn value_begins(&mut self, kind: JsonKind, at: usize) -> Result<Inside, Halt> {
        let (first, second) = self.listening();
        let mut follows = (false, false);
        if first {
            follows.0 = self.first.value_begins(kind, at)? == Inside::Follow;
        }
        if second {
            follows.1 = self.second.value_begins(kind, at)? == Inside::Follow;
        }
        let container = matches!(kind, JsonKind::Array | JsonKind::Object);
        if !container || follows == (false, false) {
            return Ok(Inside::Skip);
        }
        let Attention {
            level,
            first_skips,
            second_skips,
        } = &mut *self.attention;
        if !follows.0 {
            first_skips.get_or_insert(*level);
        }
        if !follows.1 {
            second_skips.get_or_insert(*level);
        }
        *level += 1;
        Ok(Inside::Follow)
    }

    fn value_ends(&mut self, at: usize) -> Result<(), Halt> {
        let (first, second) = self.listening();
        if first {
            self.first.value_ends(at)?;
        }
        if second {
            self.second.value_ends(at)?;
        }
        Ok(())
    }

    fn closes(&mut self, at: usize) -> Result<(), Halt> {
        let (first, second) = self.listening();
        if first {
            self.first.closes(at)?;
        }
        if second {
            self.second.closes(at)?;
        }
        let attention = &mut *self.attention;
        let level = attention.level.checked_sub(1);
        attention.level = level.ok_or_else(|| Box::new(BodyError::Spent))?;
        // Whoever did not look into this container is told again from its end on.
        attention.first_skips.take_if(|skips| Some(*skips) == level);
        attention
            .second_skips
            .take_if(|skips| Some(*skips) == level);
        Ok(())
    }

    fn name_begins(&mut self, at: usize) -> Result<(), Halt> {
        let (first, second) = self.listening();
        if first {
            self.first.name_begins(at)?;
        }
        if second {
            self.second.name_begins(at)?;
        }
        Ok(())
    }

    fn name_ends(&mut self, raw: &[u8], escaped: bool) -> Result<(), Halt> {
        let (first, second) = self.listening();
        if first {
            self.first.name_ends(raw, escaped)?;
        }
        if second {
            self.second.name_ends(raw, escaped)?;
        }
        Ok(())
    }

    fn comma(&mut self, at: usize) -> Result<(), Halt> {
        let (first, second) = self.listening();
        if first {
            self.first.comma(at)?;
        }
        if second {
            self.second.comma(at)?;
        }
        Ok(())
    }

    fn terms(&self) -> Terms {
        let (first, second) = self.listening();
        let first = if first { self.first.terms() } else { NOTHING };
        let second = if second { self.second.terms() } else { NOTHING };
        Terms {
            object: first.object || second.object,
            all: first.all || second.all,
            containers: first.containers || second.containers,
        }
    }

    fn unheard_max(&self) -> usize {
        self.first.unheard_max().min(self.second.unheard_max())
    }

    #[inline]
    fn ignores(&self, word: u64) -> bool {
        let (first, second) = self.listening();
        (!first || self.first.ignores(word)) && (!second || self.second.ignores(word))
    }

    fn meets(&mut self, raw: &[u8]) -> Interest {
        let (first, second) = self.listening();
        let mut interest = Interest::None;
        if first {
            interest = self.first.meets(raw);
        }
        if second {
            interest = either(interest, self.second.meets(raw));
        }
        interest
    }

    fn meets_short(&mut self, word: u64, raw: &[u8]) -> Option<Interest> {
        let (first, second) = self.listening();
        let mut interest = Interest::None;
        if first {
            interest = self.first.meets_short(word, raw)?;
        }
        if second {
            interest = either(interest, self.second.meets_short(word, raw)?);
        }
        Some(interest)
    }

    fn replaces(&mut self, kind: JsonKind, value: Range<usize>) -> Result<bool, Halt> {
        let (first, second) = self.listening();
        let done = first && self.first.replaces(kind, value)?;
        if done && second {
            self.second.passed();
        }
        Ok(done)
    }

    fn meets_another(&mut self) {
        let (first, second) = self.listening();
        if first {
            self.first.meets_another();
        }
        if second {
            self.second.meets_another();
        }
    }

    fn passed(&mut self) {
        let (first, second) = self.listening();
        if first {
            self.first.passed();
        }
        if second {
            self.second.passed();
        }
    }

    fn awaits_comma(&self) -> bool {
        let (first, second) = self.listening();
        first && self.first.awaits_comma() || second && self.second.awaits_comma()
    }
}
