//! The sessions of the person whose exchange it is: seen, and ended, by nobody else.

use std::time::Duration;

use http::HeaderMap;

use super::begin::{problem_of, problem_of_vault};
use super::{Visit, lock};
use crate::respond::{Problem, SessionProblem};
use crate::session::{Client, Holder, Record, RevokeError, Revoker, StoreError};

/// More sessions than these of one person are not looked at.
const MINE_MAX: usize = 1_000;

impl Visit {
    /// The person's sessions that are alive, oldest first.
    ///
    /// # Errors
    /// Nobody can tell.
    pub(crate) async fn mine(&self) -> Result<Vec<Record>, Problem> {
        let (holder, now) = (self.person(), self.vault.now());
        let mut mine = Vec::new();
        for client in [Client::Browser, Client::Api] {
            let found = self.vault.of_person(&holder, client, MINE_MAX).await;
            mine.extend(found.map_err(unknown)?.records);
        }
        mine.retain(|record| record.is_alive(now));
        mine.sort_unstable_by(|one, other| one.sid.cmp(&other.sid));
        Ok(mine)
    }

    /// Whether the exchange runs in this session.
    pub(crate) fn is_in(&self, sid: &str) -> bool {
        let open = lock(&self.open);
        open.as_ref().is_some_and(|open| open.record().sid == sid)
    }

    /// Ends one of the person's sessions; that it was decided is on record first.
    ///
    /// # Errors
    /// It is not theirs or not alive, cannot be put on record, or cannot be ended.
    pub(crate) async fn end_mine(&self, sid: &str) -> Result<(), Problem> {
        let record = self.vault.record(sid).await;
        let record = record.map_err(|none| Problem::from(problem_of(none)))?;
        let (person, now) = (self.person(), self.vault.now());
        // SECURITY: one of somebody else answers as one that never was.
        let theirs = record.filter(|record| {
            person.is_somebody() && record.holder.is_same_person(&person) && record.is_alive(now)
        });
        let record = theirs.ok_or(SessionProblem::Unknown)?;
        if self.is_in(sid) {
            let announced = self.keeper.announce(&record, Revoker::Person).await;
            announced.map_err(|error| unrevoked(&error))?;
            return self.end_own(Revoker::Person.word()).await;
        }
        let revoked = self.keeper.revoke(&self.vault, &record, Revoker::Person);
        revoked.await.map(drop).map_err(|error| unrevoked(&error))
    }

    /// Ends all of the person's sessions but the one that the exchange runs in.
    ///
    /// # Errors
    /// One cannot be put on record, or cannot be ended; those before it are.
    pub(crate) async fn end_others(&self) -> Result<(), Problem> {
        let mine = self.mine().await?;
        for record in mine.iter().filter(|record| !self.is_in(&record.sid)) {
            let revoked = self.keeper.revoke(&self.vault, record, Revoker::Person);
            revoked.await.map_err(|error| unrevoked(&error))?;
        }
        Ok(())
    }

    /// How old a login may be for what needs a fresh one.
    pub(crate) fn step_up_for(&self) -> Duration {
        self.terms.sessions.step_up_for
    }

    /// Where people log in; none when something else says who asks, or no plain page does.
    pub(crate) fn login_page(&self) -> Option<&str> {
        let login = self.terms.login.as_ref()?;
        login.page.as_deref()
    }

    /// The fields that our own answer has for the client: what it is to forget.
    pub(crate) fn own_fields(&self) -> HeaderMap {
        let mut fields = HeaderMap::new();
        self.add_own(&mut fields);
        fields
    }

    /// Who was recognised, by the session or by something else.
    fn person(&self) -> Holder {
        let open = lock(&self.open);
        match open.as_ref().filter(|_| self.names_people()) {
            Some(open) => open.record().holder.clone(),
            None => lock(&self.holder).clone(),
        }
    }
}

fn unknown(error: StoreError) -> Problem {
    Problem::from(problem_of(error.into()))
}

/// What the client is told when a session was not ended.
pub(super) fn unrevoked(error: &RevokeError) -> Problem {
    match error {
        RevokeError::Unrecorded => Problem::AuditUnavailable,
        RevokeError::Vault(error) => problem_of_vault(*error).into(),
    }
}
