//! Generated NDJSON and JSON text sequences: the lines must become what the elements of one JSON array
//! of the same texts become.

use postern_config::FormatKind;
use serde_json::Value;

use super::{Route, run};
use crate::generated::{Random, number_from, seed};

/// Bodies of a plain run.
const BODIES: u64 = 3_000;

const SELECTORS: &[&str] = &[
    "$[*].a",
    "$[*].a.b",
    "$..b",
    "$[2]",
    "$[1:3].a",
    "$[*].a[*]",
    "$[?@.k == 1].a",
    "$[?@.a.b].k",
    "$..[?@.k == 1]",
    "$[*].a[-1]",
    "$[0:4:2]",
    "$[*]",
];

const ACTIONS: &[&str] = &[
    "redact",
    "remove",
    "show",
    "{ redact: { with: gone } }",
    "last4",
];

const TEXTS: &[&str] = &[
    "{\"a\":1,\"k\":1}",
    " {\"a\":{\"b\":\"secret-1\"},\"k\":2} ",
    "[]",
    "{\"a\":[1,{\"b\":2},3]}",
    "7",
    "\"x\"",
    "{\"k\":1,\"a\":{\"b\":[],\"k\":1}}",
    "null",
    "{}",
    "{\"b\":{\"b\":1}}\t",
    "[{\"a\":1},{\"k\":1}]",
];

fn route(random: &mut Random) -> Route {
    let mut route = Route {
        keys: "formats: [json, ndjson, json-seq]\nlabel:\n".to_owned(),
        sees: Vec::new(),
        detect: None,
    };
    for number in 0..=random.below(3) {
        let label = format!("l{number}");
        let selector = random.choose(SELECTORS);
        if route.keys.contains(&format!("\"{selector}\":")) {
            continue;
        }
        route.keys.push_str(&format!("  \"{selector}\": {label}\n"));
        route.sees.push((label, random.choose(ACTIONS).to_owned()));
    }
    let unlabelled = random.choose(&["show", "show", "remove", "redact"]);
    route.keys.push_str(&format!("unlabelled: {unlabelled}\n"));
    route
}

#[test]
fn the_lines_become_what_the_elements_of_one_array_become() {
    let seed = seed();
    println!("POSTERN_SEED={seed}");
    for number in 0..number_from("POSTERN_CASES").map_or(BODIES, |n| n.min(100_000)) {
        let mut random = Random::of_case(seed, number);
        let route = route(&mut random);
        let plan = route.plan();
        let texts: Vec<&str> = (0..random.below(6)).map(|_| random.choose(TEXTS)).collect();
        let array = format!("[{}]", texts.join(","));
        let expected = run(&plan, FormatKind::Json, &[array.as_bytes()]).unwrap();
        // A root that is gone stands for no lines.
        let expected: Vec<Value> = serde_json::from_slice(&expected).unwrap_or_default();
        if expected.is_empty() && route.keys.contains("unlabelled: redact") {
            // An array in which nothing is to be seen says nothing, lines say how many they are.
            continue;
        }
        for kind in [FormatKind::Ndjson, FormatKind::JsonSeq] {
            let (before, separator) = if kind == FormatKind::JsonSeq {
                ("\u{1e}", "\u{1e}")
            } else {
                ("", "\n")
            };
            let body: String = texts
                .iter()
                .map(|text| format!("{before}{text}\n"))
                .collect();
            let at = random.below(body.len() + 1);
            let (a, b) = body.as_bytes().split_at(at);
            let left = run(&plan, kind, &[a, b]).unwrap();
            let left = String::from_utf8(left).unwrap();
            let lines = left.split(separator).filter(|line| !line.trim().is_empty());
            let lines: Vec<Value> = lines
                .map(|line| serde_json::from_str(line).unwrap())
                .collect();
            assert_eq!(lines, expected, "case {number}: {}\n{body}", route.keys);
        }
    }
}
