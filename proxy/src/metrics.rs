//! What operators see of the data plane: counts for Prometheus and `postern top`, and the live decisions
//! of `postern tap`.
//!
//! Labels are names of the policy and fixed words; no value, path, identity or header of an exchange
//! becomes a label. What an alert watches is there at zero before it first happens, so that its first
//! time shows as an increase.

mod live;
mod rules;
mod sessions;
mod standing;

use std::sync::Arc;
use std::time::Duration;

use postern_audit::AuditEntry;
use postern_config::quota::Unit;
use postern_config::sessions::RuleId;
use prometheus::proto::MetricFamily;
use prometheus::{
    HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry,
};

use crate::policy_store::PolicyStore;
use crate::tap::Tap;
use crate::telemetry::HttpMetrics;
use rules::RuleMetrics;
use sessions::SessionMetrics;

pub(crate) use live::Live;
pub(crate) use rules::BodyCost;
pub(crate) use standing::Standing;

/// The bounds of the histogram of durations, in seconds.
const SECONDS: [f64; 14] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
];

/// What quotas are charged.
const UNITS: [Unit; 4] = [Unit::Records, Unit::Subjects, Unit::Bytes, Unit::Requests];
/// Why nobody was recognised.
const IDENTITY_REASONS: [&str; 3] = ["missing", "invalid", "unavailable"];
/// What an upstream does that is not sound.
const UPSTREAM_KINDS: [&str; 3] = ["unavailable", "timeout", "unreadable"];
/// What is found of quotas; of sessions, each rule has a word of its own.
const FINDINGS: [&str; 3] = ["quota-warning", "quota-exceeded", "quota-store-down"];

/// The problem of an exchange that cannot be put on record.
const AUDIT_UNAVAILABLE: &str = "audit-unavailable";

/// A client connection that is counted as open.
#[derive(Debug)]
pub(crate) struct OpenConnection(IntGauge);

impl Drop for OpenConnection {
    fn drop(&mut self) {
        let Self(open) = self;
        open.dec();
    }
}

/// Every metric of the data plane, in one registry.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    tap: Arc<Tap>,
    exchanges: IntCounterVec,
    seconds: HistogramVec,
    body_bytes: IntCounter,
    withheld: IntCounterVec,
    problems: IntCounterVec,
    rules: RuleMetrics,
    upstream_failures: IntCounterVec,
    identity_failures: IntCounterVec,
    quotas: QuotaMetrics,
    sessions: SessionMetrics,
    http: HttpMetrics,
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
            charged: at_zero(
                counters(
                    "postern_quota_charged_total",
                    "Units charged to quotas, by unit",
                    "unit",
                )?,
                &UNITS.map(Unit::word),
            ),
            denied: counters(
                "postern_quota_denied_total",
                "Exchanges refused or cut because a quota was used up, by quota",
                "quota",
            )?,
            findings: at_zero(
                at_zero(
                    counters(
                        "postern_findings_total",
                        "Security events that an operator should see, by rule",
                        "rule",
                    )?,
                    &FINDINGS,
                ),
                &RuleId::ALL.map(RuleId::word),
            ),
        })
    }
}

/// How long exchanges take, registered.
fn seconds(registry: &Registry) -> Result<HistogramVec, prometheus::Error> {
    let options = HistogramOpts::new(
        "postern_exchange_seconds",
        "How long exchanges take, from head to end, by route",
    );
    let seconds = HistogramVec::new(options.buckets(SECONDS.to_vec()), &["route"])?;
    registry.register(Box::new(seconds.clone()))?;
    Ok(seconds)
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

/// A counter with one label, which is there at zero for these values of it.
fn at_zero(counters: IntCounterVec, values: &[&str]) -> IntCounterVec {
    for value in values {
        counters.with_label_values(&[value]).inc_by(0);
    }
    counters
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
        let problems = counters(
            "postern_problems_total",
            "Exchanges that ended in a problem, by its slug",
            &["problem"],
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
        Ok(Self {
            tap: Arc::default(),
            exchanges,
            seconds: seconds(&registry)?,
            body_bytes,
            withheld,
            problems: at_zero(problems, &[AUDIT_UNAVAILABLE]),
            rules: RuleMetrics::new(&registry)?,
            upstream_failures: at_zero(upstream_failures, &UPSTREAM_KINDS),
            identity_failures: at_zero(identity_failures, &IDENTITY_REASONS),
            quotas: QuotaMetrics::new(&registry)?,
            sessions: SessionMetrics::new(&registry)?,
            http: HttpMetrics::new(&registry)?,
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

    /// What is counted now. What of it is read from files, such as `/proc`, is read by a thread that serves nobody.
    pub(crate) async fn gather(&self) -> Vec<MetricFamily> {
        let registry = self.registry.clone();
        let gathered = tokio::task::spawn_blocking(move || registry.gather()).await;
        // There is nothing to show when that panicked, or when the process ends.
        gathered.unwrap_or_default()
    }

    /// The metrics of the HTTP conventions.
    pub(crate) fn http(&self) -> &HttpMetrics {
        &self.http
    }

    /// What is counted of sessions.
    pub(crate) const fn sessions(&self) -> &SessionMetrics {
        &self.sessions
    }

    /// Who watches decisions as they are made.
    pub(crate) fn tap(&self) -> &Arc<Tap> {
        &self.tap
    }

    /// What has been counted so far, as `postern top` shows it.
    pub(crate) fn standing(&self) -> Standing {
        Standing::of(&self.registry)
    }

    /// Call it before the metrics are read: each rule and quota of the policy in force is there at zero, so that
    /// one that never acts is seen.
    pub(crate) fn know(&self, store: &PolicyStore) {
        let snapshot = store.snapshot();
        let Some(policy) = snapshot.compiled.policy() else {
            return;
        };
        self.rules.know(policy);
        let quotas: Vec<&str> = policy
            .quotas
            .iter()
            .map(|quota| quota.name.as_str())
            .collect();
        at_zero(self.quotas.denied.clone(), &quotas);
    }

    /// An exchange has ended.
    pub(crate) fn exchange_ended(&self, entry: &AuditEntry, cost: BodyCost) {
        let class = match entry.status / 100 {
            1..=5 => format!("{}xx", entry.status / 100),
            _ => "none".to_owned(),
        };
        let route = entry.route.as_deref().unwrap_or("-");
        self.exchanges
            .with_label_values(&[route, &entry.outcome, &class])
            .inc();
        self.seconds
            .with_label_values(&[route])
            .observe(Duration::from_micros(entry.duration_us).as_secs_f64());
        if let Some(problem) = &entry.problem {
            self.problems.with_label_values(&[problem]).inc();
        }
        self.rules.exchange_ended(route, &entry.withheld, cost);
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

    /// A client connection is open, until what this gives is dropped.
    pub(crate) fn connection_open(&self) -> OpenConnection {
        self.connections.inc();
        OpenConnection(self.connections.clone())
    }

    /// A client connection was closed because there was no room.
    pub(crate) fn connection_refused(&self) {
        self.connections_refused.inc();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::thread::{self, ThreadId};

    use prometheus::core::{Collector, Desc};

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
        entry.problem = Some("unreadable-body".to_owned());
        metrics.exchange_ended(&entry, BodyCost::default());
        let counted = metrics
            .exchanges
            .with_label_values(&["case.read", "allowed", "2xx"]);
        assert_eq!(counted.get(), 1);
        assert_eq!(metrics.withheld.with_label_values(&["pii.name"]).get(), 3);
        assert_eq!(metrics.body_bytes.get(), 5);
        let problems = &metrics.problems;
        assert_eq!(problems.with_label_values(&["unreadable-body"]).get(), 1);
    }

    /// Says which thread asks what it counts.
    struct Asked(Mutex<Option<ThreadId>>);

    impl Collector for &'static Asked {
        fn desc(&self) -> Vec<&Desc> {
            Vec::new()
        }

        fn collect(&self) -> Vec<MetricFamily> {
            *self.0.lock().unwrap() = Some(thread::current().id());
            Vec::new()
        }
    }

    #[tokio::test]
    async fn what_is_counted_is_gathered_by_a_thread_that_serves_nobody() {
        static ASKED: Asked = Asked(Mutex::new(None));
        let metrics = Metrics::new().unwrap();
        metrics.registry().register(Box::new(&ASKED)).unwrap();
        assert!(!metrics.gather().await.is_empty());
        let asked = *ASKED.0.lock().unwrap();
        assert!(asked.is_some_and(|asked| asked != thread::current().id()));
    }

    #[test]
    fn no_connection_is_left_open_by_those_that_end_at_the_same_time() {
        let metrics = Metrics::new().unwrap();
        let stays = metrics.connection_open();
        thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| (0..10_000).for_each(|_| drop(metrics.connection_open())));
            }
        });
        assert_eq!(metrics.connections.get(), 1);
        drop(stays);
        assert_eq!(metrics.connections.get(), 0);
    }
}
