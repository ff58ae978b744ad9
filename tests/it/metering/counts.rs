//! Generated documents under generated policies: what is charged is what the tree says, whatever the role
//! sees and however the body comes, and what leaves is what leaves where nothing is counted.

use jsonpath_rust::JsonPath;
use postern_config::FormatKind;
use serde_json::Value;

use super::slow_count::count;
use super::{Ledger, answer, counted, counting_keys, quoted, relay};
use crate::formats::{Route, run};
use crate::generated::documents::{self, Style};
use crate::generated::selectors::{Constructs, Filters, Positions, selector};
use crate::generated::strings::Vocabulary;
use crate::generated::{Chunking, Random, number_from, seed};

/// Documents of a plain run.
const DOCUMENTS: u64 = 1_500;

const ACTIONS: &[&str] = &[
    "show",
    "redact",
    "remove",
    "last4",
    "mask",
    "pseudonym",
    "{ redact: { with: gone } }",
];

/// Selectors that find something in most documents.
const BROAD: &[&str] = &["$[*]", "$..*", "$.*.*", "$..[*][*]", "$..[0]", "$[*][1:]"];

/// A document, what is counted of it, and who reads it.
pub(super) struct Case {
    pub(super) document: String,
    pub(super) records: Vec<String>,
    pub(super) subjects: Vec<String>,
    pub(super) route: Route,
    /// A name may come twice in an object.
    pub(super) repeats: bool,
}

impl Case {
    pub(super) fn of(random: &mut Random) -> Self {
        let vocabulary = Vocabulary::of_case(random);
        let constructs = Constructs {
            filters: random.choose(&[Filters::Never, Filters::Never, Filters::Plain]),
            positions: random.choose(&[Positions::FromTheStart, Positions::Any]),
        };
        let style = Style {
            duplicates: constructs.filters == Filters::Never && random.chance(30),
            wide_numbers: false,
            canaries: false,
            embedded: None,
            // A long document is read in windows, a short one byte by byte.
            values_max: random.choose(&[10, 40, 400]),
        };
        let some = |random: &mut Random, most: usize| -> Vec<String> {
            let mut some: Vec<String> = (0..random.below(most + 1))
                .map(|_| match random.chance(40) {
                    true => random.choose(BROAD).to_owned(),
                    false => selector(random, &vocabulary, constructs),
                })
                .filter(|selector| !selector.contains("count("))
                .collect();
            some.sort();
            some.dedup();
            some
        };
        let (records, subjects) = (some(random, 2), some(random, 2));
        let mut route = Route {
            keys: counting_keys(&records, &subjects),
            ..Route::default()
        };
        let rules = some(random, 3);
        route.keys.push_str("label:\n  \"$.unseen\": none\n");
        for (number, rule) in rules.iter().enumerate() {
            let label = format!("l{number}");
            route
                .keys
                .push_str(&format!("  {}: {label}\n", quoted(rule)));
            route.sees.push((label, random.choose(ACTIONS).to_owned()));
        }
        let unlabelled = random.choose(&["show", "show", "remove", "redact"]);
        route.keys.push_str(&format!("unlabelled: {unlabelled}\n"));
        Self {
            document: documents::valid(random, &vocabulary, style),
            records,
            subjects,
            route,
            repeats: style.duplicates,
        }
    }
}

/// How many places jsonpath-rust says the selectors select.
fn places(document: &Value, selectors: &[String]) -> u64 {
    let found = selectors.iter().flat_map(|selector| {
        let found = document.query_with_path(selector).unwrap();
        found.into_iter().map(|node| std::ptr::from_ref(node.val()))
    });
    found.collect::<std::collections::BTreeSet<_>>().len() as u64
}

#[test]
fn what_is_charged_is_what_the_tree_says() {
    let seed = seed();
    println!("POSTERN_SEED={seed}");
    let (mut records, mut subjects) = (0, 0);
    let documents = number_from("POSTERN_CASES").map_or(DOCUMENTS, |n| n.min(50_000));
    for number in 0..documents {
        let mut random = Random::of_case(seed, number);
        let case = Case::of(&mut random);
        let bytes = case.document.as_bytes();
        let said = format!("case {number}: {}\n{}", case.route.keys, case.document);
        let Ok(left) = run(&case.route.plan(), FormatKind::Json, &[bytes]) else {
            continue;
        };
        let expected = count(&case.document, &case.records, &case.subjects);
        let filters = case.records.iter().any(|selector| selector.contains('?'));
        if let Ok(document) = serde_json::from_str::<Value>(&case.document)
            && !case.records.is_empty()
            && !filters
        {
            // Of a repeated name serde_json knows one member only.
            let places = places(&document, &case.records);
            let agrees = places == expected.records;
            assert!(
                agrees || case.repeats && places < expected.records,
                "{said}"
            );
        }
        let plan = counted(&case.route, false);
        for chunking in Chunking::few(&mut random, bytes.len()) {
            let body = answer(&plan, "application/json");
            let pieces = chunking.pieces(bytes);
            let relayed = relay(body, &pieces, Ledger::Unlimited, &mut random).unwrap();
            assert_eq!(relayed.charged, expected, "{chunking:?} of {said}");
            assert_eq!(relayed.left, left, "{chunking:?} of {said}");
        }
        records += expected.records;
        subjects += expected.known;
    }
    println!("{records} records, {subjects} subjects");
    assert!(documents < DOCUMENTS || records > DOCUMENTS && subjects > 500);
}

#[test]
fn one_customer_fetched_three_hundred_times_is_one_subject() {
    let route = Route {
        keys: "label: { $.ssn: l }\nsubjects: $.customer.id\n".to_owned(),
        sees: vec![("l".to_owned(), "redact".to_owned())],
        detect: None,
    };
    let mut random = Random::of_case(seed(), 0);
    let mut hashes = std::collections::BTreeSet::new();
    let plan = counted(&route, false);
    for number in 0..300 {
        let document = match number % 3 {
            0 => r#"{"customer":{"id":4711},"ssn":1}"#,
            1 => r#"{"ssn":2,"customer":{"id":"4711"}}"#,
            _ => r#"{"customer":{"\u0069d":"\u00347\u0031\u0031"}}"#,
        };
        let (a, b) = document.as_bytes().split_at(number % document.len());
        let body = answer(&plan, "application/json");
        let relayed = relay(body, &[a, b], Ledger::Unlimited, &mut random).unwrap();
        assert_eq!(relayed.charged.records, 1);
        assert_eq!(relayed.charged.nameless, 0);
        hashes.extend(relayed.hashes);
    }
    assert_eq!(hashes.len(), 1);
}

#[test]
fn nothing_of_a_record_leaves_before_it_is_charged() {
    let seed = seed();
    println!("POSTERN_SEED={seed}");
    for number in 0..300 {
        let mut random = Random::of_case(seed, number);
        let route = Route {
            keys: "label: { \"$.items[*].ssn\": l }\nrecords: \"$.items[*]\"\n\
                   subjects: \"$.items[*].c.id\"\n"
                .to_owned(),
            sees: vec![("l".to_owned(), "redact".to_owned())],
            detect: None,
        };
        let items: Vec<String> = (0..1 + random.below(30))
            .map(|item| {
                let filler = "x".repeat(random.below(60));
                let first = random.choose(&["", "\"ssn\":1,"]);
                format!(r#"{{{first}"m":"mark-{item}-","f":"{filler}","c":{{"id":{item}}}}}"#)
            })
            .collect();
        let document = format!(r#"{{"n":1,"items":[{}]}}"#, items.join(","));
        let most = random.below(items.len() + 1) as u64;
        for ledger in [Ledger::EndAt(most), Ledger::CutAt(most)] {
            let plan = counted(&route, ledger == Ledger::CutAt(most));
            for chunking in Chunking::several(&mut random, document.len()) {
                let pieces = chunking.pieces(document.as_bytes());
                let body = answer(&plan, "application/json");
                let relayed = relay(body, &pieces, ledger, &mut random).unwrap();
                let left = String::from_utf8(relayed.left).unwrap();
                let charged = relayed.charged.records;
                assert!(charged <= most);
                assert_eq!(relayed.charged.known as u64, charged);
                for item in charged..items.len() as u64 {
                    let mark = format!("mark-{item}-");
                    assert!(!left.contains(&mark), "{mark} left at {charged}: {left}");
                }
                if ledger == Ledger::CutAt(most) {
                    assert_eq!(relayed.cut, items.len() as u64 - most);
                    serde_json::from_str::<Value>(&left).unwrap();
                }
            }
        }
    }
}
