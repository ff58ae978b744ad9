//! One cell: its text, and what an action makes of it.
//!
//! Guarantees: an action does to a cell what it does to a JSON string of the same text; a text that is a
//! JSON number is taken for one where only numbers have a coarser form. What is written is one cell,
//! whatever its characters.

use postern_config::Action;

use super::Dialect;
use super::scanner::Shape;
use crate::pseudonym::Pseudonymizer;
use crate::value_action::{self, JsonKind, needs_value, replace};

/// The text of a cell. INVARIANT: it is UTF-8, and a quoted cell has a quote at either end.
pub(super) fn text(raw: &[u8], shape: Shape) -> String {
    let text = String::from_utf8_lossy(raw);
    let inner = text
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    match (shape, inner) {
        (Shape::Quoted, Some(inner)) => inner.replace("\"\"", "\""),
        (Shape::Quoted, None) | (Shape::Plain, _) => text.into_owned(),
    }
}

/// What an action makes of a cell of this text.
pub(super) fn changed(
    action: &Action,
    text: &str,
    pseudonyms: Option<&Pseudonymizer>,
    dialect: Dialect,
) -> Vec<u8> {
    let mut changed = Vec::new();
    if needs_value(action, JsonKind::String) || !is_number(text) {
        let mut json = Vec::new();
        value_action::encode(text, &mut json);
        replace(action, JsonKind::String, &json, pseudonyms, &mut changed);
    } else {
        let number = text.as_bytes();
        replace(action, JsonKind::Number, number, pseudonyms, &mut changed);
    }
    written(&changed, dialect)
}

/// What an action puts in the place of every cell.
pub(super) fn constant(action: &Action, dialect: Dialect) -> Vec<u8> {
    let mut json = Vec::new();
    replace(action, JsonKind::String, b"\"\"", None, &mut json);
    written(&json, dialect)
}

/// Whether a text is a JSON number (RFC 8259 section 6).
fn is_number(text: &str) -> bool {
    let begins = |c: char| c == '-' || c.is_ascii_digit();
    text.starts_with(begins) && serde_json::from_str::<serde_json::Number>(text).is_ok()
}

/// A JSON value as a cell: a string by its characters, `null` as nothing, the rest as it is.
fn written(json: &[u8], dialect: Dialect) -> Vec<u8> {
    let text = match json {
        b"null" => String::new(),
        json => {
            value_action::decode(json).unwrap_or_else(|| String::from_utf8_lossy(json).into_owned())
        }
    };
    written_text(&text, dialect)
}

/// A text as a cell.
pub(super) fn written_text(text: &str, dialect: Dialect) -> Vec<u8> {
    if !dialect.quotes {
        // No character may end the cell, and no quote may begin it.
        let opens = text.trim_start().starts_with('"');
        let plain = |c: char| c.is_control() || (c == '"' && opens);
        return text.replace(plain, " ").into_bytes();
    }
    let text = text.replace('\0', " ");
    let special = |byte: u8| matches!(byte, b'"' | b'\r' | b'\n') || byte == dialect.delimiter;
    match text.bytes().any(special) {
        true => format!("\"{}\"", text.replace('"', "\"\"")).into_bytes(),
        false => text.into_bytes(),
    }
}
