//! The engines that are compared. Each returns the length of its output, so that nothing is optimised
//! away.

use std::sync::Arc;

use jsonpath_rust::JsonPath;
use postern_config::Selector;
use postern_config::routes::Names;
use postern_filters::BodyFilter;
use postern_filters::json::{Automaton, JsonFilter, JsonPlan, JsonRules, JsonSettings};
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::rule_sets::RuleSet;

/// The chunks in which a body arrives.
const CHUNK: usize = 64 * 1024;

/// What stands in place of a redacted value.
const CONSTANT: &str = "[redacted]";

/// The rules, compiled for Postern and as text for the rival.
pub(crate) struct Engines<'r> {
    plan: Arc<JsonPlan>,
    rules: &'r RuleSet,
}

impl<'r> Engines<'r> {
    /// Compiles a rule set.
    pub(crate) fn new(rules: &'r RuleSet) -> Self {
        let selectors: Vec<Selector> = rules
            .selectors
            .iter()
            .filter_map(|text| Selector::parse(text).ok())
            .collect();
        assert_eq!(selectors.len(), rules.selectors.len(), "{}", rules.name);
        let compiled = Automaton::compile(&JsonRules {
            rules: selectors
                .iter()
                .map(|selector| (selector, vec![0]))
                .collect(),
            required: Vec::new(),
            names: Names::Exact,
        });
        let Ok(automaton) = compiled else {
            unreachable_rules(rules)
        };
        let settings = JsonSettings {
            actions: vec![rules.action.clone()],
            unlabelled: rules.unlabelled,
            depth_max: 128,
            held_bytes_max: 1 << 20,
            pseudonyms: None,
            require: false,
            embedded: Vec::new(),
        };
        Self {
            plan: Arc::new(JsonPlan::new(Arc::new(automaton), settings)),
            rules,
        }
    }

    /// Postern, in chunks, all output in one buffer.
    pub(crate) fn postern(&self, document: &[u8]) -> usize {
        let mut filter = JsonFilter::new(Arc::clone(&self.plan));
        let mut out = Vec::with_capacity(document.len() + document.len() / 8);
        for chunk in document.chunks(CHUNK) {
            assert!(
                filter.push(chunk, &mut out).is_ok(),
                "the document is valid"
            );
        }
        assert!(filter.finish(&mut out).is_ok(), "the document is complete");
        out.len()
    }

    /// serde_json for the document, jsonpath-rust for the selectors, serde_json for the output.
    pub(crate) fn serde_and_jsonpath(&self, document: &[u8]) -> usize {
        let mut value: Value = parsed(document);
        let mut paths = Vec::new();
        for selector in &self.rules.selectors {
            paths.extend(value.query_only_path(selector).unwrap_or_default());
        }
        for path in &paths {
            if let Some(place) = place(&mut value, path) {
                *place = Value::String(CONSTANT.to_owned());
            }
        }
        serde_json::to_vec(&value).map_or(0, |out| out.len())
    }
}

/// Validates only.
pub(crate) fn skip(document: &[u8]) -> usize {
    let skipped: IgnoredAny = serde_json::from_slice(document).unwrap_or_default();
    std::hint::black_box(skipped);
    document.len()
}

/// Builds the tree and drops it.
pub(crate) fn parse(document: &[u8]) -> usize {
    std::hint::black_box(parsed(document));
    document.len()
}

fn parsed(document: &[u8]) -> Value {
    serde_json::from_slice(document).unwrap_or_default()
}

/// Follows a normalized path such as `$['a'][0]`; the documents' names need no escapes.
fn place<'v>(value: &'v mut Value, path: &str) -> Option<&'v mut Value> {
    let mut here = value;
    for step in path.split('[').skip(1) {
        let step = step.strip_suffix(']')?;
        here = match step.strip_prefix('\'') {
            Some(name) => here.get_mut(name.strip_suffix('\'')?)?,
            None => here.get_mut(step.parse::<usize>().ok()?)?,
        };
    }
    Some(here)
}

#[expect(clippy::panic, reason = "INVARIANT: the bench's rule sets are small")]
fn unreachable_rules(rules: &RuleSet) -> ! {
    panic!("the rules `{}` are too many for the automaton", rules.name)
}
