//! What is counted of a route's answers, ready to be found in them.

use std::fmt;
use std::sync::{Arc, OnceLock};

use postern_config::selector::ast::{Pick, Segment};
use postern_config::{Label, Policy, Route, Selector};

use crate::compiled_policy::CompileError;
use crate::json::{Automaton, JsonPlan, JsonRules, JsonSettings, LabelId};

/// Where the records and the data subjects of a route's answers are.
#[derive(Default)]
pub(crate) struct CountedRoute {
    records: bool,
    subjects: bool,
    /// In a body that is one document; none where there is nothing to look for.
    document: Option<Found>,
    /// In a body of many parts.
    parts: Option<Found>,
}

/// Where they are in bodies of one kind.
struct Found {
    automaton: Arc<Automaton>,
    /// The plans by whether data subjects are counted, and whether what is required must be there.
    plans: [[OnceLock<Arc<JsonPlan>>; 2]; 2],
}

/// What a plan that counts is for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CountedBody {
    /// The body has many parts, each of which is an element of `$`.
    pub(crate) parts: bool,
    /// Data subjects are counted.
    pub(crate) subjects: bool,
    /// What is required must be there.
    pub(crate) require: bool,
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
        let found = |parts: bool, records: &[Selector]| {
            let mut formats = route.formats.iter();
            if !formats.any(|format| format.kind.is_sequence() == parts) {
                return Ok(None);
            }
            let automaton = Automaton::compile_to_count(&rules, records, &route.subjects);
            let automaton = automaton.map_err(|_too_large| CompileError::TooLarge {
                route: route.name.clone(),
            })?;
            Ok(Some(Found {
                automaton: Arc::new(automaton),
                plans: Default::default(),
            }))
        };
        Ok(Self {
            records: !route.records.is_empty(),
            subjects: !route.subjects.is_empty(),
            document: found(false, &route.records)?,
            parts: found(true, &in_parts(&route.records))?,
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
        body: CountedBody,
        settings: impl FnOnce() -> JsonSettings,
    ) -> Option<Arc<JsonPlan>> {
        let found = match body.parts {
            true => self.parts.as_ref()?,
            false => self.document.as_ref()?,
        };
        let plans = found.plans.get(usize::from(body.subjects))?;
        let plan = plans.get(usize::from(body.require))?.get_or_init(|| {
            let automaton = Arc::clone(&found.automaton);
            Arc::new(JsonPlan::counting(automaton, settings(), body.subjects))
        });
        Some(Arc::clone(plan))
    }
}

/// The records of a body of many parts. SECURITY: selectors that only speak of the members of one document
/// find nothing there, and those that look everywhere may not, but a route that says where its records are
/// may not answer without any: then each part is one.
fn in_parts(records: &[Selector]) -> Vec<Selector> {
    let names_only = |pick: &Pick| matches!(pick, Pick::Name(_));
    let reaches = |selector: &&Selector| match selector.segments().first() {
        Some(Segment::Child(picks)) => !picks.iter().all(names_only),
        Some(Segment::Descendant(_)) | None => true,
    };
    let looks_everywhere =
        |selector: &Selector| matches!(selector.segments().first(), Some(Segment::Descendant(_)));
    let mut reaching: Vec<Selector> = records.iter().filter(reaches).cloned().collect();
    if !records.is_empty() && reaching.iter().all(looks_everywhere) {
        reaching.extend(Selector::parse("$[*]"));
    }
    reaching
}

impl fmt::Debug for CountedRoute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CountedRoute")
            .field("records", &self.records)
            .field("subjects", &self.subjects)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_a_record_unless_a_selector_speaks_of_parts() {
        for (records, counts) in [
            (vec!["$.items[*]"], true),
            (vec!["$..items[*]"], true),
            (vec!["$..items[*]", "$.items[*]"], true),
            (vec!["$..items[*]", "$[*].notes[*]"], false),
            (vec!["$[0]"], false),
            (vec!["$"], false),
            (vec![], false),
        ] {
            let parse = |text: &&str| Selector::parse(text).unwrap();
            let selectors: Vec<Selector> = records.iter().map(parse).collect();
            let found = in_parts(&selectors);
            assert_eq!(found.contains(&parse(&"$[*]")), counts, "{records:?}");
        }
    }
}
