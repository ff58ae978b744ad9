//! What of an exchange is counted, and what that needs.
//!
//! Guarantees: a body is read for counting only where something in it has to be found; what is not read,
//! and what has no `records`, is one record where the answer is successful and the route has labels,
//! `records` or `subjects`. Where bytes are counted, a body is measured by what it decodes to, read or not.

use std::sync::Arc;

use http::header::CONTENT_ENCODING;
use http::{HeaderMap, Method, StatusCode};

use crate::body_filter::BodyError;
use crate::coding::codings_of;
use crate::compiled_policy::CountedBody;
use crate::exchange_plan::response::Answer;
use crate::exchange_plan::{ExchangePlan, ResponsePlan};
use crate::export_meter::{Counted, MeteredBody, SubjectKey, Tally, TallyRules, Unread};
use crate::json::JsonPlan;
use crate::pipeline::{BodyFormat, BodyPipeline, Counting};

impl ExchangePlan {
    /// The same plan where this is counted: it may read what would otherwise pass unread.
    #[must_use]
    pub fn counting(self, counted: Counted) -> Self {
        Self { counted, ..self }
    }

    /// What is counted.
    #[must_use]
    pub fn counted(&self) -> Counted {
        self.counted
    }

    /// [`Self::respond`] where something is counted: the same head, and a body of which nothing leaves
    /// before it was released. The key makes data subjects into what a ledger knows them by.
    ///
    /// # Errors
    /// Those of [`Self::respond`].
    pub fn respond_metered(
        &self,
        method: &Method,
        status: StatusCode,
        upstream: &HeaderMap,
        key: SubjectKey,
    ) -> Result<ResponsePlan<MeteredBody>, BodyError> {
        let answer = Answer {
            key: Some(key),
            ..Answer::new(method, status, upstream)
        };
        let plan = self.respond_to(answer)?;
        let meter = |body: BodyPipeline| {
            let looks = self.reads_to_count() && body.reads();
            let implied = self.implies_record(status);
            let unread = (implied && !looks).then_some(Unread {
                subjects: self.counts_subjects(),
            });
            let whole = implied && (!looks || !self.has_records() || self.is_root_record(false));
            MeteredBody::new(body, unread, whole)
        };
        let body = plan.body.map(|body| self.measured(body, upstream));
        Ok(ResponsePlan {
            headers: plan.headers,
            body: body.transpose()?.map(meter),
            keep_length: plan.keep_length,
        })
    }

    /// A body that passes unread, such that what it decodes to is known where bytes are counted.
    fn measured(
        &self,
        body: BodyPipeline,
        upstream: &HeaderMap,
    ) -> Result<BodyPipeline, BodyError> {
        if !self.counted.bytes || body.reads() || !upstream.contains_key(CONTENT_ENCODING) {
            return Ok(body);
        }
        body.measuring(&codings_of(upstream)?, self.parts.limits.expand_ratio)
    }

    /// Whether an answer of this route may hold records.
    #[must_use]
    pub fn may_hold_records(&self) -> bool {
        let route = self.compiled_route();
        route.labelled || route.counted.has_records() || route.counted.has_subjects()
    }

    /// Whether an answer in which no records are looked for is one record.
    fn implies_record(&self, status: StatusCode) -> bool {
        self.may_hold_records() && self.counted.anything() && status.is_success()
    }

    fn has_records(&self) -> bool {
        self.compiled_route().counted.has_records()
    }

    fn counts_subjects(&self) -> bool {
        self.counted.subjects && self.compiled_route().counted.has_subjects()
    }

    /// Whether only reading a body tells what is in it.
    pub(super) fn reads_to_count(&self) -> bool {
        self.counted.records && self.has_records() || self.counts_subjects()
    }

    /// Whether some selector says that `$` is a record: then nothing can be cut from it.
    fn is_root_record(&self, parts: bool) -> bool {
        let plan = self.counted_plan(parts, false);
        plan.is_some_and(|plan| plan.counts_root().0)
    }

    /// How a body that is read is counted, if it is.
    pub(super) fn counting_of(&self, format: &BodyFormat, answer: Answer<'_>) -> Option<Counting> {
        let key = answer.key.filter(|_| self.reads_to_count())?;
        let parts = !matches!(format, BodyFormat::Json);
        let root = self.is_root_record(parts);
        let implied = self.implies_record(answer.status) && !self.has_records();
        let truncates = self.counted.truncates && self.has_records() && !root;
        let tally = Tally::new(TallyRules {
            key,
            subjects: self.counts_subjects(),
            // The array that the parts are elements of has no text of its own.
            whole: implied || root && parts,
            truncates,
            held_bytes_max: self.parts.limits.held_bytes,
        });
        let require = truncates && self.requires(answer.status);
        let plan = self.counted_plan(parts, require)?;
        Some(Counting { plan, tally })
    }

    fn counted_plan(&self, parts: bool, require: bool) -> Option<Arc<JsonPlan>> {
        let settings = || self.parts.roles.settings(self.making(require));
        let body = CountedBody {
            parts,
            subjects: self.counts_subjects(),
            require,
        };
        self.compiled_route().counted.plan(body, settings)
    }
}
