//! The upstream leg of an exchange: sends the request on, judges the answer's head, and lets the body
//! through its pipeline to the client.
//!
//! ```text
//! client body ─▶ RequestBody ─▶ Upstream ─▶ ResponseHead ─▶ plan.respond() ─▶ BodyPipeline
//!                                                                 │                 │
//! client ◀──────────── Outgoing (holds head and body up to 64 KiB decoded) ◀────────┘
//! ```
//!
//! A WebSocket that is allowed leaves this way with its 101 (`tunnel`).
//!
//! The body of a write that could reach hidden fields is judged first (`guarded`).
//!
//! While nothing has left, every failure is a clean problem. Once the head has left, a failure breaks
//! the message off visibly (D14). Only bytes of the pipeline are ever written as a body.

mod charged;
mod guarded;
mod handshake;
mod outgoing;
mod pointers;
mod reachability;
mod relay;
mod request_body;
mod request_head;
mod response_head;
mod send;
mod settle;
mod stopwatch;
mod stored;
mod tunnel;
mod upstream;

use std::time::Duration;

use http::StatusCode;
use pingora::protocols::http::ServerSession;
use postern_filters::ExchangePlan;

use crate::clock::Clock;
use crate::exchange::Exchange;
use crate::hygiene::CleanRequest;
use crate::identity::PeerFacts;
use crate::lifecycle::Lifecycle;
use crate::listener::Watch;
use crate::service::Halt;
use crate::visit::Visit;

pub(crate) use handshake::Handshake;
use request_body::RequestBody;
pub(crate) use tunnel::Tunnel;
pub(crate) use upstream::Upstream;

/// How long one write to a client may take. A client that reads slower than one buffer in this time is
/// let go.
pub(crate) const WRITE_TIME_MAX: Duration = Duration::from_secs(30);

/// What the leg needs of one exchange.
pub(crate) struct Forwarding<'a> {
    /// The legacy application.
    pub upstream: &'a Upstream,
    /// What time it is.
    pub clock: &'a dyn Clock,
    /// Whether the process has begun to stop.
    pub lifecycle: &'a Lifecycle,
    /// The request that passed the hygiene checks.
    pub request: &'a CleanRequest,
    /// What a client that asks for a WebSocket offers; only where it is allowed one.
    pub handshake: Option<&'a Handshake>,
    /// What was decided.
    pub plan: &'a ExchangePlan,
    /// The session, where the policy has sessions.
    pub visit: Option<&'a Visit>,
    /// The client.
    pub peer: &'a PeerFacts,
    /// Whether the client came over TLS.
    pub secure: bool,
    /// What the client sends, watched.
    pub watch: &'a Watch,
    /// The bound of the request's body, in bytes.
    pub request_body_max: u64,
}

impl<'a> Forwarding<'a> {
    /// The same exchange's leg for another request, under another plan.
    fn with_request<'n>(&self, request: &'n CleanRequest, plan: &'n ExchangePlan) -> Forwarding<'n>
    where
        'a: 'n,
    {
        Forwarding {
            request,
            plan,
            ..*self
        }
    }
}

/// Forwards a request and relays the answer, or gives back the tunnel that it opened.
///
/// # Errors
/// The client is refused, or the exchange breaks off.
pub(crate) async fn forward(
    forwarding: &Forwarding<'_>,
    session: &mut ServerSession,
    exchange: &mut Exchange,
) -> Result<Option<Box<Tunnel>>, Halt> {
    let body = RequestBody::begin(forwarding, session).await?;
    let posted = body.whole_bytes();
    let body = body.with_tokens(forwarding, session).await?;
    // PERF: what few exchanges need is in a box, so that the others need no room for it (decision 0051).
    let mut sent = match forwarding.plan.write_guard() {
        Some(guard) => Box::pin(guarded::send(forwarding, guard, session, exchange, body)).await?,
        None => send::send(forwarding, session, exchange, body).await?,
    };
    if let Some(visit) = forwarding.visit {
        let settling = (visit, posted.as_ref());
        Box::pin(settle::settle(
            forwarding, session, exchange, &mut sent, settling,
        ))
        .await?;
    }
    if let Some(handshake) = forwarding.handshake {
        if sent.head.status == StatusCode::SWITCHING_PROTOCOLS {
            let opening = tunnel::open(forwarding, handshake, session, exchange, sent);
            return Box::pin(opening).await.map(|tunnel| Some(Box::new(tunnel)));
        }
        // The client may have sent ahead what is no request.
        session.set_keepalive(None);
    }
    relay::relay(forwarding, session, exchange, sent).await?;
    Ok(None)
}

/// Done when the client has left. A client that sends more than its request is not gone; its
/// connection is only not used again.
async fn gone(session: &mut ServerSession, watch: bool) {
    if !watch {
        std::future::pending::<()>().await;
    }
    match session.read_body_or_idle(true).await {
        Err(error) if error.etype != pingora::ErrorType::ConnectError => {}
        Ok(_) | Err(_) => {
            session.set_keepalive(None);
            std::future::pending::<()>().await;
        }
    }
}
