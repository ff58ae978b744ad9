//! E-mail addresses (RFC 5322 section 3.4.1, with the characters beyond ASCII of RFC 6532): a local part,
//! `@`, and a domain of at least two labels whose last is a word. The `@` may be written as in the query of a URL
//! (`%40`) or as in HTML (`&#64;`).

use super::canonical::is_mark;
use super::view::View;
use super::{Detector, Found};

/// The longest local part that is taken for one: four times what RFC 5321 allows.
const LOCAL_MAX: usize = 256;

/// The longest domain (RFC 1035).
const DOMAIN_MAX: usize = 253;

/// Names of pictures for screens of several densities, such as `logo@2x.png`, are no addresses.
const PICTURES: [&str; 6] = ["png", "jpg", "jpeg", "gif", "webp", "svg"];

/// Ways to write `@` where it may not stand as it is.
const ESCAPED: [&str; 3] = ["%40", "&#64;", "&#x40;"];

pub(super) fn find(view: View<'_>, found: &mut Vec<Found>) {
    for at in memchr::memchr3_iter(b'@', b'%', b'&', view.span(0, view.len())) {
        let escaped = ESCAPED.iter().find(|escaped| view.has(at, escaped));
        let after = match escaped {
            Some(escaped) => at + escaped.len(),
            None if view.at(at) == b'@' => at + 1,
            None => continue,
        };
        if let (Some(start), Some(end)) = (local(view, at, escaped.is_some()), domain(view, after))
        {
            let is_remote = view.span(start, at) == b"git" && view.at(end) == b':';
            if !is_remote {
                found.push(Found::closed(Detector::Email, start, end));
            }
        }
    }
}

/// Where the local part that ends before `end` begins.
fn local(view: View<'_>, end: usize, escaped: bool) -> Option<usize> {
    if view.before(end) == b'"' {
        return quoted(view, end);
    }
    let mut start = end;
    let mut first = end;
    while let Some((character, from)) = view.char_before(start) {
        // Where `@` is escaped these are too, and what is not stands between two members.
        let ends = escaped && matches!(character, '=' | '&');
        let is_part = character.is_alphanumeric() || is_sign(character) || is_mark(character);
        if end - from > LOCAL_MAX || ends || !is_part {
            break;
        }
        start = from;
        // Signs before the first letter belong to the sentence.
        if character.is_alphanumeric() || character == '_' {
            first = from;
        }
    }
    (first < end).then_some(first)
}

const fn is_sign(character: char) -> bool {
    matches!(
        character,
        '.' | '_'
            | '-'
            | '+'
            | '%'
            | '\''
            | '='
            | '~'
            | '&'
            | '!'
            | '#'
            | '$'
            | '*'
            | '^'
            | '{'
            | '|'
            | '}'
    )
}

/// Where a local part in quotes begins.
fn quoted(view: View<'_>, end: usize) -> Option<usize> {
    const QUOTED_MAX: usize = 66;
    let from = end.saturating_sub(QUOTED_MAX);
    let text = view.span(from, end - 1);
    let quote = text.iter().rposition(|byte| *byte == b'"')?;
    let inside = text.get(quote + 1..)?;
    let fits = !inside.is_empty() && !inside.contains(&b'\n');
    fits.then_some(from + quote)
}

/// Where the domain that begins at `start` ends.
fn domain(view: View<'_>, start: usize) -> Option<usize> {
    let (mut at, mut labels) = (start, 0);
    let mut end = None;
    loop {
        let label = label(view, at, start + DOMAIN_MAX);
        if label == at {
            break;
        }
        if labels > 0 && is_last(view.span(at, label)) {
            end = Some(label);
        }
        if view.at(label) != b'.' {
            break;
        }
        labels += 1;
        at = label + 1;
    }
    end.filter(|end| !is_picture(view.span(start, *end)))
}

/// Where the label that begins at `start` ends.
fn label(view: View<'_>, start: usize, most: usize) -> usize {
    let mut end = start;
    while let Some((character, next)) = view.char_at(end) {
        let is_inner = character == '-' || is_mark(character);
        if next > most || !(character.is_alphanumeric() || is_inner && end > start) {
            break;
        }
        end = next;
    }
    end
}

/// Whether a label can be the last one: two characters or more, of which the first is a letter.
fn is_last(label: &[u8]) -> bool {
    let label = std::str::from_utf8(label).unwrap_or_default();
    let mut characters = label.chars().filter(|character| !is_mark(*character));
    characters.next().is_some_and(char::is_alphabetic) && characters.next().is_some()
}

fn is_picture(domain: &[u8]) -> bool {
    let Ok(text) = std::str::from_utf8(domain) else {
        return false;
    };
    let ends = |name: &str| text.get(2..) == Some(&format!(".{name}"));
    matches!(text.get(..2), Some("1x" | "2x" | "3x" | "4x"))
        && PICTURES.iter().any(|name| ends(name))
}
