//! A policy made ready for run time: routes to match, automata per route, what each set of roles sees.
//!
//! Guarantees: deciding depends on the policy, the request's head and who asks, and on nothing else;
//! whatever is not allowed in so many words is refused. It reads no body.

mod applied_quota;
mod compiled_route;
mod counted_route;
mod guarding;
mod role_set;
mod session_lines;
mod write_rules;

use std::sync::Arc;

use postern_config::identity::IdentityRule;
use postern_config::params::BodyMeaning;
use postern_config::rfc9110::is_safe;
use postern_config::routes::LongLived;
use postern_config::{Action, Detector, Label, Policy, Quota, Revision};

use crate::exchange_plan::accept_encoding::{self, Chosen};
use crate::exchange_plan::{Case, ExchangePlan, PlanParts};
use crate::pseudonym::{PseudonymKeys, Pseudonymizer};
use crate::request_facts::{Identity, RequestFacts};
use crate::request_guard::query::Refused;
use crate::route_matcher::{Matched, RouteMatcher};
use crate::verdict::{DenyReason, Verdict};

pub use applied_quota::AppliedQuota;
pub(crate) use compiled_route::CompiledRoute;
pub(crate) use counted_route::{CountedBody, CountedRoute};
use role_set::RoleSets;
pub(crate) use role_set::{Making, RoleSet};
pub use session_lines::SessionLine;
use session_lines::SessionLines;
pub(crate) use write_rules::WriteRules;

/// The engine's limits, from the server file.
#[derive(Debug, Clone, Copy)]
pub struct EngineLimits {
    /// Nesting depth of JSON.
    pub json_depth: usize,
    /// What an exchange may hold back to look ahead, in bytes.
    pub held_bytes: usize,
    /// Decoded bytes per encoded byte of a content coding.
    pub expand_ratio: usize,
}

/// Why a valid policy cannot be compiled.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum CompileError {
    /// A route's selectors need more states than the bound.
    #[error("route `{route}`: the selectors are too many or too intertwined; split the route")]
    TooLarge {
        /// The route's name.
        route: String,
    },
    /// A pseudonym is asked for and no key is configured.
    #[error("the policy uses `pseudonym` and the server file names no key under `keys.pseudonym`")]
    NoPseudonymKey,
}

/// A policy ready to decide and redact; shared by every exchange that uses this revision.
#[derive(Debug)]
pub struct CompiledPolicy {
    revision: Revision,
    ready: Option<Ready>,
}

/// What is compiled from a policy.
#[derive(Debug)]
struct Ready {
    policy: Policy,
    matcher: RouteMatcher,
    session_lines: SessionLines,
    /// In the order of the policy, none for a denied one; then what stands for session lines.
    routes: Vec<Option<Arc<CompiledRoute>>>,
    labels: Arc<[String]>,
    identity_headers: Arc<[String]>,
    role_sets: RoleSets,
    limits: EngineLimits,
    keys: PseudonymKeys,
}

impl CompiledPolicy {
    /// Compiles a policy.
    ///
    /// # Errors
    /// See [`CompileError`].
    pub fn compile(
        policy: Policy,
        revision: Revision,
        limits: EngineLimits,
        keys: PseudonymKeys,
    ) -> Result<Self, CompileError> {
        if keys.is_empty() && makes_pseudonyms(&policy) {
            return Err(CompileError::NoPseudonymKey);
        }
        let labels: Vec<&Label> = policy.labels.iter().map(|(label, _)| label).collect();
        let mut searched = policy.detect.values();
        let searches_names = searched.any(|d| d.find.contains(&Detector::NamesInThisResponse));
        let routes: Result<Vec<_>, CompileError> = policy
            .routes
            .iter()
            .map(|route| match route.deny {
                true => Ok(None),
                false => {
                    let records = route.records.get(..).filter(|_| searches_names);
                    let records = records.unwrap_or_default();
                    let mut compiled = CompiledRoute::compile(route, &labels, records)?;
                    compiled.counted = CountedRoute::compile(&policy, route, &labels)?;
                    Ok(Some(Arc::new(compiled)))
                }
            })
            .collect();
        let mut routes: Vec<_> = routes?;
        routes.extend(SessionLines::routes()?);
        let (session_lines, matcher) = SessionLines::of(&policy);
        let ready = Ready {
            matcher,
            session_lines,
            routes,
            labels: labels
                .iter()
                .map(|label| label.as_str().to_owned())
                .collect(),
            identity_headers: identity_headers(&policy),
            role_sets: RoleSets::new(&policy),
            limits,
            keys,
            policy,
        };
        Ok(Self {
            revision,
            ready: Some(ready),
        })
    }

    /// What holds until the first policy loads: every exchange is refused.
    #[must_use]
    pub fn deny_all() -> Self {
        Self {
            revision: Revision::of_closure(&[]),
            ready: None,
        }
    }

    /// The policy this was compiled from; none for [`Self::deny_all`].
    #[must_use]
    pub fn policy(&self) -> Option<&Policy> {
        self.ready.as_ref().map(|ready| &ready.policy)
    }

    /// The policy's revision.
    #[must_use]
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    /// Every export quota of the policy, in its order; none for [`Self::deny_all`].
    #[must_use]
    pub fn quotas(&self) -> &[Arc<Quota>] {
        let ready = self.ready.as_ref();
        ready.map_or(&[], |ready| ready.role_sets.quotas())
    }

    /// Decides about a request.
    ///
    /// Somebody without a role learns nothing about routes; after that the first of these that fails
    /// is the answer: route, method, upgrade, query, type of a write, the write itself, coding.
    #[must_use]
    pub fn decide(&self, facts: &RequestFacts<'_>) -> Verdict {
        match self.allowed(facts) {
            Ok(plan) => Verdict::Allow(Box::new(plan)),
            Err(reason) => Verdict::Deny(reason),
        }
    }

    /// What the record of a refused exchange says: the route that the request matches, denied ones
    /// included, and the roles that count. Either is empty when the request did not get so far.
    #[must_use]
    pub fn place_of(&self, facts: &RequestFacts<'_>) -> (Option<&str>, Vec<String>) {
        let Some(ready) = &self.ready else {
            return (None, Vec::new());
        };
        let route = match ready.matcher.find(facts.method, facts.path) {
            Matched::Route(place) => ready.name_at(place),
            Matched::OtherMethods(_) | Matched::Nothing => None,
        };
        let roles = ready.roles(facts.identity);
        (
            route,
            roles.map(|set| set.roles.clone()).unwrap_or_default(),
        )
    }

    fn allowed(&self, facts: &RequestFacts<'_>) -> Result<ExchangePlan, DenyReason> {
        let ready = self.ready.as_ref().ok_or(DenyReason::PolicyUnavailable)?;
        let found = ready.matcher.find(facts.method, facts.path);
        let roles = match &found {
            Matched::Route(place) if ready.session_lines.at(*place).is_some() => {
                ready.role_sets.uncounted(&ready.policy)
            }
            Matched::Route(_) | Matched::OtherMethods(_) | Matched::Nothing => {
                ready.roles(facts.identity)?
            }
        };
        let place = match found {
            Matched::Route(place) => place,
            Matched::OtherMethods(allow) => return Err(DenyReason::MethodNotAllowed { allow }),
            Matched::Nothing => return Err(DenyReason::RouteDenied),
        };
        let reader = Reader {
            roles,
            identity: facts.identity,
            case: ready.case_of(place, facts),
        };
        let plan = self.plan_for(ready, place, reader)?;
        let route = plan.compiled_route();
        if facts.upgrade && !(route.allow.contains(&LongLived::Websocket) && is_websocket(facts)) {
            return Err(DenyReason::UpgradeRefused);
        }
        may_ask(&plan, facts)?;
        let guard = match route.labelled && plan.redacts() && !is_safe(facts.method) {
            true => self.guard(ready, facts, &plan)?,
            false => None,
        };
        let chosen = accept_encoding::choose(facts.headers);
        if plan.reads() && chosen == Chosen::Nothing {
            return Err(DenyReason::NotAcceptable);
        }
        Ok(plan.with_request(facts.method, chosen).with_guard(guard))
    }

    /// Whether a request is one of a login or a logout, about which nobody's roles decide.
    #[must_use]
    pub fn session_line(&self, method: &str, path: &str) -> Option<SessionLine> {
        let ready = self.ready.as_ref()?;
        ready.session_lines.find(&ready.matcher, (method, path))
    }

    /// The plan for a named route and roles without a request: what offline commands use.
    ///
    /// # Errors
    /// `RouteDenied` when there is no such route or it is denied, `NoRole` when no role is known,
    /// `PolicyUnavailable` for [`Self::deny_all`].
    pub fn plan(&self, route: &str, identity: &Identity) -> Result<ExchangePlan, DenyReason> {
        let ready = self.ready.as_ref().ok_or(DenyReason::PolicyUnavailable)?;
        let roles = ready.roles(identity)?;
        let place = ready
            .policy
            .routes
            .iter()
            .position(|known| !known.deny && known.name == route)
            .ok_or(DenyReason::RouteDenied)?;
        let reader = Reader {
            roles,
            identity,
            case: None,
        };
        self.plan_for(ready, place, reader)
    }

    fn plan_for(
        &self,
        ready: &Ready,
        place: usize,
        reader: Reader<'_>,
    ) -> Result<ExchangePlan, DenyReason> {
        let Some(Some(route)) = ready.routes.get(place) else {
            return Err(DenyReason::RouteDenied);
        };
        let roles = reader.roles;
        let pseudonyms = match roles.makes_pseudonyms {
            true => Pseudonymizer::new(&ready.keys, reader.identity, &roles.roles),
            false => None,
        };
        let pseudonyms = pseudonyms.map(|made_by| match &reader.case {
            Some(case) => made_by.for_case(case),
            None => made_by,
        });
        Ok(ExchangePlan::new(PlanParts {
            revision: self.revision.clone(),
            place,
            route: Arc::clone(route),
            roles,
            labels: Arc::clone(&ready.labels),
            identity_headers: Arc::clone(&ready.identity_headers),
            limits: ready.limits,
            pseudonyms: pseudonyms.map(Arc::new),
            case: reader.case.map(Case),
        }))
    }
}

/// Who reads, and which case.
struct Reader<'a> {
    roles: Arc<RoleSet>,
    identity: &'a Identity,
    case: Option<String>,
}

impl Ready {
    /// What stands at a place: the name of a route, denied ones included, or what a session line is for.
    fn name_at(&self, place: usize) -> Option<&str> {
        let route = self.policy.routes.get(place);
        let line = || self.session_lines.at(place).map(SessionLine::word);
        route.map(|route| route.name.as_str()).or_else(line)
    }

    /// The case that a request to the route at this place is about, if the route says where that is.
    fn case_of(&self, place: usize, facts: &RequestFacts<'_>) -> Option<String> {
        let name = self.policy.routes.get(place)?.case.as_deref()?;
        self.matcher.parameter(facts.method, facts.path, name)
    }

    fn roles(&self, identity: &Identity) -> Result<Arc<RoleSet>, DenyReason> {
        let roles = self.role_sets.of(&self.policy, identity);
        roles.ok_or(DenyReason::NoRole)
    }
}

/// Whether a query, or a body that is one, asks only for what these roles may ask.
fn may_ask(plan: &ExchangePlan, facts: &RequestFacts<'_>) -> Result<(), DenyReason> {
    let route = plan.compiled_route();
    if let (Some(rules), Some(query)) = (&route.query, facts.query) {
        let shows = |label| plan.shows(label);
        rules
            .judge(query, plan.sight_of_asker(&shows))
            .map_err(|refused| match refused {
                Refused::NotAllowed => DenyReason::QueryNotAllowed,
                Refused::Hidden => DenyReason::QueryOnHiddenField,
            })?;
    }
    // SECURITY: nobody here reads the language of a posted search, so it may ask about anything.
    if route.body == BodyMeaning::Query && plan.redacts() && !is_safe(facts.method) {
        return Err(DenyReason::QueryOnHiddenField);
    }
    Ok(())
}

/// Whether any role, or `always`, asks for tokens.
fn makes_pseudonyms(policy: &Policy) -> bool {
    let layers = policy.roles.values().flat_map(|role| &role.chain);
    layers
        .flat_map(|layer| layer.sees.values())
        .chain(policy.always.values())
        .chain(policy.detect.values().map(|detection| &detection.then))
        .any(|action| matches!(action, Action::Pseudonym(_)))
}

/// The header fields in which the policy expects to be told who asks, lower case.
fn identity_headers(policy: &Policy) -> Arc<[String]> {
    match &policy.identity {
        IdentityRule::Header(rule) => {
            [Some(&rule.subject), rule.tenant.as_ref(), Some(&rule.roles)]
                .into_iter()
                .flatten()
                .map(|name| name.to_ascii_lowercase())
                .collect()
        }
        IdentityRule::Jwt(_) | IdentityRule::Mtls(_) | IdentityRule::Session(_) => Arc::default(),
    }
}

/// Whether an upgrade is a WebSocket handshake (RFC 6455 section 4.1) and nothing else.
fn is_websocket(facts: &RequestFacts<'_>) -> bool {
    let only = |name: &str, expected: &str| {
        let mut values = facts.headers.get_all(name).iter();
        let value = values.next().and_then(|value| value.to_str().ok());
        values.next().is_none() && value.is_some_and(|value| value.eq_ignore_ascii_case(expected))
    };
    facts.method == "GET" && only("upgrade", "websocket") && only("sec-websocket-version", "13")
}

#[cfg(test)]
mod tests;
