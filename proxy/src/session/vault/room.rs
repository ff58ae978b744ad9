//! Room for one session more of a person.

use super::{NoSession, Vault, VaultError, Which};
use crate::session::digest::Digest;
use crate::session::store::{Change, Limit};

impl Vault {
    /// Takes the sessions that were left unused out of those that count, where a person has as many as allowed. The
    /// store knows only when a session ends whatever happens: whoever closed their browser twice could not log
    /// in until then.
    pub(super) async fn make_room(&self, person: &Digest, limit: Limit) -> Result<(), VaultError> {
        let now = self.now();
        let theirs = self.store.list(Some(person), usize::MAX, now).await?;
        if theirs.len() < limit.max {
            return Ok(());
        }
        for sid in theirs {
            let (stored, mut record) = match self.fetch(Which::Id(&sid)).await {
                Ok(Some((stored, record))) if record.times.are_over(now) => (stored, record),
                Err(NoSession::Store(error)) => return Err(error.into()),
                // It is in use, gone, or was not written by us.
                Ok(_) | Err(_) => continue,
            };
            record.jar.clear();
            record.jar_keys.clear();
            let revision = stored.revision.saturating_add(1);
            let change = Change {
                revision: stored.revision,
                sealed: self.seals.seal_record(&record, revision)?,
                new_handle: None,
                old_handle: None,
                fingerprints: Vec::new(),
                ended: Some(*person),
            };
            // Whoever is faster has ended it, or made room as well.
            self.store.replace(&sid, change, now).await?;
        }
        Ok(())
    }
}
