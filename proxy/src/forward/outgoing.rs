//! What goes to the client: held back whole while it is small, streamed once it is not.
//!
//! ```text
//!  held: head + bytes ──finish──▶ head with Content-Length, bytes, end
//!    │
//!    └─ more than 64 KiB decoded ──▶ head, bytes ──▶ streaming ──finish──▶ end
//! ```
//!
//! INVARIANT: while it holds, nothing has reached the client, so that a problem can still be told.

use std::collections::BTreeMap;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, InvalidHeaderValue, TRANSFER_ENCODING, VIA};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use pingora::http::ResponseHeader;
use pingora::protocols::http::ServerSession;
use pingora::time::tokio_timeout;
use postern_filters::Redacted;

use super::WRITE_TIME_MAX;
use crate::admin::Vitals;
use crate::exchange::{Ending, Exchange};
use crate::lifecycle::Lifecycle;
use crate::listener::{Cork, Watch};
use crate::respond::add_receipt;
use crate::service::Halt;

const REVISION: HeaderName = HeaderName::from_static("postern-revision");
const WITHHELD: HeaderName = HeaderName::from_static("postern-withheld");
/// The most that is written at once: a client has [`WRITE_TIME_MAX`] to take it.
const WRITE_BYTES_MAX: usize = 64 << 10;
/// How long a client has to take what was decided before its message breaks off.
const SOON: Duration = Duration::from_millis(1500);
/// When so much was gathered, it leaves.
const GATHERED_BYTES: usize = 32 << 10;

/// An answer on its way to the client.
pub(super) struct Outgoing<'a> {
    session: &'a mut ServerSession,
    exchange: &'a mut Exchange,
    lifecycle: &'a Lifecycle,
    watch: &'a Watch,
    /// The head, until it has left.
    head: Option<AnswerHead>,
    /// What waits: everything while the head does, and afterwards the last bytes of a body whose length
    /// the client knows.
    held: BytesMut,
    /// What may leave and waits for more, once the head has left.
    gathered: BytesMut,
    /// How many bytes were written while the connection was corked, and wait for the end of the message.
    corked: usize,
    /// The head's status, once it has left.
    status: StatusCode,
    keeps_last: bool,
}

/// The head of an answer, without its framing.
#[derive(Debug)]
pub(super) struct AnswerHead {
    /// The status.
    pub status: StatusCode,
    /// The fields that the plan lets through.
    pub headers: HeaderMap,
    /// The length that may be told although the body streams.
    pub keep_length: Option<u64>,
}

/// How the client knows where the body ends.
enum Framing {
    Length(u64),
    Streamed,
    /// There is none.
    Bodiless,
}

impl<'a> Outgoing<'a> {
    /// Holds a head.
    pub(super) fn new(
        session: &'a mut ServerSession,
        exchange: &'a mut Exchange,
        (lifecycle, watch): (&'a Lifecycle, &'a Watch),
        head: AnswerHead,
    ) -> Self {
        Self {
            session,
            exchange,
            lifecycle,
            watch,
            status: head.status,
            keeps_last: false,
            head: Some(head),
            held: BytesMut::new(),
            gathered: BytesMut::new(),
            corked: 0,
        }
    }

    /// Whether nothing has reached the client yet.
    pub(super) fn holds(&self) -> bool {
        self.head.is_some()
    }

    /// The client's side, to notice when it is gone.
    pub(super) fn session(&mut self) -> &mut ServerSession {
        self.session
    }

    /// The record of the exchange.
    pub(super) fn exchange(&mut self) -> &mut Exchange {
        self.exchange
    }

    /// Takes bytes that may leave; they are held until [`Self::release`], and after that gathered until
    /// [`Self::pass_on`].
    ///
    /// # Errors
    /// The client is gone.
    pub(super) async fn push(&mut self, bytes: Redacted) -> Result<(), Halt> {
        let bytes = bytes.into_bytes();
        if self.holds() {
            append(&mut self.held, bytes);
            return Ok(());
        }
        self.gather(bytes).await
    }

    /// The upstream has nothing more at the moment: what was gathered leaves.
    ///
    /// # Errors
    /// The client is gone.
    pub(super) async fn pass_on(&mut self) -> Result<(), Halt> {
        if self.gathered.is_empty() {
            return Ok(());
        }
        let gathered = std::mem::take(&mut self.gathered).freeze();
        self.write(gathered).await
    }

    /// The message will break off: what was gathered leaves, if the client takes it soon. Over HTTP/2 the reset would
    /// overtake it.
    pub(super) async fn pass_on_soon(&mut self) {
        if !self.session.is_http2() {
            let passing = tokio::time::timeout(SOON, self.pass_on());
            // Who takes nothing is gone for us.
            drop(passing.await);
        }
    }

    /// Lets go of what is held: from now on bytes are gathered, and leave.
    ///
    /// # Errors
    /// The client is gone.
    pub(super) async fn release(&mut self) -> Result<(), Halt> {
        let Some(head) = self.head.take() else {
            return Ok(());
        };
        let framing = match head.keep_length {
            Some(length) => Framing::Length(length),
            None => Framing::Streamed,
        };
        self.status = head.status;
        self.keeps_last = head.keep_length.is_some();
        if let Err(problem) = self.exchange.before_first_byte().await {
            // Nothing has left, so the client can still be told.
            self.head = Some(head);
            return Err(problem.into());
        }
        let held = std::mem::take(&mut self.held).freeze();
        {
            let _corked = match framing {
                Framing::Streamed if !held.is_empty() => self.cork(),
                Framing::Streamed | Framing::Length(_) | Framing::Bodiless => None,
            };
            self.write_head(head, &framing).await?;
        }
        self.gather(held).await
    }

    /// The body has ended. What is held leaves with its exact length.
    ///
    /// # Errors
    /// The client is gone.
    pub(super) async fn finish(&mut self) -> Result<(), Halt> {
        let length = u64::try_from(self.held.len()).unwrap_or(u64::MAX);
        let ends_with_a_chunk = !self.holds() && !self.keeps_last;
        self.recorded().await?;
        if let Some(head) = self.head.take() {
            self.write_head(head, &Framing::Length(length)).await?;
        }
        let held = std::mem::take(&mut self.held).freeze();
        append(&mut self.gathered, held);
        if let Some(_corked) = ends_with_a_chunk.then(|| self.cork()).flatten() {
            let last = std::mem::take(&mut self.gathered).freeze();
            self.corked = self.write_unnoted(last).await?;
        }
        self.pass_on().await?;
        self.end().await
    }

    /// Waits until it is on record how the exchange ends.
    async fn recorded(&mut self) -> Result<(), Halt> {
        let status = self.head.as_ref().map_or(self.status, |head| head.status);
        let unsent = self.held.len().saturating_add(self.gathered.len());
        let recorded = self
            .exchange
            .before_last_byte(Ending::Allowed, status, unsent);
        recorded.await.map_err(Halt::from)
    }

    /// Says how many values were withheld, by label, and whether records were removed, if the head has
    /// not left yet: an RFC 9651 dictionary such as `pii.name=2, secret=1, records;more=true`.
    pub(super) fn note_withheld(&mut self, withheld: &BTreeMap<String, u64>, cut: bool) {
        let counts = withheld.iter();
        let mut counts: Vec<String> = counts
            .map(|(label, count)| format!("{label}={count}"))
            .collect();
        if cut {
            counts.push("records;more=true".to_owned());
        }
        if let Some(head) = &mut self.head
            && let Ok(value) = HeaderValue::try_from(counts.join(", "))
            && !counts.is_empty()
        {
            head.headers.insert(WITHHELD, value);
        }
    }

    /// There is no body, whatever the head says.
    ///
    /// # Errors
    /// The client is gone.
    pub(super) async fn finish_without_body(&mut self) -> Result<(), Halt> {
        self.recorded().await?;
        if let Some(head) = self.head.take() {
            let framing = match head.keep_length {
                Some(length) if head.status == StatusCode::OK => Framing::Length(length),
                Some(_) | None => Framing::Bodiless,
            };
            self.write_head(head, &framing).await?;
        }
        self.end().await
    }

    async fn write_head(&mut self, head: AnswerHead, framing: &Framing) -> Result<(), Halt> {
        let status = head.status;
        let revision = self.exchange.revision();
        let mut head = wire_head(head, framing, revision).map_err(|_error| Halt::BreakOff)?;
        add_receipt(&mut head, self.exchange).map_err(|_error| Halt::BreakOff)?;
        if self.lifecycle.is_draining() {
            self.session.set_keepalive(None);
        }
        within(self.session.write_response_header(Box::new(head))).await?;
        self.exchange.note_status(status);
        Ok(())
    }

    /// Lets what is written next wait for what comes right behind it. PERF: a head and the last chunk have none of their
    /// own writes (decision 0052).
    fn cork(&self) -> Option<Cork<'a>> {
        (!self.session.is_http2()).then(|| self.watch.cork())
    }

    /// Gathers bytes, but for the last ones of a body whose length the client knows: they wait until it is
    /// on record how the exchange ends.
    async fn gather(&mut self, bytes: Bytes) -> Result<(), Halt> {
        let bytes = match self.keeps_last && !bytes.is_empty() {
            true => std::mem::replace(&mut self.held, BytesMut::from(bytes)).freeze(),
            false => bytes,
        };
        append(&mut self.gathered, bytes);
        match self.gathered.len() >= GATHERED_BYTES {
            true => self.pass_on().await,
            false => Ok(()),
        }
    }

    async fn write(&mut self, mut bytes: Bytes) -> Result<(), Halt> {
        while !bytes.is_empty() {
            let piece = bytes.split_to(bytes.len().min(WRITE_BYTES_MAX));
            let written = self.write_unnoted(piece).await?;
            self.exchange.note_sent(written);
        }
        Ok(())
    }

    /// Writes bytes, which have not left yet where the connection is corked. How many.
    async fn write_unnoted(&mut self, bytes: Bytes) -> Result<usize, Halt> {
        let length = bytes.len();
        if length > 0 {
            within(self.session.write_response_body(bytes, false)).await?;
        }
        Ok(length)
    }

    async fn end(&mut self) -> Result<(), Halt> {
        within(self.session.finish_body()).await?;
        self.exchange.note_sent(std::mem::take(&mut self.corked));
        Ok(())
    }
}

/// Appends bytes, without a copy where there are none before.
fn append(to: &mut BytesMut, bytes: Bytes) {
    match to.is_empty() {
        true => *to = BytesMut::from(bytes),
        false => to.extend_from_slice(&bytes),
    }
}

/// Nothing waits for a client forever.
pub(super) async fn within(writing: impl Future<Output = pingora::Result<()>>) -> Result<(), Halt> {
    // PERF: most writes are done at once, and have no timer (decision 0053).
    match tokio_timeout(WRITE_TIME_MAX, writing).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(_)) | Err(_) => Err(Halt::BreakOff),
    }
}

/// The head as the library wants it. PERF: not built field by field, as in `request_head` (`postern bench`).
fn wire_head(
    head: AnswerHead,
    framing: &Framing,
    revision: &str,
) -> Result<ResponseHeader, InvalidHeaderValue> {
    let mut fields = head.headers;
    for ours in [CONTENT_LENGTH, TRANSFER_ENCODING, CONNECTION] {
        fields.remove(ours);
    }
    match framing {
        Framing::Length(length) => fields.insert(CONTENT_LENGTH, HeaderValue::from(*length)),
        Framing::Streamed => fields.insert(TRANSFER_ENCODING, HeaderValue::from_static("chunked")),
        // A 205 has content unless its length is zero (RFC 9110 section 15.3.6).
        Framing::Bodiless if head.status == StatusCode::RESET_CONTENT => {
            fields.insert(CONTENT_LENGTH, HeaderValue::from(0))
        }
        Framing::Bodiless => None,
    };
    fields.insert(VIA, HeaderValue::from_static("1.1 postern"));
    fields.insert(REVISION, HeaderValue::from_str(revision)?);
    let (mut parts, ()) = http::Response::new(()).into_parts();
    parts.status = head.status;
    parts.headers = fields;
    Ok(ResponseHeader::from(parts))
}
