//! A held value: its text, and the tree of what is in it.
//!
//! Guarantees: built without recursion from text that has already been validated; the tree takes at
//! most twenty bytes per value of the text, whose length is bounded. It answers what selectors ask
//! and changes nothing.

mod compare;
mod filter;
mod meter;

use std::borrow::Cow;
use std::ops::Range;

use memchr::memchr;
use postern_config::routes::Names;

use super::scanner::{Halt, Inside, Scanner, Sink};
use crate::body_filter::BodyError;
use crate::value_action::{JsonKind, decode};

pub(super) use filter::Question;

/// A value of the held text, counted in the order of their first bytes; 0 is the whole.
pub(crate) type NodeId = u32;

/// Where a value and its name stand in the text.
#[derive(Debug, Clone, Copy)]
struct Node {
    start: u32,
    end: u32,
    /// The name's text without quotes; empty and at 0 where there is none.
    name_start: u32,
    name_end: u32,
    /// The first value that is not inside.
    after: NodeId,
}

/// A held value.
pub(crate) struct Held<'t> {
    text: &'t [u8],
    nodes: Vec<Node>,
}

impl<'t> Held<'t> {
    /// Reads a value that has already been validated.
    ///
    /// # Errors
    /// The text is no JSON value after all, or too long to count.
    pub(super) fn read(text: &'t [u8]) -> Result<Self, Halt> {
        Self::read_within(text, usize::MAX)
    }

    /// Reads a document that nobody has validated yet, nested no deeper than `depth_max`.
    ///
    /// # Errors
    /// The text is no JSON document, too deep, or too long to count.
    pub(crate) fn read_within(text: &'t [u8], depth_max: usize) -> Result<Self, Halt> {
        let mut tree = Tree::default();
        let mut scanner = Scanner::new(depth_max);
        scanner.push(text, &mut tree)?;
        scanner.finish(text.len(), &mut tree)?;
        Ok(Self {
            text,
            nodes: tree.nodes,
        })
    }

    /// The first value after this one and what is inside it.
    pub(super) fn after(&self, node: NodeId) -> NodeId {
        let known = self.node(node).map(|node| node.after);
        known.unwrap_or_else(|| Self::first_inside(node))
    }

    /// The first value inside this one, if there is any.
    pub(super) fn first_inside(node: NodeId) -> NodeId {
        node.saturating_add(1)
    }

    /// How many values are directly inside this one.
    pub(super) fn count(&self, node: NodeId) -> u64 {
        self.children(node).map(|_| 1).sum()
    }

    /// Every value, the whole first.
    pub(super) fn all(&self) -> impl Iterator<Item = NodeId> + '_ {
        (0_u32..).take(self.nodes.len())
    }

    fn node(&self, node: NodeId) -> Option<&Node> {
        self.nodes.get(node as usize)
    }

    /// The values directly inside this one.
    pub(crate) fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let end = self.after(node);
        let first = Self::first_inside(node);
        std::iter::successors(Some(first), |child| Some(self.after(*child)))
            .take_while(move |child| *child < end)
    }

    fn slice(&self, start: u32, end: u32) -> &'t [u8] {
        self.text
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }

    /// The whole text.
    pub(crate) fn whole_text(&self) -> &'t [u8] {
        self.text
    }

    /// A value's text.
    pub(crate) fn text(&self, node: NodeId) -> &'t [u8] {
        let node = self.node(node);
        node.map_or(&[], |node| self.slice(node.start, node.end))
    }

    pub(crate) fn kind(&self, node: NodeId) -> JsonKind {
        match self.text(node).first() {
            Some(b'"') => JsonKind::String,
            Some(b'[') => JsonKind::Array,
            Some(b'{') => JsonKind::Object,
            Some(b't' | b'f') => JsonKind::Bool,
            Some(b'n') | None => JsonKind::Null,
            Some(_) => JsonKind::Number,
        }
    }

    /// A string's characters.
    pub(crate) fn string(&self, node: NodeId) -> Cow<'t, str> {
        let text = self.text(node);
        let inner = text
            .strip_prefix(b"\"")
            .and_then(|text| text.strip_suffix(b"\""));
        characters(inner.unwrap_or_default())
    }

    /// A member's name as it is written, without quotes.
    fn raw_name(&self, node: NodeId) -> &'t [u8] {
        let node = self.node(node);
        node.map_or(&[], |node| self.slice(node.name_start, node.name_end))
    }

    /// A member's name, decoded.
    pub(crate) fn name(&self, node: NodeId) -> Cow<'t, str> {
        characters(self.raw_name(node))
    }

    /// Where a value stands in the text.
    pub(crate) fn span(&self, node: NodeId) -> Range<usize> {
        let node = self.node(node);
        node.map_or(0..0, |node| node.start as usize..node.end as usize)
    }

    /// Where a member or an element stands in the text: from its name on, if it has one.
    pub(crate) fn span_with_name(&self, node: NodeId) -> Range<usize> {
        let value = self.span(node);
        let name = self.node(node).filter(|node| node.name_start > 0);
        let start = name.map_or(value.start, |node| node.name_start as usize - 1);
        start..value.end
    }

    /// A member's name, decoded, such that two names are equal when the route takes them for equal.
    fn folded_name(&self, node: NodeId, fold: Names) -> Cow<'t, str> {
        let name = characters(self.raw_name(node));
        match fold {
            Names::Exact => name,
            Names::Caseless => Cow::Owned(name.to_ascii_lowercase()),
        }
    }

    fn has_name(&self, node: NodeId, name: &str, fold: Names) -> bool {
        let found = characters(self.raw_name(node));
        match fold {
            Names::Exact => found == name,
            Names::Caseless => found.eq_ignore_ascii_case(name),
        }
    }
}

/// What the text of a string, without its quotes, says.
pub(super) fn characters(raw: &[u8]) -> Cow<'_, str> {
    if memchr(b'\\', raw).is_none()
        && let Ok(text) = std::str::from_utf8(raw)
    {
        return Cow::Borrowed(text);
    }
    let mut quoted = Vec::with_capacity(raw.len() + 2);
    quoted.push(b'"');
    quoted.extend_from_slice(raw);
    quoted.push(b'"');
    // INVARIANT: the scanner has validated the text, so it can be decoded.
    Cow::Owned(decode(&quoted).unwrap_or_default())
}

/// Collects the values of a text that is read in one piece.
#[derive(Default)]
struct Tree {
    nodes: Vec<Node>,
    open: Vec<usize>,
    name: (u32, u32),
}

fn offset(at: usize) -> Result<u32, Halt> {
    u32::try_from(at)
        .ok()
        .ok_or_else(|| super::scanner::limit("held_bytes"))
}

impl Sink for Tree {
    fn value_begins(&mut self, _: JsonKind, at: usize) -> Result<Inside, Halt> {
        let (name_start, name_end) = std::mem::take(&mut self.name);
        self.open.push(self.nodes.len());
        self.nodes.push(Node {
            start: offset(at)?,
            end: 0,
            name_start,
            name_end,
            after: 0,
        });
        Ok(Inside::Follow)
    }

    fn value_ends(&mut self, at: usize) -> Result<(), Halt> {
        let after = offset(self.nodes.len())?;
        let open = self.open.pop().and_then(|node| self.nodes.get_mut(node));
        let Some(node) = open else {
            return Err(Box::new(BodyError::Spent));
        };
        node.end = offset(at)?;
        node.after = after;
        Ok(())
    }

    fn closes(&mut self, _: usize) -> Result<(), Halt> {
        Ok(())
    }

    fn name_begins(&mut self, at: usize) -> Result<(), Halt> {
        self.name.0 = offset(at + 1)?;
        Ok(())
    }

    fn name_ends(&mut self, raw: &[u8], _: bool) -> Result<(), Halt> {
        self.name.1 = self.name.0.saturating_add(offset(raw.len())?);
        Ok(())
    }

    fn comma(&mut self, _: usize) -> Result<(), Halt> {
        Ok(())
    }
}
