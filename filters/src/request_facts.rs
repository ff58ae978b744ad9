//! What a decision is made from: the request's head and who is asking, without any IO type.

use std::fmt;

/// What is known of a request when it is decided. The target has already been checked: `path` is
/// canonical (no dot segments, no empty segments, no encoded slashes, no control bytes).
#[derive(Debug)]
pub struct RequestFacts<'a> {
    /// The method, as sent.
    pub method: &'a str,
    /// The canonical path, percent-encoded as it will be forwarded.
    pub path: &'a str,
    /// The raw query, without `?`.
    pub query: Option<&'a str>,
    /// The request's headers.
    pub headers: &'a http::HeaderMap,
    /// Whether the request asks to upgrade the connection.
    pub upgrade: bool,
    /// Whether the request has a body.
    pub has_body: bool,
    /// Who is asking.
    pub identity: &'a Identity,
}

/// Who is asking: `(issuer, subject)`, with what was said about them. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Identity {
    /// Who vouches for the subject.
    pub issuer: String,
    /// The subject, unique per issuer.
    pub subject: String,
    /// The tenant, when there is one.
    pub tenant: Option<String>,
    /// The groups claimed; those that are no role of the policy are ignored.
    pub groups: Vec<String>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").finish_non_exhaustive()
    }
}
