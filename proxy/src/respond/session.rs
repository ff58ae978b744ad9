//! Refusals that are about a session.

use http::StatusCode;
use http::header::{RETRY_AFTER, SET_COOKIE, WWW_AUTHENTICATE};
use pingora::http::ResponseHeader;

use super::Problem;
use super::faces::{Face, face};
use crate::session::client_cookies::forgetting_fields;

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
    /// The person has as many as allowed.
    Limit,
    /// A token cannot be written where its placeholder stands.
    Unwritable,
    /// What somebody attaches is a recording that cannot be read, so nobody can take credentials out of it.
    UnreadableRecording,
    /// Nobody can tell.
    StoreDown,
}

impl From<SessionProblem> for Problem {
    fn from(problem: SessionProblem) -> Self {
        Self::Session(problem)
    }
}

impl SessionProblem {
    pub(super) fn face(self) -> Face {
        match self {
            Self::Missing => face(
                StatusCode::UNAUTHORIZED,
                "session-missing",
                "There is no session",
                "log in first",
            ),
            Self::Expired => face(
                StatusCode::UNAUTHORIZED,
                "session-expired",
                "The session has expired",
                "log in again",
            ),
            Self::Revoked => face(
                StatusCode::UNAUTHORIZED,
                "session-revoked",
                "The session was ended",
                "log in again",
            ),
            Self::Limit => face(
                StatusCode::CONFLICT,
                "session-limit",
                "There are too many sessions",
                "log out elsewhere; the limit is `sessions.max_sessions`",
            ),
            Self::Unwritable => face(
                StatusCode::BAD_REQUEST,
                "ambiguous-request",
                "The request is ambiguous",
                "a placeholder stands where what it stands for cannot be written",
            ),
            Self::UnreadableRecording => face(
                StatusCode::UNPROCESSABLE_ENTITY,
                "unreadable-recording",
                "The attachment cannot be read",
                "it is a recording of a browser (HAR) that is damaged or too large; record less, and attach that",
            ),
            Self::StoreDown => face(
                StatusCode::SERVICE_UNAVAILABLE,
                "store-unavailable",
                "Nobody can tell now which sessions hold",
                "the store of the sessions does not answer; try again in a moment",
            ),
        }
    }

    /// The same for a person who is sent to the login.
    pub(super) fn redirecting_face(self) -> Face {
        Face {
            status: StatusCode::SEE_OTHER,
            ..self.face()
        }
    }

    /// The header fields that belong to it.
    pub(super) fn add_fields(self, head: &mut ResponseHeader) -> pingora::Result<()> {
        match self {
            Self::Missing => head.insert_header(WWW_AUTHENTICATE, "DPoP algs=\"ES256 EdDSA\""),
            Self::Expired | Self::Revoked => {
                for field in forgetting_fields() {
                    head.append_header(SET_COOKIE, field)?;
                }
                head.insert_header("Clear-Site-Data", "\"cookies\", \"storage\", \"cache\"")?;
                head.insert_header(
                    WWW_AUTHENTICATE,
                    "DPoP error=\"invalid_token\", algs=\"ES256 EdDSA\"",
                )
            }
            Self::StoreDown => head.insert_header(RETRY_AFTER, "1"),
            Self::Limit | Self::Unwritable | Self::UnreadableRecording => Ok(()),
        }
    }
}
