//! What a report never repeats of the file that it is about: what was withheld while the file was read, a value
//! that should have been a reference, and whoever stands in a URL before its host.
//!
//! Each character is replaced by one other, so that columns stay true.

use super::{PolicyError, PolicyErrors};
use crate::document::Place;

/// The code of a value that should be a reference and may be a secret.
const SECRET: &str = "PN033";
/// The codes of values that should be an address: a user may stand there without the scheme of a URL.
const ADDRESSES: [&str; 3] = ["PN040", "PN041", "PN046"];
const BLOT: char = '•';

/// The lines of the file, with everything that may be a written-out secret blotted out.
///
/// SECURITY: a report is pasted into tickets and build logs; a secret in it would be lost for good.
pub(super) fn shown_lines(errors: &PolicyErrors) -> Vec<String> {
    let lines = errors.source_text.lines();
    let mut lines: Vec<Vec<char>> = lines.map(|line| line.chars().collect()).collect();
    lines.iter_mut().for_each(|line| users_in(line));
    for error in &errors.errors {
        if error.code == SECRET {
            value_at(&mut lines, place_of(error));
        } else if ADDRESSES.contains(&error.code) {
            user_at(&mut lines, place_of(error));
        }
    }
    for place in &errors.withheld {
        value_at(&mut lines, *place);
    }
    lines.into_iter().map(String::from_iter).collect()
}

/// A text without whoever stands in its URLs.
pub(super) fn without_users(text: &str) -> String {
    let mut characters: Vec<char> = text.chars().collect();
    users_in(&mut characters);
    characters.into_iter().collect()
}

const fn place_of(error: &PolicyError) -> Place {
    Place {
        line: error.line,
        column: error.column,
        width: error.width,
    }
}

/// How many characters a value takes; without end where that is unknown.
const fn width(place: Place) -> usize {
    match place.width {
        0 => usize::MAX,
        width => width,
    }
}

/// Blots out a value: to the end of its line when its width is unknown, and else as far as it goes, over the ends
/// of lines too.
fn value_at(lines: &mut [Vec<char>], place: Place) {
    let mut from = place.column.saturating_sub(1);
    let mut left = width(place);
    let Some(before) = place.line.checked_sub(1) else {
        return;
    };
    for line in lines.iter_mut().skip(before) {
        blot(line.iter_mut().skip(from).take(left));
        let taken = line.len().saturating_sub(from) + 1;
        if place.width == 0 || taken >= left {
            return;
        }
        (from, left) = (0, left - taken);
    }
}

/// Blots out what stands before the last `@` of a value.
fn user_at(lines: &mut [Vec<char>], place: Place) {
    let line = place.line.checked_sub(1).and_then(|n| lines.get_mut(n));
    let Some(line) = line else { return };
    let from = place.column.saturating_sub(1);
    let value = || line.iter().skip(from).take(width(place));
    let Some(user) = value().rposition(|c| *c == '@') else {
        return;
    };
    // Its quote is no part of it.
    let quote = usize::from(value().next().is_some_and(|c| matches!(c, '"' | '\'')));
    blot(line.iter_mut().take(from + user).skip(from + quote));
}

/// Blots out what stands between the `://` and the `@` of each URL.
///
/// SECURITY: rather too much than too little. A password may hold whatever YAML lets stand there, so that the last
/// `@` of the value counts, and not the first.
fn users_in(line: &mut [char]) {
    let mut at = 0;
    while let Some(host) = next_url(line, at) {
        at = end_of_value(line, host);
        let value = line.iter().take(at).skip(host);
        if let Some(user) = value.clone().rposition(|c| *c == '@') {
            blot(line.iter_mut().skip(host).take(user));
        }
    }
}

/// Where the next URL has its host, or whoever stands before it.
fn next_url(line: &[char], from: usize) -> Option<usize> {
    let rest = line.get(from..)?;
    let found = rest.windows(3).position(|three| three == [':', '/', '/']);
    found.map(|found| from + found + 3)
}

/// Where the value ends whose URL goes on at `host`: at its closing quote; else before a comment, or with the line.
fn end_of_value(line: &[char], host: usize) -> usize {
    let before = line.iter().take(host.saturating_sub(3)).rev();
    let mut before = before.skip_while(|c| c.is_ascii_alphanumeric() || "+-.".contains(**c));
    let quote = before.next().copied();
    let mut rest = line.iter().copied().enumerate().skip(host).peekable();
    while let Some((at, c)) = rest.next() {
        let next = rest.peek().map(|(_, c)| *c);
        match (quote, c) {
            (Some('"'), '\\') => drop(rest.next()),
            (Some('\''), '\'') if next == Some('\'') => drop(rest.next()),
            (Some('"'), '"') | (Some('\''), '\'') | (Some('`'), '`') => return at,
            (Some('"' | '\'' | '`'), _) => {}
            (_, ' ') if next == Some('#') => return at,
            _ => {}
        }
    }
    line.len()
}

fn blot<'c>(characters: impl Iterator<Item = &'c mut char>) {
    characters.for_each(|c| *c = BLOT);
}
