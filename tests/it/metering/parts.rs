//! Bodies of many parts: rows, lines and texts of a sequence are counted and cut as the elements they are.

use super::slow_count::Count;
use super::{Ledger, answer, counted, relay};
use crate::formats::{Route, run};
use crate::generated::{Chunking, Random, number_from, seed};
use postern_config::FormatKind;

/// Bodies of a plain run.
const BODIES: u64 = 400;

/// A kind of body, its media type, and what stands around each of its parts.
const KINDS: &[(FormatKind, &str, &str, &str)] = &[
    (FormatKind::Csv, "text/csv", "", "\n"),
    (FormatKind::Csv, "text/csv", "", "\r\n"),
    (FormatKind::Tsv, "text/tab-separated-values", "", "\n"),
    (FormatKind::Ndjson, "application/x-ndjson", "", "\n"),
    (FormatKind::Ndjson, "application/x-ndjson", " ", "\r\n"),
    (FormatKind::JsonSeq, "application/json-seq", "\u{1e}", "\n"),
];

const IDS: &[&str] = &["1", "2", "3", "x y", "é", ""];

fn route(random: &mut Random) -> Route {
    let records = random.choose(&["\"$[*]\"", "\"$.items[*]\"", "[\"$.items[*]\", \"$[*]\"]"]);
    let mut keys = format!(
        "formats: [json, ndjson, json-seq, csv, tsv]\n\
         records: {records}\nsubjects: \"$[*].customer.id\"\nlabel:\n"
    );
    let mut sees = Vec::new();
    for (number, selector) in ["$[*].customer.id", "$[*].mail", "$[*].customer", "$..note"]
        .iter()
        .enumerate()
    {
        keys.push_str(&format!("  \"{selector}\": l{number}\n"));
        let action = random.choose(&["show", "redact", "remove", "last4"]);
        sees.push((format!("l{number}"), action.to_owned()));
    }
    Route {
        keys,
        sees,
        detect: None,
    }
}

/// The parts of a body, each without what is around it, and whom each names.
fn parts(random: &mut Random, kind: FormatKind) -> (Vec<String>, Vec<&'static str>) {
    let ids: Vec<&str> = (0..random.below(9)).map(|_| random.choose(IDS)).collect();
    let part = |(number, id): (usize, &&str)| match kind {
        FormatKind::Csv => {
            let quoted = random.chance(50);
            let id = if quoted {
                format!("\"{id}\"")
            } else {
                (*id).to_owned()
            };
            format!("\"m,{number}\",{id},\"note \"\"{number}\"\"\nmore\"")
        }
        FormatKind::Tsv => format!("m{number}\t{id}\tnote"),
        FormatKind::Json | FormatKind::Ndjson | FormatKind::JsonSeq => {
            let id = match id.parse::<u64>() {
                Ok(id) if number % 2 == 0 => id.to_string(),
                Ok(_) | Err(_) => serde_json::to_string(id).unwrap(),
            };
            format!(r#"{{"mail":"m{number}","customer":{{"id":{id},"note":0}}}}"#)
        }
    };
    (ids.iter().enumerate().map(part).collect(), ids)
}

#[test]
fn parts_are_counted_and_cut_as_they_are() {
    let seed = seed();
    println!("POSTERN_SEED={seed}");
    for number in 0..number_from("POSTERN_CASES").map_or(BODIES, |n| n.min(50_000)) {
        let mut random = Random::of_case(seed, number);
        let route = route(&mut random);
        let (kind, media, before, after) = random.choose(KINDS);
        let (parts, ids) = parts(&mut random, kind);
        let header = match kind {
            FormatKind::Csv => format!("mail,customer.id,note{after}"),
            FormatKind::Tsv => format!("mail\tcustomer.id\tnote{after}"),
            FormatKind::Json | FormatKind::Ndjson | FormatKind::JsonSeq => String::new(),
        };
        let body = |count: usize| {
            let parts = parts.iter().take(count);
            let parts: String = parts.map(|part| format!("{before}{part}{after}")).collect();
            format!("{header}{parts}")
        };
        let all = body(parts.len());
        for most in 0..=parts.len() {
            let expected = run(&route.plan(), kind, &[body(most).as_bytes()]).unwrap();
            let named = &ids[..most];
            let mut known: Vec<_> = named.iter().filter(|id| !id.is_empty()).collect();
            known.sort();
            known.dedup();
            let charged = Count {
                records: most as u64,
                known: known.len(),
                nameless: named.iter().filter(|id| id.is_empty()).count() as u64,
            };
            let plan = counted(&route, true);
            for chunking in Chunking::few(&mut random, all.len()) {
                let pieces = chunking.pieces(all.as_bytes());
                let ledger = Ledger::CutAt(most as u64);
                let relayed = relay(answer(&plan, media), &pieces, ledger, &mut random).unwrap();
                let left = String::from_utf8_lossy(&relayed.left);
                let said = format!("case {number}, {most}: {}\n{all}", route.keys);
                assert_eq!(left, String::from_utf8_lossy(&expected), "{said}");
                assert_eq!(relayed.charged, charged, "{said}");
            }
        }
        let plan = counted(&route, false);
        for chunking in Chunking::few(&mut random, all.len()) {
            let pieces = chunking.pieces(all.as_bytes());
            let body = answer(&plan, media);
            let relayed = relay(body, &pieces, Ledger::Unlimited, &mut random).unwrap();
            assert_eq!(
                relayed.charged.records,
                parts.len() as u64,
                "{}",
                route.keys
            );
        }
    }
}
