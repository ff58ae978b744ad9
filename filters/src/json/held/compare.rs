//! Comparisons in filters (RFC 9535 section 2.3.5.2.2).
//!
//! Guarantees: numbers are compared by value and never rounded; strings by code point; arrays and
//! objects deeply and without recursion, member names as the route compares them.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use postern_config::selector::ast::Operator;

use super::{NodeId, Question};
use crate::value_action::{Decimal, JsonKind};

/// What remembering a member costs beside reading its name, as bytes of text.
const MEMBER_BYTES: usize = 32;

/// A side of a comparison.
#[derive(Debug, Clone)]
pub(super) enum Value<'v> {
    /// The absence of a value.
    Nothing,
    Null,
    Bool(bool),
    /// A number's lexeme.
    Number(Cow<'v, [u8]>),
    /// A string's characters.
    Text(Cow<'v, str>),
    /// An array or an object.
    Container(NodeId),
}

impl<'q> Question<'q> {
    /// A held value as a side of a comparison.
    pub(super) fn value(&self, node: NodeId) -> Value<'q> {
        let held = self.held();
        let kind = held.kind(node);
        if !matches!(kind, JsonKind::Array | JsonKind::Object) {
            self.meter().text(held.text(node).len());
        }
        match kind {
            JsonKind::Null => Value::Null,
            JsonKind::Bool => Value::Bool(held.text(node) == b"true"),
            JsonKind::Number => Value::Number(Cow::Borrowed(held.text(node))),
            JsonKind::String => Value::Text(held.string(node)),
            JsonKind::Array | JsonKind::Object => Value::Container(node),
        }
    }

    /// Compares two values.
    pub(super) fn compare(&self, left: &Value<'_>, operator: Operator, right: &Value<'_>) -> bool {
        let equal = || self.equal(left, right);
        match operator {
            Operator::Equal => equal(),
            Operator::NotEqual => !equal(),
            Operator::Less => less(left, right),
            Operator::LessOrEqual => less(left, right) || equal(),
            Operator::Greater => less(right, left),
            Operator::GreaterOrEqual => less(right, left) || equal(),
        }
    }

    fn equal(&self, left: &Value<'_>, right: &Value<'_>) -> bool {
        let (Value::Container(left), Value::Container(right)) = (left, right) else {
            return equal_scalars(left, right);
        };
        let mut pairs = vec![(*left, *right)];
        while let Some((left, right)) = pairs.pop() {
            let held = self.held();
            let same = match (held.kind(left), held.kind(right)) {
                (JsonKind::Array, JsonKind::Array) => self.pair_elements(left, right, &mut pairs),
                (JsonKind::Object, JsonKind::Object) => self.pair_members(left, right, &mut pairs),
                _ => equal_scalars(&self.value(left), &self.value(right)),
            };
            if !same || !self.meter().step() {
                return false;
            }
        }
        true
    }

    fn pair_elements(&self, a: NodeId, b: NodeId, pairs: &mut Vec<(NodeId, NodeId)>) -> bool {
        let (mut left, mut right) = (self.children(a), self.children(b));
        loop {
            match (left.next(), right.next()) {
                (Some(left), Some(right)) => pairs.push((left, right)),
                (None, None) => return true,
                (Some(_), None) | (None, Some(_)) => return false,
            }
        }
    }

    fn pair_members(&self, a: NodeId, b: NodeId, pairs: &mut Vec<(NodeId, NodeId)>) -> bool {
        let (a, b) = (self.members(a), self.members(b));
        a.len() == b.len()
            && a.iter().all(|(name, member)| {
                let other = b.get(name);
                pairs.extend(other.map(|other| (*member, *other)));
                other.is_some()
            })
    }

    /// An object's members by name, as the route compares names. A name that comes twice is reported.
    pub(super) fn members(&self, object: NodeId) -> HashMap<Cow<'q, str>, NodeId> {
        let mut members = HashMap::new();
        for member in self.children(object) {
            let name = self.held().raw_name(member);
            self.meter().text(name.len().saturating_add(MEMBER_BYTES));
            let name = self.held().folded_name(member, self.fold());
            if members.insert(name, member).is_some() {
                self.meter().meets_repeated_name();
            }
        }
        members
    }
}

fn equal_scalars(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::Nothing, Value::Nothing) | (Value::Null, Value::Null) => true,
        (Value::Bool(a), Value::Bool(b)) => a == b,
        (Value::Text(a), Value::Text(b)) => a == b,
        (Value::Number(a), Value::Number(b)) => a == b || ordering(a, b) == Some(Ordering::Equal),
        _ => false,
    }
}

fn less(left: &Value<'_>, right: &Value<'_>) -> bool {
    match (left, right) {
        (Value::Text(a), Value::Text(b)) => a < b,
        (Value::Number(a), Value::Number(b)) => ordering(a, b) == Some(Ordering::Less),
        _ => false,
    }
}

/// How two numbers compare; none when one is no number after all.
fn ordering(a: &[u8], b: &[u8]) -> Option<Ordering> {
    Some(Decimal::parse_to_compare(a)?.compare(&Decimal::parse_to_compare(b)?))
}
