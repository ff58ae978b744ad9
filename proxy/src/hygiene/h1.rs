//! The head of an HTTP/1.1 request, read from its raw bytes (RFC 9112 sections 2 to 5).
//!
//! ```text
//! GET /api/cases?page=2 HTTP/1.1 CRLF
//! Host: desk.example.com CRLF
//! ...            every line ends in CRLF; no folding; no space before a colon
//! CRLF
//! ```

use http::{HeaderMap, Version};

use super::fields;
use super::target;
use super::{CleanRequest, HeadLimits, HostRule, Refusal};

/// How many lines most heads have at most.
const LINES_USUAL: usize = 16;

/// Checks a raw head, which ends with an empty line.
pub(crate) fn clean_h1(
    raw: &[u8],
    limits: HeadLimits,
    hosts: &HostRule,
) -> Result<CleanRequest, Refusal> {
    if raw.len() > limits.header_bytes {
        return Err(Refusal::HeadersTooLarge);
    }
    let mut lines = lines_of(raw)?.into_iter();
    let request_line = lines.next().ok_or(Refusal::Ambiguous("no request line"))?;
    let RequestLine {
        method,
        target,
        version,
    } = split_request_line(request_line)?;
    check_version(version)?;
    let method = super::method_of(method)?;
    if target.len() > limits.target_bytes {
        return Err(Refusal::TargetTooLong);
    }
    let headers = headers_of(lines, limits)?;
    let authority = hosts.check(fields::one_host(&headers)?)?;
    let target = target::canonical(origin_form(target, &authority)?)?;
    let body = fields::declared_body(&headers, Version::HTTP_11)?;
    super::refuse_body_of_safe_method(&method, body)?;
    super::refuse_another_method(&method, target.query.as_deref(), &headers)?;
    let upgrade = fields::connection_asks_upgrade(&headers)?;
    let waits = fields::waits_for_continue(&headers, body)?;
    Ok(CleanRequest {
        method,
        path: target.path,
        query: target.query,
        headers,
        authority,
        upgrade,
        body,
        waits,
    })
}

/// The lines of a head, without their ends. The head must end with an empty line, and a carriage
/// return or a line feed may occur only as part of a line's end.
pub(crate) fn lines_of(raw: &[u8]) -> Result<Vec<&[u8]>, Refusal> {
    const WRONG: Refusal = Refusal::Ambiguous("a line does not end in CRLF");
    let block = raw.strip_suffix(b"\r\n\r\n").ok_or(WRONG)?;
    let mut lines = Vec::with_capacity(LINES_USUAL);
    let mut pieces = block.split(|byte| *byte == b'\n').peekable();
    while let Some(piece) = pieces.next() {
        let line = match pieces.peek() {
            Some(_) => piece.strip_suffix(b"\r").ok_or(WRONG)?,
            None => piece,
        };
        if line.is_empty() || line.contains(&b'\r') {
            return Err(WRONG);
        }
        lines.push(line);
    }
    Ok(lines)
}

struct RequestLine<'a> {
    method: &'a [u8],
    target: &'a [u8],
    version: &'a [u8],
}

/// Method, target and version, with exactly one space between them.
fn split_request_line(line: &[u8]) -> Result<RequestLine<'_>, Refusal> {
    let mut parts = line.split(|byte| *byte == b' ');
    match (parts.next(), parts.next(), parts.next(), parts.next()) {
        (Some(method), Some(target), Some(version), None) if !target.is_empty() => {
            Ok(RequestLine {
                method,
                target,
                version,
            })
        }
        _ => Err(Refusal::Ambiguous("the request line")),
    }
}

fn check_version(version: &[u8]) -> Result<(), Refusal> {
    match version {
        b"HTTP/1.1" => Ok(()),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            Err(Refusal::Version)
        }
        _ => Err(Refusal::Ambiguous("the protocol version")),
    }
}

fn headers_of<'a>(
    lines: impl ExactSizeIterator<Item = &'a [u8]>,
    limits: HeadLimits,
) -> Result<HeaderMap, Refusal> {
    let mut headers = HeaderMap::with_capacity(lines.len().min(limits.header_count));
    for line in lines {
        let colon = position(line, b':').ok_or(Refusal::Ambiguous("a line without colon"))?;
        let (name, rest) = line.split_at(colon);
        // A folded line begins with a space and is caught here too: a space is in no token.
        let name = fields::name_of(name)?;
        let value = fields::value_of(rest.get(1..).unwrap_or_default().trim_ascii())?;
        if headers.len() >= limits.header_count {
            return Err(Refusal::HeadersTooLarge);
        }
        headers.append(name, value);
    }
    Ok(headers)
}

/// The origin-form of a target. An absolute one must name the same host as `Host` does
/// (RFC 9112 section 3.2.2).
fn origin_form<'a>(target: &'a [u8], authority: &str) -> Result<&'a [u8], Refusal> {
    if target.first() == Some(&b'/') {
        return Ok(target);
    }
    let rest = [&b"http://"[..], b"https://"]
        .iter()
        .find_map(|scheme| target.strip_prefix(*scheme))
        .ok_or(Refusal::Ambiguous("the form of the target"))?;
    let end = position(rest, b'/').ok_or(Refusal::Ambiguous("the form of the target"))?;
    let (named, path) = rest.split_at(end);
    if named.eq_ignore_ascii_case(authority.as_bytes()) {
        Ok(path)
    } else {
        Err(Refusal::Ambiguous("the target names another host"))
    }
}

fn position(bytes: &[u8], wanted: u8) -> Option<usize> {
    bytes.iter().position(|byte| *byte == wanted)
}
