//! Every selector of a route as one automaton: a state per set of places reached in the queries, a
//! step per member or element.
//!
//! Guarantees: it is independent of roles, so it is compiled once per route and shared; a step costs
//! one lookup of the member's name and one of the transition, however many rules there are. What the
//! table does not hold (beyond [`STATES_MAX`], or where a filter held) is computed on sets by the same
//! step function and kept for the exchange.
//!
//! It does not know actions: [`super::plan::JsonPlan`] brings them.

mod build;
mod lazy;
mod names;
mod patterns;
mod positions;
mod ranges;

use std::fmt;

use postern_config::Selector;
use postern_config::routes::Names;
use postern_config::selector::ast;
use regex::Regex;

use build::Table;
use patterns::Patterns;

pub(super) use lazy::Lazy;
pub(super) use names::{NameId, NameTable};
pub(super) use positions::{Key, Place, Test, TestId};
pub(super) use ranges::{needs_length, selects};

/// The most states the table holds.
pub const STATES_MAX: usize = 4096;

/// The most places that all selectors of a route together may have.
pub const PLACES_MAX: usize = 1 << 16;

/// An index into the policy's list of labels, chosen by the caller.
pub type LabelId = u16;

/// The selectors of one route.
#[derive(Debug, Clone)]
pub struct JsonRules<'a> {
    /// What is labelled, and with which labels.
    pub rules: Vec<(&'a Selector, Vec<LabelId>)>,
    /// What must match something in a successful answer.
    pub required: Vec<&'a Selector>,
    /// How member names are compared.
    pub names: Names,
}

/// The selectors are too many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the selectors have more than {PLACES_MAX} segments")]
pub struct TooLarge;

/// A state: an index into the table, or past its end into a [`Lazy`].
pub(super) type StateId = u32;

/// A rule: first those with labels, then those that are required, then those of records, then those of
/// data subjects.
pub(super) type RuleId = usize;

/// The state in which nothing can match any more.
pub(super) const DEAD: StateId = 0;

/// The state of the document's root.
pub(super) const START: StateId = 1;

/// The selectors of a route, ready to be followed through a document.
pub struct Automaton {
    places: positions::Places,
    table: Table,
    /// The labels of the rules that have some; the required ones come after them.
    labels: Vec<Vec<LabelId>>,
    /// From which rule on rules say where records are, and where data subjects.
    records_from: RuleId,
    subjects_from: RuleId,
    documents: Vec<bool>,
    patterns: Patterns,
    fold: Names,
}

impl Automaton {
    /// Compiles the selectors of a route.
    ///
    /// # Errors
    /// The selectors have more than [`PLACES_MAX`] segments.
    pub fn compile(rules: &JsonRules<'_>) -> Result<Self, TooLarge> {
        Self::compile_with_records(rules, &[])
    }

    /// The same, with where the records of a document are.
    ///
    /// # Errors
    /// The selectors have more than [`PLACES_MAX`] segments.
    pub fn compile_with_records(
        rules: &JsonRules<'_>,
        records: &[Selector],
    ) -> Result<Self, TooLarge> {
        Self::compile_to_count(rules, records, &[])
    }

    /// The same, with where the data subjects of a document are.
    ///
    /// # Errors
    /// The selectors have more than [`PLACES_MAX`] segments.
    pub fn compile_to_count(
        rules: &JsonRules<'_>,
        records: &[Selector],
        subjects: &[Selector],
    ) -> Result<Self, TooLarge> {
        let selectors: Vec<&Selector> = rules
            .rules
            .iter()
            .map(|(selector, _)| *selector)
            .chain(rules.required.iter().copied())
            .chain(records)
            .chain(subjects)
            .collect();
        let places = positions::Places::new(&selectors, rules.names)?;
        let table = Table::build(&places);
        let patterns = Patterns::of(places.filters());
        let labels = rules.rules.iter().map(|(_, labels)| labels.clone());
        let documents = selectors
            .iter()
            .map(|selector| ast::mentions_document(selector.segments()));
        Ok(Self {
            labels: labels.collect(),
            records_from: rules.rules.len() + rules.required.len(),
            subjects_from: rules.rules.len() + rules.required.len() + records.len(),
            documents: documents.collect(),
            places,
            table,
            patterns,
            fold: rules.names,
        })
    }

    /// How many states the table holds.
    #[must_use]
    pub fn states(&self) -> usize {
        self.table.len()
    }

    pub(super) fn places(&self) -> &positions::Places {
        &self.places
    }

    pub(super) fn table(&self) -> &Table {
        &self.table
    }

    pub(super) fn names(&self) -> &NameTable {
        self.places.names()
    }

    /// A pattern that the policy spells out; none when it does not. Inside, none when it is not valid.
    pub(super) fn pattern(&self, text: &str, whole: bool) -> Option<Option<&Regex>> {
        self.patterns.find(text, whole)
    }

    pub(super) fn fold(&self) -> Names {
        self.fold
    }

    /// How many rules there are.
    pub(super) fn rules(&self) -> usize {
        self.documents.len()
    }

    /// Whether a rule says what must be there, and not what is labelled.
    pub(super) fn is_required(&self, rule: RuleId) -> bool {
        (self.labels.len()..self.records_from).contains(&rule)
    }

    /// Whether a rule says where a record is.
    pub(super) fn is_record(&self, rule: RuleId) -> bool {
        (self.records_from..self.subjects_from).contains(&rule)
    }

    /// Whether a rule says where a data subject is named.
    pub(super) fn is_subject(&self, rule: RuleId) -> bool {
        rule >= self.subjects_from
    }

    /// The labels of a rule.
    pub(super) fn labels_of(&self, rule: RuleId) -> &[LabelId] {
        self.labels.get(rule).map_or(&[], Vec::as_slice)
    }

    /// Whether a rule's filters ask for the whole document.
    pub(super) fn asks_for_document(&self, rule: RuleId) -> bool {
        self.documents.get(rule).copied().unwrap_or_default()
    }
}

impl fmt::Debug for Automaton {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Automaton")
            .field("rules", &self.rules())
            .field("states", &self.table.len())
            .finish_non_exhaustive()
    }
}
