//! Sessions that are changed by their id, without a handle: what is in the jar stays closed.

use super::{Ended, TRIES, Vault, VaultError, Which};
use crate::session::binding::Lesson;
use crate::session::digest::Digest;
use crate::session::record::{Record, Revocation};
use crate::session::store::{Change, Replaced};

impl Vault {
    /// Ends a session; no handle opens it from then on, and its jar is gone. Nothing: there is none of this id.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub async fn revoke(&self, sid: &str, reason: &str) -> Result<Option<Ended>, VaultError> {
        let _turn = self.turns.take(sid).await;
        for _try in 0..TRIES {
            let now = self.now();
            let Some((stored, mut record)) = self.fetch(Which::Id(sid)).await? else {
                return Ok(None);
            };
            if record.revoked.is_some() {
                return Ok(Some(Ended::Before));
            }
            record.revoked = Some(Revocation {
                at: now,
                reason: reason.to_owned(),
            });
            record.jar.clear();
            record.jar_keys.clear();
            let person = self.seals.person(&record.holder, record.client);
            if self.write(&record, stored.revision, Some(person)).await? {
                return Ok(Some(Ended::Now(Box::new(record))));
            }
        }
        Err(VaultError::Contended)
    }

    /// Adds a lesson to a session that is not open. One that has ended learns nothing.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub async fn teach(&self, sid: &str, lesson: &Lesson) -> Result<(), VaultError> {
        let _turn = self.turns.take(sid).await;
        for _try in 0..TRIES {
            let Some((stored, mut record)) = self.fetch(Which::Id(sid)).await? else {
                return Ok(());
            };
            let before = record.binding.clone();
            lesson.apply(&mut record.binding, self.now());
            if record.revoked.is_some() || record.binding == before {
                return Ok(());
            }
            if self.write(&record, stored.revision, None).await? {
                return Ok(());
            }
        }
        Err(VaultError::Contended)
    }

    /// Writes a record that was read at this revision, and by its id; with whose it is, it has ended. Says whether
    /// nobody else was first.
    pub(super) async fn write(
        &self,
        record: &Record,
        revision: u64,
        ended: Option<Digest>,
    ) -> Result<bool, VaultError> {
        let change = Change {
            revision,
            sealed: self.seals.seal_record(record, revision.saturating_add(1))?,
            new_handle: None,
            old_handle: None,
            fingerprints: Vec::new(),
            ended,
        };
        let replaced = self.store.replace(&record.sid, change, self.now()).await?;
        Ok(replaced == Replaced::Done)
    }
}
