//! The shared store: a Valkey or Redis server that all replicas use. Each call is one script, which the
//! server runs as one step; nothing is kept here, so that what one replica ended is over for all.
//!
//! All keys carry one tag, so that one node of a cluster holds them.

use std::time::Duration;

use async_trait::async_trait;
use postern_config::sessions::OnLimit;
use redis::aio::ConnectionManager;
use redis::{AsyncCommands as _, RedisError, Script};

use super::digest::Digest;
use super::store::{
    Admitted, Change, Limit, NewSession, Replaced, SessionStore, StoreError, Stored,
};
use crate::store_server;

/// What each key begins with.
const SESSION: &str = "postern:{sessions}:s:";
const HANDLE: &str = "postern:{sessions}:h:";
const PERSON: &str = "postern:{sessions}:p:";
const PROOF: &str = "postern:{sessions}:j:";
const FINGERPRINT: &str = "postern:{sessions}:f:";
const HELD: &str = "postern:{sessions}:held:";
const ALL: &str = "postern:{sessions}:all";
const ENDED: &str = "postern:{sessions}:ended";
/// The server forgets a session so long after its end, in milliseconds: its clock may be ahead of ours.
const FORGET_AFTER_MS: u64 = 3_600_000;

/// See the module's documentation.
pub struct SharedSessions {
    manager: ConnectionManager,
    deadline: Duration,
    admit: Script,
    find: Script,
    replace: Script,
}

impl SharedSessions {
    /// Connects to the server; each call may then take `deadline`.
    ///
    /// # Errors
    /// The address is none, or the server does not answer.
    pub async fn open(url: &str, deadline: Duration) -> Result<Self, StoreError> {
        let manager = store_server::connect(url, deadline).await;
        Ok(Self {
            manager: manager.map_err(|error| refused(&error))?,
            deadline,
            admit: Script::new(concat!(
                include_str!("shared/fingerprints.lua"),
                include_str!("shared/admit.lua")
            )),
            find: Script::new(include_str!("shared/find.lua")),
            replace: Script::new(concat!(
                include_str!("shared/fingerprints.lua"),
                include_str!("shared/replace.lua")
            )),
        })
    }

    /// Waits for an answer of the server, until the deadline. A connection that is being made again would be
    /// waited for much longer, and whoever asks is to be refused soon.
    async fn in_time<T>(
        &self,
        call: impl Future<Output = Result<T, RedisError>>,
    ) -> Result<T, StoreError> {
        match tokio::time::timeout(self.deadline, call).await {
            Ok(answer) => answer.map_err(|error| refused(&error)),
            Err(_late) => Err(StoreError::Timeout),
        }
    }
}

#[async_trait]
impl SessionStore for SharedSessions {
    async fn admit(
        &self,
        session: NewSession,
        limit: Option<Limit>,
        now: u64,
    ) -> Result<Admitted, StoreError> {
        let mut call = self.admit.key(key_of(SESSION, &session.sid));
        call.key(hashed(HANDLE, &session.handle));
        call.key(hashed(PERSON, &session.person));
        call.key(ALL).key(ENDED);
        call.key(key_of(HELD, &session.sid));
        for fingerprint in &session.fingerprints {
            call.key(hashed(FINGERPRINT, fingerprint));
        }
        call.arg(&session.sid).arg(session.sealed);
        call.arg(session.ends_at);
        call.arg(session.ends_at.saturating_add(FORGET_AFTER_MS));
        call.arg(now);
        call.arg(limit.map(|limit| limit.max.to_string()).unwrap_or_default());
        call.arg(match limit.map(|limit| limit.on_limit) {
            Some(OnLimit::EvictOldest) => "evict",
            Some(OnLimit::DenyNew) | None => "deny",
        });
        call.arg(SESSION).arg(HELD).arg(FORGET_AFTER_MS);
        call.arg(session.follows.as_deref().unwrap_or_default());
        let mut manager = self.manager.clone();
        let answer: Vec<String> = self.in_time(call.invoke_async(&mut manager)).await?;
        let mut answer = answer.into_iter();
        match answer.next().as_deref() {
            Some("made") => Ok(Admitted::Made {
                evicted: answer.collect(),
            }),
            Some("full") => Ok(Admitted::Full),
            Some(_) | None => Err(StoreError::Corrupt),
        }
    }

    async fn find(&self, handle: &Digest, now: u64) -> Result<Option<Stored>, StoreError> {
        let mut call = self.find.key(hashed(HANDLE, handle));
        call.arg(now).arg(SESSION);
        let mut manager = self.manager.clone();
        let answer: Vec<Vec<u8>> = self.in_time(call.invoke_async(&mut manager)).await?;
        match <[Vec<u8>; 3]>::try_from(answer) {
            Ok([sid, revision, sealed]) => Ok(Some(Stored {
                sid: String::from_utf8(sid).map_err(|_odd| StoreError::Corrupt)?,
                revision: number(&revision)?,
                sealed,
            })),
            Err(answer) if answer.is_empty() => Ok(None),
            Err(_odd) => Err(StoreError::Corrupt),
        }
    }

    async fn read(&self, sid: &str, now: u64) -> Result<Option<Stored>, StoreError> {
        let fields = ["end", "revision", "sealed"];
        let mut manager = self.manager.clone();
        let reading = manager.hmget(key_of(SESSION, sid), &fields);
        let row: Vec<Option<Vec<u8>>> = self.in_time(reading).await?;
        let Ok([Some(end), Some(revision), Some(sealed)]) = <[_; 3]>::try_from(row) else {
            return Ok(None);
        };
        let stored = Stored {
            sid: sid.to_owned(),
            revision: number(&revision)?,
            sealed,
        };
        Ok((now < number(&end)?).then_some(stored))
    }

    async fn replace(&self, sid: &str, change: Change, now: u64) -> Result<Replaced, StoreError> {
        let session = key_of(SESSION, sid);
        let person = change.ended.map(|person| hashed(PERSON, &person));
        let new = change.new_handle.map(|handle| hashed(HANDLE, &handle));
        let old = change.old_handle.map(|(handle, _)| hashed(HANDLE, &handle));
        let mut call = self.replace.key(&session);
        call.key(person.as_ref().unwrap_or(&session)).key(ENDED);
        call.key(new.as_ref().unwrap_or(&session));
        call.key(old.as_ref().unwrap_or(&session));
        call.key(key_of(HELD, sid));
        for fingerprint in &change.fingerprints {
            call.key(hashed(FINGERPRINT, fingerprint));
        }
        call.arg(sid).arg(change.revision).arg(change.sealed);
        call.arg(now);
        call.arg(change.old_handle.map_or(0, |(_, until)| until));
        call.arg(u8::from(person.is_some())).arg(FORGET_AFTER_MS);
        let mut manager = self.manager.clone();
        match self.in_time(call.invoke_async(&mut manager)).await? {
            1_u8 => Ok(Replaced::Done),
            _ => Ok(Replaced::Stale),
        }
    }

    async fn holders(
        &self,
        fingerprints: &[Digest],
        now: u64,
    ) -> Result<Vec<Option<String>>, StoreError> {
        let keys = fingerprints.iter().map(|of| hashed(FINGERPRINT, of));
        let keys: Vec<String> = keys.collect();
        if keys.is_empty() {
            return Ok(Vec::new());
        }
        let mut get = redis::cmd("MGET");
        let mut manager = self.manager.clone();
        let asking = get.arg(keys).query_async(&mut manager);
        let places: Vec<Option<String>> = self.in_time(asking).await?;
        let owners = places.into_iter().map(|place| match place {
            Some(place) => owner(&place, now),
            None => Ok(None),
        });
        owners.collect()
    }

    async fn is_first(
        &self,
        proof: &Digest,
        (_made, until): (u64, u64),
        now: u64,
    ) -> Result<bool, StoreError> {
        let mut set = redis::cmd("SET");
        set.arg(hashed(PROOF, proof)).arg(1).arg("NX");
        set.arg("PX").arg(until.saturating_sub(now).max(1));
        let mut manager = self.manager.clone();
        let set: Option<String> = self.in_time(set.query_async(&mut manager)).await?;
        Ok(set.is_some())
    }

    async fn list(
        &self,
        person: Option<&Digest>,
        max: usize,
        now: u64,
    ) -> Result<Vec<String>, StoreError> {
        let key = person.map_or_else(|| ALL.to_owned(), |person| hashed(PERSON, person));
        let max = isize::try_from(max).unwrap_or(isize::MAX);
        let after = format!("({now}");
        let mut manager = self.manager.clone();
        let reading = manager.zrangebyscore_limit(key, after, "+inf", 0, max);
        self.in_time(reading).await
    }

    async fn ended_since(&self, time: u64) -> Result<Vec<String>, StoreError> {
        let mut manager = self.manager.clone();
        let reading = manager.zrangebyscore(ENDED, time, "+inf");
        self.in_time(reading).await
    }
}

impl std::fmt::Debug for SharedSessions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SharedSessions").finish_non_exhaustive()
    }
}

fn key_of(prefix: &str, name: &str) -> String {
    format!("{prefix}{name}")
}

fn hashed(prefix: &str, digest: &Digest) -> String {
    format!("{prefix}{}", hex::encode(digest))
}

/// The one session that a fingerprint leads to.
fn owner(place: &str, now: u64) -> Result<Option<String>, StoreError> {
    let (until, sid) = place.split_once(':').ok_or(StoreError::Corrupt)?;
    let leads = now < number(until.as_bytes())? && !sid.is_empty();
    Ok(leads.then(|| sid.to_owned()))
}

fn number(text: &[u8]) -> Result<u64, StoreError> {
    let text = std::str::from_utf8(text).map_err(|_odd| StoreError::Corrupt)?;
    text.parse().map_err(|_odd| StoreError::Corrupt)
}

/// What an error of the client means. Its text may hold data: only its kind is told.
fn refused(error: &RedisError) -> StoreError {
    let kind = error.category();
    tracing::debug!(target: "postern::session", kind, "the session store did not answer");
    match error.is_timeout() {
        true => StoreError::Timeout,
        false => StoreError::Unavailable,
    }
}
