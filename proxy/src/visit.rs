//! A session and one exchange: the session is found by its handle before anything is decided, the request gets
//! the application's cookies and tokens back, and what the answer brings of them stays here.
//!
//! ```text
//! handle ─▶ vault ─▶ who asks ─▶ decide ─▶ request: cookies, tokens in ─▶ upstream
//!                                                                            │
//! client ◀─ body: tokens out ◀─ head: handle in, cookies out ◀─ jar kept ◀───┘
//! ```
//!
//! Guarantees: no cookie of the application reaches the client but those that the policy lets pass; before
//! a placeholder leaves it is durable what it stands for; a login always gives a new handle, and the one before
//! it is worth nothing then.

mod answer;
mod begin;
mod device;
mod guard;
mod jar_state;
mod known_secrets;
mod login;
mod mine;
mod navigation;
mod passing;
mod request;
mod terms;
mod tripwire;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use postern_filters::{CompiledPolicy, Identity, SessionLine};
use tokio::sync::Notify;

use crate::identity::{Credential, Recognised};
use crate::respond::{Problem, SessionProblem};
use crate::session::context::Context;
use crate::session::{Client, Handle, Holder, OpenSession, Runs, SessionKeeper, Vault};
use guard::Judged;
use jar_state::{JarState, Place};
use tripwire::Brought;

pub(crate) use answer::is_plain;
pub(crate) use begin::{Arrival, Arriving};
pub(crate) use device::{DevicePath, answer_device};
pub(crate) use login::Settling;
pub(crate) use navigation::told;
pub(crate) use terms::SessionTerms;

/// Who vouches for people whom the application's own login names.
const ISSUER: &str = "session";

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Visit {
    terms: Arc<SessionTerms>,
    keeper: Arc<SessionKeeper>,
    vault: Arc<Vault>,
    /// What the request is for, if it belongs to no route.
    line: Option<SessionLine>,
    place: Place,
    /// The request's target, as it came.
    target: String,
    compiled: Arc<CompiledPolicy>,
    /// Whether its method asks for nothing to be done (RFC 9110 section 9.2.1).
    is_safe: bool,
    /// When the exchange began, in milliseconds since 1970.
    began_ms: u64,
    client: Client,
    /// Where the request comes from.
    context: Context,
    judged: Mutex<Option<Judged>>,
    /// Whose a session would be that begins now.
    holder: Mutex<Holder>,
    open: Mutex<Option<OpenSession>>,
    jar: Arc<Mutex<JarState>>,
    /// What it brought that could be a token of the application: no secret from whoever sent it.
    brought: Mutex<Brought>,
    /// What of that belongs to a vault.
    tripped: Mutex<Brought>,
    told: Mutex<Told>,
    /// Told when the session ends while the exchange runs.
    cut: Arc<Notify>,
    runs: Mutex<Option<Runs>>,
}

/// What the client is told with the answer's head.
#[derive(Debug, Default)]
struct Told {
    /// Its handle from now on.
    handle: Option<Handle>,
    /// That its session can be bound to its device (`Secure-Session-Registration`).
    registration: Option<String>,
    /// The decoy that goes with its handle.
    decoy: Option<String>,
    /// That it has none any more.
    forget: bool,
}

impl Visit {
    /// Who asks, where the session says so.
    ///
    /// # Errors
    /// Nobody has logged in, and the request is for somebody.
    pub(crate) fn recognised(&self) -> Result<Recognised, Problem> {
        let open = lock(&self.open);
        let record = open.as_ref().map(OpenSession::record);
        match record.filter(|record| record.holder.is_somebody()) {
            Some(record) => Ok(Recognised {
                identity: Identity {
                    issuer: record.holder.issuer.clone(),
                    subject: record.holder.subject.clone(),
                    tenant: record.holder.tenant.clone(),
                    groups: self.roles_of(&record.holder),
                },
                credential: Some(Credential::of_session(&record.sid, record.authenticated())),
            }),
            None if self.line == Some(SessionLine::Login) => Ok(Recognised::default()),
            None => Err(SessionProblem::Missing.into()),
        }
    }

    /// Who asks, where something else says so: a session of somebody else is none of theirs.
    pub(crate) fn belongs_to(&self, identity: &Identity) {
        let holder = Holder {
            issuer: identity.issuer.clone(),
            subject: identity.subject.clone(),
            tenant: identity.tenant.clone(),
            roles: identity.groups.clone(),
        };
        let mut open = lock(&self.open);
        let is_theirs = |session: &OpenSession| session.record().holder.is_same_person(&holder);
        if !open.as_ref().is_none_or(is_theirs) {
            *open = None;
            lock(&self.jar).clear();
            lock(&self.told).forget = true;
        }
        *lock(&self.holder) = holder;
    }

    /// The roles of a session's holder: what the policy in force gives to that name, so that who is taken a role has
    /// it no longer; where the application said them at the login, those.
    fn roles_of(&self, holder: &Holder) -> Vec<String> {
        let login = self.terms.login.as_ref();
        let given = login.and_then(|login| login.roles_by_name(&holder.subject));
        given.unwrap_or_else(|| holder.roles.clone())
    }

    /// Whether the session says who asks.
    pub(crate) fn names_people(&self) -> bool {
        self.terms.login.is_some()
    }

    /// Whether the request is one that ends its session.
    pub(crate) fn is_logout(&self) -> bool {
        self.line == Some(SessionLine::Logout)
    }

    fn take_open(&self) -> Option<OpenSession> {
        lock(&self.open).take()
    }

    /// Puts back a session that was changed. Others may have changed it at the same time: what they put in its
    /// jar belongs to this revision as well, and must not leave with this answer or, remembered by the revision,
    /// with later ones.
    fn put_back(&self, session: OpenSession) {
        lock(&self.jar).renew(session.jar(), &self.place);
        self.put_open(session);
    }

    /// The exchange runs in this session from now on.
    fn put_open(&self, session: OpenSession) {
        let running = self.keeper.running();
        let enter = || Some(running.enter(&session.record().sid, &self.cut));
        let mut runs = lock(&self.runs);
        if !runs
            .as_ref()
            .is_some_and(|runs| runs.is_in(&session.record().sid))
        {
            *runs = enter();
        }
        *lock(&self.open) = Some(session);
    }
}

/// What is behind these locks is replaced whole: a panic elsewhere leaves it sound.
fn lock<T>(behind: &Mutex<T>) -> MutexGuard<'_, T> {
    behind.lock().unwrap_or_else(PoisonError::into_inner)
}
