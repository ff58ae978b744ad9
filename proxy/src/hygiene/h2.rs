//! The head of an HTTP/2 request, as the HTTP/2 library decoded it (RFC 9113 section 8.3).
//!
//! The library has already refused malformed pseudo-headers, upper-case names and header injection.
//! What it lets through is held to the same rules as HTTP/1.1, and to what it does not look at.

use http::header::{CONNECTION, HOST, TE, TRANSFER_ENCODING, UPGRADE};
use http::{HeaderMap, HeaderValue, Version};

use super::fields;
use super::target;
use super::{CleanRequest, DeclaredBody, HeadLimits, HostRule, Refusal};

/// The parts of a decoded head.
pub(crate) struct DecodedHead<'a> {
    /// `:method`.
    pub method: &'a [u8],
    /// `:path`, raw.
    pub target: &'a [u8],
    /// `:authority`, when given.
    pub authority: Option<&'a str>,
    /// The other headers.
    pub headers: &'a HeaderMap,
    /// Whether the stream ended with the head.
    pub ended: bool,
}

/// Checks a decoded head.
pub(crate) fn clean_h2(
    head: &DecodedHead<'_>,
    limits: HeadLimits,
    hosts: &HostRule,
) -> Result<CleanRequest, Refusal> {
    fields::check_size(head.headers, limits)?;
    let method = super::method_of(head.method)?;
    if head.target.len() > limits.target_bytes {
        return Err(Refusal::TargetTooLong);
    }
    for (name, value) in head.headers {
        fields::name_of(name.as_str().as_bytes())?;
        fields::value_of(value.as_bytes())?;
        refuse_blank_edges(value.as_bytes())?;
    }
    let mut headers = head.headers.clone();
    let authority = hosts.check(&authority_of(head)?)?;
    let host = HeaderValue::from_str(&authority).map_err(|_error| Refusal::Ambiguous("host"))?;
    headers.insert(HOST, host);
    refuse_connection_fields(&headers)?;
    let target = target::canonical(head.target)?;
    let body = match fields::declared_body(&headers, Version::HTTP_2)? {
        declared @ DeclaredBody::Length(_) => declared,
        DeclaredBody::None | DeclaredBody::Streamed if head.ended => DeclaredBody::None,
        DeclaredBody::None | DeclaredBody::Streamed => DeclaredBody::Streamed,
    };
    super::refuse_body_of_safe_method(&method, body)?;
    super::refuse_another_method(&method, target.query.as_deref(), &headers)?;
    let waits = fields::waits_for_continue(&headers, body)?;
    Ok(CleanRequest {
        method,
        path: target.path,
        query: target.query,
        headers,
        authority,
        upgrade: false,
        body,
        waits,
    })
}

/// `:authority`, which `host` may only repeat (RFC 9113 section 8.3.1).
fn authority_of(head: &DecodedHead<'_>) -> Result<Vec<u8>, Refusal> {
    let host = match head.headers.get(HOST) {
        None => None,
        Some(_) => Some(fields::one_host(head.headers)?),
    };
    match (head.authority, host) {
        (Some(authority), None) => Ok(authority.as_bytes().to_vec()),
        (Some(authority), Some(host)) if host.eq_ignore_ascii_case(authority.as_bytes()) => {
            Ok(host.to_vec())
        }
        (Some(_), Some(_)) => Err(Refusal::Ambiguous("two different hosts")),
        (None, Some(host)) => Ok(host.to_vec()),
        (None, None) => Err(Refusal::Ambiguous("no host")),
    }
}

/// A value neither begins nor ends with a blank (RFC 9113 section 8.2.1).
///
/// SECURITY: HTTP/1.1 takes such blanks off, so the application would read another value than the one that
/// was judged here.
fn refuse_blank_edges(value: &[u8]) -> Result<(), Refusal> {
    let blank = |byte: Option<&u8>| matches!(byte, Some(b' ' | b'\t'));
    if blank(value.first()) || blank(value.last()) {
        return Err(Refusal::Ambiguous("a blank at the edge of a header value"));
    }
    Ok(())
}

/// Fields that have no meaning in HTTP/2 (RFC 9113 section 8.2.2).
fn refuse_connection_fields(headers: &HeaderMap) -> Result<(), Refusal> {
    let connection = [&CONNECTION, &TRANSFER_ENCODING, &UPGRADE]
        .iter()
        .any(|name| headers.contains_key(*name));
    let te = headers
        .get_all(TE)
        .iter()
        .any(|value| !value.as_bytes().eq_ignore_ascii_case(b"trailers"));
    if connection || te {
        return Err(Refusal::Ambiguous("a connection field in HTTP/2"));
    }
    Ok(())
}
