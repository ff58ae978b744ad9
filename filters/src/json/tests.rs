//! The engine against written cases and its limits: whole, byte by byte, and at every split. The public
//! suites and the generated cases are in the repository's integration tests: this crate reads no file.

mod allow_list;
mod bugs;
mod counting;
mod engines;
mod limits;
mod lookaheads;
mod opened;
mod rewriting;
mod searching;

use std::sync::Arc;

use postern_config::routes::{Names, Unlabelled};
use postern_config::{
    Action, Detection, Detector, Embedded, Generalize, Mask, PseudonymScope, Selector,
};

use super::*;

/// What the tests vary.
#[derive(Clone)]
pub(crate) struct Setup<'s> {
    pub(crate) rules: &'s [(&'s str, &'s str)],
    pub(crate) required: &'s [&'s str],
    pub(crate) unlabelled: Unlabelled,
    pub(crate) names: Names,
    pub(crate) depth_max: usize,
    pub(crate) held_bytes_max: usize,
}

impl<'s> Setup<'s> {
    pub(crate) fn new(rules: &'s [(&'s str, &'s str)]) -> Self {
        Self {
            rules,
            required: &[],
            unlabelled: Unlabelled::Show,
            names: Names::Exact,
            depth_max: 128,
            held_bytes_max: 1 << 20,
        }
    }

    pub(crate) fn plan(&self) -> Arc<JsonPlan> {
        let parse = |text: &str| Selector::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
        let selectors: Vec<Selector> = self.rules.iter().map(|(text, _)| parse(text)).collect();
        let required: Vec<Selector> = self.required.iter().map(|text| parse(text)).collect();
        let rules = selectors.iter().zip(0..);
        let automaton = Automaton::compile(&JsonRules {
            rules: rules
                .map(|(selector, label)| (selector, vec![label]))
                .collect(),
            required: required.iter().collect(),
            names: self.names,
        });
        let settings = JsonSettings {
            actions: self.rules.iter().map(|(_, text)| action(text)).collect(),
            unlabelled: self.unlabelled,
            depth_max: self.depth_max,
            held_bytes_max: self.held_bytes_max,
            pseudonyms: None,
            require: !self.required.is_empty(),
            embedded: self.rules.iter().map(|(_, text)| embedded(text)).collect(),
        };
        // What is to be searched is searched for e-mail addresses.
        let find = [Detector::Email].into_iter().collect();
        let detection = Detection::new(find, Action::Redact { with: None });
        let searched = |text: &str| (text == "detect").then(|| detection.clone());
        let detections = self.rules.iter().map(|(_, text)| searched(text)).collect();
        let automaton = Arc::new(automaton.unwrap());
        Arc::new(JsonPlan::searching(automaton, settings, detections))
    }

    /// What the engine makes of a document, however it is split.
    pub(super) fn run(&self, input: &str) -> Result<String, BodyError> {
        let output = every_way(&self.plan(), input.as_bytes());
        output.map(|bytes| String::from_utf8(bytes).unwrap())
    }
}

/// `show`, `mask`, `last4`, `year`, `pseudonym`, `redact`, `remove`, or a constant's JSON text.
fn action(text: &str) -> Action {
    match text {
        "show" | "json" | "base64" => Action::Show,
        "mask" => Action::Mask(Mask::ByShape),
        "last4" => Action::Mask(Mask::Keep { first: 0, last: 4 }),
        "year" => Action::Generalize(Generalize::Year),
        "pseudonym" => Action::Pseudonym(PseudonymScope::Identity),
        "redact" => Action::Redact { with: None },
        "detect" => Action::Detect,
        "remove" => Action::Remove,
        constant => Action::Redact {
            with: Some(constant.to_owned()),
        },
    }
}

/// `json` and `base64` are shown strings that hold a document.
fn embedded(text: &str) -> Option<Embedded> {
    match text {
        "json" => Some(Embedded::Json),
        "base64" => Some(Embedded::Base64),
        _ => None,
    }
}

/// Runs chunks through a fresh filter. What has come out before an error comes with it.
pub(super) fn run_chunks<'c>(
    plan: &Arc<JsonPlan>,
    chunks: impl Iterator<Item = &'c [u8]>,
) -> (Vec<u8>, Result<(), BodyError>) {
    let chunks: Vec<&[u8]> = chunks.collect();
    let expected = run_on(plan, &chunks, Engine::Scalar);
    for engine in [Engine::Simd, Engine::SimdAlways] {
        assert_eq!(run_on(plan, &chunks, engine), expected, "{engine:?}");
    }
    expected
}

/// The same on one scanner.
fn run_on(
    plan: &Arc<JsonPlan>,
    chunks: &[&[u8]],
    engine: Engine,
) -> (Vec<u8>, Result<(), BodyError>) {
    let mut filter = JsonFilter::with_engine(Arc::clone(plan), engine);
    let mut out = Vec::new();
    for chunk in chunks {
        if let Err(error) = filter.push(chunk, &mut out) {
            assert_eq!(filter.push(b"", &mut out), Err(BodyError::Spent));
            return (out, Err(error));
        }
    }
    let done = filter.finish(&mut out);
    assert_eq!(filter.finish(&mut out), Err(BodyError::Spent));
    (out, done)
}

/// Runs a document whole, byte by byte, in threes and at every split: all must agree.
pub(super) fn every_way(plan: &Arc<JsonPlan>, input: &[u8]) -> Result<Vec<u8>, BodyError> {
    let (whole, done) = run_chunks(plan, [input].into_iter());
    let check = |(out, outcome): (Vec<u8>, Result<(), BodyError>), how: &str| {
        assert_eq!(
            outcome,
            done,
            "{how} of {:?}",
            String::from_utf8_lossy(input)
        );
        if outcome.is_ok() {
            assert_eq!(
                String::from_utf8_lossy(&out),
                String::from_utf8_lossy(&whole),
                "{how} of {:?}",
                String::from_utf8_lossy(input)
            );
        }
    };
    check(run_chunks(plan, input.chunks(1)), "byte by byte");
    check(run_chunks(plan, input.chunks(3)), "in threes");
    if input.len() <= 600 {
        for split in 1..input.len() {
            let (a, b) = input.split_at(split);
            check(
                run_chunks(plan, [a, b].into_iter()),
                &format!("split at {split}"),
            );
        }
    }
    done.map(|()| whole)
}

/// Rules, a document, and what is left of it.
type Case<'c> = (&'c [(&'c str, &'c str)], &'c str, &'c str);

/// Checks a table of rules, a document and what is left of it.
pub(super) fn check(cases: &[Case<'_>]) {
    for (rules, input, expected) in cases {
        let output = Setup::new(rules).run(input);
        assert_eq!(output.as_deref(), Ok(*expected), "{rules:?} on {input}");
    }
}
