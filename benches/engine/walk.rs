//! The rules of a rule set followed through a tree, whoever built it: for rivals without selectors.
//!
//! All selectors advance together as bits of one set, one bit for each segment, so that a node costs one
//! look-up of its name however many rules there are. A rival's tree pays for no second query engine.

use std::collections::HashMap;

use postern_benches::rule_sets::CONSTANT;
use postern_config::Selector;
use postern_config::selector::Segment;
use postern_config::selector::ast::Pick;

const WORDS: usize = 4;

/// A set of places in selectors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Places([u64; WORDS]);

impl Places {
    fn add(&mut self, place: usize) {
        if let Some(word) = self.0.get_mut(place / 64) {
            *word |= 1 << (place % 64);
        }
    }

    fn and(self, other: Self) -> Self {
        self.zip(other, |a, b| a & b)
    }

    fn or(self, other: Self) -> Self {
        self.zip(other, |a, b| a | b)
    }

    fn zip(mut self, other: Self, join: fn(u64, u64) -> u64) -> Self {
        for (a, b) in self.0.iter_mut().zip(other.0) {
            *a = join(*a, b);
        }
        self
    }

    /// Every place moves on by one segment.
    fn moved(mut self) -> Self {
        let mut carry = 0;
        for word in &mut self.0 {
            let next = *word >> 63;
            *word = *word << 1 | carry;
            carry = next;
        }
        self
    }

    /// Whether nothing can be reached any more.
    pub(crate) fn is_empty(self) -> bool {
        self == Self::default()
    }
}

/// A tree as some library builds it.
pub(crate) trait Tree: Sized {
    /// Calls `visit` with each member of an object; false when it is none.
    fn members(&self, visit: &mut dyn FnMut(&str, &Self)) -> bool;
    /// Calls `visit` with each element of an array; false when it is none.
    fn elements(&self, visit: &mut dyn FnMut(&Self)) -> bool;
    /// Writes all of it.
    fn write(&self, out: &mut Vec<u8>);
    /// Writes a name.
    fn write_name(name: &str, out: &mut Vec<u8>);
}

/// Selectors that are followed together.
#[derive(Debug)]
pub(crate) struct Walk {
    start: Places,
    names: HashMap<String, Places>,
    every: Places,
    ranges: Vec<(usize, usize, Places)>,
    descends: Places,
    ends: Places,
    /// What is selected is left out, and not replaced.
    removes: bool,
}

impl Walk {
    /// Compiles selectors of names, wildcards, indices and plain slices.
    pub(crate) fn new(selectors: &[String], removes: bool) -> Self {
        let mut walk = Self {
            start: Places::default(),
            names: HashMap::new(),
            every: Places::default(),
            ranges: Vec::new(),
            descends: Places::default(),
            ends: Places::default(),
            removes,
        };
        let mut place = 0;
        for selector in selectors
            .iter()
            .filter_map(|text| Selector::parse(text).ok())
        {
            walk.start.add(place);
            for segment in selector.segments() {
                walk.add(segment, place);
                place += 1;
            }
            walk.ends.add(place);
            place += 1;
        }
        assert!(place <= WORDS * 64, "too many rules for the walk");
        walk
    }

    fn add(&mut self, segment: &Segment, place: usize) {
        let picks = match segment {
            Segment::Child(picks) => picks,
            Segment::Descendant(picks) => {
                self.descends.add(place);
                picks
            }
        };
        for pick in picks {
            let range = match pick {
                Pick::Name(name) => {
                    self.names.entry(name.clone()).or_default().add(place);
                    continue;
                }
                Pick::Wildcard => {
                    self.every.add(place);
                    continue;
                }
                Pick::Index(at) => Some((*at, at + 1)),
                Pick::Slice { start, end, step } => {
                    let whole = step.is_none_or(|step| step == 1);
                    end.filter(|_| whole).map(|end| (start.unwrap_or(0), end))
                }
                Pick::Filter(_) => None,
            };
            let range =
                range.and_then(|(a, b)| Some((usize::try_from(a).ok()?, usize::try_from(b).ok()?)));
            assert!(range.is_some(), "the walk knows no such selector");
            let mut places = Places::default();
            places.add(place);
            self.ranges.extend(range.map(|(a, b)| (a, b, places)));
        }
    }

    /// Where every selector begins.
    pub(crate) fn start(&self) -> Places {
        self.start
    }

    /// What is reached by a member of this name.
    pub(crate) fn by_name(&self, here: Places, name: &str) -> Places {
        self.step(here, self.names.get(name).copied().unwrap_or_default())
    }

    /// What is reached by the element at this index.
    pub(crate) fn by_index(&self, here: Places, at: usize) -> Places {
        let among = |(from, to, places): &(usize, usize, Places)| {
            (*from..*to).contains(&at).then_some(*places)
        };
        let hit = self.ranges.iter().filter_map(among);
        self.step(here, hit.fold(Places::default(), Places::or))
    }

    fn step(&self, here: Places, hit: Places) -> Places {
        let hits = here.and(hit.or(self.every));
        hits.moved().or(here.and(self.descends))
    }

    /// Whether a selector has been followed to its end.
    pub(crate) fn selects(&self, here: Places) -> bool {
        !here.and(self.ends).is_empty()
    }

    /// Writes a tree without what is selected.
    pub(crate) fn write<T: Tree>(&self, tree: &T, out: &mut Vec<u8>) {
        self.follow(tree, self.start, out);
    }

    fn follow<T: Tree>(&self, tree: &T, here: Places, out: &mut Vec<u8>) {
        if here.is_empty() {
            tree.write(out);
            return;
        }
        let start = out.len();
        out.push(b'{');
        let is_object = tree.members(&mut |name, value| {
            let next = self.by_name(here, name);
            if self.removes && self.selects(next) {
                return;
            }
            separate(start, out);
            T::write_name(name, out);
            out.push(b':');
            self.value(value, next, out);
        });
        if is_object {
            out.push(b'}');
            return;
        }
        out.truncate(start);
        out.push(b'[');
        let mut at = 0;
        let is_array = tree.elements(&mut |value| {
            let next = self.by_index(here, at);
            at += 1;
            if self.removes && self.selects(next) {
                return;
            }
            separate(start, out);
            self.value(value, next, out);
        });
        if is_array {
            out.push(b']');
            return;
        }
        out.truncate(start);
        tree.write(out);
    }

    fn value<T: Tree>(&self, value: &T, here: Places, out: &mut Vec<u8>) {
        if self.selects(here) {
            out.extend_from_slice(CONSTANT.as_bytes());
        } else {
            self.follow(value, here, out);
        }
    }
}

/// Puts a comma before all but the first of a container that begins at `start`.
fn separate(start: usize, out: &mut Vec<u8>) {
    if out.len() > start + 1 {
        out.push(b',');
    }
}
