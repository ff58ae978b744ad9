//! What the policy store, the audit log, the life cycle and the system count, read whenever somebody asks for
//! metrics: it cannot differ from the status, and is the same to Prometheus and over OTLP.

mod page;
mod process;

use std::sync::Arc;
use std::time::UNIX_EPOCH;

use prometheus::core::{Collector, Desc, Describer};
use prometheus::proto::MetricFamily;
use prometheus::{Opts, Registry};

use crate::admin::Vitals;
use crate::evidence::{Health, Watched};
use crate::policy_store::{PolicyStatus, PolicyStore};
use page::Page;

/// The metric that is always there, and its help.
const BUILD_INFO: (&str, &str) = ("postern_build_info", "The version that runs");

/// Whose counts are read.
#[derive(Debug)]
pub(crate) struct Live {
    /// The policy in force.
    pub(crate) store: Arc<PolicyStore>,
    /// The data plane.
    pub(crate) vitals: Arc<dyn Vitals>,
    /// The audit log, which this does not keep open.
    pub(crate) evidence: Watched,
}

/// The same with the one description that a registry asks for: it tells collectors apart.
struct LiveCollector {
    live: Live,
    described: Desc,
}

impl Live {
    /// Lets a registry show it.
    ///
    /// # Errors
    /// The registry has a metric of one of these names: a fault of ours.
    pub(crate) fn register(self, registry: &Registry) -> Result<(), prometheus::Error> {
        let described = Opts::new(BUILD_INFO.0, BUILD_INFO.1).describe()?;
        registry.register(Box::new(LiveCollector {
            live: self,
            described,
        }))
    }

    fn families(&self) -> Vec<MetricFamily> {
        let mut page = Page::default();
        page.gauge(BUILD_INFO.0, BUILD_INFO.1).labelled(
            "version",
            env!("CARGO_PKG_VERSION"),
            1_u64,
        );
        page.gauge(
            "postern_exchanges_in_flight",
            "Exchanges that have begun and not ended",
        )
        .value(self.vitals.in_flight());
        policy(&mut page, &self.store.status());
        if let Some(health) = self.evidence.health() {
            audit(&mut page, health);
        }
        process::write(&mut page);
        page.into_families()
    }
}

impl Collector for LiveCollector {
    fn desc(&self) -> Vec<&Desc> {
        vec![&self.described]
    }

    fn collect(&self) -> Vec<MetricFamily> {
        self.live.families()
    }
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
            .labelled("revision", &revision.to_string(), 1_u64);
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
