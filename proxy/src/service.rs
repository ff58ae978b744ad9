//! Where pingora meets Postern: one function per step of an exchange.
//!
//! ```text
//! read_head ─▶ clean (hygiene) ─▶ snapshot ─▶ authenticate ─▶ decide ─▶ forward ─▶ finish
//!      └───────────┴──────────────────┴───────────┴────────────┴── a problem, from respond
//! ```
//!
//! A [`Connection`] is pingora's application for one client connection; it knows the peer, so that
//! HTTP/1.1 and HTTP/2 exchanges find it in the same place.

mod begin;
mod finish;
mod own;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use pingora::apps::{HttpServerApp, HttpServerOptions, ReusedHttpStream};
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::v2::server::{H2Options, default_h2_options};
use pingora::server::ShutdownWatch;
use postern_filters::{ExchangePlan, RequestFacts, Verdict};
use tracing::Instrument;

use crate::admin::Vitals;
use crate::clock::Clock;
use crate::evidence::Evidence;
use crate::exchange::{Ending, Exchange};
use crate::forward::{self, Forwarding, Handshake, Tunnel, Upstream};
use crate::hygiene::{self, CleanRequest, DeclaredBody, HeadLimits, HostRule, Refusal};
use crate::identity::{IdentityError, PeerFacts, Recognised};
use crate::lifecycle::Lifecycle;
use crate::listener::{Complaint, Watch};
use crate::metering::{Meter, QuotaKeeper};
use crate::metrics::Metrics;
use crate::policy_store::{PolicyStore, Snapshot};
use crate::respond::{self, Problem};
use crate::session::SessionKeeper;
use crate::telemetry::Tracer;
use crate::visit::{Arriving, Visit, sent_to_login};
use finish::After;

/// How long a connection may be idle between two exchanges.
const IDLE_SECONDS: u64 = 60;
/// What stands in the record of an exchange that was cut because its session ended.
const SESSION_ENDED: &str = "session-revoked";
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

    /// Decides about a request: who is asking, and what may happen.
    async fn decide(
        &self,
        (request, peer): (&CleanRequest, &PeerFacts),
        visit: Option<&Visit>,
        snapshot: &Snapshot,
        exchange: &mut Exchange,
    ) -> Result<Box<ExchangePlan>, Problem> {
        let recognised = match visit.filter(|visit| visit.names_people()) {
            Some(visit) => visit.recognised()?,
            None => self.recognise(request, peer, snapshot).await?,
        };
        let identity = &recognised.identity;
        if let Some(visit) = visit.filter(|visit| !visit.names_people()) {
            visit.belongs_to(identity);
        }
        exchange.note_identity(identity);
        let facts = RequestFacts {
            method: request.method.as_str(),
            path: &request.path,
            query: request.query.as_deref(),
            headers: &request.headers,
            upgrade: request.upgrade,
            has_body: request.body != DeclaredBody::None,
            identity,
        };
        match snapshot.compiled.decide(&facts) {
            Verdict::Allow(plan) => {
                exchange.note_plan(&plan);
                self.metered(plan, &recognised, exchange).await
            }
            Verdict::Deny(reason) => {
                let (route, roles) = snapshot.compiled.place_of(&facts);
                exchange.note_place(route, roles);
                Err(Problem::Denied(reason))
            }
        }
    }
}

impl Service {
    /// Recognises who asks by what the request itself brings.
    async fn recognise(
        &self,
        request: &CleanRequest,
        peer: &PeerFacts,
        snapshot: &Snapshot,
    ) -> Result<Recognised, Problem> {
        let recognised = match &snapshot.authenticator {
            // Before the first policy there is nobody to recognise, and everything is refused.
            None => Ok(Recognised::default()),
            Some(authenticator) => {
                let now = self.clock.wall();
                authenticator
                    .authenticate(&request.headers, peer, now)
                    .await
            }
        };
        recognised.map_err(|error| {
            self.metrics.identity_failed(match error {
                IdentityError::Missing => "missing",
                IdentityError::Invalid => "invalid",
                IdentityError::Unavailable => "unavailable",
            });
            Problem::Identity(error)
        })
    }

    /// The session of a request; none where the policy has no sessions.
    async fn visit(
        &self,
        request: &CleanRequest,
        snapshot: &Snapshot,
        exchange: &Exchange,
    ) -> Result<Option<Visit>, Problem> {
        let Some(terms) = &snapshot.sessions else {
            return Ok(None);
        };
        let compiled = &snapshot.compiled;
        let arriving = Arriving {
            terms,
            keeper: &self.sessions,
            request,
            line: compiled.session_line(request.method.as_str(), &request.path),
            host: self.upstream.host(),
            cut: exchange.cut(),
        };
        Visit::begin(arriving).await.map(Some)
    }

    /// Charges the request to the quotas that apply, and lets the plan count what they count.
    async fn metered(
        &self,
        plan: Box<ExchangePlan>,
        recognised: &Recognised,
        exchange: &mut Exchange,
    ) -> Result<Box<ExchangePlan>, Problem> {
        let now = self.clock.wall();
        let Some(meter) = Meter::begin(&self.quotas, &plan, recognised, now).await? else {
            return Ok(plan);
        };
        let counted = meter.counted();
        exchange.set_meter(Some(meter));
        Ok(Box::new(plan.counting(counted)))
    }
}

/// One client connection.
pub(crate) struct Connection {
    service: Arc<Service>,
    peer: PeerFacts,
    watch: Arc<Watch>,
    secure: bool,
    options: HttpServerOptions,
}

impl Connection {
    /// A connection whose stream is watched by `watch`.
    pub(crate) fn new(
        service: Arc<Service>,
        peer: PeerFacts,
        watch: Arc<Watch>,
        secure: bool,
    ) -> Self {
        let mut options = HttpServerOptions::default();
        options.h2_idle_timeout = Some(Duration::from_secs(IDLE_SECONDS));
        Self {
            service,
            peer,
            watch,
            secure,
            options,
        }
    }

    /// Reads a request's head. Nothing: the connection has ended, or never said anything.
    async fn read_head(&self, session: &mut ServerSession) -> Option<Result<(), Problem>> {
        let read = tokio::select! {
            biased;
            read = session.read_request() => read,
            // Whoever is not in the middle of a head when draining begins is let go.
            () = self.service.lifecycle.draining() => return None,
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
            (Ok(false), None) => None,
            (Err(_), None) => Some(Err(Problem::Refusal(Refusal::Ambiguous(
                "the head cannot be read",
            )))),
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
        if let Some(path) = self.own_path(&request) {
            let asked = (&request, &*snapshot);
            let answered = self.answer_own(path, session, exchange, asked).await;
            return answered.map(|()| None);
        }
        let service = &self.service;
        let to_login = |problem| sent_to_login(snapshot.sessions.as_deref(), &request, problem);
        let visit = service.visit(&request, &snapshot, exchange).await;
        let visit = visit.map_err(to_login)?;
        let visit = visit.as_ref();
        let asking = (&request, &self.peer);
        let plan = service.decide(asking, visit, &snapshot, exchange).await;
        let plan = plan.map_err(to_login)?;
        let handshake = Handshake::offered(&request, &plan)?;
        exchange.announce(&plan, &request);
        if !request.method.is_safe() || handshake.is_some() {
            exchange.before_first_byte().await?;
        }
        let forwarding = Forwarding {
            upstream: &self.service.upstream,
            clock: self.service.clock.as_ref(),
            lifecycle: &self.service.lifecycle,
            request: &request,
            handshake: handshake.as_ref(),
            plan: &plan,
            visit,
            peer: &self.peer,
            secure: self.secure,
            watch: &self.watch,
            request_body_max: self.service.request_body_max,
        };
        forward::forward(&forwarding, session, exchange).await
    }

    /// Tells the client why it gets no answer.
    async fn tell(
        &self,
        session: &mut ServerSession,
        exchange: &mut Exchange,
        problem: &Problem,
    ) -> After {
        if self.service.lifecycle.is_draining() {
            session.set_keepalive(None);
        }
        let told = respond::refuse(session, exchange, problem);
        match tokio::time::timeout(forward::WRITE_TIME_MAX, told).await {
            Ok(Ok(())) => After::of_refusal(session),
            Ok(Err(_)) | Err(_) => After::BreakOff,
        }
    }
}

#[async_trait]
impl HttpServerApp for Connection {
    async fn process_new_http(
        self: &Arc<Self>,
        mut session: ServerSession,
        _shutdown: &ShutdownWatch,
    ) -> Option<ReusedHttpStream> {
        let service = &self.service;
        let read = self.read_head(&mut session).await?;
        let place = service.lifecycle.admit_exchange();
        let full = place.is_none();
        let (mut exchange, span) =
            begin::begin(service, &session, read.is_ok(), self.secure, place);
        async {
            session.set_keepalive(Some(IDLE_SECONDS));
            exchange.note_peer(&self.peer);
            let refused = match read {
                Err(problem) => Some(problem),
                Ok(()) if full => Some(Problem::Overloaded),
                Ok(()) => None,
            };
            let cut = Arc::clone(exchange.cut());
            let running = async {
                match &refused {
                    Some(problem) => {
                        // No policy decides about it; which one held is on record all the same.
                        let held = service.store.snapshot();
                        exchange.note_revision(held.compiled.revision());
                        Next::End(self.tell(&mut session, &mut exchange, problem).await)
                    }
                    None => self.run(&mut session, &mut exchange).await,
                }
            };
            let lifecycle = &service.lifecycle;
            let next = tokio::select! {
                next = running => next,
                () = lifecycle.cut() => Next::End(After::BreakOff),
                () = cut.notified() => {
                    exchange.note_problem(SESSION_ENDED);
                    Next::End(After::BreakOff)
                }
            };
            let reusable = match next {
                Next::End(after) => finish::finish(session, after, lifecycle, &self.watch).await,
                Next::Tunnel(tunnel) => {
                    tunnel.run(session, &mut exchange, lifecycle).await;
                    None
                }
            };
            drop(exchange);
            reusable
        }
        .instrument(span)
        .await
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
