//! An automaton seen by one set of roles: what happens to the value a state stands for.
//!
//! Guarantees: everything a document's members need is looked up, not computed; a rule that changes
//! nothing for these roles is not followed and holds nothing back.

mod counting;
mod facts;
mod verdicts;

use std::fmt;
use std::sync::Arc;

use postern_config::labels::Embedded;
use postern_config::routes::Unlabelled;
use postern_config::{Action, Detection, Detector};

use super::automaton::{Automaton, LabelId, Place, RuleId, StateId, Test, TestId};
use super::glance::Glance;
use crate::pseudonym::Pseudonymizer;

pub(super) use counting::Counting;
pub(super) use facts::{Entry, Facts};
use verdicts::Detections;
pub(super) use verdicts::{Verdict, Verdicts};

/// What a set of roles may see, and the limits.
#[derive(Clone)]
pub struct JsonSettings {
    /// The action for each label, by [`LabelId`]; a label past its end is removed.
    pub actions: Vec<Action>,
    /// What happens to a value nobody labelled.
    pub unlabelled: Unlabelled,
    /// The deepest nesting of containers that is read.
    pub depth_max: usize,
    /// How many bytes an exchange may hold back.
    pub held_bytes_max: usize,
    /// What makes pseudonyms; without it they are redactions.
    pub pseudonyms: Option<Arc<Pseudonymizer>>,
    /// Whether a `required` selector that matches nothing refuses the document.
    pub require: bool,
    /// How a shown string of each label holds a document, by [`LabelId`]; past its end it holds none.
    pub embedded: Vec<Option<Embedded>>,
}

impl JsonSettings {
    /// How a shown string of a label holds a document.
    fn embedded_in(&self, label: LabelId) -> Option<Embedded> {
        self.embedded.get(usize::from(label)).copied().flatten()
    }
}

/// Which values are records whose hidden values are searched for in their free text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RecordsOf {
    /// None: nothing is searched for so, or nothing is hidden.
    Nothing,
    /// Each whole document.
    Documents,
    /// What the route's `records` select.
    Selectors,
}

/// A route's automaton with what one set of roles may see. Made once and shared by exchanges.
pub struct JsonPlan {
    automaton: Arc<Automaton>,
    settings: JsonSettings,
    /// Which rules change anything.
    active: Arc<[bool]>,
    entries: Arc<[Entry]>,
    verdicts: Arc<Verdicts>,
    holds_document: bool,
    detections: Arc<Detections>,
    records_of: RecordsOf,
    counting: Counting,
    glance: Arc<Glance>,
}

impl JsonPlan {
    /// Joins an automaton and what a set of roles may see.
    #[must_use]
    pub fn new(automaton: Arc<Automaton>, settings: JsonSettings) -> Self {
        Self::searching(automaton, settings, Arc::default())
    }

    /// The same, with what is searched for in the values of each label, by [`LabelId`]. A value that
    /// nobody said anything about is redacted where it was to be searched.
    #[must_use]
    pub fn searching(
        automaton: Arc<Automaton>,
        settings: JsonSettings,
        detections: Arc<[Option<Detection>]>,
    ) -> Self {
        let records_of = records_of(&automaton, &settings, &detections);
        Self::of(
            automaton,
            settings,
            detections,
            (records_of, Counting::Nothing),
        )
    }

    fn of(
        automaton: Arc<Automaton>,
        settings: JsonSettings,
        detections: Arc<[Option<Detection>]>,
        (records_of, counting): (RecordsOf, Counting),
    ) -> Self {
        let (active, holds_document) = activity(&automaton, &settings, (records_of, counting));
        let mut plan = Self {
            active,
            settings,
            entries: Arc::default(),
            verdicts: Arc::default(),
            holds_document,
            detections,
            records_of,
            counting,
            glance: Arc::new(Glance::nothing()),
            automaton,
        };
        let mut verdicts = Verdicts::default();
        let entries = (0..plan.automaton.states()).map(|state| {
            let state = StateId::try_from(state).unwrap_or(StateId::MAX);
            let set = plan.automaton.table().set(state).unwrap_or_default();
            plan.entry_of(set, &mut verdicts)
        });
        plan.entries = entries.collect();
        plan.verdicts = Arc::new(verdicts);
        plan.glance = Arc::new(Glance::of(&plan));
        plan
    }

    /// The same plan with what makes one reader's tokens. What was computed is shared.
    #[must_use]
    pub fn with_pseudonyms(&self, pseudonyms: Arc<Pseudonymizer>) -> Self {
        Self {
            automaton: Arc::clone(&self.automaton),
            settings: JsonSettings {
                pseudonyms: Some(pseudonyms),
                ..self.settings.clone()
            },
            active: Arc::clone(&self.active),
            entries: Arc::clone(&self.entries),
            verdicts: Arc::clone(&self.verdicts),
            holds_document: self.holds_document,
            detections: Arc::clone(&self.detections),
            records_of: self.records_of,
            counting: self.counting,
            glance: Arc::clone(&self.glance),
        }
    }

    /// Which values are records whose hidden values are searched for.
    pub(super) fn records_of(&self) -> RecordsOf {
        self.records_of
    }

    /// What is searched for in the values of each label.
    pub(super) fn detections(&self) -> &Detections {
        &self.detections
    }

    pub(super) fn automaton(&self) -> &Automaton {
        &self.automaton
    }

    pub(crate) fn settings(&self) -> &JsonSettings {
        &self.settings
    }

    pub(super) fn verdicts(&self) -> &Verdicts {
        &self.verdicts
    }

    /// Whether a rule changes anything for these roles.
    pub(super) fn is_active(&self, rule: RuleId) -> bool {
        self.active.get(rule).copied().unwrap_or(true)
    }

    /// Every label of the selectors that does not show what it is on, each once.
    pub(crate) fn hidden_labels(&self) -> impl Iterator<Item = LabelId> {
        let rules = 0..self.automaton.rules();
        let labels = rules.flat_map(|rule| self.hidden_labels_of(rule));
        labels
            .collect::<std::collections::BTreeSet<_>>()
            .into_iter()
    }

    /// The labels of a rule that do not show what they are on.
    pub(super) fn hidden_labels_of(&self, rule: RuleId) -> impl Iterator<Item = LabelId> + '_ {
        let hides = |label: &&LabelId| {
            let action = self.settings.actions.get(usize::from(**label));
            action != Some(&Action::Show)
        };
        self.automaton.labels_of(rule).iter().filter(hides).copied()
    }

    /// What may be passed over.
    #[inline]
    pub(super) fn glance(&self) -> &Glance {
        &self.glance
    }

    /// Whether a filter asks for the whole document.
    pub(super) fn holds_document(&self) -> bool {
        self.holds_document
    }

    /// A state of the automaton's table.
    #[inline]
    pub(super) fn entry(&self, state: StateId) -> Option<&Entry> {
        self.entries.get(state as usize)
    }

    /// The rules that require something, where that is enforced.
    pub(super) fn required(&self) -> impl Iterator<Item = RuleId> {
        (0..self.automaton.rules()).filter(|rule| self.is_required(*rule))
    }

    /// Whether a rule requires something, and that is enforced.
    pub(super) fn is_required(&self, rule: RuleId) -> bool {
        self.settings.require && self.automaton.is_required(rule)
    }

    /// What a set of places is for these roles.
    pub(super) fn entry_of(&self, set: &[Place], verdicts: &mut Verdicts) -> Entry {
        let places = self.automaton.places();
        let mut flags = 0;
        let mut labels: Vec<LabelId> = Vec::new();
        let mut tests: Vec<TestId> = Vec::new();
        for place in set {
            let Some(rule) = places.rule(*place) else {
                continue;
            };
            let active = self.active.get(rule).copied().unwrap_or(true);
            if places.is_end(*place) {
                labels.extend_from_slice(self.automaton.labels_of(rule));
                if self.is_required(rule) {
                    flags |= Facts::REQUIRED;
                }
                if active && self.automaton.is_record(rule) {
                    flags |= Facts::RECORD | self.counting.flag();
                }
                if active && self.automaton.is_subject(rule) {
                    flags |= Facts::SUBJECT | self.counting.flag();
                }
            } else if active {
                flags |= Facts::LIVE;
                if self.is_required(rule) {
                    flags |= Facts::LIVE_FOR_REQUIRED;
                }
                tests.extend(places.tests(*place));
            }
        }
        for test in &tests {
            flags |= match places.test(*test) {
                Some(Test::Filter(_)) => Facts::FILTERS,
                Some(Test::Ends(_)) | None => Facts::ENDS,
            };
        }
        labels.sort_unstable();
        labels.dedup();
        tests.sort_unstable();
        tests.dedup();
        // PERF: to count, a string is opened as a document only if something counted can be in it.
        if self.counting.counts() && flags & Facts::LIVE == 0 {
            labels.clear();
        }
        Entry {
            facts: Facts {
                flags,
                verdict: verdicts.number(labels, &self.settings, &self.detections),
            },
            tests: tests.into(),
        }
    }
}

/// Which values are records: those that the route says, or whole documents. Only where a label that is
/// searched asks for what others hide.
fn records_of(
    automaton: &Automaton,
    settings: &JsonSettings,
    detections: &Detections,
) -> RecordsOf {
    let rules = 0..automaton.rules();
    let labels = || rules.clone().flat_map(|rule| automaton.labels_of(rule));
    let action = |label: &LabelId| settings.actions.get(usize::from(*label));
    let asks = labels().any(|label| {
        let detection = detections.get(usize::from(*label)).and_then(Option::as_ref);
        action(label) == Some(&Action::Detect)
            && detection.is_some_and(|d| d.find.contains(&Detector::NamesInThisResponse))
    });
    let hides = labels().any(|label| !matches!(action(label), Some(Action::Show | Action::Detect)));
    match asks && hides {
        false => RecordsOf::Nothing,
        true if rules.clone().any(|rule| automaton.is_record(rule)) => RecordsOf::Selectors,
        true => RecordsOf::Documents,
    }
}

/// Which rules change anything, and whether one of these asks for the whole document.
fn activity(
    automaton: &Automaton,
    settings: &JsonSettings,
    (records_of, counting): (RecordsOf, Counting),
) -> (Arc<[bool]>, bool) {
    let matters = |label: &LabelId| {
        let action = settings.actions.get(usize::from(*label));
        action != Some(&Action::Show) || settings.embedded_in(*label).is_some()
    };
    let changes = |rule: RuleId| match automaton.is_required(rule) {
        true => settings.require,
        false if automaton.is_record(rule) => {
            records_of == RecordsOf::Selectors || counting.counts()
        }
        false if automaton.is_subject(rule) => counting == Counting::Subjects,
        false => {
            settings.unlabelled != Unlabelled::Show || automaton.labels_of(rule).iter().any(matters)
        }
    };
    let active: Arc<[bool]> = (0..automaton.rules()).map(changes).collect();
    let holds_document = active
        .iter()
        .enumerate()
        .any(|(rule, active)| *active && automaton.asks_for_document(rule));
    (active, holds_document)
}

impl fmt::Debug for JsonSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonSettings")
            .field("actions", &self.actions)
            .field("unlabelled", &self.unlabelled)
            .field("depth_max", &self.depth_max)
            .field("held_bytes_max", &self.held_bytes_max)
            .field("require", &self.require)
            .field("embedded", &self.embedded)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for JsonPlan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonPlan")
            .field("automaton", &self.automaton)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}
