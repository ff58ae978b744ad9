//! The proofs: a streamed list, and a single string under each action.

use std::sync::Arc;

use allocation_counter::measure;
use postern_benches::redactor::{CHUNK_BYTES, HELD_BYTES_MAX, Redactor};
use postern_benches::rule_sets::{self, RuleSet};
use postern_config::action::{Generalize, Mask, PseudonymScope};
use postern_config::routes::{Names, Unlabelled};
use postern_config::{Action, Detection, Detector, Selector};
use postern_filters::json::{Automaton, Engine, JsonFilter, JsonPlan, JsonRules, JsonSettings};
use postern_filters::{BodyError, BodyFilter, Identity, PseudonymKeys, Pseudonymizer};

use super::bodies::Body;

/// What the engine may hold beside what an action or a selector must hold back.
const OWN_BYTES: u64 = 32 << 10;

/// What a hold may take at most: its buffer is allocated anew while it grows, beside the old one.
const HOLD_BYTES: u64 = 2 * HELD_BYTES_MAX as u64;

/// What a search holds of a text: its window, in the text's form and in the form that is searched.
const WINDOW_BYTES: u64 = 32 << 10;

const ENGINES: [Engine; 2] = [Engine::Scalar, Engine::Simd];

/// A number of MiB from the environment, or the short one.
fn mib(variable: &str, short: usize) -> usize {
    let text = std::env::var(variable).ok();
    text.and_then(|text| text.parse().ok()).unwrap_or(short)
}

/// What came of a body.
struct Passed {
    result: Result<(), BodyError>,
    written: usize,
    /// The most that was allocated at once.
    peak: u64,
}

/// Passes a body through a filter in chunks. Only what the filter allocates counts.
fn pass(plan: &Arc<JsonPlan>, engine: Engine, body: &Body) -> Passed {
    let mut out = Vec::with_capacity(4 * CHUNK_BYTES);
    let mut written = 0;
    let mut result = Ok(());
    let counted = measure(|| {
        let mut filter = JsonFilter::with_engine(Arc::clone(plan), engine);
        for chunk in body.pieces().flat_map(|piece| piece.chunks(CHUNK_BYTES)) {
            result = filter.push(chunk, &mut out);
            if result.is_err() {
                return;
            }
            written += out.len();
            out.clear();
        }
        result = filter.finish(&mut out);
        written += out.len();
    });
    Passed {
        result,
        written,
        peak: counted.bytes_max,
    }
}

fn print_passed(what: &str, engine: Engine, body: &Body, passed: &Passed) {
    println!(
        "{what:<24} {engine:?}: {} bytes in, {} out, at most {} held",
        body.bytes(),
        passed.written,
        passed.peak
    );
}

#[test]
fn a_streamed_list_of_any_length_is_redacted_in_32_kib() {
    let body = Body::cases(mib("POSTERN_STREAM_MIB", 256));
    let rule_sets: [fn() -> RuleSet; 6] = [
        rule_sets::none,
        rule_sets::ten_wildcard,
        rule_sets::five_descendant,
        rule_sets::fifty_mixed,
        rule_sets::thirty_percent,
        rule_sets::allow_list,
    ];
    // One rule set gets the whole length with each engine, the others a tenth of it.
    for (at, rules) in rule_sets.iter().map(|rules| rules()).enumerate() {
        let part = Body::cases(mib("POSTERN_STREAM_MIB", 256).div_ceil(10));
        let body = if at == 1 { &body } else { &part };
        for engine in ENGINES {
            let plan = Arc::clone(Redactor::new(&rules, engine).plan());
            let passed = pass(&plan, engine, body);
            print_passed(rules.name, engine, body, &passed);
            assert_eq!(passed.result, Ok(()), "{}", rules.name);
            assert!(
                passed.peak <= OWN_BYTES,
                "{}: {} bytes",
                rules.name,
                passed.peak
            );
        }
    }
}

/// A plan that does one thing to the long string.
fn plan_for(action: Action) -> Arc<JsonPlan> {
    let rules = RuleSet {
        name: "one string",
        selectors: vec!["$.text".to_owned()],
        action,
        ..rule_sets::none()
    };
    let reader = Identity {
        issuer: "https://id.example".to_owned(),
        subject: "reader".to_owned(),
        ..Identity::default()
    };
    let pseudonyms = Pseudonymizer::new(&PseudonymKeys::for_offline_use(), &reader, &[]).unwrap();
    let redactor = Redactor::new(&rules, Engine::best());
    Arc::new(redactor.plan().with_pseudonyms(Arc::new(pseudonyms)))
}

#[test]
fn a_string_of_any_length_passes_or_goes_in_32_kib() {
    let body = Body::one_string(mib("POSTERN_STRING_MIB", 64));
    let streaming = [Action::Show, Action::Redact { with: None }, Action::Remove];
    for action in streaming {
        for engine in ENGINES {
            let passed = pass(&plan_for(action.clone()), engine, &body);
            print_passed(&format!("{action:?}"), engine, &body, &passed);
            assert_eq!(passed.result, Ok(()), "{action:?}");
            assert!(
                passed.peak <= OWN_BYTES,
                "{action:?}: {} bytes",
                passed.peak
            );
            let whole = passed.written == body.bytes();
            assert_eq!(whole, action == Action::Show, "{action:?}");
        }
    }
}

/// A plan that searches the long string for everything a policy can name, but for names.
fn searching_plan() -> Arc<JsonPlan> {
    let selector = Selector::parse("$.text").unwrap();
    let rules = JsonRules {
        rules: vec![(&selector, vec![0])],
        required: Vec::new(),
        names: Names::Exact,
    };
    let settings = JsonSettings {
        actions: vec![Action::Detect],
        unlabelled: Unlabelled::Show,
        depth_max: 128,
        held_bytes_max: HELD_BYTES_MAX,
        pseudonyms: None,
        require: false,
        embedded: Vec::new(),
    };
    let alone = Detector::ALL.into_iter();
    let find = alone.filter(|detector| *detector != Detector::NamesInThisResponse);
    let detection = Detection::new(find.collect(), Action::Redact { with: None });
    let automaton = Arc::new(Automaton::compile(&rules).unwrap());
    Arc::new(JsonPlan::searching(
        automaton,
        settings,
        Arc::new([Some(detection)]),
    ))
}

#[test]
fn a_string_of_any_length_is_searched_in_one_window() {
    // Searching costs more than passing: an eighth of the length shows the same.
    let body = Body::one_string(mib("POSTERN_STRING_MIB", 64).div_ceil(8));
    for engine in ENGINES {
        let passed = pass(&searching_plan(), engine, &body);
        print_passed("detect", engine, &body, &passed);
        assert_eq!(passed.result, Ok(()));
        assert!(
            passed.peak <= WINDOW_BYTES + OWN_BYTES,
            "{} bytes",
            passed.peak
        );
    }
}

#[test]
fn a_string_that_must_be_held_is_refused_at_the_limit() {
    let body = Body::one_string(mib("POSTERN_STRING_MIB", 64));
    let holding = [
        Action::Mask(Mask::ByShape),
        Action::Generalize(Generalize::Prefix(2)),
        Action::Pseudonym(PseudonymScope::Tenant),
    ];
    for action in holding {
        for engine in ENGINES {
            let passed = pass(&plan_for(action.clone()), engine, &body);
            print_passed(&format!("{action:?}"), engine, &body, &passed);
            let limit = BodyError::Limit {
                limit: "held_bytes",
            };
            assert_eq!(passed.result, Err(limit), "{action:?}");
            assert!(
                passed.peak <= HOLD_BYTES + OWN_BYTES,
                "{action:?}: {} bytes",
                passed.peak
            );
        }
    }
}
