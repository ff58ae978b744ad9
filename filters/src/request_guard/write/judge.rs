//! Judges a JSON value in a write, place by place, without knowing what is stored.
//!
//! Guarantees: every value at a hidden place is found; so is every value that would take the place of a
//! container in which something hidden can stand, as far as the kind of write allows that; so is every
//! string that is one of our replacements, wherever it stands. No recursion.

use std::collections::HashSet;

use crate::body_filter::BodyError;
use crate::json::{Held, Holds, Look, NodeId, Sight, Spot};
use crate::request_guard::write::Found;
use crate::request_guard::write::ours::Ours;
use crate::value_action::JsonKind;

/// What a value in a write does to what is stored at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Force {
    /// There is nothing stored.
    Creates,
    /// Its members replace those stored, the rest stays. Whether members of members do is not known.
    Merges,
    /// Objects are merged at every depth (RFC 7396); anything else replaces.
    MergesDeeply,
    /// Nothing of what is stored there stays.
    Replaces,
}

/// Where judging begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Start {
    pub(super) node: NodeId,
    pub(super) spot: Spot,
    /// The value that is judged from another start.
    elsewhere: Option<NodeId>,
}

impl Start {
    /// A value at a place.
    pub(super) fn at(node: NodeId, spot: Spot) -> Self {
        Self {
            node,
            spot,
            elsewhere: None,
        }
    }
}

/// Where a body's root may stand in the document that the selectors are about: at its root, or where an
/// envelope holds the resource. The only member of an object may itself be an envelope. `wrapped` is the
/// resource in the envelope of which the policy speaks.
pub(super) fn starts(tree: &Held<'_>, envelopes: &[Spot], wrapped: Option<NodeId>) -> Vec<Start> {
    let mut starts = vec![Start::at(0, Sight::root())];
    // Whoever takes the root for the resource knows nothing of the envelope in it.
    starts.extend(envelopes.iter().map(|spot| Start {
        elsewhere: wrapped,
        ..Start::at(0, *spot)
    }));
    let mut children = tree.children(0);
    match (tree.kind(0), children.next(), children.next()) {
        (JsonKind::Object, Some(only), None) if tree.kind(only) == JsonKind::Object => {
            starts.push(Start::at(only, Sight::root()));
        }
        (JsonKind::Array, ..) => {
            for element in tree.children(0) {
                starts.push(Start::at(element, Sight::root()));
                starts.extend(envelopes.iter().map(|spot| Start::at(element, *spot)));
            }
        }
        _ => {}
    }
    starts
}

/// Whether an object of the document has two members of one name.
pub(super) fn repeats_a_name(tree: &Held<'_>) -> bool {
    let mut open = vec![0];
    while let Some(node) = open.pop() {
        let mut names = HashSet::new();
        for child in tree.children(node) {
            if tree.kind(node) == JsonKind::Object && !names.insert(tree.name(child)) {
                return true;
            }
            open.push(child);
        }
    }
    false
}

/// A member's value.
pub(super) fn member(tree: &Held<'_>, object: NodeId, name: &str) -> Option<NodeId> {
    let object = (tree.kind(object) == JsonKind::Object).then_some(object)?;
    tree.children(object)
        .find(|member| tree.name(*member) == name)
}

/// The value at the end of a path of names.
pub(super) fn inside(tree: &Held<'_>, names: &[&str]) -> Option<NodeId> {
    names
        .iter()
        .try_fold(0, |node, name| member(tree, node, name))
}

/// Judges values of one body.
pub(super) struct Judge<'j, 'p> {
    tree: &'j Held<'j>,
    sight: &'j mut Sight<'p>,
    ours: &'j Ours,
    envelopes: &'j [Spot],
    found: Found,
}

impl<'j, 'p> Judge<'j, 'p> {
    /// A judge of this body.
    pub(super) fn new(
        tree: &'j Held<'j>,
        sight: &'j mut Sight<'p>,
        ours: &'j Ours,
        envelopes: &'j [Spot],
    ) -> Self {
        Self {
            tree,
            sight,
            ours,
            envelopes,
            found: Found::default(),
        }
    }

    /// What was found.
    pub(super) fn found(self) -> Found {
        self.found
    }

    /// Judges a value as standing at a place.
    pub(super) fn run(&mut self, start: Start, force: Force) -> Result<(), Box<BodyError>> {
        let mut open = vec![(start.node, start.spot, force)];
        while let Some((node, spot, force)) = open.pop() {
            let look = self.sight.look(spot)?;
            if self.is_hidden(node, look) || self.replaces_hidden(node, look, force) {
                self.found.add(node, self.sight.labels(spot));
                continue;
            }
            let kind = self.tree.kind(node);
            if kind == JsonKind::String
                && let Some(labels) = self.ours.labels_of(&self.tree.string(node))
            {
                self.found.add(node, labels.iter().copied());
            }
            for child in self.tree.children(node) {
                if start.elsewhere == Some(child) {
                    continue;
                }
                let below = if kind == JsonKind::Object {
                    self.sight.member(spot, &self.tree.name(child))?
                } else {
                    self.sight.element(spot)?
                };
                open.push((child, below, self.force_below(force, kind, below)));
            }
        }
        Ok(())
    }

    fn is_hidden(&self, node: NodeId, look: Look) -> bool {
        match self.tree.kind(node) {
            JsonKind::Array | JsonKind::Object => look.hides_container,
            JsonKind::String | JsonKind::Number | JsonKind::Bool | JsonKind::Null => {
                look.hides_scalar
            }
        }
    }

    /// Whether something hidden may be lost because this value takes its place, or may stand in it because
    /// it is a document in a string. What a rule only looks for everywhere is not expected where the writer
    /// puts a plain value.
    fn replaces_hidden(&self, node: NodeId, look: Look, force: Force) -> bool {
        if look.holds == Holds::Nothing {
            return false;
        }
        // SECURITY: nobody looks into the string here, so one that is created is taken to hold it too.
        if look.opens && self.tree.kind(node) == JsonKind::String {
            return true;
        }
        if force == Force::Creates {
            return false;
        }
        let merges = matches!(force, Force::Merges | Force::MergesDeeply);
        match self.tree.kind(node) {
            JsonKind::Object => !merges,
            JsonKind::Null => true,
            JsonKind::String | JsonKind::Number | JsonKind::Bool => look.holds == Holds::Likely,
            JsonKind::Array => look.holds == Holds::Likely || !self.is_list_of_scalars(node),
        }
    }

    fn is_list_of_scalars(&self, node: NodeId) -> bool {
        let scalar = |child| !matches!(self.tree.kind(child), JsonKind::Array | JsonKind::Object);
        self.tree.children(node).next().is_some() && self.tree.children(node).all(scalar)
    }

    fn force_below(&self, force: Force, kind: JsonKind, below: Spot) -> Force {
        match (force, kind) {
            (Force::Creates, _) => Force::Creates,
            (Force::MergesDeeply, JsonKind::Object) => Force::MergesDeeply,
            (Force::Merges, JsonKind::Object) if self.envelopes.contains(&below) => Force::Merges,
            _ => Force::Replaces,
        }
    }
}
