//! The public suites, read where they lie: the JSONPath compliance tests and JSONTestSuite.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::*;

/// A folder of the corpus; none when it is not there and need not be.
fn corpus(folder: &str) -> Option<PathBuf> {
    let root = std::env::var_os("POSTERN_CORPUS").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/corpus"),
        PathBuf::from,
    );
    let path = root.join(folder);
    if path.is_dir() {
        return Some(path);
    }
    let required = std::env::var_os("POSTERN_REQUIRE_CORPUS").is_some_and(|value| value == "1");
    assert!(!required, "the corpus `{folder}` is required and not there");
    println!("skipped: the corpus `{folder}` is not there");
    None
}

/// One document under one selector: what is left of it, as a value; none when nothing is.
fn cts_outcome(selector: &str, action: &str, document: &str) -> Option<Value> {
    let rules = [(selector, action)];
    let output = Setup::new(&rules).run(document);
    let output = output.unwrap_or_else(|error| panic!("{selector}: {error}"));
    (!output.is_empty()).then(|| serde_json::from_str(&output).unwrap())
}

#[test]
fn the_compliance_tests_select_what_they_say() {
    let Some(folder) = corpus("jsonpath-cts") else {
        return;
    };
    let cases = fs::read_to_string(folder.join("redact-cts.jsonl")).unwrap();
    let mut failures = Vec::new();
    let mut count = 0;
    for line in cases.lines() {
        let case: Value = serde_json::from_str(line).unwrap();
        let selector = case["selector"].as_str().unwrap();
        let document = case["document"].to_string();
        count += 1;
        for (action, expected) in [
            ("\"[REDACTED]\"", &case["expect_mask"]),
            ("remove", &case["expect_remove"]),
        ] {
            let outcome = cts_outcome(selector, action, &document);
            let expected = (*expected != "ROOT-REMOVED").then(|| expected.clone());
            if outcome != expected {
                failures.push(format!(
                    "{}: {action}: {outcome:?}, not {expected:?}",
                    case["name"]
                ));
            }
        }
    }
    assert!(
        failures.is_empty(),
        "{} of {count}:\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert_eq!(count, 456);
}

/// What becomes of the documents that the standard leaves open. Numbers are never converted, so none
/// is too large; whatever is no UTF-8, or escapes half a character, is refused; so is a byte order
/// mark, and a depth beyond the limit.
const OPEN: [(&str, bool); 35] = [
    ("i_number_double_huge_neg_exp", true),
    ("i_number_huge_exp", true),
    ("i_number_neg_int_huge_exp", true),
    ("i_number_pos_double_huge_exp", true),
    ("i_number_real_neg_overflow", true),
    ("i_number_real_pos_overflow", true),
    ("i_number_real_underflow", true),
    ("i_number_too_big_neg_int", true),
    ("i_number_too_big_pos_int", true),
    ("i_number_very_big_negative_int", true),
    ("i_object_key_lone_2nd_surrogate", false),
    ("i_string_1st_surrogate_but_2nd_missing", false),
    ("i_string_1st_valid_surrogate_2nd_invalid", false),
    ("i_string_UTF-16LE_with_BOM", false),
    ("i_string_UTF-8_invalid_sequence", false),
    ("i_string_UTF8_surrogate_U+D800", false),
    ("i_string_incomplete_surrogate_and_escape_valid", false),
    ("i_string_incomplete_surrogate_pair", false),
    ("i_string_incomplete_surrogates_escape_valid", false),
    ("i_string_invalid_lonely_surrogate", false),
    ("i_string_invalid_surrogate", false),
    ("i_string_invalid_utf-8", false),
    ("i_string_inverted_surrogates_U+1D11E", false),
    ("i_string_iso_latin_1", false),
    ("i_string_lone_second_surrogate", false),
    ("i_string_lone_utf8_continuation_byte", false),
    ("i_string_not_in_unicode_range", false),
    ("i_string_overlong_sequence_2_bytes", false),
    ("i_string_overlong_sequence_6_bytes", false),
    ("i_string_overlong_sequence_6_bytes_null", false),
    ("i_string_truncated-utf-8", false),
    ("i_string_utf16BE_no_BOM", false),
    ("i_string_utf16LE_no_BOM", false),
    ("i_structure_500_nested_arrays", false),
    ("i_structure_UTF-8_BOM_empty_object", false),
];

#[test]
fn every_document_of_the_parsing_suite_is_judged_right_and_passes_unchanged() {
    let Some(folder) = corpus("json-parsing/test_parsing") else {
        return;
    };
    let plans = [
        Setup::new(&[]).plan(),
        Setup::new(&[("$..no_such_name[7]", "remove")]).plan(),
        Setup::new(&[
            ("$..[?@.no_such_name]", "remove"),
            ("$..[-9999999]", "redact"),
        ])
        .plan(),
    ];
    let mut counts = [0; 3];
    for file in fs::read_dir(folder).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let text = fs::read(&path).unwrap();
        let (kind, accepted) = match name.get(..2) {
            Some("y_") => (0, true),
            Some("n_") => (1, false),
            _ => {
                let decided = OPEN.iter().find(|(open, _)| *open == name);
                (
                    2,
                    decided.unwrap_or_else(|| panic!("{name} is not decided")).1,
                )
            }
        };
        counts[kind] += 1;
        for plan in &plans {
            let outcome = every_way(plan, &text);
            assert_eq!(outcome.is_ok(), accepted, "{name}");
            assert!(
                outcome.is_err() || outcome.is_ok_and(|out| out == text),
                "{name}"
            );
        }
    }
    assert_eq!(counts, [95, 188, 35]);
}
