//! Fetches what is stored at the path of a write, as the same reader would.
//!
//! The request is built by the plan of that reading and goes to the upstream over the same pool, with the
//! same credential. Nothing of the answer leaves: it is compared, and what is true goes back up.

use http::header::{ACCEPT_LANGUAGE, USER_AGENT};
use http::{HeaderMap, Method, StatusCode};
use pingora::protocols::http::ServerSession;
use postern_filters::request_guard::write::Reading;
use postern_filters::{BodyError, ExchangePlan, Resource};

use super::Forwarding;
use super::request_body::RequestBody;
use super::send::{self, Sent};
use crate::exchange::Exchange;
use crate::hygiene::{CleanRequest, DeclaredBody};
use crate::respond::Problem;
use crate::service::Halt;

/// Fetches what is stored.
///
/// # Errors
/// There is no sound answer with status 200 and JSON that could have been shown.
pub(super) async fn fetch(
    forwarding: &Forwarding<'_>,
    plan: &ExchangePlan,
    session: &mut ServerSession,
    exchange: &mut Exchange,
) -> Result<Resource, Halt> {
    let mut headers = HeaderMap::new();
    for name in [ACCEPT_LANGUAGE, USER_AGENT] {
        for value in forwarding.request.headers.get_all(&name) {
            headers.append(name.clone(), value.clone());
        }
    }
    let request = CleanRequest {
        method: Method::GET,
        query: None,
        body: DeclaredBody::None,
        ..forwarding.request.with_headers(headers)
    };
    let reading = forwarding.with_request(&request, plan);
    let sent = send::send(&reading, session, exchange, RequestBody::None).await?;
    if let Some(visit) = forwarding.visit {
        visit.keep_cookies(&sent.head.headers);
        visit.commit().await?;
    }
    if sent.head.status != StatusCode::OK {
        return Err(Problem::WriteConflict.into());
    }
    let period = forwarding.upstream.read_time();
    let read = tokio::time::timeout(period.saturating_mul(4), read(forwarding, plan, sent)).await;
    let read = read.unwrap_or_else(|_elapsed| Err(Problem::UpstreamTimeout.into()));
    read.inspect_err(|halt| send::count(halt, exchange))
}

async fn read(
    forwarding: &Forwarding<'_>,
    plan: &ExchangePlan,
    sent: Sent,
) -> Result<Resource, Halt> {
    let Sent {
        mut lease, head, ..
    } = sent;
    lease.session.read_timeout = Some(forwarding.upstream.read_time());
    let mut reading = Reading::begin(plan, head.status, &head.headers).map_err(unreadable)?;
    loop {
        match lease.session.read_body_bytes().await {
            Ok(Some(bytes)) => reading.push(&bytes).map_err(unreadable)?,
            Ok(None) => break,
            Err(error) if error.etype == pingora::ErrorType::ReadTimedout => {
                return Err(Problem::UpstreamTimeout.into());
            }
            Err(_error) => return Err(Problem::UpstreamUnavailable.into()),
        }
    }
    forwarding.upstream.give_back(lease).await;
    reading.finish().map_err(unreadable)
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "INVARIANT: it is what `map_err` gives"
)]
fn unreadable(error: BodyError) -> Halt {
    tracing::info!(%error, "what is stored cannot be read");
    Problem::UnreadableBody.into()
}
