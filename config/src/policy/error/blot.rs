//! What a report never repeats of the file that it is about: what was withheld while the file was read, a value
//! that should have been a reference, and whoever stands in a URL before its host.
//!
//! Each character is replaced by one other, so that columns stay true.

use super::{PolicyError, PolicyErrors};
use crate::document::Place;

/// The code of a text that is no document.
const NO_DOCUMENT: &str = "PN001";
/// The code of a value that should be a reference and may be a secret.
const SECRET: &str = "PN033";
/// The codes of values that should be an address: a user may stand there without the scheme of a URL.
const ADDRESSES: [&str; 3] = ["PN040", "PN041", "PN046"];
const BLOT: char = '•';

/// A line, and how many characters end it.
struct Line {
    characters: Vec<char>,
    end: usize,
}

/// The lines of the file, with everything that may be a written-out secret blotted out.
///
/// SECURITY: a report is pasted into tickets and build logs; a secret in it would be lost for good.
pub(super) fn shown_lines(errors: &PolicyErrors) -> Vec<String> {
    let mut lines = lines(&errors.source_text);
    lines
        .iter_mut()
        .for_each(|line| users_in(&mut line.characters));
    for error in &errors.errors {
        let place = place_of(error);
        if error.code == NO_DOCUMENT {
            let line = place.line.checked_sub(1).and_then(|n| lines.get_mut(n));
            line.into_iter().for_each(behind_key);
        } else if error.code == SECRET {
            range(&mut lines, place, place);
        } else if ADDRESSES.contains(&error.code) {
            user_at(&mut lines, place);
        }
    }
    for (from, last) in &errors.withheld {
        range(&mut lines, *from, *last);
    }
    let characters = lines.into_iter().map(|line| line.characters);
    characters.map(String::from_iter).collect()
}

/// The lines of a text as YAML counts them: a lone carriage return ends one too.
///
/// SECURITY: places are those of the YAML reader. Lines that are counted in another way would show what it withheld.
fn lines(text: &str) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut characters = Vec::new();
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let end = match c {
            '\n' => 1,
            '\r' => 1 + usize::from(rest.next_if_eq(&'\n').is_some()),
            c => {
                characters.push(c);
                continue;
            }
        };
        let characters = std::mem::take(&mut characters);
        lines.push(Line { characters, end });
    }
    if !characters.is_empty() {
        lines.push(Line { characters, end: 0 });
    }
    lines
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

/// Blots out what stands from where one place begins to where the other ends, over the ends of lines too, and the
/// comment behind it. Where that is unknown, it ends with its line. What each line is indented by stays.
fn range(lines: &mut [Line], from: Place, last: Place) {
    let Some(before) = from.line.checked_sub(1) else {
        return;
    };
    let mut start = from.column.saturating_sub(1);
    let mut left = usize::MAX;
    for (number, line) in (from.line..).zip(lines.iter_mut().skip(before)) {
        if number == last.line {
            let column = last.column.saturating_sub(1);
            left = column.saturating_sub(start).saturating_add(width(last));
        }
        let characters = line.characters.iter_mut().skip(start).take(left);
        blot(characters.skip_while(|c| c.is_whitespace()));
        let taken = line.characters.len().saturating_sub(start) + line.end;
        if number >= last.line {
            if last.width == 0 || taken >= left {
                comment_from(line, start.saturating_add(left));
                return;
            }
            left -= taken;
        }
        start = 0;
    }
}

/// Blots out the comment that a line ends with, from a column on.
fn comment_from(line: &mut Line, from: usize) {
    let is_space = |c: Option<&char>| c.is_none_or(|c| c.is_whitespace());
    let characters = &line.characters;
    let found = (from..characters.len()).find(|at| {
        let before = at.checked_sub(1).and_then(|before| characters.get(before));
        characters.get(*at) == Some(&'#') && is_space(before)
    });
    if let Some(found) = found {
        blot(line.characters.iter_mut().skip(found + 1));
    }
}

/// Blots out everything but the key of a line that nobody could read, and everything where it has none.
fn behind_key(line: &mut Line) {
    let at = |n: usize| line.characters.get(n).copied();
    let ends_key = |n: &usize| {
        let quoted = n
            .checked_sub(1)
            .is_some_and(|n| matches!(at(n), Some('"' | '\'')));
        at(*n) == Some(':') && (quoted || at(n + 1).is_none_or(char::is_whitespace))
    };
    let key = (0..line.characters.len()).find(ends_key);
    let rest = line.characters.iter_mut().skip(key.map_or(0, |n| n + 1));
    blot(rest.filter(|c| !c.is_whitespace()));
}

/// Blots out what stands before the last `@` of a value.
fn user_at(lines: &mut [Line], place: Place) {
    let line = place.line.checked_sub(1).and_then(|n| lines.get_mut(n));
    let Some(Line {
        characters: line, ..
    }) = line
    else {
        return;
    };
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
