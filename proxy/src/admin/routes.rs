//! What the admin listener answers to.

use std::time::UNIX_EPOCH;

use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{Json, Router, middleware};
use serde::Serialize;
use serde_json::{Value, json};

use super::{AdminState, audit, guard, health, metrics, quotas, sessions, tap, top};
use crate::reload::ReloadOutcome;

/// Every route, with its guards.
pub(super) fn router(state: AdminState) -> Router {
    let guarded = Router::new()
        .route("/status", get(status))
        .route("/reload", post(reload))
        .route("/quotas", get(quotas::list))
        .route("/quotas/reset", post(quotas::reset))
        .route("/sessions", get(sessions::list))
        .route("/sessions/{sid}", get(sessions::show))
        .route("/sessions/revoke", post(sessions::revoke))
        .route("/audit/rotate-key", post(audit::rotate_key))
        .route("/tap", get(tap::tap))
        .route("/top", get(top::top))
        .route_layer(middleware::from_fn_with_state(
            state.clone(),
            guard::shows_the_token,
        ));
    Router::new()
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/startupz", get(health::startupz))
        .route("/metrics", get(metrics::metrics))
        .merge(guarded)
        .layer(middleware::from_fn(guard::meant_for_loopback))
        .with_state(state)
}

/// `GET /status`.
#[derive(Debug, Serialize)]
struct Status {
    version: &'static str,
    /// `starting`, `ready` or `draining`.
    state: &'static str,
    revision: Option<String>,
    policy: String,
    /// Seconds since 1970.
    loaded_at: Option<u64>,
    reload: Reloads,
    in_flight: u64,
    listen: Vec<String>,
}

#[derive(Debug, Serialize)]
struct Reloads {
    ok: u64,
    failed: u64,
    last_error: Option<String>,
}

async fn status(State(state): State<AdminState>) -> Json<Status> {
    let policy = state.store.status();
    let stage = if state.vitals.is_draining() {
        "draining"
    } else if policy.revision.is_some() {
        "ready"
    } else {
        "starting"
    };
    Json(Status {
        version: env!("CARGO_PKG_VERSION"),
        state: stage,
        revision: policy.revision.map(|revision| revision.short()),
        policy: state.policy.display().to_string(),
        loaded_at: policy
            .loaded_at
            .and_then(|at| at.duration_since(UNIX_EPOCH).ok())
            .map(|since| since.as_secs()),
        reload: Reloads {
            ok: policy.reloads_ok,
            failed: policy.reloads_failed,
            last_error: policy.last_error,
        },
        in_flight: state.vitals.in_flight(),
        listen: state.listen,
    })
}

/// `POST /reload`: reloads, waits for the outcome, and says it. A refused policy is a 422.
async fn reload(State(state): State<AdminState>) -> (StatusCode, Json<Value>) {
    match state.reloader.reload_now().await {
        ReloadOutcome::Unchanged => {
            let revision = state
                .store
                .status()
                .revision
                .map(|revision| revision.short());
            let body = json!({ "outcome": "unchanged", "revision": revision });
            (StatusCode::OK, Json(body))
        }
        ReloadOutcome::Loaded { revision } => {
            let body = json!({ "outcome": "loaded", "revision": revision });
            (StatusCode::OK, Json(body))
        }
        ReloadOutcome::Refused { report } => {
            let body = json!({ "outcome": "refused", "report": report });
            (StatusCode::UNPROCESSABLE_ENTITY, Json(body))
        }
    }
}
