//! Judges the body of a write by somebody from whom the route hides something (D13).
//!
//! ```text
//! body ─▶ strict reading ─▶ places, judged by the route's selectors ─▶ clean: goes up byte for byte
//!                                                                   ├▶ reject: refused, labels named
//!                                                                   ├▶ drop_field: cut out
//!                                                                   └▶ restore: the true bytes put in
//! ```
//!
//! Guarantees: what goes up holds no value at a place that is hidden from the role, but the stored one;
//! what was not cut or put back goes up byte for byte; a body that two readers could read differently is
//! refused; no message names a value. The body is read whole, within `held_bytes`.
//!
//! It fetches nothing: for `restore` the caller brings the stored resource ([`Resource`]).

mod condition;
mod form;
mod judge;
mod ours;
mod patch;
mod pointer;
mod resource;
mod restore;
mod same;
mod splice;

use std::collections::BTreeSet;
use std::sync::Arc;

use postern_config::routes::WriteBack;

use crate::body_filter::{BodyError, BodyFilter};
use crate::compiled_policy::WriteRules;
use crate::exchange_plan::ExchangePlan;
use crate::json::{Held, JsonFilter, JsonPlan, LabelId, NodeId, Sight, SightPlans, Spot};

pub(crate) use form::is_form;
pub(crate) use ours::Ours;
pub use resource::{Reading, Resource};

use judge::{Force, Judge};

/// How the body of a write is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteFormat {
    /// `application/json` or `+json`.
    Json,
    /// `application/merge-patch+json` (RFC 7396).
    MergePatch,
    /// `application/json-patch+json` (RFC 6902).
    JsonPatch,
    /// `application/x-www-form-urlencoded`.
    Form,
}

/// What the method does to what is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum WriteMethod {
    /// POST: what the body leaves out is nobody's.
    Post,
    /// PATCH: what the body leaves out stays.
    Patch,
    /// PUT: what the body leaves out is gone.
    Put,
}

/// Why a write does not go up. No variant holds a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WriteError {
    /// It would write, delete, move or ask for something hidden, or writes one of our replacements.
    #[error("the write reaches hidden fields: {}", labels.join(", "))]
    Hidden {
        /// The labels concerned; none for fields without a label.
        labels: Vec<String>,
    },
    /// Two readers could read the body differently, or it is not of its type.
    #[error("the body is ambiguous: {0}")]
    Ambiguous(&'static str),
    /// The body is longer than what may be held.
    #[error("the body is longer than `held_bytes`")]
    TooLarge,
    /// It cannot be told which stored value belongs where.
    #[error("the write does not fit what is stored: {0}")]
    Conflict(&'static str),
    /// What is stored cannot be read.
    #[error("what is stored cannot be read: {0}")]
    Stored(BodyError),
}

/// The guard of one write.
pub struct WriteGuard {
    pub(crate) parts: GuardParts,
    /// How `GET` of the same path is answered for the same reader; only where that is allowed.
    pub(crate) read: Option<Box<ExchangePlan>>,
}

/// What a guard is made of.
pub(crate) struct GuardParts {
    pub(crate) rules: Arc<WriteRules>,
    pub(crate) sight: Arc<SightPlans>,
    pub(crate) format: WriteFormat,
    pub(crate) method: WriteMethod,
    pub(crate) ours: Ours,
    /// The labels' names, by label id.
    pub(crate) labels: Arc<[String]>,
    pub(crate) depth_max: usize,
    pub(crate) held_bytes_max: usize,
    /// The engine's plan of the write's route: what it would change may not be written.
    pub(crate) engine: Arc<JsonPlan>,
}

/// What was found in a body.
#[derive(Debug, Default)]
struct Found {
    nodes: BTreeSet<NodeId>,
    labels: BTreeSet<LabelId>,
}

impl Found {
    fn add(&mut self, node: NodeId, labels: impl IntoIterator<Item = LabelId>) {
        self.nodes.insert(node);
        self.labels.extend(labels);
    }
}

impl WriteGuard {
    /// How many bytes of a body are judged.
    #[must_use]
    pub fn body_bytes_max(&self) -> usize {
        self.parts.held_bytes_max
    }

    /// How the stored resource is read, when the write is to have its hidden values put back.
    #[must_use]
    pub fn restores(&self) -> Option<&ExchangePlan> {
        let json = matches!(
            self.parts.format,
            WriteFormat::Json | WriteFormat::MergePatch
        );
        let updates = self.parts.method != WriteMethod::Post;
        let restore = self.parts.rules.mode == WriteBack::Restore;
        self.read.as_deref().filter(|_| restore && json && updates)
    }

    /// Judges a body without knowing what is stored, and gives what may go up.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn judge(&self, body: &[u8]) -> Result<Vec<u8>, WriteError> {
        self.check_length(body)?;
        let parts = &self.parts;
        match parts.format {
            WriteFormat::Form => form::judge(self, body),
            WriteFormat::JsonPatch => patch::judge(self, body).map(|()| body.to_vec()),
            WriteFormat::Json | WriteFormat::MergePatch => self.judge_document(body),
        }
    }

    /// Puts the true values into a body where it holds what the role was shown.
    ///
    /// # Errors
    /// See [`WriteError`].
    pub fn restore(&self, body: &[u8], stored: &Resource) -> Result<Vec<u8>, WriteError> {
        self.check_length(body)?;
        restore::restore(self, body, stored)
    }

    fn check_length(&self, body: &[u8]) -> Result<(), WriteError> {
        match body.len() > self.parts.held_bytes_max {
            true => Err(WriteError::TooLarge),
            false => Ok(()),
        }
    }

    fn judge_document(&self, body: &[u8]) -> Result<Vec<u8>, WriteError> {
        if self.parts.method == WriteMethod::Put {
            // What the role cannot see would be gone: nothing in the body can prevent that.
            return Err(self.hidden(self.every_hidden_label()));
        }
        let tree = self.read_document(body)?;
        let mut sight = Sight::new(&self.parts.sight);
        let envelopes = self.envelopes(&mut sight)?;
        let force = match (self.parts.method, self.parts.format) {
            (WriteMethod::Post, _) => Force::Creates,
            (_, WriteFormat::MergePatch) => Force::MergesDeeply,
            _ => Force::Merges,
        };
        let mut judge = Judge::new(&tree, &mut sight, &self.parts.ours, &envelopes);
        let names = self.parts.rules.envelope_names();
        let wrapped = names.and_then(|names| judge::inside(&tree, &names));
        for start in judge::starts(&tree, &envelopes, wrapped) {
            judge.run(start, force).map_err(unreadable)?;
        }
        let found = judge.found();
        if found.nodes.is_empty() {
            return self.unchanged_by_the_engine(body.to_vec());
        }
        if self.parts.rules.mode != WriteBack::DropField {
            return Err(self.hidden(found.labels));
        }
        match splice::without(body, &tree, &found.nodes) {
            Some(rest) => self.unchanged_by_the_engine(rest),
            None => Err(self.hidden(found.labels)),
        }
    }

    /// A body as a tree in which no name comes twice.
    fn read_document<'b>(&self, body: &'b [u8]) -> Result<Held<'b>, WriteError> {
        let tree = Held::read_within(body, self.parts.depth_max);
        let tree = tree.map_err(unreadable)?;
        match judge::repeats_a_name(&tree) {
            true => Err(WriteError::Ambiguous("a name comes twice in one object")),
            false => Ok(tree),
        }
    }

    /// The places at which the labels begin, beside the root.
    fn envelopes(&self, sight: &mut Sight<'_>) -> Result<Vec<Spot>, WriteError> {
        self.parts.rules.envelopes(sight).map_err(unreadable)
    }

    /// SECURITY: the engine has the last word. A body that it would change for this role holds
    /// something that the judgement above did not see.
    fn unchanged_by_the_engine(&self, body: Vec<u8>) -> Result<Vec<u8>, WriteError> {
        let mut filter = JsonFilter::new(Arc::clone(&self.parts.engine));
        let mut shown = Vec::with_capacity(body.len());
        let read = filter.push(&body, &mut shown);
        let read = read.and_then(|()| filter.finish(&mut shown));
        match read {
            Ok(()) if shown == body => Ok(body),
            Ok(()) | Err(_) => Err(self.hidden(self.every_hidden_label())),
        }
    }

    fn every_hidden_label(&self) -> BTreeSet<LabelId> {
        self.parts.sight.may.hidden_labels().collect()
    }

    fn hidden(&self, labels: BTreeSet<LabelId>) -> WriteError {
        let name = |label: LabelId| self.parts.labels.get(usize::from(label)).cloned();
        WriteError::Hidden {
            labels: labels.into_iter().filter_map(name).collect(),
        }
    }
}

impl std::fmt::Debug for WriteGuard {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WriteGuard")
            .field("format", &self.parts.format)
            .field("method", &self.parts.method)
            .finish_non_exhaustive()
    }
}

/// What a failed reading of a body means.
fn unreadable(error: impl Into<Box<BodyError>>) -> WriteError {
    match *error.into() {
        BodyError::Limit {
            limit: "held_bytes",
        } => WriteError::TooLarge,
        BodyError::Limit { .. } => {
            WriteError::Ambiguous("nested too deep, or with too long a name")
        }
        BodyError::Malformed { .. }
        | BodyError::Incomplete
        | BodyError::ContentType
        | BodyError::ContentCoding { .. }
        | BodyError::Ambiguous { .. }
        | BodyError::RequiredMissing
        | BodyError::Unlabelled
        | BodyError::Head { .. }
        | BodyError::Spent => WriteError::Ambiguous("it is not valid JSON"),
    }
}
