//! Sends a write after its body was judged; where the policy says `restore`, with the true values in it.
//!
//! ```text
//! body ─▶ judge ──────────────────────────────▶ send
//!      └▶ fetch what is stored ─▶ restore ─▶ send with If-Match ─▶ 412: fetch again, once, and only if
//!                                                                 the role would be shown the same
//! ```
//!
//! Where the fetched representation has a strong entity tag, the write carries that and no other condition:
//! what the client asks for must hold for it, or the write is refused.
//!
//! An upstream that gives no strong entity tag leaves a window between the fetch and the write, in which
//! somebody else's change of a hidden value would be overwritten by the older one.

use bytes::Bytes;
use http::StatusCode;
use http::header::{IF_MATCH, IF_UNMODIFIED_SINCE};
use pingora::protocols::http::ServerSession;
use postern_filters::{DenyReason, ExchangePlan, Resource, WriteError, WriteGuard};

use super::request_body::RequestBody;
use super::send::{self, Sent};
use super::{Forwarding, stored};
use crate::exchange::Exchange;
use crate::hygiene::Refusal;
use crate::respond::Problem;
use crate::service::Halt;

/// Judges a write and sends it.
///
/// # Errors
/// The write may not go up, what is stored does not fit it, or there is no sound answer.
pub(super) async fn send(
    forwarding: &Forwarding<'_>,
    guard: &WriteGuard,
    session: &mut ServerSession,
    exchange: &mut Exchange,
    body: RequestBody,
) -> Result<Sent, Halt> {
    let read = body.read_whole(forwarding, session, guard.body_bytes_max());
    let Some(body) = read.await? else {
        return send::send(forwarding, session, exchange, RequestBody::None).await;
    };
    let Some(plan) = guard.restores() else {
        let judged = guard.judge(&body).map_err(|error| halt(&error))?;
        let judged = RequestBody::Whole(judged.into());
        return send::send(forwarding, session, exchange, judged).await;
    };
    let restoring = Restoring {
        forwarding,
        guard,
        plan,
        body,
    };
    restoring.run(session, exchange).await
}

/// A write whose hidden values are put back.
struct Restoring<'a, 'b> {
    forwarding: &'a Forwarding<'b>,
    guard: &'a WriteGuard,
    plan: &'a ExchangePlan,
    body: Bytes,
}

impl Restoring<'_, '_> {
    async fn run(
        &self,
        session: &mut ServerSession,
        exchange: &mut Exchange,
    ) -> Result<Sent, Halt> {
        let seen = stored::fetch(self.forwarding, self.plan, session, exchange).await?;
        let (sent, ours) = self.send(&seen, session, exchange).await?;
        if !ours || sent.head.status != StatusCode::PRECONDITION_FAILED {
            return Ok(sent);
        }
        // The condition was ours, so the client is not to hear of it. Its answer is dropped with its
        // connection.
        if let Some(visit) = self.forwarding.visit {
            visit.keep_cookies(&sent.head.headers);
            visit.commit().await?;
        }
        drop(sent);
        let now = stored::fetch(self.forwarding, self.plan, session, exchange).await?;
        if !now.looks_like(&seen) {
            return Err(Problem::WriteConflict.into());
        }
        let (sent, ours) = self.send(&now, session, exchange).await?;
        match ours && sent.head.status == StatusCode::PRECONDITION_FAILED {
            true => Err(Problem::WriteConflict.into()),
            false => Ok(sent),
        }
    }

    /// Sends the write with the true values of what is stored; says whether the condition is ours.
    async fn send(
        &self,
        stored: &Resource,
        session: &mut ServerSession,
        exchange: &mut Exchange,
    ) -> Result<(Sent, bool), Halt> {
        let restored = self.guard.restore(&self.body, stored);
        let restored = RequestBody::Whole(restored.map_err(|error| halt(&error))?.into());
        let client = &self.forwarding.request.headers;
        match stored.condition(client).map_err(|error| halt(&error))? {
            None => {
                let sent = send::send(self.forwarding, session, exchange, restored).await?;
                Ok((sent, false))
            }
            Some(tag) => {
                let mut headers = client.clone();
                headers.insert(IF_MATCH, tag.clone());
                headers.remove(IF_UNMODIFIED_SINCE);
                let request = self.forwarding.request.with_headers(headers);
                let conditional = self.forwarding.with_request(&request, self.forwarding.plan);
                let sent = send::send(&conditional, session, exchange, restored).await?;
                Ok((sent, true))
            }
        }
    }
}

/// What a client is told about a write that does not go up.
fn halt(error: &WriteError) -> Halt {
    tracing::debug!(%error, "a write was refused");
    Halt::Refuse(match error {
        WriteError::Hidden { labels } => Problem::Denied(DenyReason::WriteOfHiddenField {
            labels: labels.clone(),
        }),
        WriteError::Ambiguous(what) => Problem::Refusal(Refusal::Ambiguous(what)),
        WriteError::TooLarge => Problem::BodyTooLarge,
        WriteError::Conflict(_) => Problem::WriteConflict,
        WriteError::Stored(_) => Problem::UnreadableBody,
    })
}
