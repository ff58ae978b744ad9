//! What a set of roles may see, computed once and shared by every exchange of readers in it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use postern_config::labels::Embedded;
use postern_config::routes::Unlabelled;
use postern_config::{Action, Detection, Policy, Quota, Role};

use crate::compiled_policy::compiled_route::CompiledRoute;
use crate::compiled_policy::{AppliedQuota, EngineLimits, WriteRules};
use crate::json::{Automaton, JsonPlan, JsonSettings, LabelId, SightPlans};
use crate::pseudonym::Pseudonymizer;
use crate::request_facts::Identity;

/// How many sets of roles are remembered; past it the memory starts anew.
const REMEMBERED_MAX: usize = 1024;

/// A set of roles of the policy and what they see together.
pub(crate) struct RoleSet {
    /// The roles' names, sorted, each once.
    pub(crate) roles: Vec<String>,
    /// The action for each label of the policy, by label id.
    actions: Vec<Action>,
    /// How a shown string of each label holds a document, by label id.
    embedded: Vec<Option<Embedded>>,
    /// What is searched for in the values of each label, by label id.
    detections: Arc<[Option<Detection>]>,
    /// Some label is shown as a token, which may differ for each reader.
    pub(crate) makes_pseudonyms: bool,
    /// Every quota of the policy with these roles' limit, in the order of the policy.
    pub(crate) quotas: Vec<AppliedQuota>,
    /// The engine's plan of each route, without and with what is required.
    plans: Vec<[OnceLock<Arc<JsonPlan>>; 2]>,
    /// How each route's writes are judged.
    sights: Vec<OnceLock<Arc<SightPlans>>>,
}

impl RoleSet {
    fn new(policy: &Policy, quotas: &[Arc<Quota>], names: Vec<String>) -> Self {
        let roles: Vec<&Role> = names
            .iter()
            .filter_map(|name| policy.roles.get(name))
            .collect();
        let actions: Vec<Action> = policy
            .labels
            .iter()
            .map(|(label, _)| policy.action_of_all(&roles, label))
            .collect();
        let detections: Arc<[Option<Detection>]> = policy
            .labels
            .iter()
            .map(|(label, _)| policy.detection(label))
            .collect();
        let found = detections.iter().flatten().map(|detection| &detection.then);
        let makes_pseudonyms = actions
            .iter()
            .chain(found)
            .any(|action| matches!(action, Action::Pseudonym(_)));
        let applied = |quota: &Arc<Quota>| AppliedQuota {
            quota: Arc::clone(quota),
            limit: quota.limit.of(&names, policy.several_roles),
        };
        Self {
            quotas: quotas.iter().map(applied).collect(),
            roles: names,
            detections,
            embedded: policy
                .labels
                .iter()
                .map(|(_, entry)| entry.embedded)
                .collect(),
            makes_pseudonyms,
            actions,
            plans: policy.routes.iter().map(|_| Default::default()).collect(),
            sights: policy.routes.iter().map(|_| OnceLock::new()).collect(),
        }
    }

    /// Whether anything can be hidden from these roles on this route.
    pub(crate) fn redacts(&self, route: &CompiledRoute) -> bool {
        route.unlabelled != Unlabelled::Show || !route.labels.iter().all(|label| self.shows(*label))
    }

    /// Whether fields of this label are shown in full.
    pub(crate) fn shows(&self, label: LabelId) -> bool {
        self.actions.get(usize::from(label)) == Some(&Action::Show)
    }

    /// Whether somebody said what is searched for in values of this label.
    pub(crate) fn detects(&self, label: LabelId) -> bool {
        self.detections
            .get(usize::from(label))
            .is_some_and(Option::is_some)
    }

    /// What these roles do to each label, by label id.
    pub(crate) fn actions(&self) -> &[Action] {
        &self.actions
    }

    /// How a write to the route is judged for these roles, made once.
    pub(crate) fn sight(&self, making: Making<'_>, rules: &WriteRules) -> Arc<SightPlans> {
        let plan = |automaton: &Arc<Automaton>| {
            let settings = self.settings(making);
            Arc::new(JsonPlan::new(Arc::clone(automaton), settings))
        };
        let make = || {
            let may = plan(&rules.may);
            let sure = match Arc::ptr_eq(&rules.may, &rules.sure) {
                true => Arc::clone(&may),
                false => plan(&rules.sure),
            };
            Arc::new(SightPlans { may, sure })
        };
        let known = self.sights.get(making.place);
        known.map_or_else(make, |sight| Arc::clone(sight.get_or_init(make)))
    }

    pub(crate) fn settings(&self, making: Making<'_>) -> JsonSettings {
        JsonSettings {
            actions: self.actions.clone(),
            unlabelled: making.route.unlabelled,
            depth_max: making.limits.json_depth,
            held_bytes_max: making.limits.held_bytes,
            pseudonyms: None,
            require: making.require,
            embedded: self.embedded.clone(),
        }
    }

    /// The engine's plan for the route at this place, which is made once but for a reader's tokens.
    pub(crate) fn json_plan(&self, making: Making<'_>) -> Arc<JsonPlan> {
        let make = || {
            let settings = self.settings(making);
            let automaton = Arc::clone(&making.route.automaton);
            let detections = Arc::clone(&self.detections);
            Arc::new(JsonPlan::searching(automaton, settings, detections))
        };
        let known = self
            .plans
            .get(making.place)
            .and_then(|plans| plans.get(usize::from(making.require)));
        let plan = known.map_or_else(make, |plan| Arc::clone(plan.get_or_init(make)));
        match making.pseudonyms {
            Some(pseudonyms) => Arc::new(plan.with_pseudonyms(Arc::clone(pseudonyms))),
            None => plan,
        }
    }
}

impl fmt::Debug for RoleSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoleSet")
            .field("roles", &self.roles)
            .field("actions", &self.actions)
            .finish_non_exhaustive()
    }
}

/// What an engine's plan is made from besides the roles.
#[derive(Clone, Copy)]
pub(crate) struct Making<'a> {
    /// The route's place in the policy.
    pub(crate) place: usize,
    /// The route.
    pub(crate) route: &'a CompiledRoute,
    /// The engine's limits.
    pub(crate) limits: EngineLimits,
    /// What makes this reader's tokens.
    pub(crate) pseudonyms: Option<&'a Arc<Pseudonymizer>>,
    /// Whether what is required must be there.
    pub(crate) require: bool,
}

/// The sets of roles that have been seen.
#[derive(Debug)]
pub(crate) struct RoleSets {
    quotas: Vec<Arc<Quota>>,
    nobody: OnceLock<Arc<RoleSet>>,
    known: Mutex<HashMap<Vec<String>, Arc<RoleSet>>>,
}

impl RoleSets {
    /// No set yet, for roles of this policy.
    pub(crate) fn new(policy: &Policy) -> Self {
        Self {
            quotas: policy.quotas.iter().cloned().map(Arc::new).collect(),
            nobody: OnceLock::new(),
            known: Mutex::default(),
        }
    }

    /// Every quota of the policy, in its order.
    pub(crate) fn quotas(&self) -> &[Arc<Quota>] {
        &self.quotas
    }

    /// Nobody's set: no role, and nothing is counted. What it may do is decided without it.
    pub(crate) fn uncounted(&self, policy: &Policy) -> Arc<RoleSet> {
        let make = || Arc::new(RoleSet::new(policy, &[], Vec::new()));
        Arc::clone(self.nobody.get_or_init(make))
    }

    /// The set of those groups of an identity that are roles of the policy; none when there is none.
    pub(crate) fn of(&self, policy: &Policy, identity: &Identity) -> Option<Arc<RoleSet>> {
        let mut names: Vec<String> = identity
            .groups
            .iter()
            .filter(|group| policy.roles.contains_key(*group))
            .cloned()
            .collect();
        names.sort_unstable();
        names.dedup();
        if names.is_empty() {
            return None;
        }
        // A panic while the lock was held cannot have left a half-made set: sets are made whole.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = known.get(&names) {
            return Some(Arc::clone(set));
        }
        if known.len() >= REMEMBERED_MAX {
            known.clear();
        }
        let set = Arc::new(RoleSet::new(policy, &self.quotas, names.clone()));
        known.insert(names, Arc::clone(&set));
        Some(set)
    }
}
