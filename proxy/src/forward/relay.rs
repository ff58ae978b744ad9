//! The answer's way from the upstream through the pipeline to the client.

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use pingora::protocols::http::ServerSession;
use postern_filters::ResponsePlan;

use super::charged::ChargedBody;
use super::outgoing::{AnswerHead, Outgoing};
use super::response_head::ResponseHead;
use super::send::{self, Ahead, Sent};
use super::stopwatch::Stopwatch;
use super::upstream::Lease;
use super::{Forwarding, gone};
use crate::exchange::{Ending, Exchange};
use crate::respond::Problem;
use crate::service::Halt;
use crate::visit::{Visit, is_plain};

/// What an upstream must send at least within some of its read time-outs, in bytes; a drip is a time-out.
const PROGRESS_BYTES_MIN: usize = 1024;
/// How many read time-outs it may take for that.
const PROGRESS_PERIODS: u32 = 4;

/// Relays the answer.
///
/// # Errors
/// The client is told why it gets nothing, or the message breaks off.
pub(super) async fn relay(
    forwarding: &Forwarding<'_>,
    session: &mut ServerSession,
    exchange: &mut Exchange,
    sent: Sent,
) -> Result<(), Halt> {
    let Sent {
        mut lease,
        mut head,
        request_ended,
        ahead,
    } = sent;
    lease.session.read_timeout = Some(forwarding.upstream.read_time());
    let method = &forwarding.request.method;
    let meter = exchange.take_meter();
    // A plan lets paths pass, and no other pointers.
    forwarding.upstream.localise(&mut head.headers);
    let received = (head.status, &head.headers);
    let mut planned =
        ChargedBody::plan(forwarding.plan, meter, method, received).map_err(|error| {
            tracing::info!(%error, "the answer was withheld");
            let halt = Halt::Refuse(Problem::UnreadableBody);
            lease.failed(send::kind(&halt));
            send::count(&halt, exchange);
            halt
        })?;
    if let Some(visit) = forwarding.visit {
        let stripped = Box::pin(without_tokens(visit, planned, &head)).await;
        planned = stripped.inspect_err(|halt| send::count(halt, exchange))?;
    }
    let bodiless = head.is_bodiless(method);
    let live = head.is_event_stream();
    let answer = AnswerHead {
        status: head.status,
        headers: planned.headers,
        // Of a body whose length is known, the last bytes wait: an event would come with the one behind it.
        keep_length: planned.keep_length.filter(|_| !live),
    };
    let connection = (forwarding.lifecycle, forwarding.watch);
    let mut outgoing = Outgoing::new(session, exchange, connection, answer);
    let whole = match planned.body {
        Some(charged) if !bodiless => {
            let body = Body {
                outgoing: &mut outgoing,
                body: charged,
                visit: forwarding.visit,
                ahead,
                watch: Stopwatch::new(forwarding.clock),
                lease,
                progress: Progress::begin(forwarding.upstream.read_time(), live),
                live,
                receipt: forwarding.plan.receipt(),
                watch_client: request_ended,
            };
            Some(body.run().await?)
        }
        Some(_) | None => {
            outgoing.finish_without_body().await?;
            // What the upstream sends as a body nevertheless ends its connection.
            Some(lease)
        }
    };
    if let Some(lease) = whole.filter(|_| request_ended) {
        forwarding.upstream.give_back(lease).await;
    }
    outgoing.exchange().end(Ending::Allowed);
    Ok(())
}

/// The same plan without the application's tokens in head and body, which the session keeps.
async fn without_tokens(
    visit: &Visit,
    planned: ResponsePlan<ChargedBody>,
    head: &ResponseHead,
) -> Result<ResponsePlan<ChargedBody>, Halt> {
    let (fields, secrets) = visit.client_fields(&planned.headers, &head.headers)?;
    visit.commit().await?;
    let body = planned
        .body
        .map(|body| match body.reads() || is_plain(&head.headers) {
            true => Ok(body.stripping(visit.body_filter(&head.headers, secrets))),
            // Nobody can look into it.
            false => Err(Problem::UnreadableBody),
        });
    Ok(ResponsePlan {
        headers: fields,
        body: body.transpose()?,
        keep_length: None,
    })
}

/// What stands for tokens in the bytes that come next is durable before they leave.
async fn keep_tokens(visit: Option<&Visit>) -> Result<(), Halt> {
    match visit {
        Some(visit) => Ok(Box::pin(visit.commit()).await?),
        None => Ok(()),
    }
}

/// A body on its way.
struct Body<'a, 'b> {
    outgoing: &'a mut Outgoing<'b>,
    body: ChargedBody,
    visit: Option<&'a Visit>,
    ahead: Option<Ahead>,
    watch: Stopwatch<'a>,
    lease: Lease,
    progress: Progress,
    /// Bytes leave as they come.
    live: bool,
    /// Whether the client is told how much was withheld.
    receipt: bool,
    /// Whether the client has nothing more to send, so that it can only leave.
    watch_client: bool,
}

impl Body<'_, '_> {
    /// Runs to the end of the body and gives the connection back.
    async fn run(mut self) -> Result<Lease, Halt> {
        let outcome = Noted(&mut self).0.relay().await;
        if let Some(visit) = self.visit {
            visit.note_found(self.body.found_tokens());
        }
        if let Err(halt) = &outcome {
            self.lease.failed(send::kind(halt));
        }
        match outcome {
            Ok(()) => Ok(self.lease),
            // SECURITY: after the head has left, no problem may be appended to the message.
            Err(Halt::Refuse(problem)) if self.outgoing.holds() => {
                let halt = Halt::Refuse(problem);
                send::count(&halt, self.outgoing.exchange());
                Err(halt)
            }
            Err(halt) => {
                if let Halt::Refuse(problem) = &halt {
                    self.outgoing.exchange().note_problem(problem.slug());
                    send::count(&halt, self.outgoing.exchange());
                }
                Err(Halt::BreakOff)
            }
        }
    }

    async fn relay(&mut self) -> Result<(), Halt> {
        if self.live {
            self.outgoing.release().await?;
        }
        while let Some(chunk) = self.next_chunk().await? {
            let held = self.outgoing.holds();
            let keep = keep_tokens(self.visit);
            let redacted = self.body.push(chunk, held, &mut self.watch, keep);
            self.outgoing.push(redacted.await?).await?;
            if held && self.body.streams() {
                self.note_withheld(false);
                self.outgoing.release().await?;
            }
            if self.live {
                self.outgoing.pass_on().await?;
            }
        }
        let keep = keep_tokens(self.visit);
        let last = self.body.finish(&mut self.watch, keep).await?;
        self.outgoing.push(last).await?;
        self.note_withheld(self.receipt);
        self.note_body();
        self.outgoing.finish().await
    }

    /// Notes what was done to the body so far, and what was charged for it.
    fn note_body(&mut self) {
        let exchange = self.outgoing.exchange();
        exchange.note_body(self.body.summary(), self.watch.worked());
        if let Some((meter, cut)) = self.body.meter() {
            exchange.note_charged(meter.charged(), cut);
        }
    }

    /// Says in the head, if it has not left, that records were removed, and with `counts` how many values.
    fn note_withheld(&mut self, counts: bool) {
        let none = BTreeMap::new();
        let withheld = match counts {
            true => &self.body.summary().withheld,
            false => &none,
        };
        self.outgoing.note_withheld(withheld, self.body.is_cut());
    }

    /// The next bytes, within the upstream's time: each read has its own, and all together progress.
    async fn next_chunk(&mut self) -> Result<Option<Bytes>, Halt> {
        match &mut self.ahead {
            Some(ahead) if !ahead.bytes.is_empty() => {
                return Ok(Some(std::mem::take(&mut ahead.bytes)));
            }
            Some(Ahead { ended: true, .. }) => return Ok(None),
            Some(_) | None => {}
        }
        let mut reading = pin!(self.lease.session.read_body_bytes());
        // PERF: what has come already is read before anything is written: fewer and longer writes (decision 0052).
        let at_once = poll_fn(|cx| Poll::Ready(reading.as_mut().poll(cx))).await;
        let read = match at_once {
            Poll::Ready(read) => Ok(read),
            Poll::Pending => {
                self.outgoing.pass_on().await?;
                tokio::select! {
                    biased;
                    read = tokio::time::timeout_at(self.progress.deadline, reading) => read,
                    () = gone(self.outgoing.session(), self.watch_client) => {
                        return Err(Halt::BreakOff);
                    }
                }
            }
        };
        let problem = match read {
            Ok(Ok(bytes)) => {
                self.progress.note(bytes.as_ref().map_or(0, Bytes::len));
                return Ok(bytes);
            }
            Ok(Err(error)) if error.etype == pingora::ErrorType::ReadTimedout => {
                Problem::UpstreamTimeout
            }
            Ok(Err(_error)) => Problem::UpstreamUnavailable,
            Err(_elapsed) => Problem::UpstreamTimeout,
        };
        // It was decided before, and is no less true for what is missing behind it.
        self.outgoing.pass_on_soon().await;
        Err(problem.into())
    }
}

/// Notes what was done to a body and charged for it however that ends: an exchange that is cut from outside, because its
/// session has ended or the process stops, and one that panics say on record what of it has left.
struct Noted<'n, 'a, 'b>(&'n mut Body<'a, 'b>);

impl Drop for Noted<'_, '_, '_> {
    fn drop(&mut self) {
        self.0.note_body();
    }
}

/// Holds an upstream to a rate: within each period it must send [`PROGRESS_BYTES_MIN`].
struct Progress {
    period: Duration,
    deadline: tokio::time::Instant,
    enough: usize,
    arrived: usize,
}

impl Progress {
    fn begin(read_time: Duration, live: bool) -> Self {
        let period = read_time.saturating_mul(PROGRESS_PERIODS);
        Self {
            period,
            deadline: tokio::time::Instant::now() + period,
            enough: if live { 1 } else { PROGRESS_BYTES_MIN },
            arrived: 0,
        }
    }

    fn note(&mut self, bytes: usize) {
        self.arrived = self.arrived.saturating_add(bytes);
        if self.arrived >= self.enough {
            self.arrived = 0;
            self.deadline = tokio::time::Instant::now() + self.period;
        }
    }
}
