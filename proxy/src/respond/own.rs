//! Answers of our own that are no problems, and the receipt that goes with an answer.

use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, StatusCode};
use pingora::http::ResponseHeader;
use pingora::protocols::http::ServerSession;

use crate::exchange::Exchange;
use crate::session::Answer;

const RECEIPT: &str = "Audit-Receipt";

/// An answer that Postern itself gives.
#[derive(Debug)]
pub(crate) struct Own {
    /// Its status.
    pub status: StatusCode,
    /// What the body is; none where there is none, or a field says it.
    pub content_type: Option<&'static str>,
    /// Further header fields.
    pub fields: HeaderMap,
    /// The body; a 204 has none.
    pub body: String,
}

impl From<Answer> for Own {
    fn from(answer: Answer) -> Self {
        let mut fields = HeaderMap::new();
        for (name, value) in answer.fields {
            fields.append(name, value);
        }
        Self {
            status: answer.status,
            content_type: None,
            fields,
            body: answer.body,
        }
    }
}

/// Writes an answer of our own. Whether it is on record is the caller's business.
///
/// # Errors
/// The client is gone.
pub(crate) async fn own(
    session: &mut ServerSession,
    exchange: &mut Exchange,
    answer: Own,
) -> pingora::Result<()> {
    let body = Bytes::from(answer.body);
    let has_body = answer.status != StatusCode::NO_CONTENT;
    let mut head = ResponseHeader::build(answer.status, Some(8))?;
    for (name, value) in &answer.fields {
        head.append_header(name, value)?;
    }
    if let Some(content_type) = answer.content_type {
        head.insert_header(CONTENT_TYPE, content_type)?;
    }
    if has_body {
        head.insert_header(CONTENT_LENGTH, body.len())?;
    }
    head.insert_header(CACHE_CONTROL, "no-store")?;
    head.insert_header("X-Content-Type-Options", "nosniff")?;
    head.insert_header("Postern-Revision", exchange.revision())?;
    add_receipt(&mut head, exchange)?;
    session.write_response_header(Box::new(head)).await?;
    exchange.note_status(answer.status);
    if !body.is_empty() && !exchange.asks_for_head_only() {
        exchange.note_sent(body.len());
        session.write_response_body(body, true).await?;
    }
    session.finish_body().await
}

/// Adds the receipt, where clients get one. What the upstream says under this name is never passed on
/// then: it would be taken for ours.
pub(crate) fn add_receipt(head: &mut ResponseHeader, exchange: &Exchange) -> pingora::Result<()> {
    if !exchange.gives_receipts() {
        return Ok(());
    }
    head.remove_header(RECEIPT);
    match exchange.receipt() {
        Some(receipt) => head.insert_header(RECEIPT, receipt),
        None => Ok(()),
    }
}
