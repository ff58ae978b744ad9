//! The patterns of `match` and `search` that the policy spells out, compiled once.
//!
//! A pattern that comes from the document is not here: it is compiled when a filter asks for it.

use std::collections::HashMap;

use postern_config::selector::{ast, pattern};
use regex::Regex;

/// Patterns by text; none for one that is not valid.
#[derive(Default)]
pub(super) struct Patterns {
    whole: HashMap<String, Option<Regex>>,
    part: HashMap<String, Option<Regex>>,
}

impl Patterns {
    /// Compiles the patterns in these filters and in the filters inside them.
    pub(super) fn of<'a>(filters: impl Iterator<Item = &'a ast::Logical>) -> Self {
        let mut found = Self::default();
        let mut left: Vec<&ast::Logical> = filters.collect();
        while let Some(logical) = left.pop() {
            match logical {
                ast::Logical::Or(parts) | ast::Logical::And(parts) => left.extend(parts),
                ast::Logical::Not(inner) => left.push(inner),
                ast::Logical::Exists(query) => nested(query, &mut left),
                ast::Logical::Holds(function) => in_function(function, &mut left, &mut found),
                ast::Logical::Compare {
                    left: one,
                    right: other,
                    ..
                } => {
                    in_operand(one, &mut left, &mut found);
                    in_operand(other, &mut left, &mut found);
                }
            }
        }
        found
    }

    /// A pattern; none when the policy does not spell it out.
    pub(super) fn find(&self, text: &str, whole: bool) -> Option<Option<&Regex>> {
        let patterns = if whole { &self.whole } else { &self.part };
        patterns.get(text).map(Option::as_ref)
    }
}

/// Adds the filters inside a filter's query.
fn nested<'a>(query: &'a ast::FilterQuery, left: &mut Vec<&'a ast::Logical>) {
    for segment in &query.segments {
        let (ast::Segment::Child(picks) | ast::Segment::Descendant(picks)) = segment;
        for pick in picks {
            if let ast::Pick::Filter(logical) = pick {
                left.push(logical);
            }
        }
    }
}

fn in_operand<'a>(
    operand: &'a ast::Operand,
    left: &mut Vec<&'a ast::Logical>,
    found: &mut Patterns,
) {
    match operand {
        ast::Operand::Literal(_) => {}
        ast::Operand::Singular(query) => nested(query, left),
        ast::Operand::Function(function) => in_function(function, left, found),
    }
}

fn in_function<'a>(
    function: &'a ast::Function,
    left: &mut Vec<&'a ast::Logical>,
    found: &mut Patterns,
) {
    let (value, pattern, whole) = match function {
        ast::Function::Length(operand) => return in_operand(operand, left, found),
        ast::Function::Count(query) | ast::Function::Value(query) => return nested(query, left),
        ast::Function::Match(value, pattern) => (value, pattern, true),
        ast::Function::Search(value, pattern) => (value, pattern, false),
    };
    in_operand(value, left, found);
    in_operand(pattern, left, found);
    if let ast::Operand::Literal(ast::Literal::String(text)) = pattern {
        let compiled = pattern::compile(text, whole);
        let patterns = if whole {
            &mut found.whole
        } else {
            &mut found.part
        };
        patterns.insert(text.clone(), compiled);
    }
}
