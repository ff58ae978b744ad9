//! Which proofs this process has seen. Nothing of it survives the process: what was made before it began
//! counts as seen.

use std::collections::{BTreeSet, HashSet};
use std::sync::{Mutex, PoisonError};

use super::digest::Digest;

/// So many are remembered; with more, none is new until some are past their time.
const SEEN_MAX: usize = 1 << 20;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct SeenProofs {
    began: u64,
    seen: Mutex<Seen>,
}

#[derive(Debug, Default)]
struct Seen {
    proofs: HashSet<Digest>,
    until: BTreeSet<(u64, Digest)>,
}

impl SeenProofs {
    /// Remembers from now on, in milliseconds since 1970.
    pub(super) fn since(began: u64) -> Self {
        Self {
            began,
            seen: Mutex::default(),
        }
    }

    /// Whether a proof is seen for the first time; it is remembered until then.
    pub(super) fn is_first(&self, proof: &Digest, (made, until): (u64, u64), now: u64) -> bool {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        while let Some((past, old)) = seen.until.first().copied().filter(|(at, _)| *at <= now) {
            seen.until.remove(&(past, old));
            seen.proofs.remove(&old);
        }
        let is_first =
            made >= self.began && seen.proofs.len() < SEEN_MAX && seen.proofs.insert(*proof);
        if is_first {
            seen.until.insert((until, *proof));
        }
        is_first
    }
}
