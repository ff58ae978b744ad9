//! Claim: whether a document is read, and that it then leaves byte for byte, depends neither on the
//! scanner nor on the split, and is what the grammar says.
//!
//! The arbiters are the reference's reader, which must agree exactly, and serde_json, which knows no
//! limit on depth and passes lone surrogates in text that nobody asks for.
//!
//! The first byte is the seed of the splits and the rest is the document.

use std::sync::LazyLock;

use postern_config::Selector;
use postern_config::action::Action;
use postern_config::routes::{Names, Unlabelled};
use serde::de::IgnoredAny;

use super::{Finding, seeds};
use crate::generated::{Chunking, Random, Ready};
use crate::reference::{Document, Rules};

/// The deepest nesting that is read here.
pub(crate) const DEPTH_MAX: usize = 64;

/// Rules that select nothing: one of which names must be compared everywhere, one of which whole
/// subtrees are skipped.
static READERS: LazyLock<[Ready; 2]> =
    LazyLock::new(|| ["$..['no such name']", "$['no such name'].a"].map(reader));

fn reader(selector: &str) -> Ready {
    Ready::new(Rules {
        rules: vec![(Selector::parse(selector).unwrap(), vec![0])],
        required: Vec::new(),
        names: Names::Exact,
        actions: vec![Action::Remove],
        unlabelled: Unlabelled::Show,
        depth_max: DEPTH_MAX,
        embedded: Vec::new(),
    })
}

/// Checks one input.
pub(crate) fn check(input: &[u8]) -> Finding {
    let (seed, document) = input.split_first().unwrap_or((&0, &[]));
    let accepted = Document::read(document, DEPTH_MAX).is_ok();
    by_serde_json(document, accepted)?;
    let mut random = Random::of_case(u64::from(*seed), 0);
    for ready in &*READERS {
        for chunking in Chunking::few(&mut random, document.len()) {
            let got = ready.within_limits(document, chunking)?;
            match got.map(|got| got.map(|output| output.0)) {
                Some(Ok(_)) if !accepted => return Err(format!("{chunking:?}: accepts it")),
                Some(Ok(bytes)) if bytes != document => {
                    return Err(format!("{chunking:?}: changes it"));
                }
                Some(Err(_)) if accepted => return Err(format!("{chunking:?}: refuses it")),
                Some(Ok(_) | Err(_)) | None => {}
            }
        }
    }
    Ok(())
}

/// What the reference accepts, serde_json accepts; the other way round there are two exceptions.
pub(crate) fn by_serde_json(document: &[u8], accepted: bool) -> Finding {
    let text = std::str::from_utf8(document).ok();
    let theirs = text.is_some_and(|text| serde_json::from_str::<IgnoredAny>(text).is_ok());
    let excused = || {
        let text = text.unwrap_or_default();
        let depth = text.bytes().filter(|byte| b"[{".contains(byte)).count();
        depth > DEPTH_MAX || text.contains("\\u")
    };
    match (accepted, theirs) {
        (true, false) => Err("the reference accepts what serde_json refuses".to_owned()),
        (false, true) if !excused() => {
            Err("the reference refuses what serde_json accepts".to_owned())
        }
        (true | false, _) => Ok(()),
    }
}

/// Documents of every kind, each with a byte for the splits.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let documents = seeds::documents();
    let numbered = documents.into_iter().zip((0..=u8::MAX).cycle());
    numbered
        .map(|(document, seed)| [&[seed][..], &document].concat())
        .collect()
}
