//! What judging a write asks of the plan of its exchange.

use std::sync::Arc;

use http::HeaderMap;
use postern_config::Action;

use crate::body_filter::BodyError;
use crate::compiled_policy::{EngineLimits, WriteRules};
use crate::exchange_plan::{ExchangePlan, media_type};
use crate::json::{LabelId, SightPlans};

impl ExchangePlan {
    /// How a write to the route is judged for these roles.
    pub(crate) fn sight(&self, rules: &WriteRules) -> Arc<SightPlans> {
        self.parts.roles.sight(self.making(false), rules)
    }

    /// What happens to each label of the route.
    pub(crate) fn actions(&self) -> impl Iterator<Item = (LabelId, &Action)> {
        let actions = self.parts.roles.actions();
        let labels = self.parts.route.labels.iter();
        labels.filter_map(|label| Some((*label, actions.get(usize::from(*label))?)))
    }

    /// The labels of the route that are not shown in full, by name.
    pub(crate) fn hidden_labels(&self) -> Vec<String> {
        let hidden = self
            .actions()
            .filter(|(_, action)| **action != Action::Show);
        let names = hidden.filter_map(|(label, _)| self.parts.labels.get(usize::from(label)));
        names.cloned().collect()
    }

    /// Every label's name, by label id.
    pub(crate) fn label_names(&self) -> Arc<[String]> {
        Arc::clone(&self.parts.labels)
    }

    /// The engine's limits.
    pub(crate) fn limits(&self) -> EngineLimits {
        self.parts.limits
    }

    /// # Errors
    /// A head does not say that its body is JSON in UTF-8.
    pub(crate) fn refuse_unless_json(headers: &HeaderMap) -> Result<(), BodyError> {
        let media = media_type::of(headers)?.ok_or(BodyError::ContentType)?;
        match media.is_json() && media.is_utf8() {
            true => Ok(()),
            false => Err(BodyError::ContentType),
        }
    }
}
