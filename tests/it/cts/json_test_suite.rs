//! JSONTestSuite: what must be refused is refused, what must pass passes byte for byte, and what a
//! reader may decide is decided as `tests/cases/json/i_decisions.toml` says.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use postern_config::Selector;
use postern_config::action::Action;
use postern_config::routes::{Names, Unlabelled};

use crate::corpus;
use crate::generated::{Chunking, Ready};
use crate::reference::{self, Document, Rules};

/// Rules that select nothing in the suite, so that every document is read and nothing is changed.
fn nothing_selected() -> Ready {
    Ready::new(Rules {
        rules: vec![(Selector::parse("$..['no such name']").unwrap(), vec![0])],
        required: Vec::new(),
        names: Names::Exact,
        actions: vec![Action::Remove],
        unlabelled: Unlabelled::Show,
        depth_max: 128,
        embedded: Vec::new(),
    })
}

/// The suite's files of one class, by name.
fn files(folder: &str, class: &str) -> BTreeMap<String, Vec<u8>> {
    let Some(folder) = corpus::folder(folder) else {
        return BTreeMap::new();
    };
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            path.extension()
                .is_some_and(|extension| extension == "json")
        })
        .map(|path| (path.file_name().unwrap().to_string_lossy().into(), path))
        .filter(|(name, _): &(String, PathBuf)| name.starts_with(class))
        .map(|(name, path)| (name, fs::read(path).unwrap()))
        .collect()
}

/// Whether a document is accepted, by the engine in several chunkings and by the reference, which
/// must agree; an accepted one must leave byte for byte.
fn accepted(ready: &Ready, name: &str, document: &[u8]) -> bool {
    let by_reference = reference::redact(&ready.rules, document).first;
    let chunkings = [
        Chunking::Whole,
        Chunking::ByteByByte,
        Chunking::At(document.len() / 2),
    ];
    for chunking in chunkings {
        let streamed = ready.engine(document, chunking).map(|output| output.0);
        assert_eq!(
            streamed.is_ok(),
            by_reference.is_ok(),
            "{name}, {chunking:?}: the engine and the reference disagree"
        );
        if let Ok(output) = streamed {
            assert_eq!(output, document, "{name}, {chunking:?}: bytes have changed");
        }
    }
    by_reference.is_ok()
}

fn count(class: &str, expected: usize, wanted: bool) {
    let ready = nothing_selected();
    let files = files("json-parsing/test_parsing", class);
    if files.is_empty() {
        return;
    }
    let right = files
        .iter()
        .filter(|(name, document)| accepted(&ready, name, document) == wanted)
        .count();
    println!("JSONTestSuite {class}: {right}/{}", files.len());
    assert_eq!((right, files.len()), (expected, expected));
}

#[test]
fn every_document_that_must_be_refused_is_refused() {
    count("n_", 188, false);
}

#[test]
fn every_document_that_must_pass_leaves_byte_for_byte() {
    count("y_", 95, true);
}

#[test]
fn every_document_a_reader_may_decide_on_is_decided_as_written_down() {
    let files = files("json-parsing/test_parsing", "i_");
    if files.is_empty() {
        return;
    }
    let table = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/cases/json/i_decisions.toml"
    );
    let text = fs::read_to_string(table).unwrap();
    let decisions: BTreeMap<String, String> = toml::from_str(&text).unwrap();
    let ready = nothing_selected();
    let made: BTreeMap<String, String> = files
        .iter()
        .map(|(name, document)| {
            let decision = match accepted(&ready, name, document) {
                true => "accept",
                false => "refuse",
            };
            (
                name.trim_end_matches(".json").to_owned(),
                decision.to_owned(),
            )
        })
        .collect();
    assert_eq!(made, decisions);
    assert_eq!(made.len(), 35, "the suite has changed");
}

#[test]
fn every_duplicate_of_the_suite_is_redacted() {
    let ready = Ready::new(Rules {
        rules: vec![(Selector::parse("$.a").unwrap(), vec![0])],
        required: Vec::new(),
        names: Names::Exact,
        actions: vec![Action::Redact { with: None }],
        unlabelled: Unlabelled::Show,
        depth_max: 128,
        embedded: Vec::new(),
    });
    for (name, document) in files("json-parsing/test_transform", "object_same_key") {
        let output = ready.engine(&document, Chunking::ByteByByte).unwrap().0;
        let seen = Document::read(&output, 8).unwrap();
        let values = seen.children(0).iter().map(|child| seen.lexeme(child.node));
        assert_eq!(values.collect::<Vec<_>>(), ["null", "null"], "{name}");
    }
}
