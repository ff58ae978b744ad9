//! Every answer of our own: RFC 9457 problem details, and the one match from problem to status.
//!
//! No detail holds anything of the data, of the request's headers or of the upstream. Nothing of the
//! server library's own error pages is ever sent.

use bytes::Bytes;
use http::StatusCode;
use http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE,
};
use pingora::http::ResponseHeader;
use pingora::protocols::http::ServerSession;
use postern_filters::DenyReason;

use crate::exchange::{Ending, Exchange};
use crate::hygiene::Refusal;
use crate::identity::IdentityError;

/// Why a client gets a problem instead of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Problem {
    /// The request is not sound.
    Refusal(Refusal),
    /// The head or the body took too long to arrive.
    RequestTimeout,
    /// The body is larger than the limit.
    BodyTooLarge,
    /// Nobody was recognised.
    Identity(IdentityError),
    /// The policy says no.
    Denied(DenyReason),
    /// What is stored is not what the write was made from.
    WriteConflict,
    /// There is no room for another exchange.
    Overloaded,
    /// The upstream's answer cannot be read, so nothing of it may leave.
    UnreadableBody,
    /// The upstream cannot be reached, or broke off.
    UpstreamUnavailable,
    /// The upstream took too long.
    UpstreamTimeout,
}

/// What a problem looks like to the client.
struct Face {
    status: StatusCode,
    slug: &'static str,
    title: &'static str,
    detail: String,
}

impl Problem {
    /// The problem's slug (spec of the HTTP conventions).
    pub(crate) fn slug(&self) -> &'static str {
        self.face().slug
    }

    /// Whether the problem is about the upstream's answer.
    fn ending(&self) -> Ending {
        match self {
            Self::UnreadableBody | Self::UpstreamUnavailable | Self::UpstreamTimeout => {
                Ending::Withheld
            }
            Self::Refusal(_)
            | Self::RequestTimeout
            | Self::BodyTooLarge
            | Self::Identity(_)
            | Self::Denied(_)
            | Self::WriteConflict
            | Self::Overloaded => Ending::Refused,
        }
    }

    /// Whether the connection must be closed: after it, nobody can be sure where the next request
    /// begins.
    fn closes(&self) -> bool {
        match self {
            Self::Refusal(_) | Self::RequestTimeout | Self::BodyTooLarge => true,
            Self::Denied(reason) => *reason == DenyReason::UpgradeRefused,
            Self::Identity(_)
            | Self::WriteConflict
            | Self::Overloaded
            | Self::UnreadableBody
            | Self::UpstreamUnavailable
            | Self::UpstreamTimeout => false,
        }
    }

    fn face(&self) -> Face {
        match self {
            Self::Refusal(refusal) => refusal_face(*refusal),
            Self::RequestTimeout => face(
                StatusCode::REQUEST_TIMEOUT,
                "request-timeout",
                "The request took too long",
                "send the whole request without long pauses",
            ),
            Self::BodyTooLarge => face(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body-too-large",
                "The request's body is too large",
                "send less at once; the limit is `limits.request_body`, and `limits.held_bytes` where fields are hidden from you",
            ),
            Self::Identity(error) => identity_face(*error),
            Self::Denied(reason) => denied_face(reason),
            Self::WriteConflict => face(
                StatusCode::CONFLICT,
                "write-conflict",
                "The write does not fit what is stored",
                "it changed meanwhile, or it cannot be told which hidden value belongs where; read it again, and change fewer elements at once",
            ),
            Self::Overloaded => face(
                StatusCode::SERVICE_UNAVAILABLE,
                "overloaded",
                "Too many exchanges at once",
                "try again in a moment",
            ),
            Self::UnreadableBody => face(
                StatusCode::BAD_GATEWAY,
                "unreadable-body",
                "The answer cannot be read and was withheld",
                "the application answered with something that cannot be redacted; nothing of it was passed on",
            ),
            Self::UpstreamUnavailable => face(
                StatusCode::BAD_GATEWAY,
                "upstream-unavailable",
                "The application cannot be reached",
                "the application did not answer, or broke off; try again in a moment",
            ),
            Self::UpstreamTimeout => face(
                StatusCode::GATEWAY_TIMEOUT,
                "upstream-unavailable",
                "The application took too long",
                "the application did not answer in time; try again in a moment",
            ),
        }
    }
}

fn face(
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
    }
}

fn refusal_face(refusal: Refusal) -> Face {
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

fn identity_face(error: IdentityError) -> Face {
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

fn denied_face(reason: &DenyReason) -> Face {
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

/// Writes a problem to a client that has not been sent a head yet.
///
/// # Errors
/// The client is gone.
pub(crate) async fn refuse(
    session: &mut ServerSession,
    exchange: &mut Exchange,
    problem: &Problem,
) -> pingora::Result<()> {
    let shown = problem.face();
    exchange.note_problem(shown.slug);
    if problem.closes() {
        session.set_keepalive(None);
    }
    let body = Bytes::from(problem_json(&shown, exchange.id()));
    let mut head = ResponseHeader::build(shown.status, Some(8))?;
    head.insert_header(CONTENT_TYPE, "application/problem+json")?;
    head.insert_header(CONTENT_LENGTH, body.len())?;
    head.insert_header(CACHE_CONTROL, "no-store")?;
    head.insert_header("X-Content-Type-Options", "nosniff")?;
    if !exchange.revision().is_empty() {
        head.insert_header("Postern-Revision", exchange.revision())?;
    }
    add_particulars(&mut head, problem, shown.status)?;
    session.write_response_header(Box::new(head)).await?;
    exchange.note_status(shown.status);
    if !exchange.asks_for_head_only() {
        exchange.note_sent(body.len());
        session.write_response_body(body, true).await?;
    }
    session.finish_body().await?;
    exchange.end(problem.ending());
    Ok(())
}

/// The fields that belong to one status only.
fn add_particulars(
    head: &mut ResponseHeader,
    problem: &Problem,
    status: StatusCode,
) -> pingora::Result<()> {
    if status == StatusCode::UNAUTHORIZED {
        let invalid = *problem == Problem::Identity(IdentityError::Invalid);
        let challenge = if invalid {
            "Bearer error=\"invalid_token\""
        } else {
            "Bearer"
        };
        head.insert_header(WWW_AUTHENTICATE, challenge)?;
    }
    if status == StatusCode::SERVICE_UNAVAILABLE {
        head.insert_header(RETRY_AFTER, "1")?;
    }
    match problem {
        Problem::Denied(DenyReason::MethodNotAllowed { allow }) => {
            head.insert_header(ALLOW, allow.join(", "))?;
        }
        Problem::Refusal(Refusal::Method) => {
            head.insert_header(ALLOW, "GET, HEAD, OPTIONS, POST, PUT, PATCH, DELETE")?;
        }
        Problem::Refusal(_)
        | Problem::RequestTimeout
        | Problem::BodyTooLarge
        | Problem::Identity(_)
        | Problem::Denied(_)
        | Problem::WriteConflict
        | Problem::Overloaded
        | Problem::UnreadableBody
        | Problem::UpstreamUnavailable
        | Problem::UpstreamTimeout => {}
    }
    Ok(())
}

fn problem_json(face: &Face, exchange_id: &str) -> String {
    serde_json::json!({
        "type": format!("urn:postern:problem:{}", face.slug),
        "title": face.title,
        "status": face.status.as_u16(),
        "detail": face.detail,
        "exchange_id": exchange_id,
    })
    .to_string()
}
