//! Attributes of OTLP records, and who sends them.

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;

/// Where the names of attributes come from.
pub(super) const SCHEMA_URL: &str = "https://opentelemetry.io/schemas/1.37.0";

/// A text.
pub(super) fn text(key: impl Into<String>, value: impl Into<String>) -> KeyValue {
    with(key, Value::StringValue(value.into()))
}

/// A number.
pub(super) fn number(key: impl Into<String>, value: u64) -> KeyValue {
    let value = i64::try_from(value).unwrap_or(i64::MAX);
    with(key, Value::IntValue(value))
}

/// Any value.
pub(super) fn with(key: impl Into<String>, value: Value) -> KeyValue {
    KeyValue {
        key: key.into(),
        value: Some(AnyValue { value: Some(value) }),
        ..KeyValue::default()
    }
}

/// The resource that the settings describe.
pub(super) fn resource(attributes: &[(String, String)]) -> Resource {
    let attributes = attributes.iter().map(|(key, value)| text(key, value));
    Resource {
        attributes: attributes.collect(),
        ..Resource::default()
    }
}

/// All records are Postern's own.
pub(super) fn scope() -> InstrumentationScope {
    InstrumentationScope {
        name: "postern".to_owned(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        ..InstrumentationScope::default()
    }
}

/// Nanoseconds since the Unix epoch.
pub(super) fn nanos(time: std::time::SystemTime) -> u64 {
    let since = time.duration_since(std::time::UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_nanos()).unwrap_or(u64::MAX)
}
