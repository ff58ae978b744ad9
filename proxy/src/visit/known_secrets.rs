//! The automata that look for the secrets of sessions, kept while a session does not change: to make one takes
//! longer than to open the session.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use postern_filters::Secrets;
use postern_filters::token_sweep::SecretsError;

/// Of so many sessions one is kept; past it the memory starts anew.
const KEPT_MAX: usize = 1_024;

/// See the module's documentation. `Debug` shows nothing of it.
#[derive(Default)]
pub(super) struct KnownSecrets(Mutex<HashMap<String, (u64, Arc<Secrets>)>>);

impl KnownSecrets {
    /// What is looked for in a session at this revision, made if need be.
    pub(super) fn of(
        &self,
        (sid, revision): (&str, u64),
        make: impl FnOnce() -> Result<Secrets, SecretsError>,
    ) -> Result<Arc<Secrets>, SecretsError> {
        // Entries are made whole: a panic elsewhere leaves the map sound.
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((known, secrets)) = lock().get(sid)
            && *known == revision
        {
            return Ok(Arc::clone(secrets));
        }
        let made = Arc::new(make()?);
        let mut kept = lock();
        if kept.len() >= KEPT_MAX {
            kept.clear();
        }
        kept.insert(sid.to_owned(), (revision, Arc::clone(&made)));
        Ok(made)
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
