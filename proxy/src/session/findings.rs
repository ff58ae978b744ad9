//! What rules notice of sessions in other hands is told to operators: one line of the log, one entry of the
//! audit log and one count each.
//!
//! A finding names the session and its holder, in the logs only; a metric names the rule. It does nothing to
//! the session: whoever found it does.

use std::sync::Arc;

use super::judge::Finding;
use super::record::Holder;
use crate::evidence::{Act, Event, Evidence};
use crate::metrics::Metrics;

/// The target of findings in the log.
const TARGET: &str = "postern::finding";

/// Tells operators.
#[derive(Debug)]
pub(crate) struct SessionFindings {
    metrics: Arc<Metrics>,
    evidence: Evidence,
}

impl SessionFindings {
    /// Counts and records what is found here.
    pub(super) const fn new(metrics: Arc<Metrics>, evidence: Evidence) -> Self {
        Self { metrics, evidence }
    }

    /// A rule has noticed something about a session, if it is known which.
    pub(crate) fn found(&self, finding: Finding, of: Option<(&str, &Holder)>) {
        let (rule, action) = (finding.rule.word(), finding.action.word());
        let reason = finding.reason;
        self.metrics.finding(rule);
        let act = Act::HijackFinding {
            rule,
            action,
            of,
            reason,
        };
        // The exchange in which it was found is on record itself, and waits for that.
        drop(self.evidence.record(&Event::Act(act)));
        let sid = of.map(|(sid, _)| sid);
        let subject = of.map(|(_, holder)| holder.subject.as_str());
        tracing::warn!(target: TARGET, rule, action, sid, subject, reason, "a session may be in other hands");
    }
}

#[cfg(test)]
mod tests {
    use postern_config::sessions::RuleId;

    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn a_finding_is_counted_by_its_rule() {
        let metrics = Arc::new(Metrics::new().unwrap());
        let findings =
            SessionFindings::new(Arc::clone(&metrics), Evidence::off(Arc::new(SystemClock)));
        let sessions = postern_config::Sessions::default();
        findings.found(Finding::new(&sessions, RuleId::H11, "decoy"), None);
        let told = prometheus::TextEncoder::new()
            .encode_to_string(&metrics.registry().gather())
            .unwrap();
        assert!(
            told.contains("postern_findings_total{rule=\"H11\"} 1\n"),
            "{told}"
        );
        assert!(told.contains("postern_findings_total{rule=\"H05b\"} 0\n"));
    }
}
