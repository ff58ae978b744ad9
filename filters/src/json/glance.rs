//! What of a document is worth a second look, for one set of roles.
//!
//! Guarantees: a member or element that is passed over here is one to which nothing happens: it has no
//! label that matters, nothing in it can be selected, and nothing waits for it. In doubt it is looked
//! at. Most members are passed over by the last two bytes of their names.

use postern_config::Action;
use postern_config::routes::{Names, Unlabelled};

use super::automaton::{Automaton, Key, NameId, StateId};
use super::plan::{Entry, JsonPlan, RecordsOf};

/// Words of the set of pairs of bytes.
const WORDS: usize = (1 << 16) / 64;

/// See the module.
pub(super) struct Glance {
    /// The pairs of last bytes, as written, that names which matter may have.
    pairs: Box<[u64]>,
    states: Box<[Look]>,
    /// Names by their length and last eight bytes; a power of two of slots, none where names are folded.
    names: Box<[Slot]>,
    /// In some state everything has to be told.
    pub(super) counts_commas: bool,
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
#[derive(Debug, Clone, Copy, Default)]
struct Look {
    value: Option<Others>,
    members: Option<Others>,
    elements: Option<Others>,
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
            pairs: Box::default(),
            states: Box::default(),
            names: Box::default(),
            counts_commas: true,
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
        let states: Box<[Look]> = states.collect();
        // A container that is searched has to be told of every element, whatever its state.
        let searches = plan.settings().actions.contains(&Action::Detect);
        Self {
            counts_commas: searches
                || states
                    .iter()
                    .any(|look| look.members.is_none() || look.elements.is_none()),
            pairs: pairs(automaton),
            names: slots(automaton),
            states,
        }
    }

    /// Whether no name that ends with these two bytes, as written, matters.
    #[inline]
    pub(super) fn ignores(&self, last_two: u16) -> bool {
        let word = self.pairs.get(usize::from(last_two / 64));
        word.is_some_and(|word| (word >> (last_two % 64)) & 1 == 0)
    }

    /// The number of a name without escapes whose last bytes, up to eight, are `word`; none when it must
    /// be looked up as a whole.
    #[inline]
    pub(super) fn name(&self, word: u64, length: usize) -> Option<NameId> {
        let slot = self.names.get(place(word, length, self.names.len()))?;
        if slot.ambiguous {
            return None;
        }
        if slot.word != word || slot.length as usize != length {
            return Some(0);
        }
        // Longer names may still differ in front.
        (length <= 8).then_some(slot.name)
    }

    /// What a value in this state is, if nothing happens to it as a scalar.
    #[inline]
    pub(super) fn quiet(&self, state: StateId) -> Option<Others> {
        self.states.get(state as usize)?.value
    }

    /// What may be passed over inside of an object, or else an array; none when nothing may.
    #[inline]
    pub(super) fn others(&self, state: StateId, object: bool) -> Option<Others> {
        let look = self.states.get(state as usize)?;
        if object { look.members } else { look.elements }
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
    let value = of(Some(state));
    let tested = plan
        .entry(state)
        .is_none_or(|entry| !entry.tests.is_empty());
    if tested {
        return Look {
            value,
            ..Look::default()
        };
    }
    Look {
        value,
        members: of(table.next(state, Key::Name(0))),
        elements: of(table.every_element(state)),
    }
}

/// Whether nothing happens to a scalar in this state, nor to a container before what is in it.
fn is_quiet(plan: &JsonPlan, entry: &Entry) -> bool {
    let verdict = plan.verdicts().get(entry.facts.verdict);
    let shown =
        verdict.is_none_or(|verdict| verdict.action == Action::Show && verdict.embedded.is_empty());
    // What has to be held is held from its name on.
    shown && !entry.facts.is_noted() && !entry.facts.needs_length()
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

/// The pairs of last bytes that a name which the selectors mention can have as it is written: its own,
/// and every one in which an escape has a part.
fn pairs(automaton: &Automaton) -> Box<[u64]> {
    const DIGITS: &[u8] = b"0123456789abcdefABCDEF";
    const IN_ESCAPES: &[u8] = b"0123456789abcdefABCDEFnrt\"\\/";
    let mut set = vec![0_u64; WORDS];
    let mut add = |first: u8, second: u8| {
        let pair = u16::from_le_bytes([first, second]);
        if let Some(word) = set.get_mut(usize::from(pair / 64)) {
            *word |= 1 << (pair % 64);
        }
    };
    for any in 0..=u8::MAX {
        // The end of a short escape, an escaped quote or backslash, and the empty name.
        add(b'\\', any);
        add(any, b'\\');
        add(any, b'"');
    }
    for first in DIGITS {
        for second in DIGITS {
            add(*first, *second);
        }
    }
    let cases = |byte: u8| match automaton.fold() {
        Names::Exact => [byte, byte],
        Names::Caseless => [byte.to_ascii_lowercase(), byte.to_ascii_uppercase()],
    };
    for name in automaton.names().iter() {
        let Some((last, before)) = name.split_last() else {
            continue;
        };
        // A name of one byte has its opening quote before it.
        let before = before.last().copied().unwrap_or(b'"');
        for last in cases(*last) {
            for first in cases(before) {
                add(first, last);
            }
            for first in IN_ESCAPES {
                add(*first, last);
            }
        }
    }
    set.into()
}
