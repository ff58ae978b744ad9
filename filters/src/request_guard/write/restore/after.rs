//! What is stored after a write, as far as the write's kind says it.
//!
//! A label may be chosen by a filter, an index or the path, so that a write of visible fields alone can
//! show what was hidden. Whether it does is found out by asking the engine what the role would be shown
//! of the document that the write makes.

use std::collections::BTreeSet;

use super::{Place, Restoring, TWICE};
use crate::body_filter::BodyFilter;
use crate::json::{Held, JsonFilter};
use crate::request_guard::write::judge::{Force, inside, member};
use crate::request_guard::write::same::{At, same};
use crate::request_guard::write::splice::{self, Splice};
use crate::request_guard::write::{WriteError, unreadable};
use crate::value_action::JsonKind;

impl Restoring<'_, '_> {
    /// SECURITY: whether the role would be shown exactly what it wrote of what the write leaves stored. A
    /// write that changes what a filter looks at, moves an element to another index, or puts the
    /// resource into a member that no rule knows, would show true values otherwise.
    pub(super) fn stays_hidden(
        &self,
        at: Place,
        restored: &[u8],
        seen: &[u8],
    ) -> Result<bool, WriteError> {
        let Some(plan) = self.guard.restores() else {
            return Ok(false);
        };
        let depth_max = self.guard.parts.depth_max;
        let read = |text| Held::read_within(text, depth_max).map_err(unreadable);
        let names = self.guard.parts.rules.envelope_names();
        let of = |tree: &Held<'_>| match (&names, at.written) {
            (None, _) | (_, 0) => Some(0),
            (Some(names), _) => inside(tree, names),
        };
        let envelope = match names.as_deref() {
            Some([only]) if at.stored == 0 && at.written == 0 => Some(*only),
            _ => None,
        };
        let (true_write, seen_write) = (read(restored)?, read(seen)?);
        let (from, seen_from) = of(&true_write).zip(of(&seen_write)).ok_or(TWICE)?;
        let stored = (&self.stored, at.stored);
        let stored = after(stored, (&true_write, from), at.force, envelope).ok_or(TWICE)?;
        let shown = (&self.shown, at.shown);
        let expected = after(shown, (&seen_write, seen_from), at.force, envelope).ok_or(TWICE)?;
        let mut filter = JsonFilter::new(plan.json_plan(false));
        let mut shown = Vec::with_capacity(stored.len());
        let read_again = filter.push(&stored, &mut shown);
        if read_again.and_then(|()| filter.finish(&mut shown)).is_err() {
            return Ok(false);
        }
        if shown.is_empty() {
            return Ok(true);
        }
        let (shown, expected) = (read(&shown)?, read(&expected)?);
        Ok(same((&shown, 0), (&expected, 0)))
    }
}

/// The document after `patch` was written to the resource in `base`; none when its changes overlap.
///
/// `envelope` is the member of the resource that is merged as the resource itself is.
fn after(
    (base, resource): At<'_, '_>,
    (patch, from): At<'_, '_>,
    force: Force,
    envelope: Option<&str>,
) -> Option<Vec<u8>> {
    let mut splice = Splice::default();
    let mut dropped = BTreeSet::new();
    let mut open = vec![(resource, from, force, envelope)];
    while let Some((stored, written, force, envelope)) = open.pop() {
        let objects =
            base.kind(stored) == JsonKind::Object && patch.kind(written) == JsonKind::Object;
        if !objects || matches!(force, Force::Replaces | Force::Creates) {
            splice.replace(base.span(stored), patch.text(written));
            continue;
        }
        let mut fresh = Vec::new();
        for child in patch.children(written) {
            let name = patch.name(child);
            let deletes = force == Force::MergesDeeply && patch.kind(child) == JsonKind::Null;
            match member(base, stored, &name) {
                Some(known) if deletes => {
                    dropped.insert(known);
                }
                Some(known) => {
                    let merges = force == Force::MergesDeeply || envelope == Some(&*name);
                    let below = if merges { force } else { Force::Replaces };
                    open.push((known, child, below, None));
                }
                None if deletes => {}
                None => fresh.push(child),
            }
        }
        let last = base.children(stored).last();
        let end = last.map_or_else(|| base.span(stored).start + 1, |last| base.span(last).end);
        let mut alone = base.children(stored).all(|child| dropped.contains(&child));
        for child in fresh {
            if !std::mem::take(&mut alone) {
                splice.insert(end, b",");
            }
            let named = patch.whole_text().get(patch.span_with_name(child))?;
            splice.insert(end, named);
        }
    }
    splice::cut(&mut splice, base, &dropped);
    splice.apply(base.whole_text())
}
