//! The beginning of a visit: the session is found by what the client holds, and it is judged whether its holder
//! asks.

use std::sync::{Arc, Mutex};

use http::HeaderMap;
use http::header::USER_AGENT;
use postern_config::sessions::{RuleAction, RuleId};
use postern_filters::{CompiledPolicy, SessionLine};
use tokio::sync::Notify;

use super::jar_state::{JarState, Part, Place};
use super::terms::LoginTerms;
use super::{SessionTerms, Told, Visit, lock};
use crate::hygiene::CleanRequest;
use crate::identity::PeerFacts;
use crate::respond::{Problem, SessionProblem};
use crate::session::browser_fields::SEC_FETCH_SITE;
use crate::session::client_cookies::Carried;
use crate::session::judge::{self, Asked, DpopRequest, Finding, Sender, Shown};
use crate::session::{Answer, Client, Handle, NoSession, OpenSession, SessionKeeper, VaultError};

/// What a visit begins with.
pub(crate) struct Arriving<'a> {
    /// The policy.
    pub compiled: &'a Arc<CompiledPolicy>,
    /// What it says about sessions.
    pub terms: &'a Arc<SessionTerms>,
    /// Where they are.
    pub keeper: &'a Arc<SessionKeeper>,
    /// The request.
    pub request: &'a CleanRequest,
    /// The client.
    pub peer: &'a PeerFacts,
    /// What the request is for, if it belongs to no route.
    pub line: Option<SessionLine>,
    /// The upstream's host.
    pub host: &'a str,
    /// Told when the session ends while the exchange runs.
    pub cut: &'a Arc<Notify>,
}

/// What becomes of a request.
pub(crate) enum Arrival {
    /// It goes on.
    Visit(Box<Visit>),
    /// It is answered with a page of ours.
    Page(Answer),
}

impl Arriving<'_> {
    /// Whether sessions say who asks.
    pub(crate) fn names_people(&self) -> bool {
        self.terms.login.is_some()
    }

    /// What the request shows of who sends it.
    pub(super) fn shown(&self) -> Shown {
        let request = self.request;
        let decoys = self.keeper.decoys(&self.terms.sessions);
        let asked = Asked {
            method: &request.method,
            path: &request.path,
            address: self.peer.address.map(|address| address.ip()),
            certificate: self.peer.certificate.as_deref(),
            origins: self.keeper.origins(),
            decoys: decoys.as_ref(),
        };
        Shown::of(&request.headers, &asked)
    }
}

impl Visit {
    /// Finds the session of a request. One that has none gets as far as a login.
    ///
    /// # Errors
    /// What the client holds is no session any more, or not shown by its holder; or nobody can tell.
    pub(crate) async fn begin(arriving: Arriving<'_>) -> Result<Arrival, Problem> {
        let keeper = arriving.keeper;
        let opened = keeper.open(&arriving.terms.sessions).await;
        let vault = opened.map_err(|error| {
            tracing::error!(%error, "sessions cannot be kept");
            Problem::from(SessionProblem::StoreDown)
        })?;
        let shown = arriving.shown();
        // To a login as well: whoever is sent there by another site would lose the session that they have.
        if arriving.line != Some(SessionLine::Logout) && judge::is_deep_link(&shown) {
            return Ok(Arrival::Page(judge::interstitial()));
        }
        forbid_login_for_others(&arriving, &shown)?;
        let request = arriving.request;
        let visit = Self {
            began_ms: vault.now(),
            vault: Arc::clone(vault),
            compiled: Arc::clone(arriving.compiled),
            terms: Arc::clone(arriving.terms),
            keeper: Arc::clone(keeper),
            line: arriving.line,
            place: Place {
                host: arriving.host.to_ascii_lowercase(),
                path: request.path.clone(),
            },
            target: match &request.query {
                Some(query) => format!("{}?{query}", request.path),
                None => request.path.clone(),
            },
            is_safe: request.method.is_safe(),
            client: client_of(&request.headers),
            context: shown.context.clone(),
            judged: Mutex::default(),
            holder: Mutex::default(),
            open: Mutex::default(),
            jar: Arc::default(),
            brought: Mutex::default(),
            tripped: Mutex::default(),
            told: Mutex::new(Told::default()),
            cut: Arc::clone(arriving.cut),
            runs: Mutex::default(),
        };
        visit.enter(shown, request).await?;
        Ok(Arrival::Visit(Box::new(visit)))
    }

    async fn enter(&self, shown: Shown, request: &CleanRequest) -> Result<(), Problem> {
        if let Some((sid, finding)) = judge::lone_decoy(&self.terms.sessions, &shown) {
            self.betray(&sid, finding).await?;
        }
        let tripped = self.watch(&request.headers).await?;
        let handle = match &shown.handle {
            Carried::Absent => return self.pass(&tripped),
            Carried::Unsound => return self.without(SessionProblem::Missing),
            Carried::Once(handle) => handle.clone(),
        };
        if !self.open(&handle).await? {
            return Ok(());
        }
        self.pass(&tripped)?;
        let shown = self.with_key(shown, &handle, request).await?;
        // Whoever logs in begins anew, and nobody's session has no holder.
        match lock(&self.jar).part() == Part::Anew || !self.is_somebodys() {
            true => Ok(()),
            false => self.judge(shown).await,
        }
    }

    /// Whether the session that is open has a holder.
    pub(super) fn is_somebodys(&self) -> bool {
        lock(&self.open).as_ref().is_some_and(is_somebodys)
    }

    /// Which part of a session's jar the exchange is for. The first page of some applications has the form to log in:
    /// to whoever has logged in it is a page like others, until they must do so again.
    fn part_of(&self, session: &OpenSession) -> Part {
        let is_shown = self.place.path == "/" && self.is_safe;
        let is_front = is_shown && !session.record().binding.must_step_up;
        let logs_in = self.line == Some(SessionLine::Login) && !is_front;
        match logs_in && is_somebodys(session) {
            true => Part::Anew,
            false => Part::Session,
        }
    }

    /// Opens the session; says whether there is one.
    async fn open(&self, handle: &Handle) -> Result<bool, Problem> {
        let session = match self.vault.open(handle).await {
            Ok(session) => session,
            Err(none) => {
                let finding = Finding::ended(&self.terms.sessions, none);
                if let Some(finding) = finding {
                    self.keeper.found(finding, None);
                }
                return self.without(problem_of(none)).map(|()| false);
            }
        };
        let part = self.part_of(&session);
        let Ok(jar) = JarState::read(session.jar(), part) else {
            tracing::error!("a session's jar cannot be read");
            return self.without(SessionProblem::Missing).map(|()| false);
        };
        *lock(&self.jar) = jar;
        self.put_open(session);
        Ok(true)
    }

    /// What the request shows of a key, checked for this session's handle.
    async fn with_key(
        &self,
        shown: Shown,
        handle: &Handle,
        request: &CleanRequest,
    ) -> Result<Shown, Problem> {
        let Some(verifier) = self.keeper.verifier() else {
            return Ok(shown);
        };
        let bound_to = {
            let open = lock(&self.open);
            open.as_ref()
                .and_then(|session| session.record().binding.key.clone())
        };
        let asked = DpopRequest {
            headers: &request.headers,
            method: request.method.as_str(),
            path: &request.path,
            handle,
            bound_to: bound_to.as_deref(),
        };
        let now = self.keeper.clock().wall();
        let proof = judge::shown_dpop(&asked, verifier, self.vault.store(), now).await;
        match proof {
            Ok(proof) => Ok(shown.with_dpop(proof)),
            Err(error) => Err(problem_of(NoSession::Store(error)).into()),
        }
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

/// H13 at a login: a page of another site posts a name and a password, so that whoever looks at it works under that
/// name from then on. Where the application says who has logged in, other sites may have to (SAML, `form_post`).
fn forbid_login_for_others(arriving: &Arriving<'_>, shown: &Shown) -> Result<(), Problem> {
    let login = arriving.terms.login.as_ref();
    let is_typed = login.is_some_and(LoginTerms::is_typed);
    let by_others = matches!(shown.fetch.sender, Sender::OtherSite | Sender::Elsewhere);
    if !(arriving.line == Some(SessionLine::Login) && is_typed && shown.is_unsafe && by_others) {
        return Ok(());
    }
    let finding = Finding::new(
        &arriving.terms.sessions,
        RuleId::H13,
        "login-from-elsewhere",
    );
    arriving.keeper.found(finding, None);
    match finding.action {
        RuleAction::Observe => Ok(()),
        RuleAction::Refuse | RuleAction::StepUp | RuleAction::Downgrade | RuleAction::Revoke => {
            Err(SessionProblem::Csrf.into())
        }
    }
}

pub(super) fn is_somebodys(session: &OpenSession) -> bool {
    session.record().holder.is_somebody()
}

/// A browser says so, and says where its requests come from.
fn client_of(headers: &HeaderMap) -> Client {
    let agent = headers.get(USER_AGENT).map(http::HeaderValue::as_bytes);
    let names_browser = agent.is_some_and(|agent| agent.starts_with(b"Mozilla/"));
    match names_browser || headers.contains_key(SEC_FETCH_SITE) {
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
