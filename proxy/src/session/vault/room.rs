//! Room for one session more of a person.

use super::{NoSession, Vault, VaultError, Which};
use crate::session::digest::Digest;
use crate::session::store::Limit;

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
            let _turn = self.turns.take(&sid).await;
            let (stored, mut record) = match self.fetch(Which::Id(&sid)).await {
                Ok(Some((stored, record))) if record.times.are_over(now) => (stored, record),
                Err(NoSession::Store(error)) => return Err(error.into()),
                // It is in use, gone, or was not written by us.
                Ok(_) | Err(_) => continue,
            };
            record.jar.clear();
            record.jar_keys.clear();
            // Whoever is faster has ended it, or made room as well.
            self.write(&record, stored.revision, Some(*person)).await?;
        }
        Ok(())
    }
}
