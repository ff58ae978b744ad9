//! The audit log's checkpoints as log records, so that whoever collects them holds anchors: a log that is
//! cut, rolled back or forked afterwards does not fit them.

use std::sync::Arc;
use std::time::Duration;

use opentelemetry_proto::tonic::common::v1::AnyValue;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, SeverityNumber};
use postern_audit::Checkpoint;
use tokio::sync::watch;

use super::attributes::{nanos, number, text};
use super::queue::Queue;
use super::tracer::{Seen, Tracer};
use crate::clock::Clock;
use crate::evidence::Evidence;

/// How often a checkpoint is exported, if the log has grown.
const EVERY: Duration = Duration::from_secs(10);
/// The record's name.
pub(crate) const EVENT: &str = "audit.checkpoint";

/// Exports checkpoints until it is told to stop, and then the last one.
pub(super) struct Checkpoints {
    pub(super) evidence: Evidence,
    pub(super) logs: Option<Queue<LogRecord>>,
    pub(super) tracer: Tracer,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) stop: watch::Receiver<bool>,
}

impl Checkpoints {
    pub(super) async fn run(mut self) {
        let mut tick = tokio::time::interval(EVERY);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut seen = None;
        loop {
            let stopped = tokio::select! {
                biased;
                _stopped = self.stop.wait_for(|stop| *stop) => true,
                _ = tick.tick() => false,
            };
            self.look(&mut seen, stopped).await;
            if stopped {
                return;
            }
        }
    }

    /// Exports the checkpoint, if it is larger than the last one. At the end it is published before.
    async fn look(&self, seen: &mut Option<u64>, stopped: bool) {
        let evidence = self.evidence.clone();
        let reading = tokio::task::spawn_blocking(move || evidence.checkpoint(stopped));
        let Ok(Some(note)) = reading.await else {
            return;
        };
        let checkpoint = note
            .split_once("\n\n")
            .and_then(|(text, _signatures)| Checkpoint::parse(&format!("{text}\n")));
        let Some(checkpoint) = checkpoint else {
            return;
        };
        if seen.is_some_and(|seen| checkpoint.size <= seen) {
            return;
        }
        *seen = Some(checkpoint.size);
        if let Some(logs) = &self.logs {
            logs.offer(record(&checkpoint, note, nanos(self.clock.wall())));
        }
        self.tracer.note_checkpoint(Seen {
            size: checkpoint.size,
            root: checkpoint.root.to_string(),
        });
    }
}

/// The record: the whole signed note, as a verifier takes it.
fn record(checkpoint: &Checkpoint, note: String, now: u64) -> LogRecord {
    LogRecord {
        time_unix_nano: now,
        observed_time_unix_nano: now,
        severity_number: SeverityNumber::Info.into(),
        severity_text: "INFO".to_owned(),
        event_name: EVENT.to_owned(),
        body: Some(AnyValue {
            value: Some(Value::StringValue(note)),
        }),
        attributes: vec![
            text("postern.audit.checkpoint.origin", &checkpoint.origin),
            number("postern.audit.checkpoint.size", checkpoint.size),
            text("postern.audit.checkpoint.root", checkpoint.root.to_string()),
        ],
        ..LogRecord::default()
    }
}
