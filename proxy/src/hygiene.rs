//! Strict request checks: what is left of a request after them has one meaning only.
//!
//! Every doubt about where a request ends, whom it is for or what it asks for is a refusal (D8, D10).
//! What is forwarded later is built anew from a [`CleanRequest`], never from the bytes that came in.
//! HTTP/1.1 heads are checked as raw bytes, because the server library repairs some of them before it
//! shows them. This module decides nothing that depends on the policy, and does no IO.

mod fields;
mod h1;
mod h2;
mod host;
mod target;

use std::fmt;

use http::{HeaderMap, Method};
use postern_config::server::Limits;
use postern_filters::request_guard::method_override::{self, AnotherMethod};

pub(crate) use h1::{clean_h1, lines_of};
pub(crate) use h2::{DecodedHead, clean_h2};
pub(crate) use host::HostRule;
pub(crate) use target::canonical_path;

/// The bounds of a request's head, from the server file.
#[derive(Debug, Clone, Copy)]
pub(crate) struct HeadLimits {
    /// The header block, in bytes.
    pub header_bytes: usize,
    /// The number of headers.
    pub header_count: usize,
    /// The request target, in bytes.
    pub target_bytes: usize,
}

impl HeadLimits {
    pub(crate) const fn of(limits: &Limits) -> Self {
        Self {
            header_bytes: limits.header_bytes,
            header_count: limits.header_count,
            target_bytes: limits.target_bytes,
        }
    }
}

/// A request head with one meaning. `Debug` shows nothing of it.
pub(crate) struct CleanRequest {
    /// The method: upper-case letters.
    pub method: Method,
    /// The canonical path, percent-encoded as it will be forwarded.
    pub path: String,
    /// The raw query, without `?`.
    pub query: Option<String>,
    /// The headers, without pseudo-headers; at least `host`.
    pub headers: HeaderMap,
    /// What the client calls us: the one value of `Host` or `:authority`.
    pub authority: String,
    /// Whether the request asks for another protocol on this connection.
    pub upgrade: bool,
    /// Whether a body follows.
    pub body: DeclaredBody,
    /// Whether the client waits for `100 Continue` before it sends the body.
    pub waits: bool,
}

impl fmt::Debug for CleanRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CleanRequest").finish_non_exhaustive()
    }
}

impl CleanRequest {
    /// The same request with other headers, otherwise unchanged.
    pub(crate) fn with_headers(&self, headers: HeaderMap) -> Self {
        Self {
            method: self.method.clone(),
            path: self.path.clone(),
            query: self.query.clone(),
            headers,
            authority: self.authority.clone(),
            ..*self
        }
    }
}

/// What a head says about the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DeclaredBody {
    /// There is none.
    None,
    /// It has this many bytes.
    Length(u64),
    /// Its end will be told by the transfer (chunks, or the end of an HTTP/2 stream).
    Streamed,
}

/// Why a request is refused before anybody looked at the policy. No variant holds any of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Refusal {
    /// It could mean two things to two readers.
    #[error("the request is ambiguous: {0}")]
    Ambiguous(&'static str),
    /// It is for somebody else.
    #[error("the request is for a host that is not served here")]
    Misdirected,
    /// It comes on a connection that was let in by authorities which let nobody in any more.
    #[error("the connection was let in by authorities that have changed")]
    Outdated,
    /// The target is longer than the limit.
    #[error("the target is too long")]
    TargetTooLong,
    /// The header block is larger than the limit, or has more headers.
    #[error("the header block is too large")]
    HeadersTooLarge,
    /// Neither HTTP/1.1 nor HTTP/2.
    #[error("the protocol version is not served")]
    Version,
    /// `Expect` asks for something other than `100-continue`.
    #[error("the expectation is not met")]
    Expectation,
    /// A method that is never served: `CONNECT`, `TRACE`, `TRACK`, `DEBUG`.
    #[error("the method is not served")]
    Method,
}

/// The methods that no route can allow (D8).
fn never_served(method: &str) -> bool {
    ["CONNECT", "TRACE", "TRACK", "DEBUG"].contains(&method)
}

/// A method: 1 to 32 upper-case letters and hyphens. RFC 9110 allows any token and compares it exactly;
/// a lower-case variant of a known method is there to confuse somebody.
fn method_of(bytes: &[u8]) -> Result<Method, Refusal> {
    let plain = (1..=32).contains(&bytes.len())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_uppercase() || *byte == b'-');
    if !plain {
        return Err(Refusal::Ambiguous("the method is not in capital letters"));
    }
    let method = Method::from_bytes(bytes).map_err(|_bytes| Refusal::Ambiguous("the method"))?;
    if never_served(method.as_str()) {
        return Err(Refusal::Method);
    }
    Ok(method)
}

/// A request without a meaning for its body must not have one (RFC 9110 section 9.3.1).
fn refuse_body_of_safe_method(method: &Method, body: DeclaredBody) -> Result<(), Refusal> {
    match body {
        DeclaredBody::Length(_) if method.is_safe() => {
            Err(Refusal::Ambiguous("a body on a method that takes none"))
        }
        // Whether a streamed one is empty is known only when it has been read.
        DeclaredBody::None | DeclaredBody::Length(_) | DeclaredBody::Streamed => Ok(()),
    }
}

/// A route is chosen by the method on the wire; nothing in the head may ask for another one.
fn refuse_another_method(
    method: &Method,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    method_override::in_head(method.as_str(), query, headers)
        .map_err(|AnotherMethod| Refusal::Ambiguous("it asks for another method than its own"))
}

#[cfg(test)]
mod tests;
