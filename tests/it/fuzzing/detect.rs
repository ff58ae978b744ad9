//! Claim: what is found in free text does not depend on the window or the split, in a JSON string it is
//! what it is in plain text. Searching twice is not once for every text: what takes the place of one piece may let
//! its neighbour be read (`call1111111 1@l.a1`). The written lines claim it, this target does not.
//!
//! The first byte is the seed of the splits and of the string's escapes, and the rest is the text.

use std::sync::{Arc, LazyLock};

use postern_config::action::Action;
use postern_config::detect::Pattern;
use postern_config::routes::{Names, Unlabelled};
use postern_config::{Detection, Detector, Selector};
use postern_filters::BodyFilter;
use postern_filters::detect::{Detectors, Search, detect_text, findings};
use postern_filters::json::{Automaton, JsonFilter, JsonPlan, JsonRules, JsonSettings};

use super::Finding;
use crate::generated::{Chunking, Random, strings};

/// Texts up to this length fit into the window.
const WHOLE_BYTES_MAX: usize = 500;

/// How many characters without a width in a row are let through.
const INVISIBLE_MAX: usize = 16;

/// What takes the place of what is found.
const REDACTED: &str = "[redacted]";

/// Patterns of a policy author's own, beside the detectors.
const PATTERNS: [&str; 4] = [
    "MRN-[0-9]{7}",
    r"\b[A-Z][0-9]{8}\b",
    "ca|call[0-9]|é",
    r"(?-u:\b)[a-z]{2}\B.{0,9}@",
];

static EVERYTHING: LazyLock<Detection> = LazyLock::new(|| {
    let mut all = Detector::ALL.to_vec();
    all.retain(|detector| *detector != Detector::NamesInThisResponse);
    let patterns = PATTERNS.map(|written| Pattern::parse(written).unwrap());
    Detection::new(all.into_iter().collect(), Action::Redact { with: None })
        .with_patterns(patterns.into())
});

static PLAN: LazyLock<Arc<JsonPlan>> = LazyLock::new(|| {
    let selector = Selector::parse("$.text").unwrap();
    let rules = JsonRules {
        rules: vec![(&selector, vec![0])],
        required: Vec::new(),
        names: Names::Exact,
    };
    let settings = JsonSettings {
        actions: vec![Action::Detect],
        unlabelled: Unlabelled::Show,
        depth_max: 4,
        held_bytes_max: 1 << 20,
        pseudonyms: None,
        require: true,
        embedded: Vec::new(),
    };
    let automaton = Arc::new(Automaton::compile(&rules).unwrap());
    let detections = Arc::from([Some(EVERYTHING.clone())]);
    Arc::new(JsonPlan::searching(automaton, settings, detections))
});

/// Checks one input.
pub(crate) fn check(input: &[u8]) -> Finding {
    let Some((seed, text)) = input.split_first() else {
        return Ok(());
    };
    let Ok(text) = std::str::from_utf8(text) else {
        return Ok(());
    };
    let detectors = Detectors::new(&EVERYTHING);
    let search = Search::new(&detectors, None, None);
    let once = detect_text(search, text);
    let by_pieces = replaced(text, search)?;
    // Of a piece that is longer than the window, the window also takes what follows it; of long runs of
    // characters that show nothing it takes the rest out.
    if once != by_pieces && text.len() <= WHOLE_BYTES_MAX && !may_show_nothing(text) {
        return Err(format!(
            "through a window `{once}`, as a whole `{by_pieces}`"
        ));
    }
    let mut random = Random::of_case(u64::from(*seed), 0);
    let mut document = "{\"text\":".to_owned();
    strings::json_string(&mut random, text, &mut document);
    document.push('}');
    for chunking in Chunking::few(&mut random, document.len()) {
        let got = in_json(document.as_bytes(), chunking);
        if got.as_deref() != Some(&*once) {
            return Err(format!("{chunking:?}: {got:?} in JSON, not `{once}`"));
        }
    }
    Ok(())
}

/// Whether the text may hold more characters without a width in a row than are let through.
fn may_show_nothing(text: &str) -> bool {
    let shows = |character: char| character.is_ascii() && !character.is_control();
    text.split(shows)
        .any(|run| run.chars().count() > INVISIBLE_MAX)
}

/// The text with every piece that is found replaced; the pieces are in order and within the text.
fn replaced(text: &str, search: Search<'_>) -> Result<String, String> {
    let mut out = String::new();
    let mut from = 0;
    for found in findings(search, text) {
        let before = text.get(from..found.start);
        out.push_str(before.ok_or_else(|| format!("{found:?} after {from}"))?);
        out.push_str(REDACTED);
        from = found.end;
    }
    out.push_str(text.get(from..).ok_or("beyond the end")?);
    Ok(out)
}

/// What becomes of the text of a document.
fn in_json(document: &[u8], chunking: Chunking) -> Option<String> {
    let mut filter = JsonFilter::new(Arc::clone(&PLAN));
    let mut out = Vec::new();
    for piece in chunking.pieces(document) {
        filter.push(piece, &mut out).ok()?;
    }
    filter.finish(&mut out).ok()?;
    let value: serde_json::Value = serde_json::from_slice(&out).ok()?;
    Some(value.get("text")?.as_str()?.to_owned())
}

/// Texts with something to find, and near misses.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (word, seed) in super::mutation::TEXT_WORDS
        .iter()
        .zip((0..=u8::MAX).cycle())
    {
        for other in ["", "please call ", "\u{200b}", "é€", "(", "mail: "] {
            let text = format!("{other}{word} and {word}, {word}");
            all.push([&[seed][..], text.as_bytes()].concat());
        }
    }
    all
}
