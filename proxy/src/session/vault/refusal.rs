//! Why there is no session, and why one was not begun or changed.

use crate::session::sealed::CannotSeal;
use crate::session::store::StoreError;

/// Why there is no session. The client is told no more than this.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoSession {
    /// No session has this handle.
    #[error("there is no such session")]
    Missing,
    /// It has ended by itself.
    #[error("the session has expired")]
    Expired,
    /// It was ended.
    #[error("the session was ended")]
    Revoked,
    /// Somebody changed the store: what is there was not written by us, or not for this handle.
    #[error("the session store was tampered with")]
    Forged,
    /// Nobody knows.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a session was not begun or changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum VaultError {
    /// The person has as many as the policy allows.
    #[error("the person has as many sessions as allowed")]
    Full,
    /// It is gone, or cannot be read.
    #[error(transparent)]
    NoSession(#[from] NoSession),
    /// Others changed it each time.
    #[error("the session is changed by too many at once")]
    Contended,
    /// Nothing can be sealed: the system gives no random bytes.
    #[error("nothing can be sealed")]
    CannotSeal,
}

impl From<StoreError> for VaultError {
    fn from(error: StoreError) -> Self {
        Self::NoSession(NoSession::Store(error))
    }
}

impl From<CannotSeal> for VaultError {
    fn from(_error: CannotSeal) -> Self {
        Self::CannotSeal
    }
}
