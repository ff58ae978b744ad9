//! `GET /top`: what has been counted since the start, by route and by rule. It reads counters only and asks
//! no store, so that it can be asked again every second.

use axum::Json;
use axum::extract::State;
use serde::Serialize;

use super::AdminState;
use crate::metrics::Standing;

/// What is shown.
#[derive(Debug, Serialize)]
pub(super) struct Top {
    version: &'static str,
    revision: Option<String>,
    in_flight: u64,
    #[serde(flatten)]
    standing: Standing,
}

pub(super) async fn top(State(state): State<AdminState>) -> Json<Top> {
    state.metrics.know(&state.store);
    let revision = state.store.status().revision;
    Json(Top {
        version: env!("CARGO_PKG_VERSION"),
        revision: revision.map(|revision| revision.short()),
        in_flight: state.vitals.in_flight(),
        standing: state.metrics.standing(),
    })
}
