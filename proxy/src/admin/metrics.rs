//! `/metrics`: every metric of the process in the Prometheus text format.
//!
//! What the policy store, the audit log and the life cycle know is written here from their own counts, so
//! that they cannot differ from the status.

mod page;
mod process;

use std::time::UNIX_EPOCH;

use axum::extract::State;
use axum::http::StatusCode;
use prometheus::{Encoder, TextEncoder};

use super::AdminState;
use crate::evidence::Health;
use crate::policy_store::PolicyStatus;
use page::Page;

pub(super) async fn metrics(
    State(state): State<AdminState>,
) -> (StatusCode, [(&'static str, &'static str); 1], Vec<u8>) {
    let kind = [("content-type", "text/plain; version=0.0.4; charset=utf-8")];
    state.metrics.know(&state.store);
    let mut text = Vec::new();
    if TextEncoder::new()
        .encode(&state.metrics.registry().gather(), &mut text)
        .is_err()
    {
        return (StatusCode::INTERNAL_SERVER_ERROR, kind, Vec::new());
    }
    text.extend_from_slice(live(&state).as_bytes());
    (StatusCode::OK, kind, text)
}

fn live(state: &AdminState) -> String {
    let mut page = Page::default();
    page.gauge("postern_build_info", "The version that runs")
        .labelled("version", env!("CARGO_PKG_VERSION"), 1);
    page.gauge(
        "postern_exchanges_in_flight",
        "Exchanges that have begun and not ended",
    )
    .value(state.vitals.in_flight());
    policy(&mut page, &state.store.status());
    if let Some(health) = state.evidence.health() {
        audit(&mut page, health);
    }
    process::write(&mut page);
    page.into_text()
}

fn policy(page: &mut Page, status: &PolicyStatus) {
    page.counter(
        "postern_policy_reloads_total",
        "Policies that came into force or were refused",
    )
    .labelled("outcome", "loaded", status.reloads_ok)
    .labelled("outcome", "refused", status.reloads_failed);
    page.gauge(
        "postern_policy_reload_failed",
        "Whether the policy on disk was refused and is not in force",
    )
    .value(u64::from(status.last_error.is_some()));
    if let Some(revision) = &status.revision {
        page.gauge("postern_policy_info", "The revision in force")
            .labelled("revision", &revision.to_string(), 1);
    }
    if let Some(at) = status.loaded_at {
        let since = at.duration_since(UNIX_EPOCH).unwrap_or_default();
        page.gauge(
            "postern_policy_loaded_timestamp_seconds",
            "When the revision came into force",
        )
        .value(since.as_secs());
    }
}

fn audit(page: &mut Page, health: Health) {
    page.counter(
        "postern_audit_entries_total",
        "Entries of the audit log that became durable or could not be written",
    )
    .labelled("result", "written", health.written)
    .labelled("result", "failed", health.failed);
    page.gauge(
        "postern_audit_queued_entries",
        "Entries that wait to become durable",
    )
    .value(u64::try_from(health.queued).unwrap_or(u64::MAX));
    page.gauge(
        "postern_audit_failing",
        "Whether the audit log could not write its last entry",
    )
    .value(u64::from(health.failing));
    page.gauge(
        "postern_audit_disk_free_ratio",
        "The share of the audit log's disk that is free",
    )
    .value(f64::from(health.free_percent) / 100.0);
}
