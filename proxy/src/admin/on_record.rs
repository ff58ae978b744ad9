//! What somebody with the admin token changes is put on record twice: before it is done, so that what cannot be
//! put on record is not done, and when it has ended, with how many things it changed and whether all was done.

use postern_audit::AdminEntry;

use super::AdminState;
use crate::decision_log;
use crate::evidence::{Act, Event};

/// It is not on record, so it must not be done.
#[derive(Debug)]
pub(super) struct NotOnRecord;

impl AdminState {
    /// Puts on record that it is about to be done.
    ///
    /// # Errors
    /// See [`NotOnRecord`].
    pub(super) async fn begins(&self, entry: &AdminEntry) -> Result<(), NotOnRecord> {
        let recorded = self.evidence.record(&Event::Act(Act::AdminBegins(entry)));
        recorded
            .durable()
            .await
            .map(drop)
            .map_err(|_lost| NotOnRecord)
    }

    /// Puts on record how it ended. It is done by now: when the log takes no entry, that is told in the other
    /// log, and its intent stands without an outcome.
    pub(super) async fn ended(&self, entry: &AdminEntry, done: bool) {
        decision_log::write_admin(entry);
        let act = Act::AdminEnded { entry, done };
        let recorded = self.evidence.record(&Event::Act(act));
        if recorded.durable().await.is_err() {
            tracing::error!(action = entry.action, done, "its outcome is not on record");
        }
    }
}
