//! Sends the request upstream and waits for the head of the final answer.
//!
//! A request is sent a second time only when its method is idempotent, its body can be repeated, the
//! connection had been used before, and no answer came: then the upstream most likely closed an idle
//! connection just as it was chosen (RFC 9110 section 9.2.2).

use bytes::Bytes;
use http::StatusCode;
use pingora::ErrorType;
use pingora::protocols::http::ServerSession;

use super::request_body::{Intake, RequestBody};
use super::request_head;
use super::response_head::ResponseHead;
use super::upstream::Lease;
use super::{Forwarding, gone};
use crate::exchange::Exchange;
use crate::respond::Problem;
use crate::service::Halt;

/// How many interim answers (1xx) an upstream may send before the final one. All are dropped (D7).
const INTERIM_ANSWERS_MAX: usize = 16;

/// A request that was sent, and the head of its answer.
#[derive(Debug)]
pub(super) struct Sent {
    /// The connection, with the body of the answer still to come.
    pub lease: Lease,
    /// The head of the final answer.
    pub head: ResponseHead,
    /// Whether the request was sent to its end.
    pub request_ended: bool,
    /// What of the body was read already, and whether that is all of it.
    pub ahead: Option<Ahead>,
}

/// The beginning of a body that somebody had to read before it could be passed on. `Debug` shows nothing of it.
pub(super) struct Ahead {
    /// The bytes.
    pub bytes: Bytes,
    /// There are no more.
    pub ended: bool,
}

impl std::fmt::Debug for Ahead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ahead").finish_non_exhaustive()
    }
}

/// Why there is no answer.
enum Failure {
    /// Nothing came back: the request might be sent again.
    NoAnswer(Problem),
    /// Final.
    Final(Halt),
}

impl Failure {
    /// What the upstream did wrong, if it was the upstream.
    fn kind(&self) -> Option<&'static str> {
        match self {
            Self::NoAnswer(problem) => kind(&Halt::Refuse(problem.clone())),
            Self::Final(halt) => kind(halt),
        }
    }
}

impl From<Halt> for Failure {
    fn from(halt: Halt) -> Self {
        Self::Final(halt)
    }
}

/// Sends the request.
///
/// # Errors
/// There is no sound answer, or the client's body is not.
pub(super) async fn send(
    forwarding: &Forwarding<'_>,
    session: &mut ServerSession,
    exchange: &Exchange,
    body: RequestBody,
) -> Result<Sent, Halt> {
    let repeatable = forwarding.request.method.is_idempotent() && body.can_be_repeated();
    let mut attempt = Attempt {
        forwarding,
        session,
        exchange,
        body,
    };
    let mut outcome = attempt.run(false).await;
    if let Err((Failure::NoAnswer(_), true)) = &outcome
        && repeatable
    {
        outcome = attempt.run(true).await;
    }
    outcome.map_err(|(failure, _reused)| {
        let halt = match failure {
            Failure::NoAnswer(problem) => Halt::Refuse(problem),
            Failure::Final(halt) => halt,
        };
        count(&halt, exchange);
        halt
    })
}

/// Counts what the upstream did wrong.
pub(super) fn count(halt: &Halt, exchange: &Exchange) {
    if let Some(kind) = kind(halt) {
        exchange.metrics().upstream_failed(kind);
    }
}

/// What the upstream did wrong, if it was the upstream.
pub(super) fn kind(halt: &Halt) -> Option<&'static str> {
    match halt {
        Halt::Refuse(Problem::UpstreamUnavailable) => Some("unavailable"),
        Halt::Refuse(Problem::UpstreamTimeout) => Some("timeout"),
        Halt::Refuse(Problem::UnreadableBody) => Some("unreadable"),
        Halt::Refuse(_) | Halt::BreakOff => None,
    }
}

struct Attempt<'a, 'b> {
    forwarding: &'a Forwarding<'b>,
    session: &'a mut ServerSession,
    exchange: &'a Exchange,
    body: RequestBody,
}

impl Attempt<'_, '_> {
    /// One attempt; the flag of a failure says whether the connection had been used before.
    async fn run(&mut self, fresh: bool) -> Result<Sent, (Failure, bool)> {
        let upstream = self.forwarding.upstream;
        let method = &self.forwarding.request.method;
        let mut call = self.exchange.call(upstream.target(), method, fresh);
        let mut lease = match upstream.lease(fresh).await {
            Ok(lease) => lease,
            Err(problem) => {
                let halt = Halt::from(problem);
                call.failed(kind(&halt).unwrap_or("unavailable"));
                return Err((Failure::Final(halt), false));
            }
        };
        let reused = lease.reused;
        let answered = self.answered(&mut lease, call.traceparent()).await;
        lease.call = Some(Box::new(call));
        let (head, request_ended) = answered.map_err(|failure| {
            lease.failed(failure.kind());
            (failure, reused)
        })?;
        lease.answered(head.status);
        Ok(Sent {
            lease,
            head,
            request_ended,
            ahead: None,
        })
    }

    async fn answered(
        &mut self,
        lease: &mut Lease,
        traceparent: &str,
    ) -> Result<(ResponseHead, bool), Failure> {
        let head = request_head::build(self.forwarding, &self.body, traceparent)?;
        if let Err(error) = lease.session.write_request_header(head).await {
            return Err(Failure::NoAnswer(write_problem(&error)));
        }
        let request_ended = match &mut self.body {
            RequestBody::None => finish(lease).await,
            RequestBody::Whole(bytes) => {
                let bytes = bytes.clone();
                write(lease, &bytes).await && finish(lease).await
            }
            RequestBody::Streamed { first, intake, .. } => {
                let first = std::mem::take(first);
                let streaming = Streaming {
                    forwarding: self.forwarding,
                    session: &mut *self.session,
                    intake,
                };
                match streaming.run(lease, first).await? {
                    Streamed::Whole => true,
                    Streamed::CutShort => false,
                    Streamed::Answered(head) => return Ok((*head, false)),
                }
            }
        };
        // What a client sends ahead of its 101 belongs to the tunnel: looking for its end would take it.
        let watch_client = request_ended && self.forwarding.handshake.is_none();
        // An upstream that stopped reading may have said why.
        let head = tokio::select! {
            biased;
            head = final_head(self.forwarding, lease) => head?,
            () = gone(self.session, watch_client) => return Err(Failure::Final(Halt::BreakOff)),
        };
        Ok((head, request_ended))
    }
}

struct Streaming<'a, 'b> {
    forwarding: &'a Forwarding<'b>,
    session: &'a mut ServerSession,
    intake: &'a mut Intake,
}

enum Streamed {
    Whole,
    CutShort,
    Answered(Box<ResponseHead>),
}

impl Streaming<'_, '_> {
    /// Streams the body, and stops when the upstream answers early.
    async fn run(self, lease: &mut Lease, first: Bytes) -> Result<Streamed, Failure> {
        if !write(lease, &first).await {
            return Ok(Streamed::CutShort);
        }
        loop {
            let next = tokio::select! {
                biased;
                next = self.intake.next(self.forwarding, self.session) => next?,
                head = early_head(lease) => return Ok(Streamed::Answered(Box::new(head?))),
            };
            match next {
                Some(bytes) => {
                    if !write(lease, &bytes).await {
                        return Ok(Streamed::CutShort);
                    }
                }
                None if finish(lease).await => return Ok(Streamed::Whole),
                None => return Ok(Streamed::CutShort),
            }
        }
    }
}

async fn write(lease: &mut Lease, bytes: &[u8]) -> bool {
    lease.session.write_body(bytes).await.is_ok()
}

async fn finish(lease: &mut Lease) -> bool {
    lease.session.finish_body().await.is_ok()
}

/// The head of an answer that comes before the request has ended. There is no clock: the client's runs.
async fn early_head(lease: &mut Lease) -> Result<ResponseHead, Failure> {
    lease.session.read_timeout = None;
    read_final_head(lease, false).await
}

/// The head of the final answer, within the upstream's time.
async fn final_head(
    forwarding: &Forwarding<'_>,
    lease: &mut Lease,
) -> Result<ResponseHead, Failure> {
    let time = forwarding.upstream.read_time();
    // All of its reads together have that time: none needs a timer of its own.
    lease.session.read_timeout = None;
    let switches = forwarding.handshake.is_some();
    match tokio::time::timeout(time, read_final_head(lease, switches)).await {
        Ok(head) => head,
        Err(_elapsed) => Err(Failure::Final(Problem::UpstreamTimeout.into())),
    }
}

/// A 101 is final, and sound only where the request asked for it.
async fn read_final_head(lease: &mut Lease, switches: bool) -> Result<ResponseHead, Failure> {
    for _ in 0..=INTERIM_ANSWERS_MAX {
        if let Err(error) = lease.session.read_response().await {
            return Err(read_failure(&error));
        }
        let raw = lease.session.get_headers_raw_bytes();
        let head = ResponseHead::read(&raw).map_err(|unsound| {
            tracing::info!(what = unsound.0, "the upstream's head is unsound");
            unreadable()
        })?;
        if head.status == StatusCode::SWITCHING_PROTOCOLS {
            return if switches {
                Ok(head)
            } else {
                Err(unreadable())
            };
        }
        if !head.status.is_informational() {
            return Ok(head);
        }
    }
    Err(unreadable())
}

fn unreadable() -> Failure {
    Failure::Final(Problem::UnreadableBody.into())
}

fn read_failure(error: &pingora::Error) -> Failure {
    if error.etype == ErrorType::ReadTimedout {
        return Failure::Final(Problem::UpstreamTimeout.into());
    }
    if error.etype == ErrorType::InvalidHTTPHeader {
        return unreadable();
    }
    Failure::NoAnswer(Problem::UpstreamUnavailable)
}

fn write_problem(error: &pingora::Error) -> Problem {
    if error.etype == ErrorType::WriteTimedout {
        Problem::UpstreamTimeout
    } else {
        Problem::UpstreamUnavailable
    }
}
