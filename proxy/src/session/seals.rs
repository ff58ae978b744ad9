//! What is sealed with which key, and bound to what.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use super::digest::{Digest, keyed};
use super::fingerprint::fingerprint;
use super::keys::{KEY_BYTES, Key, KeyId, ServerKeys};
use super::record::{Client, Holder, JarKey, Record};
use super::sealed::{CannotSeal, DoesNotOpen, open, seal};
use super::store::Stored;
use super::vault::{Handle, Jar};

const RECORD_PURPOSE: &str = "postern/record/v1";
const PERSON_PURPOSE: &str = "postern/person/v1";
const JAR_KEY_PURPOSE: &str = "postern/dek/user/v1/";
/// Of so many sessions the newest revision is remembered.
const SEEN_MAX: usize = 65_536;

/// The server keys at work.
pub(super) struct Seals {
    keys: ServerKeys,
    /// What each of them seals records with. PERF: a record is opened for each exchange (`postern bench`, sessions).
    record_keys: BTreeMap<KeyId, Box<Key>>,
}

impl Seals {
    pub(super) fn new(keys: ServerKeys) -> Self {
        // In boxes, so that no copy is left behind where they are moved.
        let key = |kid| Some((kid, Box::new(keys.derive(kid, RECORD_PURPOSE)?)));
        let record_keys = keys.ids().filter_map(key).collect();
        Self { keys, record_keys }
    }

    pub(super) fn seal_record(
        &self,
        record: &Record,
        revision: u64,
    ) -> Result<Vec<u8>, CannotSeal> {
        let kid = self.keys.newest();
        let key = self.record_keys.get(&kid).ok_or(CannotSeal)?;
        let plain = serde_json::to_vec(record).map_err(|_error| CannotSeal)?;
        let sealed = seal(key, &record_context(&record.sid, revision), &plain)?;
        Ok([kid.0.as_slice(), &sealed].concat())
    }

    pub(super) fn open_record(&self, stored: &Stored) -> Result<Record, DoesNotOpen> {
        let (kid, sealed) = stored.sealed.split_first_chunk().ok_or(DoesNotOpen)?;
        let key = self.record_keys.get(&KeyId(*kid)).ok_or(DoesNotOpen)?;
        let context = record_context(&stored.sid, stored.revision);
        let plain = open(key, &context, sealed)?;
        serde_json::from_slice(&plain).map_err(|_error| DoesNotOpen)
    }

    pub(super) fn seal_jar(
        &self,
        record: &Record,
        key: &Key,
        jar: &[u8],
    ) -> Result<Vec<u8>, CannotSeal> {
        seal(key, &jar_context(record), jar)
    }

    /// The key of a jar, for one handle.
    pub(super) fn seal_jar_key(
        &self,
        sid: &str,
        handle: &Handle,
        jar_key: &Key,
    ) -> Result<JarKey, CannotSeal> {
        let kid = self.keys.newest();
        let key = self.handle_key(kid, sid, handle).ok_or(CannotSeal)?;
        Ok(JarKey {
            kid: kid.0,
            handle: handle.digest(),
            sealed: seal(&key, sid.as_bytes(), jar_key.as_slice())?,
        })
    }

    /// Opens a jar with a handle.
    pub(super) fn open_jar(
        &self,
        record: &Record,
        handle: &Handle,
    ) -> Result<(Key, Jar), DoesNotOpen> {
        let digest = handle.digest();
        let mut keys = record.jar_keys.iter();
        let sealed = keys.find(|key| key.handle == digest).ok_or(DoesNotOpen)?;
        let key = self.handle_key(KeyId(sealed.kid), &record.sid, handle);
        let jar_key = open(
            &key.ok_or(DoesNotOpen)?,
            record.sid.as_bytes(),
            &sealed.sealed,
        )?;
        let jar_key: [u8; KEY_BYTES] = jar_key.as_slice().try_into().map_err(|_odd| DoesNotOpen)?;
        let jar_key = Key::new(jar_key);
        let jar = open(&jar_key, &jar_context(record), &record.jar)?;
        Ok((jar_key, jar))
    }

    /// Which person it is, for counting: nobody without the server key can try names. With a new server
    /// key counting begins anew.
    pub(super) fn person(&self, holder: &Holder, client: Client) -> Digest {
        self.person_by(self.keys.newest(), holder, client)
    }

    /// Which persons it may be that the same one was counted as, by each key that still opens.
    pub(super) fn persons(&self, holder: &Holder, client: Client) -> Vec<Digest> {
        let ids = self.keys.ids();
        ids.map(|kid| self.person_by(kid, holder, client)).collect()
    }

    fn person_by(&self, kid: KeyId, holder: &Holder, client: Client) -> Digest {
        let key = self.keys.derive(kid, PERSON_PURPOSE).unwrap_or_default();
        let parts = (
            &holder.issuer,
            &holder.tenant,
            &holder.subject,
            client.word(),
        );
        let name = serde_json::to_vec(&parts).unwrap_or_default();
        keyed(key.as_slice(), &name)
    }

    /// What stands in the store for something of the application, under the newest key.
    pub(super) fn fingerprint(&self, value: &[u8]) -> Option<Digest> {
        fingerprint(&self.keys, self.keys.newest(), value)
    }

    /// The same under each key: any of them may have been the newest.
    pub(super) fn fingerprints(&self, value: &[u8]) -> impl Iterator<Item = Digest> {
        let keys = self.keys.ids();
        keys.filter_map(move |kid| fingerprint(&self.keys, kid, value))
    }

    fn handle_key(&self, kid: KeyId, sid: &str, handle: &Handle) -> Option<Key> {
        let purpose = format!("{JAR_KEY_PURPOSE}{sid}");
        self.keys.derive_with(kid, handle.bytes(), &purpose)
    }
}

impl std::fmt::Debug for Seals {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Seals")
            .field("keys", &self.keys)
            .finish_non_exhaustive()
    }
}

fn record_context(sid: &str, revision: u64) -> Vec<u8> {
    [
        b"pnrec1".as_slice(),
        sid.as_bytes(),
        &revision.to_be_bytes(),
    ]
    .concat()
}

fn jar_context(record: &Record) -> Vec<u8> {
    let holder = &record.holder;
    let bound = (
        "pnjar1",
        &record.sid,
        &holder.issuer,
        &holder.subject,
        record.times.end,
    );
    serde_json::to_vec(&bound).unwrap_or_default()
}

/// The newest revision that was seen of each session, so that an older one is noticed. It forgets
/// everything when it is full: it narrows a gap that a writer to the store has, and does not close it.
#[derive(Debug, Default)]
pub(super) struct SeenRevisions(Mutex<HashMap<String, u64>>);

impl SeenRevisions {
    /// Whether nothing newer was seen; it is seen now.
    pub(super) fn is_newest(&self, sid: &str, revision: u64) -> bool {
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(newest) = seen.get_mut(sid) {
            let is_newest = revision >= *newest;
            *newest = revision.max(*newest);
            return is_newest;
        }
        if seen.len() >= SEEN_MAX {
            seen.clear();
        }
        seen.insert(sid.to_owned(), revision);
        true
    }
}
