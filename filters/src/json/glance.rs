//! What of a document is worth a second look, for one set of roles.
//!
//! Guarantees: a member or element that is passed over here is one to which nothing happens: it has no
//! label that matters, nothing in it can be selected, and nothing waits for it. In doubt it is looked
//! at. Most members are passed over by the last two bytes of their names.

mod endings;

use postern_config::Action;
use postern_config::routes::{Names, Unlabelled};

use super::automaton::{Automaton, Key, NameId, NameTable, StateId};
use endings::Endings;

use super::plan::{Entry, JsonPlan, RecordsOf, Verdict};
use super::scanner::Terms;

/// See the module.
pub(super) struct Glance {
    /// How names that matter may end.
    endings: Endings,
    states: Box<[Look]>,
    /// Names by their length and last eight bytes; a power of two of slots, none where names are folded.
    names: Box<[Slot]>,
}

/// A name in a table without chains: one that shares its slot with another is `ambiguous`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Slot {
    word: u64,
    length: u32,
    name: NameId,
    ambiguous: bool,
}

/// What may be passed over in a state, and what the state itself means for a value.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// What the value is, if nothing happens to it as a scalar.
    pub(super) value: Option<Others>,
    /// What is wanted of an object, and of an array.
    object: Terms,
    array: Terms,
    /// The state of every element, where something is known of them.
    element: StateId,
    /// A label shows the value.
    pub(super) shown: bool,
    /// The verdict by which a scalar is replaced by what its text alone decides, and nothing else
    /// happens to it; 0 when there is none.
    pub(super) replacement: u32,
}

/// What the members that are not known, or all elements, have in common.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    /// Nothing happens in them.
    Dead,
    /// Something may happen inside those that are containers.
    Live,
}

impl Glance {
    /// Nothing may be passed over.
    pub(super) fn nothing() -> Self {
        Self {
            endings: Endings::any(),
            states: Box::default(),
            names: Box::default(),
        }
    }

    /// Of a plan whose entries are known.
    pub(super) fn of(plan: &JsonPlan) -> Self {
        let automaton = plan.automaton();
        let told = plan.settings().unlabelled != Unlabelled::Show
            || plan.records_of() != RecordsOf::Nothing
            || plan.required().next().is_some();
        if told {
            return Self::nothing();
        }
        let states = (0..automaton.states()).map(|state| {
            let state = StateId::try_from(state).unwrap_or(StateId::MAX);
            look(plan, state)
        });
        Self {
            endings: Endings::of(automaton.names(), automaton.fold()),
            names: slots(automaton),
            states: states.collect(),
        }
    }

    /// Whether no name that ends with these bytes, as written, matters: see [`Sink::ignores`].
    ///
    /// [`Sink::ignores`]: super::scanner::Sink::ignores
    #[inline]
    pub(super) fn ignores(&self, word: u64) -> bool {
        self.endings.ignore(word)
    }

    /// The number of a name without escapes whose last bytes, up to eight, are `word`; none when it must
    /// be looked up as a whole.
    #[inline]
    pub(super) fn name(&self, word: u64, raw: &[u8], names: &NameTable) -> Option<NameId> {
        let slot = self.names.get(place(word, raw.len(), self.names.len()))?;
        if slot.ambiguous {
            return None;
        }
        if slot.word != word || slot.length as usize != raw.len() {
            return Some(0);
        }
        // Longer names may still differ in front.
        let same = raw.len() <= 8 || names.get(slot.name) == Some(raw);
        Some(if same { slot.name } else { 0 })
    }

    /// What may be passed over in a state; none when nothing is known of it.
    #[inline]
    pub(super) fn look(&self, state: StateId) -> Option<&Look> {
        self.states.get(state as usize)
    }
}

impl Look {
    /// Of a state of which nothing is known.
    pub(super) const NOTHING: Self = Self {
        value: None,
        object: terms(true, None),
        array: terms(false, None),
        element: 0,
        shown: false,
        replacement: 0,
    };

    /// The state of every element; none when nothing is known of them.
    #[inline]
    pub(super) fn element(&self) -> Option<StateId> {
        (!self.array.all).then_some(self.element)
    }

    /// What is wanted of an object, or else an array.
    #[inline]
    pub(super) const fn terms(&self, object: bool) -> Terms {
        if object { self.object } else { self.array }
    }
}

fn look(plan: &JsonPlan, state: StateId) -> Look {
    let table = plan.automaton().table();
    let of = |child: Option<StateId>| {
        let entry = plan.entry(child?)?;
        is_quiet(plan, entry).then_some(match entry.facts.is_live() {
            true => Others::Live,
            false => Others::Dead,
        })
    };
    let entry = plan.entry(state);
    let verdict = entry.and_then(|entry| plan.verdicts().get(entry.facts.verdict));
    let value = Look {
        value: of(Some(state)),
        shown: verdict.is_some_and(|verdict| verdict.action == Action::Show),
        replacement: match entry {
            Some(entry) if is_plain(entry) && verdict.is_some_and(is_replacement) => {
                entry.facts.verdict
            }
            Some(_) | None => 0,
        },
        ..Look::NOTHING
    };
    if entry.is_none_or(|entry| !entry.tests.is_empty()) {
        return value;
    }
    Look {
        object: terms(true, of(table.next(state, Key::Name(0)))),
        array: terms(false, of(table.every_element(state))),
        element: table.every_element(state).unwrap_or_default(),
        ..value
    }
}

/// What is wanted of an object, or else an array, of whose members that are not known, or elements, this is
/// known.
const fn terms(object: bool, others: Option<Others>) -> Terms {
    Terms {
        object,
        all: others.is_none(),
        containers: matches!(others, None | Some(Others::Live)),
    }
}

/// Whether nothing happens to a value in this state but what its verdict says.
fn is_plain(entry: &Entry) -> bool {
    // What has to be held is held from its name on.
    !entry.facts.is_noted() && !entry.facts.needs_length()
}

/// Whether a verdict puts something in the place of a scalar that the scalar's text alone decides.
fn is_replacement(verdict: &Verdict) -> bool {
    let replaces = match verdict.action {
        Action::Show | Action::Detect | Action::Remove => false,
        Action::Redact { .. } | Action::Mask(_) | Action::Generalize(_) | Action::Pseudonym(_) => {
            true
        }
    };
    replaces && verdict.embedded.is_empty() && verdict.detectors.is_none()
}

/// Whether nothing happens to a scalar in this state, nor to a container before what is in it.
fn is_quiet(plan: &JsonPlan, entry: &Entry) -> bool {
    let verdict = plan.verdicts().get(entry.facts.verdict);
    let shown =
        verdict.is_none_or(|verdict| verdict.action == Action::Show && verdict.embedded.is_empty());
    shown && is_plain(entry)
}

/// The slot of a name.
#[inline]
const fn place(word: u64, length: usize, slots: usize) -> usize {
    const MIX: u64 = 0x9E37_79B9_7F4A_7C15;
    let mixed = (word ^ (length as u64).rotate_right(8)).wrapping_mul(MIX);
    // Lossless on every machine with 64 bits, and a place in the table on any.
    (mixed >> 40) as usize & slots.wrapping_sub(1)
}

fn slots(automaton: &Automaton) -> Box<[Slot]> {
    if automaton.fold() == Names::Caseless {
        return Box::default();
    }
    let names: Vec<&[u8]> = automaton.names().iter().collect();
    let mut slots = vec![Slot::default(); (names.len() * 8).next_power_of_two().max(64)];
    for (name, number) in names.iter().zip(1..) {
        let mut bytes = [0; 8];
        let tail = name.iter().rev().take(8).rev();
        for (slot, byte) in bytes.iter_mut().zip(tail) {
            *slot = *byte;
        }
        let word = u64::from_le_bytes(bytes);
        let index = place(word, name.len(), slots.len());
        if let Some(slot) = slots.get_mut(index) {
            // The empty name is looked up as a whole.
            let taken = slot.name != 0 || slot.ambiguous || name.is_empty();
            *slot = Slot {
                word,
                length: u32::try_from(name.len()).unwrap_or(u32::MAX),
                name: number,
                ambiguous: taken,
            };
        }
    }
    slots.into()
}
