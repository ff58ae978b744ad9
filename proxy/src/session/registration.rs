//! What browsers are answered that bind a session to their device, at the two paths of the draft (Device
//! Bound Session Credentials, W3C Editor's Draft of 2026-02-17).
//!
//! Each function changes a record as it is stored and says what is answered, so that it can run inside
//! `Vault::change`, several times if others change the session too. A fault of ours is never a 4xx, on which
//! the browser would drop its session, and nobody is sent to a login.

use http::header::{HeaderName, SET_COOKIE};
use http::{HeaderMap, StatusCode};
use postern_config::Sessions;
use postern_config::sessions::{Binding as Binds, RuleId};

use super::answer::Answer;
use super::browser_fields::SEC_FETCH_SITE;
use super::client_cookies::bound_field;
use super::context::Difference;
use super::dbsc::header::{CHALLENGE, RESPONSE, SESSION_ID};
use super::dbsc::{
    Device, DeviceTimes, Fresh, NotRegistered, Proved, Refresh, configuration, unquoted,
};
use super::judge::{Carrier, Finding, Shown};
use super::record::{Client, Record};
use super::vault::{NoSession, VaultError};

const CHALLENGE_FIELD: HeaderName = HeaderName::from_static(CHALLENGE);
const RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");

/// A request to one of the two paths; the caller has seen that it is a POST.
#[derive(Debug, Clone, Copy)]
pub struct DeviceRequest<'a> {
    /// Its fields.
    pub headers: &'a HeaderMap,
    /// What it shows.
    pub shown: &'a Shown,
    /// Where the client finds us: one origin, never what the request says.
    pub origin: &'a str,
    /// Random bytes, never used before.
    pub fresh: Fresh,
    /// What time it is, in milliseconds since 1970.
    pub now: u64,
}

/// What becomes of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// What is answered, once the record is written.
    pub answer: Answer,
    /// What a rule noticed. The record has learned of it what it can; to end the session, where the rule
    /// does, is the caller's.
    pub finding: Option<Finding>,
}

impl From<Answer> for Answered {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            finding: None,
        }
    }
}

/// Offers a session that begins to be bound: its device, and the value of
/// [`REGISTRATION`](super::dbsc::header::REGISTRATION), which the answer to the login has beside the handle.
/// None for programs, and where the policy does not bind so.
#[must_use]
pub fn offer(
    sessions: &Sessions,
    client: Client,
    fresh: Fresh,
    now: u64,
) -> Option<(Device, String)> {
    let offered = client == Client::Browser && sessions.bind.contains(&Binds::Dbsc);
    offered.then(|| Device::offer(fresh, DeviceTimes::of(sessions), now))
}

/// `POST` to [`REGISTER_PATH`](super::dbsc::REGISTER_PATH).
#[must_use]
pub fn register(sessions: &Sessions, record: &mut Record, request: &DeviceRequest<'_>) -> Answered {
    let (shown, binding) = (request.shown, &mut record.binding);
    let from_there = shown.context.difference_from(&binding.began) == Difference::None;
    let from_us = only(request.headers, SEC_FETCH_SITE.as_str()) == Some("same-origin");
    let is_bound = sessions.bind.contains(&Binds::Dbsc);
    let proof = only(request.headers, RESPONSE);
    let sound = from_there && from_us && is_bound && shown.carrier == Carrier::Cookie;
    let (Some(device), Some(proof), true) = (&mut binding.device, proof, sound) else {
        return plain(StatusCode::BAD_REQUEST).into();
    };
    let times = DeviceTimes::of(sessions);
    let named = (record.sid.as_str(), proof);
    match device.register(named, request.fresh, times, request.now) {
        Ok(proved) => {
            let body = configuration(&record.sid, request.origin).to_string();
            let answer = told(sessions, &proved).with_body("application/json", body);
            answer.into()
        }
        Err(NotRegistered::AlreadyBound) => {
            let finding = Finding::new(sessions, RuleId::H01, "registered-again");
            noticed((record, request.now), plain(StatusCode::CONFLICT), finding)
        }
        Err(NotRegistered::Late | NotRegistered::Proof(_)) => plain(StatusCode::BAD_REQUEST).into(),
    }
}

/// `POST` to [`REFRESH_PATH`](super::dbsc::REFRESH_PATH).
#[must_use]
pub fn refresh(sessions: &Sessions, record: &mut Record, request: &DeviceRequest<'_>) -> Answered {
    let sid = only(request.headers, SESSION_ID).map(unquoted);
    let proof = match request.headers.contains_key(RESPONSE) {
        true => Some(only(request.headers, RESPONSE).unwrap_or_default()),
        false => None,
    };
    let is_this = sid == Some(record.sid.as_str());
    let (Some(device), true) = (&mut record.binding.device, is_this) else {
        return plain(StatusCode::BAD_REQUEST).into();
    };
    let times = DeviceTimes::of(sessions);
    let named = (record.sid.as_str(), proof);
    match device.refresh(named, request.fresh, times, request.now) {
        Refresh::Proved(proved) => told(sessions, &proved).into(),
        Refresh::Again(challenge) => {
            let answer = plain(StatusCode::FORBIDDEN).with(CHALLENGE_FIELD, &challenge);
            match proof {
                None => answer.into(),
                Some(_) => {
                    let finding = Finding::new(sessions, RuleId::H03, "challenge-not-good");
                    noticed((record, request.now), answer, finding)
                }
            }
        }
        Refresh::Over => plain(StatusCode::BAD_REQUEST).into(),
        Refresh::OtherKey => {
            let finding = Finding::new(sessions, RuleId::H01, "refreshed-with-another-key");
            noticed(
                (record, request.now),
                plain(StatusCode::BAD_REQUEST),
                finding,
            )
        }
    }
}

/// The answer at both paths when the handle opens no session: the browser drops its own, unless it is we who
/// cannot tell.
#[must_use]
pub fn without_session(none: NoSession) -> Answer {
    match none {
        NoSession::Missing | NoSession::Expired | NoSession::Revoked | NoSession::Forged => {
            plain(StatusCode::BAD_REQUEST)
        }
        NoSession::Store(_) => plain(StatusCode::SERVICE_UNAVAILABLE),
    }
}

/// The answer when the record could not be written: nothing of what it would say holds.
#[must_use]
pub fn not_written(error: VaultError) -> Answer {
    match error {
        VaultError::NoSession(none) => without_session(none),
        VaultError::Full | VaultError::Contended | VaultError::CannotSeal => {
            plain(StatusCode::SERVICE_UNAVAILABLE)
        }
    }
}

/// The browser has its bound cookie, and what to sign next. Without a body its configuration stays.
fn told(sessions: &Sessions, proved: &Proved) -> Answer {
    plain(StatusCode::OK)
        .with(SET_COOKIE, &bound_field(&proved.cookie, sessions.bound_for))
        .with(CHALLENGE_FIELD, &proved.challenge)
}

fn plain(status: StatusCode) -> Answer {
    Answer::empty(status).with(RESOURCE_POLICY, "same-origin")
}

fn noticed((record, now): (&mut Record, u64), answer: Answer, finding: Finding) -> Answered {
    finding.lesson().apply(&mut record.binding, now);
    Answered {
        answer,
        finding: Some(finding),
    }
}

/// The value of a field that comes once.
fn only<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let mut fields = headers.get_all(name).iter();
    match (fields.next(), fields.next()) {
        (Some(value), None) => value.to_str().ok(),
        (_, _) => None,
    }
}

#[cfg(test)]
mod tests;
