//! A policy made ready for run time: routes to match, automata per route, action tables per role set.
//! (Being written.)

use postern_config::{Policy, Revision};

use crate::exchange_plan::ExchangePlan;
use crate::pseudonym::PseudonymKeys;
use crate::request_facts::{Identity, RequestFacts};
use crate::verdict::{DenyReason, Verdict};

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
    policy: Option<Policy>,
    revision: Revision,
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
        let _ = (limits, keys);
        Ok(Self {
            policy: Some(policy),
            revision,
        })
    }

    /// What holds until the first policy loads: every exchange is refused.
    #[must_use]
    pub fn deny_all() -> Self {
        Self {
            policy: None,
            revision: Revision::of_closure(&[]),
        }
    }

    /// The policy this was compiled from; none for [`Self::deny_all`].
    #[must_use]
    pub fn policy(&self) -> Option<&Policy> {
        self.policy.as_ref()
    }

    /// The policy's revision.
    #[must_use]
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    /// Decides about a request.
    #[must_use]
    pub fn decide(&self, facts: &RequestFacts<'_>) -> Verdict {
        let _ = facts;
        Verdict::Deny(DenyReason::PolicyUnavailable)
    }

    /// The plan for a named route and roles without a request: what offline commands use.
    ///
    /// # Errors
    /// `RouteDenied` when there is no such route or it is denied, `NoRole` when no role is known.
    pub fn plan(&self, route: &str, identity: &Identity) -> Result<ExchangePlan, DenyReason> {
        let _ = (route, identity);
        Err(DenyReason::RouteDenied)
    }
}
