//! `/metrics`: every metric of the process in the Prometheus text format.

use axum::extract::State;
use axum::http::StatusCode;
use prometheus::{Encoder, TextEncoder};

use super::AdminState;

pub(super) async fn metrics(
    State(state): State<AdminState>,
) -> (StatusCode, [(&'static str, &'static str); 1], Vec<u8>) {
    let kind = [("content-type", "text/plain; version=0.0.4; charset=utf-8")];
    state.metrics.know(&state.store);
    let mut text = Vec::new();
    let families = state.metrics.gather().await;
    match TextEncoder::new().encode(&families, &mut text) {
        Ok(()) => (StatusCode::OK, kind, text),
        Err(_fault) => (StatusCode::INTERNAL_SERVER_ERROR, kind, Vec::new()),
    }
}
