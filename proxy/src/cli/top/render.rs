//! Samples as tables for people.

use std::cmp::Reverse;

use serde_json::Value;

use super::sample::{RouteCounts, Sample};
use crate::cli::{quotas, wording};

/// A quota whose use is at this share of a limit, in percent, is shown.
const NEARLY_USED_PERCENT: u64 = 80;

/// How a sample is shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct View {
    /// How long it took to come together; none for totals since the start.
    pub(super) seconds: Option<f64>,
    /// How many rows a table has at most.
    pub(super) rows: usize,
}

impl View {
    /// Everything there is to show.
    pub(super) fn text(&self, sample: &Sample, quotas: Option<&Value>) -> String {
        let when = match self.seconds {
            Some(seconds) => format!("the last {seconds:.1} s"),
            None => "since the start".to_owned(),
        };
        let mut text = format!(
            "Postern {}, revision {}, {} in flight; {when}\n",
            sample.version, sample.revision, sample.in_flight
        );
        text.push_str(&self.routes(sample));
        text.push_str(&self.rules(sample));
        text.push_str(&self.cost(sample));
        text.push_str(&self.quotas(quotas));
        text
    }

    /// The busiest routes.
    fn routes(&self, sample: &Sample) -> String {
        let mut routes: Vec<_> = sample.routes.iter().collect();
        routes.retain(|(_, counts)| counts.exchanges() > 0);
        routes.sort_by_key(|(_, counts)| Reverse(counts.exchanges()));
        let rows = routes.into_iter().map(|(name, counts)| {
            vec![
                name.clone(),
                self.rate(counts.exchanges()),
                at_most(counts, 50),
                at_most(counts, 99),
                counts.outcome("refused").to_string(),
                counts.outcome("withheld").to_string(),
                counts.outcome("cut").to_string(),
                counts.server_errors.to_string(),
            ]
        });
        let head = [
            "route",
            self.unit("exchanges"),
            "p50 ≤",
            "p99 ≤",
            "refused",
            "withheld",
            "cut",
            "5xx",
        ];
        self.table(&head, rows.collect(), "no exchanges")
    }

    /// The rules that withheld most.
    fn rules(&self, sample: &Sample) -> String {
        let mut rules: Vec<_> = sample.rules.iter().collect();
        let idle = rules.iter().filter(|(_, hits)| **hits == 0).count();
        rules.retain(|(_, hits)| **hits > 0);
        rules.sort_by_key(|(_, hits)| Reverse(**hits));
        let rows = rules
            .into_iter()
            .map(|((route, rule), hits)| vec![rule.clone(), route.clone(), self.rate(*hits)]);
        let head = ["rule", "on route", self.unit("withheld")];
        let mut text = self.table(&head, rows.collect(), "no values withheld");
        if idle > 0 {
            let rules = wording::count(idle, "rule");
            text.push_str(&format!("{rules} withheld nothing\n"));
        }
        text
    }

    /// The routes that cost most.
    fn cost(&self, sample: &Sample) -> String {
        let mut routes: Vec<_> = sample.routes.iter().collect();
        routes.retain(|(_, counts)| counts.body_bytes > 0);
        routes.sort_by(|(_, a), (_, b)| b.body_seconds.total_cmp(&a.body_seconds));
        let all: f64 = routes.iter().map(|(_, counts)| counts.body_seconds).sum();
        let rows = routes.into_iter().map(|(name, counts)| {
            let share = 100.0 * counts.body_seconds / all.max(f64::MIN_POSITIVE);
            vec![
                name.clone(),
                seconds(counts.body_seconds),
                format!("{share:.0} %"),
                bytes(counts.body_bytes),
                format!(
                    "{:.1}",
                    counts.body_seconds * 1e9 / float(counts.body_bytes)
                ),
            ]
        });
        let head = ["cost of bodies", "time", "share", "bytes", "ns a byte"];
        self.table(&head, rows.collect(), "no bodies")
    }

    /// The quotas that are nearly used up, in the words of `postern quotas list`.
    fn quotas(&self, quotas: Option<&Value>) -> String {
        let Some(entries) = quotas.and_then(Value::as_array) else {
            return "\nthe quotas are not known\n".to_owned();
        };
        let mut nearly: Vec<_> = entries
            .iter()
            .filter_map(|entry| Some((share(entry)?, entry)))
            .filter(|(share, _)| *share >= NEARLY_USED_PERCENT)
            .collect();
        nearly.sort_by_key(|(share, _)| Reverse(*share));
        if nearly.is_empty() {
            return format!("\nno quota is used to {NEARLY_USED_PERCENT} %\n");
        }
        let nearly = nearly.into_iter().take(self.rows).map(|(_, entry)| entry);
        format!("\n{}", quotas::listed(nearly))
    }

    fn table(&self, head: &[&str], rows: Vec<Vec<String>>, none: &str) -> String {
        if rows.is_empty() {
            return format!("\n{none}\n");
        }
        let head = head.iter().map(|cell| (*cell).to_owned()).collect();
        let rows: Vec<_> = std::iter::once(head)
            .chain(rows.into_iter().take(self.rows))
            .collect();
        format!("\n{}", wording::table(&rows))
    }

    /// What the counts of a column are.
    fn unit<'a>(&self, total: &'a str) -> &'a str {
        match self.seconds {
            Some(_) => "per second",
            None => total,
        }
    }

    fn rate(&self, count: u64) -> String {
        match self.seconds {
            Some(seconds) => format!("{:.1}", float(count) / seconds.max(f64::MIN_POSITIVE)),
            None => count.to_string(),
        }
    }
}

/// How much of the next limit is used, in percent. Limits are by role, and a count does not say whose role it
/// is: the smallest limit that it has not passed is taken, else the largest.
fn share(entry: &Value) -> Option<u64> {
    let used = entry.get("used").and_then(Value::as_u64)?;
    let limits = entry.get("limit").and_then(Value::as_object)?;
    let limits: Vec<u64> = limits.values().filter_map(Value::as_u64).collect();
    let ahead = limits.iter().filter(|limit| **limit >= used).min();
    let limit = ahead.or_else(|| limits.iter().max())?;
    Some(used.saturating_mul(100) / (*limit).max(1))
}

fn at_most(counts: &RouteCounts, percent: u64) -> String {
    match counts.seconds_at_most(percent) {
        Some(bound) if bound.is_finite() => seconds(bound),
        Some(_) => "longer".to_owned(),
        None => "-".to_owned(),
    }
}

fn seconds(seconds: f64) -> String {
    let (number, unit) = match seconds {
        less if less < 0.001 => (less * 1e6, "us"),
        less if less < 1.0 => (less * 1e3, "ms"),
        more => (more, "s"),
    };
    let number = format!("{number:.1}");
    format!("{} {unit}", number.strip_suffix(".0").unwrap_or(&number))
}

fn bytes(bytes: u64) -> String {
    match bytes {
        0..10_000 => format!("{bytes} B"),
        10_000..10_000_000 => format!("{} kB", bytes / 1_000),
        10_000_000.. => format!("{} MB", bytes / 1_000_000),
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "it is shown to people, who read three digits of it"
)]
fn float(count: u64) -> f64 {
    count as f64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn sample() -> Sample {
        Sample::read(&json!({
            "version": "1.0", "revision": "abc", "in_flight": 2,
            "routes": {
                "note": { "outcomes": { "allowed": 1 }, "buckets": [[0.0025, 1]] },
                "case": {
                    "outcomes": { "allowed": 10, "refused": 2 }, "server_errors": 0,
                    "buckets": [[0.001, 6], [0.01, 11]],
                    "body_seconds": 0.0005, "body_bytes": 50_000,
                },
            },
            "rules": [
                { "route": "case", "rule": "pii", "hits": 40 },
                { "route": "case", "rule": "secret", "hits": 0 },
            ],
        }))
    }

    #[test]
    fn totals_are_tables_with_the_busiest_first() {
        let quotas = json!([
            { "quota": "day", "who": ["", "ann"], "used": 45, "unit": "records",
              "limit": { "agent": 50 }, "window_seconds": 60, "frees_after_seconds": 5 },
            { "quota": "day", "who": ["", "bob"], "used": 3, "limit": { "agent": 50 } },
        ]);
        let view = View {
            seconds: None,
            rows: 10,
        };
        assert_eq!(
            view.text(&sample(), Some(&quotas)),
            "Postern 1.0, revision abc, 2 in flight; since the start\n\
             \n\
             route  exchanges  p50 ≤   p99 ≤   refused  withheld  cut  5xx\n\
             case   12         1 ms    longer  2        0         0    0\n\
             note   1          2.5 ms  2.5 ms  0        0         0    0\n\
             \n\
             rule  on route  withheld\n\
             pii   case      40\n\
             1 rule withheld nothing\n\
             \n\
             cost of bodies  time    share  bytes  ns a byte\n\
             case            500 us  100 %  50 kB  10.0\n\
             \n\
             quota  who  used        limit     in  frees in\n\
             day    ann  45 records  agent 50  1m  5s\n"
        );
    }

    #[test]
    fn rates_are_per_second_and_nothing_is_said_to_be_nothing() {
        let view = View {
            seconds: Some(2.0),
            rows: 1,
        };
        let text = view.text(&sample(), None);
        assert!(text.contains("case   6.0"), "{text}");
        assert!(!text.contains("note"), "one row");
        assert!(text.contains("pii   case      20.0"), "{text}");
        assert!(text.ends_with("\nthe quotas are not known\n"), "{text}");
        let nothing = view.text(&Sample::default(), Some(&json!([])));
        assert!(nothing.contains("\nno exchanges\n"), "{nothing}");
        assert!(
            nothing.ends_with("\nno quota is used to 80 %\n"),
            "{nothing}"
        );
    }
}
