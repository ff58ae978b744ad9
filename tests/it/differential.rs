//! The streaming engine, with both scanners, against two oracles, on generated cases.
//!
//! A case is one document under one set of rules, one role's actions and one chunking; it runs with
//! either scanner. One document in ten is so long that it crosses blocks and windows, one in ten is
//! broken, and serde_json is asked whether it is JSON. A plain run makes a hundred thousand cases;
//! more, with optimised tests:
//!
//! ```text
//! POSTERN_CASES=10000000 POSTERN_SEED=7 cargo differential
//! ```
//!
//! `POSTERN_CASE=n` with the same seed runs the n-th document alone. A difference is made small before
//! it is printed.

mod deep;
mod oracle;
mod shrink;

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::fuzzing::scanner;
use crate::generated::case::Profile;
use crate::generated::{Case, Chunking, Difference, Random, Ready, number_from, seed};
use crate::reference::{self, Document, Expected, Output, Refused};

/// Cases of a plain run.
const CASES: u64 = 100_000;

/// What differs between the redactors, in words.
fn difference(case: &Case, chunkings: &[Chunking]) -> Option<String> {
    examined(&case.ready(), &case.document, chunkings).err()
}

/// What the reference expects, when both scanners give that in every chunking; else how they differ.
fn examined(
    ready: &Ready,
    document: &[u8],
    chunkings: &[Chunking],
) -> Result<Expected, Difference> {
    let expected = reference::redact(&ready.rules, document);
    let accepted = Document::read(document, scanner::DEPTH_MAX).is_ok();
    scanner::by_serde_json(document, accepted)?;
    let run = |chunking| {
        let mut written = Vec::new();
        let compared = || ready.compared(document, chunking, &mut written);
        let compared = catch_unwind(AssertUnwindSafe(compared));
        let compared = compared.unwrap_or_else(|_panic| Err("a panic".to_owned()));
        let compared = compared.map_err(|difference| format!("{chunking:?}: {difference}"))?;
        let got = compared.map(|withheld| (written, withheld));
        Ok::<_, Difference>(got.map_err(|_error| Refused))
    };
    let whole = run(Chunking::Whole)?;
    for chunking in chunkings {
        let got = match chunking {
            Chunking::Whole => whole.clone(),
            other @ (Chunking::ByteByByte | Chunking::At(_) | Chunking::Random { .. }) => {
                run(*other)?
            }
        };
        if !expected.allows(&got) || got != whole {
            let Expected {
                first,
                last,
                ambiguous,
                reopened: _,
            } = &expected;
            return Err(format!(
                "{chunking:?}\n  engine    {}\n  whole     {}\n  reference {}\n  last read {}{}",
                shown(&got),
                shown(&whole),
                shown(first),
                shown(last),
                if *ambiguous { ", or refused" } else { "" }
            ));
        }
    }
    Ok(expected)
}

fn shown(outcome: &Result<Output, Refused>) -> String {
    match outcome {
        Ok((bytes, withheld)) => format!("`{}`, withheld {withheld:?}", bytes.escape_ascii()),
        Err(refused) => format!("{refused:?}"),
    }
}

#[test]
fn the_engine_gives_what_the_reference_gives() {
    let seed = seed();
    let cases = number_from("POSTERN_CASES").unwrap_or(CASES);
    let only = number_from("POSTERN_CASE");
    let mut number = only.unwrap_or(0);
    let (mut run, mut documents, mut refused, mut changed, mut ambiguous) = (0, 0, 0, 0, 0);
    let mut reopened = 0;
    while run < cases {
        let mut random = Random::of_case(seed, number);
        let profile = Profile::any(&mut random);
        let case = Case::generate(&mut random, profile);
        let chunkings = Chunking::several(&mut random, case.document.len());
        let ready = case.ready();
        let Ok(expected) = examined(&ready, &case.document, &chunkings) else {
            let (small, why) = shrink::smallest(case, &chunkings);
            panic!("POSTERN_SEED={seed} POSTERN_CASE={number}\n{small}\n{why}");
        };
        ambiguous += u64::from(expected.ambiguous);
        reopened += u64::from(expected.reopened);
        match expected.first {
            Ok((bytes, _)) => changed += u64::from(bytes != case.document),
            Err(Refused) => refused += 1,
        }
        documents += 1;
        run += u64::try_from(chunkings.len()).unwrap();
        number += 1;
        if only.is_some() {
            break;
        }
    }
    println!(
        "differential: {run} cases, {documents} documents ({changed} changed, {refused} refused, \
         {ambiguous} ambiguous, {reopened} with strings written anew), 0 differences, POSTERN_SEED={seed}"
    );
    assert!(
        only.is_some() || changed * 3 > documents && refused * 3 < documents && reopened > 0,
        "{changed} changed, {refused} refused and {reopened} with strings written anew of \
         {documents} documents: that tests little"
    );
}

/// The reference knows no limit on held bytes; but where the limit is reached may not depend on how
/// the body was split, and what is not refused is right.
#[test]
fn a_small_limit_on_held_bytes_refuses_alike_in_every_chunking() {
    let documents = number_from("POSTERN_CASES").unwrap_or(CASES) / 20;
    let (mut limited, mut passed) = (0, 0);
    for number in 0..documents {
        let mut random = Random::of_case(seed(), number);
        let profile = Profile::any(&mut random);
        let case = Case::generate(&mut random, profile);
        let chunkings = Chunking::several(&mut random, case.document.len());
        let held_bytes_max = 1 + random.below(case.document.len() + 1);
        let ready = Ready::holding(case.ready().rules, held_bytes_max);
        let expected = reference::redact(&ready.rules, &case.document);
        let whole = ready.engine(&case.document, Chunking::Whole);
        assert!(
            whole.is_err() || expected.allows(&whole),
            "document {number}, at most {held_bytes_max} held: {}, but {}\n{case}",
            shown(&whole),
            shown(&expected.first)
        );
        for chunking in chunkings {
            let got = ready.engine(&case.document, chunking);
            assert!(
                got == whole,
                "document {number}, at most {held_bytes_max} held, {chunking:?}: {}, but {} when \
                 whole\n{case}",
                shown(&got),
                shown(&whole)
            );
        }
        limited += u64::from(whole.is_err() && expected.first.is_ok() && !expected.ambiguous);
        passed += u64::from(whole.is_ok());
    }
    println!("limits: {limited} documents refused for the limit alone, {passed} passed");
    assert!(limited > documents / 50 && passed > documents / 50);
}
