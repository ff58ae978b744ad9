//! Telephone numbers: international ones (ITU-T E.164), those of the North American plan, national ones
//! with a trunk zero, and, beside a word that says so, any digits that can be one.
//!
//! Numbers of orders, dates, versions, amounts and parts of longer codes are none.

use super::digits::{DIGITS_MAX, Digits, group_starts};
use super::view::{View, is_word};
use super::words::{Topic, topic_before};
use super::{Detector, Found};

/// E.164 allows no more digits.
const DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

pub(super) fn find(view: View<'_>, found: &mut Vec<Found>) {
    let mut after = 0;
    for first in group_starts(view) {
        if first < after {
            continue;
        }
        if let Some((start, end)) = number(view, first, after) {
            let end = with_extension(view, end);
            found.push(Found::closed(Detector::Phone, start, end));
            after = end;
        }
    }
}

/// The number whose first digit is at `first`; another one may end at `after`.
fn number(view: View<'_>, first: usize, after: usize) -> Option<(usize, usize)> {
    let start = with_bracket(view, first);
    if view.before(start) == b'+' {
        let plus = start - 1;
        let digits = Digits::read(view, first, 2, is_separator);
        let end = international(view, &digits, 0).filter(|_| !is_word(view.before(plus)))?;
        return Some((plus, end));
    }
    if !may_begin(view, start) {
        return None;
    }
    let digits = Digits::read(view, first, 2, is_separator);
    if digits.count() < *DIGITS.start() {
        return None;
    }
    let topic = topic_before(view, start);
    // Groups of something longer, such as an account number.
    let inside =
        view.before(start) == b' ' && view.before(start - 1).is_ascii_digit() && after + 1 != start;
    let end = match topic {
        Some(Topic::Phone) => {
            let long = [double_zero(view, &digits), northern(view, &digits, start)];
            let long = long.into_iter().flatten().max();
            long.or_else(|| any(view, &digits))
        }
        Some(Topic::Thing | Topic::Version | Topic::Ssn) => None,
        None if view.before(start) == b'#' => None,
        None if inside => northern(view, &digits, start),
        None => double_zero(view, &digits)
            .filter(|end| digits.end(digits.groups(DIGITS_MAX).next().unwrap_or(0)) < *end)
            .or_else(|| northern(view, &digits, start))
            .or_else(|| national(view, &digits)),
    };
    let end = end.filter(|end| may_end(view, *end))?;
    Some((start, end))
}

/// With the bracket right before the first digit.
fn with_bracket(view: View<'_>, first: usize) -> usize {
    match view.before(first) {
        b'(' => first - 1,
        _ => first,
    }
}

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b' ' | b'-' | b'.' | b'/' | b'(' | b')')
}

/// Whether a number can begin at `start`: not inside of a word, a code or an amount.
fn may_begin(view: View<'_>, start: usize) -> bool {
    match view.before(start) {
        b'$' | b'%' => false,
        b'-' | b'.' | b'/' | b',' => !is_word(view.before(start - 1)),
        before => !is_word(before) || view.after_a_word(start),
    }
}

/// Whether a number can end at `end`: a longer code or a measure does not go on there.
fn may_end(view: View<'_>, end: usize) -> bool {
    match view.at(end) {
        b'-' | b'.' | b'/' | b',' => !view.at(end + 1).is_ascii_digit(),
        b'%' | b'@' => false,
        after => !is_word(after) || extension(view, end).is_some(),
    }
}

/// The longest row of whole groups with a number of digits in a range.
fn longest(
    view: View<'_>,
    digits: &Digits,
    counts: std::ops::RangeInclusive<usize>,
) -> Option<usize> {
    let most = digits.count().min(*counts.end());
    let mut counts = (*counts.start()..=most).rev();
    counts.find(|count| digits.ends_group(view, *count))
}

/// A country code and what follows, after `prefix` digits; North American ones have ten more digits.
fn international(view: View<'_>, digits: &Digits, prefix: usize) -> Option<usize> {
    let counts = match digits.digit(prefix) {
        1 => prefix + 11..=prefix + 11,
        2..=9 => prefix + 8..=(prefix + 16).min(DIGITS_MAX),
        _ => return None,
    };
    longest(view, digits, counts).map(|count| digits.end(count))
}

/// `00` and an international number.
fn double_zero(view: View<'_>, digits: &Digits) -> Option<usize> {
    let zeros = digits.digit(0) == 0 && digits.digit(1) == 0;
    zeros.then(|| international(view, digits, 2)).flatten()
}

/// The North American plan: area code, exchange and line, maybe after a 1.
fn northern(view: View<'_>, digits: &Digits, start: usize) -> Option<usize> {
    let long = usize::from(digits.digit(0) == 1);
    let count = long + 10;
    let starts_area = |number: usize| (2..=9).contains(&digits.digit(number));
    if digits.count() < count || !starts_area(long) || !starts_area(long + 3) {
        return None;
    }
    let bracket = view.at(start) == b'(' || long == 1;
    let grouped = match long {
        0 => digits.are_grouped(count, &[3, 3, 4]) || bracket && digits.are_grouped(count, &[3, 7]),
        _ => digits.are_grouped(count, &[1, 3, 3, 4]),
    };
    (grouped && digits.ends_group(view, count)).then(|| digits.end(count))
}

/// A number with a trunk zero: nine to twelve digits in groups, or ten or eleven in one. In a longer row
/// of groups it is as long as most are.
fn national(view: View<'_>, digits: &Digits) -> Option<usize> {
    if digits.digit(0) != 0 || !(1..=9).contains(&digits.digit(1)) {
        return None;
    }
    let lengths = match digits.count() {
        whole @ 9..=12 => [whole, 10, 11, 9],
        _ => [10, 11, 9, 12],
    };
    let fits = |count: &usize| *count <= digits.count() && digits.ends_group(view, *count);
    let count = lengths.into_iter().find(fits)?;
    let end = digits.end(count);
    match digits.groups(count).next() {
        // A decimal fraction.
        Some(1) => None,
        Some(first) if first == count => (10..=11).contains(&count).then_some(end),
        _ if is_date(view, digits) || is_quad(view, digits, count) => None,
        _ => Some(end),
    }
}

/// Any digits that can be a telephone number.
fn any(view: View<'_>, digits: &Digits) -> Option<usize> {
    let single = digits.groups(DIGITS_MAX).next().unwrap_or(0);
    let count = longest(view, digits, *DIGITS.start()..=DIGITS_MAX)?;
    let refused = single > *DIGITS.end() || is_date(view, digits) || is_quad(view, digits, count);
    (!refused).then(|| digits.end(count))
}

/// Whether the first groups are a date: `2024-05-17`, `17.05.2024`, `17/05/24`.
fn is_date(view: View<'_>, digits: &Digits) -> bool {
    let sizes: Vec<usize> = digits.groups(DIGITS_MAX).collect();
    match sizes.as_slice() {
        [4, 2, 2, ..] => {
            let (year, month) = (digits.digit(0) * 10 + digits.digit(1), digits.digit(4));
            matches!(year, 19 | 20) && month < 2
        }
        [1..=2, 1..=2, 4, ..] => true,
        [2, 2, 2] => !matches!(digits.separator(view, 2), b' '),
        _ => false,
    }
}

/// Whether the first digits are four numbers with points between, or a version.
fn is_quad(view: View<'_>, digits: &Digits, count: usize) -> bool {
    let points = |from: usize, to: usize| {
        let text = view.span(from, to);
        text.iter()
            .all(|byte| byte.is_ascii_digit() || *byte == b'.')
    };
    let sizes: Vec<usize> = digits.groups(count).collect();
    let pointed = points(digits.end(1), digits.end(count)) && sizes.len() > 1;
    pointed && (sizes.len() == 4 || sizes.len() == 3) && sizes.iter().all(|size| *size <= 3)
}

/// The end of the number with its extension, where it has one.
fn with_extension(view: View<'_>, end: usize) -> usize {
    extension(view, end).unwrap_or(end)
}

/// Where an extension that begins at `end` ends: `x123`, `ext. 123`.
fn extension(view: View<'_>, end: usize) -> Option<usize> {
    let blank = |byte: u8| matches!(byte, b' ' | b',');
    let word = view.run(end, 2, blank);
    let length = ["extension", "ext.", "ext", "x"]
        .iter()
        .find(|name| view.has(word, name))?
        .len();
    let first = view.run(word + length, 1, blank);
    let last = view.run(first, 7, |byte| byte.is_ascii_digit());
    let fits = (1..=6).contains(&(last - first)) && !is_word(view.at(last));
    fits.then_some(last)
}
