//! Filters and the queries in them (RFC 9535 sections 2.3.5 and 2.4), asked of a held value.
//!
//! Guarantees: an object in which a name comes twice has no answer, since its readers disagree about
//! it: where a filter meets one, the document is refused. Work is bounded by the held text's length.
//! It recurses only as deep as the policy's expressions nest.

use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashSet;

use postern_config::routes::Names;
use postern_config::selector::ast::{
    FilterQuery, Function, Literal, Logical, Operand, Pick, Root, Segment,
};
use postern_config::selector::pattern;
use regex::Regex;

use super::compare::Value;
use super::meter::Meter;
use super::{Held, NodeId};
use crate::json::automaton::{Automaton, Key, Test, TestId, selects};
use crate::json::scanner::Halt;
use crate::value_action::JsonKind;

/// The most nodes that a query in a filter may select, the same one several times included.
const NODES_MAX: usize = 1 << 20;

/// A held value that tests are asked of.
pub(in crate::json) struct Question<'q> {
    held: &'q Held<'q>,
    automaton: &'q Automaton,
    meter: Meter,
    /// The objects in which no name comes twice, as far as they have been looked at.
    distinct: RefCell<HashSet<NodeId>>,
    /// The last pattern of the document that was compiled; none inside when it is no pattern.
    pattern: RefCell<Option<(String, bool, Option<Regex>)>>,
}

impl<'q> Question<'q> {
    pub(in crate::json) fn new(held: &'q Held<'q>, automaton: &'q Automaton) -> Self {
        Self {
            held,
            automaton,
            meter: Meter::new(held.text.len()),
            distinct: RefCell::default(),
            pattern: RefCell::default(),
        }
    }

    /// The value that is asked about.
    pub(in crate::json) fn held(&self) -> &'q Held<'q> {
        self.held
    }

    /// Whether a test holds for a child under a key, in a container of so many children.
    ///
    /// # Errors
    /// The filters have taken too many steps, or have met a name that comes twice.
    pub(in crate::json) fn holds(
        &self,
        test: TestId,
        child: NodeId,
        key: Key,
        length: u64,
    ) -> Result<bool, Halt> {
        let holds = match (self.automaton.places().test(test), key) {
            (Some(Test::Filter(logical)), _) => self.logical(logical, child),
            (Some(Test::Ends(ends)), Key::Index(index)) => ends.selects(index, length),
            (Some(Test::Ends(_)), Key::Name(_)) | (None, _) => false,
        };
        self.meter.check().map(|()| holds)
    }

    pub(super) fn meter(&self) -> &Meter {
        &self.meter
    }

    pub(super) fn fold(&self) -> Names {
        self.automaton.fold()
    }

    /// The children of a node, as long as there are steps left.
    pub(super) fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.held.children(node).take_while(|_| self.meter.step())
    }

    fn logical(&self, logical: &Logical, current: NodeId) -> bool {
        if !self.meter.step() {
            return false;
        }
        match logical {
            Logical::Or(parts) => parts.iter().any(|part| self.logical(part, current)),
            Logical::And(parts) => parts.iter().all(|part| self.logical(part, current)),
            Logical::Not(inner) => !self.logical(inner, current),
            Logical::Exists(query) => !self.nodes(query, current).is_empty(),
            Logical::Holds(function) => match function {
                Function::Match(text, pattern) => self.matches((text, pattern), true, current),
                Function::Search(text, pattern) => self.matches((text, pattern), false, current),
                Function::Length(_) | Function::Count(_) | Function::Value(_) => false,
            },
            Logical::Compare {
                left,
                operator,
                right,
            } => self.compare(
                &self.operand(left, current),
                *operator,
                &self.operand(right, current),
            ),
        }
    }

    fn matches(&self, (text, pattern): (&Operand, &Operand), whole: bool, current: NodeId) -> bool {
        let (text, pattern) = (self.operand(text, current), self.operand(pattern, current));
        let (Value::Text(text), Value::Text(pattern)) = (text, pattern) else {
            return false;
        };
        self.meter.text(text.len());
        match self.automaton.pattern(&pattern, whole) {
            Some(known) => known.is_some_and(|regex| regex.is_match(&text)),
            None => self.matches_spelled_out(&text, &pattern, whole),
        }
    }

    /// Matches a pattern that the document spells out.
    fn matches_spelled_out(&self, text: &str, pattern: &str, whole: bool) -> bool {
        let mut last = self.pattern.borrow_mut();
        let is_known = last
            .as_ref()
            .is_some_and(|(known, way, _)| known == pattern && *way == whole);
        if !is_known {
            if !self.meter.pattern() {
                return false;
            }
            let Ok(compiled) = pattern::compile_foreign(pattern, whole) else {
                self.meter.exhaust();
                return false;
            };
            *last = Some((pattern.to_owned(), whole, compiled));
        }
        let regex = last.as_ref().and_then(|(_, _, regex)| regex.as_ref());
        regex.is_some_and(|regex| regex.is_match(text))
    }

    fn operand(&self, operand: &Operand, current: NodeId) -> Value<'q> {
        match operand {
            Operand::Literal(literal) => of_literal(literal),
            Operand::Singular(query) => match *self.nodes(query, current) {
                [only] => self.value(only),
                // Several only where a name comes twice, which refuses the document.
                _ => Value::Nothing,
            },
            Operand::Function(function) => self.result(function, current),
        }
    }

    fn result(&self, function: &Function, current: NodeId) -> Value<'q> {
        match function {
            Function::Length(operand) => match self.operand(operand, current) {
                Value::Text(text) => number(text.chars().count()),
                Value::Container(node) => {
                    self.needs_distinct_names(node);
                    number(self.children(node).count())
                }
                Value::Nothing | Value::Null | Value::Bool(_) | Value::Number(_) => Value::Nothing,
            },
            Function::Count(query) => number(self.nodes(query, current).len()),
            Function::Value(query) => match *self.nodes(query, current) {
                [only] => self.value(only),
                _ => Value::Nothing,
            },
            Function::Match(..) | Function::Search(..) => Value::Nothing,
        }
    }

    /// What a query in a filter selects.
    fn nodes(&self, query: &FilterQuery, current: NodeId) -> Vec<NodeId> {
        let mut nodes = match query.root {
            Root::Current => vec![current],
            Root::Document => vec![0],
        };
        for segment in &query.segments {
            let mut next = Vec::new();
            for node in nodes {
                match segment {
                    Segment::Child(picks) => self.pick(picks, node, &mut next),
                    Segment::Descendant(picks) => {
                        for inside in node..self.held.after(node) {
                            self.needs_distinct_names(inside);
                            self.pick(picks, inside, &mut next);
                        }
                    }
                }
                if next.len() > NODES_MAX {
                    self.meter.exhaust();
                    return Vec::new();
                }
            }
            nodes = next;
        }
        nodes
    }

    fn pick(&self, picks: &[Pick], node: NodeId, next: &mut Vec<NodeId>) {
        let kind = self.held.kind(node);
        if !self.meter.step() || !matches!(kind, JsonKind::Array | JsonKind::Object) {
            return;
        }
        for pick in picks {
            match pick {
                Pick::Name(name) if kind == JsonKind::Object => self.pick_name(name, node, next),
                Pick::Name(_) => {}
                Pick::Wildcard => {
                    self.needs_distinct_names(node);
                    next.extend(self.children(node));
                }
                Pick::Filter(logical) => {
                    self.needs_distinct_names(node);
                    next.extend(self.children(node).filter(|n| self.logical(logical, *n)));
                }
                Pick::Index(_) | Pick::Slice { .. } if kind == JsonKind::Array => {
                    let length = self.children(node).count() as u64;
                    let elements = (0..).zip(self.children(node));
                    let picked = elements.filter(|(index, _)| selects(pick, *index, length));
                    next.extend(picked.map(|(_, element)| element));
                }
                Pick::Index(_) | Pick::Slice { .. } => {}
            }
        }
    }

    fn pick_name(&self, name: &str, object: NodeId, next: &mut Vec<NodeId>) {
        let before = next.len();
        for member in self.children(object) {
            self.meter.text(self.held.raw_name(member).len());
            if self.held.has_name(member, name, self.fold()) {
                next.push(member);
            }
        }
        if next.len() > before + 1 {
            self.meter.meets_repeated_name();
        }
    }

    /// What is asked depends on every member of this node, if it is an object.
    fn needs_distinct_names(&self, node: NodeId) {
        let is_object = self.held.kind(node) == JsonKind::Object;
        if is_object && self.distinct.borrow_mut().insert(node) {
            self.members(node);
        }
    }
}

fn of_literal<'v>(literal: &Literal) -> Value<'v> {
    match literal {
        Literal::Null => Value::Null,
        Literal::Bool(value) => Value::Bool(*value),
        Literal::Number(lexeme) => Value::Number(Cow::Owned(lexeme.clone().into_bytes())),
        Literal::String(text) => Value::Text(Cow::Owned(text.clone())),
    }
}

fn number<'v>(value: usize) -> Value<'v> {
    Value::Number(Cow::Owned(value.to_string().into_bytes()))
}
