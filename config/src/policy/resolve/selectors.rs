//! Selectors of a policy: parsed, and their literal patterns proven to compile.

use crate::document::Place;
use crate::document::read::At;
use crate::policy::error::Problems;
use crate::selector::ast::{FilterQuery, Function, Literal, Logical, Operand, Pick, Segment};
use crate::selector::{Selector, pattern};

/// The selector of this text.
pub(super) fn read(text: &At<String>, problems: &mut Problems) -> Option<Selector> {
    let selector = match Selector::parse(&text.value) {
        Ok(selector) => selector,
        Err(error) => {
            let written = &text.value;
            let message = format!("`{written}` is no selector: {}", error.message);
            problems.add("PN016", inside(text, error.column), message);
            return None;
        }
    };
    let broken = broken_patterns(&selector);
    for pattern in &broken {
        problems
            .add("PN017", text.place, format!("`{pattern}` is no pattern"))
            .help("patterns are I-Regexp: no look-around, no back-references, no huge repetition");
    }
    broken.is_empty().then_some(selector)
}

/// Every selector of a list that is valid.
pub(super) fn read_all(texts: &[At<String>], problems: &mut Problems) -> Vec<Selector> {
    texts
        .iter()
        .filter_map(|text| read(text, problems))
        .collect()
}

/// The place of a column within a text of the file, if the text is written there without escapes.
fn inside(text: &At<String>, column: usize) -> Place {
    let length = text.value.chars().count();
    let quotes = match text.place.width.checked_sub(length) {
        Some(0) => 0,
        Some(2) => 1,
        _ => return text.place,
    };
    Place {
        column: text.place.column + quotes + column.saturating_sub(1),
        width: 1,
        ..text.place
    }
}

/// The literal patterns of `match` and `search` that do not compile.
fn broken_patterns(selector: &Selector) -> Vec<String> {
    let mut broken = Vec::new();
    in_segments(selector.segments(), &mut broken);
    broken
}

fn in_segments(segments: &[Segment], broken: &mut Vec<String>) {
    for segment in segments {
        let (Segment::Child(picks) | Segment::Descendant(picks)) = segment;
        for pick in picks {
            if let Pick::Filter(logical) = pick {
                in_logical(logical, broken);
            }
        }
    }
}

fn in_logical(logical: &Logical, broken: &mut Vec<String>) {
    match logical {
        Logical::Or(parts) | Logical::And(parts) => {
            parts.iter().for_each(|part| in_logical(part, broken));
        }
        Logical::Not(inner) => in_logical(inner, broken),
        Logical::Exists(FilterQuery { segments, .. }) => in_segments(segments, broken),
        Logical::Holds(function) => in_function(function, broken),
        Logical::Compare { left, right, .. } => {
            in_operand(left, broken);
            in_operand(right, broken);
        }
    }
}

fn in_operand(operand: &Operand, broken: &mut Vec<String>) {
    if let Operand::Function(function) = operand {
        in_function(function, broken);
    }
}

fn in_function(function: &Function, broken: &mut Vec<String>) {
    match function {
        Function::Length(operand) => in_operand(operand, broken),
        Function::Count(query) | Function::Value(query) => in_segments(&query.segments, broken),
        Function::Match(value, pattern) | Function::Search(value, pattern) => {
            in_operand(value, broken);
            in_operand(pattern, broken);
            if let Operand::Literal(Literal::String(text)) = pattern
                && pattern::compile(text, matches!(function, Function::Match(..))).is_none()
            {
                broken.push(text.clone());
            }
        }
    }
}
