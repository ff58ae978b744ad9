//! What this process has seen of sessions in the last minutes: from where they came, how often a proof was
//! sent again, how many cases were asked for, and who was sent to prove the device.
//!
//! It is the memory of the rules that look at more than one request. It guarantees to stay within its bounds
//! whoever asks; when it is full of what still counts it forgets everything, which makes a rule fire later
//! and lets nothing in. Nothing is shared with other replicas: each counts what it sees.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, PoisonError};

use serde_json::json;

use crate::session::context::Context;
use crate::session::digest::{Digest, sha256};
use crate::session::record::Holder;

/// What happened longer ago than this no longer counts, in milliseconds: the minute of H04, H06 and H14.
const MINUTE: u64 = 60_000;
/// A day, for H08.
const DAY: u64 = 24 * 3_600_000;
/// So many sessions are remembered, and so many people for H08.
const REMEMBERED_MAX: usize = 16_384;
/// So many sessions of one person are.
const SIDS_MAX: usize = 16;
/// So many places of one session are.
const PLACES_MAX: usize = 4;
/// So many of its targets are, whose requests were sent to prove the device.
const SENT_MAX: usize = 8;
/// How long it is known that a request was sent to prove the device, in milliseconds.
const SENT_KEPT: u64 = 30_000;
/// H04 fires with so many replays in a minute.
const REPLAYS: usize = 3;
/// H08 fires with so many sessions of one person in a day.
const UNREGISTERED: usize = 3;
/// H14 fires beyond so many different cases in a minute. Somebody who opens one every five seconds is a
/// tenth of it; a page that loads a list of fifty with their details is less than half.
pub const CASES_A_MINUTE: usize = 120;

/// See the module's documentation.
#[derive(Default)]
pub struct Recent {
    hasher: RandomState,
    sessions: Mutex<HashMap<String, Session>>,
    people: Mutex<HashMap<Digest, Vec<(String, u64)>>>,
}

/// What is remembered of one session.
#[derive(Default)]
struct Session {
    last: u64,
    /// Where it came from and when, the latest last.
    places: Vec<(Context, u64)>,
    replays: Vec<u64>,
    /// Since when cases are counted, and which.
    cases: (u64, HashSet<u64>),
    /// What was sent to prove the device, and when.
    sent: Vec<(Digest, u64)>,
}

impl Recent {
    /// Notes from where a session is used. Says whether it is used from two places in turns (H06): it was
    /// elsewhere since it was last here, all within a minute. Then it begins to watch anew.
    pub(super) fn is_in_turns(&self, sid: &str, from: &Context, now: u64) -> bool {
        // An update is no other place.
        let from = Context {
            version: None,
            ..from.clone()
        };
        self.with(sid, now, |session| {
            let places = &mut session.places;
            places.retain(|(_, at)| is_within(*at, MINUTE, now));
            let here = places.iter().position(|(place, _)| *place == from);
            let in_turns = here.is_some_and(|here| here + 1 < places.len());
            if in_turns {
                places.clear();
            }
            places.retain(|(place, _)| *place != from);
            if places.len() >= PLACES_MAX {
                places.remove(0);
            }
            places.push((from, now));
            in_turns
        })
    }

    /// Notes that a proof was sent again. Says whether it is too often (H04).
    pub(super) fn is_replayed_often(&self, sid: &str, now: u64) -> bool {
        self.with(sid, now, |session| {
            let replays = &mut session.replays;
            replays.retain(|at| is_within(*at, MINUTE, now));
            if replays.len() < REPLAYS {
                replays.push(now);
            }
            replays.len() >= REPLAYS
        })
    }

    /// Notes that a session asks for a case. Says whether this is the one too many of this minute (H14); only
    /// the first one is.
    pub(super) fn is_one_case_too_many(&self, sid: &str, case: &str, now: u64) -> bool {
        let case = self.hasher.hash_one(case);
        self.with(sid, now, |session| {
            let (since, cases) = &mut session.cases;
            if !is_within(*since, MINUTE, now) {
                *since = now;
                cases.clear();
            }
            let is_over = cases.len() > CASES_A_MINUTE;
            !is_over && cases.insert(case) && cases.len() > CASES_A_MINUTE
        })
    }

    /// Notes that a session could be bound to a device and was not. Says whether the person has too many of
    /// those (H08), once for each session.
    pub(super) fn is_often_unregistered(&self, holder: &Holder, sid: &str, now: u64) -> bool {
        let name = json!([holder.issuer, holder.tenant, holder.subject]).to_string();
        let mut people = self.people.lock().unwrap_or_else(PoisonError::into_inner);
        let is_current = |(_, at): &(String, u64)| is_within(*at, DAY, now);
        let person = sha256(name.as_bytes());
        if !people.contains_key(&person) {
            make_room(&mut people, |sids| sids.iter().any(is_current));
        }
        let sids = people.entry(person).or_default();
        sids.retain(is_current);
        if sids.iter().any(|(known, _)| known == sid) {
            return false;
        }
        if sids.len() >= SIDS_MAX {
            sids.remove(0);
        }
        sids.push((sid.to_owned(), now));
        sids.len() >= UNREGISTERED
    }

    /// When a request for this target was sent to prove the device, if that was a moment ago; else it is sent
    /// now.
    pub(super) fn sent_to_prove(&self, sid: &str, target: &Digest, now: u64) -> Option<u64> {
        self.with(sid, now, |session| {
            let sent = &mut session.sent;
            sent.retain(|(_, at)| is_within(*at, SENT_KEPT, now));
            let before = sent.iter().find(|(known, _)| known == target);
            if let Some((_, at)) = before {
                return Some(*at);
            }
            if sent.len() >= SENT_MAX {
                sent.remove(0);
            }
            sent.push((*target, now));
            None
        })
    }

    /// Forgets that it was sent: it has proved the device, and the next request proves it again.
    pub(super) fn has_proved(&self, sid: &str, target: &Digest, now: u64) {
        self.with(sid, now, |session| {
            session.sent.retain(|(known, _)| known != target);
        });
    }

    fn with<T>(&self, sid: &str, now: u64, work: impl FnOnce(&mut Session) -> T) -> T {
        let mut sessions = self.sessions.lock().unwrap_or_else(PoisonError::into_inner);
        if !sessions.contains_key(sid) {
            make_room(&mut sessions, |session| {
                is_within(session.last, MINUTE, now)
            });
        }
        let session = sessions.entry(sid.to_owned()).or_default();
        session.last = now;
        work(session)
    }
}

/// Forgets what no longer counts when there is no room for another, and everything when all of it does.
fn make_room<K, V>(all: &mut HashMap<K, V>, counts: impl Fn(&V) -> bool) {
    if all.len() < REMEMBERED_MAX {
        return;
    }
    all.retain(|_, one| counts(one));
    if all.len() >= REMEMBERED_MAX {
        all.clear();
    }
}

const fn is_within(at: u64, time: u64, now: u64) -> bool {
    now.saturating_sub(at) < time
}

impl std::fmt::Debug for Recent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recent").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: u64 = 1_800_000_000_000;

    #[test]
    fn it_stays_within_its_bounds_and_forgets_first_what_no_longer_counts() {
        let recent = Recent::default();
        let remembered = || recent.sessions.lock().unwrap().len();
        for n in 0..REMEMBERED_MAX - 1 {
            recent.is_replayed_often(&n.to_string(), NOW);
        }
        recent.is_replayed_often("kept", NOW + MINUTE);
        assert_eq!(remembered(), REMEMBERED_MAX);
        recent.is_replayed_often("another", NOW + MINUTE);
        assert_eq!(remembered(), 2);
        for n in 0..REMEMBERED_MAX - 2 {
            recent.is_replayed_often(&n.to_string(), NOW + MINUTE);
        }
        recent.is_replayed_often("one more", NOW + MINUTE);
        assert_eq!(remembered(), 1);
    }

    #[test]
    fn nothing_of_one_session_grows_without_bound() {
        let recent = Recent::default();
        for n in 0..1_000_u32 {
            let address = std::net::IpAddr::from((n << 8).to_be_bytes());
            recent.is_in_turns("s", &Context::of(Some(address), ""), NOW);
            recent.is_replayed_often("s", NOW);
            recent.is_one_case_too_many("s", &n.to_string(), NOW);
            recent.sent_to_prove("s", &sha256(&n.to_be_bytes()), NOW);
            recent.is_often_unregistered(&Holder::default(), &n.to_string(), NOW);
        }
        recent.with("s", NOW, |session| {
            assert_eq!(session.places.len(), PLACES_MAX);
            assert_eq!(session.replays.len(), REPLAYS);
            assert_eq!(session.cases.1.len(), CASES_A_MINUTE + 1);
            assert_eq!(session.sent.len(), SENT_MAX);
        });
        let people = recent.people.lock().unwrap();
        assert!(people.values().all(|sids| sids.len() == SIDS_MAX));
    }
}
