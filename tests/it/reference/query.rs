//! Queries on a tree, by the words of RFC 9535 section 2: node lists, segment by segment.
//!
//! Outside filters every member of a repeated name counts. Inside them the standard leaves repeated
//! names open and readers differ, so a filter is evaluated as one reader would, and it is noted when
//! that made a choice.

use std::cell::Cell;

use postern_config::routes::Names;
use postern_config::selector::ast::{Pick, Segment};

use super::document::{Child, Document, Kind, NodeId};

/// Which member of a repeated name a reader keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reading {
    First,
    Last,
}

/// Evaluates queries on one document.
#[derive(Clone, Copy)]
pub(crate) struct Queries<'d, 't> {
    pub(crate) document: &'d Document<'t>,
    pub(crate) names: Names,
    /// How objects are read inside filters.
    pub(crate) reading: Reading,
    /// Whether a query inside a filter is being evaluated.
    pub(crate) in_filter: bool,
    /// Set when a query inside a filter asked for a repeated name.
    pub(crate) ambiguous: &'d Cell<bool>,
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
        for child in self.children(node) {
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
            Pick::Filter(logical) => {
                let inside = Self {
                    in_filter: true,
                    ..*self
                };
                let mut children = self.values(parent);
                children.retain(|child| inside.holds(logical, *child));
                children
            }
        }
    }

    /// What a node is taken for: inside filters, strings are strings.
    fn meant(&self, node: NodeId) -> NodeId {
        match self.in_filter {
            true => node,
            false => self.document.meant(node),
        }
    }

    /// Every child; inside a filter, as one reader sees them.
    pub(super) fn children(&self, parent: NodeId) -> Vec<&Child> {
        let parent = self.meant(parent);
        let all: Vec<&Child> = self.document.children(parent).iter().collect();
        if self.in_filter { self.read(&all) } else { all }
    }

    fn values(&self, parent: NodeId) -> Vec<NodeId> {
        let children = self.children(parent);
        children.iter().map(|child| child.node).collect()
    }

    /// The members of that name; inside a filter, the one that a reader keeps.
    fn named(&self, parent: NodeId, name: &str) -> Vec<NodeId> {
        let parent = self.meant(parent);
        let mut found: Vec<&Child> = self.document.children(parent).iter().collect();
        found.retain(|child| child.name.as_deref().is_some_and(|n| self.same(n, name)));
        if self.in_filter {
            found = self.read(&found);
        }
        found.iter().map(|child| child.node).collect()
    }

    /// What a reader keeps of these children: one of each name.
    fn read<'c>(&self, children: &[&'c Child]) -> Vec<&'c Child> {
        let same_name = |a: &Child, b: &Child| match (&a.name, &b.name) {
            (Some(a), Some(b)) => self.same(a, b),
            _ => false,
        };
        let kept = children.iter().enumerate().filter(|(at, child)| {
            let others = match self.reading {
                Reading::First => &children[..*at],
                Reading::Last => &children[at + 1..],
            };
            let repeated = others.iter().any(|other| same_name(child, other));
            if repeated {
                self.ambiguous.set(true);
            }
            !repeated
        });
        kept.map(|(_, child)| *child).collect()
    }

    pub(super) fn same(&self, left: &str, right: &str) -> bool {
        match self.names {
            Names::Exact => left == right,
            Names::Caseless => left.eq_ignore_ascii_case(right),
        }
    }

    fn elements(&self, parent: NodeId) -> Vec<NodeId> {
        match self.document.nodes[self.meant(parent)].kind {
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
