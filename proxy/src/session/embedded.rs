//! The embedded store: one file of this process. Each change is one transaction and one durable commit;
//! a second process cannot open the file.

mod fingerprints;
mod sweep;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use postern_config::sessions::OnLimit;
use redb::{
    Builder, Database, ReadableDatabase as _, ReadableTable, Table, TableDefinition,
    WriteTransaction,
};

use super::digest::Digest;
use super::seen_proofs::SeenProofs;
use super::store::{
    Admitted, Change, Limit, NewSession, Replaced, SessionStore, StoreError, Stored,
};
use crate::private_file;
use fingerprints::{Fingerprints, owners};
use sweep::Swept;

/// id → revision, end, sealed record
const SESSIONS: TableDefinition<&str, (u64, u64, &[u8])> = TableDefinition::new("sessions");
/// handle's digest → id, until when
const HANDLES: TableDefinition<Digest, (&str, u64)> = TableDefinition::new("handles");
/// person's digest, id → end; ids are in the order of time
const PEOPLE: TableDefinition<(Digest, &str), u64> = TableDefinition::new("people");
/// until when, handle's digest → id: what is to be forgotten, in its order
const UNTIL: TableDefinition<(u64, Digest), &str> = TableDefinition::new("until");
/// when, id
const ENDED: TableDefinition<(u64, &str), ()> = TableDefinition::new("ended");

/// About how much of the file is kept in memory; the library would keep a gibibyte.
const CACHE_BYTES: usize = 32 << 20;

/// See the module's documentation.
#[derive(Debug)]
pub struct EmbeddedSessions {
    database: Arc<Database>,
    /// How far the sessions of people are swept.
    swept: Arc<Mutex<Swept>>,
    proofs: SeenProofs,
}

impl EmbeddedSessions {
    /// Opens the store, and makes it when there is none, readable by its owner only. `now` is in
    /// milliseconds since 1970: proofs that were made before count as seen. It reads and writes
    /// the file: do not call it on a thread that must not block.
    ///
    /// # Errors
    /// The file cannot be made or opened, is no store, or another process has it.
    pub fn open(path: &Path, now: u64) -> Result<Self, redb::Error> {
        private_file::make(path).map_err(redb::Error::Io)?;
        let database = Builder::new().set_cache_size(CACHE_BYTES).create(path)?;
        let writing = database.begin_write()?;
        Tables::open(&writing)?;
        writing.commit()?;
        Ok(Self {
            database: Arc::new(database),
            swept: Arc::default(),
            // A proof's time is in whole seconds.
            proofs: SeenProofs::since(now - now % 1_000),
        })
    }

    /// Does something in one transaction, and makes it durable if it says so.
    async fn write<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Tables<'_>) -> Result<(T, Commit), redb::Error> + Send + 'static,
    ) -> Result<T, StoreError> {
        let database = Arc::clone(&self.database);
        let written = tokio::task::spawn_blocking(move || {
            let writing = database.begin_write()?;
            let mut tables = Tables::open(&writing)?;
            let (outcome, commit) = work(&mut tables)?;
            drop(tables);
            match commit {
                Commit::Yes => writing.commit()?,
                Commit::No => writing.abort()?,
            }
            Ok(outcome)
        });
        match written.await {
            Ok(outcome) => outcome.map_err(|error: redb::Error| broken(&error)),
            Err(_panicked) => Err(StoreError::Unavailable),
        }
    }

    fn read_now(&self, which: &Which<'_>, now: u64) -> Result<Option<Stored>, redb::Error> {
        let reading = self.database.begin_read()?;
        let handles = reading.open_table(HANDLES)?;
        let sid = match which {
            Which::Id(sid) => (*sid).to_owned(),
            Which::Handle(digest) => match handles.get(*digest)? {
                Some(found) if now < found.value().1 => found.value().0.to_owned(),
                Some(_) | None => return Ok(None),
            },
        };
        let sessions = reading.open_table(SESSIONS)?;
        let found = sessions.get(sid.as_str())?;
        Ok(found.and_then(|found| {
            let (revision, end, sealed) = found.value();
            let sealed = sealed.to_vec();
            (now < end).then_some(Stored {
                sid,
                revision,
                sealed,
            })
        }))
    }
}

enum Which<'a> {
    Id(&'a str),
    Handle(&'a Digest),
}

/// Whether a transaction changed anything.
enum Commit {
    Yes,
    No,
}

struct Tables<'t> {
    sessions: Table<'t, &'static str, (u64, u64, &'static [u8])>,
    handles: Table<'t, Digest, (&'static str, u64)>,
    people: Table<'t, (Digest, &'static str), u64>,
    until: Table<'t, (u64, Digest), &'static str>,
    ended: Table<'t, (u64, &'static str), ()>,
    fingerprints: Fingerprints<'t>,
}

impl<'t> Tables<'t> {
    fn open(writing: &'t WriteTransaction) -> Result<Self, redb::Error> {
        Ok(Self {
            sessions: writing.open_table(SESSIONS)?,
            handles: writing.open_table(HANDLES)?,
            people: writing.open_table(PEOPLE)?,
            until: writing.open_table(UNTIL)?,
            ended: writing.open_table(ENDED)?,
            fingerprints: Fingerprints::open(writing)?,
        })
    }

    fn admit(
        &mut self,
        new: &NewSession,
        limit: Option<Limit>,
        now: u64,
    ) -> Result<(Admitted, Commit), redb::Error> {
        self.sweep(now)?;
        let mut evicted = Vec::new();
        if let Some(limit) = limit {
            let mut theirs = sids_of(&self.people, &new.person, now)?;
            if let Some(follows) = &new.follows {
                theirs.remove(follows);
            }
            while theirs.len() >= limit.max {
                let Some(oldest) = theirs.pop_first() else {
                    return Ok((Admitted::Full, Commit::No));
                };
                if limit.on_limit == OnLimit::DenyNew {
                    return Ok((Admitted::Full, Commit::No));
                }
                self.sessions.remove(oldest.as_str())?;
                self.people.remove((new.person, oldest.as_str()))?;
                self.ended.insert((now, oldest.as_str()), ())?;
                self.fingerprints.disown(&oldest)?;
                evicted.push(oldest);
            }
        }
        let sid = new.sid.as_str();
        let row = (1, new.ends_at, new.sealed.as_slice());
        self.sessions.insert(sid, row)?;
        self.lead(&new.handle, sid, new.ends_at)?;
        self.people.insert((new.person, sid), new.ends_at)?;
        let (place, follows) = ((sid, new.ends_at), new.follows.as_deref());
        self.fingerprints
            .add(place, &new.fingerprints, follows, now)?;
        Ok((Admitted::Made { evicted }, Commit::Yes))
    }

    fn replace(
        &mut self,
        sid: &str,
        change: &Change,
        now: u64,
    ) -> Result<(Replaced, Commit), redb::Error> {
        let there = self.sessions.get(sid)?.map(|row| {
            let (revision, end, _) = row.value();
            (revision, end)
        });
        let Some((revision, end)) = there.filter(|(_, end)| now < *end) else {
            return Ok((Replaced::Stale, Commit::No));
        };
        if revision != change.revision {
            return Ok((Replaced::Stale, Commit::No));
        }
        let row = (revision.saturating_add(1), end, change.sealed.as_slice());
        self.sessions.insert(sid, row)?;
        if let Some(handle) = &change.new_handle {
            self.lead(handle, sid, end)?;
        }
        if let Some((handle, until)) = &change.old_handle {
            self.lead(handle, sid, end.min(*until))?;
        }
        self.fingerprints
            .add((sid, end), &change.fingerprints, None, now)?;
        if let Some(person) = change.ended {
            self.people.remove((person, sid))?;
            self.ended.insert((now, sid), ())?;
            self.fingerprints.disown(sid)?;
        }
        Ok((Replaced::Done, Commit::Yes))
    }

    /// Lets a handle lead to a session until then.
    fn lead(&mut self, handle: &Digest, sid: &str, until: u64) -> Result<(), redb::Error> {
        self.handles.insert(handle, (sid, until))?;
        self.until.insert((until, *handle), sid)?;
        Ok(())
    }
}

/// The ids of a person's sessions, oldest first.
fn sids_of(
    people: &impl ReadableTable<(Digest, &'static str), u64>,
    person: &Digest,
    now: u64,
) -> Result<BTreeSet<String>, redb::Error> {
    let mut sids = BTreeSet::new();
    for row in people.range((*person, "")..)? {
        let (key, end) = row?;
        let (of, sid) = key.value();
        if of != *person {
            break;
        }
        if now < end.value() {
            sids.insert(sid.to_owned());
        }
    }
    Ok(sids)
}

#[async_trait]
impl SessionStore for EmbeddedSessions {
    async fn admit(
        &self,
        session: NewSession,
        limit: Option<Limit>,
        now: u64,
    ) -> Result<Admitted, StoreError> {
        let swept = Arc::clone(&self.swept);
        self.write(move |tables| {
            // What a panic leaves of it is a place like any other.
            let mut swept = swept.lock().unwrap_or_else(PoisonError::into_inner);
            tables.sweep_people(&mut swept, now)?;
            tables.admit(&session, limit, now)
        })
        .await
    }

    async fn find(&self, handle: &Digest, now: u64) -> Result<Option<Stored>, StoreError> {
        let found = self.read_now(&Which::Handle(handle), now);
        found.map_err(|error| broken(&error))
    }

    async fn read(&self, sid: &str, now: u64) -> Result<Option<Stored>, StoreError> {
        let found = self.read_now(&Which::Id(sid), now);
        found.map_err(|error| broken(&error))
    }

    async fn replace(&self, sid: &str, change: Change, now: u64) -> Result<Replaced, StoreError> {
        let sid = sid.to_owned();
        self.write(move |tables| tables.replace(&sid, &change, now))
            .await
    }

    async fn holders(
        &self,
        fingerprints: &[Digest],
        now: u64,
    ) -> Result<Vec<Option<String>>, StoreError> {
        let reading = self.database.begin_read().map_err(redb::Error::from);
        let found = reading.and_then(|reading| owners(&reading, fingerprints, now));
        found.map_err(|error| broken(&error))
    }

    async fn is_first(
        &self,
        proof: &Digest,
        times: (u64, u64),
        now: u64,
    ) -> Result<bool, StoreError> {
        Ok(self.proofs.is_first(proof, times, now))
    }

    async fn list(
        &self,
        person: Option<&Digest>,
        max: usize,
        now: u64,
    ) -> Result<Vec<String>, StoreError> {
        let listing = || -> Result<Vec<String>, redb::Error> {
            let reading = self.database.begin_read()?;
            if let Some(person) = person {
                let theirs = sids_of(&reading.open_table(PEOPLE)?, person, now)?;
                return Ok(theirs.into_iter().take(max).collect());
            }
            let mut sids = Vec::new();
            for row in reading.open_table(SESSIONS)?.iter()? {
                let (sid, place) = row?;
                if now < place.value().1 {
                    sids.push(sid.value().to_owned());
                }
                if sids.len() >= max {
                    break;
                }
            }
            Ok(sids)
        };
        listing().map_err(|error| broken(&error))
    }

    async fn ended_since(&self, time: u64) -> Result<Vec<String>, StoreError> {
        let listing = || -> Result<Vec<String>, redb::Error> {
            let reading = self.database.begin_read()?;
            let mut sids = Vec::new();
            for row in reading.open_table(ENDED)?.range((time, "")..)? {
                sids.push(row?.0.value().1.to_owned());
            }
            Ok(sids)
        };
        listing().map_err(|error| broken(&error))
    }
}

/// What a failing database means to whoever asked.
fn broken(error: &redb::Error) -> StoreError {
    tracing::error!(%error, "the session store failed");
    if matches!(error, redb::Error::Corrupted(_)) {
        StoreError::Corrupt
    } else {
        StoreError::Unavailable
    }
}
