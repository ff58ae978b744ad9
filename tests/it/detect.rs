//! The detectors on the committed lines (`tests/cases/detect`, written by `generate.py` there) and on the
//! recorded exchanges: how much is found, how much of what is found is right, and that look-alikes stay.
//!
//! `cargo test --test it -- detect --nocapture` prints the figures.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use postern_config::{Action, Detection, Detector};
use postern_filters::detect::{Detectors, Search, detect_text, findings};
use serde::Deserialize;

use crate::corpus;

#[derive(Deserialize)]
struct Lines {
    line: Vec<Line>,
}

#[derive(Deserialize)]
struct Line {
    text: String,
    #[serde(default)]
    find: Vec<(String, String)>,
}

/// What was found of one kind.
#[derive(Default)]
struct Tally {
    expected: u32,
    covered: u32,
    found: u32,
    right: u32,
}

/// Per mille: what must be found at least, and how much of it must be right.
const FLOORS: [(Detector, u32, u32); 7] = [
    (Detector::Email, 1000, 1000),
    (Detector::Phone, 980, 990),
    (Detector::Card, 1000, 990),
    (Detector::Iban, 1000, 1000),
    (Detector::UsSsn, 1000, 1000),
    (Detector::Secret, 980, 980),
    (Detector::Ip, 1000, 1000),
];

fn detectors() -> Detectors {
    let then = Action::Redact { with: None };
    Detectors::new(&Detection::new(BTreeSet::from(Detector::ALL), then))
}

fn lines() -> Vec<Line> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/detect");
    let files = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.extension().is_some_and(|end| end == "toml"));
    let mut lines = Vec::new();
    for path in files {
        let text = fs::read_to_string(&path).unwrap();
        let read: Lines = toml::from_str(&text).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        lines.extend(read.line);
    }
    assert!(lines.len() > 1300, "only {} lines", lines.len());
    lines
}

/// Where each expected piece stands in its line.
fn expected(line: &Line) -> Vec<(Detector, usize, usize)> {
    let mut from = 0;
    let place = |(kind, value): &(String, String)| {
        let start = from + line.text.get(from..).unwrap().find(value.as_str()).unwrap();
        from = start + value.len();
        let kind = Detector::ALL.into_iter().find(|known| known.word() == kind);
        (kind.unwrap(), start, from)
    };
    line.find.iter().map(place).collect()
}

#[test]
fn detectors_find_what_they_must_and_leave_look_alikes_alone() {
    let detectors = detectors();
    let search = Search::new(&detectors, None, None);
    let mut tallies: BTreeMap<Detector, Tally> = BTreeMap::new();
    for line in lines() {
        let expected = expected(&line);
        let found = findings(search, &line.text);
        for (kind, start, end) in &expected {
            let covered = found.iter().any(|f| f.start <= *start && f.end >= *end);
            let tally = tallies.entry(*kind).or_default();
            tally.expected += 1;
            tally.covered += u32::from(covered);
            if !covered {
                println!("missed {kind:?}: {}", line.text);
            }
        }
        for piece in found {
            let right = expected
                .iter()
                .any(|(_, start, end)| piece.start < *end && *start < piece.end);
            let tally = tallies.entry(piece.kind).or_default();
            tally.found += 1;
            tally.right += u32::from(right);
            if !right {
                println!("wrong {:?}: {}", piece.kind, line.text);
            }
        }
    }
    println!("kind     lines' pieces  recall  precision");
    let share = |part: u32, whole: u32| (part * 1000).checked_div(whole).unwrap_or(1000);
    let mut low = Vec::new();
    for (kind, recall_min, precision_min) in FLOORS {
        let tally = tallies.remove(&kind).unwrap_or_default();
        let recall = share(tally.covered, tally.expected);
        let precision = share(tally.right, tally.found);
        println!(
            "{:<8} {:>13}  {:>5.1}%  {:>8.1}%",
            kind.word(),
            tally.expected,
            f64::from(recall) / 10.0,
            f64::from(precision) / 10.0
        );
        if recall < recall_min || precision < precision_min || tally.expected < 30 {
            low.push(kind);
        }
    }
    assert!(low.is_empty(), "below the floor: {low:?}");
}

#[test]
fn what_was_detected_once_is_detected_no_more() {
    let constant = Action::Redact {
        with: Some(r#""(hidden 1)""#.to_owned()),
    };
    let mask = Action::Mask(postern_config::Mask::ByShape);
    for then in [Action::Redact { with: None }, constant, mask] {
        let detectors = Detectors::new(&Detection::new(BTreeSet::from(Detector::ALL), then));
        let search = Search::new(&detectors, None, None);
        for line in lines() {
            let once = detect_text(search, &line.text).into_owned();
            assert_eq!(detect_text(search, &once), once, "{}", line.text);
        }
    }
}

/// The window of a stream and the whole text at once are two ways to the same answer.
#[test]
fn long_texts_are_searched_as_if_they_were_whole() {
    let detectors = detectors();
    let search = Search::new(&detectors, None, None);
    let lines = lines();
    for shift in 0..64 {
        let mut text = "x ".repeat(shift * 7);
        for line in lines.iter().skip(shift * 13).take(120) {
            text.push_str(&line.text);
            text.push('\n');
        }
        let mut whole = String::new();
        let mut from = 0;
        for piece in findings(search, &text) {
            whole.push_str(text.get(from..piece.start).unwrap());
            whole.push_str("[redacted]");
            from = piece.end;
        }
        whole.push_str(text.get(from..).unwrap());
        assert_eq!(detect_text(search, &text), whole, "{shift}");
    }
}

#[derive(Deserialize)]
struct Truth {
    pii: Vec<Known>,
    decoys: Vec<Known>,
}

#[derive(Deserialize)]
struct Known {
    kind: String,
    value: String,
}

/// Every string of a JSON document.
fn strings(document: &serde_json::Value) -> Vec<&str> {
    let mut open = vec![document];
    let mut found = Vec::new();
    while let Some(value) = open.pop() {
        match value {
            serde_json::Value::String(text) => found.push(text.as_str()),
            serde_json::Value::Array(items) => open.extend(items),
            serde_json::Value::Object(members) => open.extend(members.values()),
            serde_json::Value::Null | serde_json::Value::Bool(_) | serde_json::Value::Number(_) => {
            }
        }
    }
    found
}

#[test]
fn in_recorded_text_nothing_of_these_kinds_is_left_and_every_look_alike_is() {
    const KINDS: [&str; 7] = ["email", "ssn", "card", "iban", "phone", "mobile", "ip"];
    let Some(folder) = corpus::folder("samples") else {
        return;
    };
    let text = fs::read_to_string(folder.join("truth.json")).unwrap();
    let truth: Truth = serde_json::from_str(&text).unwrap();
    let detectors = detectors();
    let search = Search::new(&detectors, None, None);
    let (mut pieces, mut kept) = (0, 0);
    for app in ["helpdesk", "roundup"] {
        for entry in fs::read_dir(folder.join(app)).unwrap() {
            let path = entry.unwrap().path();
            let body = fs::read(&path).unwrap_or_default();
            let Ok(document) = serde_json::from_slice::<serde_json::Value>(&body) else {
                continue;
            };
            for text in strings(&document) {
                // A value that is nothing else has a field, and a label, of its own.
                if !text.contains(' ') || text.len() < 40 {
                    continue;
                }
                let left = detect_text(search, text);
                for known in truth
                    .pii
                    .iter()
                    .filter(|k| KINDS.contains(&k.kind.as_str()))
                {
                    pieces += u32::from(text.contains(&known.value));
                    assert!(
                        !left.contains(&known.value),
                        "{path:?}: a {} is left: {left}",
                        known.kind
                    );
                }
                for known in truth.decoys.iter().filter(|k| text.contains(&k.value)) {
                    kept += 1;
                    assert!(
                        left.contains(&known.value),
                        "{path:?}: a {} is gone: {left}",
                        known.kind
                    );
                }
            }
        }
    }
    println!("{pieces} pieces found, {kept} look-alikes kept");
    assert!(pieces > 500 && kept > 500, "{pieces} {kept}");
}
