//! What is to happen in one exchange: which request headers go up, which response headers come down,
//! and what the body goes through. (Being written.)

use http::{HeaderMap, Method, StatusCode};
use postern_config::Revision;

use crate::body_filter::BodyError;
use crate::pipeline::BodyPipeline;

/// The plan of one exchange, from the request's decision to the last byte.
#[derive(Debug)]
pub struct ExchangePlan {
    revision: Revision,
    route: String,
    roles: Vec<String>,
}

/// The response head to send and the pipeline its body goes through.
#[derive(Debug)]
pub struct ResponsePlan {
    /// The headers for the client, complete but for framing (`Content-Length`, `Transfer-Encoding`)
    /// and what the proxy itself adds.
    pub headers: HeaderMap,
    /// The pipeline; none when the response has no body (HEAD, 204, 304).
    pub body: Option<BodyPipeline>,
    /// The upstream's Content-Length, when the body leaves unchanged and the length may be kept.
    pub keep_length: Option<u64>,
}

impl ExchangePlan {
    /// The policy's revision.
    #[must_use]
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    /// The matched route's name.
    #[must_use]
    pub fn route(&self) -> &str {
        &self.route
    }

    /// The roles that count here: those of the identity that the policy knows.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// Whether anything can be hidden from these roles on this route.
    #[must_use]
    pub fn redacts(&self) -> bool {
        true
    }

    /// Whether the exchange may be upgraded to a WebSocket.
    #[must_use]
    pub fn allows_websocket(&self) -> bool {
        false
    }

    /// The headers to send upstream: what of the client's may pass, and our own `Accept` and
    /// `Accept-Encoding`. Framing, `Host` and what the proxy adds are not part of it.
    #[must_use]
    pub fn request_headers(&self, client: &HeaderMap) -> HeaderMap {
        let _ = client;
        HeaderMap::new()
    }

    /// Judges the upstream's final response head and says what leaves.
    ///
    /// # Errors
    /// The head is ambiguous, or the body could not be redacted; nothing of it may leave.
    pub fn respond(
        &self,
        method: &Method,
        status: StatusCode,
        upstream: &HeaderMap,
    ) -> Result<ResponsePlan, BodyError> {
        let _ = (method, status, upstream);
        Err(BodyError::Spent)
    }

    /// A pipeline for a JSON body without any head: what `postern redact` uses.
    #[must_use]
    pub fn json_pipeline(&self) -> BodyPipeline {
        BodyPipeline::default()
    }
}
