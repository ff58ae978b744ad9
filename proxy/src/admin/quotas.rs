//! `GET /quotas`: what is in use. `POST /quotas/reset`: forgets what was charged, with a reason, and leaves a
//! record.
//!
//! Both take `quota` and `who` in the query; a reset needs both and a `reason`. A list names identities:
//! it is for whoever holds the admin token.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use postern_audit::AdminEntry;
use serde::Deserialize;
use serde_json::{Value, json};

use super::AdminState;
use crate::evidence::{Act, Event};
use crate::quota::{Filter, Quotas};
use crate::{decision_log, metering};

/// Which counts are meant, and why.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Asked {
    quota: Option<String>,
    who: Option<String>,
    reason: Option<String>,
}

type Answer = (StatusCode, Json<Value>);

/// `GET /quotas`.
pub(super) async fn list(State(state): State<AdminState>, Query(asked): Query<Asked>) -> Answer {
    let quotas = match opened(&state).await {
        Ok(quotas) => quotas,
        Err(answer) => return answer,
    };
    let filter = Filter {
        quota: asked.quota,
        who: asked.who,
    };
    let snapshot = state.store.snapshot();
    match quotas.list(&filter).await {
        Ok(entries) => {
            let listing = metering::listing(&entries, snapshot.compiled.quotas());
            (StatusCode::OK, Json(listing))
        }
        Err(error) => unavailable(&error),
    }
}

/// `POST /quotas/reset`.
pub(super) async fn reset(State(state): State<AdminState>, Query(asked): Query<Asked>) -> Answer {
    let given = |text: Option<String>| text.filter(|text| !text.trim().is_empty());
    let (Some(quota), Some(who), Some(reason)) =
        (given(asked.quota), given(asked.who), given(asked.reason))
    else {
        let error = "say which `quota`, `who` and the `reason`";
        return (StatusCode::BAD_REQUEST, Json(json!({ "error": error })));
    };
    let quotas = match opened(&state).await {
        Ok(quotas) => quotas,
        Err(answer) => return answer,
    };
    let filter = Filter {
        quota: Some(quota.clone()),
        who: Some(who.clone()),
    };
    let mut entry = AdminEntry {
        action: "quota-reset".to_owned(),
        subject: vec![quota, who],
        reason,
        count: 0,
    };
    // What cannot be put on record is not done.
    let recorded = state.evidence.record(&Event::Act(Act::Admin(&entry)));
    if recorded.durable().await.is_err() {
        let body = json!({ "error": "the audit log takes no entries, so nothing was reset" });
        return (StatusCode::SERVICE_UNAVAILABLE, Json(body));
    }
    match forget(quotas, &filter).await {
        Ok(count) => {
            entry.count = count;
            decision_log::write_admin(&entry);
            (StatusCode::OK, Json(json!({ "reset": count })))
        }
        Err(error) => unavailable(&error),
    }
}

/// Forgets every count that the filter means, and says how many there were.
async fn forget(quotas: &Quotas, filter: &Filter) -> Result<u64, crate::quota::StoreError> {
    let mut count = 0;
    for entry in quotas.list(filter).await? {
        if quotas.reset(&entry.key).await? {
            count += 1;
        }
    }
    Ok(count)
}

async fn opened(state: &AdminState) -> Result<&Quotas, Answer> {
    state
        .quotas
        .open()
        .await
        .map_err(|error| unavailable(&error))
}

fn unavailable(error: &dyn std::error::Error) -> Answer {
    let body = json!({ "error": error.to_string() });
    (StatusCode::SERVICE_UNAVAILABLE, Json(body))
}
