//! What a rule has noticed, and what it makes of the session.

use postern_config::Sessions;
use postern_config::sessions::{RuleAction, RuleId};

use crate::session::binding::Lesson;
use crate::session::vault::NoSession;

/// A security event that an operator should see. It holds nothing of the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Finding {
    /// The rule.
    pub rule: RuleId,
    /// What the policy makes it do.
    pub action: RuleAction,
    /// What it noticed: a fixed word, for operators only.
    pub reason: &'static str,
}

impl Finding {
    /// A finding of a rule, with the action that the policy gives it.
    #[must_use]
    pub fn new(sessions: &Sessions, rule: RuleId, reason: &'static str) -> Self {
        Self {
            rule,
            action: sessions.for_rule(rule),
            reason,
        }
    }

    /// H09: a request brings a token of the application that lies in a vault. It is about the session that
    /// the token belongs to, whoever brought it.
    #[must_use]
    pub fn upstream_token(sessions: &Sessions) -> Self {
        Self::new(sessions, RuleId::H09, "token-from-outside")
    }

    /// H10: a token stood in an answer where no rule expects one, and was taken out.
    #[must_use]
    pub fn policy_gap(sessions: &Sessions) -> Self {
        Self::new(sessions, RuleId::H10, "token-in-an-answer")
    }

    /// H12: the handle of a session that has ended. None when that is not why there is no session.
    #[must_use]
    pub fn ended(sessions: &Sessions, none: NoSession) -> Option<Self> {
        let reason = match none {
            NoSession::Expired => "expired",
            NoSession::Revoked => "revoked",
            NoSession::Missing | NoSession::Forged | NoSession::Store(_) => return None,
        };
        Some(Self::new(sessions, RuleId::H12, reason))
    }

    /// What it teaches about the binding of the session that it is about.
    #[must_use]
    pub fn lesson(&self) -> Lesson {
        let (downgrade, step_up) = match self.action {
            RuleAction::Downgrade => (true, false),
            RuleAction::StepUp => (false, true),
            RuleAction::Observe | RuleAction::Refuse | RuleAction::Revoke => (false, false),
        };
        Lesson {
            downgrade,
            step_up,
            ..Lesson::default()
        }
    }
}
