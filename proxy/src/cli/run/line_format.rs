//! How an event of the process is written as a line: as text for people, or as a JSON object.
//!
//! PERF: a line is written for each exchange. The usual formatter asks the subscriber for spans and formats the time
//! anew; here the exchange is a value beside the task, and a second is formatted once (decision 0052).

use std::cell::Cell;
use std::fmt::{self, Debug};

use serde_json::{Map, Value, json};
use time::OffsetDateTime;
use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::logging::LogFormat;
use crate::clock::{Clock as _, SystemClock};
use crate::telemetry::Correlation;

/// How many bytes `2026-11-30T12:39:12` has.
const SECOND_BYTES: usize = 19;

thread_local! {
    /// The second that this thread wrote last, and how it is written.
    static SECOND: Cell<(i64, [u8; SECOND_BYTES])> = const { Cell::new((i64::MIN, [0; SECOND_BYTES])) };
}

/// Writes events as lines.
#[derive(Debug)]
pub(super) struct LineFormat(pub(super) LogFormat);

impl<S, N> FormatEvent<S, N> for LineFormat
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let now = Timestamp(SystemClock.wall().into());
        if self.0 == LogFormat::Json {
            return writeln!(writer, "{}", object(now, event));
        }
        let colored = writer.has_ansi_escapes();
        let (dim, plain) = if colored {
            ("\x1b[2m", "\x1b[0m")
        } else {
            ("", "")
        };
        let (color, level) = level(*event.metadata().level());
        write!(writer, "{dim}{now}{plain} ")?;
        match colored {
            true => write!(writer, "{color}{level}{plain} ")?,
            false => write!(writer, "{level} ")?,
        }
        if let Some(exchange) = Correlation::current() {
            write!(writer, "{exchange}: ")?;
        }
        write!(writer, "{dim}{}:{plain} ", event.metadata().target())?;
        context.format_fields(writer.by_ref(), event)?;
        writer.write_char('\n')
    }
}

/// A level's color, and its name in five characters.
const fn level(level: Level) -> (&'static str, &'static str) {
    match level {
        Level::ERROR => ("\x1b[31m", "ERROR"),
        Level::WARN => ("\x1b[33m", " WARN"),
        Level::INFO => ("\x1b[32m", " INFO"),
        Level::DEBUG => ("\x1b[34m", "DEBUG"),
        Level::TRACE => ("\x1b[35m", "TRACE"),
    }
}

/// An event as one object: its fields beside what each event has.
fn object(now: Timestamp, event: &Event<'_>) -> Value {
    let metadata = event.metadata();
    let mut object = Map::new();
    object.insert("timestamp".to_owned(), now.to_string().into());
    object.insert("level".to_owned(), metadata.level().as_str().into());
    let mut fields = Fields(object);
    event.record(&mut fields);
    let Fields(mut object) = fields;
    object.insert("target".to_owned(), metadata.target().into());
    if let Some(exchange) = Correlation::current() {
        let mut span = Map::new();
        let mut say = |name: &str, value: String| span.insert(name.to_owned(), value.into());
        say("name", "exchange".to_owned());
        say("id", exchange.exchange().to_owned());
        say("trace_id", exchange.trace().to_string());
        if let Some(id) = exchange.span() {
            say("span_id", id.to_string());
        }
        object.insert("spans".to_owned(), json!([span]));
    }
    Value::Object(object)
}

/// The fields of an event.
struct Fields(Map<String, Value>);

impl Fields {
    fn insert(&mut self, field: &Field, value: impl Into<Value>) {
        // No field takes the place of what each event has.
        let entry = self.0.entry(field.name().to_owned());
        entry.or_insert_with(|| value.into());
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.insert(field, format!("{value:?}"));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value);
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value);
    }
}

/// A time as RFC 3339 writes it, in UTC, with microseconds.
#[derive(Clone, Copy)]
struct Timestamp(OffsetDateTime);

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let second = self.0.unix_timestamp();
        let (known, mut text) = SECOND.get();
        if known != second {
            text = second_of(self.0);
            SECOND.set((second, text));
        }
        f.write_str(std::str::from_utf8(&text).unwrap_or_default())?;
        write!(f, ".{:06}Z", self.0.microsecond())
    }
}

/// A second in characters; a year after 9999 is written as that one.
fn second_of(at: OffsetDateTime) -> [u8; SECOND_BYTES] {
    let year = at.year().clamp(0, 9999);
    let (month, day) = (u8::from(at.month()), at.day());
    let (hour, minute, second) = (at.hour(), at.minute(), at.second());
    let text = format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}");
    text.as_bytes().try_into().unwrap_or([b'0'; SECOND_BYTES])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_is_formatted_once_and_its_parts_each_time() {
        for (at, written) in [
            (0, "1970-01-01T00:00:00.000000Z"),
            (1_796_040_000_000_001_999, "2026-11-30T12:00:00.000001Z"),
            (1_796_040_000_999_999_999, "2026-11-30T12:00:00.999999Z"),
            (1_796_039_999_000_000_000, "2026-11-30T11:59:59.000000Z"),
        ] {
            let at = OffsetDateTime::from_unix_timestamp_nanos(at).unwrap();
            assert_eq!(Timestamp(at).to_string(), written);
        }
    }
}
