//! Who may ask what of the admin listener.

use axum::extract::{Request, State};
use axum::http::header::{AUTHORIZATION, HOST};
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::AdminState;

/// What every answer tells a browser: to keep nothing, to guess nothing, and to show it in no frame.
const FOR_BROWSERS: [(&str, &str); 4] = [
    ("cache-control", "no-store"),
    ("x-content-type-options", "nosniff"),
    ("content-security-policy", "frame-ancestors 'none'"),
    ("x-frame-options", "DENY"),
];

/// Lets only requests pass that were meant for loopback. A web page that rebinds its name to loopback
/// still sends its own name.
pub(super) async fn meant_for_loopback(request: Request, next: Next) -> Response {
    let named = match request.uri().authority() {
        None => true,
        Some(authority) => is_loopback(authority),
    };
    let mut response = match named && host_is_loopback(request.headers()) {
        true => next.run(request).await,
        false => (
            StatusCode::MISDIRECTED_REQUEST,
            "the host must be a loopback address or localhost\n",
        )
            .into_response(),
    };
    for (name, value) in FOR_BROWSERS {
        response
            .headers_mut()
            .insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Lets only requests pass that show the admin token.
pub(super) async fn shows_the_token(
    State(state): State<AdminState>,
    request: Request,
    next: Next,
) -> Response {
    if bearer(request.headers()).is_some_and(|token| state.token.is(token)) {
        return next.run(request).await;
    }
    (
        StatusCode::UNAUTHORIZED,
        [("www-authenticate", "Bearer realm=\"postern admin\"")],
        "this needs the admin token: `Authorization: Bearer` with what is in state/admin.token\n",
    )
        .into_response()
}

fn host_is_loopback(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let authority = host.to_str().ok().and_then(|host| host.parse().ok());
    authority.is_some_and(|authority: Authority| is_loopback(&authority))
}

fn is_loopback(authority: &Authority) -> bool {
    let host = authority.host();
    let address = host.trim_start_matches('[').trim_end_matches(']');
    !authority.as_str().contains('@')
        && (host.eq_ignore_ascii_case("localhost")
            || address
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback()))
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token)
}
