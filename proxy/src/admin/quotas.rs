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
use crate::metering::{self, UnknownQuota};
use crate::quota::{Filter, Quotas, StoreError};

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
            // What an earlier policy has counted is shown; only a name that nobody knows is a mistake.
            if entries.is_empty()
                && let Some(name) = &filter.quota
                && let Err(unknown) = metering::known_quota(name, snapshot.compiled.quotas())
            {
                return bad(&unknown.to_string());
            }
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
        return bad("say which `quota`, `who` and the `reason`");
    };
    let quotas = match opened(&state).await {
        Ok(quotas) => quotas,
        Err(answer) => return answer,
    };
    match unknown(&state, quotas, &quota).await {
        Ok(None) => {}
        Ok(Some(unknown)) => return bad(&unknown.to_string()),
        Err(error) => return unavailable(&error),
    }
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
    if state.begins(&entry).await.is_err() {
        let body = json!({ "error": "the audit log takes no entries, so nothing was reset" });
        return (StatusCode::SERVICE_UNAVAILABLE, Json(body));
    }
    let forgotten = forget(quotas, &filter, &mut entry.count).await;
    state.ended(&entry, forgotten.is_ok()).await;
    match forgotten {
        Ok(()) => (StatusCode::OK, Json(json!({ "reset": entry.count }))),
        Err(error) => {
            let body = json!({ "error": error.to_string(), "reset": entry.count });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body))
        }
    }
}

/// Why this is the name of no quota: neither the policy in force has it, nor is anything counted under it.
async fn unknown(
    state: &AdminState,
    quotas: &Quotas,
    name: &str,
) -> Result<Option<UnknownQuota>, StoreError> {
    let snapshot = state.store.snapshot();
    let Err(unknown) = metering::known_quota(name, snapshot.compiled.quotas()) else {
        return Ok(None);
    };
    let under_it = Filter {
        quota: Some(name.to_owned()),
        who: None,
    };
    let is_counted = !quotas.list(&under_it).await?.is_empty();
    Ok((!is_counted).then_some(unknown))
}

/// Forgets every count that the filter means. `count` rises with each, also where a later one fails.
async fn forget(quotas: &Quotas, filter: &Filter, count: &mut u64) -> Result<(), StoreError> {
    for entry in quotas.list(filter).await? {
        *count += u64::from(quotas.reset(&entry.key).await?);
    }
    Ok(())
}

async fn opened(state: &AdminState) -> Result<&Quotas, Answer> {
    state
        .quotas
        .open()
        .await
        .map_err(|error| unavailable(&error))
}

fn bad(error: &str) -> Answer {
    (StatusCode::BAD_REQUEST, Json(json!({ "error": error })))
}

fn unavailable(error: &dyn std::error::Error) -> Answer {
    let body = json!({ "error": error.to_string() });
    (StatusCode::SERVICE_UNAVAILABLE, Json(body))
}
