//! Reads RFC 9535 query text into its syntax tree, by hand and strictly.
//!
//! Guarantees: what it accepts is well-formed (sections 2.1 to 2.3) and well-typed (section 2.4.3);
//! every integer is within the I-JSON range; strings are decoded; nesting is bounded by
//! [`NESTING_MAX`], so that recursion over a selector is bounded too. It does not judge patterns:
//! a pattern that is no I-Regexp selects nothing, by the standard.

mod filters;
mod functions;
mod reader;
mod strings;

use super::ast::{Pick, Segment};
use reader::Reader;

/// The longest selector, in bytes.
pub(super) const TEXT_BYTES_MAX: usize = 4096;

/// How deep filters, parentheses and function calls may nest.
///
/// The second reader's grammar takes time that doubles every few levels, hence not more.
pub(super) const NESTING_MAX: usize = 32;

/// Why a text is no valid query.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at column {column}")]
#[non_exhaustive]
pub struct SelectorError {
    /// What is wrong and what was expected.
    pub message: String,
    /// The 1-based column in the selector's text, in characters.
    pub column: usize,
}

impl SelectorError {
    pub(super) fn at(column: usize, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            column,
        }
    }

    pub(super) fn absolute_under() -> Self {
        Self::at(
            1,
            "a filter that refers to `$` cannot be re-rooted with `under`",
        )
    }
}

/// Reads a whole text as one query: `$` and its segments, nothing before, nothing after.
pub(super) fn query(text: &str) -> Result<Vec<Segment>, SelectorError> {
    if text.len() > TEXT_BYTES_MAX {
        let message = format!("a selector has at most {TEXT_BYTES_MAX} bytes; split it");
        return Err(SelectorError::at(1, message));
    }
    let mut reader = Reader::new(text);
    if !reader.eat('$') {
        return Err(reader.error("a selector begins with `$`, the root of the document"));
    }
    let segments = segments(&mut reader)?;
    if !reader.at_end() {
        return Err(reader.unexpected("`.`, `..`, `[` or the end of the selector"));
    }
    Ok(segments)
}

/// `*(S segment)` (2.5). Blank space that no segment follows is left unread.
fn segments(reader: &mut Reader) -> Result<Vec<Segment>, SelectorError> {
    let mut segments = Vec::new();
    loop {
        let before = reader.position();
        reader.blank();
        if reader.peek() == Some('[') {
            segments.push(Segment::Child(bracketed(reader)?));
        } else if reader.eat_str("..") {
            segments.push(Segment::Descendant(after_dots(reader, true)?));
        } else if reader.eat('.') {
            segments.push(Segment::Child(after_dots(reader, false)?));
        } else {
            reader.rewind(before);
            return Ok(segments);
        }
    }
}

/// What follows `.` or `..` at once: a wildcard, a name, and after `..` also a bracket (2.5.1.1).
fn after_dots(reader: &mut Reader, bracket_may_follow: bool) -> Result<Vec<Pick>, SelectorError> {
    match reader.peek() {
        Some('*') => {
            reader.bump();
            Ok(vec![Pick::Wildcard])
        }
        Some('[') if bracket_may_follow => bracketed(reader),
        Some(first) if is_name_first(first) => {
            let name = reader.take_while(|c| is_name_first(c) || c.is_ascii_digit());
            Ok(vec![Pick::Name(name)])
        }
        _ => Err(reader.unexpected("a member name or `*`; other names are written `['name']`")),
    }
}

/// `name-first` of the member-name shorthand (2.5.1.1).
fn is_name_first(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || !c.is_ascii()
}

/// `[ selector, ... ]`.
fn bracketed(reader: &mut Reader) -> Result<Vec<Pick>, SelectorError> {
    reader.bump();
    let mut picks = Vec::new();
    loop {
        reader.blank();
        picks.push(pick(reader)?);
        reader.blank();
        if reader.eat(']') {
            return Ok(picks);
        }
        if !reader.eat(',') {
            return Err(reader.unexpected("`,` or `]`"));
        }
    }
}

/// One selector in brackets (2.3).
fn pick(reader: &mut Reader) -> Result<Pick, SelectorError> {
    match reader.peek() {
        Some('*') => {
            reader.bump();
            Ok(Pick::Wildcard)
        }
        Some('\'' | '"') => Ok(Pick::Name(strings::literal(reader)?)),
        Some('?') => {
            reader.bump();
            reader.descend(|inner| {
                inner.blank();
                Ok(Pick::Filter(filters::logical(inner)?))
            })
        }
        Some(':' | '-' | '0'..='9') => index_or_slice(reader),
        _ => Err(reader.unexpected("a quoted name, an index, a slice, `*` or a filter `?...`")),
    }
}

/// An index (2.3.3) or `start:end:step` (2.3.4).
fn index_or_slice(reader: &mut Reader) -> Result<Pick, SelectorError> {
    let start = optional_integer(reader)?;
    let before = reader.position();
    reader.blank();
    if !reader.eat(':') {
        reader.rewind(before);
        return match start {
            Some(index) => Ok(Pick::Index(index)),
            None => Err(reader.unexpected("an index or a slice")),
        };
    }
    reader.blank();
    let end = optional_integer(reader)?;
    let before = reader.position();
    reader.blank();
    if !reader.eat(':') {
        reader.rewind(before);
        return Ok(Pick::Slice {
            start,
            end,
            step: None,
        });
    }
    let before = reader.position();
    reader.blank();
    let step = optional_integer(reader)?;
    if step.is_none() {
        reader.rewind(before);
    }
    Ok(Pick::Slice { start, end, step })
}

fn optional_integer(reader: &mut Reader) -> Result<Option<i64>, SelectorError> {
    match reader.peek() {
        Some('-' | '0'..='9') => reader.integer().map(Some),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests;
