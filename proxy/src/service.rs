//! Where pingora meets Postern: one function per step of an exchange.
//!
//! ```text
//! read_head ─▶ snapshot ─▶ clean (hygiene) ─▶ authenticate ─▶ decide ─▶ forward ─▶ finish
//!      └───────────────────────────┴────────────────┴────────────┴── a problem, from respond
//! ```
//!
//! A [`Connection`] is pingora's application for one client connection; it knows the peer, so that
//! HTTP/1.1 and HTTP/2 exchanges find it in the same place.

mod begin;
mod converse;
mod decide;
mod finish;
mod own;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures::future::BoxFuture;
use pingora::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream};
use pingora::protocols::Stream;
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::v2::server::{H2Options, default_h2_options};
use pingora::server::ShutdownWatch;

use crate::admin::Vitals;
use crate::clock::Clock;
use crate::evidence::Evidence;
use crate::exchange::{Ending, Exchange};
use crate::forward::{self, Forwarding, Handshake, Tunnel, Upstream};
use crate::hygiene::{self, CleanRequest, HeadLimits, HostRule, Refusal};
use crate::identity::PeerFacts;
use crate::lifecycle::Lifecycle;
use crate::listener::{Complaint, LetInBy, Watch};
use crate::metering::QuotaKeeper;
use crate::metrics::Metrics;
use crate::policy_store::PolicyStore;
use crate::respond::{self, Problem};
use crate::session::SessionKeeper;
use crate::telemetry::Tracer;
use crate::visit::{Arrival, Visit, told};
use finish::After;

/// How long a connection may be idle between two exchanges.
const IDLE_SECONDS: u64 = 60;
/// What stands in the record of an exchange that was cut because its session ended.
const SESSION_ENDED: &str = "session-revoked";
/// How many fields the library takes in a head over HTTP/1.1, whatever the limit.
const FIELDS_MAX: usize = 256;
/// How many HTTP/2 streams one connection may have open.
const H2_STREAMS_MAX: u32 = 100;

/// What all exchanges share.
pub(crate) struct Service {
    /// The policy in force.
    pub store: Arc<PolicyStore>,
    /// What runs, and whether it must stop.
    pub lifecycle: Arc<Lifecycle>,
    /// What is counted.
    pub metrics: Arc<Metrics>,
    /// What may leave.
    pub quotas: Arc<QuotaKeeper>,
    /// Whose sessions run.
    pub sessions: Arc<SessionKeeper>,
    /// What is put on record.
    pub evidence: Evidence,
    /// Who takes spans.
    pub tracer: Tracer,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The legacy application.
    pub upstream: Upstream,
    /// The bounds of a request's head.
    pub head_limits: HeadLimits,
    /// The bound of a request's body, in bytes.
    pub request_body_max: u64,
    /// Which hosts are served.
    pub hosts: HostRule,
}

/// Why an exchange does not go on.
#[derive(Debug)]
pub(crate) enum Halt {
    /// The client can still be told, and is.
    Refuse(Problem),
    /// The client is gone, or its head has left: the exchange breaks off visibly.
    BreakOff,
}

/// What follows an exchange's answer.
enum Next {
    /// The end of the exchange.
    End(After),
    /// Bytes both ways, until a side closes.
    Tunnel(Box<Tunnel>),
}

impl From<Problem> for Halt {
    fn from(problem: Problem) -> Self {
        Self::Refuse(problem)
    }
}

impl Service {
    /// What runs, and whether it must stop.
    pub(crate) fn lifecycle(&self) -> &Arc<Lifecycle> {
        &self.lifecycle
    }

    /// What is counted.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }
}

/// One client connection.
pub(crate) struct Connection {
    service: Arc<Service>,
    peer: PeerFacts,
    watch: Arc<Watch>,
    /// Who let it in; none without TLS.
    let_in_by: Option<LetInBy>,
    options: HttpServerOptions,
}

impl Connection {
    /// A connection whose stream is watched by `watch`.
    pub(crate) fn new(
        service: Arc<Service>,
        peer: PeerFacts,
        watch: Arc<Watch>,
        let_in_by: Option<LetInBy>,
    ) -> Self {
        let mut options = HttpServerOptions::default();
        options.h2_idle_timeout = Some(Duration::from_secs(IDLE_SECONDS));
        Self {
            service,
            peer,
            watch,
            let_in_by,
            options,
        }
    }

    /// Reads a request's head. Nothing: the connection has ended, or never said anything.
    async fn read_head(&self, session: &mut ServerSession) -> Option<Result<(), Problem>> {
        let read = match self.watch.complaint() {
            // What is wrong with its first bytes is wrong with it.
            Some(_) => Ok(false),
            None => tokio::select! {
                biased;
                read = session.read_request() => read,
                // Whoever says nothing any more when draining has begun is let go.
                () = self.service.lifecycle.idle_over() => return None,
            },
        };
        match (read, self.watch.complaint()) {
            (_, Some(Complaint::HeadTooLarge)) => {
                Some(Err(Problem::Refusal(Refusal::HeadersTooLarge)))
            }
            (_, Some(Complaint::HeadLate)) => {
                let said_something = !self.watch.take_head().is_empty();
                said_something.then_some(Err(Problem::RequestTimeout))
            }
            (_, Some(Complaint::Chunks)) => {
                let refusal = Refusal::Ambiguous("the body's framing");
                Some(Err(Problem::Refusal(refusal)))
            }
            (Ok(true), None) => Some(Ok(())),
            // Without a preface there is no exchange.
            (Ok(false), None) | (_, Some(Complaint::Preface)) => None,
            (Err(_), None) => Some(Err(Problem::Refusal(self.unreadable()))),
        }
    }

    /// What is wrong with a head that the library does not read on: most likely it has more fields than it takes.
    fn unreadable(&self) -> Refusal {
        let head = self.watch.take_head();
        let lines = head.iter().filter(|byte| **byte == b'\n').count();
        let lines_max = self.service.head_limits.header_count.min(FIELDS_MAX);
        match lines > lines_max {
            true => Refusal::HeadersTooLarge,
            false => Refusal::Ambiguous("the head cannot be read"),
        }
    }

    /// Checks the head that was read.
    fn clean(&self, session: &mut ServerSession) -> Result<CleanRequest, Problem> {
        let limits = self.service.head_limits;
        let hosts = &self.service.hosts;
        let cleaned = if session.is_http2() {
            let ended = session.is_body_empty();
            let head = session.req_header();
            hygiene::clean_h2(
                &hygiene::DecodedHead {
                    method: head.method.as_str().as_bytes(),
                    target: head.raw_path(),
                    authority: head.uri.authority().map(http::uri::Authority::as_str),
                    headers: &head.headers,
                    ended,
                },
                limits,
                hosts,
            )
        } else {
            hygiene::clean_h1(&self.watch.take_head(), limits, hosts)
        };
        cleaned.map_err(Problem::Refusal)
    }

    /// One exchange, from the head that was read to the last byte of the answer.
    async fn run(&self, session: &mut ServerSession, exchange: &mut Exchange) -> Next {
        match self.answer(session, exchange).await {
            Ok(Some(tunnel)) => Next::Tunnel(tunnel),
            Ok(None) => Next::End(After::Reuse),
            Err(Halt::BreakOff) => {
                exchange.end(Ending::Cut);
                Next::End(After::BreakOff)
            }
            Err(Halt::Refuse(problem)) => Next::End(self.tell(session, exchange, &problem).await),
        }
    }

    async fn answer(
        &self,
        session: &mut ServerSession,
        exchange: &mut Exchange,
    ) -> Result<Option<Box<Tunnel>>, Halt> {
        let snapshot = self.service.store.snapshot();
        exchange.note_revision(snapshot.compiled.revision());
        let request = self.clean(session)?;
        exchange.note_request(&request);
        if self.is_outdated() {
            return Err(Problem::Refusal(Refusal::Outdated).into());
        }
        if let Some(path) = self.own_path(&request, &snapshot) {
            let asked = (&request, &*snapshot);
            let answered = Box::pin(self.answer_own(path, session, exchange, asked)).await;
            return answered.map(|()| None);
        }
        let service = &self.service;
        let told = |problem| told(snapshot.sessions.as_deref(), &request, problem);
        let asking = (&request, &self.peer);
        let visit = match service.arriving(asking, &snapshot, exchange) {
            None => None,
            Some(arriving) => match Box::pin(Visit::begin(arriving)).await.map_err(told)? {
                Arrival::Visit(visit) => Some(visit),
                Arrival::Page(page) => return Box::pin(self.show(page, session, exchange)).await,
            },
        };
        let visit = visit.as_deref();
        let plan = service.decide(asking, visit, &snapshot, exchange).await;
        let plan = plan.map_err(told)?;
        let handshake = Handshake::offered(&request, &plan)?;
        exchange.announce(&plan, &request);
        if !request.method.is_safe() || handshake.is_some() {
            exchange.before_first_byte().await?;
        }
        let bytes_max = self.service.request_body_max;
        let forwarding = Forwarding {
            upstream: &self.service.upstream,
            clock: self.service.clock.as_ref(),
            lifecycle: &self.service.lifecycle,
            request: &request,
            handshake: handshake.as_ref(),
            plan: &plan,
            visit,
            peer: &self.peer,
            secure: self.let_in_by.is_some(),
            watch: &self.watch,
            request_body_max: visit.map_or(bytes_max, |visit| visit.body_bytes_max(bytes_max)),
        };
        forward::forward(&forwarding, session, exchange).await
    }

    /// Whether those who let the client in do so no more.
    fn is_outdated(&self) -> bool {
        self.let_in_by.as_ref().is_some_and(LetInBy::is_outdated)
    }

    /// Tells the client why it gets no answer.
    async fn tell(
        &self,
        session: &mut ServerSession,
        exchange: &mut Exchange,
        problem: &Problem,
    ) -> After {
        if self.service.lifecycle.is_draining() || self.is_outdated() {
            session.set_keepalive(None);
        }
        let told = respond::refuse(session, exchange, problem);
        match tokio::time::timeout(forward::WRITE_TIME_MAX, told).await {
            Ok(Ok(())) => After::of_refusal(session),
            Ok(Err(_)) | Err(_) => After::BreakOff,
        }
    }

    /// One request and its answer, and the connection once more if it can be used again.
    async fn serve(&self, mut session: ServerSession) -> Option<Stream> {
        let read = self.read_head(&mut session).await?;
        self.exchange(session, read).await
    }

    /// The exchange whose head was read, soundly or not. Boxed: whoever is slow with a head does not hold what
    /// its exchange would need.
    fn exchange(
        &self,
        mut session: ServerSession,
        read: Result<(), Problem>,
    ) -> BoxFuture<'_, Option<Stream>> {
        let service = &self.service;
        let place = service.lifecycle.admit_exchange();
        let refused = match (read, &place) {
            (Err(problem), _) => Some(problem),
            (Ok(()), None) => Some(Problem::Overloaded),
            (Ok(()), Some(_)) => None,
        };
        let readable = !matches!(&refused, Some(problem) if *problem != Problem::Overloaded);
        let secure = self.let_in_by.is_some();
        let (mut exchange, correlation) = begin::begin(service, &session, readable, secure, place);
        let exchanging = async move {
            session.set_keepalive(Some(IDLE_SECONDS));
            exchange.note_peer(&self.peer);
            let next = self.next(&mut session, &mut exchange, refused).await;
            let lifecycle = &service.lifecycle;
            match next {
                Next::End(after) => {
                    // What is left is its connection: it takes no place of those that run.
                    drop(exchange);
                    finish::finish(session, after, &self.watch).await
                }
                Next::Tunnel(tunnel) => {
                    Box::pin(tunnel.run(session, &mut exchange, lifecycle)).await;
                    None
                }
            }
        };
        Box::pin(correlation.around(exchanging))
    }

    /// Answers, unless the process stops or the session ends meanwhile.
    async fn next(
        &self,
        session: &mut ServerSession,
        exchange: &mut Exchange,
        refused: Option<Problem>,
    ) -> Next {
        let service = &self.service;
        let cut = Arc::clone(exchange.cut());
        let running = async {
            match &refused {
                Some(problem) => {
                    // No policy decides about it; which one held is on record all the same.
                    let held = service.store.snapshot();
                    exchange.note_revision(held.compiled.revision());
                    Next::End(self.tell(session, exchange, problem).await)
                }
                None => self.run(session, exchange).await,
            }
        };
        tokio::select! {
            // PERF: what has ended is not asked once more whether it is cut; a cut is seen however busy the rest is.
            biased;
            next = running => next,
            () = tokio::task::unconstrained(service.lifecycle.cut()) => Next::End(After::BreakOff),
            () = cut.notified() => {
                exchange.note_problem(SESSION_ENDED);
                Next::End(After::BreakOff)
            }
        }
    }
}

/// How HTTP/2 is served: each of its streams is one exchange.
#[async_trait]
impl HttpServerApp for Connection {
    async fn process_new_http(
        self: &Arc<Self>,
        session: ServerSession,
        _shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        self.serve(session).await;
        None
    }

    fn h2_options(&self) -> Option<H2Options> {
        let header_bytes = self.service.head_limits.header_bytes;
        let mut options = default_h2_options();
        options.max_header_list_size(u32::try_from(header_bytes).unwrap_or(u32::MAX));
        options.max_concurrent_streams(H2_STREAMS_MAX);
        Some(options)
    }

    fn server_options(&self) -> Option<&HttpServerOptions> {
        Some(&self.options)
    }
}
