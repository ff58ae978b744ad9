//! `GET /tap`: decisions as they are made, one JSON object a line, until the client leaves.
//!
//! It shows what decision lines say (D15) and leaves a record: whoever watches people at work does so on
//! record. `route`, `outcome`, `role` and `label` in the query leave out what does not have them; a name that the
//! policy does not have is refused. A client that reads too slowly loses decisions and is told how many, `{"lost":12}`.

use std::convert::Infallible;

use axum::body::Body;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use bytes::Bytes;
use futures::{Stream, stream};
use postern_audit::{AdminEntry, AuditEntry};
use postern_config::Policy;
use serde::Deserialize;
use serde_json::json;

use super::AdminState;
use super::server::Stay;
use crate::decision_log;
use crate::evidence::{Act, Event};
use crate::exchange::Ending;
use crate::one_line::one_line;
use crate::tap::{Seen, TAPS_MAX, Watcher};

/// Which decisions are meant, and why.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    route: Option<String>,
    outcome: Option<String>,
    role: Option<String>,
    label: Option<String>,
    #[serde(default)]
    reason: String,
}

impl Asked {
    fn lets(&self, entry: &AuditEntry) -> bool {
        let is = |asked: &Option<String>, found: &str| match asked {
            Some(asked) => asked == found,
            None => true,
        };
        let has = |asked: &Option<String>, found: &dyn Fn(&String) -> bool| match asked {
            Some(asked) => found(asked),
            None => true,
        };
        is(&self.route, entry.route.as_deref().unwrap_or("-"))
            && is(&self.outcome, &entry.outcome)
            && has(&self.role, &|role| entry.roles.contains(role))
            && has(&self.label, &|label| entry.withheld.contains_key(label))
    }

    /// What is asked for that the policy does not have: no decision would ever show it.
    fn unknown(&self, policy: &Policy) -> Option<String> {
        let routes = policy.routes.iter().map(|route| route.name.as_str());
        let labels = policy.labels.iter().map(|(label, _)| label.as_str());
        let roles = policy.roles.keys().map(String::as_str);
        none_of("route", self.route.as_deref(), routes.chain(["-"]))
            .or_else(|| none_of("role", self.role.as_deref(), roles))
            .or_else(|| none_of("label", self.label.as_deref(), labels))
    }

    /// What goes on record: that somebody watches, and what.
    fn entry(&self) -> AdminEntry {
        let filters = [
            ("route", &self.route),
            ("outcome", &self.outcome),
            ("role", &self.role),
            ("label", &self.label),
        ];
        let given = filters.into_iter().filter_map(|(name, value)| {
            let value = value.as_ref()?;
            Some(format!("{name}={value}"))
        });
        AdminEntry {
            action: "tap".to_owned(),
            subject: given.collect(),
            reason: self.reason.clone(),
            count: 0,
        }
    }
}

/// Why a name that is asked for is none of those that there are.
fn none_of<'a>(
    kind: &str,
    asked: Option<&str>,
    names: impl Iterator<Item = &'a str>,
) -> Option<String> {
    let names: Vec<&str> = names.collect();
    let asked = asked.filter(|asked| !names.contains(asked))?;
    let known = names.join(", ");
    Some(format!(
        "`{asked}` is no {kind} of this policy; there are: {known}"
    ))
}

/// `GET /tap`.
pub(super) async fn tap(
    State(state): State<AdminState>,
    Extension(stay): Extension<Stay>,
    Query(asked): Query<Asked>,
) -> Response {
    let refuse = |status: StatusCode, error: String| {
        (status, Json(json!({ "error": error }))).into_response()
    };
    if let Some(outcome) = &asked.outcome
        && !Ending::WORDS.contains(&outcome.as_str())
    {
        let words = Ending::WORDS.join(", ");
        let error = format!("`{outcome}` is no outcome; it is one of {words}");
        return refuse(StatusCode::BAD_REQUEST, error);
    }
    let snapshot = state.store.snapshot();
    if let Some(error) = snapshot
        .compiled
        .policy()
        .and_then(|policy| asked.unknown(policy))
    {
        return refuse(StatusCode::BAD_REQUEST, error);
    }
    drop(snapshot);
    let Some(watcher) = state.metrics.tap().watch() else {
        let error = format!("{TAPS_MAX} taps are open, and no more are served at once");
        return refuse(StatusCode::SERVICE_UNAVAILABLE, error);
    };
    let entry = asked.entry();
    // What cannot be put on record is not done.
    let recorded = state.evidence.record(&Event::Act(Act::Admin(&entry)));
    if recorded.durable().await.is_err() {
        let error = "the audit log takes no entries, so nothing is shown".to_owned();
        return refuse(StatusCode::SERVICE_UNAVAILABLE, error);
    }
    decision_log::write_admin(&entry);
    stay.stay();
    (
        [("content-type", "application/x-ndjson")],
        Body::from_stream(lines(watcher, asked)),
    )
        .into_response()
}

/// A line for each decision that is asked for, and for each gap.
fn lines(watcher: Watcher, asked: Asked) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold((watcher, asked), |(mut watcher, asked)| async {
        loop {
            let line = match watcher.next().await? {
                Seen::Decision(decision) if asked.lets(&decision.entry) => {
                    serde_json::to_string(decision.as_ref()).map(one_line).ok()
                }
                Seen::Decision(_) => None,
                Seen::Lost(lost) => Some(json!({ "lost": lost }).to_string()),
            };
            if let Some(mut line) = line {
                line.push('\n');
                return Some((Ok(Bytes::from(line)), (watcher, asked)));
            }
        }
    })
}
