//! The client's request body: read under a limit and a clock, whole when it is short.
//!
//! A body of up to 64 KiB is read before the upstream is contacted, so that a broken one never reaches
//! it, and leaves with a Content-Length. A longer one streams. Trailers are dropped by the library.
//! A client that waits for `100 Continue` gets it here, from Postern alone, once the request may happen.

use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http::header::CONTENT_LENGTH;
use pingora::ErrorType;
use pingora::protocols::http::ServerSession;
use postern_filters::request_guard::method_override::{AnotherMethod, FormOverride};

use super::{Forwarding, WRITE_TIME_MAX};
use crate::hygiene::{DeclaredBody, Refusal};
use crate::listener::Complaint;
use crate::respond::Problem;
use crate::service::Halt;

/// How much is read before the upstream is contacted, in bytes.
const WHOLE_BYTES_MAX: usize = 64 << 10;
/// How long a body may take before its rate counts.
const GRACE: Duration = Duration::from_secs(20);
/// The slowest rate at which a body may arrive after that, in bytes per second.
const RATE_MIN: u64 = 1024;

/// A request body on its way.
#[derive(Debug)]
pub(super) enum RequestBody {
    /// There is none.
    None,
    /// All of it is here.
    Whole(Bytes),
    /// The beginning is here; the rest is read as it is sent.
    Streamed {
        /// What was read already.
        first: Bytes,
        /// The declared length, if there is one.
        length: Option<u64>,
        /// Reads the rest.
        intake: Intake,
    },
}

/// Reads a body and holds it to its bounds.
#[derive(Debug)]
pub(super) struct Intake {
    started: Instant,
    received: u64,
    /// Watches a form for a field that asks for another method.
    form: Option<FormOverride>,
    /// The declared length: with its last byte the upstream has the whole body.
    length: Option<u64>,
}

impl RequestBody {
    /// Reads a short body whole, or the beginning of a long one.
    ///
    /// # Errors
    /// The body is too large, broken, too slow, or should not be there.
    pub(super) async fn begin(
        forwarding: &Forwarding<'_>,
        session: &mut ServerSession,
    ) -> Result<Self, Halt> {
        let length = match forwarding.request.body {
            DeclaredBody::None => return Self::none(forwarding, session).await,
            DeclaredBody::Length(length) if length > forwarding.request_body_max => {
                return Err(Problem::BodyTooLarge.into());
            }
            DeclaredBody::Length(length) => Some(length),
            DeclaredBody::Streamed => None,
        };
        let mut intake = Intake {
            started: forwarding.clock.monotonic(),
            received: 0,
            form: form_of(forwarding)?,
            length,
        };
        if forwarding.request.waits {
            bid_continue(session).await?;
        }
        let mut whole = BytesMut::new();
        while whole.len() <= WHOLE_BYTES_MAX {
            match intake.next(forwarding, session).await? {
                Some(bytes) => whole.extend_from_slice(&bytes),
                None => return Self::whole(forwarding, whole.freeze()),
            }
        }
        Ok(Self::Streamed {
            first: whole.freeze(),
            length,
            intake,
        })
    }

    /// No body. In HTTP/2 a declared length of zero is only believed once the stream has ended: data that
    /// follows makes the request malformed (RFC 9113 section 8.1.1), and it must not have gone up by then.
    async fn none(forwarding: &Forwarding<'_>, session: &mut ServerSession) -> Result<Self, Halt> {
        let declared = forwarding.request.headers.contains_key(CONTENT_LENGTH);
        if !session.is_http2() || !declared {
            return Ok(Self::None);
        }
        let mut intake = Intake {
            started: forwarding.clock.monotonic(),
            received: 0,
            form: None,
            length: None,
        };
        while let Some(bytes) = intake.next(forwarding, session).await? {
            if !bytes.is_empty() {
                return Err(broken());
            }
        }
        Ok(Self::None)
    }

    /// A stream may turn out to be empty; on a method that takes no body it has to be.
    fn whole(forwarding: &Forwarding<'_>, body: Bytes) -> Result<Self, Halt> {
        let method = &forwarding.request.method;
        if body.is_empty() && forwarding.request.body == DeclaredBody::Streamed {
            return Ok(Self::None);
        }
        if !body.is_empty() && method.is_safe() {
            let refusal = Refusal::Ambiguous("a body on a method that takes none");
            return Err(Problem::Refusal(refusal).into());
        }
        Ok(Self::Whole(body))
    }

    /// The whole body, read to its end within a bound; none when there is none.
    ///
    /// # Errors
    /// It is larger than the bound, broken or too slow.
    pub(super) async fn read_whole(
        self,
        forwarding: &Forwarding<'_>,
        session: &mut ServerSession,
        bytes_max: usize,
    ) -> Result<Option<Bytes>, Halt> {
        let (first, mut intake) = match self {
            Self::None => return Ok(None),
            Self::Whole(bytes) if bytes.len() > bytes_max => {
                return Err(Problem::BodyTooLarge.into());
            }
            Self::Whole(bytes) => return Ok(Some(bytes)),
            Self::Streamed { first, intake, .. } => (first, intake),
        };
        let mut whole = BytesMut::from(first);
        loop {
            if whole.len() > bytes_max {
                return Err(Problem::BodyTooLarge.into());
            }
            match intake.next(forwarding, session).await? {
                Some(bytes) => whole.extend_from_slice(&bytes),
                None => return Ok(Some(whole.freeze())),
            }
        }
    }

    /// The body, when all of it is here.
    pub(super) fn whole_bytes(&self) -> Option<Bytes> {
        match self {
            Self::Whole(bytes) => Some(bytes.clone()),
            Self::None | Self::Streamed { .. } => None,
        }
    }

    /// The body with the application's tokens in the place of what the client holds instead, and without
    /// credentials in what is attached. It is read whole for that: its length changes.
    ///
    /// # Errors
    /// It is too large, broken, too slow, or a token cannot be written in it.
    pub(super) async fn with_tokens(
        self,
        forwarding: &Forwarding<'_>,
        session: &mut ServerSession,
    ) -> Result<Self, Halt> {
        let Some(visit) = forwarding.visit else {
            return Ok(self);
        };
        let bytes_max = usize::try_from(forwarding.request_body_max).unwrap_or(usize::MAX);
        let Some(body) = self.read_whole(forwarding, session, bytes_max).await? else {
            return Ok(Self::None);
        };
        Ok(Self::Whole(visit.body(forwarding.request, body)?))
    }

    /// Whether the same body could be sent a second time.
    pub(super) fn can_be_repeated(&self) -> bool {
        match self {
            Self::None | Self::Whole(_) => true,
            Self::Streamed { .. } => false,
        }
    }
}

impl Intake {
    /// The next bytes of the body; none at its end.
    ///
    /// # Errors
    /// The body is too large, broken or too slow.
    pub(super) async fn next(
        &mut self,
        forwarding: &Forwarding<'_>,
        session: &mut ServerSession,
    ) -> Result<Option<Bytes>, Halt> {
        let allowed = GRACE.saturating_add(Duration::from_secs(self.received / RATE_MIN));
        let elapsed = forwarding
            .clock
            .monotonic()
            .saturating_duration_since(self.started);
        let left = allowed.saturating_sub(elapsed);
        let Ok(read) = tokio::time::timeout(left, session.read_request_body()).await else {
            return Err(Problem::RequestTimeout.into());
        };
        if forwarding.watch.complaint() == Some(Complaint::Chunks) {
            return Err(broken());
        }
        match read {
            Ok(Some(bytes)) => {
                let arrived = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
                self.received = self.received.saturating_add(arrived);
                if self.received > forwarding.request_body_max {
                    return Err(Problem::BodyTooLarge.into());
                }
                if let Some(form) = &mut self.form {
                    form.push(&bytes).map_err(another_method)?;
                    if self.length == Some(self.received) {
                        form.finish().map_err(another_method)?;
                    }
                }
                Ok(Some(bytes))
            }
            Ok(None) => {
                if let Some(form) = &mut self.form {
                    form.finish().map_err(another_method)?;
                }
                Ok(None)
            }
            Err(error) if error.etype == ErrorType::ReadTimedout => {
                Err(Problem::RequestTimeout.into())
            }
            Err(_) if session.is_http2() => Err(Halt::BreakOff),
            Err(_) => Err(broken()),
        }
    }
}

/// Tells an HTTP/1.1 client that it may send the body (RFC 9110 section 15.2.1). The library cannot
/// say it in HTTP/2, where a client that waits goes on after a while, as section 10.1.1 asks of it.
async fn bid_continue(session: &mut ServerSession) -> Result<(), Halt> {
    if session.is_http2() {
        return Ok(());
    }
    // The library takes any head before the body's end for an early answer, after which it closes.
    let keepalive = session.get_keepalive();
    let told = tokio::time::timeout(WRITE_TIME_MAX, session.write_continue_response()).await;
    session.set_keepalive(keepalive);
    match told {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Halt::BreakOff),
    }
}

/// What watches the body, where it is a form.
fn form_of(forwarding: &Forwarding<'_>) -> Result<Option<FormOverride>, Halt> {
    let request = forwarding.request;
    FormOverride::of(request.method.as_str(), &request.headers).map_err(another_method)
}

fn another_method(AnotherMethod: AnotherMethod) -> Halt {
    let refusal = Refusal::Ambiguous("a form asks for another method, or hides what it asks for");
    Problem::Refusal(refusal).into()
}

fn broken() -> Halt {
    Problem::Refusal(Refusal::Ambiguous("the body's framing")).into()
}
