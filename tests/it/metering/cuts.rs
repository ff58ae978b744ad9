//! Generated documents cut at every record: what leaves is the redaction of a document without the later
//! records, byte for byte.

use std::collections::BTreeSet;

use postern_config::action::Action;
use postern_config::routes::{Names, Unlabelled};
use postern_config::{FormatKind, Selector};

use super::counts::Case;
use super::slow_count::{count, named, selected};
use super::{Ledger, answer, counted, relay};
use crate::formats::run;
use crate::generated::{Chunking, Random, number_from, seed};
use crate::reference::{self, Document, NodeId};

/// Documents of a plain run.
const DOCUMENTS: u64 = 800;

/// The most cuts that are tried of one document.
const CUTS_MAX: u64 = 12;

/// The path of every node, as a selector.
fn paths(document: &Document<'_>) -> Vec<String> {
    let mut paths = vec![String::new(); document.nodes.len()];
    let mut left: Vec<(NodeId, String)> = vec![(0, "$".to_owned())];
    while let Some((node, path)) = left.pop() {
        for (index, child) in document.children(node).iter().enumerate() {
            let step = match &child.name {
                Some(name) => format!("[{}]", serde_json::to_string(name).unwrap()),
                None => format!("[{index}]"),
            };
            left.push((child.node, format!("{path}{step}")));
        }
        paths[node] = path;
    }
    paths
}

/// The document without its records from number `from` on.
fn without(text: &str, records: &[String], from: u64) -> Vec<u8> {
    let document = Document::read(text.as_bytes(), 128).unwrap();
    let paths = paths(&document);
    let gone = selected(&document, records);
    let gone = gone.into_iter().skip(usize::try_from(from).unwrap());
    let rules = reference::Rules {
        rules: gone
            .map(|node| (Selector::parse(&paths[node]).unwrap(), vec![0]))
            .collect(),
        required: Vec::new(),
        names: Names::Exact,
        actions: vec![Action::Remove],
        unlabelled: Unlabelled::Show,
        depth_max: 128,
        embedded: Vec::new(),
    };
    reference::redact(&rules, text.as_bytes()).first.unwrap().0
}

/// How many are named outside of the records from number `from` on.
fn named_without(document: &Document<'_>, case: &Case, from: u64) -> usize {
    let gone = selected(document, &case.records);
    let gone = gone.iter().skip(usize::try_from(from).unwrap());
    let gone: Vec<_> = gone.map(|record| &document.nodes[*record]).collect();
    let stays = |node: &NodeId| {
        let start = document.nodes[*node].start;
        !gone
            .iter()
            .any(|record| (record.start..record.end).contains(&start))
    };
    let subjects = selected(document, &case.subjects);
    let texts = subjects.into_iter().filter(stays);
    let texts = texts.filter_map(|node| named(document, node).flatten());
    texts.collect::<BTreeSet<String>>().len()
}

#[test]
fn every_cut_leaves_the_redaction_of_a_document_without_the_later_records() {
    let seed = seed();
    println!("POSTERN_SEED={seed}");
    let (mut cuts, mut number) = (0, 0);
    let documents = number_from("POSTERN_CASES").map_or(DOCUMENTS, |n| n.min(50_000));
    while number < documents {
        let mut random = Random::of_case(seed ^ 0xc07, number);
        number += 1;
        let case = Case::of(&mut random);
        let document = Document::read(case.document.as_bytes(), 128).unwrap();
        let root = selected(&document, &case.records).contains(&0);
        if case.repeats || root || case.records.is_empty() {
            continue;
        }
        let all = count(&case.document, &case.records, &case.subjects);
        let (redacting, plan) = (case.route.plan(), counted(&case.route, true));
        for most in 0..=all.records.min(CUTS_MAX) {
            let rest = without(&case.document, &case.records, most);
            let Ok(expected) = run(&redacting, FormatKind::Json, &[&rest]) else {
                continue;
            };
            for chunking in Chunking::few(&mut random, case.document.len()) {
                let body = answer(&plan, "application/json");
                let pieces = chunking.pieces(case.document.as_bytes());
                let relayed = relay(body, &pieces, Ledger::CutAt(most), &mut random).unwrap();
                let left = String::from_utf8_lossy(&relayed.left);
                let said = format!(
                    "case {}: {}\n{}",
                    number - 1,
                    case.route.keys,
                    case.document
                );
                assert_eq!(
                    left,
                    String::from_utf8_lossy(&expected),
                    "{most} {chunking:?} {said}"
                );
                assert_eq!(relayed.charged.records, all.records.min(most), "{said}");
                let stays = named_without(&document, &case, most);
                assert!(relayed.charged.known >= stays, "{most} {said}");
                let somebody = most > 0 && all.records > 0 && !case.subjects.is_empty();
                let charged = relayed.charged.known > 0 || relayed.charged.nameless > 0;
                assert!(charged || !somebody, "{most} {said}");
            }
            cuts += 1;
        }
    }
    println!("{cuts} cuts");
    assert!(documents < DOCUMENTS || cuts > 200);
}
