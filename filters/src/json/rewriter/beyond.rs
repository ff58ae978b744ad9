//! What the table does not hold: states that a document reaches beyond it, or where a filter held.
//!
//! Guarantees: as many states are kept as [`Lazy`] bounds; when it is full, the states in use are carried
//! into a fresh one, under other numbers.

use super::frame::{Cover, Embeds, Frame};
use super::{Halt, Pass, spent};
use crate::json::automaton::{Key, Lazy, StateId};
use crate::json::plan::{Entry, Verdict, Verdicts};

/// What only some documents need: states beyond the table.
#[derive(Default, Clone)]
pub(super) struct Beyond {
    pub(super) lazy: Lazy,
    pub(super) entries: Vec<Entry>,
    pub(super) verdicts: Verdicts,
}

impl Pass<'_> {
    /// What a state beyond the table is.
    #[cold]
    pub(super) fn entry_beyond(&mut self, state: StateId) -> Result<&Entry, Halt> {
        let automaton = self.plan.automaton();
        let beyond = &mut self.rewriter.beyond;
        while beyond.entries.len() < beyond.lazy.len() {
            let next = automaton.states() + beyond.entries.len();
            let next = StateId::try_from(next).unwrap_or(StateId::MAX);
            let set = beyond.lazy.set(automaton, next).ok_or_else(spent)?;
            let mut entry = self.plan.entry_of(set, &mut beyond.verdicts);
            if entry.facts.verdict != 0 {
                entry.facts.verdict += self.plan.verdicts().count();
            }
            beyond.entries.push(entry);
        }
        let index = (state as usize).checked_sub(automaton.states());
        let entry = index.and_then(|index| beyond.entries.get(index));
        entry.ok_or_else(spent)
    }

    /// The state of a child under `key` for which exactly these tests hold.
    #[cold]
    pub(super) fn step_beyond(&mut self, key: Key, holding: &[u32]) -> Result<StateId, Halt> {
        let automaton = self.plan.automaton();
        let rewriter = &mut *self.rewriter;
        if rewriter.beyond.lazy.is_full() {
            // What searches a container, or opens strings in it, is known by its verdict's number, which has
            // to stay.
            let known = self.plan.verdicts().count();
            let by_number = |frame: &Frame| {
                matches!(frame.cover, Cover::Searched(number) if number > known)
                    || matches!(frame.embeds, Embeds::Root(by) | Embeds::Inside(by) if by > known)
            };
            let numbered = rewriter.parents.iter().any(by_number) || by_number(&rewriter.top);
            let mut fresh = Beyond::default();
            if numbered {
                fresh.verdicts = std::mem::take(&mut rewriter.beyond.verdicts);
            }
            let old = &rewriter.beyond.lazy;
            for frame in rewriter.parents.iter_mut().chain([&mut rewriter.top]) {
                frame.state = old
                    .carry(automaton, frame.state, &mut fresh.lazy)
                    .ok_or_else(spent)?;
            }
            rewriter.beyond = fresh;
        }
        let lazy = &mut rewriter.beyond.lazy;
        lazy.next(automaton, rewriter.top.state, key, holding)
            .ok_or_else(spent)
    }
}

/// A verdict by its number, of the plan or beyond it.
#[inline]
pub(super) fn verdict<'v>(
    (known, beyond): (&'v Verdicts, &'v Verdicts),
    number: u32,
) -> Option<&'v Verdict> {
    known
        .get(number)
        .or_else(|| beyond.get(number.checked_sub(known.count())?))
}
