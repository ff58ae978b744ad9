//! Puts the true values into a write, where it holds what the role was shown of them.
//!
//! Three documents are followed side by side: what is written, what is stored, and what of that the role
//! was shown. Where the write repeats what was shown, the stored bytes take its place; where it differs
//! at a hidden place, somebody tries to write what they cannot see; what it leaves out although something
//! hidden stands there is put back when the write would erase it.
//!
//! Elements of arrays belong together by their `id`, where each has one of its own. Without that they
//! belong together by position, as long as their number is the same and no more than one has changed:
//! anything else could give one element's secret to another.

mod after;
mod elements;

use std::borrow::Cow;
use std::collections::HashMap;

use crate::json::{Held, Look, NodeId, Sight, Spot};
use crate::request_guard::write::judge::{self, Force, Judge, Start, inside, member};
use crate::request_guard::write::resource::Resource;
use crate::request_guard::write::same::same;
use crate::request_guard::write::splice::Splice;
use crate::request_guard::write::{WriteError, WriteFormat, WriteGuard, WriteMethod, unreadable};
use crate::value_action::JsonKind;

/// The same place in the three documents.
#[derive(Clone, Copy)]
struct Place {
    written: NodeId,
    stored: NodeId,
    shown: NodeId,
    spot: Spot,
    force: Force,
}

/// A restoration on its way.
struct Restoring<'r, 'p> {
    guard: &'r WriteGuard,
    written: Held<'r>,
    stored: Held<'r>,
    shown: Held<'r>,
    sight: Sight<'p>,
    envelopes: Vec<Spot>,
    /// What makes the write true.
    splice: Splice,
    /// The same changes as the role would see them.
    seen: Splice,
    open: Vec<Place>,
}

/// Restores a body.
///
/// # Errors
/// See [`WriteError`].
pub(super) fn restore(
    guard: &WriteGuard,
    body: &[u8],
    stored: &Resource,
) -> Result<Vec<u8>, WriteError> {
    let depth_max = guard.parts.depth_max;
    let document = |text| {
        let read = Held::read_within(text, depth_max);
        let read = read.map_err(|error| WriteError::Stored(*error))?;
        match judge::repeats_a_name(&read) {
            true => Err(WriteError::Conflict(
                "a stored name comes twice in one object",
            )),
            false => Ok(read),
        }
    };
    let mut sight = Sight::new(&guard.parts.sight);
    let envelopes = guard.envelopes(&mut sight)?;
    let mut restoring = Restoring {
        guard,
        written: guard.read_document(body)?,
        stored: document(&stored.truth)?,
        shown: document(&stored.shown)?,
        sight,
        envelopes,
        splice: Splice::default(),
        seen: Splice::default(),
        open: Vec::new(),
    };
    let first = restoring.resource();
    restoring.open.push(first);
    while let Some(place) = restoring.open.pop() {
        restoring.settle(place)?;
    }
    let seen = std::mem::take(&mut restoring.seen).apply(body);
    let restored = std::mem::take(&mut restoring.splice).apply(body);
    let (restored, seen) = restored.zip(seen).ok_or(TWICE)?;
    match restoring.stays_hidden(first, &restored, &seen)? {
        true => Ok(restored),
        false => Err(guard.hidden(guard.every_hidden_label())),
    }
}

const TWICE: WriteError = WriteError::Conflict("two values stand at one place");

impl Restoring<'_, '_> {
    /// Where the resource stands in each document: at the root, or in its envelope.
    fn resource(&self) -> Place {
        let force = match (self.guard.parts.method, self.guard.parts.format) {
            (WriteMethod::Put, _) => Force::Replaces,
            (_, WriteFormat::MergePatch) => Force::MergesDeeply,
            _ => Force::Merges,
        };
        let mut place = Place {
            written: 0,
            stored: 0,
            shown: 0,
            spot: Sight::root(),
            force,
        };
        let names = self.guard.parts.rules.envelope_names();
        if let (Some(names), [envelope]) = (names, self.envelopes.as_slice()) {
            let written = inside(&self.written, &names);
            let stored = inside(&self.stored, &names).zip(inside(&self.shown, &names));
            match (written, stored) {
                (Some(_), Some(_)) => {}
                (None, Some((stored, shown))) => {
                    let spot = *envelope;
                    place = Place {
                        stored,
                        shown,
                        spot,
                        ..place
                    };
                }
                (written, None) => {
                    let written = written.unwrap_or(0);
                    let spot = *envelope;
                    place = Place {
                        written,
                        spot,
                        ..place
                    };
                }
            }
        } else if let Some(written) = self.only_member() {
            place = Place { written, ..place };
        }
        place
    }

    /// The only member of what is written, when it is an object that stands for the resource: nothing of
    /// that name is stored.
    fn only_member(&self) -> Option<NodeId> {
        let mut members = self.written.children(0);
        let only = members.next().filter(|_| members.next().is_none())?;
        let wraps =
            self.written.kind(0) == JsonKind::Object && self.written.kind(only) == JsonKind::Object;
        let name = self.written.name(only);
        let known = self.stored.children(0);
        let mut known = known.filter(|known| self.stored.name(*known).eq_ignore_ascii_case(&name));
        (wraps && known.next().is_none()).then_some(only)
    }

    fn settle(&mut self, place: Place) -> Result<(), WriteError> {
        let look = self.sight.look(place.spot).map_err(unreadable)?;
        let repeats = same((&self.written, place.written), (&self.shown, place.shown));
        if hides(look, &self.written, place.written) || hides(look, &self.stored, place.stored) {
            return match repeats {
                true => {
                    self.put_true_value(place);
                    Ok(())
                }
                false => Err(self.hidden(place.spot)),
            };
        }
        if repeats {
            if self.hides_inside(place) {
                self.put_true_value(place);
            }
            return Ok(());
        }
        let kinds = (
            self.written.kind(place.written),
            self.stored.kind(place.stored),
            self.shown.kind(place.shown),
        );
        match kinds {
            (JsonKind::Object, JsonKind::Object, JsonKind::Object) => self.members(place),
            (JsonKind::Array, JsonKind::Array, JsonKind::Array) => self.elements(place),
            _ if self.hides_inside(place) => Err(self.hidden(place.spot)),
            _ => self.fresh(place.written, place.spot),
        }
    }

    fn put_true_value(&mut self, place: Place) {
        let truth = self.stored.text(place.stored);
        self.splice.replace(self.written.span(place.written), truth);
    }

    /// Whether the role was shown something else than what is stored, at a place or inside it.
    fn hides_inside(&self, place: Place) -> bool {
        self.stored.text(place.stored) != self.shown.text(place.shown)
    }

    /// What nobody has stored yet must be free of hidden places and of our replacements.
    fn fresh(&mut self, written: NodeId, spot: Spot) -> Result<(), WriteError> {
        let ours = &self.guard.parts.ours;
        let mut judge = Judge::new(&self.written, &mut self.sight, ours, &self.envelopes);
        judge
            .run(Start::at(written, spot), Force::Creates)
            .map_err(unreadable)?;
        let found = judge.found();
        match found.nodes.is_empty() {
            true => Ok(()),
            false => Err(self.guard.hidden(found.labels)),
        }
    }

    fn members(&mut self, place: Place) -> Result<(), WriteError> {
        if self.hides_inside(place) && self.changes_identity(place) {
            return Err(WriteError::Conflict("another `id` beside hidden values"));
        }
        let stored = members(&self.stored, place.stored);
        let shown = members(&self.shown, place.shown);
        let written = members(&self.written, place.written);
        for (name, node) in &written {
            let spot = self.sight.member(place.spot, name).map_err(unreadable)?;
            match (stored.get(name), shown.get(name)) {
                (Some(stored), Some(shown)) => self.open.push(Place {
                    written: *node,
                    stored: *stored,
                    shown: *shown,
                    spot,
                    force: self.force_below(place.force, spot),
                }),
                (None, None) => {
                    if self.is_hidden_in_another_case(place, name) {
                        return Err(self.hidden(spot));
                    }
                    self.fresh(*node, spot)?;
                }
                // It was removed from what the role was shown.
                (Some(_), None) | (None, Some(_)) => return Err(self.hidden(spot)),
            }
        }
        if place.force != Force::Replaces {
            return Ok(());
        }
        let span = self.written.span(place.written);
        let last = self.written.children(place.written).last();
        let end = last.map_or(span.start + 1, |last| self.written.span(last).end);
        let (mut alone, mut seen_alone) = (written.is_empty(), written.is_empty());
        for node in self.stored.children(place.stored).collect::<Vec<_>>() {
            let name = self.stored.name(node);
            if written.contains_key(&name) || !self.must_stay(place.spot, node, shown.get(&name))? {
                continue;
            }
            let member = self.stored.span_with_name(node);
            let member = self.stored.whole_text().get(member).unwrap_or_default();
            if !std::mem::take(&mut alone) {
                self.splice.insert(end, b",");
            }
            self.splice.insert(end, member);
            if let Some(seen) = shown.get(&name) {
                let seen = self.shown.span_with_name(*seen);
                if !std::mem::take(&mut seen_alone) {
                    self.seen.insert(end, b",");
                }
                let seen = self.shown.whole_text().get(seen).unwrap_or_default();
                self.seen.insert(end, seen);
            }
        }
        Ok(())
    }

    /// Whether something hidden is stored under this name in another case, which the application may take
    /// for the same.
    fn is_hidden_in_another_case(&self, place: Place, name: &str) -> bool {
        let twin = |tree: &Held<'_>, of: NodeId| {
            let mut members = tree.children(of);
            members.find(|member| tree.name(*member).eq_ignore_ascii_case(name))
        };
        let shown = twin(&self.shown, place.shown).map(|member| self.shown.text(member));
        twin(&self.stored, place.stored)
            .is_some_and(|member| shown != Some(self.stored.text(member)))
    }

    /// Whether an object that has something hidden is written with another `id` than it has.
    fn changes_identity(&self, place: Place) -> bool {
        let id = |tree: &Held<'_>, object| member(tree, object, "id");
        let ids = id(&self.written, place.written).zip(id(&self.shown, place.shown));
        ids.is_some_and(|(written, shown)| !same((&self.written, written), (&self.shown, shown)))
    }

    /// Whether a stored member that the write leaves out holds something hidden.
    fn must_stay(
        &mut self,
        of: Spot,
        stored: NodeId,
        shown: Option<&NodeId>,
    ) -> Result<bool, WriteError> {
        let Some(shown) = shown else {
            return Ok(true);
        };
        let name = self.stored.name(stored);
        let spot = self.sight.member(of, &name).map_err(unreadable)?;
        let look = self.sight.look(spot).map_err(unreadable)?;
        let changed = self.stored.text(stored) != self.shown.text(*shown);
        Ok(changed || hides(look, &self.stored, stored))
    }

    fn force_below(&self, force: Force, below: Spot) -> Force {
        match force {
            Force::MergesDeeply => Force::MergesDeeply,
            Force::Merges if self.envelopes.contains(&below) => Force::Merges,
            Force::Merges | Force::Replaces | Force::Creates => Force::Replaces,
        }
    }

    fn hidden(&self, spot: Spot) -> WriteError {
        self.guard
            .hidden(self.sight.labels(spot).into_iter().collect())
    }
}

fn hides(look: Look, tree: &Held<'_>, node: NodeId) -> bool {
    match tree.kind(node) {
        JsonKind::Array | JsonKind::Object => look.hides_container,
        JsonKind::String | JsonKind::Number | JsonKind::Bool | JsonKind::Null => look.hides_scalar,
    }
}

fn members<'t>(tree: &Held<'t>, object: NodeId) -> HashMap<Cow<'t, str>, NodeId> {
    let members = tree.children(object);
    members.map(|member| (tree.name(member), member)).collect()
}
