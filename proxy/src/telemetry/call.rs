//! One request to the upstream as telemetry: its CLIENT span and its metric.

use std::sync::Arc;
use std::time::Instant;

use http::{Method, StatusCode};
use opentelemetry_proto::tonic::trace::v1::Span;

use super::attributes::{number, text};
use super::exchange::{elapsed, error_status};
use super::http::{known_method, scheme, span_method};
use super::http_metrics::{ClientFacts, Digits};
use super::tracer::Tracer;
use crate::clock::Clock;
use crate::metrics::Metrics;

/// Who is called, as configured.
#[derive(Debug, Clone)]
pub(crate) struct Target {
    pub(crate) address: Arc<str>,
    pub(crate) port: u16,
    pub(crate) secure: bool,
}

/// A call that runs; it ends when it is dropped. One that nobody has said anything about until then (the
/// client left, a fault) has the error `cut`.
pub(crate) struct Call {
    tracer: Tracer,
    target: Target,
    method: Method,
    again: bool,
    traceparent: String,
    recorded: Option<Span>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    started: Instant,
    status: u16,
    error: Option<&'static str>,
}

impl Call {
    pub(super) fn begin(
        tracer: Tracer,
        (target, method, again): (Target, Method, bool),
        traceparent: String,
        recorded: Option<Span>,
        (clock, metrics): (Arc<dyn Clock>, Arc<Metrics>),
    ) -> Self {
        let started = clock.monotonic();
        Self {
            tracer,
            target,
            method,
            again,
            traceparent,
            recorded,
            clock,
            metrics,
            started,
            status: 0,
            error: Some("cut"),
        }
    }

    /// What the upstream is told of the trace.
    pub(crate) fn traceparent(&self) -> &str {
        &self.traceparent
    }

    /// The head of the answer has come: from now on it has ended well, or as its status says, unless its
    /// body fails.
    pub(crate) fn answered(&mut self, status: StatusCode) {
        self.status = status.as_u16();
        self.error = None;
    }

    /// It has failed; the word is fixed.
    pub(crate) fn failed(&mut self, error: &'static str) {
        self.error = Some(error);
    }
}

impl Drop for Call {
    fn drop(&mut self) {
        let time = elapsed(self.clock.as_ref(), self.started);
        let digits = Digits::of(self.status);
        let of_status = (self.status >= 400).then(|| digits.as_str());
        let error = self.error.or(of_status).unwrap_or_default();
        let method = known_method(&self.method);
        let facts = ClientFacts {
            method,
            address: &self.target.address,
            port: self.target.port,
            status: self.status,
            error,
        };
        self.metrics.http().called(&facts, time);
        let Some(mut span) = self.recorded.take() else {
            return;
        };
        let took = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        span_method(method).clone_into(&mut span.name);
        span.end_time_unix_nano = span.start_time_unix_nano.saturating_add(took);
        span.attributes = vec![
            text("http.request.method", method),
            text("url.scheme", scheme(self.target.secure)),
            text("server.address", &*self.target.address),
            number("server.port", u64::from(self.target.port)),
            text("network.protocol.version", "1.1"),
        ];
        if method == "_OTHER" {
            let original = self.method.as_str();
            span.attributes
                .push(text("http.request.method_original", original));
        }
        if self.again {
            span.attributes.push(number("http.request.resend_count", 1));
        }
        if self.status > 0 {
            let status = u64::from(self.status);
            span.attributes
                .push(number("http.response.status_code", status));
        }
        if !error.is_empty() {
            span.attributes.push(text("error.type", error));
            span.status = Some(error_status());
        }
        self.tracer.export(span);
    }
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}
