//! Which of the upstream's response headers come down, and which heads are refused outright.
//!
//! Guarantees on a labelled route: only fields that cannot carry the record pass; validators,
//! digests, cookies and pointers do not; `Cache-Control: no-store` and `nosniff` are set; a head
//! that is ambiguous, partial, a challenge or a redirect past the proxy is refused. Elsewhere tokens
//! and hop-by-hop fields are dropped and the rest passes. `Set-Cookie` is not handed on here: it goes
//! into the session's vault.

use http::header::{
    CACHE_CONTROL, CONTENT_RANGE, CONTENT_TYPE, LOCATION, PROXY_AUTHENTICATE, VARY,
    WWW_AUTHENTICATE, X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, StatusCode};

use crate::body_filter::BodyError;
use crate::exchange_plan::header_lists::{connection_options, response_allowed, response_denied};

/// Refuses a head that could not be redacted, or that would lead the client past us.
///
/// # Errors
/// Says what is wrong with it.
pub(super) fn refuse_labelled(status: StatusCode, upstream: &HeaderMap) -> Result<(), BodyError> {
    let refused = |what| Err(BodyError::Head { what });
    if status.is_informational() {
        return refused("an interim status where the final one was expected");
    }
    if status == StatusCode::PARTIAL_CONTENT || upstream.contains_key(CONTENT_RANGE) {
        return refused("a part of a body that was asked for whole");
    }
    if upstream.get_all(CONTENT_TYPE).iter().nth(1).is_some() {
        return refused("several content types");
    }
    // A challenge is addressed to our credential; the client's never reaches the upstream.
    if upstream.contains_key(WWW_AUTHENTICATE) || upstream.contains_key(PROXY_AUTHENTICATE) {
        return refused("the upstream challenges the proxy");
    }
    if status.is_redirection() && upstream.contains_key(LOCATION) && location(upstream).is_none() {
        return refused("a redirect past the proxy, or with a query");
    }
    Ok(())
}

/// The fields of a labelled route's answer, but for its type and coding.
pub(super) fn labelled(upstream: &HeaderMap) -> HeaderMap {
    let hop_by_hop = connection_options(upstream);
    let mut headers = HeaderMap::new();
    for (name, value) in upstream {
        if response_allowed(name) && !hop_by_hop.contains(name.as_str()) {
            headers.append(name, value.clone());
        }
    }
    if let Some(path) = location(upstream) {
        headers.insert(LOCATION, path);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
}

/// The fields of the answer of a route without labels.
pub(super) fn open(upstream: &HeaderMap) -> HeaderMap {
    let hop_by_hop = connection_options(upstream);
    let mut headers = HeaderMap::new();
    for (name, value) in upstream {
        if !response_denied(name) && !hop_by_hop.contains(name.as_str()) {
            headers.append(name, value.clone());
        }
    }
    headers
}

/// Says that the answer depends on what the client accepts.
pub(super) fn vary_by_encoding(headers: &mut HeaderMap) {
    headers.insert(VARY, HeaderValue::from_static("Accept-Encoding"));
}

/// The one `Location`, when it is a plain absolute path: no authority, no query, no fragment,
/// nothing that a client could read as one.
fn location(upstream: &HeaderMap) -> Option<HeaderValue> {
    let mut values = upstream.get_all(LOCATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let path = value.to_str().ok()?;
    let plain = path.starts_with('/')
        && !path.starts_with("//")
        && path
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/-._~!$&'()*+,=:@%".contains(&byte));
    plain.then(|| value.clone())
}
