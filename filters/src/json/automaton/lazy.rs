//! States that the table does not hold, made when a document reaches them.
//!
//! Guarantees: the same steps as the table, through the same function. What it keeps is bounded by
//! [`KEPT_MAX`]: past it, everything but the states still in use is forgotten.

use std::collections::HashMap;

use super::Automaton;
use super::StateId;
use super::positions::{Key, Place, TestId};

/// The most states and the most steps that are kept.
const KEPT_MAX: usize = 4096;

/// States of one exchange, numbered from the table's end on.
#[derive(Default, Clone)]
pub(in crate::json) struct Lazy {
    sets: Vec<Box<[Place]>>,
    ids: HashMap<Box<[Place]>, StateId>,
    steps: HashMap<(StateId, Key, Box<[TestId]>), StateId>,
}

impl Lazy {
    /// How many states there are.
    pub(in crate::json) fn len(&self) -> usize {
        self.sets.len()
    }

    /// The set of a state, wherever it is; none when there is no such state.
    pub(in crate::json) fn set<'a>(
        &'a self,
        automaton: &'a Automaton,
        state: StateId,
    ) -> Option<&'a [Place]> {
        let table = automaton.table();
        table.set(state).or_else(|| {
            let index = (state as usize).checked_sub(table.len())?;
            self.sets.get(index).map(|set| &**set)
        })
    }

    /// The child's state when exactly the tests `holding` hold for it; none when there is no such
    /// state to step from.
    pub(in crate::json) fn next(
        &mut self,
        automaton: &Automaton,
        state: StateId,
        key: Key,
        holding: &[TestId],
    ) -> Option<StateId> {
        if holding.is_empty()
            && let Some(next) = automaton.table().next(state, key)
        {
            return Some(next);
        }
        let set = self.set(automaton, state)?;
        let by_range = set
            .iter()
            .any(|place| automaton.places().ranges(*place).next().is_some());
        // One element is like the next unless a range says otherwise.
        let (key, kept) = match key {
            Key::Index(_) if !by_range => (Key::Index(0), true),
            Key::Index(_) => (key, false),
            Key::Name(_) => (key, true),
        };
        let step = (state, key, Box::from(holding));
        if let Some(next) = self.steps.get(&step) {
            return Some(*next);
        }
        let next = automaton.places().step(set, key, holding);
        let next = self.state(automaton, next.into())?;
        if kept && self.steps.len() < KEPT_MAX {
            self.steps.insert(step, next);
        }
        Some(next)
    }

    /// Whether the states in use should be carried into a fresh one with [`Self::carry`].
    pub(in crate::json) fn is_full(&self) -> bool {
        self.sets.len() >= KEPT_MAX
    }

    /// The number that a state of `self` has in `fresh`.
    pub(in crate::json) fn carry(
        &self,
        automaton: &Automaton,
        state: StateId,
        fresh: &mut Self,
    ) -> Option<StateId> {
        fresh.state(automaton, self.set(automaton, state)?.into())
    }

    fn state(&mut self, automaton: &Automaton, set: Box<[Place]>) -> Option<StateId> {
        if let Some(state) = automaton.table().find(&set) {
            return Some(state);
        }
        if let Some(state) = self.ids.get(&set) {
            return Some(*state);
        }
        let state = StateId::try_from(automaton.table().len() + self.sets.len()).ok()?;
        self.ids.insert(set.clone(), state);
        self.sets.push(set);
        Some(state)
    }
}
