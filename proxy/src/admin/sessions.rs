//! `GET /sessions` and `GET /sessions/{sid}`: whose sessions there are. `POST /sessions/revoke`: ends them,
//! with a reason, and leaves a record.
//!
//! `who` in the query is a person's name exactly as it is listed, whoever vouches for it; `sid` is a session's
//! id. Sessions from before a login, which are nobody's, are left out unless `anonymous=true` asks for them.
//! A list names identities: it is for whoever holds the admin token. It never holds what opens a session.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use postern_audit::AdminEntry;
use serde::Deserialize;
use serde_json::{Value, json};

use super::AdminState;
use crate::session::{NoSession, Record, Revoker, Vault};

/// More sessions than these are not listed at once.
const LISTED_MAX: usize = 1_000;
/// What is said where there can be none.
const NO_SESSIONS: &str = "the policy in force has no sessions";

/// Which sessions are meant.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    sid: Option<String>,
    who: Option<String>,
    #[serde(default)]
    anonymous: bool,
}

/// Which sessions are to be ended, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ending {
    sid: Option<String>,
    who: Option<String>,
    reason: Option<String>,
}

type Answer = (StatusCode, Json<Value>);

impl Wanted {
    fn lets(&self, record: &Record) -> bool {
        let is = |asked: &Option<String>, found: &str| match asked {
            Some(asked) => asked == found,
            None => true,
        };
        is(&self.sid, &record.sid)
            && is(&self.who, &record.holder.subject)
            && (self.anonymous || record.holder.is_somebody())
    }
}

/// `GET /sessions`.
pub(super) async fn list(State(state): State<AdminState>, Query(wanted): Query<Wanted>) -> Answer {
    let vault = match opened(&state).await {
        Ok(Some(vault)) => vault,
        Ok(None) => {
            let body = json!({ "sessions": [], "note": NO_SESSIONS });
            return (StatusCode::OK, Json(body));
        }
        Err(answer) => return answer,
    };
    let found = vault.search(LISTED_MAX, |record| wanted.lets(record)).await;
    match found {
        Ok(found) => {
            let now = vault.now();
            let shown = found.records.iter().map(|record| shown(record, now));
            let body = json!({
                "sessions": shown.collect::<Vec<_>>(),
                "more": found.more,
                "unreadable": found.unreadable,
            });
            (StatusCode::OK, Json(body))
        }
        Err(error) => unavailable(&error),
    }
}

/// `GET /sessions/{sid}`.
pub(super) async fn show(State(state): State<AdminState>, Path(sid): Path<String>) -> Answer {
    let vault = match opened(&state).await {
        Ok(Some(vault)) => vault,
        Ok(None) => return absent(NO_SESSIONS),
        Err(answer) => return answer,
    };
    match vault.record(&sid).await {
        Ok(Some(record)) => (StatusCode::OK, Json(shown(&record, vault.now()))),
        Ok(None) => absent("there is no such session"),
        Err(error) => unavailable(&error),
    }
}

/// `POST /sessions/revoke`. It says how many were ended that somebody could still have used.
pub(super) async fn revoke(
    State(state): State<AdminState>,
    Query(ending): Query<Ending>,
) -> Answer {
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let (sid, who, reason) = (given(ending.sid), given(ending.who), given(ending.reason));
    let subject = match (&sid, &who) {
        (Some(sid), None) => format!("sid={sid}"),
        (None, Some(who)) => format!("who={who}"),
        (Some(_), Some(_)) | (None, None) => return unclear(),
    };
    let Some(reason) = reason else {
        return unclear();
    };
    let vault = match opened(&state).await {
        Ok(Some(vault)) => vault,
        Ok(None) => {
            let body = json!({ "revoked": 0, "note": NO_SESSIONS });
            return (StatusCode::OK, Json(body));
        }
        Err(answer) => return answer,
    };
    let mut entry = AdminEntry {
        action: "session-revoke".to_owned(),
        subject: vec![subject],
        reason,
        count: 0,
    };
    if state.begins(&entry).await.is_err() {
        let body = json!({ "error": "the audit log takes no entries, so nothing was ended" });
        return (StatusCode::SERVICE_UNAVAILABLE, Json(body));
    }
    let ended = end(&state, &vault, (sid.as_deref(), who.as_deref())).await;
    entry.count = ended
        .as_ref()
        .map_or_else(|(count, _)| *count, |count| *count);
    state.ended(&entry, ended.is_ok()).await;
    match ended {
        Ok(count) => (StatusCode::OK, Json(json!({ "revoked": count }))),
        Err((count, error)) => {
            let body = json!({ "error": error, "revoked": count });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body))
        }
    }
}

/// Ends what is meant and still alive, and says how many those were; when one cannot be ended, also why.
async fn end(
    state: &AdminState,
    vault: &Vault,
    (sid, who): (Option<&str>, Option<&str>),
) -> Result<u64, (u64, String)> {
    let records = match meant(vault, sid, who).await {
        Ok(records) => records,
        Err(error) => return Err((0, error.to_string())),
    };
    let mut count = 0;
    for record in &records {
        let revoked = state.sessions.revoke(vault, record, Revoker::Admin).await;
        match revoked {
            Ok(was_there) => count += u64::from(was_there),
            Err(error) => return Err((count, error.to_string())),
        }
    }
    Ok(count)
}

/// The sessions that are meant and alive. One that is named by its id is looked up: nothing else can keep it
/// from being found.
async fn meant(
    vault: &Vault,
    sid: Option<&str>,
    who: Option<&str>,
) -> Result<Vec<Record>, NoSession> {
    let now = vault.now();
    if let Some(sid) = sid {
        let record = vault.record(sid).await?;
        return Ok(record
            .filter(|record| record.is_alive(now))
            .into_iter()
            .collect());
    }
    let is_theirs =
        |record: &Record| Some(record.holder.subject.as_str()) == who && record.is_alive(now);
    Ok(vault.search(usize::MAX, is_theirs).await?.records)
}

/// A session as operators see it; times are seconds since 1970.
fn shown(record: &Record, now: u64) -> Value {
    let holder = &record.holder;
    let ended = record.revoked.as_ref();
    let state = match (ended, record.times.are_over(now)) {
        (Some(_), _) => "ended",
        (None, true) => "expired",
        (None, false) => "alive",
    };
    json!({
        "sid": record.sid,
        "who": holder.is_somebody().then(|| json!({
            "issuer": holder.issuer,
            "subject": holder.subject,
            "tenant": holder.tenant,
            "roles": holder.roles,
        })),
        "client": record.client.word(),
        "state": state,
        "created": record.times.created / 1_000,
        "last_seen": record.times.last_seen / 1_000,
        "idle_end": record.times.idle_end / 1_000,
        "end": record.times.end / 1_000,
        "ended": ended.map(|ended| json!({ "at": ended.at / 1_000, "reason": ended.reason })),
    })
}

/// The vault; none where the policy has no sessions.
async fn opened(state: &AdminState) -> Result<Option<Arc<Vault>>, Answer> {
    let snapshot = state.store.snapshot();
    let Some(terms) = &snapshot.sessions else {
        return Ok(None);
    };
    let vault = state.sessions.open(&terms.sessions).await;
    vault
        .map(|vault| Some(Arc::clone(vault)))
        .map_err(|error| unavailable(&error))
}

fn unclear() -> Answer {
    let error = "say either which `sid` or `who`, and the `reason`";
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error })))
}

fn absent(error: &str) -> Answer {
    (StatusCode::NOT_FOUND, Json(json!({ "error": error })))
}

fn unavailable(error: &dyn std::error::Error) -> Answer {
    let body = json!({ "error": error.to_string() });
    (StatusCode::SERVICE_UNAVAILABLE, Json(body))
}
