//! Comparisons in filters (RFC 9535 section 2.3.5.2.2).
//!
//! Guarantees: numbers are compared by value and never rounded; strings by code point; arrays and
//! objects deeply and without recursion. Of duplicate members the last one counts here.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::HashMap;

use postern_config::selector::ast::Operator;

use super::{Held, NodeId};
use crate::value_action::{Decimal, JsonKind};

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

impl<'t> Held<'t> {
    /// A held value as a side of a comparison.
    pub(super) fn value(&self, node: NodeId) -> Value<'t> {
        match self.kind(node) {
            JsonKind::Null => Value::Null,
            JsonKind::Bool => Value::Bool(self.text(node) == b"true"),
            JsonKind::Number => Value::Number(Cow::Borrowed(self.text(node))),
            JsonKind::String => Value::Text(self.string(node)),
            JsonKind::Array | JsonKind::Object => Value::Container(node),
        }
    }

    /// Compares two values. `spend` is asked before each step of a deep comparison.
    pub(super) fn compare(
        &self,
        left: &Value<'_>,
        operator: Operator,
        right: &Value<'_>,
        spend: &dyn Fn() -> bool,
    ) -> bool {
        let equal = || self.equal(left, right, spend);
        match operator {
            Operator::Equal => equal(),
            Operator::NotEqual => !equal(),
            Operator::Less => less(left, right),
            Operator::LessOrEqual => less(left, right) || equal(),
            Operator::Greater => less(right, left),
            Operator::GreaterOrEqual => less(right, left) || equal(),
        }
    }

    fn equal(&self, left: &Value<'_>, right: &Value<'_>, spend: &dyn Fn() -> bool) -> bool {
        let (Value::Container(left), Value::Container(right)) = (left, right) else {
            return equal_scalars(left, right);
        };
        let mut pairs = vec![(*left, *right)];
        while let Some((left, right)) = pairs.pop() {
            if !spend() {
                return false;
            }
            let same = match (self.kind(left), self.kind(right)) {
                (JsonKind::Array, JsonKind::Array) => self.pair_elements(left, right, &mut pairs),
                (JsonKind::Object, JsonKind::Object) => self.pair_members(left, right, &mut pairs),
                _ => equal_scalars(&self.value(left), &self.value(right)),
            };
            if !same {
                return false;
            }
        }
        true
    }

    fn pair_elements(&self, a: NodeId, b: NodeId, pairs: &mut Vec<(NodeId, NodeId)>) -> bool {
        let same = self.count(a) == self.count(b);
        if same {
            pairs.extend(self.children(a).zip(self.children(b)));
        }
        same
    }

    fn pair_members(&self, a: NodeId, b: NodeId, pairs: &mut Vec<(NodeId, NodeId)>) -> bool {
        let members = |object| -> HashMap<Cow<'_, str>, NodeId> {
            let members = self.children(object);
            members.map(|member| (self.name(member), member)).collect()
        };
        let (a, b) = (members(a), members(b));
        a.len() == b.len()
            && a.iter().all(|(name, member)| {
                let other = b.get(name);
                pairs.extend(other.map(|other| (*member, *other)));
                other.is_some()
            })
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

/// How two numbers compare; none when an exponent is beyond counting.
fn ordering(a: &[u8], b: &[u8]) -> Option<Ordering> {
    Some(Decimal::parse(a)?.compare(&Decimal::parse(b)?))
}
