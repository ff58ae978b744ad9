//! The HTTP semantic conventions: which words and numbers describe an exchange and an upstream call.
//!
//! SECURITY: nothing of a path, a query, a header or a body is described (D15). The conventions'
//! `url.path`, `url.query`, `user_agent.original`, `client.address` and header attributes are left out:
//! they hold data of customers or of the person who asks.

use http::{Method, Version};

/// The method as a word of the conventions.
pub(crate) fn known_method(method: &Method) -> &'static str {
    const KNOWN: [&str; 9] = [
        "CONNECT", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE",
    ];
    let known = KNOWN.into_iter().find(|known| *known == method.as_str());
    known.unwrap_or("_OTHER")
}

/// What a span's name begins with.
pub(super) fn span_method(known: &'static str) -> &'static str {
    match known {
        "_OTHER" => "HTTP",
        known => known,
    }
}

/// `network.protocol.version`.
pub(crate) fn protocol_version(version: Version) -> &'static str {
    match version {
        Version::HTTP_10 => "1.0",
        Version::HTTP_2 => "2",
        Version::HTTP_3 => "3",
        _later_or_1_1 => "1.1",
    }
}

/// `url.scheme`.
pub(crate) const fn scheme(secure: bool) -> &'static str {
    if secure { "https" } else { "http" }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_that_the_conventions_do_not_know_is_other() {
        for known in ["GET", "PATCH", "TRACE"] {
            assert_eq!(known_method(&known.parse().unwrap()), known);
        }
        for other in ["PROPFIND", "get", "GETS"] {
            assert_eq!(known_method(&other.parse().unwrap()), "_OTHER");
        }
    }
}
