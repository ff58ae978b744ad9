//! The vault: sessions are begun, opened with their handle, changed, given a new handle and ended.
//!
//! ```text
//! record   kid │ sealed with K(kid, "record"), bound to id and revision
//! jar      sealed with a key of its own, bound to id, holder and end
//! jar key  sealed with K(kid ‖ handle, "jar"), bound to the id; one for each handle
//! ```

mod by_id;
mod handle;
mod holders;
mod listing;
mod open_session;
mod refusal;
mod room;
mod turns;

use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use ulid::Ulid;
use zeroize::Zeroizing;

use super::digest::Digest;
use super::keys::{Key, ServerKeys};
use super::record::{Lifetimes, Record, Times};
use super::sealed::random;
use super::seals::{Seals, SeenRevisions};
use super::store::{Admitted, Change, NewSession, Replaced, SessionStore, StoreError, Stored};
use crate::clock::{Clock, millis, unix_millis};
pub use handle::Handle;
pub use listing::Found;
pub use open_session::{Ended, OpenSession, Start};
pub use refusal::{NoSession, VaultError};
use turns::Turns;

/// How often a change is tried when others change the same session.
const TRIES: usize = 8;
/// How long a session lives in which nobody has logged in yet.
const NOBODYS_LIFE: Duration = Duration::from_secs(15 * 60);
/// The idle time is kept to within one part in so many.
const IDLE_PARTS: u64 = 15;

/// What a jar holds, in whatever form its user gives it. It is wiped when it is dropped.
pub type Jar = Zeroizing<Vec<u8>>;

/// See the module's documentation.
#[derive(Debug)]
pub struct Vault {
    seals: Seals,
    seen: SeenRevisions,
    store: Arc<dyn SessionStore>,
    clock: Arc<dyn Clock>,
    lifetimes: RwLock<Lifetimes>,
    turns: Turns,
}

impl Vault {
    /// A vault over a store.
    #[must_use]
    pub fn new(
        keys: ServerKeys,
        store: Arc<dyn SessionStore>,
        clock: Arc<dyn Clock>,
        lifetimes: Lifetimes,
    ) -> Self {
        Self {
            seals: Seals::new(keys),
            seen: SeenRevisions::default(),
            store,
            clock,
            lifetimes: RwLock::new(lifetimes),
            turns: Turns::default(),
        }
    }

    /// Sessions live so long from now on, those that are there when they are used next.
    pub fn set_lifetimes(&self, lifetimes: Lifetimes) {
        if self.lifetimes() != lifetimes {
            let held = self.lifetimes.write();
            *held.unwrap_or_else(PoisonError::into_inner) = lifetimes;
        }
    }

    fn lifetimes(&self) -> Lifetimes {
        // It is replaced whole: a panic elsewhere leaves it sound.
        *self
            .lifetimes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a session, and says which others ended for it.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub async fn begin(&self, start: Start) -> Result<(OpenSession, Vec<String>), VaultError> {
        let now = self.now();
        let Lifetimes { idle, longest, .. } = self.lifetimes();
        let longest = match start.holder.is_somebody() {
            true => longest,
            false => longest.min(NOBODYS_LIFE),
        };
        let times = Times {
            created: now,
            last_seen: now,
            idle_end: now.saturating_add(millis(idle.min(longest))),
            end: now.saturating_add(millis(longest)),
            rotated: now,
        };
        let entropy = u128::from_be_bytes(random()?);
        let mut record = Record {
            sid: Ulid::from_parts(now, entropy).to_string(),
            holder: start.holder,
            client: start.client,
            times,
            revoked: None,
            binding: start.binding,
            jar: Vec::new(),
            jar_keys: Vec::new(),
        };
        let handle = Handle::new(random()?);
        let jar_key = Key::new(random()?);
        record.jar = self.seals.seal_jar(&record, &jar_key, &start.jar)?;
        record.jar_keys = vec![self.seals.seal_jar_key(&record.sid, &handle, &jar_key)?];
        let session = NewSession {
            sid: record.sid.clone(),
            handle: handle.digest(),
            person: self.seals.person(&record.holder, record.client),
            sealed: self.seals.seal_record(&record, 1)?,
            fingerprints: start.fingerprints,
            follows: start.follows,
            ends_at: record.times.end,
        };
        if let Some(limit) = start.limit {
            self.make_room(&session.person, limit).await?;
        }
        match self.store.admit(session, start.limit, now).await? {
            Admitted::Full => Err(VaultError::Full),
            Admitted::Made { evicted } => {
                let session = OpenSession {
                    record,
                    jar: start.jar,
                    handle,
                    revision: 1,
                    jar_key,
                };
                Ok((session, evicted))
            }
        }
    }

    /// Opens the session of a handle, and notes that it was used.
    ///
    /// # Errors
    /// See [`NoSession`].
    pub async fn open(&self, handle: &Handle) -> Result<OpenSession, NoSession> {
        let session = self.find(handle).await?;
        let now = self.now();
        let times = session.record.times;
        let stale_after = millis(self.lifetimes().idle) / IDLE_PARTS;
        if now.saturating_sub(times.last_seen) < stale_after {
            return Ok(session);
        }
        let idle = millis(self.lifetimes().idle);
        let used = self.change(session, |record, _jar| {
            record.times.last_seen = now;
            record.times.idle_end = now.saturating_add(idle).min(record.times.end);
        });
        match used.await {
            Ok(session) => Ok(session),
            Err(VaultError::NoSession(none)) => Err(none),
            // Others use it at this moment, and have noted that.
            Err(VaultError::Contended | VaultError::CannotSeal | VaultError::Full) => {
                self.find(handle).await
            }
        }
    }

    async fn find(&self, handle: &Handle) -> Result<OpenSession, NoSession> {
        let now = self.now();
        let fetched = self.fetch(Which::Handle(handle.digest())).await?;
        let (stored, record) = fetched.ok_or(NoSession::Missing)?;
        if record.revoked.is_some() {
            return Err(NoSession::Revoked);
        }
        if record.times.are_over(now) {
            return Err(NoSession::Expired);
        }
        let (jar_key, jar) = self
            .seals
            .open_jar(&record, handle)
            .map_err(|_forged| NoSession::Forged)?;
        Ok(OpenSession {
            record,
            jar,
            handle: handle.clone(),
            revision: stored.revision,
            jar_key,
        })
    }

    /// Changes a session. `change` may run several times, each time on what is there by then.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub async fn change(
        &self,
        session: OpenSession,
        change: impl FnMut(&mut Record, &mut Jar) + Send,
    ) -> Result<OpenSession, VaultError> {
        self.keep(session, &[], change).await
    }

    /// The same, for a change that adds to the jar what these are the fingerprints of.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub async fn keep(
        &self,
        mut session: OpenSession,
        fingerprints: &[Digest],
        mut change: impl FnMut(&mut Record, &mut Jar) + Send,
    ) -> Result<OpenSession, VaultError> {
        let _turn = self.turns.take(&session.record.sid).await;
        for _try in 0..TRIES {
            change(&mut session.record, &mut session.jar);
            let (key, record) = (&session.jar_key, &session.record);
            session.record.jar = self.seals.seal_jar(record, key, &session.jar)?;
            let beside = Beside {
                fingerprints: fingerprints.to_vec(),
                ..Beside::default()
            };
            if self.replace(&mut session, beside).await? {
                return Ok(session);
            }
            session = self.find(&session.handle).await?;
        }
        Err(VaultError::Contended)
    }

    /// Gives a session a new handle; the old one leads to it for a moment longer, for requests that are
    /// on their way. One that got another meanwhile keeps that, and is given as the old one opens it.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub async fn rotate(&self, mut session: OpenSession) -> Result<OpenSession, VaultError> {
        let _turn = self.turns.take(&session.record.sid).await;
        for _try in 0..TRIES {
            let now = self.now();
            let old = session.handle.clone();
            let handle = Handle::new(random()?);
            let sid = session.record.sid.clone();
            let key = self.seals.seal_jar_key(&sid, &handle, &session.jar_key)?;
            session.record.times.rotated = now;
            let keys = &mut session.record.jar_keys;
            keys.retain(|key| key.handle == old.digest());
            keys.push(key);
            let moved = Beside {
                new_handle: Some(handle.clone()),
                old_until: now.saturating_add(millis(self.lifetimes().grace)),
                fingerprints: Vec::new(),
            };
            if self.replace(&mut session, moved).await? {
                session.handle = handle;
                return Ok(session);
            }
            session = self.find(&old).await?;
            if !self.is_due(&session) {
                return Ok(session);
            }
        }
        Err(VaultError::Contended)
    }

    /// Whether it is time for a new handle.
    #[must_use]
    pub fn is_due(&self, session: &OpenSession) -> bool {
        let age = self.now().saturating_sub(session.record.times.rotated);
        age >= millis(self.lifetimes().rotate)
    }

    /// The ids of those that were ended at that time or later, in milliseconds since 1970.
    ///
    /// # Errors
    /// See [`StoreError`].
    pub async fn ended_since(&self, time: u64) -> Result<Vec<String>, StoreError> {
        self.store.ended_since(time).await
    }

    /// Where the sessions are.
    pub(crate) fn store(&self) -> &dyn SessionStore {
        self.store.as_ref()
    }

    /// What time it is, in milliseconds since 1970.
    #[must_use]
    pub fn now(&self) -> u64 {
        unix_millis(self.clock.wall())
    }

    /// A session as it is stored, and its record.
    async fn fetch(&self, which: Which<'_>) -> Result<Option<(Stored, Record)>, NoSession> {
        for _try in 0..TRIES {
            let now = self.now();
            let stored = match &which {
                Which::Handle(digest) => self.store.find(digest, now).await?,
                Which::Id(sid) => self.store.read(sid, now).await?,
            };
            let Some(stored) = stored else {
                return Ok(None);
            };
            let record = self.seals.open_record(&stored);
            let record = record.map_err(|_forged| NoSession::Forged)?;
            // SECURITY: an older record of ours, put back, would open as well. One that was read a moment
            // ago may have been overtaken.
            if self.seen.is_newest(&stored.sid, stored.revision) {
                return Ok(Some((stored, record)));
            }
        }
        Err(NoSession::Forged)
    }

    async fn replace(&self, session: &mut OpenSession, beside: Beside) -> Result<bool, VaultError> {
        let revision = session.revision.saturating_add(1);
        let old = session.handle.digest();
        let change = Change {
            revision: session.revision,
            sealed: self.seals.seal_record(&session.record, revision)?,
            old_handle: beside.new_handle.as_ref().map(|_| (old, beside.old_until)),
            new_handle: beside.new_handle.map(|handle| handle.digest()),
            fingerprints: beside.fingerprints,
            ended: None,
        };
        let sid = &session.record.sid;
        let done = self.store.replace(sid, change, self.now()).await? == Replaced::Done;
        if done {
            session.revision = revision;
        }
        Ok(done)
    }
}

/// By what a session is found.
enum Which<'a> {
    Handle(Digest),
    Id(&'a str),
}

/// What a change brings beside the record: a new handle, if there is one, and until when the old one holds;
/// fingerprints of what was added.
#[derive(Default)]
struct Beside {
    new_handle: Option<Handle>,
    old_until: u64,
    fingerprints: Vec<Digest>,
}
