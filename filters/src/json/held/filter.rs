//! Filters and the queries in them (RFC 9535 sections 2.3.5 and 2.4), asked of a held value.
//!
//! Guarantees: of duplicate members every one counts, so that a filter errs towards selecting: a
//! comparison holds when it does for any of them, and under a `!` when it does for all. Work is
//! bounded by the held text's length. It recurses only as deep as the policy's expressions nest.

use std::borrow::Cow;
use std::cell::Cell;

use postern_config::selector::ast::{
    FilterQuery, Function, Literal, Logical, Operand, Pick, Root, Segment,
};
use postern_config::selector::pattern;

use super::compare::Value;
use super::{Held, NodeId};
use crate::json::automaton::{Automaton, Key, Test, TestId};
use crate::json::scanner::{Halt, limit};
use crate::value_action::JsonKind;

/// Steps that the filters of one held value may take, per byte of it.
pub(in crate::json) const STEPS_PER_BYTE_MAX: u64 = 256;

/// Steps that the filters of one held value may always take.
const STEPS_MIN: u64 = 1 << 16;

/// Which of several candidates must satisfy a comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Any,
    All,
}

/// A held value that tests are asked of.
pub(in crate::json) struct Question<'q> {
    held: &'q Held<'q>,
    automaton: &'q Automaton,
    steps_left: Cell<u64>,
}

impl<'q> Question<'q> {
    pub(in crate::json) fn new(held: &'q Held<'q>, automaton: &'q Automaton) -> Self {
        let steps = STEPS_PER_BYTE_MAX.saturating_mul(held.text.len() as u64);
        Self {
            held,
            automaton,
            steps_left: Cell::new(steps.saturating_add(STEPS_MIN)),
        }
    }

    /// The value that is asked about.
    pub(in crate::json) fn held(&self) -> &'q Held<'q> {
        self.held
    }

    /// Whether a test holds for a child under a key, in a container of so many children.
    ///
    /// # Errors
    /// The filters have taken too many steps.
    pub(in crate::json) fn holds(
        &self,
        test: TestId,
        child: NodeId,
        key: Key,
        length: u64,
    ) -> Result<bool, Halt> {
        let holds = match (self.automaton.places().test(test), key) {
            (Some(Test::Filter(logical)), _) => self.logical(logical, child, Side::Any),
            (Some(Test::Ends(ends)), Key::Index(index)) => ends.selects(index, length),
            (Some(Test::Ends(_)), Key::Name(_)) | (None, _) => false,
        };
        if self.steps_left.get() == 0 {
            return Err(limit("filter_steps"));
        }
        Ok(holds)
    }

    /// Takes a step; false when there are none left.
    fn spend(&self) -> bool {
        let left = self.steps_left.get().saturating_sub(1);
        self.steps_left.set(left);
        left > 0
    }

    fn logical(&self, logical: &Logical, current: NodeId, side: Side) -> bool {
        if !self.spend() {
            return false;
        }
        match logical {
            Logical::Or(parts) => parts.iter().any(|part| self.logical(part, current, side)),
            Logical::And(parts) => parts.iter().all(|part| self.logical(part, current, side)),
            Logical::Not(inner) => {
                let other = match side {
                    Side::Any => Side::All,
                    Side::All => Side::Any,
                };
                !self.logical(inner, current, other)
            }
            Logical::Exists(query) => !self.nodes(query, current).is_empty(),
            Logical::Holds(function) => match function {
                Function::Match(text, pattern) => {
                    self.matches((text, pattern), true, current, side)
                }
                Function::Search(text, pattern) => {
                    self.matches((text, pattern), false, current, side)
                }
                Function::Length(_) | Function::Count(_) | Function::Value(_) => false,
            },
            Logical::Compare {
                left,
                operator,
                right,
            } => self.pairs(left, right, current, side, &|left, right| {
                self.held.compare(left, *operator, right, &|| self.spend())
            }),
        }
    }

    /// Whether any or all pairs of candidates satisfy `check`.
    fn pairs(
        &self,
        left: &Operand,
        right: &Operand,
        current: NodeId,
        side: Side,
        check: &dyn Fn(&Value<'_>, &Value<'_>) -> bool,
    ) -> bool {
        let left = self.candidates(left, current);
        let right = self.candidates(right, current);
        let mut pairs = left
            .iter()
            .flat_map(|left| right.iter().map(move |right| (left, right)));
        let mut holds =
            |(left, right): (&Value<'q>, &Value<'q>)| self.spend() && check(left, right);
        match side {
            Side::Any => pairs.any(&mut holds),
            Side::All => pairs.all(&mut holds),
        }
    }

    fn matches(
        &self,
        (text, pattern): (&Operand, &Operand),
        whole: bool,
        current: NodeId,
        side: Side,
    ) -> bool {
        self.pairs(text, pattern, current, side, &|text, pattern| {
            let (Value::Text(text), Value::Text(pattern)) = (text, pattern) else {
                return false;
            };
            let known = self.automaton.pattern(pattern, whole);
            match known {
                Some(known) => known.is_some_and(|regex| regex.is_match(text)),
                None => pattern::compile(pattern, whole).is_some_and(|regex| regex.is_match(text)),
            }
        })
    }

    /// The values that an operand may have: more than one only where members are duplicate.
    fn candidates(&self, operand: &Operand, current: NodeId) -> Vec<Value<'q>> {
        match operand {
            Operand::Literal(literal) => vec![of_literal(literal)],
            Operand::Singular(query) => {
                let nodes = self.nodes(query, current);
                if nodes.is_empty() {
                    return vec![Value::Nothing];
                }
                nodes.iter().map(|node| self.held.value(*node)).collect()
            }
            Operand::Function(function) => self.results(function, current),
        }
    }

    fn results(&self, function: &Function, current: NodeId) -> Vec<Value<'q>> {
        match function {
            Function::Length(operand) => self
                .candidates(operand, current)
                .iter()
                .map(|value| match value {
                    Value::Text(text) => number(text.chars().count() as u64),
                    Value::Container(node) => number(self.held.count(*node)),
                    Value::Nothing | Value::Null | Value::Bool(_) | Value::Number(_) => {
                        Value::Nothing
                    }
                })
                .collect(),
            Function::Count(query) => vec![number(self.nodes(query, current).len() as u64)],
            Function::Value(query) => match *self.nodes(query, current) {
                [only] => vec![self.held.value(only)],
                _ => vec![Value::Nothing],
            },
            Function::Match(..) | Function::Search(..) => vec![Value::Nothing],
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
                            self.pick(picks, inside, &mut next);
                        }
                    }
                }
            }
            nodes = next;
        }
        nodes
    }

    fn pick(&self, picks: &[Pick], node: NodeId, next: &mut Vec<NodeId>) {
        let kind = self.held.kind(node);
        if !self.spend() || !matches!(kind, JsonKind::Array | JsonKind::Object) {
            return;
        }
        for pick in picks {
            let mut keep = |selected: bool, child: NodeId| {
                if selected {
                    next.push(child);
                }
            };
            match pick {
                Pick::Name(name) if kind == JsonKind::Object => {
                    for child in self.children(node) {
                        let fold = self.automaton.fold();
                        keep(self.held.has_name(child, name, fold), child);
                    }
                }
                Pick::Name(_) => {}
                Pick::Wildcard => self.children(node).for_each(|child| keep(true, child)),
                Pick::Filter(logical) => {
                    for child in self.children(node) {
                        keep(self.logical(logical, child, Side::Any), child);
                    }
                }
                Pick::Index(_) | Pick::Slice { .. } if kind == JsonKind::Array => {
                    let length = self.held.count(node);
                    for (index, child) in (0..).zip(self.children(node)) {
                        keep(super::super::automaton::selects(pick, index, length), child);
                    }
                }
                Pick::Index(_) | Pick::Slice { .. } => {}
            }
        }
    }

    /// The children of a node, as long as there are steps left.
    fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        self.held.children(node).take_while(|_| self.spend())
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

fn number<'v>(value: u64) -> Value<'v> {
    Value::Number(Cow::Owned(value.to_string().into_bytes()))
}
