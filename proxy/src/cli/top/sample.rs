//! What was counted at one moment, and the difference of two moments.

use std::collections::BTreeMap;

use serde_json::Value;

/// What was counted.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Sample {
    pub(super) version: String,
    pub(super) revision: String,
    pub(super) in_flight: u64,
    pub(super) routes: BTreeMap<String, RouteCounts>,
    /// Hits by route and rule.
    pub(super) rules: BTreeMap<(String, String), u64>,
}

/// What happened on one route.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct RouteCounts {
    pub(super) outcomes: BTreeMap<String, u64>,
    pub(super) server_errors: u64,
    /// How many took at most so many seconds.
    pub(super) buckets: Vec<(f64, u64)>,
    pub(super) body_seconds: f64,
    pub(super) body_bytes: u64,
}

impl Sample {
    /// Reads an answer of the admin listener; what is missing in it counts as nothing.
    pub(super) fn read(top: &Value) -> Self {
        let text = |name: &str| {
            let text = top.get(name).and_then(Value::as_str);
            text.unwrap_or("-").to_owned()
        };
        let routes = top.get("routes").and_then(Value::as_object);
        let rules = top.get("rules").and_then(Value::as_array);
        Self {
            version: text("version"),
            revision: text("revision"),
            in_flight: number(top, "in_flight"),
            routes: routes
                .into_iter()
                .flatten()
                .map(|(route, counts)| (route.clone(), RouteCounts::read(counts)))
                .collect(),
            rules: rules
                .into_iter()
                .flatten()
                .filter_map(|rule| {
                    let name = |part: &str| Some(rule.get(part)?.as_str()?.to_owned());
                    Some(((name("route")?, name("rule")?), number(rule, "hits")))
                })
                .collect(),
        }
    }

    /// What came since an earlier moment. Counts that have become smaller began again at nothing.
    pub(super) fn since(&self, before: &Self) -> Self {
        let restarted = self.exchanges() < before.exchanges();
        let nothing = Self::default();
        let before = if restarted { &nothing } else { before };
        let none = RouteCounts::default();
        Self {
            routes: self
                .routes
                .iter()
                .map(|(name, counts)| {
                    let before = before.routes.get(name).unwrap_or(&none);
                    (name.clone(), counts.since(before))
                })
                .collect(),
            rules: self
                .rules
                .iter()
                .map(|(rule, hits)| {
                    let before = before.rules.get(rule).copied().unwrap_or(0);
                    (rule.clone(), hits.saturating_sub(before))
                })
                .collect(),
            ..self.clone()
        }
    }

    fn exchanges(&self) -> u64 {
        self.routes.values().map(RouteCounts::exchanges).sum()
    }
}

impl RouteCounts {
    fn read(counts: &Value) -> Self {
        let outcomes = counts.get("outcomes").and_then(Value::as_object);
        let outcomes = outcomes.into_iter().flatten();
        let buckets = counts.get("buckets").and_then(Value::as_array);
        let bucket = |one: &Value| Some((one.get(0)?.as_f64()?, one.get(1)?.as_u64()?));
        Self {
            outcomes: outcomes
                .map(|(outcome, count)| (outcome.clone(), count.as_u64().unwrap_or(0)))
                .collect(),
            server_errors: number(counts, "server_errors"),
            buckets: buckets.into_iter().flatten().filter_map(bucket).collect(),
            body_seconds: counts
                .get("body_seconds")
                .and_then(Value::as_f64)
                .unwrap_or(0.0),
            body_bytes: number(counts, "body_bytes"),
        }
    }

    fn since(&self, before: &Self) -> Self {
        let earlier = |bound: f64| {
            let mut buckets = before.buckets.iter();
            let found = buckets.find(|(other, _)| other.total_cmp(&bound).is_eq());
            found.map_or(0, |(_, count)| *count)
        };
        Self {
            outcomes: self
                .outcomes
                .iter()
                .map(|(outcome, count)| {
                    let before = before.outcomes.get(outcome).copied().unwrap_or(0);
                    (outcome.clone(), count.saturating_sub(before))
                })
                .collect(),
            server_errors: self.server_errors.saturating_sub(before.server_errors),
            buckets: self
                .buckets
                .iter()
                .map(|(bound, count)| (*bound, count.saturating_sub(earlier(*bound))))
                .collect(),
            body_seconds: (self.body_seconds - before.body_seconds).max(0.0),
            body_bytes: self.body_bytes.saturating_sub(before.body_bytes),
        }
    }

    /// How many exchanges ended.
    pub(super) fn exchanges(&self) -> u64 {
        self.outcomes.values().sum()
    }

    /// How many ended so.
    pub(super) fn outcome(&self, outcome: &str) -> u64 {
        self.outcomes.get(outcome).copied().unwrap_or(0)
    }

    /// The bound under which this share of exchanges stayed, in seconds: the upper end of their bucket, since
    /// nothing is known of where in it they are. None without exchanges; infinite past the last bound.
    pub(super) fn seconds_at_most(&self, percent: u64) -> Option<f64> {
        let all = self.exchanges();
        if all == 0 {
            return None;
        }
        let enough = |count: u64| count.saturating_mul(100) >= all.saturating_mul(percent);
        let mut buckets = self.buckets.iter();
        let found = buckets.find(|(_, count)| enough(*count));
        Some(found.map_or(f64::INFINITY, |(bound, _)| *bound))
    }
}

fn number(of: &Value, name: &str) -> u64 {
    of.get(name).and_then(Value::as_u64).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sample(allowed: u64, quick: u64, hits: u64) -> Sample {
        Sample::read(&json!({
            "version": "1", "revision": "abc", "in_flight": 1,
            "routes": { "case": {
                "outcomes": { "allowed": allowed, "refused": 1 },
                "buckets": [[0.001, quick], [0.1, allowed + 1]],
                "body_seconds": 2.5, "body_bytes": 10 * allowed,
            } },
            "rules": [{ "route": "case", "rule": "pii", "hits": hits }],
        }))
    }

    #[test]
    fn the_difference_of_two_moments_is_what_came_between() {
        let between = sample(30, 20, 7).since(&sample(10, 5, 7));
        let case = &between.routes["case"];
        assert_eq!((case.exchanges(), case.outcome("refused")), (20, 0));
        assert_eq!(case.buckets, [(0.001, 15), (0.1, 20)]);
        assert_eq!(case.body_bytes, 200);
        assert_eq!(between.rules.values().sum::<u64>(), 0);
    }

    #[test]
    fn counts_that_became_smaller_began_again() {
        let now = sample(3, 1, 1);
        assert_eq!(now.since(&sample(10, 5, 7)), now);
    }

    #[test]
    fn a_share_of_exchanges_stays_under_the_bound_of_its_bucket() {
        let case = &sample(99, 50, 0).routes["case"];
        assert_eq!(case.seconds_at_most(50), Some(0.001));
        assert_eq!(case.seconds_at_most(51), Some(0.1));
        assert_eq!(RouteCounts::default().seconds_at_most(50), None);
        let slow = RouteCounts {
            buckets: vec![(0.1, 0)],
            ..case.clone()
        };
        assert_eq!(slow.seconds_at_most(50), Some(f64::INFINITY));
    }
}
