//! What becomes of one labelled value: the action applied to the JSON text of that value.
//!
//! Guarantees: the output is one valid JSON text (or nothing, for `remove`); an action that does not
//! fit the value's type or form redacts it; no part of a value is kept but what the action says. It
//! knows nothing about where the value stands, commas included: that is the JSON engine's work.

mod decimal;
mod string_text;

use postern_config::Action;

use crate::pseudonym::Pseudonymizer;
use crate::{generalize, mask};

pub(crate) use decimal::Decimal;
pub(crate) use string_text::{decode, decode_one, encode, escape};

/// The type of a JSON value (RFC 8259 section 3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum JsonKind {
    /// A string.
    String,
    /// A number.
    Number,
    /// `true` or `false`.
    Bool,
    /// `null`.
    Null,
    /// An array.
    Array,
    /// An object.
    Object,
}

/// Whether [`replace`] looks at the value's text. Where it does not, the value can be dropped as it
/// streams by, however long it is.
#[must_use]
pub const fn needs_value(action: &Action, kind: JsonKind) -> bool {
    match action {
        Action::Show | Action::Detect | Action::Redact { .. } | Action::Remove => false,
        Action::Mask(_) => matches!(kind, JsonKind::String),
        Action::Generalize(to) => generalize::fits(to, kind),
        Action::Pseudonym(_) => matches!(kind, JsonKind::String | JsonKind::Number),
    }
}

/// Appends what the action makes of a value to `out`.
///
/// `raw` is the validated JSON text of a scalar, quotes included; it is not read when
/// [`needs_value`] says no, except by `show`, which copies it. Of a container only the kind counts.
/// A pseudonym without a key to make it is a redaction.
pub fn replace(
    action: &Action,
    kind: JsonKind,
    raw: &[u8],
    pseudonyms: Option<&Pseudonymizer>,
    out: &mut Vec<u8>,
) {
    match action {
        Action::Show => out.extend_from_slice(raw),
        Action::Remove => {}
        Action::Redact { with: Some(text) } => out.extend_from_slice(text.as_bytes()),
        // SECURITY: searching is the engine's work; a value that comes here was not searched.
        Action::Detect | Action::Redact { with: None } => redact(kind, out),
        Action::Mask(_) | Action::Generalize(_) | Action::Pseudonym(_) => {
            let changed = match needs_value(action, kind) {
                true => changed(action, kind, raw, pseudonyms),
                false => None,
            };
            match changed {
                Some(Replacement::String(text)) => encode(&text, out),
                Some(Replacement::Number(text)) => out.extend_from_slice(text.as_bytes()),
                None => redact(kind, out),
            }
        }
    }
}

/// What a value becomes when it is neither kept, dropped nor redacted.
enum Replacement {
    /// The decoded text of a string.
    String(String),
    /// The lexeme of a number.
    Number(String),
}

fn changed(
    action: &Action,
    kind: JsonKind,
    raw: &[u8],
    pseudonyms: Option<&Pseudonymizer>,
) -> Option<Replacement> {
    match action {
        Action::Mask(how) => Some(Replacement::String(mask::mask(how, &decode(raw)?))),
        Action::Generalize(to) if kind == JsonKind::Number => {
            generalize::number(to, &Decimal::parse(raw)?).map(Replacement::Number)
        }
        Action::Generalize(to) => generalize::string(to, &decode(raw)?).map(Replacement::String),
        Action::Pseudonym(scope) => {
            let token = pseudonyms?.token(*scope, kind, raw)?;
            Some(Replacement::String(token))
        }
        Action::Show | Action::Detect | Action::Redact { .. } | Action::Remove => None,
    }
}

/// The constant that stands for a value of this type (spec 02, section 3, rule 6).
fn redact(kind: JsonKind, out: &mut Vec<u8>) {
    out.extend_from_slice(match kind {
        JsonKind::String => br#""[redacted]""#,
        JsonKind::Number | JsonKind::Bool | JsonKind::Null => b"null",
        JsonKind::Array => b"[]",
        JsonKind::Object => b"{}",
    });
}

#[cfg(test)]
mod tests;
