//! How many sessions begin, why they end, and how many exchanges were cut with them.
//!
//! Reasons are fixed words and ids of rules; what is none of them is counted as `other`.

use postern_config::sessions::RuleId;
use prometheus::{IntCounter, IntCounterVec, Registry};

use super::{at_zero, counters};
use crate::session::Client;

/// Why sessions end before their time, besides rules.
const REASONS: [&str; 7] = [
    "admin",
    "evicted",
    "logout",
    "person",
    "replaced",
    "step-up",
    "upstream-expired",
];
/// Any other reason.
const OTHER: &str = "other";

/// What is counted of sessions.
#[derive(Debug)]
pub(crate) struct SessionMetrics {
    begun: IntCounterVec,
    ended: IntCounterVec,
    cut: IntCounter,
}

impl SessionMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counters = |name, help, label| counters(registry, (name, help), &[label]);
        let cut = IntCounter::new(
            "postern_sessions_cut_total",
            "Exchanges cut because the session that they ran in has ended, or nobody could tell",
        )?;
        registry.register(Box::new(cut.clone()))?;
        Ok(Self {
            begun: at_zero(
                counters(
                    "postern_sessions_begun_total",
                    "Sessions that began, by the kind of client",
                    "client",
                )?,
                &[Client::Browser, Client::Api].map(Client::word),
            ),
            ended: at_zero(
                counters(
                    "postern_sessions_ended_total",
                    "Sessions that were ended before their time, by reason",
                    "reason",
                )?,
                &REASONS,
            ),
            cut,
        })
    }

    /// A session has begun.
    pub(crate) fn began(&self, client: Client) {
        self.begun.with_label_values(&[client.word()]).inc();
    }

    /// A session was ended.
    pub(crate) fn ended(&self, reason: &str) {
        let rules = RuleId::ALL.map(RuleId::word);
        let mut known = REASONS.into_iter().chain(rules);
        let reason = known.find(|word| *word == reason).unwrap_or(OTHER);
        self.ended.with_label_values(&[reason]).inc();
    }

    /// So many exchanges were cut with their session.
    pub(crate) fn cut(&self, exchanges: usize) {
        let exchanges = u64::try_from(exchanges).unwrap_or(u64::MAX);
        self.cut.inc_by(exchanges);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_is_a_fixed_word() {
        let registry = Registry::new();
        let metrics = SessionMetrics::new(&registry).unwrap();
        for reason in ["logout", "step-up", "H05b", "what somebody typed"] {
            metrics.ended(reason);
        }
        for word in ["logout", "step-up", "H05b", OTHER] {
            assert_eq!(metrics.ended.with_label_values(&[word]).get(), 1, "{word}");
        }
        let told = prometheus::TextEncoder::new()
            .encode_to_string(&registry.gather())
            .unwrap();
        assert!(!told.contains("typed"), "{told}");
    }
}
