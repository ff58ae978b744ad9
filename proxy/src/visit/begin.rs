//! The beginning of a visit: the session is found by what the client holds.

use std::sync::{Arc, Mutex};

use http::HeaderMap;
use http::header::{AUTHORIZATION, USER_AGENT};
use postern_filters::SessionLine;
use tokio::sync::Notify;

use super::jar_state::{JarState, Place};
use super::{SessionTerms, Told, Visit, lock};
use crate::hygiene::CleanRequest;
use crate::respond::{Problem, SessionProblem};
use crate::session::client_cookies::{Carried, ClientCookies};
use crate::session::{Client, Handle, NoSession, SessionKeeper, VaultError};

/// What a visit begins with.
pub(crate) struct Arriving<'a> {
    /// What the policy says about sessions.
    pub terms: &'a Arc<SessionTerms>,
    /// Where they are.
    pub keeper: &'a Arc<SessionKeeper>,
    /// The request.
    pub request: &'a CleanRequest,
    /// What the request is for, if it belongs to no route.
    pub line: Option<SessionLine>,
    /// The upstream's host.
    pub host: &'a str,
    /// Told when the session ends while the exchange runs.
    pub cut: &'a Arc<Notify>,
}

impl Visit {
    /// Finds the session of a request. One that has none gets as far as a login.
    ///
    /// # Errors
    /// What the client holds is no session any more, or nobody can tell.
    pub(crate) async fn begin(arriving: Arriving<'_>) -> Result<Self, Problem> {
        let Arriving {
            terms,
            keeper,
            request,
            line,
            host,
            cut,
        } = arriving;
        let vault = keeper.open(&terms.sessions).await.map_err(|error| {
            tracing::error!(%error, "sessions cannot be kept");
            Problem::from(SessionProblem::StoreDown)
        })?;
        let visit = Self {
            began_ms: vault.now(),
            vault: Arc::clone(vault),
            terms: Arc::clone(terms),
            keeper: Arc::clone(keeper),
            line,
            place: Place {
                host: host.to_ascii_lowercase(),
                path: request.path.clone(),
            },
            client: client_of(&request.headers),
            holder: Mutex::default(),
            open: Mutex::default(),
            jar: Arc::default(),
            told: Mutex::new(Told::default()),
            cut: Arc::clone(cut),
            runs: Mutex::default(),
        };
        match held(&request.headers) {
            Carried::Absent => {}
            Carried::Once(handle) => visit.open(&handle).await?,
            Carried::Unsound => visit.without(SessionProblem::Missing)?,
        }
        Ok(visit)
    }

    async fn open(&self, handle: &Handle) -> Result<(), Problem> {
        let session = match self.vault.open(handle).await {
            Ok(session) => session,
            Err(none) => return self.without(problem_of(none)),
        };
        let Ok(jar) = JarState::read(session.jar()) else {
            tracing::error!("a session's jar cannot be read");
            return self.without(SessionProblem::Missing);
        };
        *lock(&self.jar) = jar;
        self.put_open(session);
        Ok(())
    }

    /// What the client holds is no session: it is told to forget it, and gets as far as a login.
    fn without(&self, problem: SessionProblem) -> Result<(), Problem> {
        lock(&self.told).forget = true;
        match (self.line, problem) {
            (_, SessionProblem::StoreDown) => Err(problem.into()),
            (Some(SessionLine::Login), _) => Ok(()),
            (Some(SessionLine::Logout) | None, _) => Err(problem.into()),
        }
    }
}

/// The handle that a request brings: in our cookie, or as a token of its own (RFC 9449 section 7.1). One
/// in both places means nothing.
fn held(headers: &HeaderMap) -> Carried<Handle> {
    let cookie = ClientCookies::read(headers).handle;
    let mut fields = headers.get_all(AUTHORIZATION).iter();
    let (first, second) = (fields.next(), fields.next());
    let token = first.filter(|_| second.is_none()).and_then(|value| {
        let (_scheme, token) = value.to_str().ok()?.split_once(' ')?;
        Handle::parse(token.trim().as_bytes())
    });
    match (cookie, token) {
        (cookie, None) => cookie,
        (Carried::Absent, Some(handle)) => Carried::Once(handle),
        (Carried::Once(_) | Carried::Unsound, Some(_)) => Carried::Unsound,
    }
}

/// A browser says so, and says where its requests come from.
fn client_of(headers: &HeaderMap) -> Client {
    let agent = headers.get(USER_AGENT).map(http::HeaderValue::as_bytes);
    let names_browser = agent.is_some_and(|agent| agent.starts_with(b"Mozilla/"));
    match names_browser || headers.contains_key("sec-fetch-site") {
        true => Client::Browser,
        false => Client::Api,
    }
}

/// What the client is told when there is no session.
pub(super) fn problem_of(none: NoSession) -> SessionProblem {
    match none {
        NoSession::Missing => SessionProblem::Missing,
        NoSession::Expired => SessionProblem::Expired,
        NoSession::Revoked => SessionProblem::Revoked,
        NoSession::Forged => {
            tracing::error!(target: "postern::finding", rule = "session-store-forged", "the session store was tampered with");
            SessionProblem::Missing
        }
        NoSession::Store(error) => {
            tracing::error!(%error, "sessions cannot be read");
            SessionProblem::StoreDown
        }
    }
}

/// What the client is told when its session was not begun or changed.
pub(super) fn problem_of_vault(error: VaultError) -> SessionProblem {
    match error {
        VaultError::Full => SessionProblem::Limit,
        VaultError::NoSession(none) => problem_of(none),
        VaultError::Contended | VaultError::CannotSeal => {
            tracing::error!(%error, "a session cannot be changed");
            SessionProblem::StoreDown
        }
    }
}
