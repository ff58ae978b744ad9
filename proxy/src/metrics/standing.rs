//! What has been counted so far, by route and by rule: the numbers behind `postern top`.
//!
//! They are totals since the start, read from the same counters as the metrics; whoever wants rates takes
//! the difference of two.

use std::collections::BTreeMap;

use prometheus::Registry;
use prometheus::proto::{Metric, MetricFamily};
use serde::Serialize;

/// Totals since the start.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Standing {
    /// By route; `-` stands for exchanges that matched none.
    routes: BTreeMap<String, RouteStanding>,
    rules: Vec<RuleStanding>,
}

/// What happened on one route.
#[derive(Debug, Default, Serialize)]
struct RouteStanding {
    /// Exchanges by outcome.
    outcomes: BTreeMap<String, u64>,
    /// Exchanges answered by a status of 500 and above.
    server_errors: u64,
    /// How long exchanges took, all together.
    seconds: f64,
    /// How many exchanges took at most so many seconds, each bucket with those before it.
    buckets: Vec<(f64, u64)>,
    /// How long bodies were worked on.
    body_seconds: f64,
    /// Their decoded bytes.
    body_bytes: u64,
}

/// What one rule did.
#[derive(Debug, Serialize)]
struct RuleStanding {
    route: String,
    rule: String,
    hits: u64,
}

impl Standing {
    /// Reads a registry.
    pub(super) fn of(registry: &Registry) -> Self {
        let mut standing = Self::default();
        for family in registry.gather() {
            standing.read(&family);
        }
        standing
    }

    fn read(&mut self, family: &MetricFamily) {
        for metric in family.get_metric() {
            match family.name() {
                "postern_exchanges_total" => {
                    let count = whole(metric.get_counter().get_value());
                    let route = self.route(metric);
                    let outcome = label(metric, "outcome").to_owned();
                    let counted = route.outcomes.entry(outcome).or_default();
                    *counted = counted.saturating_add(count);
                    if label(metric, "status") == "5xx" {
                        route.server_errors = route.server_errors.saturating_add(count);
                    }
                }
                "postern_exchange_seconds" => {
                    let seconds = metric.get_histogram();
                    let buckets = seconds.get_bucket().iter();
                    let buckets = buckets.map(|one| (one.upper_bound(), one.cumulative_count()));
                    let route = self.route(metric);
                    route.seconds = seconds.get_sample_sum();
                    route.buckets = buckets.filter(|(bound, _)| bound.is_finite()).collect();
                }
                "postern_body_seconds_total" => {
                    self.route(metric).body_seconds = metric.get_counter().get_value();
                }
                "postern_body_read_bytes_total" => {
                    self.route(metric).body_bytes = whole(metric.get_counter().get_value());
                }
                "postern_rule_hits_total" => self.rules.push(RuleStanding {
                    route: label(metric, "route").to_owned(),
                    rule: label(metric, "rule").to_owned(),
                    hits: whole(metric.get_counter().get_value()),
                }),
                _ => {}
            }
        }
    }

    fn route(&mut self, metric: &Metric) -> &mut RouteStanding {
        let route = label(metric, "route").to_owned();
        self.routes.entry(route).or_default()
    }
}

fn label<'a>(metric: &'a Metric, name: &str) -> &'a str {
    let mut labels = metric.get_label().iter();
    let found = labels.find(|label| label.name() == name);
    found.map(|label| label.value()).unwrap_or_default()
}

/// A counter of whole things; Prometheus knows only floating-point numbers.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a counter is a whole number and never negative; past 2^53 it is rounded"
)]
fn whole(count: f64) -> u64 {
    count as u64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use postern_audit::AuditEntry;

    use crate::metrics::{BodyCost, Metrics};

    #[test]
    fn totals_stand_by_route_and_rule() {
        let metrics = Metrics::new().unwrap();
        let mut entry = AuditEntry {
            route: Some("case.read".to_owned()),
            outcome: "allowed".to_owned(),
            status: 200,
            duration_us: 2_000,
            ..AuditEntry::default()
        };
        entry.withheld.insert("pii".to_owned(), 3);
        let cost = BodyCost {
            bytes: 100,
            worked: Duration::from_millis(1),
        };
        metrics.exchange_ended(&entry, cost);
        entry.withheld.clear();
        "withheld".clone_into(&mut entry.outcome);
        entry.status = 502;
        metrics.exchange_ended(&entry, BodyCost::default());

        let standing = serde_json::to_value(metrics.standing()).unwrap();
        let route = &standing["routes"]["case.read"];
        assert_eq!(route["outcomes"]["allowed"], 1);
        assert_eq!(route["outcomes"]["withheld"], 1);
        assert_eq!(route["server_errors"], 1);
        assert_eq!(route["body_bytes"], 100);
        assert_eq!(route["buckets"][0], serde_json::json!([0.001, 0]));
        assert_eq!(route["buckets"][1], serde_json::json!([0.0025, 2]));
        assert_eq!(standing["rules"][0]["hits"], 3);
    }
}
