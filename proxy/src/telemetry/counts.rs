//! What became of the records, for Prometheus and over OTLP itself.

use prometheus::{IntCounter, IntCounterVec, Opts, Registry};

use super::signal::Signal;

/// Counts records by signal and result.
#[derive(Debug, Clone)]
pub(super) struct Counts(IntCounterVec);

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fate {
    /// The collector has it.
    Exported,
    /// The collector did not want it.
    Rejected,
    /// It could not be exported.
    Failed,
    /// There was no room for it.
    Dropped,
}

impl Fate {
    const ALL: [Self; 4] = [Self::Exported, Self::Rejected, Self::Failed, Self::Dropped];

    const fn word(self) -> &'static str {
        match self {
            Self::Exported => "exported",
            Self::Rejected => "rejected",
            Self::Failed => "failed",
            Self::Dropped => "dropped",
        }
    }
}

impl Counts {
    /// # Errors
    /// The metric's name is no name: a fault of ours.
    pub(super) fn new() -> Result<Self, prometheus::Error> {
        let options = Opts::new(
            "postern_telemetry_records_total",
            "Spans, metrics and log records for the OTLP collector, by signal and what became of them",
        );
        Ok(Self(IntCounterVec::new(options, &["signal", "result"])?))
    }

    /// Shows them, each at zero that has counted nothing yet.
    ///
    /// # Errors
    /// Another metric has its name: a fault of ours.
    pub(super) fn register(&self, registry: &Registry) -> Result<(), prometheus::Error> {
        for signal in Signal::ALL {
            for fate in Fate::ALL {
                self.of(signal, fate);
            }
        }
        registry.register(Box::new(self.0.clone()))
    }

    pub(super) fn of(&self, signal: Signal, fate: Fate) -> IntCounter {
        self.0.with_label_values(&[signal.word(), fate.word()])
    }
}
