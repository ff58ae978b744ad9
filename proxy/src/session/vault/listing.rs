//! Looking for sessions without their handles: by id, by person, or one after the other.
//!
//! What was written by somebody else than us opens for nobody. It is passed over, so that whoever can write
//! to the store cannot keep the sessions of others from being seen, and ended.

use super::{NoSession, StoreError, Vault, Which};
use crate::session::record::{Client, Holder, Record};

/// What a search has found.
#[derive(Debug, Default)]
pub struct Found {
    /// The records, oldest first.
    pub records: Vec<Record>,
    /// How many there are that were not written by us, or with a key that is gone.
    pub unreadable: usize,
    /// There are more than were asked for.
    pub more: bool,
}

impl Vault {
    /// What is known of a session.
    ///
    /// # Errors
    /// See [`NoSession`].
    pub async fn record(&self, sid: &str) -> Result<Option<Record>, NoSession> {
        let fetched = self.fetch(Which::Id(sid)).await?;
        Ok(fetched.map(|(_stored, record)| record))
    }

    /// The records of one person's sessions that were not ended, with this kind of client, oldest first.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn of_person(
        &self,
        holder: &Holder,
        client: Client,
        max: usize,
    ) -> Result<Found, StoreError> {
        let now = self.now();
        let mut sids = Vec::new();
        for person in self.seals.persons(holder, client) {
            sids.extend(self.store.list(Some(&person), max, now).await?);
        }
        sids.sort_unstable();
        self.search_in(sids, max, |record| record.holder.is_same_person(holder))
            .await
    }

    /// The records of all sessions that are wanted, oldest first; those that were ended among them.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn search(
        &self,
        max: usize,
        wanted: impl Fn(&Record) -> bool + Send,
    ) -> Result<Found, StoreError> {
        let sids = self.store.list(None, usize::MAX, self.now()).await?;
        self.search_in(sids, max, wanted).await
    }

    async fn search_in(
        &self,
        sids: Vec<String>,
        max: usize,
        wanted: impl Fn(&Record) -> bool + Send,
    ) -> Result<Found, StoreError> {
        let mut found = Found::default();
        for sid in sids {
            match self.fetch(Which::Id(&sid)).await {
                Ok(Some((_stored, record))) if wanted(&record) => {
                    if found.records.len() >= max {
                        found.more = true;
                        break;
                    }
                    found.records.push(record);
                }
                // It is not wanted, or has gone meanwhile.
                Ok(_) => {}
                Err(NoSession::Store(error)) => return Err(error),
                Err(
                    NoSession::Forged
                    | NoSession::Missing
                    | NoSession::Expired
                    | NoSession::Revoked,
                ) => found.unreadable += 1,
            }
        }
        Ok(found)
    }
}
