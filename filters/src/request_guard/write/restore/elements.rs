//! Which stored element each written one is: the one with its `id`, or the one at its place.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap};

use super::{Place, Restoring};
use crate::json::{Held, NodeId};
use crate::request_guard::write::judge::{Force, member};
use crate::request_guard::write::same::same;
use crate::request_guard::write::{WriteError, unreadable};
use crate::value_action::JsonKind;

impl Restoring<'_, '_> {
    pub(super) fn elements(&mut self, place: Place) -> Result<(), WriteError> {
        let spot = self.sight.element(place.spot).map_err(unreadable)?;
        let written: Vec<NodeId> = self.written.children(place.written).collect();
        if !self.hides_inside(place) {
            return written
                .into_iter()
                .try_for_each(|node| self.fresh(node, spot));
        }
        let stored: Vec<NodeId> = self.stored.children(place.stored).collect();
        let shown: Vec<NodeId> = self.shown.children(place.shown).collect();
        if stored.len() != shown.len() {
            return Err(WriteError::Conflict(
                "an array has elements that are not shown",
            ));
        }
        let pairs = match self.by_id(&written, &shown) {
            Some(pairs) => pairs,
            None => self.by_position(&written, &shown)?,
        };
        let used: BTreeSet<usize> = pairs.iter().filter_map(|(_, place)| *place).collect();
        for (place, (stored, shown)) in stored.iter().zip(&shown).enumerate() {
            let secret = self.stored.text(*stored) != self.shown.text(*shown);
            if secret && !used.contains(&place) {
                return Err(self.hidden(spot));
            }
        }
        for (node, place) in pairs {
            let both = place.and_then(|place| Some((*stored.get(place)?, *shown.get(place)?)));
            match both {
                None => self.fresh(node, spot)?,
                Some((stored, shown)) => self.open.push(Place {
                    written: node,
                    stored,
                    shown,
                    spot,
                    force: Force::Replaces,
                }),
            }
        }
        Ok(())
    }

    /// Which shown element each written one is, by `id`; none when not every shown one has an `id` of
    /// its own, or two written ones have the same.
    fn by_id(&self, written: &[NodeId], shown: &[NodeId]) -> Option<Vec<(NodeId, Option<usize>)>> {
        let mut places = HashMap::new();
        for (place, node) in shown.iter().enumerate() {
            if places.insert(id_of(&self.shown, *node)?, place).is_some() {
                return None;
            }
        }
        let mut used = BTreeSet::new();
        let mut pairs = Vec::with_capacity(written.len());
        for node in written {
            let place = id_of(&self.written, *node).and_then(|id| places.get(&id).copied());
            if place.is_some_and(|place| !used.insert(place)) {
                return None;
            }
            pairs.push((*node, place));
        }
        Some(pairs)
    }

    fn by_position(
        &self,
        written: &[NodeId],
        shown: &[NodeId],
    ) -> Result<Vec<(NodeId, Option<usize>)>, WriteError> {
        let differs = |(written, shown): &(&NodeId, &NodeId)| {
            !same((&self.written, **written), (&self.shown, **shown))
        };
        let changed = written.iter().zip(shown).filter(differs).count();
        if written.len() != shown.len() || changed > 1 {
            return Err(WriteError::Conflict(
                "elements without an `id` of their own were added, taken out, moved or changed",
            ));
        }
        let pairs = written.iter().enumerate();
        Ok(pairs.map(|(place, node)| (*node, Some(place))).collect())
    }
}

/// An element's scalar `id`: whether it is a string, and its text.
fn id_of<'t>(tree: &Held<'t>, node: NodeId) -> Option<(bool, Cow<'t, str>)> {
    let id = member(tree, node, "id")?;
    match tree.kind(id) {
        JsonKind::String => Some((true, tree.string(id))),
        JsonKind::Number => {
            let lexeme = std::str::from_utf8(tree.text(id)).ok()?;
            Some((false, Cow::Borrowed(lexeme)))
        }
        JsonKind::Bool | JsonKind::Null | JsonKind::Array | JsonKind::Object => None,
    }
}
