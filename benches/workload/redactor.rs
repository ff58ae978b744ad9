//! The engine under measurement, compiled for one rule set.

use std::sync::Arc;

use postern_config::Selector;
use postern_config::routes::Names;
use postern_filters::BodyFilter;
use postern_filters::json::{Automaton, Engine, JsonFilter, JsonPlan, JsonRules, JsonSettings};

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
        for chunk in document.chunks(chunk_bytes) {
            filter.push(chunk, out).expect("a valid document");
        }
        filter.finish(out).expect("a complete document");
    }
}
