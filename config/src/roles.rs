//! Roles: what each of them sees, label by label, and what several of them see together.

use std::collections::BTreeMap;

use crate::action::Action;
use crate::labels::{Label, LabelTree};

/// How the actions of several roles combine, label by label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SeveralRoles {
    /// The strictest action of all roles wins (the default).
    #[default]
    MostStrict,
    /// The loosest action of all roles wins.
    MostOpen,
}

/// One role, with the chain of roles it extends resolved.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Role {
    /// The role's name.
    pub name: String,
    /// What the role sees: its own definition first, then that of each role it extends.
    pub chain: Vec<RoleLayer>,
}

/// The `sees` of one role in a chain of `extends`.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RoleLayer {
    /// The role that says so.
    pub role: String,
    /// What it says, by label.
    pub sees: BTreeMap<Label, Action>,
}

/// Why a role does to a label what it does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Because {
    /// `always` rules on the label, and beats every role.
    Always {
        /// The label that `always` names.
        label: Label,
    },
    /// A role rules on the label or on one that covers it.
    Sees {
        /// The role whose `sees` decided: the role itself or one that it extends.
        role: String,
        /// The label that `sees` names.
        label: Label,
    },
    /// No role mentions the label: it is removed.
    NotMentioned,
}

impl Role {
    /// What this role does to a label: nearest definition first (own `sees`, then `extends`), then
    /// the longest label; of equally near labels the stricter. A label not mentioned is removed.
    /// `always` is not considered here.
    #[must_use]
    pub fn action(&self, labels: &LabelTree, label: &Label) -> (Action, Because) {
        let covering = labels.covering(label);
        for layer in &self.chain {
            for level in &covering {
                let found = level
                    .iter()
                    .filter_map(|name| Some((name, layer.sees.get(name)?)));
                let strictest =
                    found.reduce(|a, b| if b.1.strictness(a.1).is_gt() { b } else { a });
                if let Some((name, action)) = strictest {
                    let because = Because::Sees {
                        role: layer.role.clone(),
                        label: name.clone(),
                    };
                    return (action.clone(), because);
                }
            }
        }
        (Action::Remove, Because::NotMentioned)
    }
}
