//! How sessions begin and end: counted, on record, and with what runs in them cut.
//!
//! A session that its holder or the application ends is on record beside that exchange. When somebody else
//! decides, or a rule, that is on record before it is done. Sessions of nobody, from before a login, are
//! counted only.

use std::sync::Arc;

use postern_config::sessions::RuleId;

use super::SessionKeeper;
use crate::evidence::{Act, Event};
use crate::session::record::{Holder, Record};
use crate::session::running::RunningExchanges;
use crate::session::vault::{Ended, Vault, VaultError};

/// The reason of a session that made room for another.
const EVICTED: &str = "evicted";

/// Who decides that a session ends before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Revoker {
    /// Somebody with the admin token.
    Admin,
    /// Whoever holds it, or another session of the same person.
    Person,
    /// A rule of hijack detection.
    Rule(RuleId),
}

impl Revoker {
    /// The word for it in records and metrics.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Admin => "admin",
            Self::Person => "person",
            Self::Rule(rule) => rule.word(),
        }
    }
}

/// Why a session was not revoked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RevokeError {
    /// It cannot be put on record, so it is not done.
    #[error("the audit log takes no entries, so the session was not ended")]
    Unrecorded,
    /// It cannot be ended.
    #[error(transparent)]
    Vault(#[from] VaultError),
}

impl SessionKeeper {
    /// What runs in sessions.
    pub(crate) const fn running(&self) -> &Arc<RunningExchanges> {
        &self.running
    }

    /// A session has begun.
    pub(crate) fn began(&self, record: &Record) {
        self.metrics.sessions().began(record.client);
        let (sid, who) = (record.sid.as_str(), &record.holder);
        self.note(who, Act::SessionBegan { sid, who });
    }

    /// Sessions of a person have ended in the store, because another one began.
    pub(crate) fn evicted(&self, sids: &[String], who: &Holder) {
        for sid in sids {
            self.over(sid, who, EVICTED);
        }
    }

    /// Ends a session, and what runs in it here; replicas follow. `reason` is a fixed word. Says whether
    /// it was there.
    ///
    /// # Errors
    /// See [`VaultError`].
    pub(crate) async fn end(
        &self,
        vault: &Vault,
        sid: &str,
        reason: &str,
    ) -> Result<bool, VaultError> {
        match vault.revoke(sid, reason).await? {
            None => Ok(false),
            Some(Ended::Now(record)) => {
                self.over(sid, &record.holder, reason);
                Ok(true)
            }
            Some(Ended::Before) => {
                // Another replica may have ended it a moment ago.
                self.metrics.sessions().cut(self.running.end(sid));
                Ok(true)
            }
        }
    }

    /// Ends a session because somebody or a rule decided so: that is on record first. Says whether it was
    /// there.
    ///
    /// # Errors
    /// See [`RevokeError`].
    pub(crate) async fn revoke(
        &self,
        vault: &Vault,
        record: &Record,
        by: Revoker,
    ) -> Result<bool, RevokeError> {
        self.announce(record, by).await?;
        Ok(self.end(vault, &record.sid, by.word()).await?)
    }

    /// Puts on record that a session is about to be ended, and waits for that.
    ///
    /// # Errors
    /// It is not on record, so it must not be done.
    pub(crate) async fn announce(&self, record: &Record, by: Revoker) -> Result<(), RevokeError> {
        let act = Act::SessionRevoked {
            sid: &record.sid,
            who: &record.holder,
            by: by.word(),
        };
        let written = self.evidence.record(&Event::Act(act));
        let durable = written.durable().await;
        durable
            .map(drop)
            .map_err(|_problem| RevokeError::Unrecorded)
    }

    fn over(&self, sid: &str, who: &Holder, reason: &str) {
        let sessions = self.metrics.sessions();
        sessions.ended(reason);
        sessions.cut(self.running.end(sid));
        self.note(who, Act::SessionEnded { sid, who, reason });
    }

    fn note(&self, who: &Holder, act: Act<'_>) {
        if who.is_somebody() {
            // Whatever brought it about is on record itself, and waits for that.
            drop(self.evidence.record(&Event::Act(act)));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;
    use postern_config::Sessions;
    use prometheus::TextEncoder;
    use tokio::sync::Notify;

    use super::*;
    use crate::clock::{Clock, SystemClock};
    use crate::evidence::Evidence;
    use crate::metrics::Metrics;
    use crate::quota::StoreAddress;
    use crate::session::judge::Finding;
    use crate::session::{Binding, Client, Jar, ServerKeys, SessionPlace, Start};

    fn keeper(folder: &tempfile::TempDir) -> (SessionKeeper, Arc<Metrics>) {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let metrics = Arc::new(Metrics::new().unwrap());
        let place = SessionPlace {
            origins: Vec::new(),
            store: StoreAddress::Embedded(folder.path().join("sessions.redb")),
            keys: Ok(ServerKeys::new([7; 32])),
        };
        let evidence = Evidence::off(Arc::clone(&clock));
        let keeper = SessionKeeper::new(place, clock, Arc::clone(&metrics), evidence);
        (keeper, metrics)
    }

    fn start() -> Start {
        Start {
            holder: Holder {
                subject: "ann".to_owned(),
                ..Holder::default()
            },
            client: Client::Api,
            binding: Binding::default(),
            fingerprints: Vec::new(),
            follows: None,
            jar: Jar::default(),
            limit: None,
        }
    }

    #[tokio::test]
    async fn an_end_is_counted_once_and_cuts_what_runs() {
        let folder = tempfile::tempdir().unwrap();
        let (keeper, metrics) = keeper(&folder);
        let vault = keeper.open(&Sessions::default()).await.unwrap();
        let (session, _) = vault.begin(start()).await.unwrap();
        let record = session.record();
        keeper.began(record);
        let cut = Arc::new(Notify::new());
        let _runs = keeper.running().enter(&record.sid, &cut);
        let finding = Finding::new(&Sessions::default(), RuleId::H06, "two-places");
        keeper.found(finding, Some((&record.sid, &record.holder)));
        let by = Revoker::Rule(RuleId::H06);
        assert!(keeper.revoke(vault, record, by).await.unwrap());
        let told = cut.notified().now_or_never();
        assert!(told.is_some(), "what runs in it is cut");
        assert!(keeper.revoke(vault, record, Revoker::Admin).await.unwrap());
        assert!(!keeper.end(vault, "no such", "logout").await.unwrap());
        let ended = vault.record(&record.sid).await.unwrap().unwrap();
        assert_eq!(ended.revoked.unwrap().reason, "H06");
        let told = TextEncoder::new()
            .encode_to_string(&metrics.registry().gather())
            .unwrap();
        for line in [
            "postern_findings_total{rule=\"H06\"} 1",
            "postern_sessions_begun_total{client=\"api\"} 1",
            "postern_sessions_ended_total{reason=\"H06\"} 1",
            "postern_sessions_ended_total{reason=\"admin\"} 0",
            "postern_sessions_ended_total{reason=\"logout\"} 0",
            "postern_sessions_cut_total 1",
        ] {
            assert!(told.contains(&format!("\n{line}\n")), "{line}: {told}");
        }
    }
}
