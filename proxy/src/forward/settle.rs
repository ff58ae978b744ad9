//! What an answer means for the session, before any of it is passed on: a login, a logout, or that the
//! application has ended its own.

use bytes::{Bytes, BytesMut};
use http::header::LOCATION;
use http::{HeaderMap, Method};
use pingora::protocols::http::ServerSession;

use super::Forwarding;
use super::request_body::RequestBody;
use super::send::{self, Ahead, Sent};
use crate::exchange::Exchange;
use crate::hygiene::{CleanRequest, DeclaredBody};
use crate::respond::{Problem, SessionProblem};
use crate::service::Halt;
use crate::visit::{Settling, Visit};

/// The longest answer that says who has logged in, in bytes.
const ANSWER_BYTES_MAX: usize = 256 << 10;

/// Settles what an answer means for the session. `posted` is the request's body, when it was short.
///
/// # Errors
/// Nobody can keep the session, or nothing may be passed on.
pub(super) async fn settle(
    forwarding: &Forwarding<'_>,
    session: &mut ServerSession,
    exchange: &mut Exchange,
    sent: &mut Sent,
    (visit, posted): (&Visit, Option<&Bytes>),
) -> Result<(), Halt> {
    visit.keep_cookies(&sent.head.headers);
    let mut pointers = HeaderMap::new();
    pointers.extend(
        sent.head
            .headers
            .get(LOCATION)
            .map(|to| (LOCATION, to.clone())),
    );
    forwarding.upstream.localise(&mut pointers);
    let location = pointers.get(LOCATION);
    let location = location.and_then(|location| location.to_str().ok());
    if visit.is_over_upstream(sent.head.status, location) {
        visit.end_own("upstream-expired").await?;
        if sent.head.status == http::StatusCode::UNAUTHORIZED {
            return Err(Problem::from(SessionProblem::Expired).into());
        }
        return Ok(());
    }
    log_in(forwarding, visit, (session, exchange), sent, posted).await?;
    if visit.is_logout() {
        visit.end_own("logout").await?;
    } else {
        visit.begin_if_needed(&sent.head.headers).await?;
        visit.rotate_if_due().await?;
    }
    // Whatever becomes of the answer, the application counts on its cookies from now on.
    visit.commit().await?;
    Ok(())
}

/// Takes up a login, if the answer is one.
async fn log_in(
    forwarding: &Forwarding<'_>,
    visit: &Visit,
    (session, exchange): (&mut ServerSession, &mut Exchange),
    sent: &mut Sent,
    posted: Option<&Bytes>,
) -> Result<(), Halt> {
    let (status, answer) = (sent.head.status, sent.head.headers.clone());
    let settling = Settling {
        method: &forwarding.request.method,
        request: &forwarding.request.headers,
        query: forwarding.request.query.as_deref(),
        posted,
        status,
        answer: &answer,
    };
    let body = match visit.reads_answer(&settling) {
        true => Some(counted(read_ahead(forwarding, sent).await, exchange)?),
        false => None,
    };
    let asked = match visit.asks_at(&settling, body.as_deref()) {
        Some(path) => Some(ask(forwarding, path, (session, exchange)).await?),
        None => None,
    };
    let logging_in = visit.log_in(&settling, body.as_deref(), asked.as_deref());
    Ok(logging_in.await?)
}

/// What the upstream does wrong before its answer is relayed counts too.
fn counted<T>(read: Result<T, Halt>, exchange: &Exchange) -> Result<T, Halt> {
    read.inspect_err(|halt| send::count(halt, exchange))
}

/// Reads an answer's body before it is passed on. One that is too long says nothing.
async fn read_ahead(forwarding: &Forwarding<'_>, sent: &mut Sent) -> Result<Bytes, Halt> {
    let mut read = BytesMut::new();
    let ended = read_until(forwarding, sent, &mut read).await?;
    let bytes = read.freeze();
    sent.ahead = Some(Ahead {
        bytes: bytes.clone(),
        ended,
    });
    Ok(match ended {
        true => bytes,
        false => Bytes::new(),
    })
}

/// Asks the application who has logged in, with the cookies that the login brought.
async fn ask(
    forwarding: &Forwarding<'_>,
    path: &str,
    (session, exchange): (&mut ServerSession, &mut Exchange),
) -> Result<Bytes, Halt> {
    let request = CleanRequest {
        method: Method::GET,
        path: path.to_owned(),
        query: None,
        body: DeclaredBody::None,
        ..forwarding.request.with_headers(HeaderMap::new())
    };
    let asking = forwarding.with_request(&request, forwarding.plan);
    let mut sent = send::send(&asking, session, exchange, RequestBody::None).await?;
    if let Some(visit) = forwarding.visit {
        visit.keep_cookies(&sent.head.headers);
    }
    let mut read = BytesMut::new();
    let ended = counted(read_until(forwarding, &mut sent, &mut read).await, exchange)?;
    if !ended || !sent.head.status.is_success() {
        return Ok(Bytes::new());
    }
    forwarding.upstream.give_back(sent.lease).await;
    Ok(read.freeze())
}

/// Reads a body to its end, or past what is read of it at most; says whether it has ended.
async fn read_until(
    forwarding: &Forwarding<'_>,
    sent: &mut Sent,
    read: &mut BytesMut,
) -> Result<bool, Halt> {
    let period = forwarding.upstream.read_time();
    sent.lease.session.read_timeout = Some(period);
    let reading = async {
        while read.len() <= ANSWER_BYTES_MAX {
            match sent.lease.session.read_body_bytes().await {
                Ok(Some(bytes)) => read.extend_from_slice(&bytes),
                Ok(None) => return Ok(true),
                Err(_error) => return Err(Halt::from(Problem::UpstreamUnavailable)),
            }
        }
        Ok(false)
    };
    match tokio::time::timeout(period, reading).await {
        Ok(ended) => ended,
        Err(_elapsed) => Err(Problem::UpstreamTimeout.into()),
    }
}
