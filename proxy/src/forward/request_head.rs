//! The request head for the upstream, built anew: what the plan lets through, and what a proxy adds.

use std::net::SocketAddr;

use http::header::{
    AUTHORIZATION, CONTENT_LENGTH, FORWARDED, HOST, HeaderName, HeaderValue, TRANSFER_ENCODING, VIA,
};
use http::{HeaderMap, Version};
use pingora::http::RequestHeader;

use super::Forwarding;
use super::request_body::RequestBody;
use crate::exchange::random_hex;
use crate::respond::Problem;
use crate::service::Halt;

const X_FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const X_FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const X_FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// A `tracestate` longer than this is dropped (W3C Trace Context section 3.3.1.5 asks for 512 at least).
const TRACESTATE_BYTES_MAX: usize = 512;

/// Builds the head.
///
/// # Errors
/// The head cannot be put on the wire: a fault of ours, told as an unreachable upstream.
pub(super) fn build(
    forwarding: &Forwarding<'_>,
    body: &RequestBody,
) -> Result<Box<RequestHeader>, Halt> {
    assemble(forwarding, body)
        .map(Box::new)
        .map_err(|_error| Problem::UpstreamUnavailable.into())
}

fn assemble(forwarding: &Forwarding<'_>, body: &RequestBody) -> pingora::Result<RequestHeader> {
    let request = forwarding.request;
    let mut target = request.path.clone();
    if let Some(query) = &request.query {
        target.push('?');
        target.push_str(query);
    }
    let mut head = RequestHeader::build(request.method.clone(), target.as_bytes(), Some(16))?;
    head.set_version(Version::HTTP_11);
    head.insert_header(HOST, forwarding.upstream.authority().clone())?;
    for (name, value) in &forwarding.plan.request_headers(&request.headers) {
        if !is_ours(name) {
            head.append_header(name, value.clone())?;
        }
    }
    add_framing(&mut head, body)?;
    if let Some(handshake) = forwarding.handshake {
        handshake.offer(&mut head)?;
    }
    add_forwarding(&mut head, forwarding)?;
    add_trace(&mut head, &request.headers)?;
    if let Some(credential) = forwarding.upstream.credential() {
        head.insert_header(AUTHORIZATION, credential.clone())?;
    }
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
}

fn add_framing(head: &mut RequestHeader, body: &RequestBody) -> pingora::Result<()> {
    match body {
        RequestBody::None => Ok(()),
        RequestBody::Whole(bytes) => head.insert_header(CONTENT_LENGTH, bytes.len()),
        RequestBody::Streamed {
            length: Some(length),
            ..
        } => head.insert_header(CONTENT_LENGTH, HeaderValue::from(*length)),
        RequestBody::Streamed { length: None, .. } => {
            head.insert_header(TRANSFER_ENCODING, "chunked")
        }
    }
}

fn add_forwarding(head: &mut RequestHeader, forwarding: &Forwarding<'_>) -> pingora::Result<()> {
    let scheme = if forwarding.secure { "https" } else { "http" };
    head.insert_header(VIA, "1.1 postern")?;
    head.insert_header(X_FORWARDED_PROTO, scheme)?;
    head.insert_header(X_FORWARDED_HOST, forwarding.request.authority.as_str())?;
    if let Some(address) = forwarding.peer.address.as_ref().map(SocketAddr::ip) {
        head.insert_header(X_FORWARDED_FOR, address.to_string())?;
    }
    Ok(())
}

/// Continues a trace or begins one (W3C Trace Context section 3.2).
fn add_trace(head: &mut RequestHeader, client: &HeaderMap) -> pingora::Result<()> {
    match continued(client) {
        Some((trace, flags)) => {
            let parent = format!("00-{trace}-{}-{flags}", random_hex::<8>());
            head.insert_header(TRACEPARENT, parent)?;
            let mut states = client.get_all(&TRACESTATE).iter();
            if let (Some(state), None) = (states.next(), states.next())
                && state.len() <= TRACESTATE_BYTES_MAX
                && state.to_str().is_ok()
            {
                head.insert_header(TRACESTATE, state.clone())?;
            }
        }
        None => {
            let parent = format!("00-{}-{}-01", random_hex::<16>(), random_hex::<8>());
            head.insert_header(TRACEPARENT, parent)?;
        }
    }
    Ok(())
}

/// The trace id and the flags of a sound `traceparent` of version 0.
fn continued(client: &HeaderMap) -> Option<(&str, &str)> {
    let mut parents = client.get_all(&TRACEPARENT).iter();
    let (Some(parent), None) = (parents.next(), parents.next()) else {
        return None;
    };
    let mut parts = parent.to_str().ok()?.split('-');
    let (version, trace, span, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let sound = version == "00"
        && parts.next().is_none()
        && is_id(trace, 32)
        && is_id(span, 16)
        && flags.len() == 2
        && flags.bytes().all(is_lower_hex);
    sound.then_some((trace, flags))
}

fn is_id(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(is_lower_hex) && text.bytes().any(|byte| byte != b'0')
}

fn is_lower_hex(byte: u8) -> bool {
    byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOUND: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn parents(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(TRACEPARENT, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn continues_a_sound_trace() {
        let headers = parents(&[SOUND]);
        let (trace, flags) = continued(&headers).unwrap();
        assert_eq!(trace, "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(flags, "01");
    }

    #[test]
    fn begins_a_new_trace_when_in_doubt() {
        let zero = format!("00-{}-b7ad6b7169203331-01", "0".repeat(32));
        let upper = SOUND.to_uppercase();
        let long = format!("{SOUND}-x");
        for bad in ["", "00", &zero, &upper, &long] {
            assert!(continued(&parents(&[bad])).is_none(), "{bad}");
        }
        assert!(continued(&parents(&[SOUND, SOUND])).is_none());
    }

    #[test]
    fn keeps_what_only_the_proxy_writes_for_itself() {
        for name in [
            "host",
            "via",
            "forwarded",
            "x-forwarded-for",
            "x-forwarded-uri",
            "sec-websocket-key",
        ] {
            assert!(is_ours(&HeaderName::from_static(name)), "{name}");
        }
        assert!(!is_ours(&HeaderName::from_static("accept")));
    }
}
