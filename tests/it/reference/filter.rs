//! Filter expressions on a tree, by the words of RFC 9535 sections 2.3.5 and 2.4.
//!
//! Nothing is skipped: every part of an expression is evaluated, also where the result is known, so
//! that each repeated name that a filter could ask for is noted.

use std::cmp::Ordering;

use postern_config::selector::ast::{
    FilterQuery, Function, Literal, Logical, Operand, Operator, Root,
};
use regex::Regex;

use super::decimal::Decimal;
use super::document::{Kind, NodeId};
use super::query::Queries;

/// One side of a comparison (`ValueType`).
#[derive(Debug, Clone)]
enum Value {
    Nothing,
    Null,
    Bool(bool),
    Number(Decimal),
    String(String),
    /// An array or an object.
    Container(NodeId),
}

impl Queries<'_, '_> {
    /// Whether a filter holds for `current`.
    pub(super) fn holds(&self, logical: &Logical, current: NodeId) -> bool {
        let each = |parts: &[Logical]| -> Vec<bool> {
            let parts = parts.iter();
            parts.map(|part| self.holds(part, current)).collect()
        };
        match logical {
            Logical::Or(parts) => each(parts).contains(&true),
            Logical::And(parts) => !each(parts).contains(&false),
            Logical::Not(inner) => !self.holds(inner, current),
            Logical::Exists(query) => !self.nodes(query, current).is_empty(),
            Logical::Holds(function) => self.test(function, current),
            Logical::Compare {
                left,
                operator,
                right,
            } => {
                let left = self.value_of(left, current);
                let right = self.value_of(right, current);
                self.compare(&left, *operator, &right)
            }
        }
    }

    fn nodes(&self, query: &FilterQuery, current: NodeId) -> Vec<NodeId> {
        let start = match query.root {
            Root::Current => current,
            Root::Document => 0,
        };
        self.select(start, &query.segments)
    }

    fn compare(&self, left: &Value, operator: Operator, right: &Value) -> bool {
        match operator {
            Operator::Equal => self.equal(left, right),
            Operator::NotEqual => !self.equal(left, right),
            Operator::Less => less(left, right),
            Operator::LessOrEqual => less(left, right) || self.equal(left, right),
            Operator::Greater => less(right, left),
            Operator::GreaterOrEqual => less(right, left) || self.equal(left, right),
        }
    }

    fn value_of(&self, operand: &Operand, current: NodeId) -> Value {
        match operand {
            Operand::Literal(Literal::Null) => Value::Null,
            Operand::Literal(Literal::Bool(value)) => Value::Bool(*value),
            Operand::Literal(Literal::Number(lexeme)) => Value::Number(Decimal::read(lexeme)),
            Operand::Literal(Literal::String(text)) => Value::String(text.clone()),
            Operand::Singular(query) => self.only(&self.nodes(query, current)),
            Operand::Function(function) => self.computed(function, current),
        }
    }

    /// The value of a node list of one node.
    fn only(&self, nodes: &[NodeId]) -> Value {
        match nodes {
            [node] => self.value_at(*node),
            _ => Value::Nothing,
        }
    }

    fn value_at(&self, node: NodeId) -> Value {
        match &self.document.nodes[node].kind {
            Kind::Object | Kind::Array => Value::Container(node),
            Kind::String(text) => Value::String(text.clone()),
            Kind::Number => Value::Number(Decimal::read(self.document.lexeme(node))),
            Kind::Bool(value) => Value::Bool(*value),
            Kind::Null => Value::Null,
        }
    }

    /// Functions whose result is a value: `length`, `count`, `value`.
    fn computed(&self, function: &Function, current: NodeId) -> Value {
        match function {
            Function::Length(operand) => self.length(&self.value_of(operand, current)),
            Function::Count(query) => {
                Value::Number(Decimal::count(self.nodes(query, current).len()))
            }
            Function::Value(query) => self.only(&self.nodes(query, current)),
            Function::Match(..) | Function::Search(..) => Value::Nothing,
        }
    }

    fn length(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::Number(Decimal::count(text.chars().count())),
            Value::Container(node) => Value::Number(Decimal::count(self.children(*node).len())),
            Value::Nothing | Value::Null | Value::Bool(_) | Value::Number(_) => Value::Nothing,
        }
    }

    /// Functions whose result is true or false: `match`, `search`.
    fn test(&self, function: &Function, current: NodeId) -> bool {
        let (operand, pattern, whole) = match function {
            Function::Match(operand, pattern) => (operand, pattern, true),
            Function::Search(operand, pattern) => (operand, pattern, false),
            Function::Length(_) | Function::Count(_) | Function::Value(_) => return false,
        };
        let text = self.value_of(operand, current);
        match (text, self.value_of(pattern, current)) {
            (Value::String(text), Value::String(pattern)) => matches(&pattern, whole, &text),
            _ => false,
        }
    }

    /// RFC 9535 section 2.3.5.2.2.
    fn equal(&self, left: &Value, right: &Value) -> bool {
        match (left, right) {
            (Value::Nothing, Value::Nothing) | (Value::Null, Value::Null) => true,
            (Value::Bool(a), Value::Bool(b)) => a == b,
            (Value::Number(a), Value::Number(b)) => a.order(b) == Ordering::Equal,
            (Value::String(a), Value::String(b)) => a == b,
            (Value::Container(a), Value::Container(b)) => self.equal_containers(*a, *b),
            _ => false,
        }
    }

    /// Arrays element by element; objects by their members, whatever their order.
    fn equal_containers(&self, left: NodeId, right: NodeId) -> bool {
        let nodes = &self.document.nodes;
        let (lefts, rights) = (self.children(left), self.children(right));
        let same = |a: NodeId, b: NodeId| self.equal(&self.value_at(a), &self.value_at(b));
        let found = lefts.iter().enumerate().map(|(at, a)| match &a.name {
            None => rights.get(at).is_some_and(|b| same(a.node, b.node)),
            Some(name) => rights
                .iter()
                .filter(|b| b.name.as_deref().is_some_and(|b| self.same(name, b)))
                .any(|b| same(a.node, b.node)),
        });
        let found: Vec<bool> = found.collect();
        let alike = nodes[left].kind == nodes[right].kind && lefts.len() == rights.len();
        alike && !found.contains(&false)
    }
}

fn less(left: &Value, right: &Value) -> bool {
    match (left, right) {
        (Value::Number(a), Value::Number(b)) => a.order(b) == Ordering::Less,
        (Value::String(a), Value::String(b)) => a < b,
        _ => false,
    }
}

/// RFC 9485: what `.` means differs from the `regex` crate; all else that is tested here agrees.
fn matches(pattern: &str, whole: bool, text: &str) -> bool {
    let mut translated = String::new();
    let mut in_class = false;
    let mut escaped = false;
    for next in pattern.chars() {
        match next {
            '.' if !escaped && !in_class => translated.push_str("[^\\n\\r]"),
            other => translated.push(other),
        }
        in_class = (in_class || next == '[' && !escaped) && (next != ']' || escaped);
        escaped = next == '\\' && !escaped;
    }
    // A pattern stands by itself: `)a|(` is none, though it becomes one within another group.
    if Regex::new(&translated).is_err() {
        return false;
    }
    let anchored = if whole {
        format!("^(?:{translated})$")
    } else {
        translated
    };
    Regex::new(&anchored).is_ok_and(|regex| regex.is_match(text))
}
