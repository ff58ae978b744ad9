//! The Prometheus registry as OTLP metrics, so that the two cannot differ.
//!
//! A name goes the way back that OpenTelemetry's Prometheus compatibility describes:
//! `postern_response_body_bytes_total` is `postern.response_body` in `By`, and a collector that shows it to
//! Prometheus calls it as `/metrics` does. The HTTP conventions' metrics get their own names.

use std::time::SystemTime;

use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value;
use opentelemetry_proto::tonic::metrics::v1::{
    AggregationTemporality, Gauge, Histogram, HistogramDataPoint, Metric, NumberDataPoint,
    ResourceMetrics, ScopeMetrics, Sum,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use prometheus::proto::{self, LabelPair, MetricFamily, MetricType};

use super::attributes::{SCHEMA_URL, nanos, number, scope, text};

/// Names that are not made by the rule: the conventions' own.
const NAMES: [(&str, &str, &str); 3] = [
    (
        "http_server_request_duration_seconds",
        "http.server.request.duration",
        "s",
    ),
    (
        "http_client_request_duration_seconds",
        "http.client.request.duration",
        "s",
    ),
    (
        "http_server_active_requests",
        "http.server.active_requests",
        "{request}",
    ),
];
/// Labels that are attributes of the conventions.
const ATTRIBUTES: [(&str, &str); 8] = [
    ("http_request_method", "http.request.method"),
    ("http_response_status_code", "http.response.status_code"),
    ("http_route", "http.route"),
    ("network_protocol_version", "network.protocol.version"),
    ("url_scheme", "url.scheme"),
    ("error_type", "error.type"),
    ("server_address", "server.address"),
    ("server_port", "server.port"),
];
/// Those of them whose values are numbers.
const NUMBERS: [&str; 2] = ["http.response.status_code", "server.port"];

/// A moment: since when is counted, and now.
#[derive(Debug, Clone, Copy)]
pub(super) struct Period {
    pub(super) since: SystemTime,
    pub(super) now: SystemTime,
}

/// Everything that the registry knows, and how many data points that is.
pub(super) fn request(
    families: &[MetricFamily],
    resource: Resource,
    period: Period,
) -> (ExportMetricsServiceRequest, usize) {
    let metrics: Vec<Metric> = families
        .iter()
        .filter_map(|family| metric(family, period))
        .collect();
    let points = families.iter().map(|family| family.get_metric().len());
    let points = points.sum();
    let request = ExportMetricsServiceRequest {
        resource_metrics: vec![ResourceMetrics {
            resource: Some(resource),
            scope_metrics: vec![ScopeMetrics {
                scope: Some(scope()),
                metrics,
                schema_url: SCHEMA_URL.to_owned(),
            }],
            schema_url: SCHEMA_URL.to_owned(),
        }],
    };
    (request, points)
}

fn metric(family: &MetricFamily, period: Period) -> Option<Metric> {
    let (name, unit) = name_and_unit(family.name());
    let cumulative = AggregationTemporality::Cumulative.into();
    let data = match family.get_field_type() {
        MetricType::COUNTER => Data::Sum(Sum {
            data_points: points(family, period, &unit, |metric| {
                metric.get_counter().get_value()
            }),
            aggregation_temporality: cumulative,
            is_monotonic: true,
        }),
        // What goes up and down by one for each exchange is a sum to OpenTelemetry.
        MetricType::GAUGE if name == "http.server.active_requests" => Data::Sum(Sum {
            data_points: points(family, period, &unit, |metric| {
                metric.get_gauge().get_value()
            }),
            aggregation_temporality: cumulative,
            is_monotonic: false,
        }),
        MetricType::GAUGE => Data::Gauge(Gauge {
            data_points: points(family, period, &unit, |metric| {
                metric.get_gauge().get_value()
            }),
        }),
        MetricType::HISTOGRAM => Data::Histogram(Histogram {
            data_points: family
                .get_metric()
                .iter()
                .map(|metric| histogram(metric, period))
                .collect(),
            aggregation_temporality: cumulative,
        }),
        // Postern has none of these.
        MetricType::SUMMARY | MetricType::UNTYPED => return None,
    };
    Some(Metric {
        name,
        description: family.help().to_owned(),
        unit,
        data: Some(data),
        ..Metric::default()
    })
}

/// OpenTelemetry's name and unit of a metric of Prometheus.
fn name_and_unit(name: &str) -> (String, String) {
    if let Some((_, own, unit)) = NAMES.iter().find(|(known, ..)| *known == name) {
        return ((*own).to_owned(), (*unit).to_owned());
    }
    let plain = name.strip_suffix("_total").unwrap_or(name);
    let units = [("_seconds", "s"), ("_bytes", "By")];
    let of_unit = units
        .iter()
        .find_map(|(suffix, unit)| plain.strip_suffix(suffix).map(|plain| (plain, *unit)));
    let (plain, unit) = of_unit.unwrap_or((plain, ""));
    (plain.replacen('_', ".", 1), unit.to_owned())
}

fn points(
    family: &MetricFamily,
    period: Period,
    unit: &str,
    value: impl Fn(&proto::Metric) -> f64,
) -> Vec<NumberDataPoint> {
    let point = |metric: &proto::Metric| NumberDataPoint {
        attributes: attributes(metric.get_label()),
        start_time_unix_nano: nanos(period.since),
        time_unix_nano: nanos(period.now),
        value: Some(number_value(value(metric), unit)),
        ..NumberDataPoint::default()
    };
    family.get_metric().iter().map(point).collect()
}

/// Postern counts in whole numbers, which Prometheus holds as floats; time is measured. A metric has one kind of
/// number, whatever its value is at the moment: collectors that add up take no other.
#[expect(
    clippy::cast_possible_truncation,
    reason = "INVARIANT: the value is whole and within 2^53, where both kinds of numbers agree"
)]
fn number_value(value: f64, unit: &str) -> Value {
    let exact = unit != "s" && value.fract() == 0.0 && value.abs() < 9_007_199_254_740_992.0;
    if exact {
        Value::AsInt(value as i64)
    } else {
        Value::AsDouble(value)
    }
}

fn histogram(metric: &proto::Metric, period: Period) -> HistogramDataPoint {
    let observed = metric.get_histogram();
    let count = observed.get_sample_count();
    let finite = observed
        .get_bucket()
        .iter()
        .filter(|bucket| bucket.upper_bound().is_finite());
    let mut bounds = Vec::new();
    let mut counts = Vec::new();
    let mut before = 0_u64;
    for bucket in finite {
        bounds.push(bucket.upper_bound());
        counts.push(bucket.cumulative_count().saturating_sub(before));
        before = bucket.cumulative_count();
    }
    counts.push(count.saturating_sub(before));
    HistogramDataPoint {
        attributes: attributes(metric.get_label()),
        start_time_unix_nano: nanos(period.since),
        time_unix_nano: nanos(period.now),
        count,
        sum: Some(observed.get_sample_sum()),
        bucket_counts: counts,
        explicit_bounds: bounds,
        ..HistogramDataPoint::default()
    }
}

/// Labels as attributes; an empty one is none.
fn attributes(labels: &[LabelPair]) -> Vec<KeyValue> {
    let some = labels.iter().filter(|label| !label.value().is_empty());
    let attribute = |label: &LabelPair| {
        let known = ATTRIBUTES.iter().find(|(known, _)| *known == label.name());
        let key = known.map_or_else(|| label.name(), |(_, key)| *key);
        match label.value().parse() {
            Ok(value) if NUMBERS.contains(&key) => number(key, value),
            Ok(_) | Err(_) => text(key, label.value()),
        }
    };
    some.map(attribute).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metrics::Metrics;

    #[test]
    fn a_name_goes_the_way_back_that_a_collector_would_go_there() {
        for (prometheus, name, unit) in [
            ("postern_exchanges_total", "postern.exchanges", ""),
            (
                "postern_response_body_bytes_total",
                "postern.response_body",
                "By",
            ),
            ("postern_exchange_seconds", "postern.exchange", "s"),
            ("postern_connections", "postern.connections", ""),
            (
                "http_server_active_requests",
                "http.server.active_requests",
                "{request}",
            ),
        ] {
            assert_eq!(
                name_and_unit(prometheus),
                (name.to_owned(), unit.to_owned())
            );
        }
    }

    #[test]
    fn a_metric_has_one_kind_of_number_whatever_its_value() {
        let metrics = Metrics::new().unwrap();
        let seconds = prometheus::Counter::new("postern_x_seconds_total", "x").unwrap();
        let registry = metrics.registry();
        registry.register(Box::new(seconds.clone())).unwrap();
        let period = Period {
            since: SystemTime::UNIX_EPOCH,
            now: SystemTime::UNIX_EPOCH,
        };
        let value = || {
            let families = registry.gather();
            let family = families
                .iter()
                .find(|one| one.name() == "postern_x_seconds_total");
            let Some(Data::Sum(sum)) = metric(family.unwrap(), period).unwrap().data else {
                panic!("a sum");
            };
            sum.data_points[0].value
        };
        assert_eq!(value(), Some(Value::AsDouble(0.0)));
        seconds.inc_by(2.0);
        assert_eq!(value(), Some(Value::AsDouble(2.0)));
        seconds.inc_by(0.5);
        assert_eq!(value(), Some(Value::AsDouble(2.5)));
    }

    #[test]
    fn a_histogram_keeps_its_counts_between_its_bounds() {
        let metrics = Metrics::new().unwrap();
        let facts = crate::telemetry::http_metrics::ClientFacts {
            method: "GET",
            address: "up",
            port: 80,
            status: 404,
            error: "404",
        };
        for millis in [4, 6, 6, 20_000] {
            metrics
                .http()
                .called(&facts, std::time::Duration::from_millis(millis));
        }
        let families = metrics.registry().gather();
        let period = Period {
            since: SystemTime::UNIX_EPOCH,
            now: SystemTime::UNIX_EPOCH,
        };
        let (request, _points) = request(&families, Resource::default(), period);
        let all = &request.resource_metrics[0].scope_metrics[0].metrics;
        let wanted = all
            .iter()
            .find(|metric| metric.name == "http.client.request.duration");
        let Some(Data::Histogram(histogram)) = &wanted.unwrap().data else {
            panic!("a histogram");
        };
        let point = &histogram.data_points[0];
        assert_eq!(point.explicit_bounds.len(), 14);
        assert_eq!(point.bucket_counts.len(), 15);
        assert_eq!(point.bucket_counts[..2], [1, 2]);
        assert_eq!(point.bucket_counts[14], 1);
        assert_eq!(point.count, 4);
        let number_of = |key: &str| point.attributes.iter().any(|a| *a == number(key, 404));
        assert!(number_of("http.response.status_code"));
    }
}
