//! Filter expressions on a tree, by the words of RFC 9535 sections 2.3.5 and 2.4.
//!
//! A name that comes twice makes a singular query find several nodes, which the standard leaves open.
//! Then a comparison holds when it holds for one of them, and a function sees each of them in turn.

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
        match logical {
            Logical::Or(parts) => parts.iter().any(|part| self.holds(part, current)),
            Logical::And(parts) => parts.iter().all(|part| self.holds(part, current)),
            Logical::Not(inner) => !self.holds(inner, current),
            Logical::Exists(query) => !self.nodes(query, current).is_empty(),
            Logical::Holds(function) => self.test(function, current),
            Logical::Compare {
                left,
                operator,
                right,
            } => self.compare(left, *operator, right, current),
        }
    }

    fn nodes(&self, query: &FilterQuery, current: NodeId) -> Vec<NodeId> {
        let start = match query.root {
            Root::Current => current,
            Root::Document => 0,
        };
        self.select(start, &query.segments)
    }

    fn compare(&self, left: &Operand, op: Operator, right: &Operand, current: NodeId) -> bool {
        let rights = self.values_of(right, current);
        let lefts = self.values_of(left, current);
        lefts.iter().any(|left| {
            rights.iter().any(|right| match op {
                Operator::Equal => self.equal(left, right),
                Operator::NotEqual => !self.equal(left, right),
                Operator::Less => less(left, right),
                Operator::LessOrEqual => less(left, right) || self.equal(left, right),
                Operator::Greater => less(right, left),
                Operator::GreaterOrEqual => less(right, left) || self.equal(left, right),
            })
        })
    }

    /// What an operand can be: one value, or several when a name comes twice.
    fn values_of(&self, operand: &Operand, current: NodeId) -> Vec<Value> {
        match operand {
            Operand::Literal(literal) => vec![match literal {
                Literal::Null => Value::Null,
                Literal::Bool(value) => Value::Bool(*value),
                Literal::Number(lexeme) => Value::Number(Decimal::read(lexeme)),
                Literal::String(text) => Value::String(text.clone()),
            }],
            Operand::Singular(query) => {
                let nodes = self.nodes(query, current);
                if nodes.is_empty() {
                    return vec![Value::Nothing];
                }
                nodes.into_iter().map(|node| self.value_at(node)).collect()
            }
            Operand::Function(function) => self.computed(function, current),
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
    fn computed(&self, function: &Function, current: NodeId) -> Vec<Value> {
        match function {
            Function::Length(operand) => self
                .values_of(operand, current)
                .into_iter()
                .map(|value| self.length(&value))
                .collect(),
            Function::Count(query) => {
                let count = self.nodes(query, current).len();
                vec![Value::Number(Decimal::count(count))]
            }
            Function::Value(query) => match self.nodes(query, current).as_slice() {
                [node] => vec![self.value_at(*node)],
                _ => vec![Value::Nothing],
            },
            Function::Match(..) | Function::Search(..) => vec![Value::Nothing],
        }
    }

    fn length(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::Number(Decimal::count(text.chars().count())),
            Value::Container(node) => {
                Value::Number(Decimal::count(self.document.children(*node).len()))
            }
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
        let patterns = self.values_of(pattern, current);
        let texts = self.values_of(operand, current);
        texts.iter().any(|text| {
            patterns.iter().any(|pattern| match (text, pattern) {
                (Value::String(text), Value::String(pattern)) => matches(pattern, whole, text),
                _ => false,
            })
        })
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

    /// Arrays element by element; objects as sets of members, whatever their order.
    fn equal_containers(&self, left: NodeId, right: NodeId) -> bool {
        let nodes = &self.document.nodes;
        let (lefts, rights) = (&nodes[left].children, &nodes[right].children);
        if nodes[left].kind != nodes[right].kind || lefts.len() != rights.len() {
            return false;
        }
        let same = |a: NodeId, b: NodeId| self.equal(&self.value_at(a), &self.value_at(b));
        if nodes[left].kind == Kind::Array {
            return lefts.iter().zip(rights).all(|(a, b)| same(a.node, b.node));
        }
        let mut left_over: Vec<_> = rights.iter().collect();
        lefts.iter().all(|a| {
            let found = left_over
                .iter()
                .position(|b| a.name == b.name && same(a.node, b.node));
            found.map(|at| left_over.remove(at)).is_some()
        })
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
    let anchored = if whole {
        format!("^(?:{translated})$")
    } else {
        translated
    };
    Regex::new(&anchored).is_ok_and(|regex| regex.is_match(text))
}
