//! Rules whose table of states would be too large: the engine must fall back to sets of places and
//! give the same.
//!
//! `$..a` followed by n wildcards must know of each of the last n levels whether it was an `a`: 2^n
//! states. The documents are deep and have few names, so that they reach many of them.

use postern_config::routes::{Names, Unlabelled};
use postern_filters::json::STATES_MAX;

use super::{difference, shrink};
use crate::generated::case::action;
use crate::generated::{Case, Chunking, Random, number_from, seed};

/// Levels that the selectors look back.
const LEVELS: usize = 14;

/// Documents of a plain run.
const DOCUMENTS: u64 = 300;

fn case(random: &mut Random) -> Case {
    let mut document = String::new();
    let depth = LEVELS + random.below(20);
    object(random, depth, &mut document);
    let many = ".*".repeat(LEVELS);
    let fewer = "[*]".repeat(LEVELS - 2);
    Case {
        document: document.into_bytes(),
        rules: vec![
            (format!("$..a{many}"), vec![0]),
            (format!("$..b{fewer}.a"), vec![1]),
            (format!("$..a{fewer}..b"), vec![2]),
        ],
        required: Vec::new(),
        names: random.choose(&[Names::Exact, Names::Caseless]),
        actions: (0..3).map(|_| action(random)).collect(),
        unlabelled: random.choose(&[
            Unlabelled::Show,
            Unlabelled::Show,
            Unlabelled::Remove,
            Unlabelled::Redact,
        ]),
        depth_max: 64,
        embedded: Vec::new(),
    }
}

/// A few members named `a` or `b`, one of which goes on.
fn object(random: &mut Random, depth: usize, out: &mut String) {
    let members = 1 + random.below(2);
    let goes_on = random.below(members);
    out.push('{');
    for at in 0..members {
        out.push_str(if at > 0 { "," } else { "" });
        out.push_str(random.choose(&["\"a\":", "\"b\":", "\"\\u0061\":", "\"A\":"]));
        if at == goes_on && depth > 0 {
            object(random, depth - 1, out);
        } else {
            out.push_str(random.choose(&["1", "\"text\"", "{}"]));
        }
    }
    out.push('}');
}

#[test]
fn rules_too_many_for_a_table_give_the_same() {
    const { assert!(1 << LEVELS > STATES_MAX, "the rules must need more states") };
    let documents = number_from("POSTERN_CASES").map_or(DOCUMENTS, |cases| cases / 300);
    for number in 0..documents {
        let mut random = Random::of_case(seed(), number);
        let case = case(&mut random);
        let chunkings = Chunking::several(&mut random, case.document.len());
        if difference(&case, &chunkings).is_some() {
            let (small, why) = shrink::smallest(case, &chunkings);
            panic!("document {number}\n{small}\n{why}");
        }
    }
    println!("beyond the table: {documents} deep documents, 0 differences");
}
