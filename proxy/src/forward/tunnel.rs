//! An open WebSocket: bytes both ways, as they come, until either side closes.
//!
//! ```text
//! client ──────────── read ─▶ write ────────────▶ upstream
//! client ◀─ write ◀─ charge ◀─ BodyPipeline (passes all) ◀─ read ──┘
//! ```
//!
//! What goes to the client is charged to quotas of bytes, its framing included, before it is written.
//! One piece of [`PIECE_BYTES`] is held for each direction. Messages are not read: only a route without
//! labels can allow this, and its pipeline hands on everything. The exchange lasts as long as the
//! tunnel, so that a drain waits for it and then cuts it.

use std::pin::pin;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures::FutureExt as _;
use futures::future::{Either, select};
use http::StatusCode;
use http::header::VIA;
use pingora::http::ResponseHeader;
use pingora::protocols::http::ServerSession;
use postern_filters::BodyPipeline;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Notify;

use super::handshake::Handshake;
use super::send::{self, Sent};
use super::upstream::Lease;
use super::{Forwarding, WRITE_TIME_MAX};
use crate::exchange::{Ending, Exchange};
use crate::lifecycle::Lifecycle;
use crate::metering::Meter;
use crate::respond::Problem;
use crate::service::Halt;

/// How much is read at once, in bytes.
const PIECE_BYTES: usize = 16 << 10;
/// How long both sides may be silent.
const IDLE_TIME_MAX: Duration = Duration::from_secs(600);
/// How long what is under way may take once one side has closed.
const LINGER_TIME_MAX: Duration = Duration::from_secs(5);

/// A tunnel whose 101 has left.
#[derive(Debug)]
pub(crate) struct Tunnel {
    lease: Lease,
    pipeline: BodyPipeline,
    meter: Option<Meter>,
}

/// How a tunnel ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// A side closed.
    Closed,
    /// A side was lost, or took too long to take what it was sent.
    Broken,
    /// Nobody said anything for too long.
    Silent,
    /// A quota did not grant what came next.
    UsedUp,
}

/// Answers the client's handshake as the upstream did.
///
/// # Errors
/// The upstream's 101 is not the answer to this handshake, or the client is gone.
pub(super) async fn open(
    forwarding: &Forwarding<'_>,
    handshake: &Handshake,
    session: &mut ServerSession,
    exchange: &mut Exchange,
    sent: Sent,
) -> Result<Tunnel, Halt> {
    let pipeline = forwarding.plan.tunnel();
    let accepted = match (handshake.accepted(&sent.head), pipeline) {
        (Ok(accepted), Some(pipeline)) if sent.lease.session.was_upgraded() => {
            Ok((accepted, pipeline))
        }
        (Ok(_), _) => Err("the route or the protocol's version allows no tunnel"),
        (Err(unsound), _) => Err(unsound.0),
    };
    let (accepted, pipeline) = accepted.map_err(|what| {
        tracing::info!(what, "the upstream's 101 was withheld");
        let halt = Halt::Refuse(Problem::UnreadableBody);
        send::count(&halt, exchange);
        halt
    })?;
    let mut head = ResponseHeader::build(StatusCode::SWITCHING_PROTOCOLS, Some(8))
        .map_err(|_error| Halt::BreakOff)?;
    let revision = exchange.revision();
    accepted
        .tell(&mut head)
        .and_then(|()| head.insert_header(VIA, "1.1 postern"))
        .and_then(|()| head.insert_header("Postern-Revision", revision))
        .map_err(|_error| Halt::BreakOff)?;
    super::outgoing::within(session.write_response_header(Box::new(head))).await?;
    exchange.note_status(StatusCode::SWITCHING_PROTOCOLS);
    Ok(Tunnel {
        lease: sent.lease,
        pipeline,
        meter: exchange.take_meter(),
    })
}

impl Tunnel {
    /// Carries bytes until a side closes, nothing is said for long, or the process must stop.
    pub(crate) async fn run(
        mut self,
        session: ServerSession,
        exchange: &mut Exchange,
        lifecycle: &Lifecycle,
    ) {
        let ServerSession::H1(mut client) = session else {
            return;
        };
        // What arrived together with a head was read with it, and is in the sessions' hands.
        let early_up = early(client.read_body_bytes().now_or_never());
        let early_down = early(self.lease.session.read_body_bytes().now_or_never());
        let carrying = carry(
            Side {
                stream: client.into_inner(),
                early: early_up,
            },
            Side {
                stream: self.lease.session.into_inner(),
                early: early_down,
            },
            (self.pipeline, self.meter.as_mut()),
            |bytes| exchange.note_sent(bytes),
        );
        let end = tokio::select! {
            end = carrying => Some(end),
            () = lifecycle.cut() => None,
        };
        if let Some(meter) = &self.meter {
            exchange.note_charged(meter.charged(), 0);
        }
        match end {
            Some(End::Closed) => exchange.end(Ending::Allowed),
            Some(End::Broken | End::Silent | End::UsedUp) => {
                tracing::debug!(?end, "a tunnel ended early");
            }
            None => {}
        }
    }
}

/// Bytes that a session has at once. Its end, or its failure, shows again when the stream is read.
fn early(read: Option<pingora::Result<Option<Bytes>>>) -> Bytes {
    match read {
        Some(Ok(Some(bytes))) => bytes,
        Some(Ok(None) | Err(_)) | None => Bytes::new(),
    }
}

/// One side of a tunnel.
struct Side<S> {
    stream: S,
    /// What was read of it already.
    early: Bytes,
}

/// Carries bytes both ways; `sent` is told of everything that has reached the client.
async fn carry<C, U>(
    client: Side<C>,
    upstream: Side<U>,
    (pipeline, meter): (BodyPipeline, Option<&mut Meter>),
    sent: impl FnMut(usize) + Send,
) -> End
where
    C: AsyncRead + AsyncWrite + Send,
    U: AsyncRead + AsyncWrite + Send,
{
    let traffic = Notify::new();
    let (client_reads, client_writes) = tokio::io::split(client.stream);
    let (upstream_reads, upstream_writes) = tokio::io::split(upstream.stream);
    let mut up = Upwards {
        traffic: &traffic,
        first: client.early,
    };
    let mut down = Downwards {
        traffic: &traffic,
        first: upstream.early,
        pipeline,
        meter,
        sent,
    };
    let up = pin!(up.run(client_reads, upstream_writes));
    let down = pin!(down.run(upstream_reads, client_writes));
    let both = async {
        // Whoever closes first is told the rest that is under way, for a moment.
        match select(up, down).await {
            Either::Left((end, rest)) => {
                drop(tokio::time::timeout(LINGER_TIME_MAX, rest).await);
                end
            }
            Either::Right((end, rest)) => {
                drop(tokio::time::timeout(LINGER_TIME_MAX, rest).await);
                end
            }
        }
    };
    tokio::select! {
        biased;
        end = both => end,
        () = silence(&traffic) => End::Silent,
    }
}

/// Done when nothing has passed for [`IDLE_TIME_MAX`].
async fn silence(traffic: &Notify) {
    while tokio::time::timeout(IDLE_TIME_MAX, traffic.notified())
        .await
        .is_ok()
    {}
}

/// From the client to the upstream.
struct Upwards<'a> {
    traffic: &'a Notify,
    first: Bytes,
}

impl Upwards<'_> {
    async fn run(
        &mut self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> End {
        let mut piece = std::mem::take(&mut self.first);
        loop {
            if !piece.is_empty() {
                self.traffic.notify_one();
                if !write(&mut to, &piece).await {
                    return End::Broken;
                }
            }
            piece = match read(&mut from).await {
                Ok(Some(piece)) => piece,
                Ok(None) => return close(&mut to).await,
                Err(end) => return end,
            };
        }
    }
}

/// From the upstream to the client.
struct Downwards<'a, S> {
    traffic: &'a Notify,
    first: Bytes,
    pipeline: BodyPipeline,
    meter: Option<&'a mut Meter>,
    sent: S,
}

impl<S: FnMut(usize)> Downwards<'_, S> {
    async fn run(
        &mut self,
        mut from: impl AsyncRead + Unpin,
        mut to: impl AsyncWrite + Unpin,
    ) -> End {
        let mut piece = std::mem::take(&mut self.first);
        loop {
            // INVARIANT: only what a pipeline let through reaches a client.
            let Ok(redacted) = self.pipeline.push(piece) else {
                return End::Broken;
            };
            let bytes = redacted.into_bytes();
            if !bytes.is_empty() {
                self.traffic.notify_one();
                if let Some(meter) = &mut self.meter
                    && meter.bytes(bytes.len() as u64).await.is_err()
                {
                    return End::UsedUp;
                }
                if !write(&mut to, &bytes).await {
                    return End::Broken;
                }
                (self.sent)(bytes.len());
            }
            piece = match read(&mut from).await {
                Ok(Some(piece)) => piece,
                Ok(None) => return close(&mut to).await,
                Err(end) => return end,
            };
        }
    }
}

/// The next piece; none at the end.
async fn read(from: &mut (impl AsyncRead + Unpin)) -> Result<Option<Bytes>, End> {
    let mut piece = BytesMut::with_capacity(PIECE_BYTES);
    match from.read_buf(&mut piece).await {
        Ok(0) => Ok(None),
        Ok(_) => Ok(Some(piece.freeze())),
        Err(_error) => Err(End::Broken),
    }
}

/// Whether a piece was taken in time.
async fn write(to: &mut (impl AsyncWrite + Unpin), piece: &[u8]) -> bool {
    let writing = async {
        to.write_all(piece).await?;
        to.flush().await
    };
    matches!(
        tokio::time::timeout(WRITE_TIME_MAX, writing).await,
        Ok(Ok(()))
    )
}

/// Tells a side that the other one has closed.
async fn close(to: &mut (impl AsyncWrite + Unpin)) -> End {
    match tokio::time::timeout(WRITE_TIME_MAX, to.shutdown()).await {
        Ok(Ok(())) => End::Closed,
        Ok(Err(_)) | Err(_) => End::Broken,
    }
}

#[cfg(test)]
mod tests;
