//! Which header fields are whose business: the lists behind both directions of an exchange.
//!
//! On a labelled route only what is listed here as harmless passes; elsewhere only what is listed
//! here as harmful is dropped.

use std::collections::BTreeSet;

use http::header::CONNECTION;
use http::{HeaderMap, HeaderName};
use postern_config::rfc9110::is_safe;

/// What belongs to one connection (RFC 9110 section 7.6.1) or to framing; never forwarded.
const HOP_BY_HOP: [&str; 14] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-authentication-info",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "http2-settings",
    "content-length",
    "host",
    "expect",
];

/// What a labelled route lets up beside what we set and what depends on the method.
const REQUEST_ALLOWED: [&str; 6] = [
    "accept-language",
    "content-type",
    "content-encoding",
    "user-agent",
    "idempotency-key",
    "x-request-id",
];

/// Conditions on a write; on reads they would tell whether hidden fields changed.
const WRITE_CONDITIONS: [&str; 2] = ["if-match", "if-unmodified-since"];

/// What no route lets up: credentials, conditions, ranges, tracing (the proxy's own), method and
/// URL overrides, and what an application may take for an identity.
const REQUEST_DENIED: [&str; 39] = [
    "authorization",
    "cookie",
    "cookie2",
    "range",
    "if-range",
    "if-none-match",
    "if-modified-since",
    "forwarded",
    "via",
    "traceparent",
    "tracestate",
    "baggage",
    "client-ip",
    "true-client-ip",
    "cf-connecting-ip",
    "fastly-client-ip",
    "remote-user",
    "remote-groups",
    "from",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-rewrite-url",
    "x-request-uri",
    "x-host",
    "x-real-ip",
    "x-client-ip",
    "x-cluster-client-ip",
    "x-proxyuser-ip",
    "x-remote-addr",
    "x-api-key",
    "x-auth-token",
    "x-access-token",
    "x-csrf-token",
    "x-xsrf-token",
    "x-email",
    "x-health-check",
    "x-debug",
    "dpop",
];

/// Families of such fields.
const REQUEST_DENIED_PREFIXES: [&str; 45] = [
    "x-forwarded",
    "x-original-",
    "x-user",
    "x-role",
    "x-group",
    "x-remote-",
    "x-auth",
    "x-identity",
    "x-subject",
    "x-account",
    "x-tenant",
    "x-org-",
    "x-principal",
    "x-permission",
    "x-scope",
    "x-admin",
    "x-session",
    "x-jwt",
    "x-oidc-",
    "x-impersonate",
    "x-on-behalf-of",
    "x-webauth-",
    "x-vouch-",
    "x-pomerium-",
    "x-consumer-",
    "x-credential-",
    "x-goog-authenticated-",
    "x-goog-iap-",
    "x-ms-client-principal",
    "x-arr-",
    "x-appengine-",
    "cf-access-",
    "tailscale-",
    "x-client-cert",
    "x-client-verify",
    "x-ssl-",
    "ssl-client-",
    "x-internal-",
    "x-proxy-",
    "x-middleware-",
    "x-accel-",
    "x-sendfile",
    "x-envoy-",
    "x-amzn-",
    "postern-",
];

/// Those of the lists above that are about tokens as much as about identities: a policy may call them tokens.
const REQUEST_TOKENS: [&str; 6] = [
    "authorization",
    "x-api-key",
    "x-auth-token",
    "x-access-token",
    "x-csrf-token",
    "x-xsrf-token",
];

/// Families of such fields.
const REQUEST_TOKEN_PREFIXES: [&str; 3] = ["x-auth", "x-session", "x-jwt"];

/// What of those families says who is asking all the same.
const IDENTITY_PREFIXES: [&str; 5] = [
    "x-auth-request-",
    "x-auth-user",
    "x-auth-email",
    "x-authenticated",
    "client-cert",
];

/// What of a labelled route's answers leaves beside what we set. None of it can carry the record, and none of it lets
/// a page of another origin read one (`Access-Control-*`): no policy says which origins may.
const RESPONSE_ALLOWED: [&str; 10] = [
    "date",
    "retry-after",
    "allow",
    "x-request-id",
    "content-language",
    "strict-transport-security",
    "x-frame-options",
    "referrer-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
];

/// What no answer carries: tokens, challenges meant for us, and pointers past the proxy.
const RESPONSE_DENIED: [&str; 19] = [
    "set-cookie",
    "set-cookie2",
    "authorization",
    "authentication-info",
    "www-authenticate",
    "x-auth-token",
    "x-access-token",
    "x-session-token",
    "x-csrf-token",
    "alt-svc",
    "refresh",
    "server",
    "via",
    "x-powered-by",
    "x-aspnet-version",
    "x-sendfile",
    "x-debug-sql",
    "service-worker-allowed",
    "clear-site-data",
];

const RESPONSE_DENIED_PREFIXES: [&str; 4] = ["x-accel-", "x-internal-", "x-debug", "postern-"];

/// Whether a labelled route lets this request field up.
pub(super) fn request_allowed(name: &HeaderName, method: &str) -> bool {
    let name = name.as_str();
    REQUEST_ALLOWED.contains(&name) || (!is_safe(method) && WRITE_CONDITIONS.contains(&name))
}

/// Whether a route without labels keeps this request field back. A name with an underscore is kept
/// back whatever it is: many servers read it as if it had a hyphen.
pub(super) fn request_denied(name: &HeaderName, method: &str) -> bool {
    let name = name.as_str();
    name.contains('_')
        || HOP_BY_HOP.contains(&name)
        || REQUEST_DENIED.contains(&name)
        || REQUEST_DENIED_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
        || (is_safe(method) && WRITE_CONDITIONS.contains(&name))
}

/// Whether a request field says who is asking, or is not the client's to send for another reason, so that it
/// brings no token whatever a policy calls it.
pub(crate) fn says_who_asks(name: &str) -> bool {
    let token = REQUEST_TOKENS.contains(&name);
    let begins = |prefixes: &[&str]| prefixes.iter().any(|prefix| name.starts_with(prefix));
    name.contains('_')
        || HOP_BY_HOP.contains(&name)
        || REQUEST_DENIED.contains(&name) && !token
        || begins(&IDENTITY_PREFIXES)
        || begins(&REQUEST_DENIED_PREFIXES) && !begins(&REQUEST_TOKEN_PREFIXES)
}

/// Whether a labelled route lets this response field down.
pub(super) fn response_allowed(name: &HeaderName) -> bool {
    RESPONSE_ALLOWED.contains(&name.as_str())
}

/// Whether a route without labels keeps this response field back.
pub(super) fn response_denied(name: &HeaderName) -> bool {
    let name = name.as_str();
    HOP_BY_HOP.contains(&name)
        || RESPONSE_DENIED.contains(&name)
        || RESPONSE_DENIED_PREFIXES
            .iter()
            .any(|prefix| name.starts_with(prefix))
}

/// The field names that `Connection` ties to the connection, lower case.
pub(crate) fn connection_options(headers: &HeaderMap) -> BTreeSet<String> {
    headers
        .get_all(CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|text| text.split(','))
        .map(|token| token.trim_matches([' ', '\t']).to_ascii_lowercase())
        .collect()
}
