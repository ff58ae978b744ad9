//! What was found wrong, and which of it is said.

use super::Integrity;

/// How well the place of something wrong is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Place {
    /// At this entry.
    Exact,
    /// At this entry or later.
    Bound,
}

/// Everything that is wrong, the first of each kind.
#[derive(Debug, Default)]
pub(super) struct Evidence {
    found: Vec<(Place, u64, String)>,
}

impl Evidence {
    /// Something is wrong at an index.
    pub(super) fn add(&mut self, place: Place, index: u64, what: impl Into<String>) {
        self.found.push((place, index, what.into()));
    }

    /// The first entry that is known to be wrong; if none is known, the first that may be.
    pub(super) fn verdict(self) -> Integrity {
        let first = self.found.into_iter().min();
        first.map_or(Integrity::Ok, |(_, index, what)| Integrity::Tampered {
            index,
            what,
        })
    }
}
