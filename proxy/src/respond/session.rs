//! Refusals that are about a session.

use http::StatusCode;
use http::header::{HeaderName, HeaderValue, LOCATION, RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE};
use pingora::http::ResponseHeader;
use postern_config::sessions::RuleId;

use super::Problem;
use super::faces::{Face, face};
use crate::session::client_cookies::forgetting_fields;
use crate::session::judge::{Refusal, Scheme};

const CLEAR_SITE_DATA: HeaderName = HeaderName::from_static("clear-site-data");
/// What a browser drops with its session.
pub(crate) const EVERYTHING: &str = "\"cookies\", \"storage\", \"cache\"";

/// What is said of a case outside of a session's grant.
const NO_GRANT: Words = (
    StatusCode::FORBIDDEN,
    "case-grant-required",
    "This case takes a grant",
    "ask for access to the case, and repeat the request",
);

/// Status, slug, title and detail.
type Words = (StatusCode, &'static str, &'static str, &'static str);

/// Why somebody is refused who has no session, or not the right one. The client is never told which factor
/// failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum SessionProblem {
    /// There is none.
    Missing,
    /// It has ended by itself.
    Expired,
    /// It was ended.
    Revoked,
    /// It is not bound to its holder as strongly as this needs.
    BindingRequired,
    /// Its holder has to authenticate anew.
    StepUpRequired,
    /// Another site's page sent the request, or nothing says that it was ours.
    Csrf,
    /// The session is used for a case outside of its grant.
    CaseGrantRequired,
    /// The person has as many as allowed.
    Limit,
    /// A token cannot be written where its placeholder stands.
    Unwritable,
    /// What somebody attaches is a recording that cannot be read, so nobody can take credentials out of it.
    UnreadableRecording,
    /// The person has no such session.
    Unknown,
    /// Nobody can tell.
    StoreDown,
}

/// A refusal with the fields that go with it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionRefusal {
    /// Why.
    pub problem: SessionProblem,
    /// Where the browser is sent, and how; none when it stays where it is.
    sent: Option<(StatusCode, String)>,
    fields: Vec<(HeaderName, HeaderValue)>,
}

impl From<SessionProblem> for Problem {
    fn from(problem: SessionProblem) -> Self {
        Self::Session(Box::new(problem.into()))
    }
}

impl From<SessionRefusal> for Problem {
    fn from(refusal: SessionRefusal) -> Self {
        Self::Session(Box::new(refusal))
    }
}

impl From<SessionProblem> for SessionRefusal {
    fn from(problem: SessionProblem) -> Self {
        Self {
            problem,
            sent: None,
            fields: Vec::new(),
        }
    }
}

impl SessionRefusal {
    /// The same with a field more. What is no field value is left out; nothing we write is.
    pub(crate) fn with(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.fields.push((name, value));
        }
        self
    }

    /// The same for a browser that is sent elsewhere.
    pub(crate) fn sending(mut self, status: StatusCode, target: String) -> Self {
        self.sent = Some((status, target));
        self
    }

    /// Whether the client is to forget its handle.
    pub(crate) const fn forgets(&self) -> bool {
        matches!(
            self.problem,
            SessionProblem::Expired | SessionProblem::Revoked
        )
    }

    pub(super) fn face(&self) -> Face {
        let shown = self.problem.face();
        match &self.sent {
            Some((status, _)) => Face {
                status: *status,
                ..shown
            },
            None => shown,
        }
    }

    /// The header fields that belong to it.
    pub(super) fn add_fields(&self, head: &mut ResponseHeader) -> pingora::Result<()> {
        if self.forgets() {
            for field in forgetting_fields() {
                head.append_header(SET_COOKIE, field)?;
            }
            head.insert_header(CLEAR_SITE_DATA, EVERYTHING)?;
        }
        for (name, value) in &self.fields {
            head.append_header(name.clone(), value.clone())?;
        }
        if let Some((_, target)) = &self.sent {
            head.insert_header(LOCATION, target.as_str())?;
        }
        let is_told = head.headers.contains_key(WWW_AUTHENTICATE);
        if head.status == StatusCode::UNAUTHORIZED && !is_told {
            head.insert_header(
                WWW_AUTHENTICATE,
                Refusal::SessionMissing.challenge(Scheme::Dpop),
            )?;
        }
        if head.status == StatusCode::SERVICE_UNAVAILABLE {
            head.insert_header(RETRY_AFTER, "1")?;
        }
        Ok(())
    }
}

impl From<Refusal> for SessionProblem {
    /// What the client is told: status and slug follow from it. 403 is for what no credential would change.
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Csrf | Refusal::Rule(RuleId::H13) => Self::Csrf,
            Refusal::SessionMissing => Self::Missing,
            Refusal::Rule(RuleId::H12) => Self::Expired,
            Refusal::Rule(RuleId::H15) => Self::CaseGrantRequired,
            Refusal::BindingRequired
            | Refusal::BindingSkipped
            | Refusal::InvalidToken
            | Refusal::Dpop(_)
            | Refusal::Rule(
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
            ) => Self::BindingRequired,
        }
    }
}

impl SessionProblem {
    /// The answer's status.
    pub(crate) const fn status(self) -> StatusCode {
        self.words().0
    }

    fn face(self) -> Face {
        let (status, slug, title, detail) = self.words();
        face(status, slug, title, detail)
    }

    const fn words(self) -> Words {
        match self {
            Self::Missing => (
                StatusCode::UNAUTHORIZED,
                "session-missing",
                "There is no session",
                "log in first",
            ),
            Self::Expired => (
                StatusCode::UNAUTHORIZED,
                "session-expired",
                "The session has expired",
                "log in again",
            ),
            Self::Revoked => (
                StatusCode::UNAUTHORIZED,
                "session-revoked",
                "The session was ended",
                "log in again",
            ),
            Self::BindingRequired => (
                StatusCode::UNAUTHORIZED,
                "binding-required",
                "The session is not bound strongly enough",
                "prove that you hold what the session is bound to, or log in with a client that can",
            ),
            Self::StepUpRequired => (
                StatusCode::UNAUTHORIZED,
                "step-up-required",
                "This needs a fresh login",
                "log in again, and repeat the request",
            ),
            Self::Csrf => (
                StatusCode::FORBIDDEN,
                "csrf",
                "The request does not come from a page of ours",
                "send it from a page of this site, or with `Postern-Request: 1`",
            ),
            Self::CaseGrantRequired => NO_GRANT,
            Self::Limit => (
                StatusCode::CONFLICT,
                "session-limit",
                "There are too many sessions",
                "log out elsewhere; the limit is `sessions.max_sessions`",
            ),
            Self::Unwritable | Self::UnreadableRecording => self.words_of_bodies(),
            Self::Unknown => (
                StatusCode::NOT_FOUND,
                "session-unknown",
                "You have no such session",
                "look at `/__postern/sessions` for those that you have",
            ),
            Self::StoreDown => (
                StatusCode::SERVICE_UNAVAILABLE,
                "store-unavailable",
                "Nobody can tell now which sessions hold",
                "the store of the sessions does not answer; try again in a moment",
            ),
        }
    }

    /// What is wrong with what was sent up.
    const fn words_of_bodies(self) -> Words {
        match self {
            Self::UnreadableRecording => (
                StatusCode::UNPROCESSABLE_ENTITY,
                "unreadable-recording",
                "The attachment cannot be read",
                "it is a recording of a browser (HAR) that is damaged or too large; record less, and attach that",
            ),
            Self::Unwritable
            | Self::Missing
            | Self::Expired
            | Self::Revoked
            | Self::BindingRequired
            | Self::StepUpRequired
            | Self::Csrf
            | Self::CaseGrantRequired
            | Self::Limit
            | Self::Unknown
            | Self::StoreDown => (
                StatusCode::BAD_REQUEST,
                "ambiguous-request",
                "The request is ambiguous",
                "a placeholder stands where what it stands for cannot be written",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::judge::DpopRefusal;

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
            let face = SessionProblem::from(refusal).face();
            assert_eq!((face.slug, face.status.as_u16()), (slug, status));
        }
    }
}
