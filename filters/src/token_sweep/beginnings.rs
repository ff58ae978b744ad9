//! Where in a text a spelling may begin: most of a text is passed over by its first bytes.
//!
//! PERF: by three of them at once where the processor has instructions for it and they are few, else by two
//! (`postern bench`, sessions).

use std::collections::BTreeSet;
use std::fmt;

use aho_corasick::packed::{Config, MatchKind, Searcher};

/// By how many bytes at most a spelling's beginning is looked for.
const FIRST_BYTES_MAX: usize = 3;

/// See the module.
pub(super) struct Beginnings {
    /// Finds the first bytes of spellings, this many each.
    searcher: Option<(Searcher, usize)>,
    /// Which pairs of bytes a spelling begins with, one bit each.
    pairs: Box<[u64]>,
}

impl Beginnings {
    /// Those of these spellings. None when one of them has no two bytes.
    pub(super) fn new<'s>(spellings: impl Iterator<Item = &'s [u8]> + Clone) -> Option<Self> {
        let mut pairs = vec![0u64; (1 << 16) / 64].into_boxed_slice();
        for spelling in spellings.clone() {
            let [first, second, ..] = spelling else {
                return None;
            };
            let (word, bit) = place(*first, *second);
            *pairs.get_mut(word)? |= bit;
        }
        let shortest = spellings.clone().map(<[u8]>::len).min()?;
        let length = shortest.min(FIRST_BYTES_MAX);
        let firsts: BTreeSet<&[u8]> = spellings.filter_map(|text| text.get(..length)).collect();
        let mut builder = Config::new().match_kind(MatchKind::LeftmostFirst).builder();
        let searcher = builder.extend(firsts).build();
        Some(Self {
            searcher: searcher.map(|searcher| (searcher, length)),
            pairs,
        })
    }

    /// How many bytes can be passed over because no spelling begins with them. The last one is never.
    pub(super) fn skipped(&self, text: &[u8]) -> usize {
        match &self.searcher {
            Some((searcher, length)) => match searcher.find(text) {
                Some(found) => found.start(),
                // A spelling may begin in what is too short to be told.
                None => text.len().saturating_sub(length - 1),
            },
            None => self.skipped_by_pairs(text),
        }
    }

    fn skipped_by_pairs(&self, text: &[u8]) -> usize {
        let begins = |pair: &[u8]| match pair {
            [first, second] => {
                let (word, bit) = place(*first, *second);
                self.pairs.get(word).is_none_or(|bits| bits & bit != 0)
            }
            _ => true,
        };
        let found = text.windows(2).position(begins);
        found.unwrap_or_else(|| text.len().saturating_sub(1))
    }

    /// What it takes in memory.
    pub(super) fn memory_bytes(&self) -> usize {
        let searcher = self.searcher.as_ref();
        size_of_val(&*self.pairs) + searcher.map_or(0, |(searcher, _)| searcher.memory_usage())
    }
}

impl fmt::Debug for Beginnings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beginnings").finish_non_exhaustive()
    }
}

/// Which bit stands for a pair of bytes.
fn place(first: u8, second: u8) -> (usize, u64) {
    let pair = usize::from(first) << 8 | usize::from(second);
    (pair / 64, 1 << (pair % 64))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is passed over by either way holds no beginning, and what may hold one at the end is not.
    #[test]
    fn nothing_that_may_begin_a_spelling_is_passed_over() {
        let spellings: [&[u8]; 4] = [b"abcdefgh", b"abXdefgh", b"%61%62%6", b"zz"];
        let beginnings = Beginnings::new(spellings.into_iter()).unwrap();
        let few = Beginnings::new(spellings[..3].iter().copied()).unwrap();
        for filler in [0, 1, 2, 15, 16, 31, 32, 33, 64, 200] {
            let text = [&b"-".repeat(filler), &b"abcdefgh---"[..]].concat();
            for length in filler..=text.len() {
                let text = &text[..length];
                for skipped in [
                    beginnings.skipped(text),
                    beginnings.skipped_by_pairs(text),
                    few.skipped(text),
                ] {
                    assert!(skipped <= filler, "{skipped} of {filler}");
                }
            }
            assert_eq!(few.skipped(&text), filler);
            assert_eq!(few.skipped_by_pairs(&text), filler);
        }
    }

    #[test]
    fn a_text_without_any_is_passed_over_but_for_its_end() {
        let beginnings = Beginnings::new([&b"abcdefgh"[..]].into_iter()).unwrap();
        for length in 3..100 {
            let text = b"-".repeat(length);
            assert!(beginnings.skipped(&text) >= length - 2);
            assert_eq!(beginnings.skipped_by_pairs(&text), length - 1);
        }
        assert_eq!(beginnings.skipped(b""), 0);
    }

    #[test]
    fn more_beginnings_than_the_processor_looks_for_at_once_are_found_by_pairs() {
        let spellings: Vec<[u8; 8]> = (0..=255)
            .map(|byte| [b'a', b'b', byte, 0, 0, 0, 0, 0])
            .collect();
        let beginnings = Beginnings::new(spellings.iter().map(<[u8; 8]>::as_slice)).unwrap();
        assert!(beginnings.searcher.is_none());
        assert_eq!(beginnings.skipped(b"-----ab-"), 5);
    }
}
