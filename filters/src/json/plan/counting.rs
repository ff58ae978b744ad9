//! A plan that counts: it hides nothing and looks for records and data subjects.
//!
//! Guarantees: it does not depend on who reads, so what is counted is the same for every role. Labels
//! matter to it only as far as they say that a string holds a document.

use std::sync::Arc;

use postern_config::Action;
use postern_config::routes::Unlabelled;

use super::{Facts, JsonPlan, JsonSettings, RecordsOf};
use crate::json::automaton::{Automaton, START};

/// What a plan counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::json) enum Counting {
    /// Nothing: it says what a reader sees.
    Nothing,
    /// Records.
    Records,
    /// Records and the data subjects in them.
    Subjects,
}

impl Counting {
    pub(in crate::json) fn counts(self) -> bool {
        self != Self::Nothing
    }

    /// What marks a state of which a counting plan takes note.
    pub(super) fn flag(self) -> u8 {
        match self {
            Self::Nothing => 0,
            Self::Records | Self::Subjects => Facts::COUNTED,
        }
    }
}

impl JsonPlan {
    /// The plan that counts by an automaton made for that. Of the settings only limits count, how strings
    /// hold documents, and whether what is required is looked for.
    #[must_use]
    pub fn counting(automaton: Arc<Automaton>, settings: JsonSettings, subjects: bool) -> Self {
        let settings = JsonSettings {
            actions: vec![Action::Show; settings.actions.len()],
            unlabelled: Unlabelled::Show,
            pseudonyms: None,
            ..settings
        };
        let counting = match subjects {
            true => Counting::Subjects,
            false => Counting::Records,
        };
        let of = (RecordsOf::Nothing, counting);
        Self::of(automaton, settings, Arc::default(), of)
    }

    /// Whether the plan counts.
    pub(crate) fn counts(&self) -> bool {
        self.counting.counts()
    }

    /// Whether it looks for records.
    pub(crate) fn looks_for_records(&self) -> bool {
        let mut rules = 0..self.automaton.rules();
        rules.any(|rule| self.is_active(rule) && self.automaton.is_record(rule))
    }

    /// Whether `$` is a record, and whether it names a data subject.
    pub(crate) fn counts_root(&self) -> (bool, bool) {
        let facts = self.entry(START).map(|entry| entry.facts);
        facts.map_or((false, false), |facts| {
            (facts.is_counted_record(), facts.is_counted_subject())
        })
    }
}
