//! What a policy author's own patterns find.
//!
//! Guarantees: a pattern is tried at every place, whatever was found before it, so that what is found does
//! not depend on where the search began; what overlaps becomes one piece like everything else. At the end
//! of a text that goes on nothing is found that more of the text could change. A look from each place
//! goes no further than the longest of what a pattern finds, so time is linear in the text.

use postern_config::Detector;
use postern_config::detect::{FOUND_BYTES_MAX, Pattern};

use super::view::View;
use super::{Found, fold};

/// How many bytes from its beginning on can tell whether a pattern matches: the longest of what one
/// finds and the character after it.
pub(super) const REACH: usize = FOUND_BYTES_MAX + 4;

pub(super) fn find(patterns: &[Pattern], view: View<'_>, found: &mut Vec<Found>) {
    let last = match view.goes_on() {
        true => view.len().saturating_sub(REACH),
        false => view.len(),
    };
    let text = view.span(0, view.len());
    for pattern in patterns {
        let mut from = 0;
        while let Some(piece) = pattern.find_at(text, from) {
            if piece.start > last {
                break;
            }
            found.push(Found::closed(Detector::Pattern, piece.start, piece.end));
            from = piece.start + 1;
        }
    }
}

/// Whether some pattern can match a text that has neither a digit nor `@`.
pub(super) fn may_be_anywhere(patterns: &[Pattern]) -> bool {
    let shows = |character: char| {
        let mut bytes = [0; 4];
        let written = character.encode_utf8(&mut bytes).as_bytes();
        written
            .first()
            .is_some_and(|first| fold::may_be_digit_or_at(*first))
    };
    patterns.iter().any(|pattern| !pattern.always_has(shows))
}
