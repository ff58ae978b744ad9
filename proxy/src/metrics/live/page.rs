//! Metric families of numbers that somebody else counts.

use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};

/// Families that are being written.
#[derive(Debug, Default)]
pub(super) struct Page {
    families: Vec<MetricFamily>,
}

/// One metric of a page, to which values are added.
pub(super) struct Family<'p> {
    family: &'p mut MetricFamily,
}

/// What a metric can be set to. Counts beyond 2^53 lose their last digits, as in all of Prometheus.
pub(super) trait Number {
    /// The same as Prometheus holds it.
    fn number(self) -> f64;
}

impl Page {
    /// Begins a number that only grows; its name ends in `_total`.
    pub(super) fn counter(&mut self, name: &str, help: &str) -> Family<'_> {
        self.family(name, help, MetricType::COUNTER)
    }

    /// Begins a number that goes up and down.
    pub(super) fn gauge(&mut self, name: &str, help: &str) -> Family<'_> {
        self.family(name, help, MetricType::GAUGE)
    }

    /// Everything that was written.
    pub(super) fn into_families(self) -> Vec<MetricFamily> {
        self.families
    }

    fn family(&mut self, name: &str, help: &str, kind: MetricType) -> Family<'_> {
        let mut family = MetricFamily::default();
        family.set_name(name.to_owned());
        family.set_help(help.to_owned());
        family.set_field_type(kind);
        Family {
            family: self.families.push_mut(family),
        }
    }
}

impl Family<'_> {
    /// The only value.
    pub(super) fn value(self, value: impl Number) {
        self.add(Vec::new(), value.number());
    }

    /// A value under a label.
    pub(super) fn labelled(self, label: &str, of: &str, value: impl Number) -> Self {
        let mut pair = LabelPair::default();
        pair.set_name(label.to_owned());
        pair.set_value(of.to_owned());
        self.add(vec![pair], value.number())
    }

    fn add(self, labels: Vec<LabelPair>, value: f64) -> Self {
        let mut metric = Metric::from_label(labels);
        if self.family.get_field_type() == MetricType::COUNTER {
            let mut counter = Counter::default();
            counter.set_value(value);
            metric.set_counter(counter);
        } else {
            let mut gauge = Gauge::default();
            gauge.set_value(value);
            metric.set_gauge(gauge);
        }
        self.family.mut_metric().push(metric);
        self
    }
}

impl Number for f64 {
    fn number(self) -> f64 {
        self
    }
}

impl Number for u64 {
    #[expect(
        clippy::cast_precision_loss,
        reason = "Prometheus holds every number like this"
    )]
    fn number(self) -> f64 {
        self as f64
    }
}
