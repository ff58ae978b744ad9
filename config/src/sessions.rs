//! Sessions: how the application's own session is kept from clients, and what ties the handle that a
//! client holds instead to its holder. The `sessions` section of a policy.
//!
//! Guarantees: every duration lies within its bounds, a level that is asked for can be reached, and no
//! cookie passes that is known as a session token. Nothing is enforced here; `filters` takes tokens
//! out, and `proxy` keeps the vault and judges what binds a handle.

mod hijack;
pub mod hot_names;
mod levels;
mod token_names;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

pub use hijack::{OnMismatch, RuleAction, RuleId};
pub use levels::{Access, BindingLevel, RequiredLevels};
pub use token_names::{TokenNames, folded};

/// The `sessions` section. [`Sessions::default`] is what an empty one means.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Sessions {
    /// The names by which the application's session is known, besides those that are always taken for one.
    pub token: TokenNames,
    /// The upstream's cookies that may reach the client, compared exactly. All others stay in the vault.
    pub passthrough: Vec<String>,
    /// What the client holds.
    pub client_holds: ClientHolds,
    /// What may tie a handle to its holder; at least one. The strongest that the client can do is used.
    pub bind: BTreeSet<Binding>,
    /// How strongly a session must be bound, by what is asked for.
    pub required: RequiredLevels,
    /// What happens when somebody else seems to hold the handle.
    pub on_mismatch: OnMismatch,
    /// What the policy says of single rules; [`Self::for_rule`] knows all of them.
    pub rules: BTreeMap<RuleId, RuleAction>,
    /// How long a session may rest; never longer than `longest`.
    pub idle: Duration,
    /// How long a session may live, whatever happens in it.
    pub longest: Duration,
    /// How old a handle becomes before another replaces it.
    pub rotate: Duration,
    /// How long the device-bound cookie lives, on both sides.
    pub bound_for: Duration,
    /// How long after its login a session may go on without any binding.
    pub unbound_for: Duration,
    /// How long a step-up counts for what needs a fresh one.
    pub step_up_for: Duration,
    /// How many sessions one person may have at once.
    pub max_sessions: MaxSessions,
    /// What happens to one session more.
    pub on_limit: OnLimit,
    /// The name of a cookie that is set and never used: whoever presents it took it out of a jar.
    pub decoy: Option<String>,
    /// What happens while the vault cannot be read.
    pub on_store_down: OnStoreDown,
}

/// How long what was replaced is still taken: a handle, or a device-bound cookie.
pub const GRACE: Duration = Duration::from_secs(30);

/// `idle`, in seconds: the shortest and the longest.
pub const IDLE_SECONDS: (u64, u64) = (60, 24 * 3_600);
/// `longest`, in seconds: the shortest and the longest.
pub const LONGEST_SECONDS: (u64, u64) = (60, 30 * 24 * 3_600);
/// `rotate`, in seconds: the shortest and the longest.
pub const ROTATE_SECONDS: (u64, u64) = (60, 24 * 3_600);
/// `bound_for`, in seconds: the shortest and the longest. Below three minutes browsers renew the cookie with
/// almost every request; a stolen jar works for as long as this.
pub const BOUND_FOR_SECONDS: (u64, u64) = (180, 3_600);
/// `unbound_for`, in seconds: the shortest and the longest.
pub const UNBOUND_FOR_SECONDS: (u64, u64) = (5, 600);
/// `step_up_for`, in seconds: the shortest and the longest.
pub const STEP_UP_FOR_SECONDS: (u64, u64) = (30, 3_600);
/// The most sessions that a policy may allow one person of one kind of client.
pub const SESSIONS_MAX: u64 = 1_000;
/// The most names in one list of `sessions`.
pub const NAMES_MAX: usize = 64;

impl Default for Sessions {
    fn default() -> Self {
        Self {
            token: TokenNames::default(),
            passthrough: Vec::new(),
            client_holds: ClientHolds::default(),
            bind: Binding::ALL.into(),
            required: RequiredLevels::default(),
            on_mismatch: OnMismatch::default(),
            rules: BTreeMap::new(),
            idle: Duration::from_secs(15 * 60),
            longest: Duration::from_secs(12 * 3_600),
            rotate: Duration::from_secs(3_600),
            bound_for: Duration::from_secs(300),
            unbound_for: Duration::from_secs(60),
            step_up_for: Duration::from_secs(300),
            max_sessions: MaxSessions::default(),
            on_limit: OnLimit::default(),
            decoy: None,
            on_store_down: OnStoreDown::default(),
        }
    }
}

impl Sessions {
    /// What a rule does: what the policy says of it, else what `on_mismatch` says of a rule that is about
    /// another holder, else the rule's default.
    #[must_use]
    pub fn for_rule(&self, rule: RuleId) -> RuleAction {
        let said = self.rules.get(&rule).copied();
        said.unwrap_or_else(|| match rule.is_mismatch() {
            true => self.on_mismatch.action(),
            false => rule.usual_action(),
        })
    }

    /// Whether a cookie of the application may reach the client: its name is compared exactly.
    #[must_use]
    pub fn lets_pass(&self, cookie: &[u8]) -> bool {
        self.passthrough
            .iter()
            .any(|name| name.as_bytes() == cookie)
    }

    /// The highest level that a session can reach with what may bind it.
    #[must_use]
    pub fn reachable_level(&self) -> BindingLevel {
        let levels = self.bind.iter().map(|binding| binding.level());
        levels.max().unwrap_or_default()
    }
}

/// What the client holds in place of the application's session.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ClientHolds {
    /// An opaque handle, which is worthless without what it is bound to; the only choice.
    #[default]
    Handle,
}

/// What ties a handle to its holder.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Binding {
    /// A client certificate on every connection (RFC 8705).
    Mtls,
    /// A proof of a key with every request (RFC 9449).
    Dpop,
    /// A short-lived cookie that the browser renews with a key of the device (Device Bound Session
    /// Credentials).
    Dbsc,
    /// Where the client is and what it says it is: network, browser, platform, language.
    Context,
}

impl Binding {
    /// Every binding, as policies usually write them.
    pub const ALL: [Self; 4] = [Self::Mtls, Self::Dpop, Self::Dbsc, Self::Context];

    /// The word a policy names it by.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Mtls => "mtls",
            Self::Dpop => "dpop",
            Self::Dbsc => "dbsc",
            Self::Context => "context",
        }
    }

    /// How strongly it binds.
    #[must_use]
    pub const fn level(self) -> BindingLevel {
        match self {
            Self::Mtls => BindingLevel::Certificate,
            Self::Dpop | Self::Dbsc => BindingLevel::Key,
            Self::Context => BindingLevel::Context,
        }
    }
}

/// How many sessions one person may have at once, by the kind of client; at least one each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MaxSessions {
    /// In browsers.
    pub browser: u32,
    /// Of programs, agents that act for a person included.
    pub api: u32,
}

impl Default for MaxSessions {
    fn default() -> Self {
        Self { browser: 2, api: 5 }
    }
}

/// What happens to one session more than a person may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnLimit {
    /// The login is refused (the default).
    #[default]
    DenyNew,
    /// The oldest of the others ends.
    EvictOldest,
}

impl OnLimit {
    /// The word a policy names it by.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::DenyNew => "deny_new",
            Self::EvictOldest => "evict_oldest",
        }
    }
}

/// What happens while the vault cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnStoreDown {
    /// Nobody is let in (the only choice).
    #[default]
    Deny,
}

#[cfg(test)]
mod tests;
