//! Bundles that are gone, and whether the log itself says that they were to go.

use super::evidence::{Evidence, Place};

/// What is gone, and what the log has said of it.
#[derive(Debug, Default)]
pub(super) struct Pruned {
    /// INVARIANT: in order, and apart from each other.
    gone: Vec<(u64, u64)>,
    /// The first index that is kept, as the log says.
    minimum: u64,
}

impl Pruned {
    /// The entries from `first` to before `end` are gone.
    pub(super) fn note_gone(&mut self, first: u64, end: u64) {
        match self.gone.last_mut() {
            Some((_, last)) if *last == first => *last = end,
            Some(_) | None => self.gone.push((first, end)),
        }
    }

    /// An entry says that those before this index are removed.
    pub(super) fn note_minimum(&mut self, minimum: u64) {
        self.minimum = self.minimum.max(minimum);
    }

    /// The first index from which on nothing was pruned. Before it, what holds a change of keys is there.
    pub(super) fn first(&self) -> u64 {
        let mut ends = self.gone.iter().rev().map(|(_, end)| *end);
        ends.find(|end| *end <= self.minimum).unwrap_or_default()
    }

    /// What is gone although no entry says so was taken out.
    pub(super) fn judge(&self, evidence: &mut Evidence) {
        let mut taken = self.gone.iter().filter(|(_, end)| *end > self.minimum);
        if let Some((first, _)) = taken.next() {
            let what = "entries are missing, and the log does not say that they were pruned";
            evidence.add(Place::Exact, self.minimum.max(*first), what);
        }
    }
}
