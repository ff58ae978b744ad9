//! Header fields: their names, their values, and those that rule the connection.

use http::header::{
    CONNECTION, CONTENT_LENGTH, EXPECT, HeaderName, HeaderValue, TRANSFER_ENCODING, UPGRADE,
};
use http::{HeaderMap, Version};

use super::{DeclaredBody, HeadLimits, Refusal};

/// A checked field name.
///
/// SECURITY: an underscore is refused in every name. Many servers fold it to a hyphen, so that
/// `X_Role` would become `X-Role` behind us, past every rule about `X-Role`.
pub(super) fn name_of(bytes: &[u8]) -> Result<HeaderName, Refusal> {
    const WRONG: Refusal = Refusal::Ambiguous("a header name is not a token");
    if bytes.contains(&b'_') {
        return Err(Refusal::Ambiguous("an underscore in a header name"));
    }
    HeaderName::from_bytes(bytes).map_err(|_error| WRONG)
}

/// A checked field value: visible ASCII, spaces, tabs and bytes above 127.
pub(super) fn value_of(bytes: &[u8]) -> Result<HeaderValue, Refusal> {
    HeaderValue::from_bytes(bytes)
        .map_err(|_error| Refusal::Ambiguous("a control character in a header"))
}

/// The number of headers and their size, as HTTP/2 counts it (RFC 9113 section 6.5.2 without its
/// overhead).
pub(super) fn check_size(headers: &HeaderMap, limits: HeadLimits) -> Result<(), Refusal> {
    let bytes: usize = headers
        .iter()
        .map(|(name, value)| name.as_str().len().saturating_add(value.len()))
        .fold(0, usize::saturating_add);
    if headers.len() > limits.header_count || bytes > limits.header_bytes {
        return Err(Refusal::HeadersTooLarge);
    }
    Ok(())
}

/// The one `Host`, as bytes.
pub(super) fn one_host(headers: &HeaderMap) -> Result<&[u8], Refusal> {
    let mut hosts = headers.get_all(http::header::HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => Ok(host.as_bytes()),
        (None, _) => Err(Refusal::Ambiguous("no host")),
        (Some(_), Some(_)) => Err(Refusal::Ambiguous("several hosts")),
    }
}

/// What the head says about the body (RFC 9112 section 6.3), with every doubt refused.
pub(super) fn declared_body(
    headers: &HeaderMap,
    version: Version,
) -> Result<DeclaredBody, Refusal> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let coding = codings.next();
    if codings.next().is_some() {
        return Err(Refusal::Ambiguous("several Transfer-Encoding fields"));
    }
    let length = declared_length(headers)?;
    match (coding, length) {
        (Some(_), Some(_)) => Err(Refusal::Ambiguous(
            "both Content-Length and Transfer-Encoding",
        )),
        (Some(coding), None) => {
            let chunked = coding.as_bytes().eq_ignore_ascii_case(b"chunked");
            if chunked && version == Version::HTTP_11 {
                Ok(DeclaredBody::Streamed)
            } else {
                Err(Refusal::Ambiguous("a transfer coding other than `chunked`"))
            }
        }
        (None, Some(0) | None) => Ok(DeclaredBody::None),
        (None, Some(length)) => Ok(DeclaredBody::Length(length)),
    }
}

fn declared_length(headers: &HeaderMap) -> Result<Option<u64>, Refusal> {
    let mut lengths = headers.get_all(CONTENT_LENGTH).iter();
    let Some(length) = lengths.next() else {
        return Ok(None);
    };
    if lengths.next().is_some() {
        return Err(Refusal::Ambiguous("several Content-Length fields"));
    }
    plain_number(length.as_bytes())
        .map(Some)
        .ok_or(Refusal::Ambiguous("the Content-Length"))
}

/// Digits only, without leading zeros, 18 at most.
fn plain_number(bytes: &[u8]) -> Option<u64> {
    let digits = (1..=18).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_digit);
    let leading_zero = bytes.len() > 1 && bytes.first() == Some(&b'0');
    if !digits || leading_zero {
        return None;
    }
    std::str::from_utf8(bytes).ok()?.parse().ok()
}

/// Whether the client waits for `100 Continue` before it sends the body (RFC 9110 section 10.1.1).
/// Where no body follows there is nothing to wait for. Any other expectation, or several, is refused.
pub(super) fn waits_for_continue(headers: &HeaderMap, body: DeclaredBody) -> Result<bool, Refusal> {
    let mut expectations = headers.get_all(EXPECT).iter();
    match (expectations.next(), expectations.next()) {
        (None, _) => Ok(false),
        (Some(one), None) if one.as_bytes().eq_ignore_ascii_case(b"100-continue") => {
            Ok(body != DeclaredBody::None)
        }
        (Some(_), _) => Err(Refusal::Expectation),
    }
}

/// The options of `Connection`. Only those that rule the connection itself may be named: naming
/// another field asks every hop to strip it, identity fields included.
pub(super) fn connection_asks_upgrade(headers: &HeaderMap) -> Result<bool, Refusal> {
    const KNOWN: [&str; 5] = ["close", "keep-alive", "te", "http2-settings", "upgrade"];
    let mut named = false;
    for value in headers.get_all(CONNECTION) {
        let text = value
            .to_str()
            .map_err(|_error| Refusal::Ambiguous("the Connection field"))?;
        for option in text.split(',').map(str::trim) {
            let known = KNOWN
                .iter()
                .find(|known| option.eq_ignore_ascii_case(known));
            match known {
                Some(known) => named |= *known == "upgrade",
                None if option.is_empty() => {}
                None => {
                    return Err(Refusal::Ambiguous(
                        "Connection names a field other than its own",
                    ));
                }
            }
        }
    }
    Ok(named || headers.contains_key(UPGRADE))
}
