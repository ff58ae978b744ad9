//! Values that are searched: what is found, what stays, and what a record's hidden values add.

use std::collections::BTreeSet;

use postern_config::labels::Embedded;

use super::*;

/// A plan in which label by label is searched for everything.
fn plan(
    rules: &[(&str, &str)],
    records: &[&str],
    then: &Action,
    held_bytes_max: usize,
) -> Arc<JsonPlan> {
    let parse = |text: &&str| Selector::parse(text).unwrap();
    let selectors: Vec<Selector> = rules.iter().map(|(text, _)| parse(text)).collect();
    let records: Vec<Selector> = records.iter().map(parse).collect();
    let labelled = selectors.iter().zip(0..);
    let rules_ = JsonRules {
        rules: labelled
            .map(|(selector, label)| (selector, vec![label]))
            .collect(),
        required: Vec::new(),
        names: Names::Exact,
    };
    let automaton = Automaton::compile_with_records(&rules_, &records).unwrap();
    let settings = JsonSettings {
        actions: rules.iter().map(|(_, text)| action(text)).collect(),
        unlabelled: Unlabelled::Show,
        depth_max: 128,
        held_bytes_max,
        pseudonyms: None,
        require: false,
        embedded: Vec::new(),
    };
    let detection = Detection::new(BTreeSet::from(Detector::ALL), then.clone());
    let detections = rules.iter().map(|_| Some(detection.clone())).collect();
    Arc::new(JsonPlan::searching(
        Arc::new(automaton),
        settings,
        detections,
    ))
}

const REDACT: Action = Action::Redact { with: None };

fn run(plan: &Arc<JsonPlan>, input: &str) -> Result<String, BodyError> {
    every_way(plan, input.as_bytes()).map(|bytes| String::from_utf8(bytes).unwrap())
}

#[test]
fn what_is_found_in_a_string_is_replaced_and_the_rest_is_as_it_was_written() {
    let plan = plan(&[("$.text", "detect")], &[], &REDACT, 1 << 20);
    for (text, expected) in [
        ("", ""),
        ("plain", "plain"),
        (
            r"caf\u00e9 \/ \n é \ud83d\ude00",
            r"caf\u00e9 \/ \n é \ud83d\ude00",
        ),
        ("mail j.doe@example.com now", "mail [redacted] now"),
        (r"mail j.doe\u0040example.com\n", r"mail [redacted]\n"),
        (
            r"\u00e9\tcall +1 (286) 556\u002d1381\u0021",
            r"\u00e9\tcall [redacted]\u0021",
        ),
        (r"4111\u200b1111\u200b1111\u200b1111", "[redacted]"),
        ("４１１１ 1111‑1111 1111", "[redacted]"),
        ("pass\u{ad}word: geheim!x", "pass\u{ad}word: [redacted]"),
        (r"pass\bword: geheim!x", r"pass\bword: [redacted]"),
        (r"pass\ufeffword: geheim!x", r"pass\ufeffword: [redacted]"),
        ("pass\u{ad}port: geheim!x", "pass\u{ad}port: geheim!x"),
        (
            r#"say \"j@x.com\", or \\j@x.com"#,
            r#"say \"[redacted]\", or \\[redacted]"#,
        ),
        (
            r"no card: 4111 1111 1111 1112",
            r"no card: 4111 1111 1111 1112",
        ),
        (
            r"-----BEGIN PRIVATE KEY-----\nMIIE\n-----END PRIVATE KEY-----\nx",
            r"[redacted]\nx",
        ),
        (r"-----BEGIN PRIVATE KEY-----\nMIIE", r"[redacted]"),
    ] {
        let input = format!(r#"{{ "other":"j@x.com", "text" : "{text}" ,"n":1}}"#);
        let output = format!(r#"{{ "other":"j@x.com", "text" : "{expected}" ,"n":1}}"#);
        assert_eq!(run(&plan, &input).as_deref(), Ok(output.as_str()));
        assert_eq!(run(&plan, &output).as_deref(), Ok(output.as_str()), "twice");
    }
}

#[test]
fn numbers_are_searched_and_become_null() {
    let plan = plan(&[("$.n", "detect")], &[], &REDACT, 1 << 20);
    for (number, expected) in [
        ("4111111111111111", "null"),
        ("4111111111111112", "4111111111111112"),
        ("4.111111111111111e15", "null"),
        ("41111111111111110e-1", "null"),
        ("0.4111111111111111", "0.4111111111111111"),
        ("-12.50", "-12.50"),
        ("true", "true"),
        ("null", "null"),
    ] {
        let output = run(&plan, &format!(r#"{{"n":{number}}}"#));
        assert_eq!(output, Ok(format!(r#"{{"n":{expected}}}"#)));
    }
}

#[test]
fn containers_are_searched_inside_with_the_names_of_members() {
    let plan = plan(
        &[
            ("$.all", "detect"),
            ("$.all.hidden", "remove"),
            ("$.all.shown", "show"),
        ],
        &[],
        &REDACT,
        1 << 20,
    );
    for (inside, expected) in [
        (
            r#"["j@x.com", [{"a": "j@x.com"}]]"#,
            r#"["[redacted]", [{"a": "[redacted]"}]]"#,
        ),
        (r#"{"j@x.com" : 1, "b":2}"#, r#"{"[redacted]" : 1, "b":2}"#),
        (
            r#"{"a":1,"j\u0040x.com":{"c":"j@x.com"}}"#,
            r#"{"a":1,"[redacted]":{"c":"[redacted]"}}"#,
        ),
        (
            r#"{"hidden":"x","shown":"j@x.com"}"#,
            r#"{"shown":"[redacted]"}"#,
        ),
        (r#"{"shown":"a","hidden":"x"}"#, r#"{"shown":"a"}"#),
        (r#"[4111111111111111, null, {}]"#, r#"[null, null, {}]"#),
    ] {
        let output = run(&plan, &format!(r#"{{"all":{inside},"j@x.com":0}}"#));
        assert_eq!(output, Ok(format!(r#"{{"all":{expected},"j@x.com":0}}"#)));
    }
}

#[test]
fn every_action_that_leaves_text_can_take_the_place_of_what_is_found() {
    for (then, expected) in [
        (REDACT, "a [redacted] b"),
        (Action::Remove, "a  b"),
        (Action::Mask(Mask::ByShape), "a j•••@example.com b"),
        (
            Action::Mask(Mask::Keep { first: 0, last: 4 }),
            "a •••.com b",
        ),
        (
            Action::Redact {
                with: Some(r#""\"x\"""#.to_owned()),
            },
            r#"a \"x\" b"#,
        ),
        (
            Action::Redact {
                with: Some("7".to_owned()),
            },
            "a 7 b",
        ),
    ] {
        let plan = plan(&[("$", "detect")], &[], &then, 1 << 20);
        let output = run(&plan, r#""a j.doe@example.com b""#);
        assert_eq!(output, Ok(format!(r#""{expected}""#)));
    }
}

#[test]
fn a_record_s_hidden_values_are_found_in_its_text_and_not_in_that_of_others() {
    let rules = [
        ("$[*].customer", "redact"),
        ("$[*].note", "detect"),
        ("$[*].more[?@.kind=='x'].note", "detect"),
    ];
    let input = concat!(
        r#"[{"note":"Ana Lima called, lima!","customer":{"name":"Ana Lima","n":1}},"#,
        r#"{"customer":["Bo Chan"],"note":"ana chan","more":[{"note":"BO CHAN","kind":"x"}]},"#,
        r#"{"note":"Ana and Bo","customer":{}}]"#
    );
    let each = plan(&rules, &["$[*]"], &REDACT, 1 << 20);
    let expected = concat!(
        r#"[{"note":"[redacted] called, [redacted]!","customer":{}},"#,
        r#"{"customer":[],"note":"ana [redacted]","more":[{"note":"[redacted]","kind":"x"}]},"#,
        r#"{"note":"Ana and Bo","customer":{}}]"#
    );
    assert_eq!(run(&each, input).as_deref(), Ok(expected));
    let whole = plan(&rules, &[], &REDACT, 1 << 20);
    let output = run(&whole, input).unwrap();
    assert!(!output.contains("Ana") && output.contains("Bo"), "{output}");
}

#[test]
fn a_record_longer_than_what_may_be_held_ends_the_exchange() {
    let rules = [("$[*].name", "remove"), ("$[*].note", "detect")];
    let record = r#"{"note":"Ana Lima","name":"Ana Lima"}"#;
    let input = format!("[{record},{record}]");
    // A comma belongs to the record after it.
    for (held, fits) in [(record.len() + 1, true), (record.len(), false)] {
        let plan = plan(&rules, &["$[*]"], &REDACT, held);
        let output = run(&plan, &input);
        assert_eq!(output.is_ok(), fits, "{held}: {output:?}");
    }
}

#[test]
fn a_string_of_any_length_is_searched_without_being_held() {
    let plan = plan(&[("$", "detect")], &[], &REDACT, 64);
    let filler = "words and words, no digits at all. ".repeat(1000);
    let input = format!(r#""{filler}j.doe@example.com {filler}""#);
    let output = run(&plan, &input);
    assert_eq!(output, Ok(format!(r#""{filler}[redacted] {filler}""#)));
}

#[test]
fn a_document_in_a_searched_string_is_searched_after_its_own_escapes() {
    let selector = Selector::parse("$.payload").unwrap();
    let rules = JsonRules {
        rules: vec![(&selector, vec![0])],
        required: Vec::new(),
        names: Names::Exact,
    };
    let settings = JsonSettings {
        actions: vec![Action::Detect],
        unlabelled: Unlabelled::Show,
        depth_max: 128,
        held_bytes_max: 1 << 20,
        pseudonyms: None,
        require: false,
        embedded: vec![Some(Embedded::Json)],
    };
    let detection = Detection::new(BTreeSet::from(Detector::ALL), REDACT);
    let plan = Arc::new(JsonPlan::searching(
        Arc::new(Automaton::compile(&rules).unwrap()),
        settings,
        Arc::new([Some(detection)]),
    ));
    let input = r#"{"payload":"{\"a\":\"j\\u0040x.com\",\"b\":[1]}"}"#;
    let expected = r#"{"payload":"{\"a\":\"[redacted]\",\"b\":[1]}"}"#;
    assert_eq!(run(&plan, input).as_deref(), Ok(expected));
    let clean = r#"{"payload":"{\"a\":\"\\u00e9\"}"}"#;
    assert_eq!(run(&plan, clean).as_deref(), Ok(clean));
}

#[test]
fn a_document_in_a_string_is_searched_as_a_document_wherever_its_labels_stand() {
    let inner = r#""{\"a\":\"j\\u0040x.com\",\"ssn\":1}""#;
    let left = r#""{\"a\":\"[redacted]\",\"ssn\":null}""#;
    let around = |text: &str| format!(r#"{{"c":{{"p":{text},"t":"j@x.com"}}}}"#);
    let searched = around(left).replace("j@x.com", "[redacted]");
    let searches = [("$.c", "detect"), ("$.c.p", "json"), ("$..ssn", "redact")];
    let output = Setup::new(&searches).run(&around(inner));
    assert_eq!(output.as_deref(), Ok(&*searched));

    // The label that opens stands further out than the one that is searched.
    let listed = |text: &str| format!(r#"{{"c":[{text},{{"p":{text}}}]}}"#);
    let opens = [("$.c", "json"), ("$.c[*]", "detect"), ("$..ssn", "redact")];
    let output = Setup::new(&opens).run(&listed(inner));
    assert_eq!(output.as_deref(), Ok(&*listed(left)));
}

#[test]
fn what_was_found_is_counted_by_value() {
    let plan = plan(&[("$[*]", "detect")], &[], &REDACT, 1 << 20);
    let mut filter = JsonFilter::new(plan);
    let mut out = Vec::new();
    let input = br#"["a j@x.com and k@x.com", "nothing", 4111111111111111, ["j@x.com"]]"#;
    filter.push(input, &mut out).unwrap();
    filter.finish(&mut out).unwrap();
    assert_eq!(filter.withheld(), [3]);
}

#[test]
fn long_containers_are_searched_by_every_scanner() {
    let rules = [("$.all", "detect"), ("$.all.gone", "remove")];
    let plan = plan(&rules, &[], &REDACT, 1 << 20);
    let filler = "some words without anything in them";
    for lead in 0..70 {
        let (mut input, mut expected) = (String::new(), String::new());
        input.push_str(&format!(
            r#"{{"pad":"{}","all":{{"list":["#,
            "-".repeat(lead)
        ));
        expected.push_str(&input);
        for number in 0..300 {
            input.push_str(&format!(
                r#""{filler}", "a{number}@x.com" ,[{{"n":"{filler}"}}],"#
            ));
            expected.push_str(&format!(
                r#""{filler}", "[redacted]" ,[{{"n":"{filler}"}}],"#
            ));
        }
        input.push_str(r#"0],"gone":["b@x.com"],"b@x.com":1}}"#);
        expected.push_str(r#"0],"[redacted]":1}}"#);
        for engine in [Engine::Scalar, Engine::Simd] {
            for chunk in [input.len(), 5000, 4096, 777] {
                let mut filter = JsonFilter::with_engine(Arc::clone(&plan), engine);
                let mut out = Vec::new();
                for piece in input.as_bytes().chunks(chunk) {
                    filter.push(piece, &mut out).unwrap();
                }
                filter.finish(&mut out).unwrap();
                let out = String::from_utf8(out).unwrap();
                assert_eq!(out, expected, "{engine:?} {lead} {chunk}");
            }
        }
    }
}
