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
use crate::identity::IdentityRule;
use crate::labels::{Label, LabelTree};
use crate::policy::error::PolicyErrors;
use crate::roles::{Because, Role, SeveralRoles};
use crate::routes::Route;

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
    /// Every route, in the order of the file.
    pub routes: Vec<Route>,
    /// Every role, by name.
    pub roles: BTreeMap<String, Role>,
    /// How several roles combine.
    pub several_roles: SeveralRoles,
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
        for level in self.labels.covering(label) {
            let ruled = level
                .iter()
                .filter_map(|name| Some((name, self.always.get(name)?)));
            let strictest = ruled.reduce(|a, b| if b.1.strictness(a.1).is_gt() { b } else { a });
            if let Some((name, action)) = strictest {
                return (
                    action.clone(),
                    Because::Always {
                        label: name.clone(),
                    },
                );
            }
        }
        role.action(&self.labels, label)
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
