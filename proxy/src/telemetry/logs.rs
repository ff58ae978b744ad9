//! Events of the process as log records, and which trace they belong to.
//!
//! SECURITY: as on standard error, only what Postern itself says is exported (D15); what libraries say
//! holds what they were sent. What the exporters say about themselves is not exported either: it would
//! never end.

use std::fmt::Debug;
use std::sync::Arc;

use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{FilterFn, LevelFilter};
use tracing_subscriber::layer::Context;

use super::attributes::{nanos, text, with};
use super::correlation::Correlation;
use super::queue::Queue;
use crate::clock::Clock;
use crate::decision_log;

/// What exporters say is not exported.
const OWN_TARGET: &str = concat!(env!("CARGO_CRATE_NAME"), "::telemetry");

/// Turns events into log records. Made by [`super::Telemetry::log_layer`].
#[derive(Debug, Clone)]
pub struct LogLayer {
    queue: Queue<LogRecord>,
    clock: Arc<dyn Clock>,
}

impl LogLayer {
    pub(super) fn new(queue: Queue<LogRecord>, clock: Arc<dyn Clock>) -> Self {
        Self { queue, clock }
    }

    /// What the layer is interested in. A subscriber that knows it spares the rest of the process the
    /// making of events that are not exported.
    #[must_use]
    pub fn filter() -> FilterFn {
        let exported: fn(&Metadata<'_>) -> bool = is_exported;
        FilterFn::new(exported).with_max_level_hint(LevelFilter::INFO)
    }
}

/// Whether an event is exported: our own, from level `info` on.
fn is_exported(metadata: &Metadata<'_>) -> bool {
    let target = metadata.target();
    let root = target.split("::").next().unwrap_or_default();
    let ours = metadata.is_event() && (root == "postern" || root.starts_with("postern_"));
    ours && !target.starts_with(OWN_TARGET) && *metadata.level() <= Level::INFO
}

impl<S: Subscriber> Layer<S> for LogLayer {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        if !is_exported(event.metadata()) {
            return;
        }
        let mut fields = Fields::default();
        event.record(&mut fields);
        let now = nanos(self.clock.wall());
        let (number, severity) = severity(*event.metadata().level());
        let mut record = LogRecord {
            time_unix_nano: now,
            observed_time_unix_nano: now,
            severity_number: number.into(),
            severity_text: severity.to_owned(),
            ..LogRecord::default()
        };
        if event.metadata().target() == decision_log::TARGET {
            let line = fields.attributes.pop();
            let kind = line.as_ref().map_or("", |line| line.key.as_str());
            record.event_name = match kind {
                "entry" => "postern.decision",
                "admin" => "postern.admin",
                _other => "",
            }
            .to_owned();
            record.body = line.and_then(|line| line.value);
        } else {
            record.body = fields.message.map(|message| AnyValue {
                value: Some(Value::StringValue(message)),
            });
            record.attributes = fields.attributes;
            record
                .attributes
                .push(text("postern.target", event.metadata().target()));
        }
        if let Some(exchange) = Correlation::current() {
            record.trace_id = exchange.trace().bytes().to_vec();
            let span = exchange.span();
            record.span_id = span.map_or_else(Vec::new, |span| span.bytes().to_vec());
        }
        self.queue.offer(record);
    }
}

/// The fields of an event.
#[derive(Debug, Default)]
struct Fields {
    message: Option<String>,
    attributes: Vec<KeyValue>,
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            self.message = Some(value.to_owned());
        } else {
            self.attributes.push(text(field.name(), value));
        }
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.attributes
            .push(with(field.name(), Value::BoolValue(value)));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.attributes
            .push(with(field.name(), Value::IntValue(value)));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        let value = i64::try_from(value).unwrap_or(i64::MAX);
        self.record_i64(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.attributes
            .push(with(field.name(), Value::DoubleValue(value)));
    }
}

fn severity(level: Level) -> (SeverityNumber, &'static str) {
    match level {
        Level::ERROR => (SeverityNumber::Error, "ERROR"),
        Level::WARN => (SeverityNumber::Warn, "WARN"),
        Level::INFO => (SeverityNumber::Info, "INFO"),
        Level::DEBUG => (SeverityNumber::Debug, "DEBUG"),
        Level::TRACE => (SeverityNumber::Trace, "TRACE"),
    }
}

#[cfg(test)]
mod tests {
    use prometheus::IntCounter;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;
    use crate::clock::SystemClock;
    use crate::telemetry::Parent;

    fn records(act: impl FnOnce()) -> Vec<LogRecord> {
        let dropped = IntCounter::new("dropped", "dropped").unwrap();
        let (queue, mut receiver) = Queue::new(16, dropped);
        let layer = LogLayer::new(queue, Arc::new(SystemClock));
        let subscriber = tracing_subscriber::registry().with(layer);
        tracing::subscriber::with_default(subscriber, act);
        std::iter::from_fn(|| receiver.try_recv().ok()).collect()
    }

    #[test]
    fn exports_only_what_postern_says_and_nothing_of_the_exporters() {
        let records = records(|| {
            tracing::error!(target: "hyper", "theirs");
            tracing::error!(target: "posterns", "theirs");
            tracing::debug!(target: "postern_proxy::forward", "too detailed");
            tracing::warn!(target: "postern_proxy::telemetry::export", "about itself");
            tracing::warn!(target: "postern_proxy::reload", times = 2, "ours");
        });
        assert_eq!(records.len(), 1);
        let body = records[0].body.as_ref().unwrap().value.as_ref();
        assert_eq!(body, Some(&Value::StringValue("ours".to_owned())));
        assert_eq!(records[0].severity_number, i32::from(SeverityNumber::Warn));
        assert_eq!(records[0].attributes[0].key, "times");
    }

    #[test]
    fn an_event_belongs_to_the_trace_of_the_exchange_around_it() {
        let parent = Parent::read("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        let parent = parent.unwrap();
        let records = records(|| {
            let exchange = Correlation::new(&"0".repeat(32), parent.trace(), Some(parent.span()));
            exchange.around_sync(|| {
                tracing::info!(target: "postern::decision", entry = %"{}");
            });
            tracing::info!(target: "postern_proxy::start", "outside");
        });
        assert_eq!(
            hex::encode(&records[0].trace_id),
            "0af7651916cd43dd8448eb211c80319c"
        );
        assert_eq!(hex::encode(&records[0].span_id), "b7ad6b7169203331");
        assert_eq!(records[0].event_name, "postern.decision");
        assert!(records[1].trace_id.is_empty());
    }
}
