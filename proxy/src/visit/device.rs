//! The two paths at which a browser proves its device (Device Bound Session Credentials).

use http::Method;
use postern_config::sessions::RuleAction;
use postern_filters::DenyReason;
use ring::rand::{SecureRandom as _, SystemRandom};

use super::Arriving;
use super::mine::unrevoked;
use crate::respond::{Problem, SessionProblem};
use crate::session::client_cookies::Carried;
use crate::session::dbsc::{Fresh, REFRESH_PATH, REGISTER_PATH};
use crate::session::registration::{self, Answered, DeviceRequest};
use crate::session::{Answer, NoSession, Revoker};

/// One of the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum DevicePath {
    /// A key is bound.
    Register,
    /// It is proved again.
    Refresh,
}

impl DevicePath {
    /// Which of them a path is.
    pub(crate) fn of(path: &str) -> Option<Self> {
        match path {
            REGISTER_PATH => Some(Self::Register),
            REFRESH_PATH => Some(Self::Refresh),
            _ => None,
        }
    }
}

/// Answers a browser at one of the paths.
///
/// # Errors
/// It is no `POST`, or nobody can tell.
pub(crate) async fn answer_device(
    path: DevicePath,
    arriving: Arriving<'_>,
) -> Result<Answer, Problem> {
    if arriving.request.method != Method::POST {
        let allow = vec![Method::POST.to_string()];
        return Err(Problem::Denied(DenyReason::MethodNotAllowed { allow }));
    }
    let opened = arriving.keeper.open(&arriving.terms.sessions).await;
    let vault = opened.map_err(|error| {
        tracing::error!(%error, "sessions cannot be kept");
        Problem::from(SessionProblem::StoreDown)
    })?;
    let shown = arriving.shown();
    let handle = match &shown.handle {
        Carried::Once(handle) => handle.clone(),
        Carried::Absent | Carried::Unsound => {
            return Ok(registration::without_session(NoSession::Missing));
        }
    };
    let session = match vault.open(&handle).await {
        Ok(session) => session,
        Err(none) => return Ok(registration::without_session(none)),
    };
    let request = DeviceRequest {
        headers: &arriving.request.headers,
        shown: &shown,
        origin: &arriving.keeper.origin_of(&arriving.request.authority),
        fresh: fresh()?,
        now: vault.now(),
    };
    let sessions = &arriving.terms.sessions;
    let mut answered: Option<Answered> = None;
    let changing = vault.change(session, |record, _jar| {
        answered = Some(match path {
            DevicePath::Register => registration::register(sessions, record, &request),
            DevicePath::Refresh => registration::refresh(sessions, record, &request),
        });
    });
    let session = match changing.await {
        Ok(session) => session,
        Err(error) => return Ok(registration::not_written(error)),
    };
    let Some(Answered { answer, finding }) = answered else {
        return Err(SessionProblem::StoreDown.into());
    };
    if let Some(finding) = finding {
        let record = session.record();
        let of = (record.sid.as_str(), &record.holder);
        arriving.keeper.found(finding, Some(of));
        if finding.action == RuleAction::Revoke {
            let by = Revoker::Rule(finding.rule);
            let revoked = arriving.keeper.revoke(vault, record, by).await;
            revoked.map(drop).map_err(|error| unrevoked(&error))?;
        }
    }
    Ok(answer)
}

/// Random bytes for one step.
pub(super) fn fresh() -> Result<Fresh, Problem> {
    let mut fresh = Fresh {
        value: [0; 32],
        challenge: [0; 32],
    };
    let random = SystemRandom::new();
    let filled = random
        .fill(&mut fresh.value)
        .and_then(|()| random.fill(&mut fresh.challenge));
    filled.map_err(|_none| SessionProblem::StoreDown)?;
    Ok(fresh)
}
