//! Every answer of our own: RFC 9457 problem details, and the one match from problem to status. A person who goes
//! to a page in a browser reads the same in words.
//!
//! No detail holds anything of the data, of the request's headers or of the upstream. Nothing of the
//! server library's own error pages is ever sent.

#[cfg(test)]
mod each;
mod faces;
mod own;
mod page;
mod quota;
mod session;

use bytes::Bytes;
use http::StatusCode;
use http::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE,
    RETRY_AFTER, VARY, WWW_AUTHENTICATE,
};
use pingora::http::ResponseHeader;
use pingora::protocols::http::ServerSession;
use postern_filters::DenyReason;

use crate::exchange::{Ending, Exchange};
use crate::hygiene::Refusal;
use crate::identity::IdentityError;
use crate::session::browser_fields::SEC_FETCH_MODE;

#[cfg(test)]
pub(crate) use each::each_problem;
use faces::{Face, denied_face, face, identity_face, proof_face, refusal_face, unrecorded_face};
pub(crate) use own::{Own, add_receipt, own};
pub(crate) use page::{PAGE_TYPE, escaped, page, policy};
pub(crate) use quota::{QuotaRefusal, STEP_UP_AGE_MAX};
pub(crate) use session::{EVERYTHING, SessionProblem, SessionRefusal};

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
    /// There is no session, or not one that may do this.
    Session(Box<SessionRefusal>),
    /// There is no room for another exchange.
    Overloaded,
    /// A quota does not allow it.
    Quota(Box<QuotaRefusal>),
    /// What would happen cannot be put on record, so it does not happen.
    AuditUnavailable,
    /// There is no proof of an entry there, at least not yet.
    ProofUnavailable,
    /// Nobody can count what is used of a quota, so nothing may be used.
    StoreUnavailable,
    /// The upstream's answer cannot be read, so nothing of it may leave.
    UnreadableBody,
    /// The upstream cannot be reached, or broke off.
    UpstreamUnavailable,
    /// The upstream took too long.
    UpstreamTimeout,
}

impl Problem {
    /// The problem's slug (spec of the HTTP conventions).
    pub(crate) fn slug(&self) -> &'static str {
        self.face().slug
    }

    /// Whether the person has as many sessions as allowed.
    pub(crate) fn is_session_limit(&self) -> bool {
        matches!(self, Self::Session(refusal) if refusal.problem == SessionProblem::Limit)
    }

    /// How an exchange ends that meets this problem.
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
            | Self::Session(_)
            | Self::Overloaded
            | Self::Quota(_)
            | Self::AuditUnavailable
            | Self::ProofUnavailable
            | Self::StoreUnavailable => Ending::Refused,
        }
    }

    /// Whether there is a sound request that says how it is read.
    fn has_request(&self) -> bool {
        !matches!(self, Self::Refusal(_) | Self::RequestTimeout)
    }

    /// Whether the connection must be closed: after it, nobody can be sure where the next request
    /// begins.
    fn closes(&self) -> bool {
        match self {
            Self::Refusal(_) | Self::RequestTimeout | Self::BodyTooLarge => true,
            Self::Denied(reason) => *reason == DenyReason::UpgradeRefused,
            Self::Identity(_)
            | Self::WriteConflict
            | Self::Session(_)
            | Self::Overloaded
            | Self::Quota(_)
            | Self::AuditUnavailable
            | Self::ProofUnavailable
            | Self::StoreUnavailable
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
            Self::Session(refusal) => refusal.face(),
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
            Self::Quota(refusal) => refusal.face(),
            Self::AuditUnavailable => unrecorded_face(),
            Self::ProofUnavailable => proof_face(),
            Self::StoreUnavailable => face(
                StatusCode::SERVICE_UNAVAILABLE,
                "store-unavailable",
                "Nobody can count now what may still leave",
                "the store of the quotas does not answer; try again in a moment",
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

/// Writes a problem to a client that has not been sent a head yet.
///
/// # Errors
/// The client is gone.
pub(crate) async fn refuse(
    session: &mut ServerSession,
    exchange: &mut Exchange,
    problem: &Problem,
) -> pingora::Result<()> {
    if matches!(problem, Problem::Refusal(_)) {
        exchange.note_malformed();
    }
    let is_negotiated = problem.has_request();
    let is_page = is_negotiated && page::is_shown(&session.req_header().headers);
    let mut shown = problem.face();
    exchange.note_problem(shown.slug);
    // SECURITY: a refusal that cannot be put on record tells nothing of its reason.
    let recorded = exchange
        .before_last_byte(problem.ending(), shown.status, 0)
        .await;
    let problem = match &recorded {
        Ok(()) => problem,
        Err(unrecorded) => {
            shown = unrecorded.face();
            exchange.note_problem(shown.slug);
            unrecorded
        }
    };
    if problem.closes() {
        session.set_keepalive(None);
    }
    let mut head = ResponseHeader::build(shown.status, Some(8))?;
    let body = match is_page {
        true => problem_page(&mut head, &shown, exchange)?,
        false => problem_json(&mut head, &shown, exchange)?,
    };
    if is_negotiated {
        head.insert_header(VARY, format!("{ACCEPT}, {SEC_FETCH_MODE}"))?;
    }
    head.insert_header(CONTENT_LENGTH, body.len())?;
    head.insert_header(CACHE_CONTROL, "no-store")?;
    head.insert_header("X-Content-Type-Options", "nosniff")?;
    if !exchange.revision().is_empty() {
        head.insert_header("Postern-Revision", exchange.revision())?;
    }
    add_receipt(&mut head, exchange)?;
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
    if let Problem::Quota(refusal) = problem {
        return refusal.add_fields(head);
    }
    if let Problem::Session(session) = problem {
        return session.add_fields(head);
    }
    // Every 401 has a challenge (RFC 9110 section 15.5.2), and none is registered for a client certificate, or for
    // what a neighbour says of its clients: there it means no more than that something else has to name somebody.
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
        | Problem::Session(_)
        | Problem::Overloaded
        | Problem::Quota(_)
        | Problem::AuditUnavailable
        | Problem::ProofUnavailable
        | Problem::StoreUnavailable
        | Problem::UnreadableBody
        | Problem::UpstreamUnavailable
        | Problem::UpstreamTimeout => {}
    }
    Ok(())
}

/// Problem details (RFC 9457).
fn problem_json(
    head: &mut ResponseHeader,
    face: &Face,
    exchange: &Exchange,
) -> pingora::Result<Bytes> {
    head.insert_header(CONTENT_TYPE, "application/problem+json")?;
    let mut problem = serde_json::json!({
        "type": format!("urn:postern:problem:{}", face.slug),
        "title": face.title,
        "status": face.status.as_u16(),
        "detail": face.detail,
        "exchange_id": exchange.id(),
        "trace_id": exchange.trace_id(),
    });
    if let (Some(quota), Some(members)) = (&face.quota, problem.as_object_mut()) {
        members.insert("quota".to_owned(), quota.clone());
    }
    Ok(problem.to_string().into())
}

/// The same for people. Pages of the application may show it in a frame, as what they asked for.
fn problem_page(
    head: &mut ResponseHeader,
    face: &Face,
    exchange: &Exchange,
) -> pingora::Result<Bytes> {
    let policy = policy("form-action 'none'; frame-ancestors 'self'");
    head.insert_header(CONTENT_TYPE, PAGE_TYPE)?;
    head.insert_header(CONTENT_SECURITY_POLICY, policy)?;
    Ok(page::of_problem(face, exchange.id(), exchange.trace_id()).into())
}
