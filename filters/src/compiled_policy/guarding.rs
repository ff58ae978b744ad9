//! Whether a write may be judged by its body, and with what.

use http::HeaderMap;
use postern_config::routes::WriteBack;

use super::{CompiledPolicy, Ready};
use crate::coding::codings_of;
use crate::exchange_plan::{ExchangePlan, media_type};
use crate::request_facts::RequestFacts;
use crate::request_guard::write::{
    GuardParts, Ours, WriteFormat, WriteGuard, WriteMethod, is_form,
};
use crate::verdict::DenyReason;

impl CompiledPolicy {
    /// The guard of a write by somebody from whom the route hides something; none when the write has no
    /// body that could hold anything.
    ///
    /// # Errors
    /// No such write is allowed, whatever is in it.
    pub(super) fn guard(
        &self,
        ready: &Ready,
        facts: &RequestFacts<'_>,
        plan: &ExchangePlan,
    ) -> Result<Option<WriteGuard>, DenyReason> {
        let refused = || DenyReason::WriteOfHiddenField {
            labels: plan.hidden_labels(),
        };
        // The type is judged first, so that what could never be read is called that.
        let format = match facts.has_body {
            true => Some(format_of(facts.headers).ok_or(DenyReason::UnsupportedMediaType)?),
            false => None,
        };
        let rules = plan.compiled_route().write.as_ref().ok_or_else(refused)?;
        let patches = matches!(
            format,
            Some(WriteFormat::MergePatch | WriteFormat::JsonPatch)
        );
        let method = match facts.method {
            "POST" if !patches => WriteMethod::Post,
            "POST" | "PATCH" => WriteMethod::Patch,
            "PUT" if patches => return Err(DenyReason::UnsupportedMediaType),
            "PUT" => WriteMethod::Put,
            _ => return Err(refused()),
        };
        let Some(format) = format else {
            return match method {
                WriteMethod::Put => Err(refused()),
                WriteMethod::Post | WriteMethod::Patch => Ok(None),
            };
        };
        let read = match rules.mode {
            WriteBack::Restore => self.reading(facts),
            WriteBack::Reject | WriteBack::DropField => None,
        };
        let guard = WriteGuard {
            parts: GuardParts {
                rules: rules.clone(),
                sight: plan.sight(rules),
                format,
                method,
                ours: Ours::new(plan.actions(), ready.keys.clone()),
                labels: plan.label_names(),
                depth_max: ready.limits.json_depth,
                held_bytes_max: ready.limits.held_bytes,
                engine: plan.json_plan(false),
            },
            read,
        };
        match method == WriteMethod::Put && guard.restores().is_none() {
            true => Err(refused()),
            false => Ok(Some(guard)),
        }
    }

    /// The plan of reading what is written, for the same reader; none when they may not.
    fn reading(&self, facts: &RequestFacts<'_>) -> Option<Box<ExchangePlan>> {
        let facts = RequestFacts {
            method: "GET",
            path: facts.path,
            query: None,
            headers: &HeaderMap::new(),
            upgrade: false,
            has_body: false,
            identity: facts.identity,
        };
        self.allowed(&facts).ok().map(Box::new)
    }
}

/// How a body is written: JSON in UTF-8 or a form, without a coding; none when it is anything else.
fn format_of(headers: &HeaderMap) -> Option<WriteFormat> {
    let media = media_type::of(headers).ok().flatten()?;
    if !media.is_utf8() || !codings_of(headers).is_ok_and(|codings| codings.is_empty()) {
        return None;
    }
    match media.essence.as_str() {
        "application/merge-patch+json" => Some(WriteFormat::MergePatch),
        "application/json-patch+json" => Some(WriteFormat::JsonPatch),
        form if is_form(form) => Some(WriteFormat::Form),
        _ => media.is_json().then_some(WriteFormat::Json),
    }
}
