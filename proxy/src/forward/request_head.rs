//! The request head for the upstream, built anew: what the plan lets through, and what a proxy adds.

use std::net::SocketAddr;

use http::header::{
    ACCEPT_ENCODING, AUTHORIZATION, CONTENT_LENGTH, COOKIE, FORWARDED, HOST, HeaderName,
    HeaderValue, InvalidHeaderValue, ORIGIN, REFERER, TRANSFER_ENCODING, VIA,
};
use http::{HeaderMap, Version};
use pingora::http::RequestHeader;

use super::Forwarding;
use super::request_body::RequestBody;
use crate::respond::Problem;
use crate::service::Halt;
use crate::session::dbsc;
use crate::telemetry::{Parent, TRACEPARENT, TRACESTATE, tracestate};
use crate::visit::Visit;

/// How many fields most requests have at most.
const FIELDS_USUAL: usize = 16;
const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// What a client proves to us with, and what says that a request is ours.
const FOR_US: [&str; 5] = [
    "dpop",
    "postern-request",
    dbsc::header::RESPONSE,
    dbsc::header::SESSION_ID,
    dbsc::header::SKIPPED,
];

/// Builds the head.
///
/// # Errors
/// The head cannot be put on the wire: a fault of ours, told as an unreachable upstream.
pub(super) fn build(
    forwarding: &Forwarding<'_>,
    body: &RequestBody,
    traceparent: &str,
) -> Result<Box<RequestHeader>, Halt> {
    let head = assemble(forwarding, body, traceparent)?;
    Ok(Box::new(head))
}

/// Why a head cannot be built.
enum Unbuilt {
    /// It cannot be put on the wire.
    Head,
    /// A token of the session cannot be written in it.
    Session(Problem),
}

impl From<InvalidHeaderValue> for Unbuilt {
    fn from(_error: InvalidHeaderValue) -> Self {
        Self::Head
    }
}

impl From<Box<pingora::Error>> for Unbuilt {
    fn from(_error: Box<pingora::Error>) -> Self {
        Self::Head
    }
}

impl From<Problem> for Unbuilt {
    fn from(problem: Problem) -> Self {
        Self::Session(problem)
    }
}

impl From<Unbuilt> for Halt {
    fn from(unbuilt: Unbuilt) -> Self {
        match unbuilt {
            Unbuilt::Head => Problem::UpstreamUnavailable.into(),
            Unbuilt::Session(problem) => problem.into(),
        }
    }
}

fn assemble(
    forwarding: &Forwarding<'_>,
    body: &RequestBody,
    traceparent: &str,
) -> Result<RequestHeader, Unbuilt> {
    let request = forwarding.request;
    let mut target = request.path.clone();
    if let Some(query) = &request.query {
        target.push('?');
        target.push_str(query);
    }
    if let Some(visit) = forwarding.visit {
        target = visit.target(&target)?.unwrap_or(target);
    }
    let mut fields = HeaderMap::with_capacity(FIELDS_USUAL);
    fields.insert(HOST, forwarding.upstream.authority().clone());
    for (name, value) in &forwarding.plan.request_headers(&request.headers) {
        if !is_ours(name) {
            fields.append(name.clone(), value.clone());
        }
    }
    add_framing(&mut fields, body);
    if let Some(handshake) = forwarding.handshake {
        handshake.offer(&mut fields)?;
    }
    add_forwarding(&mut fields, forwarding)?;
    add_trace(&mut fields, &request.headers, traceparent)?;
    if let Some(visit) = forwarding.visit {
        add_session(&mut fields, visit, forwarding)?;
    }
    if let Some(credential) = forwarding.upstream.credential() {
        fields.insert(AUTHORIZATION, credential.clone());
    }
    // PERF: a head that the library builds field by field reads each name anew and keeps it twice (`postern bench`).
    let (mut parts, ()) = http::Request::new(()).into_parts();
    parts.method = request.method.clone();
    parts.version = Version::HTTP_11;
    parts.headers = fields;
    let mut head = RequestHeader::from(parts);
    head.set_raw_path(target.as_bytes())?;
    Ok(head)
}

/// SECURITY: what only the proxy writes is never taken from the client, whatever the plan lets through.
fn is_ours(name: &HeaderName) -> bool {
    [
        &HOST,
        &CONTENT_LENGTH,
        &TRANSFER_ENCODING,
        &VIA,
        &FORWARDED,
        &AUTHORIZATION,
        &X_FORWARDED_FOR,
        &X_FORWARDED_HOST,
        &X_FORWARDED_PROTO,
        &TRACEPARENT,
        &TRACESTATE,
    ]
    .contains(&name)
        || name.as_str().starts_with("x-forwarded-")
        || name.as_str().starts_with("sec-websocket-")
        || FOR_US.contains(&name.as_str())
}

/// Adds the application's cookies and tokens. Its answer has to come as it is where tokens are looked for.
fn add_session(
    head: &mut HeaderMap,
    visit: &Visit,
    forwarding: &Forwarding<'_>,
) -> Result<(), Unbuilt> {
    let client = &forwarding.request.headers;
    // SECURITY: what the client says under a token's name never passes, whatever the plan lets through.
    let stripped: Vec<HeaderName> = head
        .keys()
        .filter(|name| visit.is_token_field(name))
        .cloned()
        .collect();
    for name in stripped {
        head.remove(&name);
    }
    let fields = visit.token_fields(client)?;
    for (name, value) in &fields {
        head.insert(name, value.clone());
    }
    if let Some(cookies) = visit.cookies(client, &forwarding.request.path) {
        head.insert(COOKIE, cookies);
    }
    head.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    // Applications look at these before they believe that a form is theirs.
    if !forwarding.request.method.is_safe() {
        add_sender(head, client)?;
    }
    Ok(())
}

/// Says which site's page sent the request, and no more: where on it that was may name a case.
fn add_sender(head: &mut HeaderMap, client: &HeaderMap) -> Result<(), InvalidHeaderValue> {
    if let Some(origin) = client.get(ORIGIN) {
        head.insert(ORIGIN, origin.clone());
    }
    let referrer = client.get(REFERER).and_then(|value| value.to_str().ok());
    if let Some(site) = referrer.and_then(site_of) {
        head.insert(REFERER, HeaderValue::try_from(site)?);
    }
    Ok(())
}

/// `scheme://authority/` of a URL.
fn site_of(url: &str) -> Option<String> {
    let (scheme, rest) = url.split_once("://")?;
    let authority = rest.split(['/', '?', '#']).next()?;
    Some(format!("{scheme}://{authority}/"))
}

fn add_framing(head: &mut HeaderMap, body: &RequestBody) {
    match body {
        RequestBody::None => None,
        RequestBody::Whole(bytes) => head.insert(CONTENT_LENGTH, HeaderValue::from(bytes.len())),
        RequestBody::Streamed {
            length: Some(length),
            ..
        } => head.insert(CONTENT_LENGTH, HeaderValue::from(*length)),
        RequestBody::Streamed { length: None, .. } => {
            head.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked"))
        }
    };
}

fn add_forwarding(
    head: &mut HeaderMap,
    forwarding: &Forwarding<'_>,
) -> Result<(), InvalidHeaderValue> {
    let scheme = if forwarding.secure { "https" } else { "http" };
    head.insert(VIA, HeaderValue::from_static("1.1 postern"));
    head.insert(X_FORWARDED_PROTO, HeaderValue::from_static(scheme));
    let authority = HeaderValue::from_str(&forwarding.request.authority)?;
    head.insert(X_FORWARDED_HOST, authority);
    if let Some(address) = forwarding.peer.address.as_ref().map(SocketAddr::ip) {
        head.insert(X_FORWARDED_FOR, HeaderValue::try_from(address.to_string())?);
    }
    Ok(())
}

/// Continues the exchange's trace (W3C Trace Context section 3.2). What vendors added to the context goes on
/// only with the trace that it belongs to.
fn add_trace(
    head: &mut HeaderMap,
    client: &HeaderMap,
    traceparent: &str,
) -> Result<(), InvalidHeaderValue> {
    head.insert(TRACEPARENT, HeaderValue::from_str(traceparent)?);
    if Parent::of(client).is_some()
        && let Some(state) = tracestate(client)
    {
        head.insert(TRACESTATE, state.clone());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_only_the_proxy_writes_for_itself() {
        for name in [
            "host",
            "via",
            "forwarded",
            "x-forwarded-for",
            "x-forwarded-uri",
            "sec-websocket-key",
            "dpop",
            "sec-secure-session-id",
        ] {
            assert!(is_ours(&HeaderName::from_static(name)), "{name}");
        }
        assert!(!is_ours(&HeaderName::from_static("accept")));
    }
}
