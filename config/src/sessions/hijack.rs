//! The rules that notice a session in other hands, and what each of them does.
//!
//! Ids are stable: they stand in policies, findings and audit records.

/// A rule of hijack detection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleId {
    /// A proof with another key than the bound one, a second registration, or a weaker binding.
    H01,
    /// A replaced device-bound cookie after its grace, or within it from elsewhere.
    H02,
    /// A consumed or unknown challenge, signed with the right key.
    H03,
    /// The same DPoP proof three times within a minute. Each replay is refused whatever the rule does.
    H04,
    /// Another network operator, the same browser.
    H05a,
    /// Another network and another browser or platform at once.
    H05b,
    /// One handle from two places within a minute, in turns.
    H06,
    /// An older version of the browser, or another platform.
    H07,
    /// A browser that could bind its session to the device never does.
    H08,
    /// A request brings a token of the application that is in a vault.
    H09,
    /// A token was found in an answer where no rule expects one. It is taken out whatever the rule does.
    H10,
    /// The decoy cookie without its handle, or from elsewhere.
    H11,
    /// A handle of a session that has ended. It is refused whatever the rule does.
    H12,
    /// A request from another site, or an unsafe one without the header that only our pages can set.
    H13,
    /// Cases are fetched faster than the role usually does.
    H14,
    /// A case outside of the session's grant. It is refused whatever the rule does.
    H15,
}

impl RuleId {
    /// Every rule, in order.
    pub const ALL: [Self; 16] = [
        Self::H01,
        Self::H02,
        Self::H03,
        Self::H04,
        Self::H05a,
        Self::H05b,
        Self::H06,
        Self::H07,
        Self::H08,
        Self::H09,
        Self::H10,
        Self::H11,
        Self::H12,
        Self::H13,
        Self::H14,
        Self::H15,
    ];

    /// The id as policies and findings write it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::H01 => "H01",
            Self::H02 => "H02",
            Self::H03 => "H03",
            Self::H04 => "H04",
            Self::H05a => "H05a",
            Self::H05b => "H05b",
            Self::H06 => "H06",
            Self::H07 => "H07",
            Self::H08 => "H08",
            Self::H09 => "H09",
            Self::H10 => "H10",
            Self::H11 => "H11",
            Self::H12 => "H12",
            Self::H13 => "H13",
            Self::H14 => "H14",
            Self::H15 => "H15",
        }
    }

    /// What the rule does where neither it nor `on_mismatch` is written.
    #[must_use]
    pub const fn usual_action(self) -> RuleAction {
        match self {
            Self::H01 | Self::H02 | Self::H04 | Self::H05b | Self::H06 | Self::H09 | Self::H11 => {
                RuleAction::Revoke
            }
            Self::H05a | Self::H07 => RuleAction::StepUp,
            Self::H14 => RuleAction::Downgrade,
            Self::H12 | Self::H13 | Self::H15 => RuleAction::Refuse,
            Self::H03 | Self::H08 | Self::H10 => RuleAction::Observe,
        }
    }

    /// Whether the rule says that somebody else holds the handle, so that `on_mismatch` decides.
    #[must_use]
    pub const fn is_mismatch(self) -> bool {
        match self {
            Self::H01 | Self::H02 | Self::H05b | Self::H06 => true,
            Self::H03
            | Self::H04
            | Self::H05a
            | Self::H07
            | Self::H08
            | Self::H09
            | Self::H10
            | Self::H11
            | Self::H12
            | Self::H13
            | Self::H14
            | Self::H15 => false,
        }
    }
}

/// What a rule does when it fires. A finding is raised in any case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RuleAction {
    /// Nothing more.
    Observe,
    /// This exchange is refused, and the session stays as it is. Some rules do so by default; no policy
    /// writes it.
    Refuse,
    /// The session goes on once its holder has authenticated anew (RFC 9470).
    StepUp,
    /// The session goes on as one that nothing binds, at level 0.
    Downgrade,
    /// The session ends.
    Revoke,
}

impl RuleAction {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Observe => "observe",
            Self::Refuse => "refuse",
            Self::StepUp => "step_up",
            Self::Downgrade => "downgrade",
            Self::Revoke => "revoke",
        }
    }
}

/// What happens when somebody else seems to hold the handle: the default of H01, H02, H05b and H06.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnMismatch {
    /// The session ends (the default).
    #[default]
    Revoke,
    /// It goes on once its holder has authenticated anew.
    StepUp,
    /// It goes on, and a finding is raised.
    Alert,
}

impl OnMismatch {
    /// The word a policy names it by.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Revoke => "revoke",
            Self::StepUp => "step_up",
            Self::Alert => "alert",
        }
    }

    /// What it makes a rule do.
    #[must_use]
    pub const fn action(self) -> RuleAction {
        match self {
            Self::Revoke => RuleAction::Revoke,
            Self::StepUp => RuleAction::StepUp,
            Self::Alert => RuleAction::Observe,
        }
    }
}
