//! Export quotas: how much may leave per identity, session, tenant or role within a sliding window.
//!
//! A quota always binds: every role of the policy has a limit in each of them. Nothing is counted
//! here; `filters` finds what is due and `proxy` keeps the ledger.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::roles::SeveralRoles;
use crate::units;

/// One entry of the `quotas` section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quota {
    /// Its name in the policy.
    pub name: String,
    /// What is counted.
    pub unit: Unit,
    /// Who shares one count.
    pub per: Per,
    /// The sliding window, whole seconds: [`WINDOW_SECONDS_MIN`] to [`WINDOW_SECONDS_MAX`].
    pub window: Duration,
    /// How many units may leave within the window, by role.
    pub limit: Limits,
    /// The share of the limit, in percent (1 to 100), at which a warning is raised once per window.
    pub warn_at: Option<u8>,
    /// What happens to an exchange that would go past the limit.
    pub on_exceed: OnExceed,
    /// What happens while the ledger cannot answer.
    pub if_store_is_down: IfStoreIsDown,
}

impl Quota {
    /// The window as short as a policy would write it, such as `90s`.
    #[must_use]
    pub fn window_text(&self) -> String {
        units::written(self.window)
    }
}

/// The shortest window of a quota, in seconds.
pub const WINDOW_SECONDS_MIN: u64 = 1;
/// The longest window of a quota, in seconds: 31 days.
pub const WINDOW_SECONDS_MAX: u64 = 31 * 24 * 3_600;
/// The highest limit of a quota, in its unit.
pub const LIMIT_MAX: u64 = i64::MAX.unsigned_abs();
/// The most quotas of a policy.
pub const QUOTAS_MAX: usize = 16;

/// What a quota counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Matches of a route's `records`; an answer of a labelled route without any counts one.
    Records,
    /// Distinct values of a route's `subjects` within the window.
    Subjects,
    /// Bytes of bodies that leave, decoded and redacted.
    Bytes,
    /// Requests that are let through.
    Requests,
}

/// Who shares one count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Per {
    /// One identity: a subject of one tenant.
    Identity,
    /// One credential that was presented: a token, a client certificate.
    Session,
    /// Everybody of one tenant.
    Tenant,
    /// Everybody with the same roles.
    Role,
}

/// What happens to an exchange that would go past the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnExceed {
    /// It is refused, or cut visibly once its head has left (the default).
    #[default]
    Deny,
    /// Records past the limit are removed; the document stays valid.
    Truncate,
    /// It is refused until the reader has authenticated anew (RFC 9470).
    StepUp,
    /// It goes on, and a finding is raised.
    Alert,
}

/// What happens while the ledger cannot answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum IfStoreIsDown {
    /// What cannot be counted does not leave (the default).
    #[default]
    Deny,
    /// What this process has leased is spent; then nothing more leaves.
    LocalShare,
}

/// How much of a quota each role has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Limits {
    by_role: BTreeMap<String, u64>,
}

impl Limits {
    /// The limit of somebody with these roles: of several the smallest, or with `most_open` the
    /// largest. Names that are no role of the policy do not count; without any role it is 0.
    #[must_use]
    pub fn of(&self, roles: &[String], several: SeveralRoles) -> u64 {
        let each = roles.iter().filter_map(|role| self.by_role.get(role));
        let combined = match several {
            SeveralRoles::MostStrict => each.min(),
            SeveralRoles::MostOpen => each.max(),
        };
        combined.copied().unwrap_or_default()
    }

    /// The limit of every role, by its name; what a role inherits is resolved.
    pub fn iter(&self) -> impl Iterator<Item = (&str, u64)> {
        let entries = self.by_role.iter();
        entries.map(|(role, limit)| (role.as_str(), *limit))
    }
}

impl FromIterator<(String, u64)> for Limits {
    fn from_iter<I: IntoIterator<Item = (String, u64)>>(limits: I) -> Self {
        Self {
            by_role: limits.into_iter().collect(),
        }
    }
}

impl Unit {
    /// The word a policy names it by.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Records => "records",
            Self::Subjects => "subjects",
            Self::Bytes => "bytes",
            Self::Requests => "requests",
        }
    }
}

impl Per {
    /// The word a policy names it by.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Identity => "identity",
            Self::Session => "session",
            Self::Tenant => "tenant",
            Self::Role => "role",
        }
    }
}

impl OnExceed {
    /// The word a policy names it by.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::Truncate => "truncate",
            Self::StepUp => "step_up",
            Self::Alert => "alert",
        }
    }
}

impl IfStoreIsDown {
    /// The word a policy names it by.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Deny => "deny",
            Self::LocalShare => "local_share",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_several_roles_the_policy_says_whose_limit_holds() {
        let limits: Limits = [("agent".to_owned(), 200), ("lead".to_owned(), 400)]
            .into_iter()
            .collect();
        let both = ["lead".to_owned(), "agent".to_owned(), "gone".to_owned()];
        assert_eq!(limits.of(&both, SeveralRoles::MostStrict), 200);
        assert_eq!(limits.of(&both, SeveralRoles::MostOpen), 400);
        for several in [SeveralRoles::MostStrict, SeveralRoles::MostOpen] {
            assert_eq!(limits.of(&[], several), 0);
            assert_eq!(limits.of(&["gone".to_owned()], several), 0);
        }
    }
}
