//! Reads what a collector received: spans, metrics and log records by name, and their attributes.

use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::LogRecord;
use opentelemetry_proto::tonic::metrics::v1::Metric;
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;

use super::collector::Received;

impl Received {
    /// Every span of a kind, in the order in which they arrived.
    pub(super) fn spans(&self, kind: SpanKind) -> Vec<&Span> {
        let resources = self
            .traces
            .iter()
            .flat_map(|request| &request.resource_spans);
        let scopes = resources.flat_map(|resource| &resource.scope_spans);
        let spans = scopes.flat_map(|scope| &scope.spans);
        spans.filter(|span| span.kind() == kind).collect()
    }

    /// A metric as it arrived last.
    pub(super) fn metric(&self, name: &str) -> Option<&Metric> {
        let resources = self
            .metrics
            .iter()
            .flat_map(|request| &request.resource_metrics);
        let scopes = resources.flat_map(|resource| &resource.scope_metrics);
        let mut metrics = scopes.flat_map(|scope| &scope.metrics);
        metrics.rfind(|metric| metric.name == name)
    }

    /// Every log record with this event name.
    pub(super) fn events(&self, name: &str) -> Vec<&LogRecord> {
        let resources = self.logs.iter().flat_map(|request| &request.resource_logs);
        let scopes = resources.flat_map(|resource| &resource.scope_logs);
        let records = scopes.flat_map(|scope| &scope.log_records);
        records.filter(|record| record.event_name == name).collect()
    }

    /// The resource attributes of each signal.
    pub(super) fn resources(&self) -> Vec<&[KeyValue]> {
        let traces = self
            .traces
            .iter()
            .flat_map(|request| &request.resource_spans);
        let metrics = self
            .metrics
            .iter()
            .flat_map(|request| &request.resource_metrics);
        let logs = self.logs.iter().flat_map(|request| &request.resource_logs);
        let of = [
            traces.map(|part| &part.resource).next(),
            metrics.map(|part| &part.resource).next(),
            logs.map(|part| &part.resource).next(),
        ];
        let all = of.into_iter().flatten().flatten();
        all.map(|resource| resource.attributes.as_slice()).collect()
    }
}

/// An attribute as text.
pub(super) fn attribute(attributes: &[KeyValue], key: &str) -> Option<String> {
    let found = attributes.iter().find(|pair| pair.key == key)?;
    let value = found.value.as_ref()?.value.as_ref()?;
    if let Value::IntValue(number) = value {
        return Some(number.to_string());
    }
    let Value::StringValue(text) = value else {
        panic!("{key}: {value:?}");
    };
    Some(text.clone())
}

/// The body of a log record, which is text.
pub(super) fn body(record: &LogRecord) -> &str {
    let value = record.body.as_ref().and_then(|body| body.value.as_ref());
    let Some(Value::StringValue(text)) = value else {
        panic!("{value:?}");
    };
    text
}

/// Every key of some attributes.
pub(super) fn keys(attributes: &[KeyValue]) -> Vec<&str> {
    let mut keys: Vec<&str> = attributes.iter().map(|pair| pair.key.as_str()).collect();
    keys.sort_unstable();
    keys
}
