//! Whether two JSON values are the same value (RFC 8259), however they are written.

use std::collections::HashMap;

use crate::json::{Held, NodeId};
use crate::value_action::{Decimal, JsonKind};

/// A value in a document.
pub(super) type At<'h, 't> = (&'h Held<'t>, NodeId);

/// Whether two values are the same: numbers by exact value, strings by character, objects without
/// regard to order. Work is at most proportional to the shorter text.
pub(super) fn same(a: At<'_, '_>, b: At<'_, '_>) -> bool {
    let ((left, a), (right, b)) = (a, b);
    let mut pairs = vec![(a, b)];
    while let Some((a, b)) = pairs.pop() {
        let equal = match (left.kind(a), right.kind(b)) {
            (JsonKind::String, JsonKind::String) => left.string(a) == right.string(b),
            (JsonKind::Number, JsonKind::Number) => numbers(left.text(a), right.text(b)),
            (JsonKind::Array, JsonKind::Array) => {
                let elements: Vec<NodeId> = right.children(b).collect();
                let count = left.children(a).count();
                pairs.extend(left.children(a).zip(elements.iter().copied()));
                count == elements.len()
            }
            (JsonKind::Object, JsonKind::Object) => {
                let members: HashMap<_, NodeId> = right
                    .children(b)
                    .map(|member| (right.name(member), member))
                    .collect();
                let found: Option<Vec<(NodeId, NodeId)>> = left
                    .children(a)
                    .map(|member| Some((member, *members.get(&left.name(member))?)))
                    .collect();
                let Some(found) = found.filter(|found| {
                    found.len() == members.len() && members.len() == right.children(b).count()
                }) else {
                    return false;
                };
                pairs.extend(found);
                true
            }
            (one, other) => one == other && left.text(a) == right.text(b),
        };
        if !equal {
            return false;
        }
    }
    true
}

fn numbers(a: &[u8], b: &[u8]) -> bool {
    if a == b {
        return true;
    }
    let compared = Decimal::parse(a).zip(Decimal::parse(b));
    compared.is_some_and(|(a, b)| a == b)
}
