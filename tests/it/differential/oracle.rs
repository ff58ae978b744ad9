//! The second oracle: serde_json for the document, jsonpath-rust for the selectors.
//!
//! It knows nothing of duplicates, lexemes and bytes, so it judges documents without duplicate names and
//! compares values, not bytes. Breaking a document may repeat a piece of it so that it stays valid; such a
//! document is left to the reference. Constructs where jsonpath-rust is known to be wrong are left out: filters
//! inside filters, `count` (of nothing it makes no 0), and numbers that serde_json cannot hold.

use std::collections::BTreeSet;

use jsonpath_rust::JsonPath;
use postern_config::action::Action;
use postern_config::routes::{Names, Unlabelled};
use serde_json::Value;

use crate::generated::case::Profile;
use crate::generated::documents::Style;
use crate::generated::selectors::{Constructs, Filters, Positions};
use crate::generated::{Case, Chunking, Random, number_from, seed};
use crate::reference;

/// Documents of a plain run; each is run in two chunkings.
const DOCUMENTS: u64 = 4_000;

/// What replaces a selected value.
const CONSTANT: &str = "\"[REDACTED]\"";

/// A case that the second oracle can judge.
fn case(random: &mut Random) -> Case {
    let profile = Profile {
        style: Style {
            duplicates: false,
            wide_numbers: false,
            canaries: false,
            embedded: None,
            values_max: 30,
        },
        constructs: Constructs {
            filters: random.choose(&[Filters::Never, Filters::Plain]),
            positions: random.choose(&[Positions::FromTheStart, Positions::Any]),
        },
        rules_max: 3,
    };
    let mut case = Case::generate(random, profile);
    case.names = Names::Exact;
    case.unlabelled = Unlabelled::Show;
    case.required.clear();
    case.depth_max = 128;
    case.rules
        .retain(|(selector, _)| !selector.contains("count("));
    for action in &mut case.actions {
        *action = Action::Redact {
            with: Some(CONSTANT.to_owned()),
        };
    }
    case
}

/// The nodes that any rule selects, by address.
fn selected(case: &Case, document: &Value) -> BTreeSet<*const Value> {
    let nodes = case.rules.iter().flat_map(|(selector, _)| {
        let found = document.query_with_path(selector);
        found.unwrap_or_else(|error| panic!("`{selector}`: {error}"))
    });
    nodes.map(|node| std::ptr::from_ref(node.val())).collect()
}

/// The document with the constant in place of each selected node.
fn replaced(value: &Value, selected: &BTreeSet<*const Value>) -> Value {
    if selected.contains(&std::ptr::from_ref(value)) {
        return serde_json::from_str(CONSTANT).unwrap();
    }
    match value {
        Value::Array(elements) => {
            let elements = elements.iter().map(|element| replaced(element, selected));
            Value::Array(elements.collect())
        }
        Value::Object(members) => {
            let members = members.iter();
            let members = members.map(|(name, value)| (name.clone(), replaced(value, selected)));
            Value::Object(members.collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => value.clone(),
    }
}

/// Whether two members of one object have the same name.
fn repeats_a_name(document: &[u8], depth_max: usize) -> bool {
    let Ok(document) = reference::Document::read(document, depth_max) else {
        return false;
    };
    document.nodes.iter().any(|node| {
        let names = node.children.iter().filter_map(|child| child.name.as_ref());
        let mut seen = BTreeSet::new();
        names.into_iter().any(|name| !seen.insert(name))
    })
}

#[test]
fn the_engine_selects_what_jsonpath_rust_selects() {
    let seed = seed();
    let documents = number_from("POSTERN_CASES").map_or(DOCUMENTS, |cases| cases / 20);
    let mut judged = 0;
    for number in 0..documents {
        let case = case(&mut Random::of_case(seed, number));
        let Ok(document) = serde_json::from_slice::<Value>(&case.document) else {
            continue;
        };
        if repeats_a_name(&case.document, case.depth_max) {
            continue;
        }
        let expected = replaced(&document, &selected(&case, &document));
        let ready = case.ready();
        let streamed = |chunking| ready.engine(&case.document, chunking);
        let outputs = [
            (
                "reference",
                reference::redact(&ready.rules, &case.document).first,
            ),
            ("engine", streamed(Chunking::Whole)),
            ("engine", streamed(Chunking::ByteByByte)),
        ];
        for (who, output) in outputs {
            let value = output
                .ok()
                .and_then(|(bytes, _)| serde_json::from_slice::<Value>(&bytes).ok());
            assert_eq!(
                value.as_ref(),
                Some(&expected),
                "{who} against jsonpath-rust, POSTERN_SEED={seed}, document {number}:\n{case}"
            );
        }
        judged += 1;
    }
    println!("second oracle: {judged} documents agree with jsonpath-rust, POSTERN_SEED={seed}");
}
