//! Device-bound session credentials, the server's side (W3C Editor's Draft of 2026-02-17): a browser
//! proves now and then that it holds a key which no copy of its cookies holds.
//!
//! ```text
//!  login ─▶ Offered ──registration, signed with a new key──▶ Bound ──refresh, signed with it──▶ Bound
//!              └ until it is too late: never bound              └ a wrong signature: stolen
//! ```
//!
//! It is the state machine by itself: time and randomness come in, what the browser is told goes out.
//! The names of headers, which may still change, are in one table here.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use postern_config::Sessions;
use postern_config::sessions::GRACE;
use postern_config::sessions::hot_names::BOUND_COOKIE;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::client_cookies::ATTRIBUTES;
use super::digest::{Digest, sha256};
use super::proof::{BadProof, Proof, ProofKey, verify};
use crate::clock::millis;

/// The headers of the draft.
pub mod header {
    /// Of an answer: this session can be bound.
    pub const REGISTRATION: &str = "secure-session-registration";
    /// Of an answer: what to sign next.
    pub const CHALLENGE: &str = "secure-session-challenge";
    /// Of a request: the proof.
    pub const RESPONSE: &str = "secure-session-response";
    /// Of a request: which session. No page can set it.
    pub const SESSION_ID: &str = "sec-secure-session-id";
    /// Of a request: why the browser sends no proof.
    pub const SKIPPED: &str = "secure-session-skipped";
}

/// Where a browser registers.
pub const REGISTER_PATH: &str = "/__postern/dbsc/reg";
/// Where it refreshes.
pub const REFRESH_PATH: &str = "/__postern/dbsc/refresh";

/// The kind of a proof.
const KIND: &str = "dbsc+jwt";
/// How long a challenge is good for.
const CHALLENGE_LIFE: Duration = Duration::from_secs(300);
/// So many challenges are good at once.
const CHALLENGES_MAX: usize = 4;
/// A browser gives up after five refusals; after so many within [`REFUSALS_TIME`] it is told to.
const REFUSALS_MAX: u32 = 3;
const REFUSALS_TIME: Duration = Duration::from_secs(10);

/// How long things last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeviceTimes {
    /// The bound cookie. Below three minutes Chromium refreshes with nearly every request.
    pub bound: Duration,
    /// A bound cookie that another has taken the place of.
    pub grace: Duration,
    /// From the login until it is too late to bind.
    pub unbound: Duration,
}

impl DeviceTimes {
    /// As a policy says.
    #[must_use]
    pub const fn of(sessions: &Sessions) -> Self {
        Self {
            bound: sessions.bound_for,
            grace: GRACE,
            unbound: sessions.unbound_for,
        }
    }
}

/// Random bytes for one step: for the cookie and for the challenge.
#[derive(Clone, Copy)]
pub struct Fresh {
    /// For the cookie, or the authorization code.
    pub value: [u8; 32],
    /// For the challenge.
    pub challenge: [u8; 32],
}

impl std::fmt::Debug for Fresh {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Fresh(..)")
    }
}

/// What of a session's device is known. It is part of the session's record: digests and a public key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Device {
    state: State,
    challenges: Vec<Challenge>,
    refused: Refused,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum State {
    Offered { authorization: Digest, until: u64 },
    Bound(Bound),
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Bound {
    jwk: Map<String, Value>,
    cookie: Digest,
    until: u64,
    before: Option<(Digest, u64)>,
    proved: u64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Challenge {
    hash: Digest,
    until: u64,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Refused {
    count: u32,
    since: u64,
}

/// The browser has proved that it holds the key.
#[derive(Clone, PartialEq, Eq)]
pub struct Proved {
    /// The bound cookie's value.
    pub cookie: String,
    /// The value of [`header::CHALLENGE`].
    pub challenge: String,
}

impl std::fmt::Debug for Proved {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Proved(..)")
    }
}

/// Why a registration is refused: the answer is a 400, or a 409 when there is a key already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRegistered {
    /// Another key is bound to the session: rule H01.
    #[error("the session is bound already")]
    AlreadyBound,
    /// The time for it is over.
    #[error("it is too late to bind the session")]
    Late,
    /// The proof does not hold.
    #[error(transparent)]
    Proof(#[from] BadProof),
}

/// What becomes of a refresh.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refresh {
    /// 200: the proof holds.
    Proved(Proved),
    /// 403: the browser signs this challenge now, the value of [`header::CHALLENGE`].
    Again(String),
    /// 400: the browser drops its session. It was refused too often, or there is none to refresh.
    Over,
    /// 400, and rule H01: signed with another key.
    OtherKey,
}

/// What a bound cookie is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presented {
    /// It is the one, proved at that time in milliseconds since 1970.
    Current(u64),
    /// It was the one until a moment ago: requests may be on their way.
    Grace(u64),
    /// It was, and its time is over: rule H02.
    Superseded,
    /// It is the one, and too old: the browser must refresh.
    Expired,
    /// Nobody gave it.
    Unknown,
}

impl Device {
    /// Offers a session that has just begun to be bound. Gives the value of [`header::REGISTRATION`].
    #[must_use]
    pub fn offer(fresh: Fresh, times: DeviceTimes, now: u64) -> (Self, String) {
        let authorization = URL_SAFE_NO_PAD.encode(fresh.value);
        let challenge = URL_SAFE_NO_PAD.encode(fresh.challenge);
        let mut device = Self {
            state: State::Offered {
                authorization: hash(&authorization),
                until: after(now, times.unbound),
            },
            challenges: Vec::new(),
            refused: Refused::default(),
        };
        device.expect(&challenge, now);
        let value = format!(
            "(ES256);path=\"{REGISTER_PATH}\";challenge=\"{challenge}\";authorization=\"{authorization}\""
        );
        (device, value)
    }

    /// Whether a key is bound.
    #[must_use]
    pub const fn is_bound(&self) -> bool {
        matches!(self.state, State::Bound(_))
    }

    /// Binds the key that a registration shows.
    ///
    /// # Errors
    /// See [`NotRegistered`].
    pub fn register(
        &mut self,
        (sid, proof): (&str, &str),
        fresh: Fresh,
        times: DeviceTimes,
        now: u64,
    ) -> Result<Proved, NotRegistered> {
        let State::Offered {
            authorization,
            until,
        } = &self.state
        else {
            return Err(NotRegistered::AlreadyBound);
        };
        if now >= *until {
            return Err(NotRegistered::Late);
        }
        let proof = Proof::with_own_key(unquoted(proof), KIND)?;
        let claim = |name| proof.claims.get(name).and_then(Value::as_str);
        if claim("authorization").map(hash).as_ref() != Some(authorization) {
            return Err(BadProof("authorization").into());
        }
        if !claim("jti").is_some_and(|challenge| self.spend(challenge, now)) {
            return Err(BadProof("challenge").into());
        }
        let (cookie, digest) = cookie_of(fresh);
        self.state = State::Bound(Bound {
            jwk: proof.key.jwk().clone(),
            cookie: digest,
            until: after(now, times.bound),
            before: None,
            proved: now,
        });
        Ok(Proved {
            cookie,
            challenge: self.next_challenge(sid, fresh, now),
        })
    }

    /// Judges a refresh. `proof` is the value of [`header::RESPONSE`], if there is one.
    pub fn refresh(
        &mut self,
        (sid, proof): (&str, Option<&str>),
        fresh: Fresh,
        times: DeviceTimes,
        now: u64,
    ) -> Refresh {
        let State::Bound(bound) = &self.state else {
            return Refresh::Over;
        };
        let Some(proof) = proof else {
            return self.again(sid, fresh, now);
        };
        let Ok(key) = ProofKey::parse(&bound.jwk) else {
            return Refresh::Over;
        };
        let Ok(claims) = verify(unquoted(proof), KIND, &key) else {
            return Refresh::OtherKey;
        };
        let challenge = claims.get("jti").and_then(Value::as_str);
        if !challenge.is_some_and(|challenge| self.spend(challenge, now)) {
            return self.again(sid, fresh, now);
        }
        let (cookie, digest) = cookie_of(fresh);
        if let State::Bound(bound) = &mut self.state {
            bound.before = Some((bound.cookie, after(now, times.grace)));
            bound.cookie = digest;
            bound.until = after(now, times.bound);
            bound.proved = now;
        }
        self.refused = Refused::default();
        Refresh::Proved(Proved {
            cookie,
            challenge: self.next_challenge(sid, fresh, now),
        })
    }

    /// Judges a bound cookie.
    #[must_use]
    pub fn presents(&self, cookie: &str, now: u64) -> Presented {
        let State::Bound(bound) = &self.state else {
            return Presented::Unknown;
        };
        let digest = hash(cookie);
        if digest == bound.cookie {
            return match now < bound.until {
                true => Presented::Current(bound.proved),
                false => Presented::Expired,
            };
        }
        match &bound.before {
            Some((before, until)) if *before == digest && now < *until => {
                Presented::Grace(bound.proved)
            }
            Some((before, _)) if *before == digest => Presented::Superseded,
            Some(_) | None => Presented::Unknown,
        }
    }

    /// One more refusal: the browser signs a new challenge, unless it was refused too often.
    fn again(&mut self, sid: &str, fresh: Fresh, now: u64) -> Refresh {
        if now >= after(self.refused.since, REFUSALS_TIME) {
            self.refused = Refused {
                count: 0,
                since: now,
            };
        }
        self.refused.count = self.refused.count.saturating_add(1);
        match self.refused.count > REFUSALS_MAX {
            true => Refresh::Over,
            false => Refresh::Again(self.next_challenge(sid, fresh, now)),
        }
    }

    fn next_challenge(&mut self, sid: &str, fresh: Fresh, now: u64) -> String {
        let challenge = URL_SAFE_NO_PAD.encode(fresh.challenge);
        self.expect(&challenge, now);
        format!("\"{challenge}\";id=\"{sid}\"")
    }

    fn expect(&mut self, challenge: &str, now: u64) {
        self.challenges.retain(|known| now < known.until);
        if self.challenges.len() >= CHALLENGES_MAX {
            self.challenges.remove(0);
        }
        self.challenges.push(Challenge {
            hash: hash(challenge),
            until: after(now, CHALLENGE_LIFE),
        });
    }

    /// Whether a challenge was ours and is still good; it is not again.
    fn spend(&mut self, challenge: &str, now: u64) -> bool {
        let digest = hash(challenge);
        let before = self.challenges.len();
        let expected = |known: &Challenge| known.hash == digest && now < known.until;
        self.challenges.retain(|known| !expected(known));
        self.challenges.len() < before
    }
}

/// What a browser is told of the session that it has registered.
#[must_use]
pub fn configuration(sid: &str, origin: &str) -> Value {
    json!({
        "session_identifier": sid,
        "refresh_url": REFRESH_PATH,
        "continue": true,
        "scope": { "origin": origin, "include_site": false, "scope_specification": [] },
        "credentials": [
            { "type": "cookie", "name": BOUND_COOKIE, "attributes": ATTRIBUTES },
        ],
        "allowed_refresh_initiators": [],
    })
}

/// Chromium sends strings without their quotation marks; the draft has them.
pub(super) fn unquoted(value: &str) -> &str {
    let inner = value
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'));
    inner.unwrap_or(value)
}

fn cookie_of(fresh: Fresh) -> (String, Digest) {
    let cookie = URL_SAFE_NO_PAD.encode(fresh.value);
    let digest = hash(&cookie);
    (cookie, digest)
}

fn hash(text: &str) -> Digest {
    sha256(text.as_bytes())
}

fn after(time: u64, duration: Duration) -> u64 {
    time.saturating_add(millis(duration))
}

#[cfg(test)]
mod tests;
