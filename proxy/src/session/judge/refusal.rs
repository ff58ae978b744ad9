//! Why an exchange does not go on, and what the client is told: a slug, a status, and a challenge that says
//! how to do better (RFC 6750 section 3, RFC 9449 section 7.1, RFC 9470 section 3). None of it says which
//! factor failed.

use std::time::Duration;

use http::StatusCode;
use postern_config::sessions::RuleId;

use super::request_dpop::DpopRefusal;
use super::shown::{Carrier, Shown};
use crate::session::record::Record;

/// What proofs may be signed with, as challenges name it.
const ALGORITHMS: &str = "ES256 EdDSA";

/// Why an exchange is refused while the session stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// Another site's page sent it, or nothing says that it was ours.
    Csrf,
    /// The session is bound to its device, and the request does not show it.
    BindingRequired,
    /// The same, and the browser says that it could not: it may try again.
    BindingSkipped,
    /// The handle is bound to a key and came without one, or the other way round (RFC 9449 section 7.2).
    InvalidToken,
    /// The proof of the key does not hold.
    Dpop(DpopRefusal),
    /// It is shown with what belongs to another session.
    SessionMissing,
    /// A rule refuses it.
    Rule(RuleId),
}

/// The scheme that a session's challenges are written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// For sessions that no key binds.
    Bearer,
    /// For those that a DPoP key does.
    Dpop,
}

impl Scheme {
    /// The scheme for a request to a session.
    #[must_use]
    pub fn of(record: &Record, shown: &Shown) -> Self {
        match record.binding.key.is_some() || shown.carrier == Carrier::Dpop {
            true => Self::Dpop,
            false => Self::Bearer,
        }
    }

    /// Its name.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }

    /// Its challenge, with these parameters.
    fn challenge(self, parameters: &str) -> String {
        let algorithms = match self {
            Self::Bearer => String::new(),
            Self::Dpop => format!("algs=\"{ALGORITHMS}\""),
        };
        let all = [parameters, &algorithms].into_iter();
        let all: Vec<&str> = all.filter(|one| !one.is_empty()).collect();
        format!("{} {}", self.word(), all.join(", "))
            .trim_end()
            .to_owned()
    }
}

impl Refusal {
    /// The refusal of a rule.
    pub(super) fn of(rule: RuleId) -> Self {
        if rule == RuleId::H13 {
            Self::Csrf
        } else {
            Self::Rule(rule)
        }
    }

    /// The problem's slug.
    #[must_use]
    pub const fn slug(self) -> &'static str {
        match self {
            Self::Csrf | Self::Rule(RuleId::H13) => "csrf",
            Self::SessionMissing => "session-missing",
            Self::Rule(RuleId::H12) => "session-expired",
            Self::Rule(RuleId::H15) => "case-grant-required",
            Self::BindingRequired
            | Self::BindingSkipped
            | Self::InvalidToken
            | Self::Dpop(_)
            | Self::Rule(
                RuleId::H01
                | RuleId::H02
                | RuleId::H03
                | RuleId::H04
                | RuleId::H05a
                | RuleId::H05b
                | RuleId::H06
                | RuleId::H07
                | RuleId::H08
                | RuleId::H09
                | RuleId::H10
                | RuleId::H11
                | RuleId::H14,
            ) => "binding-required",
        }
    }

    /// The answer's status: 403 for what no credential would change.
    #[must_use]
    pub fn status(self) -> StatusCode {
        match self.slug() {
            "csrf" | "case-grant-required" => StatusCode::FORBIDDEN,
            _ => StatusCode::UNAUTHORIZED,
        }
    }

    /// The word for records, which no client sees.
    #[must_use]
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Csrf => "csrf",
            Self::BindingRequired => "binding_required",
            Self::BindingSkipped => "binding_skipped",
            Self::InvalidToken => "invalid_token",
            Self::Dpop(refusal) => refusal.code(),
            Self::SessionMissing => "session_missing",
            Self::Rule(rule) => rule.word(),
        }
    }

    /// Whether the same request may succeed in a moment.
    #[must_use]
    pub const fn is_retryable(self) -> bool {
        match self {
            Self::BindingSkipped | Self::Dpop(DpopRefusal::Nonce) => true,
            Self::Csrf
            | Self::BindingRequired
            | Self::InvalidToken
            | Self::Dpop(DpopRefusal::Proof | DpopRefusal::Replay | DpopRefusal::OtherKey)
            | Self::SessionMissing
            | Self::Rule(_) => false,
        }
    }

    /// The value of `WWW-Authenticate`, which every 401 has (RFC 9110 section 11.6.1).
    #[must_use]
    pub fn challenge(self, scheme: Scheme) -> String {
        match self {
            Self::InvalidToken => scheme.challenge("error=\"invalid_token\""),
            Self::Dpop(refusal) => Scheme::Dpop.challenge(&format!("error=\"{}\"", refusal.code())),
            Self::Csrf
            | Self::BindingRequired
            | Self::BindingSkipped
            | Self::SessionMissing
            | Self::Rule(_) => scheme.challenge(""),
        }
    }
}

/// The value of `WWW-Authenticate` when the holder must authenticate anew, no longer ago than that (RFC 9470
/// section 3).
#[must_use]
pub fn step_up_challenge(scheme: Scheme, age_max: Duration) -> String {
    let parameters = format!(
        "error=\"insufficient_user_authentication\", \
         error_description=\"sign in again to go on\", max_age=\"{}\"",
        age_max.as_secs()
    );
    scheme.challenge(&parameters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_are_written_as_the_standards_say() {
        let (bearer, dpop) = (Scheme::Bearer, Scheme::Dpop);
        for (challenge, expected) in [
            (Refusal::BindingRequired.challenge(bearer), "Bearer"),
            (
                Refusal::BindingRequired.challenge(dpop),
                "DPoP algs=\"ES256 EdDSA\"",
            ),
            (
                Refusal::InvalidToken.challenge(dpop),
                "DPoP error=\"invalid_token\", algs=\"ES256 EdDSA\"",
            ),
            (
                Refusal::InvalidToken.challenge(bearer),
                "Bearer error=\"invalid_token\"",
            ),
            (
                Refusal::Dpop(DpopRefusal::Nonce).challenge(bearer),
                "DPoP error=\"use_dpop_nonce\", algs=\"ES256 EdDSA\"",
            ),
            (
                step_up_challenge(bearer, Duration::from_secs(300)),
                "Bearer error=\"insufficient_user_authentication\", \
                 error_description=\"sign in again to go on\", max_age=\"300\"",
            ),
            (
                step_up_challenge(dpop, Duration::from_secs(60)),
                "DPoP error=\"insufficient_user_authentication\", \
                 error_description=\"sign in again to go on\", max_age=\"60\", algs=\"ES256 EdDSA\"",
            ),
        ] {
            assert_eq!(challenge, expected);
        }
    }

    #[test]
    fn what_no_credential_changes_is_forbidden_and_all_else_unauthorized() {
        for (refusal, slug, status) in [
            (Refusal::Csrf, "csrf", 403),
            (Refusal::Rule(RuleId::H13), "csrf", 403),
            (Refusal::Rule(RuleId::H15), "case-grant-required", 403),
            (Refusal::Rule(RuleId::H12), "session-expired", 401),
            (Refusal::Rule(RuleId::H05a), "binding-required", 401),
            (Refusal::SessionMissing, "session-missing", 401),
            (Refusal::BindingRequired, "binding-required", 401),
            (Refusal::Dpop(DpopRefusal::Replay), "binding-required", 401),
        ] {
            assert_eq!((refusal.slug(), refusal.status().as_u16()), (slug, status));
        }
    }
}
