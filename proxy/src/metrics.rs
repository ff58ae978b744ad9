//! What is counted, for Prometheus. Labels are names of the policy and fixed words; no value, path,
//! identity or header of an exchange becomes a label.

use std::time::Duration;

use postern_audit::AuditEntry;
use prometheus::{Histogram, HistogramOpts, IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// Every metric of the data plane, in one registry.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    exchanges: IntCounterVec,
    seconds: Histogram,
    body_bytes: IntCounter,
    withheld: IntCounterVec,
    upstream_failures: IntCounterVec,
    identity_failures: IntCounterVec,
    quotas: QuotaMetrics,
    connections: IntGauge,
    connections_refused: IntCounter,
}

/// What quotas are charged, and what they find.
#[derive(Debug)]
struct QuotaMetrics {
    charged: IntCounterVec,
    denied: IntCounterVec,
    findings: IntCounterVec,
}

impl QuotaMetrics {
    fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counters = |name, help, label| counters(registry, (name, help), &[label]);
        Ok(Self {
            charged: counters(
                "postern_quota_charged_total",
                "Units charged to quotas, by unit",
                "unit",
            )?,
            denied: counters(
                "postern_quota_denied_total",
                "Exchanges refused or cut because a quota was used up, by quota",
                "quota",
            )?,
            findings: counters(
                "postern_findings_total",
                "Security events that an operator should see, by rule",
                "rule",
            )?,
        })
    }
}

/// A counter with labels, registered.
fn counters(
    registry: &Registry,
    (name, help): (&str, &str),
    labels: &[&str],
) -> Result<IntCounterVec, prometheus::Error> {
    let vec = IntCounterVec::new(Opts::new(name, help), labels)?;
    registry.register(Box::new(vec.clone()))?;
    Ok(vec)
}

impl Metrics {
    /// Registers every metric.
    ///
    /// # Errors
    /// Two metrics have one name: a fault of ours.
    pub fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let counters =
            |name: &str, help: &str, labels: &[&str]| counters(&registry, (name, help), labels);
        let counter = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let exchanges = counters(
            "postern_exchanges_total",
            "Exchanges that have ended, by route, outcome and class of status",
            &["route", "outcome", "status"],
        )?;
        let withheld = counters(
            "postern_withheld_total",
            "Values withheld, by label",
            &["label"],
        )?;
        let upstream_failures = counters(
            "postern_upstream_failures_total",
            "Requests that the upstream did not answer soundly, by kind",
            &["kind"],
        )?;
        let identity_failures = counters(
            "postern_identity_failures_total",
            "Requests from nobody that the policy recognises, by reason",
            &["reason"],
        )?;
        let body_bytes = counter(
            "postern_response_body_bytes_total",
            "Body bytes written to clients",
        )?;
        let connections_refused = counter(
            "postern_connections_refused_total",
            "Client connections closed because there was no room",
        )?;
        let connections = IntGauge::new("postern_connections", "Client connections open")?;
        registry.register(Box::new(connections.clone()))?;
        let seconds = Histogram::with_opts(HistogramOpts::new(
            "postern_exchange_seconds",
            "How long exchanges take, from head to end",
        ))?;
        registry.register(Box::new(seconds.clone()))?;
        Ok(Self {
            exchanges,
            seconds,
            body_bytes,
            withheld,
            upstream_failures,
            identity_failures,
            quotas: QuotaMetrics::new(&registry)?,
            registry,
            connections,
            connections_refused,
        })
    }

    /// The registry, for the admin listener.
    #[must_use]
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// An exchange has ended.
    pub(crate) fn exchange_ended(&self, entry: &AuditEntry) {
        let class = match entry.status / 100 {
            1..=5 => format!("{}xx", entry.status / 100),
            _ => "none".to_owned(),
        };
        let route = entry.route.as_deref().unwrap_or("-");
        self.exchanges
            .with_label_values(&[route, &entry.outcome, &class])
            .inc();
        self.seconds
            .observe(Duration::from_micros(entry.duration_us).as_secs_f64());
        self.body_bytes.inc_by(entry.bytes_out);
        for (label, count) in &entry.withheld {
            self.withheld.with_label_values(&[label]).inc_by(*count);
        }
    }

    /// The upstream did not answer soundly.
    pub(crate) fn upstream_failed(&self, kind: &'static str) {
        self.upstream_failures.with_label_values(&[kind]).inc();
    }

    /// Nobody was recognised.
    pub(crate) fn identity_failed(&self, reason: &'static str) {
        self.identity_failures.with_label_values(&[reason]).inc();
    }

    /// Units were charged.
    pub(crate) fn quota_charged(&self, unit: &'static str, units: u64) {
        self.quotas.charged.with_label_values(&[unit]).inc_by(units);
    }

    /// An exchange was refused or cut for a quota, named as in the policy.
    pub(crate) fn quota_denied(&self, quota: &str) {
        self.quotas.denied.with_label_values(&[quota]).inc();
    }

    /// Something happened that an operator should see.
    pub(crate) fn finding(&self, rule: &'static str) {
        self.quotas.findings.with_label_values(&[rule]).inc();
    }

    /// How many client connections are open.
    pub(crate) fn set_connections(&self, open: usize) {
        self.connections
            .set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    /// A client connection was closed because there was no room.
    pub(crate) fn connection_refused(&self) {
        self.connections_refused.inc();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_an_exchange_by_route_outcome_and_class() {
        let metrics = Metrics::new().unwrap();
        let mut entry = AuditEntry {
            route: Some("case.read".to_owned()),
            outcome: "allowed".to_owned(),
            status: 200,
            bytes_out: 5,
            ..AuditEntry::default()
        };
        entry.withheld.insert("pii.name".to_owned(), 3);
        metrics.exchange_ended(&entry);
        let counted = metrics
            .exchanges
            .with_label_values(&["case.read", "allowed", "2xx"]);
        assert_eq!(counted.get(), 1);
        assert_eq!(metrics.withheld.with_label_values(&["pii.name"]).get(), 3);
        assert_eq!(metrics.body_bytes.get(), 5);
    }
}
