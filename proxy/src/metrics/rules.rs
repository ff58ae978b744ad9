//! What rules do and what routes cost.
//!
//! A rule is what a policy says about one label on one route; its hits are the values that it withheld.
//! All rules of a route are followed in a single pass over a body, so that none has a time of its own:
//! time and bytes are counted by route, and hits say what the pass was for.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use postern_config::Policy;
use postern_config::routes::Route;
use prometheus::{CounterVec, IntCounterVec, Opts, Registry};

use super::counters;

/// What one body took to let through.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct BodyCost {
    /// Decoded bytes that went in.
    pub(crate) bytes: u64,
    /// How long they were worked on, waiting excluded.
    pub(crate) worked: Duration,
}

/// Hits by rule, costs by route.
#[derive(Debug)]
pub(super) struct RuleMetrics {
    hits: IntCounterVec,
    seconds: CounterVec,
    bytes: IntCounterVec,
}

impl RuleMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counters = |name, help, labels: &[&str]| counters(registry, (name, help), labels);
        let seconds = CounterVec::new(
            Opts::new(
                "postern_body_seconds_total",
                "Time spent reading and rewriting bodies of answers, by route",
            ),
            &["route"],
        )?;
        registry.register(Box::new(seconds.clone()))?;
        Ok(Self {
            hits: counters(
                "postern_rule_hits_total",
                "Values that a rule withheld; a rule is a label on a route",
                &["route", "rule"],
            )?,
            seconds,
            bytes: counters(
                "postern_body_read_bytes_total",
                "Decoded bytes of bodies that went through the engine, by route",
                &["route"],
            )?,
        })
    }

    /// Every rule of a policy is there, at zero where it has not acted.
    pub(super) fn know(&self, policy: &Policy) {
        for route in policy.routes.iter().filter(|route| !route.deny) {
            for label in labels_of(route) {
                let hits = self.hits.with_label_values(&[route.name.as_str(), label]);
                hits.inc_by(0);
            }
        }
    }

    /// An exchange by this route has ended.
    pub(super) fn exchange_ended(
        &self,
        route: &str,
        withheld: &BTreeMap<String, u64>,
        cost: BodyCost,
    ) {
        for (label, count) in withheld {
            self.hits.with_label_values(&[route, label]).inc_by(*count);
        }
        if cost.bytes > 0 {
            let route = &[route];
            self.bytes.with_label_values(route).inc_by(cost.bytes);
            let seconds = self.seconds.with_label_values(route);
            seconds.inc_by(cost.worked.as_secs_f64());
        }
    }
}

/// The labels that a route's fields and columns carry, each once.
fn labels_of(route: &Route) -> BTreeSet<&str> {
    let fields = route.rules.iter().flat_map(|rule| &rule.labels);
    let columns = route.columns.iter().flat_map(|rule| &rule.labels);
    fields.chain(columns).map(|label| label.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMO: &str = include_str!("../demo/policy.yaml");

    #[test]
    fn a_rule_is_known_before_it_acts_and_counted_when_it_does() {
        let registry = Registry::new();
        let rules = RuleMetrics::new(&registry).unwrap();
        let policy = Policy::parse("policy.yaml", DEMO).unwrap();
        rules.know(&policy);
        let (route, label) = policy
            .routes
            .iter()
            .find_map(|route| Some((route.name.as_str(), labels_of(route).into_iter().next()?)))
            .unwrap();
        let families = registry.gather();
        let known = families.first().unwrap().get_metric();
        assert!(!known.is_empty(), "a rule that never acts is seen");

        let withheld = BTreeMap::from([(label.to_owned(), 3)]);
        let cost = BodyCost {
            bytes: 10,
            worked: Duration::from_millis(2),
        };
        rules.exchange_ended(route, &withheld, cost);
        rules.exchange_ended(route, &withheld, BodyCost::default());
        assert_eq!(rules.hits.with_label_values(&[route, label]).get(), 6);
        assert_eq!(rules.bytes.with_label_values(&[route]).get(), 10);
        let seconds = rules.seconds.with_label_values(&[route]).get();
        assert!((seconds - 0.002).abs() < 1e-9);
    }
}
