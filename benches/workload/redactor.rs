//! The engine under measurement, compiled for one rule set.

use std::sync::Arc;

use postern_config::Selector;
use postern_config::routes::{Names, Unlabelled};
use postern_filters::json::{Automaton, Engine, JsonFilter, JsonPlan, JsonRules, JsonSettings};
use postern_filters::{BodyFilter, SubjectKey};

use crate::rule_sets::RuleSet;

/// The chunks in which a body arrives unless a bench says otherwise, in bytes.
pub const CHUNK_BYTES: usize = 64 * 1024;

/// How many bytes a filter may hold back, in every plan here.
pub const HELD_BYTES_MAX: usize = 1 << 20;

/// What redacts documents by one rule set.
#[derive(Debug)]
pub struct Redactor {
    plan: Arc<JsonPlan>,
    engine: Engine,
    /// What counts records and data subjects, if they are counted.
    counting: Option<Arc<JsonPlan>>,
}

impl Redactor {
    /// Compiles a rule set.
    ///
    /// # Panics
    /// A selector does not parse, or the rules are too many: the rule sets here are neither.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "INVARIANT: the benches' rule sets are valid and small"
    )]
    pub fn new(rules: &RuleSet, engine: Engine) -> Self {
        let selectors: Vec<Selector> = rules
            .selectors
            .iter()
            .map(|text| Selector::parse(text).expect("a valid selector"))
            .collect();
        let automaton = Automaton::compile(&JsonRules {
            rules: selectors
                .iter()
                .map(|selector| (selector, vec![0]))
                .collect(),
            required: Vec::new(),
            names: Names::Exact,
        });
        let settings = JsonSettings {
            actions: vec![rules.action.clone()],
            unlabelled: rules.unlabelled,
            depth_max: 128,
            held_bytes_max: HELD_BYTES_MAX,
            pseudonyms: None,
            require: false,
            embedded: Vec::new(),
        };
        let automaton = Arc::new(automaton.expect("few rules"));
        Self {
            plan: Arc::new(JsonPlan::new(automaton, settings)),
            engine,
            counting: None,
        }
    }

    /// The same, which counts cases and their customers as well.
    ///
    /// # Panics
    /// Never: the selectors are valid.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "INVARIANT: the selectors are valid and few"
    )]
    pub fn counted(self) -> Self {
        let selector = |text| Selector::parse(text).expect("a valid selector");
        let none = JsonRules {
            rules: Vec::new(),
            required: Vec::new(),
            names: Names::Exact,
        };
        let records = [selector("$.cases[*]")];
        let subjects = [selector("$.cases[*].customer.id")];
        let automaton = Automaton::compile_to_count(&none, &records, &subjects);
        let settings = JsonSettings {
            actions: Vec::new(),
            unlabelled: Unlabelled::Show,
            depth_max: 128,
            held_bytes_max: HELD_BYTES_MAX,
            pseudonyms: None,
            require: false,
            embedded: Vec::new(),
        };
        let automaton = Arc::new(automaton.expect("few rules"));
        let counting = JsonPlan::counting(automaton, settings, true);
        Self {
            counting: Some(Arc::new(counting)),
            ..self
        }
    }

    /// The compiled rules.
    #[must_use]
    pub const fn plan(&self) -> &Arc<JsonPlan> {
        &self.plan
    }

    /// Redacts a document that arrives in chunks of `chunk_bytes`; the output is copied to `out`.
    ///
    /// # Panics
    /// The document is not valid: the documents here are.
    #[expect(
        clippy::expect_used,
        reason = "INVARIANT: the benches' documents are valid"
    )]
    pub fn redact(&self, document: &[u8], chunk_bytes: usize, out: &mut Vec<u8>) {
        let mut filter = JsonFilter::with_engine(Arc::clone(&self.plan), self.engine);
        if let Some(counting) = &self.counting {
            filter = filter.counted_with(Arc::clone(counting), SubjectKey::new([7; 16]));
        }
        for chunk in document.chunks(chunk_bytes) {
            filter.push(chunk, out).expect("a valid document");
        }
        filter.finish(out).expect("a complete document");
    }
}
