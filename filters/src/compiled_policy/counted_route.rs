//! What is counted of a route's answers, ready to be found in them.

use std::fmt;
use std::sync::{Arc, OnceLock};

use postern_config::{Label, Policy, Route};

use crate::compiled_policy::CompileError;
use crate::json::{Automaton, JsonPlan, JsonRules, JsonSettings, LabelId};

/// Where the records and the data subjects of a route's answers are.
#[derive(Default)]
pub(crate) struct CountedRoute {
    records: bool,
    subjects: bool,
    /// None where there is nothing to look for.
    automaton: Option<Arc<Automaton>>,
    /// The plans by whether data subjects are counted, and whether what is required must be there.
    plans: [[OnceLock<Arc<JsonPlan>>; 2]; 2],
}

impl CountedRoute {
    /// Compiles what a route says of records and data subjects; `labels` is the policy's list, in order.
    ///
    /// # Errors
    /// The selectors are too many.
    pub(crate) fn compile(
        policy: &Policy,
        route: &Route,
        labels: &[&Label],
    ) -> Result<Self, CompileError> {
        if route.records.is_empty() && route.subjects.is_empty() {
            return Ok(Self::default());
        }
        // Of the labels only those count that say that there is a document in a string.
        let opened = |label: &&Label| {
            let mut known = policy.labels.iter();
            known.any(|(known, entry)| known == *label && entry.embedded.is_some())
        };
        let id = |label: &Label| {
            let place = labels.iter().position(|known| *known == label);
            place.and_then(|place| LabelId::try_from(place).ok())
        };
        let rules = route.rules.iter().filter_map(|rule| {
            let opened = rule.labels.iter().filter(opened);
            let ids: Vec<LabelId> = opened.filter_map(id).collect();
            (!ids.is_empty()).then_some((&rule.selector, ids))
        });
        let rules = JsonRules {
            rules: rules.collect(),
            required: route.required.iter().collect(),
            names: route.names,
        };
        let automaton = Automaton::compile_to_count(&rules, &route.records, &route.subjects);
        let automaton = automaton.map_err(|_too_large| CompileError::TooLarge {
            route: route.name.clone(),
        })?;
        Ok(Self {
            records: !route.records.is_empty(),
            subjects: !route.subjects.is_empty(),
            automaton: Some(Arc::new(automaton)),
            plans: Default::default(),
        })
    }

    /// Whether the route says where records are.
    pub(crate) fn has_records(&self) -> bool {
        self.records
    }

    /// Whether the route says where data subjects are named.
    pub(crate) fn has_subjects(&self) -> bool {
        self.subjects
    }

    /// The plan that counts, made once; none where there is nothing to look for.
    pub(crate) fn plan(
        &self,
        subjects: bool,
        require: bool,
        settings: impl FnOnce() -> JsonSettings,
    ) -> Option<Arc<JsonPlan>> {
        let automaton = self.automaton.as_ref()?;
        let plans = self.plans.get(usize::from(subjects))?;
        let plan = plans.get(usize::from(require))?.get_or_init(|| {
            let settings = settings();
            Arc::new(JsonPlan::counting(
                Arc::clone(automaton),
                settings,
                subjects,
            ))
        });
        Some(Arc::clone(plan))
    }
}

impl fmt::Debug for CountedRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CountedRoute")
            .field("records", &self.records)
            .field("subjects", &self.subjects)
            .finish_non_exhaustive()
    }
}
