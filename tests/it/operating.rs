//! What operators are told, after exchanges of every kind: none of it holds a canary or a token (D15),
//! Prometheus's own tool finds nothing wrong with the metrics and the alerts, and dashboard, alerts and
//! documents name only metrics that are there.

mod canaries;
mod day;
mod names;
mod promtool;

use std::path::{Path, PathBuf};

use day::{Told, told};
use names::Samples;

/// A file of this repository.
fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn operate(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/operate");
    folder.join(name)
}

#[test]
fn nothing_that_is_told_holds_a_canary_or_a_token() {
    let told = told();
    let mut found = Vec::new();
    for (source, bytes) in &told.sources {
        for (what, hidden) in told.hidden() {
            if canaries::is_in(bytes, &hidden) {
                found.push(format!("{source} holds {what}"));
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

/// The scan above is worth something only if it looks at what was told.
#[test]
fn what_is_scanned_is_what_was_told() {
    let told = told();
    let holds = |source: &str, text: &str| {
        let (_, bytes) = told
            .sources
            .iter()
            .find(|(name, _)| name == source)
            .unwrap();
        assert!(
            canaries::is_in(bytes, text),
            "{source} does not tell `{text}`: {}",
            String::from_utf8_lossy(bytes)
        );
    };
    for ending in ["allowed", "refused", "withheld", "cut"] {
        for source in ["log", "tap", "metrics", "top"] {
            holds(source, ending);
        }
    }
    for source in ["log", "tap"] {
        holds(source, "user-agent");
        holds(source, "unreadable-body");
    }
    holds(
        "metrics",
        "postern_rule_hits_total{route=\"case\",rule=\"pii\"} ",
    );
    holds(
        "metrics",
        "postern_rule_hits_total{route=\"case\",rule=\"idle\"} 0\n",
    );
    holds("quotas", "guest");
    let mut files = told
        .sources
        .iter()
        .filter(|(name, _)| name.contains(".wal/"));
    assert!(files.any(|(_, bytes)| canaries::is_in(bytes, "fields_masked")));
}

#[test]
fn promtool_finds_nothing_wrong_with_the_metrics() {
    let Told { metrics, .. } = told();
    promtool::approves(&["check", "metrics"], metrics);
}

#[test]
fn alerts_are_sound_and_fire_when_they_should() {
    let rules = operate("alerts.yml");
    promtool::approves(&["check", "rules", rules.to_str().unwrap()], "");
    let tests = operate("alerts.test.yml");
    promtool::approves(&["test", "rules", tests.to_str().unwrap()], "");
}

#[test]
fn dashboard_and_alerts_name_only_what_is_there() {
    let samples = Samples::read(&told().metrics);
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("docs/operate/grafana-dashboard.json")).unwrap();
    let mut expressions = Vec::new();
    for panel in dashboard["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().unwrap() {
            expressions.push(target["expr"].as_str().unwrap().to_owned());
        }
    }
    assert!(expressions.len() > 20);
    expressions.push(read("docs/operate/alerts.yml"));
    expressions.push(read("docs/operate/alerts.test.yml"));
    let unknown: Vec<String> = expressions
        .iter()
        .flat_map(|expression| samples.unknown_in(expression))
        .collect();
    assert!(unknown.is_empty(), "{unknown:#?}");
}

#[test]
fn every_metric_is_described_and_every_description_is_of_a_metric() {
    let samples = Samples::read(&told().metrics);
    let text = read("docs/operate/README.md");
    let unknown = samples.unknown_in(&text);
    assert!(unknown.is_empty(), "{unknown:#?}");
    for family in samples.families() {
        assert!(text.contains(&format!("`{family}`")), "{family}");
    }
}
