//! Paths of the data listener that Postern itself answers, before any policy: proofs of the audit log for
//! clients, cosignatures for the logs of other replicas, and everybody's own sessions.
//!
//! Each exists only where the server file says so (`audit.receipts`, `audit.peers`), or the policy
//! (`sessions`); otherwise the path is the application's, like any other. They are here and not on the admin
//! listener because whoever asks is elsewhere: the admin listener is loopback only.

mod page;
mod sessions;

use std::time::Duration;

use bytes::BytesMut;
use http::{HeaderMap, Method, StatusCode};
use pingora::protocols::http::ServerSession;
use postern_filters::DenyReason;

use super::{Connection, Halt};
use crate::evidence::NoProof;
use crate::exchange::{Ending, Exchange};
use crate::forward::{Tunnel, WRITE_TIME_MAX};
use crate::hygiene::{CleanRequest, DeclaredBody};
use crate::identity::IdentityError;
use crate::policy_store::Snapshot;
use crate::respond::{self, Own, Problem};
use crate::session::Answer;
use crate::visit::{Arrival, DevicePath, Visit, answer_device, told};

/// The proof of an entry: `?index=`.
const PROOF: &str = "/__postern/audit/proof";
/// Where the logs of other replicas are cosigned.
const ADD_CHECKPOINT: &str = "/__postern/audit/witness/add-checkpoint";
/// Whose sessions are whose own.
const SESSIONS: &str = "/__postern/sessions";
/// Where they are ended.
const END_SESSION: &str = "/__postern/sessions/end";
/// The longest checkpoint with its proof, in bytes.
const CHECKPOINT_BYTES_MAX: usize = 64 << 10;
/// How long what is posted may take to arrive.
const POSTED_TIME_MAX: Duration = Duration::from_secs(10);

/// What Postern itself answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OwnPath {
    Proof,
    AddCheckpoint,
    Device(DevicePath),
    Sessions,
    EndSession,
}

impl Connection {
    /// Whether Postern itself answers a request.
    pub(super) fn own_path(&self, request: &CleanRequest, snapshot: &Snapshot) -> Option<OwnPath> {
        let evidence = &self.service.evidence;
        let has_sessions = snapshot.sessions.is_some();
        match request.path.as_str() {
            PROOF => evidence.gives_receipts().then_some(OwnPath::Proof),
            ADD_CHECKPOINT => evidence.is_witness().then_some(OwnPath::AddCheckpoint),
            SESSIONS => has_sessions.then_some(OwnPath::Sessions),
            END_SESSION => has_sessions.then_some(OwnPath::EndSession),
            path => {
                let device = DevicePath::of(path).filter(|_| has_sessions);
                device.map(OwnPath::Device)
            }
        }
    }

    /// Answers it.
    ///
    /// # Errors
    /// The client is refused, or gone.
    pub(super) async fn answer_own(
        &self,
        path: OwnPath,
        session: &mut ServerSession,
        exchange: &mut Exchange,
        (request, snapshot): (&CleanRequest, &Snapshot),
    ) -> Result<(), Halt> {
        let asked = (request, snapshot);
        let terms = snapshot.sessions.as_deref();
        let answer = match path {
            OwnPath::Device(path) => {
                let asking = (request, &self.peer);
                let arriving = self.service.arriving(asking, snapshot, exchange);
                let arriving = arriving.ok_or(Problem::Denied(DenyReason::RouteDenied))?;
                answer_device(path, arriving).await?.into()
            }
            OwnPath::Proof => self.proof(exchange, request, snapshot).await?,
            OwnPath::AddCheckpoint => self.cosigned(session, request).await?,
            OwnPath::Sessions => {
                let answer = self.own_sessions(exchange, asked).await;
                answer.map_err(|problem| told(terms, request, problem))?
            }
            OwnPath::EndSession => {
                let answer = self.end_sessions(session, exchange, asked).await;
                answer.map_err(|problem| told(terms, request, problem))?
            }
        };
        match path {
            OwnPath::AddCheckpoint => {
                exchange.strike();
                write(session, exchange, answer).await
            }
            OwnPath::Proof | OwnPath::Device(_) | OwnPath::Sessions | OwnPath::EndSession => {
                put(session, exchange, answer).await
            }
        }
    }

    /// Shows an answer that the session layer gives, once it is on record.
    pub(super) async fn show(
        &self,
        answer: Answer,
        session: &mut ServerSession,
        exchange: &mut Exchange,
    ) -> Result<Option<Box<Tunnel>>, Halt> {
        put(session, exchange, answer.into()).await.map(|()| None)
    }

    /// Anybody whom the policy recognises may ask for the proof of any entry: it holds hashes only.
    async fn proof(
        &self,
        exchange: &mut Exchange,
        request: &CleanRequest,
        snapshot: &Snapshot,
    ) -> Result<Own, Problem> {
        allow(request, &[Method::GET, Method::HEAD])?;
        let asking = (request, &self.peer);
        let arriving = self.service.arriving(asking, snapshot, exchange);
        let recognised = match (arriving, &snapshot.authenticator) {
            (Some(arriving), _) if arriving.names_people() => match Visit::begin(arriving).await? {
                Arrival::Visit(visit) => visit.recognised()?,
                Arrival::Page(_) => return Err(Problem::Identity(IdentityError::Missing)),
            },
            (_, None) => return Err(Problem::Identity(IdentityError::Unavailable)),
            (_, Some(_)) => {
                self.service
                    .recognise(request, &self.peer, snapshot)
                    .await?
            }
        };
        exchange.note_identity(&recognised.identity);
        let index = request.query.as_deref().and_then(index_of);
        let index = index.ok_or(Problem::Denied(DenyReason::QueryNotAllowed))?;
        match self.service.evidence.proof(index).await {
            Ok(body) => Ok(Own {
                status: StatusCode::OK,
                content_type: Some("text/plain; charset=utf-8"),
                fields: HeaderMap::new(),
                body,
            }),
            Err(NoProof::Unpublished) => Err(Problem::ProofUnavailable),
            Err(NoProof::Busy) => Err(Problem::Overloaded),
            Err(NoProof::Unreadable) => Err(Problem::AuditUnavailable),
        }
    }

    /// Nobody is recognised here: the checkpoint's own signature has to be that of a log that is known.
    async fn cosigned(
        &self,
        session: &mut ServerSession,
        request: &CleanRequest,
    ) -> Result<Own, Problem> {
        allow(request, &[Method::POST])?;
        let body = read(session, request, CHECKPOINT_BYTES_MAX).await?;
        let (evidence, now) = (self.service.evidence.clone(), self.service.clock.wall());
        let answering = tokio::task::spawn_blocking(move || evidence.cosign(&body, now));
        let answer = answering.await.ok().flatten();
        let answer = answer.ok_or(Problem::AuditUnavailable)?;
        let status = StatusCode::from_u16(answer.status);
        Ok(Own {
            status: status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR),
            content_type: Some(answer.content_type),
            fields: HeaderMap::new(),
            body: answer.body,
        })
    }
}

/// Puts an answer on record, and writes it.
async fn put(
    session: &mut ServerSession,
    exchange: &mut Exchange,
    answer: Own,
) -> Result<(), Halt> {
    let length = answer.body.len();
    exchange
        .before_last_byte(Ending::Allowed, answer.status, length)
        .await?;
    write(session, exchange, answer).await
}

async fn write(
    session: &mut ServerSession,
    exchange: &mut Exchange,
    answer: Own,
) -> Result<(), Halt> {
    let written = respond::own(session, exchange, answer);
    match tokio::time::timeout(WRITE_TIME_MAX, written).await {
        Ok(Ok(())) => {
            exchange.end(Ending::Allowed);
            Ok(())
        }
        Ok(Err(_)) | Err(_) => Err(Halt::BreakOff),
    }
}

fn allow(request: &CleanRequest, methods: &[Method]) -> Result<(), Problem> {
    if methods.contains(&request.method) {
        return Ok(());
    }
    let allow = methods.iter().map(ToString::to_string).collect();
    Err(Problem::Denied(DenyReason::MethodNotAllowed { allow }))
}

/// `index=N` and nothing else.
fn index_of(query: &str) -> Option<u64> {
    let digits = query.strip_prefix("index=")?;
    let is_plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.parse().ok().filter(|_| is_plain)
}

/// What was posted, whole.
async fn read(
    session: &mut ServerSession,
    request: &CleanRequest,
    bytes_max: usize,
) -> Result<BytesMut, Problem> {
    let reading = tokio::time::timeout(POSTED_TIME_MAX, read_all(session, request, bytes_max));
    reading.await.map_err(|_elapsed| Problem::RequestTimeout)?
}

async fn read_all(
    session: &mut ServerSession,
    request: &CleanRequest,
    bytes_max: usize,
) -> Result<BytesMut, Problem> {
    let mut body = BytesMut::new();
    if request.body == DeclaredBody::None {
        return Ok(body);
    }
    loop {
        match session.read_request_body().await {
            Ok(Some(bytes)) => body.extend_from_slice(&bytes),
            Ok(None) => return Ok(body),
            Err(_broken) => return Err(Problem::RequestTimeout),
        }
        if body.len() > bytes_max {
            return Err(Problem::BodyTooLarge);
        }
    }
}
