//! `/metrics`: every metric of the process in the Prometheus text format.
//!
//! What the policy store and the life cycle know is written here from their own counts, so that they
//! cannot differ from the status.

use std::time::UNIX_EPOCH;

use axum::extract::State;
use axum::http::StatusCode;
use prometheus::{Encoder, TextEncoder};

use super::AdminState;
use crate::policy_store::PolicyStatus;

pub(super) async fn metrics(
    State(state): State<AdminState>,
) -> (StatusCode, [(&'static str, &'static str); 1], Vec<u8>) {
    let kind = [("content-type", "text/plain; version=0.0.4; charset=utf-8")];
    let mut text = Vec::new();
    if TextEncoder::new()
        .encode(&state.registry.gather(), &mut text)
        .is_err()
    {
        return (StatusCode::INTERNAL_SERVER_ERROR, kind, Vec::new());
    }
    text.extend_from_slice(live(&state.store.status(), state.vitals.in_flight()).as_bytes());
    (StatusCode::OK, kind, text)
}

fn live(status: &PolicyStatus, in_flight: u64) -> String {
    let mut text = String::new();
    let mut metric = |name: &str, kind: &str, help: &str, labels: &str, value: u64| {
        text.push_str(&format!(
            "# HELP {name} {help}\n# TYPE {name} {kind}\n{name}{labels} {value}\n"
        ));
    };
    metric(
        "postern_exchanges_in_flight",
        "gauge",
        "Exchanges that have begun and not ended.",
        "",
        in_flight,
    );
    metric(
        "postern_policy_reload_ok",
        "counter",
        "Policies that came into force.",
        "",
        status.reloads_ok,
    );
    metric(
        "postern_policy_reload_failed",
        "counter",
        "Policies that were refused.",
        "",
        status.reloads_failed,
    );
    metric(
        "postern_policy_last_reload_failed",
        "gauge",
        "Whether the files on disk are not in force.",
        "",
        u64::from(status.last_error.is_some()),
    );
    if let Some(revision) = &status.revision {
        metric(
            "postern_policy_info",
            "gauge",
            "The revision in force.",
            &format!("{{revision=\"{revision}\"}}"),
            1,
        );
    }
    if let Some(at) = status.loaded_at {
        metric(
            "postern_policy_loaded_timestamp_seconds",
            "gauge",
            "When the revision came into force.",
            "",
            at.duration_since(UNIX_EPOCH)
                .map_or(0, |since| since.as_secs()),
        );
    }
    text
}
