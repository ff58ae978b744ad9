//! The JSONPath Compliance Test Suite: what each selector selects is masked or removed, as the suite
//! expects; each invalid selector is refused.

use std::fs;

use postern_config::Selector;
use postern_config::action::Action;
use postern_config::routes::{Names, Unlabelled};
use serde::Deserialize;
use serde_json::Value;

use crate::corpus;
use crate::generated::{Chunking, Ready};
use crate::reference::{self, Rules};

/// One line of the suite: `expect_remove` is `ROOT-REMOVED` where nothing is left.
#[derive(Deserialize)]
struct Line {
    name: String,
    selector: String,
    document: Value,
    expect_mask: Value,
    expect_remove: Value,
}

#[derive(Deserialize)]
struct InvalidLine {
    name: String,
    selector: String,
}

fn lines<'l, T: Deserialize<'l>>(text: &'l str) -> Vec<T> {
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

/// One rule with one label.
fn rules(selector: &str, action: Action) -> Rules {
    Rules {
        rules: vec![(Selector::parse(selector).unwrap(), vec![0])],
        required: Vec::new(),
        names: Names::Exact,
        actions: vec![action],
        unlabelled: Unlabelled::Show,
        depth_max: 128,
        embedded: Vec::new(),
    }
}

/// Checks one expectation on both redactors; says what is wrong.
fn check(line: &Line, action: Action, expected: &Value) -> Result<(), String> {
    let document = serde_json::to_vec(&line.document).unwrap();
    let ready = Ready::new(rules(&line.selector, action));
    let by_reference = reference::redact(&ready.rules, &document).first;
    let streamed = ready.engine(&document, Chunking::Whole);
    let byte_by_byte = ready.engine(&document, Chunking::ByteByByte);
    let outputs = [
        ("reference", by_reference),
        ("engine", streamed),
        ("engine, byte by byte", byte_by_byte),
    ];
    for (who, output) in outputs {
        let (output, _) = output.map_err(|_refused| format!("{}: {who} refused it", line.name))?;
        let agrees = match expected.as_str() {
            Some("ROOT-REMOVED") => output.is_empty(),
            _ => serde_json::from_slice::<Value>(&output).is_ok_and(|value| value == *expected),
        };
        if !agrees {
            let shown = String::from_utf8_lossy(&output);
            return Err(format!(
                "{} `{}`: {who} gave {shown}, expected {expected}, document {}",
                line.name, line.selector, line.document
            ));
        }
    }
    Ok(())
}

#[test]
fn every_valid_selector_masks_and_removes_what_the_suite_expects() {
    let Some(folder) = corpus::folder("jsonpath-cts") else {
        return;
    };
    let text = fs::read_to_string(folder.join("redact-cts.jsonl")).unwrap();
    let lines: Vec<Line> = lines(&text);
    let constant = Action::Redact {
        with: Some("\"[REDACTED]\"".to_owned()),
    };
    let mut masked = 0;
    let mut removed = 0;
    let mut wrong = Vec::new();
    for line in &lines {
        match check(line, constant.clone(), &line.expect_mask) {
            Ok(()) => masked += 1,
            Err(message) => wrong.push(format!("mask: {message}")),
        }
        match check(line, Action::Remove, &line.expect_remove) {
            Ok(()) => removed += 1,
            Err(message) => wrong.push(format!("remove: {message}")),
        }
    }
    let total = lines.len();
    println!("JSONPath CTS: mask {masked}/{total}, remove {removed}/{total}");
    assert_eq!(total, 456, "the suite has changed");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_invalid_selector_is_refused() {
    let Some(folder) = corpus::folder("jsonpath-cts") else {
        return;
    };
    let text = fs::read_to_string(folder.join("redact-cts-invalid.jsonl")).unwrap();
    let lines: Vec<InvalidLine> = lines(&text);
    let accepted: Vec<&str> = lines
        .iter()
        .filter(|line| Selector::parse(&line.selector).is_ok())
        .map(|line| line.name.as_str())
        .collect();
    println!(
        "JSONPath CTS: invalid selectors refused {}/{}",
        lines.len() - accepted.len(),
        lines.len()
    );
    assert_eq!(lines.len(), 247, "the suite has changed");
    assert!(accepted.is_empty(), "accepted: {accepted:?}");
}
