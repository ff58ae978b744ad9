//! Changes to a JSON text that leave every other byte as it is.

use std::collections::BTreeSet;
use std::ops::Range;

use crate::json::{Held, NodeId};

/// Changes to one text.
#[derive(Debug, Default)]
pub(super) struct Splice {
    edits: Vec<(Range<usize>, Vec<u8>)>,
}

impl Splice {
    /// Puts `bytes` in the place of a part of the text.
    pub(super) fn replace(&mut self, part: Range<usize>, bytes: &[u8]) {
        self.edits.push((part, bytes.to_vec()));
    }

    /// Puts `bytes` before the byte at `at`, after what was inserted there earlier.
    pub(super) fn insert(&mut self, at: usize, bytes: &[u8]) {
        self.replace(at..at, bytes);
    }

    /// The changed text; none when two changes overlap.
    pub(super) fn apply(mut self, text: &[u8]) -> Option<Vec<u8>> {
        self.edits.sort_by_key(|(part, _)| part.start);
        let mut changed = Vec::with_capacity(text.len());
        let mut at = 0;
        for (part, bytes) in self.edits {
            changed.extend_from_slice(text.get(at..part.start)?);
            changed.extend_from_slice(&bytes);
            at = part.end;
        }
        changed.extend_from_slice(text.get(at..)?);
        Some(changed)
    }
}

/// A document without some members and elements, commas included; none when that is all of it.
pub(super) fn without(text: &[u8], tree: &Held<'_>, dropped: &BTreeSet<NodeId>) -> Option<Vec<u8>> {
    if dropped.contains(&0) {
        return None;
    }
    let mut splice = Splice::default();
    cut(&mut splice, tree, dropped);
    splice.apply(text)
}

/// Takes some members and elements out, commas included.
pub(super) fn cut(splice: &mut Splice, tree: &Held<'_>, dropped: &BTreeSet<NodeId>) {
    let mut open = vec![0];
    while let Some(container) = open.pop() {
        let children: Vec<NodeId> = tree.children(container).collect();
        let (mut kept_any, mut end_before) = (false, 0);
        for (place, child) in children.iter().enumerate() {
            let span = tree.span_with_name(*child);
            if !dropped.contains(child) {
                kept_any = true;
                open.push(*child);
            } else if kept_any {
                splice.replace(end_before..span.end, b"");
            } else {
                let next = children.get(place + 1);
                let to = next.map_or(span.end, |next| tree.span_with_name(*next).start);
                splice.replace(span.start..to, b"");
            }
            end_before = span.end;
        }
    }
}
