//! Why an exchange does not go on, and the challenge that says how to do better (RFC 6750 section 3, RFC 9449
//! section 7.1, RFC 9470 section 3). Nothing that the client is told says which factor failed.

use std::time::Duration;

use postern_config::sessions::RuleId;

use super::request_dpop::DpopRefusal;
use super::shown::{Carrier, Shown};
use crate::session::proof::ALGORITHMS;
use crate::session::record::Record;

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
            Self::Dpop => format!("algs=\"{}\"", ALGORITHMS.join(" ")),
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
}
