//! The whole of a run: what was done, on which machine, and the figures, as JSON.

use serde_json::{Value, json};

use super::figures::{Comparison, Figures, Quantiles};
use super::latencies::QUANTILES;
use super::machine;
use super::measure::{LeftOut, Measured};
use super::plan::{Plan, Size};
use super::spread::{Spread, rounded};
use super::traps::{self, Judged};

/// Shares whose latency is written out, beside those that tables show: enough to draw the curve.
const CURVE: [f64; 12] = [
    0.0, 0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 0.9995, 0.9999,
];

/// What came of a run.
#[derive(Debug)]
pub(crate) struct Report {
    /// What was done.
    pub(crate) plan: Plan,
    /// The figures by size.
    pub(crate) sizes: Vec<AtSize>,
    /// Peers that did not start.
    pub(crate) left_out: Vec<LeftOut>,
    /// What is made of documents that are hard to redact; nothing when there are no peers.
    pub(crate) judged: Vec<Judged>,
}

/// The figures at one size.
#[derive(Debug)]
pub(crate) struct AtSize {
    /// The size.
    pub(crate) size: Size,
    /// Requests a second at the fixed rate.
    pub(crate) rate: f64,
    /// The figures of each place.
    pub(crate) places: Vec<Figures>,
    /// Peers that have none.
    pub(crate) left_out: Vec<LeftOut>,
}

impl Report {
    pub(super) fn new(
        plan: &Plan,
        measured: &[Measured],
        (left_out, judged): (Vec<LeftOut>, Vec<Judged>),
    ) -> Self {
        let sizes = measured.iter().map(|measured| AtSize {
            size: measured.size,
            rate: measured.rate,
            places: Figures::of(measured),
            left_out: measured.left_out.clone(),
        });
        Self {
            plan: plan.clone(),
            sizes: sizes.collect(),
            left_out,
            judged,
        }
    }

    /// Whether the build is one for development, whose figures mean nothing.
    pub(crate) const fn is_of_development(&self) -> bool {
        machine::IS_DEVELOPMENT
    }

    /// The machine and the build, in one line.
    pub(crate) fn machine(&self) -> String {
        let processor = machine::processor().unwrap_or_else(|| std::env::consts::ARCH.to_owned());
        format!(
            "Postern {} ({} build) on {} cores of {processor}, {} threads in each process, {} connections",
            env!("CARGO_PKG_VERSION"),
            machine::profile(),
            machine::cores(),
            self.plan.threads,
            self.plan.connections,
        )
    }

    /// All of it. Times are in microseconds.
    pub(crate) fn as_json(&self) -> Value {
        let plan = &self.plan;
        json!({
            "machine": machine::as_json(),
            "settings": {
                "rounds": plan.rounds,
                "seconds": plan.time.as_secs_f64(),
                "connections": plan.connections,
                "threads": plan.threads,
                "rate": plan.rate,
                "log": std::env::var("POSTERN_LOG").ok(),
            },
            "sizes": self.sizes.iter().map(AtSize::as_json).collect::<Vec<_>>(),
            "left_out": left_out(&self.left_out),
            "hard_documents": self.judged.iter().map(judged).collect::<Vec<_>>(),
        })
    }
}

/// A rate in words.
pub(super) fn requests(rate: f64) -> String {
    match rate {
        ..10.0 => format!("{rate:.2} requests a second"),
        _ => format!("{rate:.0} requests a second"),
    }
}

impl AtSize {
    /// The fixed rate in words.
    pub(crate) fn requests(&self) -> String {
        requests(self.rate)
    }

    fn as_json(&self) -> Value {
        json!({
            "bytes": self.size.bytes(),
            "rate_per_second": rounded(self.rate),
            "rows": self.places.iter().map(figures).collect::<Vec<_>>(),
            "left_out": left_out(&self.left_out),
        })
    }
}

fn figures(figures: &Figures) -> Value {
    let curve = CURVE
        .iter()
        .filter(|share| figures.requests as f64 * (1.0 - **share) >= 1.0);
    let peers = figures.over_peers.iter();
    let peers = peers.map(|(name, over)| (name.clone(), comparison(over)));
    let curve: Vec<Value> = curve
        .map(|share| json!([share, rounded(figures.latencies.at_share(*share))]))
        .collect();
    json!({
        "row": figures.name,
        "answer_bytes": figures.answer_bytes,
        "requests_per_second": spread(figures.throughput),
        "cpu_us_per_request": spread(figures.work),
        "alone_p50_us": spread(figures.alone),
        "at_rate": {
            "requests": figures.requests,
            "given_up": figures.given_up,
            "latency_us": by_quantile(&figures.at_rate, |figure| json!(rounded(*figure))),
            "curve_us": curve,
        },
        "against_upstream": figures.over_upstream.as_ref().map(comparison),
        "against_passthrough": figures.over_passthrough.as_ref().map(comparison),
        "against_peers": Value::Object(peers.collect()),
    })
}

fn left_out(peers: &[LeftOut]) -> Vec<Value> {
    let peers = peers.iter();
    peers
        .map(|peer| json!({ "peer": peer.name, "reason": peer.reason }))
        .collect()
}

fn judged(judged: &Judged) -> Value {
    let verdicts = traps::names().zip(&judged.verdicts);
    let verdicts = verdicts.map(|(name, verdict)| (name.to_owned(), json!(verdict.to_string())));
    json!({ "row": judged.name, "verdicts": Value::Object(verdicts.collect()) })
}

fn comparison(comparison: &Comparison) -> Value {
    json!({
        "throughput_ratio": spread(comparison.throughput),
        "cpu_ratio": spread(comparison.work),
        "added_alone_p50_us": spread(comparison.alone),
        "alone_p50_ratio": spread(comparison.alone_ratio),
        "added_us": by_quantile(&comparison.at_rate, |figure| figure.as_json()),
    })
}

fn spread(spread: Option<Spread>) -> Value {
    spread.map_or(Value::Null, Spread::as_json)
}

fn by_quantile<T>(figures: &Quantiles<T>, write: impl Fn(&T) -> Value) -> Value {
    let pairs = QUANTILES.iter().zip(figures);
    let pairs = pairs.map(|(quantile, figure)| {
        let figure = figure.as_ref().map_or(Value::Null, &write);
        (quantile.name.to_owned(), figure)
    });
    Value::Object(pairs.collect())
}

#[cfg(test)]
pub(crate) mod samples;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_has_the_machine_the_settings_and_every_row_with_its_comparisons() {
        let report = samples::report().as_json();
        assert!(report["machine"]["cores"].as_u64().unwrap() > 0);
        assert_eq!(report["settings"]["rounds"], 2);
        let size = &report["sizes"][0];
        assert_eq!(
            (&size["bytes"], &size["rate_per_second"]),
            (&json!(1024), &json!(500.0))
        );
        let [upstream, bare, row] = &size["rows"].as_array().unwrap()[..] else {
            panic!("{size:#}")
        };
        assert_eq!(upstream["row"], "upstream");
        assert!(upstream["against_upstream"].is_null() && bare["against_passthrough"].is_null());
        let against = &row["against_passthrough"];
        let half = json!({ "median": 0.5, "least": 0.5, "most": 0.5, "rounds": 2 });
        assert_eq!(against["throughput_ratio"], half);
        assert!(against["added_us"]["p99"]["median"].is_number());
        assert!(
            against["added_us"]["p99.9"].is_null(),
            "too few requests to tell"
        );
        assert!(row["against_peers"].as_object().unwrap().is_empty());
        assert_eq!(row["at_rate"]["requests"], 120);
        assert_eq!(row["at_rate"]["curve_us"].as_array().unwrap().len(), 8);
    }

    #[test]
    fn a_report_has_what_was_made_of_hard_documents_and_who_was_left_out() {
        let report = samples::report_with_peers().as_json();
        let rows = &report["sizes"][0]["rows"];
        let half = json!({ "median": 0.5, "least": 0.5, "most": 0.5, "rounds": 2 });
        let against = &rows[2]["against_peers"];
        assert_eq!(against["plain-peer"]["throughput_ratio"], half);
        assert_eq!(report["left_out"][0]["peer"], "absent-peer");
        let [ours, peer] = &report["hard_documents"].as_array().unwrap()[..] else {
            panic!("{report:#}")
        };
        assert_eq!(ours["verdicts"]["plain"], "exact");
        assert_eq!(peer["verdicts"]["decimals"], "loses 12.50");
    }
}
