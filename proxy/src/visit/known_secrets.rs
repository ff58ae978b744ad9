//! The automata that look for the secrets of sessions, kept while a session does not change: to make one takes
//! longer than to open the session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use postern_filters::Secrets;
use postern_filters::token_sweep::SecretsError;

/// Of so many sessions one is kept; past it the memory starts anew.
const KEPT_MAX: usize = 1_024;
/// The same for what they take together: one for many long tokens takes megabytes.
const KEPT_BYTES_MAX: usize = 128 << 20;

/// See the module's documentation. `Debug` shows nothing of it.
pub(super) struct KnownSecrets {
    kept: Mutex<Kept>,
    bytes_max: usize,
}

#[derive(Default)]
struct Kept {
    by_session: HashMap<String, (u64, Arc<Secrets>)>,
    bytes: usize,
}

impl KnownSecrets {
    /// What is looked for in a session at this revision, made if need be.
    pub(super) fn of(
        &self,
        (sid, revision): (&str, u64),
        make: impl FnOnce() -> Result<Secrets, SecretsError>,
    ) -> Result<Arc<Secrets>, SecretsError> {
        if let Some((known, secrets)) = self.kept().by_session.get(sid)
            && *known == revision
        {
            return Ok(Arc::clone(secrets));
        }
        let made = Arc::new(make()?);
        self.kept().keep(sid, (revision, &made), self.bytes_max);
        Ok(made)
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Entries are made whole: a panic elsewhere leaves the map sound.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn keep(&mut self, sid: &str, (revision, made): (u64, &Arc<Secrets>), bytes_max: usize) {
        if let Some((_, before)) = self.by_session.remove(sid) {
            self.bytes = self.bytes.saturating_sub(before.memory_bytes());
        }
        let bytes = made.memory_bytes();
        if self.by_session.len() >= KEPT_MAX || self.bytes + bytes > bytes_max {
            *self = Self::default();
        }
        self.bytes += bytes;
        let entry = (revision, Arc::clone(made));
        self.by_session.insert(sid.to_owned(), entry);
    }
}

impl Default for KnownSecrets {
    fn default() -> Self {
        Self {
            kept: Mutex::default(),
            bytes_max: KEPT_BYTES_MAX,
        }
    }
}

impl std::fmt::Debug for KnownSecrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KnownSecrets").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use postern_filters::Secret;

    use super::*;

    fn one(value: &[u8]) -> Result<Secrets, SecretsError> {
        let instead = b"***";
        Secrets::new(&[Secret { value, instead }])
    }

    #[test]
    fn take_no_more_memory_than_they_may() {
        let one_takes = one(b"abcdefgh12345678").unwrap().memory_bytes();
        let known = KnownSecrets {
            bytes_max: 3 * one_takes,
            ..KnownSecrets::default()
        };
        for (n, kept) in [1, 2, 3, 1, 2].into_iter().enumerate() {
            for revision in 1..3 {
                let sid = n.to_string();
                drop(known.of((&sid, revision), || one(b"abcdefgh12345678")));
            }
            assert_eq!(known.kept().by_session.len(), kept, "{n}");
            assert_eq!(known.kept().bytes, kept * one_takes);
        }
    }

    #[test]
    fn are_made_anew_when_the_session_changes() {
        let known = KnownSecrets::default();
        let first = known.of(("s", 1), || one(b"abcdefgh12345678")).unwrap();
        let same = known.of(("s", 1), || one(b"another-value-1234")).unwrap();
        assert!(Arc::ptr_eq(&first, &same));
        let next = known.of(("s", 2), || one(b"another-value-1234")).unwrap();
        assert!(next.rewrite(b"another-value-1234").is_some());
        let other = known.of(("t", 2), || one(b"a-third-value-1234")).unwrap();
        assert!(other.rewrite(b"another-value-1234").is_none());
    }
}
