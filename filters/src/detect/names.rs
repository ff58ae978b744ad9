//! What a record hides from its reader, searched for in the free text of the same record.
//!
//! A value counts when it has three characters or more (two in scripts that write words with one or
//! two); of a name of several words each word of three letters counts too, and each half of a double name, but
//! particles and titles do not, and so does each run of parts between commas. Neither case matters nor how a letter
//! with marks is written; a value is found only as whole words.

use std::collections::BTreeSet;

use aho_corasick::{AhoCorasick, MatchKind};

use super::canonical::{is_mark, letters, push_comparable};
use super::fold::fold;
use super::view::View;
use super::{Detector, Found};

/// Longer values are searched for in pieces of this many bytes.
const PIECE_BYTES: usize = 192;

/// A value of more words, or with digits, is no name: it counts as a whole only.
const WORDS_MAX: usize = 6;

/// A value of more parts than this is searched for as a whole only.
const PARTS_MAX: usize = 8;

/// The fewest letters of a value or word.
const LETTERS_MIN: usize = 3;

/// Particles and titles: parts of names that are words of their languages.
const PARTICLES: [&str; 42] = [
    "and", "the", "for", "von", "van", "der", "den", "del", "della", "dela", "des", "dos", "das",
    "los", "las", "mrs", "miss", "herr", "frau", "und", "prof", "univ", "sir", "dame", "pan",
    "pani", "mme", "mlle", "don", "doña", "jun", "sen", "dipl", "ing", "eng", "phd", "esq", "bin",
    "ibn", "abu", "san", "saint",
];

/// The values of one record that its reader does not see.
#[derive(Clone)]
pub struct Names {
    needles: AhoCorasick,
}

impl Names {
    /// What these values are found by; none when no value counts, or none can be searched for.
    ///
    /// # Errors
    /// There are too many values.
    pub(crate) fn of<'v>(
        values: impl Iterator<Item = &'v str>,
    ) -> Result<Option<Self>, TooManyNames> {
        let mut needles = BTreeSet::new();
        for value in values {
            add(value, &mut needles);
        }
        if needles.is_empty() {
            return Ok(None);
        }
        let built = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&needles);
        built
            .map(|needles| Some(Self { needles }))
            .ok()
            .ok_or(TooManyNames)
    }

    pub(super) fn find(&self, view: View<'_>, found: &mut Vec<Found>) {
        let Ok(text) = std::str::from_utf8(view.span(0, view.len())) else {
            return;
        };
        // As it is compared, and for each byte where its letter stands in the text.
        let (mut lower, mut starts, mut ends) = (String::new(), Vec::new(), Vec::new());
        for (start, letter) in letters(text) {
            push_comparable(letter, &mut lower);
            starts.resize(lower.len(), start);
            ends.resize(lower.len(), start + letter.len());
        }
        let lowered = View::new(lower.as_bytes());
        // Of what ends at one place the longest comes first, and the others lie within it. PERF: a value
        // of one letter many times has as many others that end where it does.
        let (mut end, mut settled) = (0, false);
        for hit in self.needles.find_overlapping_iter(&lower) {
            if hit.end() != end {
                (end, settled) = (hit.end(), !is_apart(lowered, hit.end()));
            }
            if !settled && is_apart(lowered, hit.start()) {
                settled = true;
                let start = starts.get(hit.start()).copied();
                let end = hit
                    .end()
                    .checked_sub(1)
                    .and_then(|last| ends.get(last))
                    .copied();
                if let (Some(start), Some(end)) = (start, end) {
                    let what = Detector::NamesInThisResponse;
                    found.push(Found::closed(what, start, end));
                }
            }
        }
    }
}

impl std::fmt::Debug for Names {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Names").finish_non_exhaustive()
    }
}

/// More values than can be searched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct TooManyNames;

/// Adds what a value is found by.
fn add(value: &str, needles: &mut BTreeSet<String>) {
    let folded: String = value.chars().filter_map(fold).collect();
    let mut comparable = String::with_capacity(folded.len());
    push_comparable(&folded, &mut comparable);
    let value = comparable.trim();
    let replaced = value == "[redacted]" || value.contains("•••") || value.starts_with('~');
    if replaced {
        return;
    }
    for piece in pieces(value) {
        if counts(piece) {
            needles.insert(piece.to_owned());
        }
    }
    needles.extend(runs_of_parts(value));
    let is_inside = |c: char| c.is_alphabetic() || is_mark(c) || matches!(c, '\'' | '-');
    let words = || value.split(|c: char| !is_inside(c));
    let is_name = value.len() <= PIECE_BYTES
        && words().filter(|word| !word.is_empty()).count() <= WORDS_MAX
        && !value.contains(|c: char| c.is_numeric());
    if is_name {
        let words = words().flat_map(|word| std::iter::once(word).chain(word.split('-')));
        let words = words.map(|word| word.trim_matches(['\'', '-']));
        let words = words.filter(|word| counts(word) && !PARTICLES.contains(word));
        needles.extend(words.map(str::to_owned));
    }
}

/// What stands between commas, semicolons or line ends, in every run of neighbours: an address is written
/// with its city in a field and above it in a letter. A run without a letter is no part of a name.
fn runs_of_parts(value: &str) -> BTreeSet<String> {
    let mut cuts: Vec<usize> = value
        .char_indices()
        .filter(|(_, c)| matches!(c, ',' | ';' | '\n' | '\r'))
        .map(|(at, _)| at)
        .collect();
    if value.len() > PIECE_BYTES || cuts.is_empty() || cuts.len() >= PARTS_MAX {
        return BTreeSet::new();
    }
    cuts.push(value.len());
    let mut runs = BTreeSet::new();
    let mut from = 0;
    for (first, cut) in cuts.iter().enumerate() {
        for end in cuts.iter().skip(first) {
            let run = value.get(from..*end).unwrap_or_default().trim();
            if counts(run) && run.chars().any(char::is_alphabetic) {
                runs.insert(run.to_owned());
            }
        }
        from = cut + 1;
    }
    runs
}

/// A value in pieces of at most [`PIECE_BYTES`], cut between characters.
fn pieces(value: &str) -> impl Iterator<Item = &str> {
    let mut rest = value;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let mut end = rest.len().min(PIECE_BYTES);
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (piece, after) = rest.split_at(end);
        rest = after;
        Some(piece)
    })
}

fn counts(text: &str) -> bool {
    let letters = text.chars().filter(|c| c.is_alphanumeric()).count();
    let least = match text.chars().all(writes_without_blanks) {
        true => LETTERS_MIN - 1,
        false => LETTERS_MIN,
    };
    letters >= least
}

/// Whether a word begins or ends at `place`.
fn is_apart(view: View<'_>, place: usize) -> bool {
    let joins = |character: Option<(char, usize)>| {
        let is_letter = |c: char| c.is_alphanumeric() || is_mark(c);
        character.is_some_and(|(c, _)| is_letter(c) && !writes_without_blanks(c))
    };
    let next = view.char_at(place);
    let is_in_letter = next.is_some_and(|(c, _)| is_mark(c));
    !(is_in_letter || joins(view.char_before(place)) && joins(next))
}

/// Scripts in which words are not separated, or take endings without a sign between.
const fn writes_without_blanks(character: char) -> bool {
    matches!(
        character,
        '\u{e00}'..='\u{eff}'
            | '\u{1000}'..='\u{109f}'
            | '\u{1780}'..='\u{17ff}'
            | '\u{2e80}'..='\u{9fff}'
            | '\u{ac00}'..='\u{d7af}'
            | '\u{f900}'..='\u{faff}'
            | '\u{20000}'..='\u{3ffff}'
    )
}
