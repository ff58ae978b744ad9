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
    /// What the client may be told of its first record.
    receipt: Option<Receipt>,
    end: End,
}

/// Whether its end is on record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// It is not over yet.
    Open,
    /// It is, or is on its way there.
    Recorded,
    /// It leaves no record: see [`Evidence::exchange_struck`].
    Struck,
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
            receipt: None,
            end: End::Open,
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

    /// The intent is not on record: how the exchange ends is its only record, and no outcome of an intent
    /// that nobody finds.
    fn note_unannounced(&mut self) {
        self.announced = false;
    }

    /// Waits until the intent is durable.
    ///
    /// # Errors
    /// It is not on record: the exchange must not go on.
    pub(crate) async fn announced(&mut self) -> Result<(), Problem> {
        match self.intent.take() {
            Some(written) => {
                let durable = written.durable().await;
                match &durable {
                    Ok(receipt) => self.receipt = *receipt,
                    Err(_) => self.note_unannounced(),
                }
                durable.map(drop)
            }
            None => Ok(()),
        }
    }

    /// Puts on record how it ends, and waits until that is durable. An intent that nobody has waited for
    /// stands before the end in the log's queue, so that it is known by then what became of it: its batch may
    /// have been refused although that of the end was not.
    ///
    /// # Errors
    /// One of them is not on record: what is left of the answer must not leave.
    pub(crate) async fn end(&mut self, entry: &AuditEntry) -> Result<Option<Receipt>, Problem> {
        let intent = self.intent.take().map(Written::unless_failed).transpose();
        let intent = intent.inspect_err(|_| self.note_unannounced())?;
        if self.end != End::Open {
            return Ok(None);
        }
        let written = self.record_end(entry);
        if self.batched {
            return Ok(None);
        }
        let receipt = written.durable().await.inspect_err(|_| {
            // What happens instead is still to be recorded, should the log take entries again by then.
            self.end = End::Open;
        })?;
        if let Some(intent) = intent
            && let Err(problem) = intent.durable().await
        {
            // The end that is on record did not happen. That which does is still to be recorded, and alone.
            self.note_unannounced();
            self.end = End::Open;
            return Err(problem);
        }
        self.receipt = self.receipt.or(receipt);
        Ok(receipt)
    }

    /// The value of `Audit-Receipt` for what is durable of the exchange; nothing where nobody gets one.
    pub(crate) fn receipt(&self) -> Option<String> {
        self.evidence.receipt_header(self.receipt.as_ref()?)
    }

    /// Whether answers carry receipts.
    pub(crate) fn gives_receipts(&self) -> bool {
        self.evidence.gives_receipts()
    }

    /// It leaves no record: see [`Evidence::exchange_struck`].
    pub(crate) fn strike(&mut self) {
        self.end = End::Struck;
    }

    /// It is over, however it came to that: what is not on record yet is recorded without waiting.
    pub(crate) fn over(&mut self, entry: &AuditEntry) {
        match self.end {
            End::Open => drop(self.record_end(entry)),
            End::Recorded => {}
            End::Struck => {
                self.evidence.exchange_struck();
                return;
            }
        }
        self.evidence.exchange_ended(self.class);
    }

    fn record_end(&mut self, entry: &AuditEntry) -> Written {
        let intent = self.intent.take().map(Written::unless_failed);
        if intent.is_some_and(|intent| intent.is_err()) {
            self.note_unannounced();
        }
        let written = match self.announced {
            true => self.record(Phase::Outcome, entry),
            false => self.record(Phase::Only, entry),
        };
        // Only now: a panic on the way there leaves it open, and whoever drops the exchange records it.
        self.end = End::Recorded;
        written
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use postern_audit::{LogError, OnDamage};
    use postern_config::Server;
    use tokio::sync::oneshot;

    use super::*;
    use crate::clock::SystemClock;

    const SERVER: &str =
        "listen: \"127.0.0.1:0\"\nupstream: \"http://127.0.0.1:1\"\npolicy: p.yaml\n";

    /// What happens to an exchange whose intent is not taken.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Course {
        /// It waits for the intent.
        Waits,
        /// It breaks off.
        BreaksOff,
        /// It ends, and the intent is refused after the end was queued.
        EndsBefore,
    }

    /// The records of one exchange whose intent is not taken, as the verifier reads them.
    async fn records(course: Course) -> Vec<u8> {
        let folder = tempfile::tempdir().unwrap();
        let audit = Server::parse("postern.yaml", SERVER)
            .unwrap()
            .audit
            .unwrap();
        let clock = Arc::new(SystemClock);
        let state = folder.path().join("state");
        std::fs::create_dir(&state).unwrap();
        let places = (folder.path(), state.as_path());
        let evidence = Evidence::open(&audit, OnDamage::Refuse, places, clock).unwrap();
        let mut record = ExchangeRecord::begin(evidence.clone());
        let (reply, answer) = oneshot::channel();
        record.intent = Some(Written(Some(answer)));
        record.announced = true;
        let entry = AuditEntry::default();
        match course {
            Course::Waits => {
                reply.send(Err(LogError::Full)).unwrap();
                assert!(record.announced().await.is_err());
            }
            Course::BreaksOff => reply.send(Err(LogError::Full)).unwrap(),
            Course::EndsBefore => {
                let refused = async {
                    tokio::task::yield_now().await;
                    drop(reply.send(Err(LogError::Full)));
                };
                let (ended, ()) = tokio::join!(record.end(&entry), refused);
                assert!(ended.is_err(), "nothing announced the exchange");
            }
        }
        record.over(&entry);
        drop(record);
        evidence.close().await;
        let segment = folder
            .path()
            .join(&audit.dir)
            .join(".wal/00000000000000000000.seg");
        std::fs::read(segment).unwrap()
    }

    #[tokio::test]
    async fn an_exchange_whose_intent_was_not_taken_has_one_record() {
        for course in [Course::Waits, Course::BreaksOff] {
            let written = records(course).await;
            let text = String::from_utf8_lossy(&written);
            assert!(
                text.contains("\"class_uid\":6003") && !text.contains("\"phase\""),
                "{text}"
            );
        }
    }

    #[tokio::test]
    async fn an_end_whose_intent_was_refused_before_it_does_not_happen() {
        let written = records(Course::EndsBefore).await;
        let text = String::from_utf8_lossy(&written);
        assert_eq!(text.matches("\"class_uid\":6003").count(), 2, "{text}");
        assert_eq!(text.matches("\"phase\"").count(), 1, "{text}");
    }
}
