//! The places in the queries where a node can stand, and the one step function over sets of them.
//!
//! Place `p` of rule `r` at node `n` means: `n` has matched the segments before `p`, and `p`'s segment
//! is to be applied to `n`'s children. The place after a rule's last segment means that `n` is selected.

use postern_config::Selector;
use postern_config::routes::Names;
use postern_config::selector::ast::{Logical, Pick, Segment};

use super::names::{NameId, NameTable};
use super::ranges::{Elements, Ends, Range};
use super::{PLACES_MAX, RuleId, TooLarge};

/// A place in a query.
pub(in crate::json) type Place = u32;

/// A question that only a held value answers.
pub(in crate::json) type TestId = u32;

/// What stands between a container and one of its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(in crate::json) enum Key {
    /// A member, by its name's number.
    Name(NameId),
    /// An element, by its index.
    Index(u64),
}

/// A question that only a held value answers.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::json) enum Test {
    /// Whether a child passes a filter.
    Filter(Logical),
    /// Whether an element is selected, given the array's length.
    Ends(Ends),
}

/// One selector of a segment, prepared.
#[derive(Debug, Clone)]
enum Choice {
    Name(NameId),
    Every,
    Elements(Range),
    Test(TestId),
}

/// A segment, or the end of a query.
#[derive(Debug, Clone)]
struct Spot {
    rule: RuleId,
    /// None at the end of the query.
    segment: Option<(Reach, Box<[Choice]>)>,
}

/// How far a segment reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    Children,
    Descendants,
}

/// Every place of every rule.
#[derive(Debug)]
pub(in crate::json) struct Places {
    spots: Vec<Spot>,
    first: Vec<Place>,
    tests: Vec<Test>,
    names: NameTable,
}

impl Places {
    pub(super) fn new(selectors: &[&Selector], fold: Names) -> Result<Self, TooLarge> {
        let mut spots = Vec::new();
        let mut first = Vec::new();
        let mut found = Found {
            fold,
            ..Found::default()
        };
        for (rule, selector) in selectors.iter().enumerate() {
            first.push(Place::try_from(spots.len()).ok().ok_or(TooLarge)?);
            for segment in selector.segments() {
                let (reach, picks) = match segment {
                    Segment::Child(picks) => (Reach::Children, picks),
                    Segment::Descendant(picks) => (Reach::Descendants, picks),
                };
                let choices = picks.iter().filter_map(|pick| found.choice(pick));
                spots.push(Spot {
                    rule,
                    segment: Some((reach, choices.collect())),
                });
            }
            spots.push(Spot {
                rule,
                segment: None,
            });
            if spots.len() > PLACES_MAX {
                return Err(TooLarge);
            }
        }
        Ok(Self {
            spots,
            first,
            tests: found.tests,
            names: NameTable::new(found.names),
        })
    }

    pub(super) fn names(&self) -> &NameTable {
        &self.names
    }

    /// A test by its number.
    pub(in crate::json) fn test(&self, test: TestId) -> Option<&Test> {
        self.tests.get(test as usize)
    }

    /// Every filter.
    pub(super) fn filters(&self) -> impl Iterator<Item = &Logical> {
        self.tests.iter().filter_map(|test| match test {
            Test::Filter(logical) => Some(logical),
            Test::Ends(_) => None,
        })
    }

    /// The set of the document's root.
    pub(in crate::json) fn start(&self) -> Box<[Place]> {
        self.first.as_slice().into()
    }

    /// The rule of a place.
    pub(in crate::json) fn rule(&self, place: Place) -> Option<RuleId> {
        self.spots.get(place as usize).map(|spot| spot.rule)
    }

    /// Whether the place is the end of its rule.
    pub(in crate::json) fn is_end(&self, place: Place) -> bool {
        self.spots
            .get(place as usize)
            .is_some_and(|spot| spot.segment.is_none())
    }

    fn choices(&self, place: Place) -> &[Choice] {
        let segment = self.spots.get(place as usize);
        let segment = segment.and_then(|spot| spot.segment.as_ref());
        segment.map_or(&[], |(_, choices)| choices)
    }

    /// The tests that a place asks for its node's children.
    pub(in crate::json) fn tests(&self, place: Place) -> impl Iterator<Item = TestId> {
        self.choices(place)
            .iter()
            .filter_map(|choice| match choice {
                Choice::Test(test) => Some(*test),
                Choice::Name(_) | Choice::Every | Choice::Elements(_) => None,
            })
    }

    /// The names that a place mentions.
    pub(super) fn named(&self, place: Place) -> impl Iterator<Item = NameId> {
        self.choices(place)
            .iter()
            .filter_map(|choice| match choice {
                Choice::Name(name) => Some(*name),
                Choice::Test(_) | Choice::Every | Choice::Elements(_) => None,
            })
    }

    /// The ranges that a place mentions.
    pub(super) fn ranges(&self, place: Place) -> impl Iterator<Item = Range> {
        self.choices(place)
            .iter()
            .filter_map(|choice| match choice {
                Choice::Elements(range) => Some(*range),
                Choice::Test(_) | Choice::Every | Choice::Name(_) => None,
            })
    }

    /// The places at which a child arrives by being picked, and not because a descendant segment goes
    /// on looking; of selectors without tests.
    pub(in crate::json) fn picked<'a>(
        &'a self,
        set: &'a [Place],
        key: Key,
    ) -> impl Iterator<Item = Place> + 'a {
        let picks = move |place: &&Place| {
            self.choices(**place).iter().any(|choice| match choice {
                Choice::Every => true,
                Choice::Name(name) => key == Key::Name(*name),
                Choice::Elements(range) => matches!(key, Key::Index(i) if range.selects(i)),
                Choice::Test(_) => false,
            })
        };
        set.iter().filter(picks).map(|place| place + 1)
    }

    /// The set of a child: sorted, without duplicates. `holding` are the tests that hold for it.
    pub(in crate::json) fn step(&self, set: &[Place], key: Key, holding: &[TestId]) -> Vec<Place> {
        let mut next = Vec::new();
        for place in set {
            let spot = self.spots.get(*place as usize);
            let Some((reach, choices)) = spot.and_then(|spot| spot.segment.as_ref()) else {
                continue;
            };
            if *reach == Reach::Descendants {
                next.push(*place);
            }
            let picked = choices.iter().any(|choice| match choice {
                Choice::Every => true,
                Choice::Name(name) => key == Key::Name(*name),
                Choice::Elements(range) => matches!(key, Key::Index(i) if range.selects(i)),
                Choice::Test(test) => holding.contains(test),
            });
            if picked {
                next.push(place + 1);
            }
        }
        next.sort_unstable();
        next.dedup();
        next
    }
}

/// What has been found in the queries so far.
#[derive(Default)]
struct Found {
    names: Vec<Box<[u8]>>,
    tests: Vec<Test>,
    fold: Names,
}

impl Found {
    fn choice(&mut self, pick: &Pick) -> Option<Choice> {
        let elements = match pick {
            Pick::Name(name) => return Some(Choice::Name(self.name(name))),
            Pick::Wildcard => return Some(Choice::Every),
            Pick::Filter(logical) => return Some(self.test(Test::Filter(logical.clone()))),
            Pick::Index(index) => Elements::of_index(*index),
            Pick::Slice { start, end, step } => Elements::of_slice(*start, *end, *step),
        };
        match elements {
            Elements::None => None,
            Elements::Range(range) => Some(Choice::Elements(range)),
            Elements::Ends(ends) => Some(self.test(Test::Ends(ends))),
        }
    }

    fn name(&mut self, name: &str) -> NameId {
        let mut bytes: Box<[u8]> = name.as_bytes().into();
        if self.fold == Names::Caseless {
            bytes.make_ascii_lowercase();
        }
        let known = self.names.iter().position(|known| *known == bytes);
        let index = known.unwrap_or_else(|| {
            self.names.push(bytes);
            self.names.len() - 1
        });
        // INVARIANT: there are at most as many names as places, which are bounded.
        NameId::try_from(index + 1).unwrap_or_default()
    }

    fn test(&mut self, test: Test) -> Choice {
        let known = self.tests.iter().position(|known| *known == test);
        let index = known.unwrap_or_else(|| {
            self.tests.push(test);
            self.tests.len() - 1
        });
        Choice::Test(TestId::try_from(index).unwrap_or(TestId::MAX))
    }
}
