//! The beginning of an exchange: what its first line says, its trace, and what its log lines are found by.

use std::sync::Arc;

use http::{Method, Version};
use pingora::protocols::http::ServerSession;

use super::Service;
use crate::exchange::Exchange;
use crate::lifecycle::Place;
use crate::telemetry::{Arrival, Correlation, ExchangeTrace, scheme};

/// Begins an exchange whose head was read, soundly or not.
pub(super) fn begin(
    service: &Service,
    session: &ServerSession,
    readable: bool,
    secure: bool,
    place: Option<Place>,
) -> (Exchange, Correlation) {
    let head = readable.then(|| session.req_header());
    let method = head.map_or_else(unknown, |head| head.method.clone());
    let head_only = method == Method::HEAD;
    let arrival = Arrival {
        method,
        version: match session.is_http2() {
            true => Version::HTTP_2,
            false => Version::HTTP_11,
        },
        scheme: scheme(secure),
    };
    let trace = ExchangeTrace::begin(
        service.tracer.clone(),
        arrival,
        head.map(|head| &head.headers),
        (service.clock.as_ref(), service.metrics()),
    );
    let (trace_id, span_id) = (trace.trace(), trace.span());
    let mut exchange = Exchange::begin(
        Arc::clone(&service.clock),
        Arc::clone(&service.metrics),
        service.evidence.clone(),
        trace,
        place,
    );
    if head_only {
        exchange.note_head_only();
    }
    let correlation = Correlation::new(exchange.id(), trace_id, span_id);
    (exchange, correlation)
}

/// The method of a head that cannot be read; the conventions' word for it is `_OTHER`.
fn unknown() -> Method {
    Method::from_bytes(b"UNREADABLE").unwrap_or_default()
}
