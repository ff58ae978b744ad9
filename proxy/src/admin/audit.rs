//! `POST /audit/rotate-key`: the audit log is signed with another key from now on. The log itself says so.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::AdminState;

pub(super) async fn rotate_key(State(state): State<AdminState>) -> (StatusCode, Json<Value>) {
    // It waits for a sync.
    let rotating = tokio::task::spawn_blocking(move || state.evidence.rotate_key());
    match rotating.await {
        Ok(Some(Ok((key, index)))) => (StatusCode::OK, Json(json!({ "key": key, "index": index }))),
        Ok(Some(Err(error))) => {
            let body = json!({ "error": error.to_string() });
            (StatusCode::SERVICE_UNAVAILABLE, Json(body))
        }
        Ok(None) => {
            let body = json!({ "error": "no audit log is kept (`audit: off`)" });
            (StatusCode::NOT_FOUND, Json(body))
        }
        Err(_panicked) => {
            let body = json!({ "error": "a fault in Postern" });
            (StatusCode::INTERNAL_SERVER_ERROR, Json(body))
        }
    }
}
