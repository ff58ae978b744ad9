//! Which of the client's request headers go up.
//!
//! Guarantees: what could ask the upstream for another representation, another method, a part of
//! the body, or say who is asking, does not pass; `Accept` and `Accept-Encoding` on a route whose
//! answers are read are ours. Cookies are not handed on here: in a session the proxy sends the
//! vault's. Framing, `Host`, tracing and forwarding fields are the proxy's to write.

use http::header::{ACCEPT, ACCEPT_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue};

use crate::exchange_plan::header_lists::{connection_options, request_allowed, request_denied};

/// What decides about a request's headers.
#[derive(Debug, Clone, Copy)]
pub(super) struct RequestRules<'a> {
    /// The method, as sent.
    pub(super) method: &'a str,
    /// Only listed fields pass.
    pub(super) labelled: bool,
    /// The answer will be read: its type must be one of these.
    pub(super) accept: Option<&'a str>,
    /// Fields that say who is asking, lower case; they never pass.
    pub(super) identity: &'a [String],
}

/// The headers to send upstream.
pub(super) fn request_headers(rules: RequestRules<'_>, client: &HeaderMap) -> HeaderMap {
    let hop_by_hop = connection_options(client);
    let mut headers = HeaderMap::with_capacity(client.keys_len());
    for (name, value) in client {
        let kept_back = hop_by_hop.contains(name.as_str())
            || rules
                .identity
                .iter()
                .any(|identity| identity == name.as_str())
            || (rules.accept.is_some() && (name == ACCEPT || name == ACCEPT_ENCODING));
        if !kept_back && passes(rules, name) {
            headers.append(name, value.clone());
        }
    }
    if let Some(accept) = rules
        .accept
        .and_then(|text| HeaderValue::from_str(text).ok())
    {
        headers.insert(ACCEPT, accept);
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    }
    headers
}

fn passes(rules: RequestRules<'_>, name: &HeaderName) -> bool {
    match rules.labelled {
        true => request_allowed(name, rules.method) || name == ACCEPT || name == ACCEPT_ENCODING,
        false => !request_denied(name, rules.method),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REJECTED: &[(&str, &str)] = &[
        ("authorization", "Bearer x"),
        ("cookie", "a=b"),
        ("range", "bytes=0-1"),
        ("if-range", "x"),
        ("if-none-match", "x"),
        ("if-modified-since", "x"),
        ("te", "trailers"),
        ("expect", "100-continue"),
        ("connection", "keep-alive, x-kept"),
        ("x-kept", "dropped because connection names it"),
        ("keep-alive", "timeout=5"),
        ("upgrade", "h2c"),
        ("http2-settings", "x"),
        ("transfer-encoding", "chunked"),
        ("content-length", "5"),
        ("host", "x"),
        ("forwarded", "for=1"),
        ("x-forwarded-for", "1"),
        ("x-forwarded-user", "root"),
        ("x-real-ip", "1"),
        ("x-user", "root"),
        ("x-role", "admin"),
        ("x_role", "admin"),
        ("x-remote-user", "root"),
        ("remote-user", "root"),
        ("x-http-method-override", "DELETE"),
        ("x-original-url", "/admin"),
        ("x-rewrite-url", "/admin"),
        ("x-subject-of-mine", "root"),
        ("x-middleware-subrequest", "middleware"),
        ("x-proxy-role", "admin"),
        ("x-forwarded", "for=1"),
        ("x-original-forwarded-for", "1"),
        ("x-goog-authenticated-user-email", "root"),
        ("x-ms-client-principal-id", "root"),
        ("cf-access-authenticated-user-email", "root"),
        ("x-consumer-username", "root"),
        ("x-session-id", "stolen"),
        ("x-accel-redirect", "/admin"),
        ("x-sendfile", "/etc/passwd"),
        ("traceparent", "00-1"),
        ("postern-revision", "x"),
        ("x-who", "an identity header of the policy"),
    ];

    const SHAPING: &[(&str, &str)] = &[
        ("prefer", "return=representation"),
        ("x-fields", "ssn"),
        ("api-version", "2019-01-01"),
        ("accept-version", "1"),
        ("x-expand", "customer"),
        ("origin", "https://a.example"),
        ("referer", "https://a.example/"),
    ];

    fn map(fields: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in fields {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    fn run(method: &str, labelled: bool, accept: Option<&str>, client: &HeaderMap) -> HeaderMap {
        let rules = RequestRules {
            method,
            labelled,
            accept,
            identity: &["x-who".to_owned()],
        };
        request_headers(rules, client)
    }

    #[test]
    fn a_labelled_route_lets_only_listed_fields_up() {
        let harmless = [
            ("accept-language", "de"),
            ("user-agent", "agent"),
            ("x-request-id", "7"),
            ("content-type", "application/json"),
        ];
        let mut client = map(&harmless);
        client.extend(map(REJECTED));
        client.extend(map(SHAPING));
        client.extend(map(&[("accept", "text/csv"), ("accept-encoding", "br")]));
        let mut expected = map(&harmless);
        expected.insert("accept", HeaderValue::from_static("application/json"));
        expected.insert("accept-encoding", HeaderValue::from_static("identity"));
        assert_eq!(
            run("GET", true, Some("application/json"), &client),
            expected
        );
    }

    #[test]
    fn a_route_without_labels_keeps_the_listed_fields_back() {
        let mut client = map(REJECTED);
        client.extend(map(SHAPING));
        client.extend(map(&[("accept", "text/csv"), ("accept-encoding", "br")]));
        let mut expected = map(SHAPING);
        expected.extend(map(&[("accept", "text/csv"), ("accept-encoding", "br")]));
        assert_eq!(run("GET", false, None, &client), expected);
    }

    #[test]
    fn conditions_pass_on_writes_only() {
        let client = map(&[("if-match", "\"a\""), ("if-unmodified-since", "x")]);
        for labelled in [true, false] {
            assert_eq!(run("PUT", labelled, None, &client), client);
            assert_eq!(run("GET", labelled, None, &client), HeaderMap::new());
        }
    }

    #[test]
    fn a_connection_field_cannot_take_away_what_we_set() {
        let client = map(&[("connection", "accept, accept-encoding"), ("accept", "a/b")]);
        let headers = run("GET", true, Some("application/json"), &client);
        assert_eq!(headers.get("accept").unwrap(), "application/json");
        assert_eq!(headers.get("accept-encoding").unwrap(), "identity");
    }
}
