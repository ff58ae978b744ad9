//! What holds of one read by an agent, however the collector is spoken to.

use opentelemetry_proto::tonic::metrics::v1::metric::Data;
use opentelemetry_proto::tonic::metrics::v1::number_data_point::Value as Number;
use opentelemetry_proto::tonic::metrics::v1::{AggregationTemporality, NumberDataPoint};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use postern_audit::{Checkpoint, Note, VerifierKey};
use serde_json::Value;

use super::collector::Received;
use super::reading::{attribute, body, keys};
use super::{CALLER, Stopped, TRACE};

pub(super) fn header<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    head.lines().find_map(|line| {
        let (found, value) = line.split_once(':')?;
        found.eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

pub(super) fn only<'a>(spans: &[&'a Span]) -> &'a Span {
    assert_eq!(spans.len(), 1, "{spans:?}");
    spans[0]
}

/// What holds of one read, however the collector is spoken to.
pub(super) fn check_spans(received: &Received, upstream: &str) {
    let server = only(&received.spans(SpanKind::Server));
    let client = only(&received.spans(SpanKind::Client));
    assert_eq!(hex::encode(&server.trace_id), TRACE);
    assert_eq!(hex::encode(&server.parent_span_id), CALLER);
    assert_eq!(client.trace_id, server.trace_id);
    assert_eq!(client.parent_span_id, server.span_id);
    assert_eq!(server.flags, 0x301);
    assert_eq!(client.flags, 0x101);
    assert_eq!(server.name, "GET case");
    assert_eq!(client.name, "GET");
    let told = format!("00-{TRACE}-{}-01", hex::encode(&client.span_id));
    assert_eq!(header(upstream, "traceparent"), Some(told.as_str()));
    assert_eq!(header(upstream, "tracestate"), Some("a=b,c=d"));
    assert!(server.start_time_unix_nano <= client.start_time_unix_nano);
    assert!(client.start_time_unix_nano < client.end_time_unix_nano);
    assert!(server.status.is_none() && client.status.is_none());
    let of = |span: &Span, key: &str| attribute(&span.attributes, key).unwrap_or_default();
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.route", "case"),
        ("http.response.status_code", "200"),
        ("url.scheme", "http"),
        ("network.protocol.version", "1.1"),
        ("server.address", "127.0.0.1"),
        ("postern.outcome", "allowed"),
        ("postern.withheld.pii", "1"),
    ] {
        assert_eq!(of(server, key), value, "{key}");
    }
    assert_eq!(of(server, "postern.revision").len(), 12);
    for (key, value) in [
        ("http.request.method", "GET"),
        ("http.response.status_code", "200"),
        ("server.address", "localhost"),
        ("url.scheme", "http"),
        ("network.protocol.version", "1.1"),
    ] {
        assert_eq!(of(client, key), value, "{key}");
    }
    assert_eq!(
        keys(&client.attributes),
        [
            "http.request.method",
            "http.response.status_code",
            "network.protocol.version",
            "server.address",
            "server.port",
            "url.scheme",
        ]
    );
}

pub(super) fn check_metrics(received: &Received) {
    check_durations(received);
    check_counts(received);
    check_rules(received);
    check_others(received);
}

/// What others count is the same to a collector as to Prometheus.
fn check_others(received: &Received) {
    for name in [
        "postern.build_info",
        "postern.exchanges_in_flight",
        "postern.policy_reloads",
        "postern.policy_reload_failed",
        "postern.policy_info",
        "postern.policy_loaded_timestamp",
        "process.open_fds",
    ] {
        assert!(received.metric(name).is_some(), "{name}");
    }
}

fn check_durations(received: &Received) {
    for (name, wanted) in [
        (
            "http.server.request.duration",
            [
                "http.request.method",
                "http.response.status_code",
                "http.route",
                "network.protocol.version",
                "url.scheme",
            ]
            .as_slice(),
        ),
        (
            "http.client.request.duration",
            &[
                "http.request.method",
                "http.response.status_code",
                "network.protocol.version",
                "server.address",
                "server.port",
            ],
        ),
    ] {
        let metric = received.metric(name).expect(name);
        assert_eq!(metric.unit, "s");
        let Some(Data::Histogram(histogram)) = &metric.data else {
            panic!("{metric:?}");
        };
        assert_eq!(
            histogram.aggregation_temporality(),
            AggregationTemporality::Cumulative
        );
        let point = &histogram.data_points[0];
        assert_eq!(point.count, 1);
        assert_eq!(point.bucket_counts.iter().sum::<u64>(), 1);
        assert_eq!(
            point.explicit_bounds,
            [
                0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0
            ]
        );
        assert_eq!(keys(&point.attributes), wanted);
    }
}

fn check_counts(received: &Received) {
    let active = received.metric("http.server.active_requests").unwrap();
    let Some(Data::Sum(active)) = &active.data else {
        panic!("{active:?}");
    };
    assert!(!active.is_monotonic);
    assert_eq!(
        keys(&active.data_points[0].attributes),
        ["http.request.method", "url.scheme"]
    );
    let counted = received.metric("postern.exchanges").unwrap();
    let Some(Data::Sum(counted)) = &counted.data else {
        panic!("{counted:?}");
    };
    assert!(counted.is_monotonic);
    let withheld = received.metric("postern.withheld").unwrap();
    assert!(matches!(&withheld.data, Some(Data::Sum(_))));
}

/// The rules that did nothing are there too, though nobody has read `/metrics`.
fn check_rules(received: &Received) {
    let hits = received.metric("postern.rule_hits").unwrap();
    let Some(Data::Sum(hits)) = &hits.data else {
        panic!("{hits:?}");
    };
    let mut rules: Vec<_> = hits.data_points.iter().collect();
    let of = |point: &NumberDataPoint, key: &str| attribute(&point.attributes, key).unwrap();
    rules.sort_by_key(|point| (of(point, "route"), of(point, "rule")));
    let rules: Vec<_> = rules
        .into_iter()
        .map(|point| (of(point, "route"), of(point, "rule"), point.value))
        .collect();
    let counted = |route: &str, rule: &str, hits| {
        let hits = Some(Number::AsInt(hits));
        (route.to_owned(), rule.to_owned(), hits)
    };
    assert_eq!(
        rules,
        [
            counted("case", "pii", 1),
            counted("case", "secret", 0),
            counted("receipt", "pii", 0),
            counted("receipt", "secret", 0),
        ]
    );
}

pub(super) fn check_logs(received: &Received, stopped: &Stopped) {
    let server = only(&received.spans(SpanKind::Server));
    let decisions = received.events("postern.decision");
    assert_eq!(decisions.len(), 1);
    assert_eq!(decisions[0].trace_id, server.trace_id);
    assert_eq!(decisions[0].span_id, server.span_id);
    let line: Value = serde_json::from_str(body(decisions[0])).unwrap();
    assert_eq!(line["trace_id"], TRACE);
    assert_eq!(line["outcome"], "allowed");
    assert_eq!(line["withheld"]["pii"], 1);
    let checkpoints = received.events("audit.checkpoint");
    let last = checkpoints.last().unwrap();
    let key = std::fs::read_to_string(stopped.0.path().join("state/audit/keys/log.vkey")).unwrap();
    let key = VerifierKey::parse(key.trim()).unwrap();
    let note = Note::parse(body(last).as_bytes()).unwrap();
    assert_eq!(note.verified_by(&[key]).unwrap().len(), 1);
    let checkpoint = Checkpoint::parse(note.text()).unwrap();
    // The start, an intent and an outcome.
    assert!(checkpoint.size >= 3, "{checkpoint}");
    let size = attribute(&last.attributes, "postern.audit.checkpoint.size");
    assert_eq!(size, Some(checkpoint.size.to_string()));
}
