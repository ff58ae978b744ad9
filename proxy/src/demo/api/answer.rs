//! How the demo's application answers: JSON with validators, ranges and gzip, errors with a trace.

use std::io::Write as _;

use axum::body::Body;
use axum::http::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_RANGE, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, LAST_MODIFIED, RANGE, SERVER,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode};
use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

const POWERED_BY: HeaderName = HeaderName::from_static("x-powered-by");

/// A JSON answer with this status.
pub(super) fn json(status: StatusCode, body: &Value) -> Response<Body> {
    typed(
        status,
        "application/json; charset=utf-8",
        body.to_string().into_bytes(),
    )
}

/// An error as a careless framework writes it: with an inner detail and a stack trace.
pub(super) fn failure(status: StatusCode, message: &str, place: &str) -> Response<Body> {
    let body = json!({
        "error": {
            "code": status.as_u16(),
            "message": message,
            "detail": "select * from cases join customers using (customer_id) /* db=casedesk user=casedesk_rw */",
            "trace": [
                format!("at {place} (/srv/casedesk/app/{}.js:118:23)", place.to_ascii_lowercase()),
                "at Layer.handle (/srv/casedesk/node_modules/router/layer.js:95:5)",
            ],
        }
    });
    json(status, &body)
}

/// An answer of any type, with the headers the application puts everywhere.
pub(super) fn typed(
    status: StatusCode,
    content_type: &'static str,
    body: Vec<u8>,
) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(SERVER, HeaderValue::from_static("CaseDesk/4.2"));
    headers.insert(POWERED_BY, HeaderValue::from_static("casedesk-node-02"));
    response
}

/// A JSON answer that honours `If-None-Match`, `Range` and `Accept-Encoding: gzip`.
pub(super) fn conditional(request: &HeaderMap, tag: &str, body: &Value) -> Response<Body> {
    let text = |name: &HeaderName| request.get(name).and_then(|value| value.to_str().ok());
    let whole = body.to_string().into_bytes();
    let mut response = if text(&IF_NONE_MATCH).is_some_and(|tags| tags.contains(tag)) {
        typed(
            StatusCode::NOT_MODIFIED,
            "application/json; charset=utf-8",
            Vec::new(),
        )
    } else if let Some((first, last)) = text(&RANGE).and_then(|range| span(range, whole.len())) {
        partial(&whole, first, last)
    } else if text(&ACCEPT_ENCODING).is_some_and(|codings| codings.contains("gzip")) {
        gzipped(&whole)
    } else {
        json(StatusCode::OK, body)
    };
    let headers = response.headers_mut();
    if let Ok(value) = HeaderValue::from_str(tag) {
        headers.insert(ETAG, value);
    }
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(
        LAST_MODIFIED,
        HeaderValue::from_static("Thu, 01 Oct 2026 08:00:00 GMT"),
    );
    response
}

/// Reads `bytes=first-last` or `bytes=first-` (RFC 9110 section 14.1.2), inclusive at both ends.
fn span(range: &str, length: usize) -> Option<(usize, usize)> {
    let (first, last) = range.strip_prefix("bytes=")?.split_once('-')?;
    let first: usize = first.parse().ok()?;
    let end = length.checked_sub(1)?;
    let last = last.parse().map_or(end, |last: usize| last.min(end));
    (first <= last).then_some((first, last))
}

fn partial(whole: &[u8], first: usize, last: usize) -> Response<Body> {
    let part = whole.get(first..=last).unwrap_or_default().to_vec();
    let mut response = typed(
        StatusCode::PARTIAL_CONTENT,
        "application/json; charset=utf-8",
        part,
    );
    let value = format!("bytes {first}-{last}/{}", whole.len());
    if let Ok(value) = HeaderValue::from_str(&value) {
        response.headers_mut().insert(CONTENT_RANGE, value);
    }
    response
}

fn gzipped(whole: &[u8]) -> Response<Body> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    let packed = encoder
        .write_all(whole)
        .and_then(|()| encoder.finish())
        .unwrap_or_default();
    let mut response = typed(StatusCode::OK, "application/json; charset=utf-8", packed);
    response
        .headers_mut()
        .insert(CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read_as_the_standard_says() {
        assert_eq!(span("bytes=0-3", 10), Some((0, 3)));
        assert_eq!(span("bytes=4-", 10), Some((4, 9)));
        assert_eq!(span("bytes=4-99", 10), Some((4, 9)));
        assert_eq!(span("bytes=10-", 10), None);
        assert_eq!(span("bytes=0-", 0), None);
        assert_eq!(span("lines=0-3", 10), None);
    }

    #[test]
    fn a_known_tag_is_answered_without_a_body() {
        let mut request = HeaderMap::new();
        request.insert(IF_NONE_MATCH, HeaderValue::from_static("\"7-1\""));
        let response = conditional(&request, "\"7-1\"", &json!({}));
        assert_eq!(response.status(), StatusCode::NOT_MODIFIED);
    }
}
