//! What a set of roles sees at a place of a document, asked step by step and without the document.
//!
//! It judges writes. Of a write only a part of the document is known, so the selectors are read twice:
//! once so wide that every index, slice and filter selects (what *may* be labelled), and, where a field
//! without a label is hidden, once without the rules that would have to be widened (what is *surely*
//! labelled). A place counts as hidden when it is in either reading. It changes nothing.

use std::collections::HashMap;
use std::sync::Arc;

use postern_config::Action;
use postern_config::routes::{Names, Unlabelled};

use super::automaton::{DEAD, Key, LabelId, Lazy, START, StateId};
use super::plan::{JsonPlan, Verdicts};
use super::scanner::{Halt, limit};
use crate::body_filter::BodyError;

/// A route's two readings for one set of roles.
#[derive(Debug)]
pub(crate) struct SightPlans {
    /// Everything that may be labelled.
    pub(crate) may: Arc<JsonPlan>,
    /// Everything that is labelled whatever the rest of the document says; the same unless a field
    /// without a label is hidden.
    pub(crate) sure: Arc<JsonPlan>,
}

/// A place in a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Spot {
    may: StateId,
    sure: StateId,
    /// A label around it shows it.
    covered: bool,
    /// A label around it may say that strings in it hold documents.
    embeds: bool,
    /// A rule that hides something names this place on its way, and does not only look everywhere.
    on_the_way: bool,
}

/// Whether something hidden can be inside a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Nothing can.
    Nothing,
    /// Only what some rule looks for everywhere (`$..name`).
    Perhaps,
    /// A rule leads through this place.
    Likely,
}

/// What is known of a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// A string, number, boolean or null here is hidden.
    pub(crate) hides_scalar: bool,
    /// An array or object here is hidden as a whole.
    pub(crate) hides_container: bool,
    /// What a container here holds.
    pub(crate) holds: Holds,
    /// A string here holds a document, which is part of this one.
    pub(crate) opens: bool,
}

/// Follows places through both readings.
pub(crate) struct Sight<'p> {
    may: Reading<'p>,
    sure: Reading<'p>,
    unlabelled: Unlabelled,
}

impl<'p> Sight<'p> {
    /// Sight of a route for some roles.
    pub(crate) fn new(plans: &'p SightPlans) -> Self {
        Self {
            may: Reading::new(&plans.may),
            sure: Reading::new(&plans.sure),
            unlabelled: plans.may.settings().unlabelled,
        }
    }

    /// The document's root.
    pub(crate) fn root() -> Spot {
        Spot {
            may: START,
            sure: START,
            covered: false,
            embeds: false,
            on_the_way: true,
        }
    }

    /// The place of a member.
    ///
    /// # Errors
    /// The selectors lead to more states than are kept.
    pub(crate) fn member(&mut self, of: Spot, name: &str) -> Result<Spot, Halt> {
        let (may, sure) = (self.may.name(name), self.sure.name(name));
        self.step(of, may, sure)
    }

    /// The place of every element: none differs from the next.
    ///
    /// # Errors
    /// The selectors lead to more states than are kept.
    pub(crate) fn element(&mut self, of: Spot) -> Result<Spot, Halt> {
        self.step(of, Key::Index(0), Key::Index(0))
    }

    fn step(&mut self, of: Spot, may: Key, sure: Key) -> Result<Spot, Halt> {
        let around = self.sure.fact(of.sure)?;
        let shown_here = of.covered || (around.labelled && !around.hidden);
        let embeds = of.embeds || self.may.fact(of.may)?.opens;
        let step = self.may.step(of.may, may)?;
        Ok(Spot {
            may: step.state,
            sure: self.sure.step(of.sure, sure)?.state,
            covered: shown_here,
            embeds,
            on_the_way: step.on_the_way,
        })
    }

    /// What is known of a place.
    ///
    /// # Errors
    /// The selectors lead to more states than are kept.
    pub(crate) fn look(&mut self, at: Spot) -> Result<Look, Halt> {
        let may = self.may.fact(at.may)?;
        let holds = match (may.live, at.on_the_way) {
            (false, _) => Holds::Nothing,
            (true, true) => Holds::Likely,
            (true, false) => Holds::Perhaps,
        };
        if may.hidden {
            return Ok(Look {
                hides_scalar: true,
                hides_container: true,
                holds,
                opens: may.opens || at.embeds,
            });
        }
        let sure = self.sure.fact(at.sure)?;
        let visible = self.unlabelled == Unlabelled::Show || at.covered || sure.labelled;
        Ok(Look {
            hides_scalar: !visible,
            hides_container: !visible && !sure.live,
            holds: if visible { holds } else { Holds::Likely },
            opens: may.opens || at.embeds,
        })
    }

    /// The labels that hide a place, or else those of what may be hidden inside it; none where it
    /// carries no label.
    pub(crate) fn labels(&self, at: Spot) -> Vec<LabelId> {
        let plan = self.may.plan;
        let places = plan.automaton().places();
        let set = self.may.lazy.set(plan.automaton(), at.may);
        let (mut here, mut inside) = (Vec::new(), Vec::new());
        for place in set.unwrap_or_default() {
            let found = match places.is_end(*place) {
                true => &mut here,
                false => &mut inside,
            };
            let rule = places.rule(*place);
            found.extend(
                rule.into_iter()
                    .flat_map(|rule| plan.hidden_labels_of(rule)),
            );
        }
        let mut labels = if here.is_empty() { inside } else { here };
        labels.sort_unstable();
        labels.dedup();
        labels
    }
}

/// What a state means for the roles.
#[derive(Debug, Clone, Copy)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "INVARIANT: they do not depend on one another"
)]
struct Fact {
    labelled: bool,
    hidden: bool,
    live: bool,
    opens: bool,
}

/// Where a step leads.
#[derive(Debug, Clone, Copy)]
struct Step {
    state: StateId,
    on_the_way: bool,
}

/// One reading of the selectors, with what was found out about it.
struct Reading<'p> {
    plan: &'p JsonPlan,
    lazy: Lazy,
    steps: HashMap<(StateId, Key), Step>,
    facts: HashMap<StateId, Fact>,
}

impl<'p> Reading<'p> {
    fn new(plan: &'p JsonPlan) -> Self {
        Self {
            plan,
            lazy: Lazy::default(),
            steps: HashMap::new(),
            facts: HashMap::new(),
        }
    }

    fn name(&self, name: &str) -> Key {
        let automaton = self.plan.automaton();
        Key::Name(match automaton.fold() {
            Names::Exact => automaton.names().find(name.as_bytes()),
            Names::Caseless => automaton.names().find(name.to_ascii_lowercase().as_bytes()),
        })
    }

    fn step(&mut self, of: StateId, key: Key) -> Result<Step, Halt> {
        if of == DEAD {
            let state = DEAD;
            let on_the_way = false;
            return Ok(Step { state, on_the_way });
        }
        if let Some(known) = self.steps.get(&(of, key)) {
            return Ok(*known);
        }
        let automaton = self.plan.automaton();
        if self.lazy.is_full() {
            return Err(limit("selector_states"));
        }
        let next = self.lazy.next(automaton, of, key, &[]);
        let state = next.ok_or_else(|| Box::new(BodyError::Spent))?;
        let places = automaton.places();
        let set = self.lazy.set(automaton, of).unwrap_or_default();
        let mut picked = places.picked(set, key);
        let on_the_way = picked.any(|place| {
            let rule = places.rule(place);
            !places.is_end(place) && rule.is_some_and(|rule| self.plan.is_active(rule))
        });
        let step = Step { state, on_the_way };
        self.steps.insert((of, key), step);
        Ok(step)
    }

    fn fact(&mut self, state: StateId) -> Result<Fact, Halt> {
        if let Some(known) = self.facts.get(&state) {
            return Ok(*known);
        }
        let automaton = self.plan.automaton();
        let set = self.lazy.set(automaton, state);
        let set = set.ok_or_else(|| Box::new(BodyError::Spent))?;
        let mut verdicts = Verdicts::default();
        let facts = self.plan.entry_of(set, &mut verdicts).facts;
        let verdict = verdicts.get(facts.verdict);
        let fact = Fact {
            labelled: verdict.is_some(),
            hidden: verdict.is_some_and(|verdict| verdict.action != Action::Show),
            live: facts.is_live(),
            opens: verdict.is_some_and(|verdict| !verdict.embedded.is_empty()),
        };
        self.facts.insert(state, fact);
        Ok(fact)
    }
}
