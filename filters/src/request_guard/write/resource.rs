//! The stored resource, as the upstream gives it and as the role would have been shown it.

use std::sync::Arc;

use http::header::{ETAG, HeaderValue, LAST_MODIFIED};
use http::{HeaderMap, StatusCode};

use crate::body_filter::{BodyError, BodyFilter};
use crate::coding::{Decoder, codings_of};
use crate::exchange_plan::ExchangePlan;
use crate::json::JsonFilter;
use crate::set_cookie::date::cookie_date;

/// What is stored. `Debug` shows nothing of it.
pub struct Resource {
    pub(super) truth: Vec<u8>,
    pub(super) shown: Vec<u8>,
    pub(super) tag: Option<HeaderValue>,
    pub(super) modified: Option<i64>,
}

/// The stored resource while it is being read.
pub struct Reading {
    decoder: Decoder,
    truth: Vec<u8>,
    held_bytes_max: usize,
    plan: Arc<crate::json::JsonPlan>,
    tag: Option<HeaderValue>,
    modified: Option<i64>,
}

impl Reading {
    /// Begins to read the answer to a `GET` that this plan allows.
    ///
    /// # Errors
    /// The answer is not a 200 with JSON.
    pub fn begin(
        plan: &ExchangePlan,
        status: StatusCode,
        headers: &HeaderMap,
    ) -> Result<Self, BodyError> {
        if status != StatusCode::OK {
            let what = "a status other than 200";
            return Err(BodyError::Head { what });
        }
        ExchangePlan::refuse_unless_json(headers)?;
        let limits = plan.limits();
        Ok(Self {
            decoder: Decoder::new(&codings_of(headers)?, limits.expand_ratio)?,
            truth: Vec::new(),
            held_bytes_max: limits.held_bytes,
            plan: plan.json_plan(true),
            tag: strong_tag(headers),
            modified: modified(headers),
        })
    }

    /// Takes the next bytes as the upstream sent them.
    ///
    /// # Errors
    /// They cannot be decoded, or are too many.
    pub fn push(&mut self, chunk: &[u8]) -> Result<(), BodyError> {
        let (truth, most) = (&mut self.truth, self.held_bytes_max);
        self.decoder.push(chunk, &mut |decoded| {
            if truth.len().saturating_add(decoded.len()) > most {
                return Err(BodyError::Limit {
                    limit: "held_bytes",
                });
            }
            truth.extend_from_slice(decoded);
            Ok(())
        })
    }

    /// The body has ended: works out what the role would have been shown.
    ///
    /// # Errors
    /// The body is incomplete, or could not have been shown.
    pub fn finish(self) -> Result<Resource, BodyError> {
        self.decoder.finish()?;
        let mut filter = JsonFilter::new(self.plan);
        let mut shown = Vec::with_capacity(self.truth.len());
        filter.push(&self.truth, &mut shown)?;
        filter.finish(&mut shown)?;
        Ok(Resource {
            truth: self.truth,
            shown,
            tag: self.tag,
            modified: self.modified,
        })
    }
}

impl Resource {
    /// What the role is shown of it, which says nothing that is hidden.
    #[must_use]
    pub fn looks_like(&self, other: &Self) -> bool {
        self.shown == other.shown
    }

    /// The strong entity tag that came with it.
    pub(super) const fn tag(&self) -> Option<&HeaderValue> {
        self.tag.as_ref()
    }

    /// When it was last changed, in seconds since 1970, if that came with it.
    pub(super) const fn modified(&self) -> Option<i64> {
        self.modified
    }
}

/// The one date of the last change of a head (RFC 9110 section 8.8.2).
fn modified(headers: &HeaderMap) -> Option<i64> {
    let mut values = headers.get_all(LAST_MODIFIED).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    cookie_date(value.as_bytes())
}

/// The one strong entity tag of a head (RFC 9110 section 8.8.3).
fn strong_tag(headers: &HeaderMap) -> Option<HeaderValue> {
    let mut values = headers.get_all(ETAG).iter();
    let value = values.next().filter(|_| values.next().is_none())?;
    let inner = value.as_bytes().strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let plain = inner
        .iter()
        .all(|byte| *byte > b' ' && !matches!(byte, b'"' | 0x7f));
    plain.then(|| value.clone())
}

impl std::fmt::Debug for Resource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Resource").finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Reading {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reading").finish_non_exhaustive()
    }
}
