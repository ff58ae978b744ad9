//! The streaming engine against two oracles, on generated cases.
//!
//! A case is one document under one set of rules, one role's actions and one chunking. A plain run
//! makes some tens of thousands; more:
//!
//! ```text
//! POSTERN_CASES=1000000 POSTERN_SEED=7 cargo test --test it differential:: -- --nocapture
//! ```
//!
//! `POSTERN_CASE=n` with the same seed runs the n-th document alone. A difference is made small before
//! it is printed.

mod oracle;
pub(crate) mod shrink;

use crate::generated::case::Profile;
use crate::generated::{Case, Chunking, Random, Ready, number_from, seed};
use crate::reference;

/// Cases of a plain run.
const CASES: u64 = 30_000;

/// What differs between the two redactors, in words.
pub(crate) fn difference(case: &Case, chunkings: &[Chunking]) -> Option<String> {
    difference_of(&case.ready(), &case.document, chunkings)
}

fn difference_of(ready: &Ready, document: &[u8], chunkings: &[Chunking]) -> Option<String> {
    let expected = reference::redact(&ready.rules, document);
    let mut first_withheld = None;
    for chunking in chunkings {
        let got = ready.engine(document, *chunking);
        let bytes = got.clone().map(|(bytes, _)| bytes);
        if bytes != expected {
            return Some(format!(
                "{chunking:?}\n  engine    {}\n  reference {}",
                shown(&bytes),
                shown(&expected)
            ));
        }
        let Ok((_, withheld)) = got else { continue };
        match &first_withheld {
            None => first_withheld = Some(withheld),
            Some(first) if *first == withheld => {}
            Some(first) => {
                return Some(format!(
                    "{chunking:?}: withheld {withheld:?}, but {first:?} when whole"
                ));
            }
        }
    }
    None
}

fn shown(outcome: &Result<Vec<u8>, reference::Refused>) -> String {
    match outcome {
        Ok(bytes) => format!("`{}`", bytes.escape_ascii()),
        Err(refused) => format!("{refused:?}"),
    }
}

#[test]
fn the_engine_gives_what_the_reference_gives() {
    let seed = seed();
    let cases = number_from("POSTERN_CASES").unwrap_or(CASES);
    let only = number_from("POSTERN_CASE");
    let mut number = only.unwrap_or(0);
    let (mut run, mut documents, mut refused) = (0, 0, 0);
    while run < cases {
        let mut random = Random::of_case(seed, number);
        let profile = Profile::any(&mut random);
        let case = Case::generate(&mut random, profile);
        let chunkings = Chunking::several(&mut random, case.document.len());
        let ready = case.ready();
        if difference_of(&ready, &case.document, &chunkings).is_some() {
            let (small, why) = shrink::smallest(case, &chunkings);
            panic!("POSTERN_SEED={seed} POSTERN_CASE={number}\n{small}\n{why}");
        }
        refused += u64::from(reference::redact(&ready.rules, &case.document).is_err());
        documents += 1;
        run += u64::try_from(chunkings.len()).unwrap();
        number += 1;
        if only.is_some() {
            break;
        }
    }
    println!(
        "differential: {run} cases, {documents} documents ({refused} refused by both), \
         0 differences, POSTERN_SEED={seed}"
    );
    assert!(
        only.is_some() || refused * 3 < documents,
        "{refused} of {documents} documents are refused: the generator tests little"
    );
}
