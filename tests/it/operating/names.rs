//! The names of metrics and labels in a page of metrics, and in text that speaks of them.

use std::collections::{BTreeMap, BTreeSet};

use regex::Regex;

/// The labels that Prometheus adds, and the one that a histogram's buckets have.
const ADDED: [&str; 3] = ["instance", "job", "le"];

/// Every sample of a page, with the names of its labels.
pub(super) struct Samples {
    labels: BTreeMap<String, BTreeSet<String>>,
    families: BTreeSet<String>,
}

impl Samples {
    /// Reads a page in the text format.
    pub(super) fn read(page: &str) -> Self {
        let label = Regex::new(r#"([a-z_]+)="(?:[^"\\]|\\.)*""#).unwrap();
        let mut samples = Self {
            labels: BTreeMap::new(),
            families: BTreeSet::new(),
        };
        for line in page.lines() {
            if let Some(family) = line.strip_prefix("# TYPE ") {
                let name = family.split(' ').next().unwrap();
                samples.families.insert(name.to_owned());
                samples.labels.entry(name.to_owned()).or_default();
            } else if !line.starts_with('#') {
                let name = line.split(['{', ' ']).next().unwrap();
                let labels = label.captures_iter(line).map(|found| found[1].to_owned());
                let known = samples.labels.entry(name.to_owned()).or_default();
                known.extend(labels);
            }
        }
        samples
    }

    /// The metrics.
    pub(super) fn families(&self) -> &BTreeSet<String> {
        &self.families
    }

    /// What a text names that is not there: metrics, and labels in their braces or after `by`.
    pub(super) fn unknown_in(&self, text: &str) -> Vec<String> {
        let name = Regex::new(r"\b(?:postern|process)_[a-z_]+\b(?:\{([^}]*)\})?").unwrap();
        let matcher = Regex::new(r#"([a-z_]+)\s*(?:=~|!~|!=|=)\s*""#).unwrap();
        let by = Regex::new(r"\bby \(([a-z_, ]+)\)").unwrap();
        let every: BTreeSet<&String> = self.labels.values().flatten().collect();
        let mut unknown = Vec::new();
        for found in name.captures_iter(text) {
            let metric = found[0].split('{').next().unwrap();
            let Some(labels) = self.labels.get(metric) else {
                unknown.push(metric.to_owned());
                continue;
            };
            let asked = found.get(1).map_or("", |braces| braces.as_str());
            for label in matcher.captures_iter(asked) {
                if !labels.contains(&label[1]) && !ADDED.contains(&&label[1]) {
                    unknown.push(format!("{metric} has no label {}", &label[1]));
                }
            }
        }
        for found in by.captures_iter(text) {
            for label in found[1].split(',').map(str::trim) {
                if !every.contains(&label.to_owned()) && !ADDED.contains(&label) {
                    unknown.push(format!("no metric has a label {label}"));
                }
            }
        }
        unknown
    }
}

#[test]
fn names_that_are_not_there_are_found() {
    let samples =
        Samples::read("# TYPE postern_a_total counter\npostern_a_total{route=\"x\",le=\"1\"} 1\n");
    let good = "sum by (route) (rate(postern_a_total{route=~\"x\",instance=\"i\"}[5m]))";
    assert!(samples.unknown_in(good).is_empty());
    let bad = "sum by (color) (postern_b_total + postern_a_total{color=\"red\"})";
    assert_eq!(samples.unknown_in(bad).len(), 3);
}
