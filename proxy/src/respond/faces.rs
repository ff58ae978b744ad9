//! What refusals look like to a client: one match from reason to status, slug and words.

use http::StatusCode;
use postern_filters::DenyReason;

use crate::hygiene::Refusal;
use crate::identity::IdentityError;

/// What a problem looks like to the client.
pub(super) struct Face {
    pub(super) status: StatusCode,
    pub(super) slug: &'static str,
    pub(super) title: &'static str,
    pub(super) detail: String,
    /// What is known of the quota that is used up; a member of the problem.
    pub(super) quota: Option<serde_json::Value>,
}

/// A face with its words.
pub(super) fn face(
    status: StatusCode,
    slug: &'static str,
    title: &'static str,
    detail: impl Into<String>,
) -> Face {
    Face {
        status,
        slug,
        title,
        detail: detail.into(),
        quota: None,
    }
}

/// A request that is not sound.
pub(super) fn refusal_face(refusal: Refusal) -> Face {
    match refusal {
        Refusal::Ambiguous(what) => face(
            StatusCode::BAD_REQUEST,
            "ambiguous-request",
            "The request is ambiguous",
            format!("it could mean two things to two readers: {what}"),
        ),
        Refusal::Misdirected => face(
            StatusCode::MISDIRECTED_REQUEST,
            "misdirected-request",
            "This host is not served here",
            "send the request to a host that is named under `listen.hosts`",
        ),
        Refusal::Outdated => face(
            StatusCode::MISDIRECTED_REQUEST,
            "connection-outdated",
            "The authorities of client certificates have changed",
            "connect again, and send the request on the new connection",
        ),
        Refusal::TargetTooLong => face(
            StatusCode::URI_TOO_LONG,
            "target-too-long",
            "The target is too long",
            "shorten the path or the query; the limit is `limits.target_bytes`",
        ),
        Refusal::HeadersTooLarge => face(
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "headers-too-large",
            "The header block is too large",
            "send fewer or shorter headers; the limits are `limits.header_bytes` and `limits.header_count`",
        ),
        Refusal::Version => face(
            StatusCode::HTTP_VERSION_NOT_SUPPORTED,
            "version-not-supported",
            "The protocol version is not served",
            "use HTTP/1.1, or HTTP/2 over TLS",
        ),
        Refusal::Expectation => face(
            StatusCode::EXPECTATION_FAILED,
            "expectation-failed",
            "The expectation is not met here",
            "send the request again without `Expect`, or with `100-continue` alone",
        ),
        Refusal::Method => face(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "The method is never served",
            "tunnels and traces are refused on every route",
        ),
    }
}

/// The audit log takes no entries.
pub(super) fn unrecorded_face() -> Face {
    face(
        StatusCode::SERVICE_UNAVAILABLE,
        "audit-unavailable",
        "This cannot be put on record, so it is not done",
        "the audit log takes no entries; try again in a moment",
    )
}

/// Nothing is published there yet.
pub(super) fn proof_face() -> Face {
    face(
        StatusCode::NOT_FOUND,
        "proof-unavailable",
        "There is no proof of that entry yet",
        "a proof can be had when the next checkpoint is published; ask again in a moment, with the index of your receipt",
    )
}

/// Nobody was recognised.
pub(super) fn identity_face(error: IdentityError) -> Face {
    match error {
        IdentityError::Missing => face(
            StatusCode::UNAUTHORIZED,
            "identity-missing",
            "Nobody is named",
            "send credentials of the kind that the policy's `identity` names",
        ),
        IdentityError::Invalid => face(
            StatusCode::UNAUTHORIZED,
            "identity-invalid",
            "The credentials are not accepted",
            "get new credentials and try again",
        ),
        IdentityError::Unavailable => face(
            StatusCode::SERVICE_UNAVAILABLE,
            "identity-unavailable",
            "Credentials cannot be checked now",
            "the keys that verify credentials cannot be had; try again in a moment",
        ),
    }
}

/// The policy says no.
pub(super) fn denied_face(reason: &DenyReason) -> Face {
    let forbidden = |slug, title, detail: &str| face(StatusCode::FORBIDDEN, slug, title, detail);
    match reason {
        DenyReason::PolicyUnavailable => face(
            StatusCode::SERVICE_UNAVAILABLE,
            "policy-unavailable",
            "No policy is in force",
            "try again when a policy has been loaded",
        ),
        DenyReason::RouteDenied => forbidden(
            "route-denied",
            "This route is not open",
            "no route of the policy allows it; ask whoever writes the policy",
        ),
        DenyReason::MethodNotAllowed { .. } => face(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "The route does not take this method",
            "use one of the methods under `Allow`",
        ),
        DenyReason::NoRole => forbidden(
            "no-role",
            "You have no role here",
            "none of your groups is a role of the policy; ask whoever manages your access",
        ),
        DenyReason::QueryNotAllowed => face(
            StatusCode::BAD_REQUEST,
            "query-not-allowed",
            "A query parameter is not allowed",
            "send only the parameters that the route's `query` and `params` name, each once, in a form that can be read",
        ),
        DenyReason::QueryOnHiddenField => forbidden(
            "query-on-hidden-field",
            "A query parameter asks about a hidden field",
            "your roles do not see the field in full, so they may not filter, sort, search or select by it",
        ),
        DenyReason::WriteOfHiddenField { labels } => forbidden(
            "write-of-hidden-field",
            "The write reaches a field that you do not see",
            &hidden_detail(labels),
        ),
        DenyReason::UpgradeRefused => forbidden(
            "upgrade-refused",
            "The connection may not change its protocol",
            "ask without `Upgrade`",
        ),
        DenyReason::UnsupportedMediaType => face(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-media-type",
            "The route does not take this kind of body",
            "send a body of a kind that the route knows",
        ),
        DenyReason::NotAcceptable => face(
            StatusCode::NOT_ACCEPTABLE,
            "not-acceptable",
            "Nothing acceptable can be sent",
            "accept `application/json` and a content coding that can be redacted",
        ),
    }
}

/// Names labels, never values: label names are the policy author's words.
fn hidden_detail(labels: &[String]) -> String {
    let which = match labels {
        [] => "fields that carry no label".to_owned(),
        labels => labels.join(", "),
    };
    format!(
        "your roles do not see {which} in full here, and a write may neither change, delete, move nor \
         ask for what you do not see; leave it out"
    )
}
