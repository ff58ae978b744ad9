//! Whose a value is that somebody brings from outside.

use zeroize::Zeroizing;

use super::{Vault, Which};
use crate::session::digest::Digest;
use crate::session::record::Record;
use crate::session::vault::NoSession;

impl Vault {
    /// What stands in the store for these values; those that are too short to be told from others have nothing.
    pub fn fingerprints<'v>(&self, values: impl IntoIterator<Item = &'v [u8]>) -> Vec<Digest> {
        let values = values.into_iter();
        values
            .filter_map(|value| self.seals.fingerprint(value))
            .collect()
    }

    /// Which of these values a session holds, and the record of that session. One that has ended holds nothing.
    ///
    /// # Errors
    /// See [`NoSession`].
    pub async fn holders<'v>(
        &self,
        values: &'v [Zeroizing<Vec<u8>>],
    ) -> Result<Vec<(&'v [u8], Record)>, NoSession> {
        let pairs = values.iter().flat_map(|value| {
            let fingerprints = self.seals.fingerprints(value);
            fingerprints.map(|fingerprint| (value.as_slice(), fingerprint))
        });
        let (values, fingerprints): (Vec<&[u8]>, Vec<Digest>) = pairs.unzip();
        let now = self.now();
        let found = self.store.holders(&fingerprints, now).await?;
        let mut holders = Vec::new();
        for (value, sid) in values.into_iter().zip(found) {
            let Some(sid) = sid else {
                continue;
            };
            let fetched = self.fetch(Which::Id(&sid)).await?;
            let alive = fetched.map(|(_, record)| record).filter(|record| {
                let times = record.times;
                record.revoked.is_none() && now < times.end.min(times.idle_end)
            });
            holders.extend(alive.map(|record| (value, record)));
        }
        Ok(holders)
    }
}
