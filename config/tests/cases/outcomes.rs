//! Every case loads or is refused as it says.

use std::collections::BTreeSet;
use std::fs;

use postern_config::Policy;
use postern_config::policy::error::codes;

use super::files::{expected, files, found, is_server, parse, repository};

/// Where examples are.
const EXAMPLES: [&str; 3] = [
    "docs/examples",
    "docs/examples/helpdesk",
    "docs/examples/roundup",
];

#[test]
fn every_good_case_and_every_example_loads() {
    let mut wrong = Vec::new();
    for folder in ["tests/cases/policy/good", "tests/cases/policy/server/good"]
        .into_iter()
        .chain(EXAMPLES)
    {
        for (name, text) in files(folder) {
            wrong.extend(parse(&name, &text).err().map(|errors| errors.render(false)));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_example_is_free_of_lint_findings() {
    for (name, text) in EXAMPLES.into_iter().flat_map(files) {
        if !is_server(&text) {
            let policy = Policy::parse(&name, &text).unwrap();
            assert!(
                policy.lints().errors.is_empty(),
                "{}",
                policy.lints().render(false)
            );
        }
    }
}

#[test]
fn every_bad_case_is_refused_with_exactly_its_codes() {
    let mut wrong = Vec::new();
    for folder in ["tests/cases/policy/bad", "tests/cases/policy/server/bad"] {
        for (name, text) in files(folder) {
            let Err(errors) = parse(&name, &text) else {
                panic!("{folder}/{name} loads");
            };
            let mut expected = expected(&name, &text);
            expected.sort();
            if found(&errors) != expected {
                wrong.push(format!("expected {expected:?}\n{}", errors.render(false)));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_lint_case_loads_with_exactly_its_findings() {
    for (name, text) in files("tests/cases/policy/lint") {
        let policy = match Policy::parse(&name, &text) {
            Ok(policy) => policy,
            Err(errors) => panic!("{}", errors.render(false)),
        };
        let mut expected = expected(&name, &text);
        expected.sort();
        assert_eq!(
            found(policy.lints()),
            expected,
            "{}",
            policy.lints().render(false)
        );
    }
}

#[test]
fn every_code_has_a_case_and_there_are_fifty_broken_policies() {
    let policies = files("tests/cases/policy/bad");
    assert!(
        policies.len() >= 50,
        "only {} broken policies",
        policies.len()
    );
    let cases = policies
        .into_iter()
        .chain(files("tests/cases/policy/server/bad"))
        .chain(files("tests/cases/policy/lint"));
    let covered: BTreeSet<String> = cases
        .flat_map(|(name, text)| expected(&name, &text))
        .collect();
    let known: BTreeSet<String> = codes().map(|c| c.code.to_owned()).collect();
    assert_eq!(covered, known);
}

#[test]
fn every_error_points_into_the_file_and_is_worded_as_agreed() {
    for folder in ["tests/cases/policy/bad", "tests/cases/policy/server/bad"] {
        for (name, text) in files(folder) {
            let errors = parse(&name, &text).unwrap_err();
            for error in &errors.errors {
                // The end of a text is a place too, after its last line.
                let line = text.split('\n').nth(error.line.wrapping_sub(1));
                let within = line.is_some_and(|l| error.column <= l.chars().count() + 1);
                assert!(within, "{name}: {error:?}");
                let message = &error.message;
                let first = message.chars().next().unwrap();
                assert!(!first.is_ascii_uppercase(), "{name}: {message}");
                assert!(
                    !message.ends_with('.') || message.ends_with("..."),
                    "{name}: {message}"
                );
            }
        }
    }
}

/// Compares a case's report with the file beside it; `POSTERN_BLESS=1` writes it.
#[test]
fn the_reports_that_people_read_do_not_change_unseen() {
    let folder = repository().join("tests/cases/policy/reports");
    for case in [
        "three-unknown-keys",
        "many-at-once",
        "conflict",
        "literal-keys",
        "selectors",
        "session-levels",
        "login-keys",
    ] {
        let name = format!("{case}.yaml");
        let path = repository().join("tests/cases/policy/bad").join(&name);
        let text = fs::read_to_string(path).unwrap();
        let report = parse(&name, &text).unwrap_err().render(false);
        let golden = folder.join(format!("{case}.txt"));
        if std::env::var("POSTERN_BLESS").is_ok() {
            fs::write(&golden, &report).unwrap();
        }
        assert_eq!(
            report,
            fs::read_to_string(&golden).unwrap_or_default(),
            "{case}"
        );
    }
}

#[test]
fn formatting_keeps_the_meaning_of_every_case_and_settles_at_once() {
    for folder in [
        "tests/cases/policy/good",
        "docs/examples",
        "tests/cases/policy/bad",
    ] {
        for (name, text) in files(folder) {
            let Ok(once) = postern_config::policy::format(&text) else {
                continue;
            };
            assert_eq!(
                postern_config::policy::format(&once).unwrap(),
                once,
                "{name}"
            );
            let codes = |text: &str| parse(&name, text).map_err(|errors| found(&errors));
            assert_eq!(codes(&once), codes(&text), "{name}");
            let comments = |text: &str| text.matches('#').count();
            assert_eq!(comments(&once), comments(&text), "{name}");
        }
    }
}

#[test]
fn no_prefix_or_garbled_copy_of_an_example_panics() {
    for (name, text) in files("docs/examples") {
        let characters: Vec<char> = text.chars().collect();
        for at in (0..characters.len()).step_by(11) {
            let prefix: String = characters.iter().take(at).collect();
            drop(parse(&name, &prefix));
            for c in ['[', '{', ':', '\'', '&', '\n', '\u{0}', '𝄞'] {
                let mut garbled = characters.clone();
                garbled[at] = c;
                let garbled: String = garbled.into_iter().collect();
                if let Err(errors) = parse(&name, &garbled) {
                    assert!(!errors.render(true).is_empty());
                    assert!(!errors.errors.is_empty());
                }
                drop(postern_config::policy::format(&garbled));
            }
        }
    }
}
