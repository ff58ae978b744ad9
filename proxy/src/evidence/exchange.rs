//! The records of one exchange: at most an intent, and exactly one that says how it ended.

use http::Method;
use postern_audit::{AuditEntry, Receipt};
use postern_config::routes::AuditMode;
use postern_filters::ExchangePlan;

use super::event::{ExchangeEvent, Phase, Surroundings};
use super::{Class, Event, Evidence, Written};
use crate::identity::PeerFacts;
use crate::respond::Problem;

/// What of an exchange is on record.
#[derive(Debug)]
pub(crate) struct ExchangeRecord {
    evidence: Evidence,
    around: Surroundings,
    class: Class,
    /// Nobody waits for its only record.
    batched: bool,
    announced: bool,
    intent: Option<Written>,
    ended: bool,
}

impl ExchangeRecord {
    /// An exchange has begun.
    pub(crate) fn begin(evidence: Evidence) -> Self {
        evidence.exchange_began();
        Self {
            evidence,
            around: Surroundings::default(),
            class: Class::Call,
            batched: false,
            announced: false,
            intent: None,
            ended: false,
        }
    }

    /// Who is connected.
    pub(crate) fn note_peer(&mut self, peer: &PeerFacts) {
        let address = peer.address.filter(|_| self.evidence.is_on());
        self.around.address = address.map(|address| address.ip().to_string());
    }

    /// Whose tenant it is.
    pub(crate) fn note_tenant(&mut self, tenant: Option<&str>) {
        self.around.tenant = tenant.map(str::to_owned);
    }

    /// The request is not sound.
    pub(crate) fn note_malformed(&mut self) {
        self.class = Class::Malformed;
    }

    /// It may happen: puts the intent on record. A read whose route says `audit: batch` has none.
    pub(crate) fn announce(&mut self, plan: &ExchangePlan, method: &Method, entry: &AuditEntry) {
        let tenant = self.around.tenant.as_deref();
        self.around.case_hash = plan
            .case()
            .and_then(|case| self.evidence.hash(tenant, case));
        let read = matches!(*method, Method::GET | Method::HEAD);
        self.batched = read && plan.audit() == AuditMode::Batch && !self.evidence.must_wait();
        if !self.batched {
            self.intent = Some(self.record(Phase::Intent, entry));
            self.announced = true;
        }
    }

    /// Waits until the intent is durable.
    ///
    /// # Errors
    /// It is not on record: the exchange must not go on.
    pub(crate) async fn announced(&mut self) -> Result<(), Problem> {
        match self.intent.take() {
            Some(written) => written.durable().await.map(drop),
            None => Ok(()),
        }
    }

    /// Puts on record how it ends, and waits until that is durable.
    ///
    /// # Errors
    /// It is not on record: what is left of the answer must not leave.
    pub(crate) async fn end(&mut self, entry: &AuditEntry) -> Result<Option<Receipt>, Problem> {
        self.announced().await?;
        if self.ended {
            return Ok(None);
        }
        let written = self.record_end(entry);
        match self.batched {
            true => Ok(None),
            false => written.durable().await,
        }
    }

    /// It is over, however it came to that: what is not on record yet is recorded without waiting.
    pub(crate) fn over(&mut self, entry: &AuditEntry) {
        if !self.ended {
            drop(self.record_end(entry));
        }
        self.evidence.exchange_ended(self.class);
    }

    fn record_end(&mut self, entry: &AuditEntry) -> Written {
        self.ended = true;
        match self.announced {
            true => self.record(Phase::Outcome, entry),
            false => self.record(Phase::Only, entry),
        }
    }

    fn record(&self, phase: Phase, entry: &AuditEntry) -> Written {
        self.evidence.record(&Event::Exchange(ExchangeEvent {
            class: self.class,
            phase,
            entry,
            around: &self.around,
        }))
    }
}
