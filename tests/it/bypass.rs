//! The bypass catalogue, driven over sockets against a running Postern and a scripted upstream.
//!
//! Every entry is run or left out with a written reason; every run is judged by the outcomes the entry
//! allows and by invariants that hold for all; every entry with a control must show its canary where
//! nothing is hidden. It is a black box: nothing here looks inside the proxy.

mod also;
mod bodies;
mod catalogue;
mod client;
mod controls;
mod exchange;
pub(crate) mod h2;
mod judge;
mod lists;
pub(crate) mod logs;
mod messages;
mod observed;
mod panics;
mod records;
mod reference;
mod report;
mod scan;
mod special;
mod stage;
mod suite;
mod tls;
mod tokens;
mod upstream;
mod visitors;
mod wire;

use std::collections::BTreeSet;

use catalogue::{Catalogue, Entry, cases};
use lists::Choices;

#[test]
fn the_catalogue_finds_no_way_past() {
    let catalogue = Catalogue::load();
    let (outcomes, visible) = suite::run(&catalogue);
    println!(
        "{}",
        report::table(&outcomes, &report::cases(&catalogue.entries))
    );
    println!("{}", report::tally(&outcomes));
    println!("{visible}");
    let failures = report::failures(&outcomes);
    println!("{failures}");
    let contradictions = report::contradictions(&outcomes, &lists::known_gaps());
    assert!(
        contradictions.is_empty(),
        "{}\n{failures}",
        contradictions.join("\n")
    );
}

#[test]
fn every_entry_is_run_or_left_out_with_a_reason() {
    let catalogue = Catalogue::load();
    let excluded = lists::excluded();
    assert!(
        excluded.iter().all(|line| line.why.len() > 20),
        "a reason is a sentence"
    );
    let out: BTreeSet<&str> = excluded.iter().map(|line| line.id.as_str()).collect();
    assert_eq!(out.len(), excluded.len(), "an entry is listed twice");
    let runs =
        |entry: &Entry| entry.lane == "blackbox" || special::IDS.contains(&entry.id.as_str());
    for entry in &catalogue.entries {
        let left_out = out.contains(entry.id.as_str());
        assert!(
            left_out || runs(entry),
            "{} is neither run nor left out",
            entry.id
        );
        let special = special::IDS.contains(&entry.id.as_str());
        assert!(
            !(left_out && special),
            "{} is left out and has a driver",
            entry.id
        );
    }
    let known: BTreeSet<&str> = catalogue
        .entries
        .iter()
        .map(|entry| entry.id.as_str())
        .collect();
    assert!(
        out.is_subset(&known),
        "an entry that does not exist is left out"
    );
}

#[test]
fn the_lists_name_only_what_exists() {
    let catalogue = Catalogue::load();
    let choices = Choices::load();
    let (policies, entries) = choices.mentions();
    for policy in policies {
        let file = cases().join("policies").join(format!("{policy}.yaml"));
        assert!(file.is_file(), "{policy} is no policy file");
    }
    for id in entries {
        catalogue.entry(id);
    }
    for wins in lists::spec_wins() {
        catalogue.entry(&wins.id);
        assert!(wins.why.len() > 20, "{}: a reason is a sentence", wins.id);
    }
    for gap in lists::known_gaps() {
        catalogue.entry(&gap.id);
        assert!(gap.why.len() > 20, "{}: a reason is a sentence", gap.id);
    }
}

#[test]
fn the_catalogue_speaks_only_words_this_driver_knows() {
    let catalogue = Catalogue::load();
    for entry in &catalogue.entries {
        for allowed in &entry.expected_client_sees.allowed_outcomes {
            assert!(
                catalogue.meta.outcomes.contains_key(&allowed.outcome),
                "{}",
                entry.id
            );
        }
        for need in &entry.policy_needed {
            assert!(
                catalogue.meta.policies.contains_key(need),
                "{}: {need}",
                entry.id
            );
        }
    }
    assert_eq!(
        catalogue.meta.canaries.get("SSN").map(String::as_str),
        Some("912-04-7731")
    );
}

#[test]
fn the_committed_catalogue_is_the_one_of_the_corpus() {
    let ours = std::fs::read(cases().join("catalogue.json")).expect("the committed catalogue");
    match std::fs::read(suite::corpus_root().join("bypass/catalogue.json")) {
        Ok(theirs) => assert!(ours == theirs, "the committed catalogue is another one"),
        Err(error) => {
            let required = std::env::var("POSTERN_REQUIRE_CORPUS").is_ok_and(|value| value == "1");
            assert!(!required, "the corpus is required and not there: {error}");
            println!("the corpus is not there: nothing to compare the committed catalogue with");
        }
    }
}
