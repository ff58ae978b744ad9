//! A YAML document as an untyped tree in which everything knows its place.
//!
//! Guarantees: depth, nodes, aliases and size are bounded; merge keys, unknown tags and several
//! documents in one text are refused; only `true` and `false` are booleans; duplicate keys are kept
//! here and reported by [`Node::read`], all of them. A typed reader over such a tree can therefore
//! report every error of a file at once, where a typed reader over text stops at the first.

pub(crate) mod read;
mod refusal;
pub(crate) mod section;
mod tree;

use std::collections::HashSet;

use serde_saphyr::Spanned;
use serde_saphyr::options::{DuplicateKeyPolicy, MergeKeyPolicy};

use crate::policy::error::Problems;

/// The longest text, in bytes.
pub(crate) const TEXT_BYTES_MAX: usize = 1 << 20;
/// The deepest nesting.
const DEPTH_MAX: usize = 32;
/// The most values, keys included.
const NODES_MAX: usize = 100_000;
/// The most aliases, and the most events they may replay.
const ALIASES_MAX: usize = 100;
const REPLAYED_MAX: usize = 10_000;

/// Where something is in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(crate) struct Place {
    /// The 1-based line; 0 for the whole file.
    pub(crate) line: usize,
    /// The 1-based column, in characters.
    pub(crate) column: usize,
    /// How many characters it takes; 0 when unknown.
    pub(crate) width: usize,
}

/// A value and its place.
#[derive(Debug, Clone)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) place: Place,
}

/// A value.
#[derive(Debug, Clone)]
pub(crate) enum Kind {
    Null,
    Bool(bool),
    Number(serde_json::Number),
    Text(String),
    List(Vec<Node>),
    Map(Vec<Entry>),
}

/// One member of a map.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) key: String,
    pub(crate) key_place: Place,
    pub(crate) value: Node,
}

impl Entry {
    /// Keeps whatever follows the key out of every report, tags, anchors and comments too.
    pub(crate) fn withhold(&self, problems: &mut Problems) {
        let behind = Place {
            column: self.key_place.column + self.key_place.width + 1,
            ..self.key_place
        };
        problems.withhold(behind, self.value.last(self.key_place));
        self.value.withhold(problems);
    }
}

impl Node {
    /// Reads a text, or says why it is no document. Duplicate keys are reported and kept.
    pub(crate) fn read(text: &str, problems: &mut Problems) -> Option<Self> {
        if text.len() > TEXT_BYTES_MAX {
            let message = format!("the file is larger than {} KiB", TEXT_BYTES_MAX >> 10);
            problems.add("PN001", Place::default(), message);
            return None;
        }
        let options = serde_saphyr::options! {
            budget: serde_saphyr::budget! {
                max_depth: DEPTH_MAX,
                max_nodes: NODES_MAX,
                max_aliases: ALIASES_MAX,
                max_anchors: ALIASES_MAX,
                max_documents: 1,
                enforce_alias_anchor_ratio: false,
                flow_nesting_limit: DEPTH_MAX,
            },
            alias_limits: serde_saphyr::alias_limits! {
                max_total_replayed_events: REPLAYED_MAX,
            },
            duplicate_keys: DuplicateKeyPolicy::PassThrough,
            merge_keys: MergeKeyPolicy::Error,
            strict_booleans: true,
            reject_unsupported_tags: true,
            with_snippet: false,
        };
        match serde_saphyr::from_str_with_options::<Spanned<Kind>>(text, options) {
            Ok(root) => {
                let root = Self::from(root);
                root.report_duplicates(problems);
                Some(root)
            }
            Err(error) => {
                refusal::report(&error, problems);
                None
            }
        }
    }

    /// Keeps whatever is written here out of every report, keys too: nobody judges it, so that it may be a secret.
    pub(crate) fn withhold(&self, problems: &mut Problems) {
        match &self.kind {
            Kind::Map(entries) => {
                for entry in entries {
                    problems.withhold(entry.key_place, entry.key_place);
                    entry.withhold(problems);
                }
            }
            Kind::List(items) => {
                for item in items {
                    problems.withhold(self.place, item.last(self.place));
                    item.withhold(problems);
                }
            }
            // Where nothing stands, its place is that of what comes next.
            Kind::Null => {}
            Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {
                problems.withhold(self.place, self.place);
            }
        }
    }

    /// The last place that this value takes; the rest of a line when it holds nothing, and of what stands before it
    /// when it is nothing.
    fn last(&self, before: Place) -> Place {
        let last = match &self.kind {
            Kind::Map(entries) => entries.iter().map(|e| e.value.last(e.key_place)).max(),
            Kind::List(items) => items.iter().map(|item| item.last(self.place)).max(),
            Kind::Null => Some(Place { width: 0, ..before }),
            Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => None,
        };
        last.unwrap_or(match self.kind {
            Kind::List(_) | Kind::Map(_) => Place {
                width: 0,
                ..self.place
            },
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => self.place,
        })
    }

    /// Itself, unless it is a whole file that says nothing; then what it should say is reported.
    pub(crate) fn unless_empty(self, help: &str, problems: &mut Problems) -> Option<Self> {
        if !matches!(self.kind, Kind::Null) {
            return Some(self);
        }
        problems
            .add("PN005", self.place, "this file says nothing")
            .help(help);
        None
    }

    /// Itself, unless it has keys that only the other kind of file has, and none of its own; then that is all that is
    /// reported.
    pub(crate) fn unless_the_other(
        self,
        (own, others): (&[&str], &[&str]),
        (message, help): (&str, &str),
        problems: &mut Problems,
    ) -> Option<Self> {
        let Kind::Map(entries) = &self.kind else {
            return Some(self);
        };
        let first = |keys: &[&str]| {
            let is_one = |entry: &&Entry| keys.contains(&entry.key.as_str());
            entries.iter().find(is_one)
        };
        let Some(foreign) = first(others).filter(|_| first(own).is_none()) else {
            return Some(self);
        };
        problems.add("PN003", foreign.key_place, message).help(help);
        foreign.withhold(problems);
        None
    }

    /// What this value is, in the words of a message.
    pub(crate) fn described(&self) -> &'static str {
        match &self.kind {
            Kind::Null => "nothing",
            Kind::Bool(_) => "`true` or `false`",
            Kind::Number(_) => "a number",
            Kind::Text(_) => "a text",
            Kind::List(_) => "a list",
            Kind::Map(_) => "a map",
        }
    }

    /// Whether two documents say the same, wherever it stands in the text.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::List(a), Kind::List(b)) => {
                a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.says_the_same(b))
            }
            (Kind::Map(a), Kind::Map(b)) => {
                let same =
                    |(a, b): (&Entry, &Entry)| a.key == b.key && a.value.says_the_same(&b.value);
                a.len() == b.len() && a.iter().zip(b).all(same)
            }
            (Kind::Null, Kind::Null) => true,
            (Kind::Bool(a), Kind::Bool(b)) => a == b,
            (Kind::Number(a), Kind::Number(b)) => a == b,
            (Kind::Text(a), Kind::Text(b)) => a == b,
            _ => false,
        }
    }

    /// Reports every key that occurs twice in one map. Depth is bounded by the reader.
    fn report_duplicates(&self, problems: &mut Problems) {
        match &self.kind {
            Kind::Map(entries) => {
                let mut seen = HashSet::new();
                for entry in entries {
                    if !seen.insert(entry.key.as_str()) {
                        let message = format!("`{}` is written twice in one place", entry.key);
                        problems
                            .add("PN002", entry.key_place, message)
                            .help("keep one of the two, or merge what they say");
                        entry.withhold(problems);
                    }
                    entry.value.report_duplicates(problems);
                }
            }
            Kind::List(items) => items.iter().for_each(|i| i.report_duplicates(problems)),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::Text(_) => {}
        }
    }
}

#[cfg(test)]
mod tests;
