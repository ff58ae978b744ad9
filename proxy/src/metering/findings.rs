//! What quotas find is told to operators: one line of the log and one count each.
//!
//! A finding names the quota and whose count it is, in the log only; a metric names the rule.

use std::sync::Arc;

use crate::evidence::{Act, Event, Evidence};
use crate::metrics::Metrics;
use crate::quota::{QuotaFinding, QuotaKey, QuotaWatcher};

/// The target of findings in the log.
const TARGET: &str = "postern::finding";

/// Tells operators.
#[derive(Debug)]
pub(super) struct Findings {
    metrics: Arc<Metrics>,
    evidence: Evidence,
}

impl Findings {
    /// Counts what is found here.
    pub(super) fn new(metrics: Arc<Metrics>, evidence: Evidence) -> Self {
        Self { metrics, evidence }
    }

    fn usage(&self, rule: &'static str, key: &QuotaKey, (used, limit): (u64, u64)) {
        self.metrics.finding(rule);
        let key = key.text();
        let finding = Act::QuotaFinding {
            rule,
            key,
            used,
            limit,
        };
        // Whoever is charged waits for records of their own.
        drop(self.evidence.record(&Event::Act(finding)));
        tracing::warn!(target: TARGET, rule, key, used, limit, "a quota is nearly or wholly used up");
    }
}

impl QuotaWatcher for Findings {
    fn found(&self, finding: &QuotaFinding<'_>) {
        match finding {
            QuotaFinding::Warned { key, limit, used } => {
                self.usage("quota-warning", key, (*used, *limit));
            }
            QuotaFinding::Exceeded { key, limit, used } => {
                self.usage("quota-exceeded", key, (*used, *limit));
            }
            QuotaFinding::StoreDown { error } => {
                self.metrics.finding("quota-store-down");
                tracing::error!(target: TARGET, rule = "quota-store-down", %error);
            }
            QuotaFinding::StoreBack => {
                tracing::info!(target: TARGET, rule = "quota-store-back", "the quota store answers again");
            }
        }
    }
}
