//! From the upstream's response head to the client's, and to what the body goes through.

use std::sync::Arc;

use http::header::{CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use postern_config::RouteFormat;
use postern_config::routes::LongLived;

use crate::body_filter::BodyError;
use crate::coding::codings_of;
use crate::exchange_plan::accept_encoding::Chosen;
use crate::exchange_plan::media_type::{self, MediaType};
use crate::exchange_plan::{ExchangePlan, ResponsePlan, response_headers};
use crate::export_meter::SubjectKey;
use crate::pipeline::{BodyFormat, BodyPipeline, Counting, Reader, ReaderParts};

/// The upstream's final response head, and what is to be done with the body.
#[derive(Clone, Copy)]
pub(super) struct Answer<'a> {
    pub(super) bodiless: bool,
    pub(super) status: StatusCode,
    pub(super) upstream: &'a HeaderMap,
    /// What stands for data subjects, where the body is counted.
    pub(super) key: Option<SubjectKey>,
}

impl<'a> Answer<'a> {
    /// An answer whose body nobody counts.
    pub(super) fn new(method: &Method, status: StatusCode, upstream: &'a HeaderMap) -> Self {
        Self {
            bodiless: method == Method::HEAD
                || status == StatusCode::NO_CONTENT
                || status == StatusCode::NOT_MODIFIED,
            status,
            upstream,
            key: None,
        }
    }
}

impl ExchangePlan {
    pub(super) fn respond_to(&self, answer: Answer<'_>) -> Result<ResponsePlan, BodyError> {
        match self.guards_heads() {
            true => self.respond_guarded(answer),
            false => self.respond_open(answer.bodiless, answer.upstream),
        }
    }

    /// A route without labels: everything that is no token passes.
    fn respond_open(
        &self,
        bodiless: bool,
        upstream: &HeaderMap,
    ) -> Result<ResponsePlan, BodyError> {
        if names_event_stream(upstream) && !self.allows(LongLived::Sse) {
            return Err(BodyError::ContentType);
        }
        Ok(ResponsePlan {
            headers: response_headers::open(upstream),
            body: (!bodiless).then(BodyPipeline::pass_through),
            keep_length: declared_length(upstream),
        })
    }

    /// A route whose answers may have something to hide, or must have something in them.
    fn respond_guarded(&self, answer: Answer<'_>) -> Result<ResponsePlan, BodyError> {
        let Answer {
            bodiless,
            status,
            upstream,
            ..
        } = answer;
        response_headers::refuse_labelled(status, upstream)?;
        let mut headers = response_headers::labelled(upstream);
        let require = self.requires(status);
        if bodiless {
            return Ok(self.without_body(headers, upstream, None));
        }
        if declared_length(upstream) == Some(0) {
            return match require {
                true => Err(BodyError::RequiredMissing),
                false => Ok(self.without_body(headers, upstream, Some(BodyPipeline::empty()))),
            };
        }
        if !self.reads() {
            // A stream would go on under what its reader was once allowed to see.
            if names_event_stream(upstream) {
                return Err(BodyError::ContentType);
            }
            return Ok(unread(headers, upstream, &[CONTENT_DISPOSITION]));
        }
        let media = media_type::of(upstream)?.ok_or(BodyError::ContentType)?;
        if self.compiled_route().unreadable.contains(&media.essence) {
            return Ok(unread(headers, upstream, &[]));
        }
        let format = self.format_of(&media).ok_or(BodyError::ContentType)?;
        let body = self.body_format(format, media.encoding(format)?);
        set_type(&mut headers, &media, format);
        self.read(headers, body, answer)
    }

    fn read(
        &self,
        mut headers: HeaderMap,
        format: BodyFormat,
        answer: Answer<'_>,
    ) -> Result<ResponsePlan, BodyError> {
        let encode = match self.encode {
            Chosen::Coded(coding) => Some(coding),
            Chosen::Identity | Chosen::Nothing => None,
        };
        // SECURITY: whether to encode must not depend on the body's length, which hidden values
        // are part of.
        if let Some(coding) = encode {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(coding.name()));
            response_headers::vary_by_encoding(&mut headers);
        }
        let counting = self.counting_of(&format, answer);
        // Where records are cut, what counts sees what is required in them.
        let cuts = counting.as_ref().is_some_and(Counting::truncates);
        let require = self.requires(answer.status) && !cuts;
        let reader = Reader::new(ReaderParts {
            codings: &codings_of(answer.upstream)?,
            expand_ratio: self.parts.limits.expand_ratio,
            format,
            plan: self.json_plan(require),
            labels: Arc::clone(&self.parts.labels),
            encode,
            counting,
        })?;
        Ok(ResponsePlan {
            headers,
            body: Some(BodyPipeline::reading(reader)),
            keep_length: None,
        })
    }

    /// Whether what the route requires must be in the answer.
    pub(super) fn requires(&self, status: StatusCode) -> bool {
        status.is_success() && self.compiled_route().required
    }

    /// The declared format of a content type.
    fn format_of(&self, media: &MediaType) -> Option<&RouteFormat> {
        let mut formats = self.compiled_route().formats.iter();
        formats.find(|format| format.claims(&media.essence))
    }

    /// A head whose body is empty or absent; it names its type only when that is of a declared format.
    fn without_body(
        &self,
        mut headers: HeaderMap,
        upstream: &HeaderMap,
        body: Option<BodyPipeline>,
    ) -> ResponsePlan {
        if let Ok(Some(media)) = media_type::of(upstream)
            && let Some(format) = self.format_of(&media)
        {
            set_type(&mut headers, &media, format);
        }
        ResponsePlan {
            headers,
            keep_length: body.is_some().then_some(0),
            body,
        }
    }
}

/// The media type of server-sent events.
const EVENT_STREAM: &[u8] = b"text/event-stream";

/// Whether any content type of the head, well-formed or not, is that of server-sent events.
fn names_event_stream(upstream: &HeaderMap) -> bool {
    upstream.get_all(CONTENT_TYPE).iter().any(|value| {
        let text = value.as_bytes().to_ascii_lowercase();
        text.windows(EVENT_STREAM.len())
            .any(|part| part == EVENT_STREAM)
    })
}

/// A body that leaves as it came, under its own type and coding.
fn unread(mut headers: HeaderMap, upstream: &HeaderMap, also: &[HeaderName]) -> ResponsePlan {
    for name in [CONTENT_TYPE, CONTENT_ENCODING].iter().chain(also) {
        for value in upstream.get_all(name) {
            headers.append(name.clone(), value.clone());
        }
    }
    ResponsePlan {
        headers,
        body: Some(BodyPipeline::pass_through()),
        keep_length: declared_length(upstream),
    }
}

/// Names the type without its parameters: JSON is UTF-8 and has none (RFC 8259 section 11). A table
/// leaves in UTF-8, and says so.
fn set_type(headers: &mut HeaderMap, media: &MediaType, format: &RouteFormat) {
    let text = match format.kind.is_table() {
        true => format!("{}; charset=utf-8", media.essence),
        false => media.essence.clone(),
    };
    // INVARIANT: an essence is made of tokens, which are valid in a field.
    if let Ok(value) = HeaderValue::from_str(&text) {
        headers.insert(CONTENT_TYPE, value);
    }
}

/// The one well-formed `Content-Length`.
fn declared_length(upstream: &HeaderMap) -> Option<u64> {
    let mut values = upstream.get_all(CONTENT_LENGTH).iter();
    let (Some(value), None) = (values.next(), values.next()) else {
        return None;
    };
    let text = value.to_str().ok()?;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}
