//! Makes a failing case small: fewer rules, fewer bytes, a plainer chunking.

use super::difference;
use crate::generated::{Case, Chunking};

/// The smallest case found that still differs, and how it differs.
pub(super) fn smallest(case: Case, chunkings: &[Chunking]) -> (Case, String) {
    let mut small = case;
    let tried = |case: &Case| {
        let mut all = vec![Chunking::Whole, Chunking::ByteByByte];
        if case.document.len() <= 64 {
            all.extend((1..case.document.len()).map(Chunking::At));
        }
        all.extend(chunkings);
        difference(case, &all)
    };
    loop {
        let smaller = candidates(&small)
            .into_iter()
            .find(|smaller| tried(smaller).is_some());
        match smaller {
            Some(smaller) => small = smaller,
            None => break,
        }
    }
    let why = tried(&small).unwrap_or_default();
    (small, why)
}

/// Everything that is one step smaller, the largest steps first.
fn candidates(case: &Case) -> Vec<Case> {
    let mut smaller = Vec::new();
    for at in 0..case.rules.len() {
        let mut fewer = case.clone();
        fewer.rules.remove(at);
        smaller.push(fewer);
    }
    for at in 0..case.required.len() {
        let mut fewer = case.clone();
        fewer.required.remove(at);
        smaller.push(fewer);
    }
    let length = case.document.len();
    let mut piece = length / 2;
    while piece >= 1 {
        for at in 0..=length - piece {
            let mut shorter = case.clone();
            shorter.document.drain(at..at + piece);
            smaller.push(shorter);
        }
        piece = if piece > 8 { piece / 2 } else { piece - 1 };
    }
    smaller
}
