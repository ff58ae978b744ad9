//! The table of states, built by subset construction while it stays small.
//!
//! Its transitions hold when no test does; what follows a test that holds, and what lies beyond the
//! bounds, is left to [`super::Lazy`].

use std::collections::HashMap;

use super::positions::{Key, Place, Places};
use super::{DEAD, START, STATES_MAX, StateId};

/// The most transitions of the table; each takes two bytes.
const CELLS_MAX: usize = 1 << 20;

/// The most transitions by index that one state has.
const ELEMENTS_MAX: u64 = 1024;

/// A transition that the table does not hold.
const UNKNOWN: u16 = u16::MAX;

/// States and transitions.
#[derive(Debug)]
pub(in crate::json) struct Table {
    states: Vec<State>,
    ids: HashMap<Box<[Place]>, u16>,
    /// `width` transitions for each state: by a name's number.
    by_name: Vec<u16>,
    width: usize,
    cells: usize,
}

#[derive(Debug)]
struct State {
    set: Box<[Place]>,
    /// Transitions by index, one each.
    head: Box<[u16]>,
    /// Transitions by index after the head, over and over; none when the table does not hold them.
    tail: Box<[u16]>,
}

impl Table {
    pub(super) fn build(places: &Places) -> Self {
        let mut table = Self {
            states: Vec::new(),
            ids: HashMap::new(),
            by_name: Vec::new(),
            width: places.names().width(),
            cells: 0,
        };
        // INVARIANT: the empty set is DEAD and the root's is START. Without any rule both are the
        // empty set, which then has two numbers.
        table.add(Box::default());
        table.states.push(State::of(places.start()));
        table.ids.entry(places.start()).or_insert(1);
        let mut done = 0;
        while let Some(set) = table.states.get(done).map(|state| state.set.clone()) {
            table.fill(places, done, &set);
            done += 1;
        }
        table
    }

    /// How many states there are.
    pub(in crate::json) fn len(&self) -> usize {
        self.states.len()
    }

    /// The set of a state; none when it is not in the table.
    pub(in crate::json) fn set(&self, state: StateId) -> Option<&[Place]> {
        self.states.get(state as usize).map(|state| &*state.set)
    }

    /// The state of a set; none when it is not in the table.
    pub(super) fn find(&self, set: &[Place]) -> Option<StateId> {
        self.ids.get(set).copied().map(StateId::from)
    }

    /// The child's state when no test holds; none when the table does not hold it.
    #[inline]
    pub(in crate::json) fn next(&self, state: StateId, key: Key) -> Option<StateId> {
        let row = state as usize;
        let next = match key {
            Key::Name(name) if (name as usize) < self.width => {
                self.by_name.get(row * self.width + name as usize)
            }
            Key::Name(_) => None,
            Key::Index(index) => self.states.get(row).and_then(|state| state.element(index)),
        };
        match next.copied() {
            None | Some(UNKNOWN) => None,
            Some(next) => Some(StateId::from(next)),
        }
    }

    /// The state of every element, whatever its index; none when it depends on that.
    pub(in crate::json) fn every_element(&self, state: StateId) -> Option<StateId> {
        let state = self.states.get(state as usize)?;
        match (&*state.head, &*state.tail) {
            ([], [UNKNOWN]) => None,
            ([], [only]) => Some(StateId::from(*only)),
            _ => None,
        }
    }

    /// The number of a set, new or not; `UNKNOWN` when there is no room.
    fn add(&mut self, set: Box<[Place]>) -> u16 {
        if let Some(id) = self.ids.get(&set) {
            return *id;
        }
        let full = self.states.len() >= STATES_MAX || self.cells + self.width > CELLS_MAX;
        let (false, Ok(id)) = (full, u16::try_from(self.states.len())) else {
            return UNKNOWN;
        };
        self.cells += self.width;
        self.ids.insert(set.clone(), id);
        self.states.push(State::of(set));
        id
    }

    fn step(&mut self, places: &Places, set: &[Place], key: Key) -> u16 {
        let next = places.step(set, key, &[]);
        self.add(next.into())
    }

    /// Computes the transitions of one state.
    fn fill(&mut self, places: &Places, state: usize, set: &[Place]) {
        let other = self.step(places, set, Key::Name(0));
        let row = self.by_name.len();
        self.by_name.resize(row + self.width, other);
        let mut named: Vec<u32> = set.iter().flat_map(|place| places.named(*place)).collect();
        named.sort_unstable();
        named.dedup();
        for name in named {
            let next = self.step(places, set, Key::Name(name));
            if let Some(cell) = self.by_name.get_mut(row + name as usize) {
                *cell = next;
            }
        }
        let Some((head, period)) = elements(places, set) else {
            return;
        };
        if self.cells + usize::try_from(head + period).unwrap_or(CELLS_MAX) > CELLS_MAX {
            return;
        }
        let mut by_index = |from: u64, to: u64| -> Box<[u16]> {
            (from..to)
                .map(|index| self.step(places, set, Key::Index(index)))
                .collect()
        };
        let (head, tail) = (by_index(0, head), by_index(head, head + period));
        self.cells += head.len() + tail.len();
        if let Some(state) = self.states.get_mut(state) {
            state.head = head;
            state.tail = tail;
        }
    }
}

/// After how many elements the choice of the next ones repeats, and with which period.
fn elements(places: &Places, set: &[Place]) -> Option<(u64, u64)> {
    let mut head = 0;
    let mut period = 1_u64;
    for range in set.iter().flat_map(|place| places.ranges(*place)) {
        head = head.max(range.end.unwrap_or(range.first));
        if range.end.is_none() {
            period = lcm(period, range.step).filter(|period| *period <= ELEMENTS_MAX)?;
        }
    }
    (head <= ELEMENTS_MAX).then_some((head, period))
}

/// The least common multiple.
fn lcm(a: u64, b: u64) -> Option<u64> {
    let (mut larger, mut smaller) = (a, b);
    while let Some(rest) = larger.checked_rem(smaller) {
        (larger, smaller) = (smaller, rest);
    }
    a.checked_div(larger)?.checked_mul(b)
}

impl State {
    fn of(set: Box<[Place]>) -> Self {
        Self {
            set,
            head: Box::default(),
            tail: Box::default(),
        }
    }

    #[inline]
    fn element(&self, index: u64) -> Option<&u16> {
        let index = usize::try_from(index).ok()?;
        if let Some(next) = self.head.get(index) {
            return Some(next);
        }
        // PERF: nearly every state has one transition for all elements.
        if let [only] = &*self.tail {
            return Some(only);
        }
        let after = (index - self.head.len()).checked_rem(self.tail.len())?;
        self.tail.get(after)
    }
}

const _: () = assert!(DEAD == 0 && START == 1 && STATES_MAX < UNKNOWN as usize);
