//! What Postern puts in the place of hidden values, recognised exactly and never by its look.
//!
//! Three things are the same whatever the value was: the constants of `redact`, the mask of a value of
//! which nothing is kept, and the form of a token with a key id of ours. Any other mask is only known to
//! be ours where the stored value is known ([`super::restore`]).

use std::collections::BTreeMap;

use postern_config::Action;

use crate::json::LabelId;
use crate::mask;
use crate::pseudonym::PseudonymKeys;
use crate::value_action;

/// The replacements that one set of roles can have been shown on a route.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ours {
    constants: BTreeMap<String, Vec<LabelId>>,
    keys: PseudonymKeys,
    pseudonyms: Vec<LabelId>,
}

impl Ours {
    /// The replacements made by the actions of a route's labels; `keys` are those of
    /// every token.
    pub(crate) fn new<'a>(
        actions: impl IntoIterator<Item = (LabelId, &'a Action)>,
        keys: PseudonymKeys,
    ) -> Self {
        let mut ours = Self {
            keys,
            ..Self::default()
        };
        for (label, action) in actions {
            if matches!(action, Action::Pseudonym(_)) {
                ours.pseudonyms.push(label);
            }
            if let Some(constant) = constant(action) {
                ours.constants.entry(constant).or_default().push(label);
            }
        }
        ours
    }

    /// The labels for which a string is a replacement; none when it is not one. A token says nothing
    /// about its label where none of the route makes tokens for these roles.
    pub(crate) fn labels_of(&self, text: &str) -> Option<&[LabelId]> {
        if let Some(labels) = self.constants.get(text) {
            return Some(labels);
        }
        let token = self.keys.recognise(text).is_some();
        token.then_some(&self.pseudonyms)
    }
}

/// The string that an action puts in the place of any string, or of some.
fn constant(action: &Action) -> Option<String> {
    match action {
        Action::Redact { with: Some(text) } => value_action::decode(text.as_bytes()),
        Action::Mask(_) => Some(mask::DOTS.to_owned()),
        Action::Show | Action::Remove | Action::Pseudonym(_) => None,
        // What does not fit is redacted, so that these can leave the constant of redaction.
        Action::Detect | Action::Generalize(_) | Action::Redact { .. } => {
            Some("[redacted]".to_owned())
        }
    }
    .filter(|text| !text.is_empty())
}
