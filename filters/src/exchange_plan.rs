//! What is to happen in one exchange: which request headers go up, which response headers come down,
//! and what the body goes through.
//!
//! Guarantees: on a route whose answers are read, a head that is ambiguous or not of a kind that can
//! be redacted is refused before anything leaves; which headers leave does not depend on what is
//! hidden, its length included. Status and reason are the proxy's to write, and so is framing.

mod accept;
pub(crate) mod accept_encoding;
pub(crate) mod header_lists;
pub(crate) mod media_type;
mod metering;
mod request_headers;
mod response;
mod response_headers;
mod writes;

use std::sync::Arc;

use encoding_rs::Encoding;
use http::{HeaderMap, Method, StatusCode};
use postern_config::routes::{AuditMode, LongLived};
use postern_config::{FormatKind, Revision, RouteFormat};

use crate::body_filter::BodyError;
use crate::compiled_policy::{AppliedQuota, CompiledRoute, EngineLimits, Making, RoleSet};
use crate::exchange_plan::accept_encoding::Chosen;
use crate::exchange_plan::request_headers::RequestRules;
use crate::exchange_plan::response::Answer;
use crate::export_meter::Counted;
use crate::json::{JsonPlan, LabelId};
use crate::lines::LineFormat;
use crate::pipeline::{BodyFormat, BodyPipeline, Reader, ReaderParts};
use crate::pseudonym::Pseudonymizer;
use crate::request_guard::query::{Question, Sight};
use crate::request_guard::write::WriteGuard;
use crate::table::Dialect;

/// The plan of one exchange, from the request's decision to the last byte.
#[derive(Debug)]
pub struct ExchangePlan {
    parts: PlanParts,
    redacts: bool,
    method: String,
    encode: Chosen,
    guard: Option<Box<WriteGuard>>,
    counted: Counted,
}

/// What a plan is made from.
#[derive(Debug)]
pub(crate) struct PlanParts {
    pub(crate) revision: Revision,
    /// The route's place in the policy.
    pub(crate) place: usize,
    pub(crate) route: Arc<CompiledRoute>,
    pub(crate) roles: Arc<RoleSet>,
    /// The labels' names, by label id.
    pub(crate) labels: Arc<[String]>,
    /// Header fields that say who asks, lower case.
    pub(crate) identity_headers: Arc<[String]>,
    pub(crate) limits: EngineLimits,
    pub(crate) pseudonyms: Option<Arc<Pseudonymizer>>,
    /// The case that the request's path names.
    pub(crate) case: Option<Case>,
}

/// What the path says which case it is. It may identify a customer, so `Debug` shows nothing of it.
pub(crate) struct Case(pub(crate) String);

impl std::fmt::Debug for Case {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Case(..)")
    }
}

/// The response head to send and the pipeline its body goes through.
#[derive(Debug)]
pub struct ResponsePlan<B = BodyPipeline> {
    /// The headers for the client, complete but for framing (`Content-Length`, `Transfer-Encoding`)
    /// and what the proxy itself adds.
    pub headers: HeaderMap,
    /// The pipeline; none when the response has no body (HEAD, 204, 304).
    pub body: Option<B>,
    /// The upstream's Content-Length, when the body leaves unchanged and the length may be kept.
    pub keep_length: Option<u64>,
}

impl ExchangePlan {
    pub(crate) fn new(parts: PlanParts) -> Self {
        Self {
            redacts: parts.roles.redacts(&parts.route),
            parts,
            method: "GET".to_owned(),
            encode: Chosen::Identity,
            guard: None,
            counted: Counted::default(),
        }
    }

    pub(crate) fn with_request(self, method: &str, encode: Chosen) -> Self {
        Self {
            method: method.to_owned(),
            encode,
            ..self
        }
    }

    pub(crate) fn with_guard(self, guard: Option<WriteGuard>) -> Self {
        let guard = guard.map(Box::new);
        Self { guard, ..self }
    }

    /// What judges the request's body before it may go up; none where nothing of it could be hidden.
    #[must_use]
    pub fn write_guard(&self) -> Option<&WriteGuard> {
        self.guard.as_deref()
    }

    pub(crate) fn compiled_route(&self) -> &CompiledRoute {
        &self.parts.route
    }

    /// What these roles may ask: each parameter that asks about fields, with each field it may name.
    #[must_use]
    pub fn questions(&self) -> Vec<Question> {
        let shows = |label| self.shows(label);
        let rules = self.compiled_route().query.as_ref();
        rules.map_or_else(Vec::new, |rules| {
            rules.questions(self.sight_of_asker(&shows))
        })
    }

    pub(crate) fn sight_of_asker<'a>(&self, shows: &'a dyn Fn(LabelId) -> bool) -> Sight<'a> {
        Sight {
            shows,
            everything: !self.redacts,
        }
    }

    /// Whether these roles see fields of this label in full.
    pub(crate) fn shows(&self, label: LabelId) -> bool {
        self.parts.roles.shows(label)
    }

    /// The policy's revision.
    #[must_use]
    pub fn revision(&self) -> &Revision {
        &self.parts.revision
    }

    /// The export quotas that bind this exchange, with these roles' limits, in the order of the policy.
    #[must_use]
    pub fn quotas(&self) -> &[AppliedQuota] {
        &self.parts.roles.quotas
    }

    /// The matched route's name.
    #[must_use]
    pub fn route(&self) -> &str {
        &self.parts.route.name
    }

    /// The roles that count here: those of the identity that the policy knows, sorted.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.parts.roles.roles
    }

    /// Whether anything can be hidden from these roles on this route.
    #[must_use]
    pub fn redacts(&self) -> bool {
        self.redacts
    }

    /// Whether bodies are read: something can be hidden, something is required, or something is counted
    /// that only reading tells. Other bodies leave as they came.
    #[must_use]
    pub fn reads(&self) -> bool {
        self.redacts || self.parts.route.required || self.reads_to_count()
    }

    /// Whether the exchange may be upgraded to a WebSocket.
    #[must_use]
    pub fn allows_websocket(&self) -> bool {
        self.allows(LongLived::Websocket)
    }

    /// The way of the bytes that the upstream sends after it switched to a WebSocket: they leave unread.
    /// None where the route does not allow it, or has anything to hide or to require.
    #[must_use]
    pub fn tunnel(&self) -> Option<BodyPipeline> {
        let open = self.allows_websocket() && !self.guards_heads() && !self.reads();
        open.then(BodyPipeline::pass_through)
    }

    /// Whether the client is to be told how many values were withheld, by label.
    #[must_use]
    pub fn receipt(&self) -> bool {
        self.parts.route.receipt
    }

    /// The case that the request's path names, where the route says which parameter that is.
    ///
    /// SECURITY: it may identify a customer; it is for keyed hashes only.
    #[must_use]
    pub fn case(&self) -> Option<&str> {
        self.parts.case.as_ref().map(|case| case.0.as_str())
    }

    /// When the exchange waits for its audit record.
    #[must_use]
    pub fn audit(&self) -> AuditMode {
        self.parts.route.audit
    }

    /// The headers to send upstream: what of the client's may pass, and our own `Accept` and
    /// `Accept-Encoding`. Framing, `Host` and what the proxy adds are not part of it.
    #[must_use]
    pub fn request_headers(&self, client: &HeaderMap) -> HeaderMap {
        let route = self.compiled_route();
        let accept = accept::upstream(&route.formats, &route.unreadable, client);
        let rules = RequestRules {
            method: &self.method,
            labelled: self.guards_heads(),
            accept: self.reads().then_some(&accept),
            identity: &self.parts.identity_headers,
        };
        request_headers::request_headers(rules, client)
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
        self.respond_to(Answer::new(method, status, upstream))
    }

    /// A pipeline for a JSON body without any head. The body is read even where nothing can be hidden.
    #[must_use]
    pub fn json_pipeline(&self) -> BodyPipeline {
        self.headless_pipeline(BodyFormat::Json)
    }

    /// The formats that the route's answers may have.
    #[must_use]
    pub fn formats(&self) -> &[RouteFormat] {
        &self.parts.route.formats
    }

    /// A pipeline for a body of this format without any head: what `postern redact` uses. The body is
    /// read even where nothing can be hidden. None when the route does not declare the format.
    #[must_use]
    pub fn pipeline(&self, kind: FormatKind) -> Option<BodyPipeline> {
        let format = self.formats().iter().find(|format| format.kind == kind)?;
        let format = self.body_format(format, format.encoding);
        Some(self.headless_pipeline(format))
    }

    /// The labels of the route's fields for whose values somebody said what is searched for.
    #[must_use]
    pub fn searched_labels(&self) -> Vec<&str> {
        let labels = self.parts.route.labels.iter();
        let searched = labels.filter(|label| self.parts.roles.detects(**label));
        searched
            .filter_map(|label| self.parts.labels.get(usize::from(*label)))
            .map(String::as_str)
            .collect()
    }

    /// A pipeline for one free text with this label; none when the policy has no such label.
    #[must_use]
    pub fn text_pipeline(&self, label: &str) -> Option<BodyPipeline> {
        let place = self.parts.labels.iter().position(|known| known == label)?;
        let label = LabelId::try_from(place).ok()?;
        Some(self.headless_pipeline(BodyFormat::Text(label)))
    }

    fn headless_pipeline(&self, format: BodyFormat) -> BodyPipeline {
        let reader = Reader::new(ReaderParts {
            codings: &[],
            expand_ratio: self.parts.limits.expand_ratio,
            format,
            plan: self.json_plan(true),
            labels: Arc::clone(&self.parts.labels),
            encode: None,
            counting: None,
        });
        reader.map_or_else(|_| BodyPipeline::empty(), BodyPipeline::reading)
    }

    /// What is needed to read a body of a declared format, in this encoding when it is not UTF-8.
    fn body_format(&self, format: &RouteFormat, encoding: Option<&'static Encoding>) -> BodyFormat {
        match format.kind {
            FormatKind::Json => BodyFormat::Json,
            FormatKind::Ndjson => BodyFormat::Lines(LineFormat::Ndjson),
            FormatKind::JsonSeq => BodyFormat::Lines(LineFormat::JsonSeq),
            FormatKind::Csv | FormatKind::Tsv => BodyFormat::Table {
                dialect: Dialect::of(format),
                columns: Arc::clone(&self.parts.route.columns),
                encoding,
            },
        }
    }

    fn allows(&self, protocol: LongLived) -> bool {
        self.parts.route.allow.contains(&protocol)
    }

    /// Whether only listed headers pass: on labelled routes for everybody, whatever they see.
    fn guards_heads(&self) -> bool {
        self.parts.route.labelled || self.parts.route.required || self.reads_to_count()
    }

    pub(crate) fn json_plan(&self, require: bool) -> Arc<JsonPlan> {
        self.parts.roles.json_plan(self.making(require))
    }

    fn making(&self, require: bool) -> Making<'_> {
        Making {
            place: self.parts.place,
            route: &self.parts.route,
            limits: self.parts.limits,
            pseudonyms: self.parts.pseudonyms.as_ref(),
            require,
        }
    }
}

#[cfg(test)]
mod tests;
