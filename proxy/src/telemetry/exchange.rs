//! One exchange as telemetry: its trace, its SERVER span and its metrics.
//!
//! Spans are values, not scopes: nothing is entered, and a span ends when its owner is dropped, however
//! the exchange ends. What is recorded is made of the decision line's entry and of fixed words.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use http::{HeaderMap, Method, Version};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::Status;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use opentelemetry_proto::tonic::trace::v1::status::StatusCode;
use postern_audit::AuditEntry;

use super::attributes::{nanos, number, text};
use super::call::{Call, Target};
use super::http::{known_method, protocol_version, span_method};
use super::http_metrics::{Active, Digits, ServerFacts};
use super::trace_context::{Parent, SpanId, TraceId, traceparent};
use super::tracer::Tracer;
use crate::clock::Clock;
use crate::metrics::Metrics;

/// `SpanFlags`: whether the parent is known to be remote, and that it is.
const PARENT_KNOWN: u32 = 0x100;
const PARENT_REMOTE: u32 = 0x200;

/// An exchange, followed.
pub(crate) struct ExchangeTrace {
    tracer: Tracer,
    trace: TraceId,
    span: SpanId,
    parent: Option<Parent>,
    /// When it began, if it is recorded.
    recorded: Option<Began>,
    arrival: Arrival,
    _active: Active,
}

/// A beginning by both clocks. INVARIANT: every time of an exchange is this wall time and what has passed
/// since on the clock that never goes back, so that no span begins before its parent.
#[derive(Debug, Clone, Copy)]
struct Began {
    wall: SystemTime,
    monotonic: Instant,
}

/// What is known of a request from its first line.
#[derive(Debug, Clone)]
pub(crate) struct Arrival {
    pub(crate) method: Method,
    pub(crate) version: Version,
    pub(crate) scheme: &'static str,
}

impl ExchangeTrace {
    /// An exchange begins. Its trace is that of `headers`, or a new one.
    pub(crate) fn begin(
        tracer: Tracer,
        arrival: Arrival,
        headers: Option<&HeaderMap>,
        (clock, metrics): (&dyn Clock, &Metrics),
    ) -> Self {
        let parent = headers.and_then(Parent::of);
        let trace = parent.as_ref().map_or_else(TraceId::random, Parent::trace);
        let recorded = tracer.records(trace, parent.as_ref()).then(|| Began {
            wall: clock.wall(),
            monotonic: clock.monotonic(),
        });
        let active = metrics
            .http()
            .begin(known_method(&arrival.method), arrival.scheme);
        Self {
            tracer,
            trace,
            span: SpanId::random(),
            parent,
            recorded,
            arrival,
            _active: active,
        }
    }

    /// The trace that the exchange belongs to.
    pub(crate) const fn trace(&self) -> TraceId {
        self.trace
    }

    /// The exchange's own span, if spans are exported and this one is.
    pub(crate) fn span(&self) -> Option<SpanId> {
        self.recorded.map(|_began| self.span)
    }

    /// A request to the upstream begins; it ends when the call is dropped.
    pub(crate) fn call(
        &self,
        target: &Target,
        method: &Method,
        again: bool,
        (clock, metrics): (Arc<dyn Clock>, Arc<Metrics>),
    ) -> Call {
        let span = SpanId::random();
        let flags = match (self.tracer.is_on(), &self.parent) {
            (true, parent) => Parent::flags(parent.as_ref(), self.recorded.is_some()),
            // Nobody here decides: what came goes on, and what begins is left to the upstream.
            (false, Some(parent)) => Parent::flags(Some(parent), parent.is_sampled()),
            (false, None) => Parent::flags(None, true),
        };
        let recorded = self.recorded.map(|began| Span {
            trace_id: self.trace.bytes().to_vec(),
            span_id: span.bytes().to_vec(),
            parent_span_id: self.span.bytes().to_vec(),
            flags: u32::from(flags) | PARENT_KNOWN,
            start_time_unix_nano: nanos(began.wall + elapsed(clock.as_ref(), began.monotonic)),
            kind: SpanKind::Client.into(),
            ..Span::default()
        });
        Call::begin(
            self.tracer.clone(),
            (target.clone(), method.clone(), again),
            traceparent(self.trace, span, flags),
            recorded,
            (clock, metrics),
        )
    }

    /// The exchange has ended after so long.
    pub(crate) fn ended(&self, entry: &AuditEntry, time: Duration, metrics: &Metrics) {
        let status = Digits::of(entry.status);
        let error = error_type(entry, status.as_str());
        let method = known_method(&self.arrival.method);
        let facts = ServerFacts {
            method,
            scheme: self.arrival.scheme,
            version: protocol_version(self.arrival.version),
            status: entry.status,
            route: entry.route.as_deref().unwrap_or_default(),
            error: error.unwrap_or_default(),
        };
        metrics.http().served(&facts, time);
        if let Some(began) = self.recorded {
            self.tracer
                .export(self.server_span(entry, &facts, (began.wall, time)));
        }
    }

    fn server_span(
        &self,
        entry: &AuditEntry,
        facts: &ServerFacts<'_>,
        (since, time): (SystemTime, Duration),
    ) -> Span {
        let word = span_method(facts.method);
        let name = match &entry.route {
            Some(route) => format!("{word} {route}"),
            None => word.to_owned(),
        };
        let remote = if self.parent.is_some() {
            PARENT_REMOTE
        } else {
            0
        };
        let failed = !facts.error.is_empty();
        let parent = self.parent.as_ref();
        let mut attributes = vec![
            text("http.request.method", facts.method),
            text("url.scheme", facts.scheme),
            text("network.protocol.version", facts.version),
            text("postern.exchange_id", &entry.exchange_id),
            text("postern.revision", &entry.revision),
            text("postern.outcome", &entry.outcome),
            number("http.response.body.size", entry.bytes_out),
        ];
        // SECURITY: only a method that passed the hygiene checks is told. Another one may be anything, such as
        // what is left of a body whose length was wrong.
        if facts.method == "_OTHER" && !entry.method.is_empty() {
            attributes.push(text("http.request.method_original", &entry.method));
        }
        if entry.status > 0 {
            let status = u64::from(entry.status);
            attributes.push(number("http.response.status_code", status));
        }
        if failed {
            attributes.push(text("error.type", facts.error));
        }
        let texts = [
            ("http.route", &entry.route),
            ("postern.problem", &entry.problem),
        ];
        for (key, value) in texts {
            attributes.extend(value.as_ref().map(|value| text(key, value)));
        }
        for (label, count) in &entry.withheld {
            attributes.push(number(format!("postern.withheld.{label}"), *count));
        }
        if entry.records_cut > 0 {
            attributes.push(number("postern.records_cut", entry.records_cut));
        }
        attributes.extend(self.tracer.server_attributes());
        Span {
            trace_id: self.trace.bytes().to_vec(),
            span_id: self.span.bytes().to_vec(),
            parent_span_id: parent.map_or_else(Vec::new, |parent| parent.span().bytes().to_vec()),
            flags: u32::from(Parent::flags(parent, true)) | PARENT_KNOWN | remote,
            name,
            kind: SpanKind::Server.into(),
            start_time_unix_nano: nanos(since),
            end_time_unix_nano: nanos(since + time),
            attributes,
            status: failed.then(error_status),
            ..Span::default()
        }
    }
}

impl std::fmt::Debug for ExchangeTrace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExchangeTrace").finish_non_exhaustive()
    }
}

/// The status of a span that failed; what failed is in `error.type`.
pub(super) fn error_status() -> Status {
    Status {
        code: StatusCode::Error.into(),
        ..Status::default()
    }
}

/// What failed, if the fault is on this side: the problem that the client was told, else the status or how
/// the exchange ended.
fn error_type<'a>(entry: &'a AuditEntry, status: &'a str) -> Option<&'a str> {
    let cut = entry.outcome == "cut";
    let failed = cut || entry.status >= 500 || (entry.status == 0 && entry.problem.is_some());
    if !failed {
        return None;
    }
    let otherwise = if cut { "cut" } else { status };
    Some(entry.problem.as_deref().unwrap_or(otherwise))
}

/// How long something took that began at `started`.
pub(super) fn elapsed(clock: &dyn Clock, started: Instant) -> Duration {
    clock.monotonic().saturating_duration_since(started)
}

#[cfg(test)]
mod tests {
    use prometheus::IntCounter;

    use super::super::queue::Queue;
    use super::super::sampler::Sampler;
    use super::super::tracer::Served;
    use super::*;
    use crate::clock::SystemClock;

    #[test]
    fn only_a_method_that_passed_the_checks_is_told() {
        let dropped = IntCounter::new("dropped", "dropped").unwrap();
        let (queue, mut spans) = Queue::new(4, dropped);
        let served = Served {
            address: "here".to_owned(),
            port: None,
        };
        let tracer = Tracer::new(Sampler::always(), queue, served);
        let metrics = Metrics::new().unwrap();
        for (sent, passed, told) in [
            ("PROPFIND", "PROPFIND", Some("PROPFIND")),
            ("912-04-7731GET", "", None),
            ("GET", "GET", None),
        ] {
            let arrival = Arrival {
                method: sent.parse().unwrap(),
                version: Version::HTTP_11,
                scheme: "http",
            };
            let observed = (&SystemClock as &dyn Clock, &metrics);
            let trace = ExchangeTrace::begin(tracer.clone(), arrival, None, observed);
            let entry = AuditEntry {
                method: passed.to_owned(),
                ..AuditEntry::default()
            };
            trace.ended(&entry, Duration::ZERO, &metrics);
            let span = spans.try_recv().unwrap();
            let original = told.map(|told| text("http.request.method_original", told));
            let mut attributes = span.attributes.into_iter();
            let found = attributes.find(|one| one.key == "http.request.method_original");
            assert_eq!(found, original, "{sent}");
        }
    }
}
