//! Which selectors reach one place in a document, without a document.
//!
//! A place is a path of names, indexes and `[*]`. Where a selector looks at values (filters) or counts
//! from an end, or where the place says `[*]` and the selector one index, the answer is "depends".
//! Names and indexes are answered for certain. This is for people; the engine decides on documents.

use std::collections::BTreeMap;

use postern_config::Selector;
use postern_config::routes::Names;
use postern_config::selector::Segment;
use postern_config::selector::ast::Pick;

/// How sure it is that a selector selects a place; the order is from less to more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Certainty {
    /// It depends on the document's values.
    Depends,
    /// Always, when the place exists.
    Certain,
}

/// One place in documents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) steps: Vec<Step>,
}

/// One step of a place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// A member of this name.
    Name(String),
    /// An element by index, counted from the end when negative.
    Index(i64),
    /// Any child.
    Any,
}

/// What a selector reaches on the way to a place.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Reach {
    /// The depths it selects at: 0 is the document, the number of steps the place itself.
    pub(super) at: BTreeMap<usize, Certainty>,
    /// It may also select something inside the place.
    pub(super) inside: bool,
}

impl Place {
    /// Reads a place.
    ///
    /// # Errors
    /// One line for the person who typed it.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let selector = Selector::parse(text).map_err(|error| format!("`{text}`: {error}"))?;
        let steps: Option<Vec<Step>> = selector.segments().iter().map(step).collect();
        let steps = steps.ok_or_else(|| {
            format!("`{text}` is more than one place; use names, indexes and `[*]` only")
        })?;
        Ok(Self { steps })
    }

    /// The place as text.
    pub(super) fn text(&self) -> String {
        self.prefix(self.steps.len())
    }

    /// The first `depth` steps as text.
    pub(super) fn prefix(&self, depth: usize) -> String {
        let mut text = "$".to_owned();
        for step in self.steps.iter().take(depth) {
            text.push_str(&match step {
                Step::Name(name) if is_plain(name) => format!(".{name}"),
                Step::Name(name) => format!("[{}]", serde_json::Value::from(name.as_str())),
                Step::Index(index) => format!("[{index}]"),
                Step::Any => "[*]".to_owned(),
            });
        }
        text
    }
}

fn step(segment: &Segment) -> Option<Step> {
    let Segment::Child(picks) = segment else {
        return None;
    };
    match picks.as_slice() {
        [Pick::Name(name)] => Some(Step::Name(name.clone())),
        [Pick::Index(index)] => Some(Step::Index(*index)),
        [Pick::Wildcard] => Some(Step::Any),
        _ => None,
    }
}

fn is_plain(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with(|first: char| first.is_ascii_digit())
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

/// Follows a selector along a place: a set of positions in its segments, moved step by step.
pub(super) fn reach(selector: &Selector, place: &Place, names: Names) -> Reach {
    let segments = selector.segments();
    let mut reach = Reach::default();
    let mut positions = BTreeMap::from([(0, Certainty::Certain)]);
    for depth in 0..=place.steps.len() {
        if let Some(certainty) = positions.remove(&segments.len()) {
            reach.at.insert(depth, certainty);
        }
        let Some(step) = place.steps.get(depth) else {
            break;
        };
        let mut next = BTreeMap::new();
        for (position, certainty) in positions {
            let Some(segment) = segments.get(position) else {
                continue;
            };
            let (Segment::Child(picks) | Segment::Descendant(picks)) = segment;
            let picked = picks
                .iter()
                .filter_map(|pick| picks_step(pick, step, names));
            if let Some(picked) = picked.max() {
                enter(&mut next, position + 1, certainty.min(picked));
            }
            if matches!(segment, Segment::Descendant(_)) {
                enter(&mut next, position, certainty);
            }
        }
        positions = next;
    }
    reach.inside = !positions.is_empty();
    reach
}

fn enter(positions: &mut BTreeMap<usize, Certainty>, position: usize, certainty: Certainty) {
    positions
        .entry(position)
        .and_modify(|known| *known = (*known).max(certainty))
        .or_insert(certainty);
}

/// Whether a selector picks the child that a step names.
fn picks_step(pick: &Pick, step: &Step, names: Names) -> Option<Certainty> {
    match (pick, step) {
        (Pick::Wildcard, _) => Some(Certainty::Certain),
        (Pick::Filter(_), _) => Some(Certainty::Depends),
        (Pick::Name(name), Step::Name(wanted)) => {
            let same = match names {
                Names::Exact => name == wanted,
                Names::Caseless => name.eq_ignore_ascii_case(wanted),
            };
            same.then_some(Certainty::Certain)
        }
        (Pick::Name(_) | Pick::Index(_), Step::Any) => Some(Certainty::Depends),
        (Pick::Index(index), Step::Index(wanted)) => match (*index < 0, *wanted < 0) {
            (false, false) | (true, true) => (index == wanted).then_some(Certainty::Certain),
            (true, false) | (false, true) => Some(Certainty::Depends),
        },
        (Pick::Slice { step: Some(0), .. }, _) => None,
        (Pick::Slice { start, end, step }, Step::Index(wanted)) => {
            slice_holds((*start, *end, step.unwrap_or(1)), *wanted)
        }
        (Pick::Slice { .. }, Step::Any) => Some(Certainty::Depends),
        (Pick::Name(_), Step::Index(_)) | (Pick::Index(_) | Pick::Slice { .. }, Step::Name(_)) => {
            None
        }
    }
}

/// Whether a slice holds an index. Sure only where nothing counts from an end.
fn slice_holds(
    (start, end, step): (Option<i64>, Option<i64>, i64),
    wanted: i64,
) -> Option<Certainty> {
    let start = start.unwrap_or(0);
    if step < 0 || start < 0 || wanted < 0 || end.is_some_and(|end| end < 0) {
        return Some(Certainty::Depends);
    }
    let offset = wanted.checked_sub(start)?;
    let holds = offset >= 0 && offset % step == 0 && end.is_none_or(|end| wanted < end);
    holds.then_some(Certainty::Certain)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(selector: &str, place: &str) -> String {
        let selector = Selector::parse(selector).unwrap();
        let found = reach(&selector, &Place::parse(place).unwrap(), Names::Exact);
        let mut words: Vec<_> = found
            .at
            .iter()
            .map(|(depth, certainty)| match certainty {
                Certainty::Certain => format!("{depth}"),
                Certainty::Depends => format!("{depth}?"),
            })
            .collect();
        if found.inside {
            words.push("inside".to_owned());
        }
        words.join(" ")
    }

    #[test]
    fn selectors_reach_places_as_expected() {
        let cases = [
            ("$.a.b", "$.a.b", "2"),
            ("$.a", "$.a.b", "1"),
            ("$", "$.a", "0"),
            ("$.a.c", "$.a.b", ""),
            ("$.a.b.c", "$.a.b", "inside"),
            ("$.a[*].b", "$.a[0].b", "3"),
            ("$.a[0].b", "$.a[*].b", "3?"),
            ("$.a[0].b", "$.a[1].b", ""),
            ("$.a[-1]", "$.a[1]", "2?"),
            ("$.a[-1]", "$.a[-1]", "2"),
            ("$.a[1:3]", "$.a[2]", "2"),
            ("$.a[1:3]", "$.a[3]", ""),
            ("$.a[0:9:2]", "$.a[3]", ""),
            ("$.a[::0]", "$.a[0]", ""),
            ("$.a[::-1]", "$.a[0]", "2?"),
            ("$.a[?@.x].b", "$.a[*].b", "3?"),
            ("$..b", "$.a.b", "2 inside"),
            ("$..['b','c']", "$.b.c", "1 2 inside"),
            ("$..b.c", "$.b.b.c", "3 inside"),
            ("$['a','b']", "$.b", "1"),
        ];
        for (selector, place, expected) in cases {
            assert_eq!(at(selector, place), expected, "{selector} at {place}");
        }
    }

    #[test]
    fn caseless_names_reach_by_ascii_letters_only() {
        let selector = Selector::parse("$.Ssn").unwrap();
        let place = Place::parse("$.sSN").unwrap();
        assert!(reach(&selector, &place, Names::Exact).at.is_empty());
        assert_eq!(reach(&selector, &place, Names::Caseless).at.len(), 1);
    }

    #[test]
    fn only_a_single_place_can_be_explained() {
        for text in ["$..a", "$.a[?@.b]", "$['a','b']", "$.a[1:2]", "a"] {
            assert!(Place::parse(text).is_err(), "{text}");
        }
        assert_eq!(
            Place::parse("$['a'][\"b c\"][3][*]").unwrap().text(),
            "$.a[\"b c\"][3][*]"
        );
    }
}
