//! JSON Patch (RFC 6902): every operation that reaches something hidden, or could, is refused.
//!
//! Operations are never taken out or changed: what comes after one means something else without it. So
//! `drop_field` and `restore` refuse here as `reject` does.

use std::collections::BTreeSet;

use crate::json::{Held, Holds, LabelId, Look, NodeId, Sight, Spot};
use crate::request_guard::write::judge::{Force, Judge, Start};
use crate::request_guard::write::pointer::{self, Led};
use crate::request_guard::write::{WriteError, WriteGuard, unreadable};
use crate::value_action::JsonKind;

const NO_PATCH: WriteError = WriteError::Ambiguous("it is no JSON Patch (RFC 6902)");

/// One operation.
struct Operation {
    name: String,
    path: String,
    from: Option<String>,
    value: Option<NodeId>,
}

/// What operations are judged with.
struct Patch<'g, 'p> {
    guard: &'g WriteGuard,
    tree: Held<'g>,
    sight: Sight<'p>,
    /// Where paths begin.
    roots: Vec<Spot>,
    envelopes: Vec<Spot>,
    labels: BTreeSet<LabelId>,
    hidden: bool,
}

/// Judges a patch.
///
/// # Errors
/// It is none, or one of its operations reaches something hidden.
pub(super) fn judge(guard: &WriteGuard, body: &[u8]) -> Result<(), WriteError> {
    let mut sight = Sight::new(&guard.parts.sight);
    let envelopes = guard.envelopes(&mut sight)?;
    let mut patch = Patch {
        guard,
        tree: guard.read_document(body)?,
        sight,
        roots: std::iter::once(Sight::root())
            .chain(envelopes.iter().copied())
            .collect(),
        envelopes,
        labels: BTreeSet::new(),
        hidden: false,
    };
    if patch.tree.kind(0) != JsonKind::Array {
        return Err(NO_PATCH);
    }
    let operations: Vec<NodeId> = patch.tree.children(0).collect();
    for operation in operations {
        let operation = patch.read(operation)?;
        patch.judge(&operation)?;
    }
    match patch.hidden {
        true => Err(guard.hidden(patch.labels)),
        false => Ok(()),
    }
}

impl Patch<'_, '_> {
    /// An operation with exactly the members that it has by the standard, each of its type.
    fn read(&self, node: NodeId) -> Result<Operation, WriteError> {
        if self.tree.kind(node) != JsonKind::Object {
            return Err(NO_PATCH);
        }
        let (mut name, mut path, mut from, mut value) = (None, None, None, None);
        for member in self.tree.children(node) {
            let is_text = self.tree.kind(member) == JsonKind::String;
            let text = is_text.then(|| self.tree.string(member).into_owned());
            match &*self.tree.name(member) {
                "op" => name = Some(text.ok_or(NO_PATCH)?),
                "path" => path = Some(text.ok_or(NO_PATCH)?),
                "from" => from = Some(text.ok_or(NO_PATCH)?),
                "value" => value = Some(member),
                _ => return Err(NO_PATCH),
            }
        }
        let (name, path) = (name.ok_or(NO_PATCH)?, path.ok_or(NO_PATCH)?);
        let fits = match name.as_str() {
            "add" | "replace" | "test" => from.is_none() && value.is_some(),
            "copy" | "move" => from.is_some() && value.is_none(),
            "remove" => from.is_none() && value.is_none(),
            _ => false,
        };
        let operation = Operation {
            name,
            path,
            from,
            value,
        };
        fits.then_some(operation).ok_or(NO_PATCH)
    }

    fn judge(&mut self, operation: &Operation) -> Result<(), WriteError> {
        let led = self.led(&operation.path)?;
        self.passes_nothing_hidden(&led);
        if let Some(from) = &operation.from {
            let source = self.led(from)?;
            self.passes_nothing_hidden(&source);
            self.holds_nothing_hidden(&source);
        }
        match operation.value {
            Some(value) => {
                let appends = operation.name == "add" && operation.path.ends_with("/-");
                let force = match appends {
                    true => Force::Creates,
                    false => Force::Replaces,
                };
                self.may_stand_at(value, &led, force)
            }
            None => {
                self.holds_nothing_hidden(&led);
                Ok(())
            }
        }
    }

    fn led(&mut self, path: &str) -> Result<Led, WriteError> {
        let steps = pointer::parse(path)?;
        pointer::follow(&mut self.sight, &self.roots, &steps)
    }

    /// What is on the way to a place is not hidden as a whole.
    fn passes_nothing_hidden(&mut self, led: &Led) {
        for (spot, look) in &led.passed {
            if look.hides_container {
                self.found(*spot);
            }
        }
    }

    /// What is deleted, moved, copied or overwritten unseen must be visible altogether.
    fn holds_nothing_hidden(&mut self, led: &Led) {
        for (spot, look) in &led.ends {
            if hides(*look) || look.holds != Holds::Nothing {
                self.found(*spot);
            }
        }
    }

    fn may_stand_at(&mut self, value: NodeId, led: &Led, force: Force) -> Result<(), WriteError> {
        for (spot, look) in &led.ends {
            let whole = match self.tree.kind(value) {
                JsonKind::Array | JsonKind::Object => look.hides_container,
                JsonKind::String | JsonKind::Number | JsonKind::Bool | JsonKind::Null => {
                    look.hides_scalar
                }
            };
            if whole {
                self.found(*spot);
                continue;
            }
            let ours = &self.guard.parts.ours;
            let mut judge = Judge::new(&self.tree, &mut self.sight, ours, &self.envelopes);
            judge
                .run(Start::at(value, *spot), force)
                .map_err(unreadable)?;
            let found = judge.found();
            self.hidden |= !found.nodes.is_empty();
            self.labels.extend(found.labels);
        }
        Ok(())
    }

    fn found(&mut self, spot: Spot) {
        self.hidden = true;
        self.labels.extend(self.sight.labels(spot));
    }
}

const fn hides(look: Look) -> bool {
    look.hides_scalar || look.hides_container
}
