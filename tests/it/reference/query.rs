//! Queries on a tree, by the words of RFC 9535 section 2: node lists, segment by segment.

use postern_config::routes::Names;
use postern_config::selector::ast::{Pick, Segment};

use super::document::{Document, Kind, NodeId};

/// Evaluates queries on one document.
pub(crate) struct Queries<'d, 't> {
    pub(crate) document: &'d Document<'t>,
    pub(crate) names: Names,
}

impl Queries<'_, '_> {
    /// The nodes that the segments select, beginning at `start`.
    pub(crate) fn select(&self, start: NodeId, segments: &[Segment]) -> Vec<NodeId> {
        let mut nodes = vec![start];
        for segment in segments {
            nodes = nodes
                .iter()
                .flat_map(|node| self.segment(*node, segment))
                .collect();
        }
        nodes
    }

    fn segment(&self, node: NodeId, segment: &Segment) -> Vec<NodeId> {
        let (parents, picks) = match segment {
            Segment::Child(picks) => (vec![node], picks),
            Segment::Descendant(picks) => (self.descendants(node), picks),
        };
        let picked = parents
            .iter()
            .flat_map(|parent| picks.iter().flat_map(|pick| self.pick(*parent, pick)));
        picked.collect()
    }

    /// The node and everything below it.
    fn descendants(&self, node: NodeId) -> Vec<NodeId> {
        let mut all = vec![node];
        for child in self.document.children(node) {
            all.extend(self.descendants(child.node));
        }
        all
    }

    fn pick(&self, parent: NodeId, pick: &Pick) -> Vec<NodeId> {
        match pick {
            Pick::Name(name) => self.named(parent, name),
            Pick::Wildcard => self.values(parent),
            Pick::Index(index) => self.at(parent, *index).into_iter().collect(),
            Pick::Slice { start, end, step } => self.slice(parent, *start, *end, *step),
            Pick::Filter(logical) => self
                .values(parent)
                .into_iter()
                .filter(|child| self.holds(logical, *child))
                .collect(),
        }
    }

    /// Every child, named or not.
    fn values(&self, parent: NodeId) -> Vec<NodeId> {
        let children = self.document.children(parent);
        children.iter().map(|child| child.node).collect()
    }

    /// Every member of that name, duplicates included.
    fn named(&self, parent: NodeId, name: &str) -> Vec<NodeId> {
        let children = self.document.children(parent).iter();
        children
            .filter(|child| child.name.as_deref().is_some_and(|n| self.same(n, name)))
            .map(|child| child.node)
            .collect()
    }

    fn same(&self, left: &str, right: &str) -> bool {
        match self.names {
            Names::Exact => left == right,
            Names::Caseless => left.eq_ignore_ascii_case(right),
        }
    }

    fn elements(&self, parent: NodeId) -> Vec<NodeId> {
        match self.document.nodes[parent].kind {
            Kind::Array => self.values(parent),
            Kind::Object | Kind::String(_) | Kind::Number | Kind::Bool(_) | Kind::Null => {
                Vec::new()
            }
        }
    }

    fn at(&self, parent: NodeId, index: i64) -> Option<NodeId> {
        let elements = self.elements(parent);
        let index = normalize(index, length(&elements));
        elements.get(usize::try_from(index).ok()?).copied()
    }

    /// RFC 9535 section 2.3.4.2.2.
    fn slice(
        &self,
        parent: NodeId,
        start: Option<i64>,
        end: Option<i64>,
        step: Option<i64>,
    ) -> Vec<NodeId> {
        let elements = self.elements(parent);
        let len = length(&elements);
        let step = i128::from(step.unwrap_or(1));
        let (first, past) = if step >= 0 { (0, len) } else { (len - 1, -1) };
        let start = start.map_or(first, |start| normalize(start, len));
        let end = end.map_or(past, |end| normalize(end, len));
        let mut picked = Vec::new();
        let mut take = |index: i128| picked.push(elements[usize::try_from(index).unwrap()]);
        if step > 0 {
            let (lower, upper) = (start.clamp(0, len), end.clamp(0, len));
            let mut index = lower;
            while index < upper {
                take(index);
                index += step;
            }
        } else if step < 0 {
            let (upper, lower) = (start.clamp(-1, len - 1), end.clamp(-1, len - 1));
            let mut index = upper;
            while lower < index {
                take(index);
                index += step;
            }
        }
        picked
    }
}

fn length(elements: &[NodeId]) -> i128 {
    i128::try_from(elements.len()).unwrap()
}

/// RFC 9535 section 2.3.4.2.2, `Normalize`.
fn normalize(index: i64, len: i128) -> i128 {
    let index = i128::from(index);
    if index >= 0 { index } else { len + index }
}
