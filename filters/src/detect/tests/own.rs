//! A policy author's own patterns: what they find and what only looks like it, at every place of the window,
//! at every split, and behind what has no end.

use std::sync::Arc;

use postern_config::Selector;
use postern_config::detect::{FOUND_BYTES_MAX, Pattern};
use postern_config::routes::{Names as NameCase, Unlabelled};
use proptest::prelude::*;

use super::*;
use crate::body_filter::BodyFilter;
use crate::json::{Automaton, JsonFilter, JsonPlan, JsonRules, JsonSettings};

/// Patterns of every shape: words, classes, either of several, with and without edges, in any case.
const PATTERNS: [&str; 10] = [
    "MRN-[0-9]{7}",
    r"\b[A-Z][0-9]{8}\b",
    "ab|abcd|b",
    "[0-9]{4}",
    "a.{0,9}b",
    r"(?-u:\b)é{1,3}\b",
    r"(?i)key_[a-z]{2,5}",
    r"\Bcd\b{end}",
    "b[ -~]{100,120}d",
    "[redact]{3}",
];

fn searching(patterns: &[&str], find: &[Detector], then: Action) -> Detection {
    let patterns = patterns.iter().map(|one| Pattern::parse(one).unwrap());
    let find = find.iter().copied().collect();
    Detection::new(find, then).with_patterns(patterns.collect())
}

fn own(patterns: &[&str]) -> Detectors {
    Detectors::new(&searching(patterns, &[], Action::Redact { with: None }))
}

fn left(detectors: &Detectors, text: &str) -> String {
    detect_text(Search::new(detectors, None, None), text).into_owned()
}

/// The text with everything replaced that is found in it as a whole, without any window.
fn left_of_the_whole(detectors: &Detectors, text: &str) -> String {
    let (mut out, mut from) = (String::new(), 0);
    for piece in findings(Search::new(detectors, None, None), text) {
        out.push_str(text.get(from..piece.start).unwrap());
        out.push_str(REDACTED);
        from = piece.end;
    }
    out.push_str(text.get(from..).unwrap());
    out
}

#[test]
fn what_a_pattern_finds_is_replaced_and_near_misses_stay() {
    for (pattern, text, expected) in [
        ("MRN-[0-9]{7}", "see MRN-2509611.", "see [redacted]."),
        ("MRN-[0-9]{7}", "see MRN-250961 .", "see MRN-250961 ."),
        ("MRN-[0-9]{7}", "see mrn-2509611.", "see mrn-2509611."),
        ("(?i)MRN-[0-9]{7}", "see mrn-2509611.", "see [redacted]."),
        (
            "MRN-[0-9]{7}",
            "MRN\u{2011}２５０\u{200b}９٦11",
            "[redacted]",
        ),
        ("MRN-[0-9]{7}", "MRN-25096112", "[redacted]2"),
        (r"MRN-[0-9]{7}\b", "MRN-25096112", "MRN-25096112"),
        (r"\b[A-Z][0-9]{8}\b", "pass W86854811,", "pass [redacted],"),
        (
            r"\b[A-Z][0-9]{8}\b",
            "1ZYW86854811 W868548110",
            "1ZYW86854811 W868548110",
        ),
        (
            r"\b[A-Z][0-9]{8}\b",
            "éW86854811 护照W86854811",
            "éW86854811 护照W86854811",
        ),
        (
            r"(?-u:\b)[A-Z][0-9]{8}(?-u:\b)",
            "护照W86854811号",
            "护照[redacted]号",
        ),
        ("ab|abcd", "abcd", "[redacted]cd"),
        ("abcd|ab", "abcd abx", "[redacted] [redacted]x"),
        ("[0-9]{4}", "123 1234567 12", "123 [redacted] 12"),
        ("case [a-z]{3}", "a case abc", "a [redacted]"),
        ("[a-z]{8}", "[redacted] wholewords", "[redacted] [redacted]"),
    ] {
        let detectors = own(&[pattern]);
        assert_eq!(left(&detectors, text), expected, "{pattern}");
        assert_eq!(left_of_the_whole(&detectors, text), expected, "{pattern}");
    }
}

#[test]
fn what_overlaps_is_one_piece_and_treated_as_the_entry_says() {
    let both = ["MRN-[0-9]{7}", "[0-9]{7}/[a-z]{2}"];
    let text = "a MRN-2509611/xy j@x.com b";
    for (then, expected) in [
        (Action::Redact { with: None }, "a [redacted] [redacted] b"),
        (Action::Remove, "a   b"),
        (
            Action::Redact {
                with: Some("\"#\"".to_owned()),
            },
            "a # # b",
        ),
        (
            Action::Mask(postern_config::Mask::Keep { first: 1, last: 2 }),
            "a M•••xy j•••om b",
        ),
    ] {
        let detection = searching(&both, &[Detector::Email], then);
        assert_eq!(left(&Detectors::new(&detection), text), expected);
    }
    let one = searching(&both[..1], &[Detector::Email], Action::Remove);
    let other = searching(&both[1..], &[Detector::Ip], Action::Redact { with: None });
    let joined = one.and(other);
    assert_eq!(joined.patterns.len(), 2);
    assert_eq!(left(&Detectors::new(&joined), text), "a   b");
}

#[test]
fn text_that_no_pattern_can_match_is_not_read() {
    let search = |detectors: &Detectors, text: &str| {
        Search::new(detectors, None, None).may_find(text.as_bytes())
    };
    let numbers = own(&["MRN-[0-9]{7}", r"\b\d{3}x"]);
    assert!(!search(&numbers, "nothing to see"));
    assert!(search(&numbers, "MRN-١"));
    assert!(search(&own(&["MRN-[0-9]{7}", "a{3}"]), "nothing to see"));
}

#[test]
fn the_longest_match_is_found_whole_at_any_place_of_the_window() {
    let long = format!("b{}d", "x".repeat(FOUND_BYTES_MAX - 2));
    let detectors = own(&[r"\bb[a-z]{1,126}d\b"]);
    for shift in (0..2300).step_by(7).chain(1900..2300) {
        for (around, expected) in [(" ", REDACTED), ("_", long.as_str())] {
            let text = format!(
                "{}{around}{long}{around}{}",
                "é ".repeat(shift / 3),
                "w ".repeat(900)
            );
            let before = format!("{}{around}", "é ".repeat(shift / 3));
            let after = format!("{around}{}", "w ".repeat(900));
            assert_eq!(
                left(&detectors, &text),
                format!("{before}{expected}{after}"),
                "{shift}"
            );
        }
    }
}

#[test]
fn pieces_that_overlap_without_an_end_are_one() {
    // Where the window ends behind `7ab`, that is no word.
    let detectors = own(&["[0-9]{4}", r"7[a-z]{2}\b"]);
    for length in [4, 127, 128, 1279, 1280, 5000]
        .into_iter()
        .chain(2030..2060)
    {
        for end in ["", " x", "ab x", "abc x", " 123"] {
            let text = format!("n {}{end}", "7".repeat(length));
            let whole = left_of_the_whole(&detectors, &text);
            assert_eq!(left(&detectors, &text), whole, "{length}");
        }
    }
}

#[test]
fn a_pattern_is_found_that_begins_in_what_has_no_end() {
    let detection = |patterns: &[&str]| {
        let then = Action::Redact { with: None };
        Detectors::new(&searching(patterns, &[Detector::Secret], then))
    };
    let detectors = detection(&[r"[a-z]{3} MRN-[0-9]{7}", r"\b<x", r"Y-----Z[0-9]"]);
    let token = "aB3dE6gH9".repeat(600);
    let key = format!("-----BEGIN PRIVATE KEY-----{token}-----END PRIVATE KEY-----");
    for (text, expected) in [
        (
            format!("token={token}abc MRN-1234567 x"),
            "token=[redacted] x",
        ),
        (
            format!("token={token}abc MRN-123456 x"),
            "token=[redacted] MRN-123456 x",
        ),
        (format!("token={token}<x"), "token=[redacted][redacted]"),
        (format!("token={token}-<x"), "token=[redacted]<x"),
        (format!("{key}Z1 x"), "[redacted] x"),
        (format!("{key}Z x"), "[redacted]Z x"),
    ] {
        for shift in [0, 1, 640, 1000, 1279, 2048] {
            let before = "- ".repeat(shift);
            let found = left(&detectors, &format!("{before}{text}"));
            assert_eq!(found, format!("{before}{expected}"), "{shift}");
        }
    }
}

/// A filter of JSON whose member `text` is searched by these patterns.
fn in_json(detection: Detection) -> Arc<JsonPlan> {
    let selector = Selector::parse("$.text").unwrap();
    let rules = JsonRules {
        rules: vec![(&selector, vec![0])],
        required: Vec::new(),
        names: NameCase::Exact,
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
    Arc::new(JsonPlan::searching(
        automaton,
        settings,
        Arc::from([Some(detection)]),
    ))
}

fn through(filter: &mut dyn BodyFilter, pieces: &[&[u8]]) -> String {
    let mut out = Vec::new();
    for piece in pieces {
        filter.push(piece, &mut out).unwrap();
    }
    filter.finish(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn every_split_gives_the_same() {
    let plan = in_json(searching(&PATTERNS, &[], Action::Redact { with: None }));
    let text = "MRN\u{2011}2509611 éW86854811 W86854811 abcd KEY_abcdef 12345";
    let expected = "[redacted] éW[redacted] [redacted] [redacted]f [redacted]";
    let document = format!(r#"{{"text":"{text}","n":"MRN-2509611"}}"#);
    let document = document.replace('W', r"\u0057");
    let of_json = format!(r#"{{"text":"{expected}","n":"MRN-2509611"}}"#).replace('W', r"\u0057");
    for at in 0..=document.len() {
        let (a, b) = document.as_bytes().split_at(at);
        let mut filter = JsonFilter::new(Arc::clone(&plan));
        assert_eq!(through(&mut filter, &[a, b]), of_json, "{at}");
    }
    for at in 0..=text.len() {
        let (a, b) = text.as_bytes().split_at(at);
        let mut filter = TextFilter::new(Arc::clone(&plan), 0);
        assert_eq!(through(&mut filter, &[a, b]), expected, "{at}");
    }
}

/// Texts of pieces that patterns like, often longer than the window.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(vec![
            "MRN-2509611",
            "MRN-25",
            "W86854811",
            "Q1234567",
            "ab",
            "abcd",
            "cd",
            "b",
            "é",
            "éé",
            "KEY_abc",
            "key_",
            "1234",
            "[redacted]",
            " ",
            "_",
            "-",
            "\u{200b}",
            "\u{2011}",
            "４",
            "护照",
            "\n",
        ])
        .prop_map(str::to_owned),
        (
            1_usize..500,
            prop::sample::select(vec!["7", "x", "ab", "é ", "W1 "])
        )
            .prop_map(|(times, what)| what.repeat(times)),
    ];
    prop::collection::vec(piece, 0..24).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn neither_the_window_nor_the_split_matters(
        text in texts(),
        picked in prop::sample::subsequence(PATTERNS.to_vec(), 1..4),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
    ) {
        let detection = searching(&picked, &[], Action::Redact { with: None });
        let detectors = Detectors::new(&detection);
        let once = left(&detectors, &text);
        prop_assert_eq!(&once, &left_of_the_whole(&detectors, &text));
        let document = format!(r#"{{"text":{}}}"#, serde_json::to_string(&text).unwrap());
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(document.len())).collect();
        cuts.sort_unstable();
        let mut pieces = Vec::new();
        let mut from = 0;
        for cut in cuts.into_iter().chain([document.len()]) {
            pieces.push(&document.as_bytes()[from..cut]);
            from = cut;
        }
        let redacted = through(&mut JsonFilter::new(in_json(detection)), &pieces);
        let value: serde_json::Value = serde_json::from_str(&redacted).unwrap();
        prop_assert_eq!(value["text"].as_str(), Some(once.as_str()));
    }
}
