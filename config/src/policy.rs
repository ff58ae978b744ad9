//! A policy that is valid by construction, and the only way to make one: parsing it.

pub mod digest;
pub mod error;
mod file;
mod format;
pub(crate) mod resolve;
mod schema;

pub use format::format;
pub use schema::schema;

use std::collections::BTreeMap;

use crate::action::Action;
use crate::detect::Detection;
use crate::identity::IdentityRule;
use crate::labels::{Label, LabelTree};
use crate::policy::error::PolicyErrors;
use crate::quota::Quota;
use crate::roles::{Because, Role, SeveralRoles};
use crate::routes::Route;
use crate::sessions::Sessions;

/// A valid policy: every name in it resolves, every selector parses, and this build enforces
/// everything it says.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Policy {
    /// The policy's name.
    pub name: String,
    /// Who is asking, and as what.
    pub identity: IdentityRule,
    /// Every label.
    pub labels: LabelTree,
    /// What beats every role.
    pub always: BTreeMap<Label, Action>,
    /// What is searched for in values of a label that somebody sees through `detect`.
    pub detect: BTreeMap<Label, Detection>,
    /// Every route, in the order of the file.
    pub routes: Vec<Route>,
    /// Every role, by name.
    pub roles: BTreeMap<String, Role>,
    /// How several roles combine.
    pub several_roles: SeveralRoles,
    /// Every export quota, in the order of the file.
    pub quotas: Vec<Quota>,
    /// How the application's own session is kept from clients; always there with `from: session`.
    pub sessions: Option<Sessions>,
    lints: PolicyErrors,
}

impl Policy {
    /// Reads a policy. `name` is what errors call the file.
    ///
    /// # Errors
    /// Everything that is wrong with it, at once.
    pub fn parse(name: &str, text: &str) -> Result<Self, PolicyErrors> {
        resolve::policy(name, text)
    }

    /// What loads and is probably not what was meant, each with its place in the file.
    #[must_use]
    pub const fn lints(&self) -> &PolicyErrors {
        &self.lints
    }

    /// What one role does to one label, `always` included.
    #[must_use]
    pub fn action(&self, role: &Role, label: &Label) -> (Action, Because) {
        match Self::always_on(&self.always, &self.labels, label) {
            Some((label, action)) => (action, Because::Always { label }),
            None => role.action(&self.labels, label),
        }
    }

    /// What `always` does to a label, and which label it names: the nearest, of equally near the stricter.
    fn always_on(
        always: &BTreeMap<Label, Action>,
        labels: &LabelTree,
        label: &Label,
    ) -> Option<(Label, Action)> {
        labels.covering(label).into_iter().find_map(|level| {
            let ruled = level
                .into_iter()
                .filter_map(|name| always.get(&name).map(|action| (name, action.clone())));
            ruled.reduce(|a, b| if b.1.strictness(&a.1).is_gt() { b } else { a })
        })
    }

    /// What is searched for in values of a label: what the nearest label with an entry says, of
    /// equally near ones all that they say.
    #[must_use]
    pub fn detection(&self, label: &Label) -> Option<Detection> {
        Self::detection_of(&self.detect, &self.labels, label)
    }

    fn detection_of(
        detect: &BTreeMap<Label, Detection>,
        labels: &LabelTree,
        label: &Label,
    ) -> Option<Detection> {
        labels.covering(label).into_iter().find_map(|level| {
            let said = level.iter().filter_map(|name| detect.get(name).cloned());
            said.reduce(Detection::and)
        })
    }

    /// What a set of roles does to one label, combined by `several_roles`. No role: removed.
    #[must_use]
    pub fn action_of_all(&self, roles: &[&Role], label: &Label) -> Action {
        let each = roles.iter().map(|role| self.action(role, label).0);
        let combined = match self.several_roles {
            SeveralRoles::MostStrict => each.reduce(Action::stricter),
            SeveralRoles::MostOpen => each.reduce(Action::looser),
        };
        combined.unwrap_or(Action::Remove)
    }
}
