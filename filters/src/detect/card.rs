//! Payment card numbers (ISO/IEC 7812-1): 13 to 19 digits, alone or in groups, whose check digit is
//! right and whose first digits some network issues at this length.

use super::digits::{Digits, group_starts};
use super::view::{View, is_word};
use super::{Detector, Found};

/// Groups of more digits are numbers of their own.
const GROUP_MAX: usize = 7;

pub(super) fn find(view: View<'_>, found: &mut Vec<Found>) {
    for start in group_starts(view) {
        if may_begin(view, start)
            && let Some(end) = ends(view, start)
        {
            found.push(Found::closed(Detector::Card, start, end));
        }
    }
}

fn may_begin(view: View<'_>, start: usize) -> bool {
    match view.before(start) {
        // The decimals of a number.
        b'.' => !view.before(start - 1).is_ascii_digit(),
        // The first track of a card's stripe (ISO/IEC 7813).
        b'B' if view.before(start - 1) == b'%' => true,
        before => !is_word(before) || view.after_a_word(start),
    }
}

/// Where the longest card number that begins here ends.
fn ends(view: View<'_>, start: usize) -> Option<usize> {
    let digits = Digits::read(view, start, 2, |byte| {
        matches!(byte, b' ' | b'-' | b'.' | b'\t' | b'\r' | b'\n')
    });
    let most = digits.count().min(19);
    let length = (13..=most).rev().find(|length| {
        let number = digits.first(*length);
        digits.ends_group(view, *length)
            && is_issued(number)
            && passes_luhn(number)
            && (digits.groups(*length).count() == 1
                || digits.groups(*length).all(|group| group <= GROUP_MAX))
    })?;
    Some(digits.end(length))
}

/// Whether a network issues numbers of this length that begin like this.
fn is_issued(number: &[u8]) -> bool {
    let beginning = |digits: usize| {
        let first = number.iter().take(digits);
        first.fold(0_u32, |value, digit| value * 10 + u32::from(*digit))
    };
    let length = number.len();
    match beginning(2) {
        40..=49 => matches!(length, 13 | 16 | 18 | 19),
        51..=55 => length == 16,
        34 | 37 => length == 15,
        36 | 38 | 39 => (14..=19).contains(&length),
        60 | 62 | 64 | 65 | 81 | 82 => (16..=19).contains(&length),
        50 | 56..=58 | 63 | 67 => (13..=19).contains(&length),
        20..=29 => {
            let four = beginning(4);
            (2221..=2720).contains(&four) && length == 16
                || (2200..=2204).contains(&four) && (16..=19).contains(&length)
        }
        30 => beginning(3) <= 305 && (14..=19).contains(&length),
        35 => (3528..=3589).contains(&beginning(4)) && (16..=19).contains(&length),
        97 => beginning(4) == 9792 && length == 16,
        _ => false,
    }
}

/// The check of ISO/IEC 7812-1, annex B.
fn passes_luhn(number: &[u8]) -> bool {
    let sum: u32 = number
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, u32::from(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    // A row of zeros passes the check and is no number.
    sum > 0 && sum.is_multiple_of(10)
}
