//! What is counted of a document, whatever a role sees of it: at every split, on every scanner.

use std::collections::BTreeSet;

use super::*;
use crate::export_meter::{Due, SubjectKey, Tally, TallyRules, Who};

const KEY: SubjectKey = SubjectKey::new([7; 16]);

/// Where records and data subjects are.
#[derive(Clone, Copy, Default)]
struct Marks<'m> {
    records: &'m [&'m str],
    subjects: &'m [&'m str],
}

fn parse(texts: &[&str]) -> Vec<Selector> {
    let parse = |text: &&str| Selector::parse(text).unwrap_or_else(|e| panic!("{text}: {e}"));
    texts.iter().map(parse).collect()
}

impl Marks<'_> {
    /// The plan that counts beside what `setup` hides.
    fn plan(&self, setup: &Setup<'_>) -> Arc<JsonPlan> {
        let opened = setup.rules.iter().zip(0..);
        let opened = opened.filter(|((_, text), _)| embedded(text).is_some());
        let selectors: Vec<(Selector, LabelId)> = opened
            .map(|((selector, _), label)| (Selector::parse(selector).unwrap(), label))
            .collect();
        let rules = JsonRules {
            rules: selectors
                .iter()
                .map(|(selector, label)| (selector, vec![*label]))
                .collect(),
            required: Vec::new(),
            names: setup.names,
        };
        let (records, subjects) = (parse(self.records), parse(self.subjects));
        let automaton = Automaton::compile_to_count(&rules, &records, &subjects).unwrap();
        let settings = setup.plan().settings().clone();
        let settings = JsonSettings {
            require: false,
            ..settings
        };
        let counting = JsonPlan::counting(Arc::new(automaton), settings, !subjects.is_empty());
        Arc::new(counting)
    }

    fn tally(&self, setup: &Setup<'_>, truncates: bool) -> Tally {
        Tally::new(TallyRules {
            key: KEY,
            subjects: !self.subjects.is_empty(),
            whole: false,
            truncates,
            held_bytes_max: setup.held_bytes_max,
        })
    }

    /// What is due for a document, which leaves as it does where nothing is counted.
    fn due(&self, setup: &Setup<'_>, input: &str) -> Result<Due, BodyError> {
        let uncounted = setup.run(input);
        let (plan, counting) = (setup.plan(), self.plan(setup));
        let run = |chunks: &[&[u8]], engine| {
            let filter = JsonFilter::with_engine(Arc::clone(&plan), engine);
            let mut filter = filter.counted(Arc::clone(&counting), self.tally(setup, false));
            let (mut out, mut due) = (Vec::new(), Due::default());
            for chunk in chunks {
                filter.push(chunk, &mut out)?;
            }
            filter.finish(&mut out)?;
            filter.drain_into(&mut due);
            assert!(!due.incomplete, "{input}");
            assert_eq!(
                String::from_utf8(out).as_deref().ok(),
                uncounted.as_deref().ok()
            );
            Ok(due)
        };
        let whole = run(&[input.as_bytes()], Engine::Scalar);
        for engine in [Engine::Scalar, Engine::Simd, Engine::SimdAlways] {
            for at in 0..=input.len() {
                let (a, b) = input.as_bytes().split_at(at);
                assert_eq!(run(&[a, b], engine), whole, "{engine:?} at {at} of {input}");
            }
            let single: Vec<&[u8]> = input.as_bytes().chunks(1).collect();
            assert_eq!(run(&single, engine), whole, "{engine:?} of {input}");
        }
        whole
    }

    /// How many records, known subjects and nameless ones there are.
    fn counts(&self, setup: &Setup<'_>, input: &str) -> (u64, usize, usize) {
        let due = self.due(setup, input).unwrap();
        let nameless = due.subjects.iter().filter(|s| s.who == Who::Nameless);
        let known: BTreeSet<u64> = due
            .subjects
            .iter()
            .filter_map(|subject| match subject.who {
                Who::Known(hash) => Some(hash),
                Who::Nameless => None,
            })
            .collect();
        (due.records, known.len(), nameless.count())
    }
}

const LIST: &str = r#"{"n":3,"items":[{"id":1,"c":{"id":"x","ssn":"9"}},{"c":{"\u0069d":"\u0078"},"id":2},{"id":3,"c":{"id":"y"}}],"more":{}}"#;

#[test]
fn counts_the_same_whatever_a_role_sees() {
    let marks = Marks {
        records: &["$.items[*]"],
        subjects: &["$.items[*].c.id"],
    };
    for rules in [
        &[][..],
        &[("$.items", "remove")],
        &[("$.items", "redact")],
        &[("$.items[*]", "mask")],
        &[("$.items[*]", "pseudonym")],
        &[("$.items[*].c", "remove")],
        &[("$..id", "pseudonym")],
        &[("$..id", "last4")],
        &[("$..*", "detect")],
        &[("$", "detect")],
        &[("$", "remove")],
        &[("$.items[?@.id == 2]", "remove")],
        &[("$.items[-1]", "redact")],
        &[("$.items[0:2].c.ssn", "redact"), ("$.more", "remove")],
    ] {
        for unlabelled in [Unlabelled::Show, Unlabelled::Remove, Unlabelled::Redact] {
            let setup = Setup {
                unlabelled,
                ..Setup::new(rules)
            };
            let counts = marks.counts(&setup, LIST);
            assert_eq!(counts, (3, 2, 0), "{rules:?} {unlabelled:?}");
        }
    }
}

#[test]
fn counts_once_what_is_held_for_its_tests() {
    let setup = Setup::new(&[("$..ssn", "remove")]);
    for (records, subjects, counts) in [
        (
            &["$.items[?@.id > 1]"][..],
            &["$.items[?@.id > 1].c.id"][..],
            (2, 2, 0),
        ),
        (&["$.items[-1]"], &["$..id"], (1, 5, 0)),
        (
            &["$.items[0]", "$.items[*]", "$.items[-3]"],
            &["$.items[*].c.id"],
            (3, 2, 0),
        ),
        (&["$..[?@.id]"], &["$.items[*].c.id"], (6, 2, 0)),
        (&["$[?@[0].c]"], &["$.items[*].c.id"], (1, 2, 0)),
    ] {
        let marks = Marks { records, subjects };
        assert_eq!(
            marks.counts(&setup, LIST),
            counts,
            "{records:?} {subjects:?}"
        );
    }
}

#[test]
fn a_subject_is_its_decoded_text_or_its_lexeme() {
    let setup = Setup::new(&[]);
    let marks = Marks {
        records: &["$[*]"],
        subjects: &["$[*].c"],
    };
    for (input, counts) in [
        (r#"[{"c":12},{"c":"12"},{"c":"\u0031\u0032"}]"#, (3, 1, 0)),
        (r#"[{"c":12.0},{"c":12}]"#, (2, 2, 0)),
        // Null and an empty text name nobody, so the record is one of its own.
        (r#"[{"c":null},{"c":""},{},7,"c"]"#, (5, 0, 5)),
        (r#"[{"c":true},{"c":{"c":1}},{"c":[]}]"#, (3, 0, 3)),
        (r#"[{"c":1,"c":2},{"c":null,"c":3}]"#, (2, 3, 0)),
        ("[]", (0, 0, 0)),
        ("{}", (0, 0, 0)),
    ] {
        assert_eq!(marks.counts(&setup, input), counts, "{input}");
    }
    let long = |length: usize| format!(r#"[{{"c":"{}"}}]"#, "\\u00e9".repeat(length / 2));
    let (plan, counting) = (setup.plan(), marks.plan(&setup));
    for (length, known) in [
        (TEXT_MAX, true),
        (TEXT_MAX + 2, false),
        (TEXT_MAX * 2, false),
    ] {
        for size in [1 << 20, 1000, 7] {
            let filter = JsonFilter::new(Arc::clone(&plan));
            let mut filter = filter.counted(Arc::clone(&counting), marks.tally(&setup, false));
            let (mut out, mut due) = (Vec::new(), Due::default());
            for chunk in long(length).as_bytes().chunks(size) {
                filter.push(chunk, &mut out).unwrap();
            }
            filter.finish(&mut out).unwrap();
            filter.drain_into(&mut due);
            let is_known = matches!(due.subjects[..], [subject] if subject.who != Who::Nameless);
            assert_eq!(is_known, known, "{length} in pieces of {size}");
        }
    }
}

const TEXT_MAX: usize = crate::export_meter::TEXT_BYTES_MAX;

#[test]
fn records_may_be_in_records_and_subjects_outside() {
    let setup = Setup::new(&[]);
    let marks = Marks {
        records: &["$.a", "$.a.l[*]"],
        subjects: &["$..s"],
    };
    let due = marks.due(
        &setup,
        r#"{"s":1,"a":{"l":[{"s":2},{},{"s":1}],"x":0},"t":{"s":3}}"#,
    );
    let due = due.unwrap();
    assert_eq!(due.records, 4);
    let known = |text: &str| KEY.of_text(text.as_bytes()).unwrap();
    let subjects: Vec<_> = due.subjects.iter().map(|s| (s.record, s.who)).collect();
    let expected = [
        (None, known("1")),
        // The outer record has named nobody yet, and may stay without this one.
        (Some(0), known("2")),
        (Some(2), Who::Nameless),
        (None, known("3")),
    ];
    assert_eq!(subjects, expected);
}

#[test]
fn looks_into_strings_that_hold_documents() {
    let marks = Marks {
        records: &["$[*]", "$[*].p.l[*]"],
        subjects: &["$[*].p.c"],
    };
    let text = r#"[{"p":"{\"c\":1,\"l\":[1,2]}"},{"p":"{\"c\":\"1\",\"l\":{}}"},{"p":""}]"#;
    for hides in ["json", "remove", "redact", "mask"] {
        let rules = [("$[*].p", "json"), ("$[*].p", hides)];
        assert_eq!(
            marks.counts(&Setup::new(&rules), text),
            (5, 1, 3),
            "{hides}"
        );
    }
    let listed = r#"[{"p":["{\"c\":1,\"l\":[1,2]}","text"]},{"p":{"v":"{\"c\":\"1\"}"}}]"#;
    let marks_inside = Marks {
        records: &["$[*]", "$[*].p[*].l[*]"],
        subjects: &["$[*].p[*].c"],
    };
    for hides in ["json", "remove", "redact", "mask"] {
        let rules = [("$[*].p", hides), ("$[*].p", "json")];
        let setup = Setup::new(&rules);
        let text = match hides {
            // Whoever is shown the strings is refused one that holds no document.
            "json" => &listed.replace("\"text\"", "\"\""),
            _ => listed,
        };
        assert_eq!(marks_inside.counts(&setup, text), (4, 1, 2), "{hides}");
    }
    // What cannot be read is seen by nobody.
    let broken = r#"[{"p":"{\"c\":1,\"l\":[1,2"},{"p":"x"}]"#;
    let hidden = Setup::new(&[("$[*].p", "json"), ("$[*].p", "remove")]);
    assert_eq!(marks.counts(&hidden, broken), (4, 1, 3));
    let shown = Setup::new(&[("$[*].p", "json")]);
    assert!(marks.due(&shown, broken).is_err());
}

#[test]
fn nothing_is_complete_before_every_record_has_named_somebody() {
    let marks = Marks {
        records: &["$[*]"],
        subjects: &["$[*].c", "$[*].d"],
    };
    let setup = Setup::new(&[]);
    let text = r#"[{"a":1,"c":"x","b":2,"d":"yy"},{"e":{}},{"c":null}]"#;
    let (plan, counting) = (setup.plan(), marks.plan(&setup));
    for at in 0..text.len() {
        let filter = JsonFilter::new(Arc::clone(&plan));
        let mut filter = filter.counted(Arc::clone(&counting), marks.tally(&setup, false));
        let (mut out, mut due) = (Vec::new(), Due::default());
        filter.push(&text.as_bytes()[..at], &mut out).unwrap();
        filter.drain_into(&mut due);
        let seen = text.get(..at).unwrap();
        let began = |what: &str| text.find(what).unwrap() < at;
        let ended = |what: &str| text.find(what).unwrap() + what.len() <= at;
        // Once a record has named somebody it may leave, but for the text that names another one.
        let first = began("{") && !ended("\"x\"");
        let another = began("\"yy\"") && !ended("\"yy\"");
        let second = began("{\"e") && !ended("{\"e\":{}}");
        let third = began("{\"c\":n") && !ended("{\"c\":null}");
        assert_eq!(
            due.incomplete,
            first || another || second || third,
            "{seen}"
        );
    }
}

#[test]
fn a_record_may_not_go_on_for_long_without_naming_its_subject() {
    let marks = Marks {
        records: &["$[*]"],
        subjects: &["$[*].c"],
    };
    let setup = Setup {
        held_bytes_max: 32,
        ..Setup::new(&[])
    };
    let document = |length: usize| format!(r#"[{{"a":"{}","c":1}}]"#, "x".repeat(length));
    // From the record's brace on: `{"a":"…","c":1`.
    assert!(marks.due(&setup, &document(32 - 13)).is_ok());
    let limit = BodyError::Limit {
        limit: "held_bytes",
    };
    assert_eq!(marks.due(&setup, &document(32 - 12)), Err(limit));
}

#[test]
fn a_cut_leaves_a_document_without_the_later_records() {
    let setup = Setup::new(&[]);
    for (records, input, outputs) in [
        ("$[*]", "[1,2,3]", &["[]", "[1]", "[1,2]", "[1,2,3]"][..]),
        (
            "$.a[*]",
            r#"{"n":2,"a":[{"x":1},{"x":[2]}],"z":0}"#,
            &[
                r#"{"n":2,"a":[],"z":0}"#,
                r#"{"n":2,"a":[{"x":1}],"z":0}"#,
                r#"{"n":2,"a":[{"x":1},{"x":[2]}],"z":0}"#,
            ],
        ),
        (
            "$..r",
            r#"{"r":{"r":1},"q":{"r":2,"s":3}}"#,
            &[
                r#"{"q":{"s":3}}"#,
                r#"{"r":{},"q":{"s":3}}"#,
                r#"{"r":{"r":1},"q":{"s":3}}"#,
                r#"{"r":{"r":1},"q":{"r":2,"s":3}}"#,
            ],
        ),
        (
            "$[?@.k]",
            r#"[{"j":0},{"k":1},{"k":2}]"#,
            &[
                r#"[{"j":0}]"#,
                r#"[{"j":0},{"k":1}]"#,
                r#"[{"j":0},{"k":1},{"k":2}]"#,
            ],
        ),
    ] {
        let marks = Marks {
            records: &[records],
            subjects: &[],
        };
        let plan = marks.plan(&setup);
        for (limit, expected) in (0..).zip(outputs) {
            for at in 0..=input.len() {
                let mut tally = marks.tally(&setup, true);
                tally.read_again(limit);
                let mut filter = JsonFilter::new(Arc::clone(&plan)).counting(tally);
                let mut out = Vec::new();
                let (a, b) = input.as_bytes().split_at(at);
                filter.push(a, &mut out).unwrap();
                filter.push(b, &mut out).unwrap();
                filter.finish(&mut out).unwrap();
                assert_eq!(
                    String::from_utf8(out).unwrap(),
                    *expected,
                    "{limit} at {at}"
                );
            }
        }
    }
}
