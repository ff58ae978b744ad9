//! What the standard `OTEL_*` variables say, read once at start.
//!
//! Guarantees: without a variable that asks for it nothing is exported, and a value that cannot be used is
//! an error that names its variable; all of them are told at once. An empty value is an unset one, as the
//! specification of OpenTelemetry says. Variables come from a function, so that a test has its own.
//!
//! It deliberately does not know: exporters other than OTLP, `http/json`, delta temporality, and samplers
//! that ask somebody else.

mod endpoint;
mod read;

use std::time::Duration;

use super::sampler::Sampler;
use super::signal::Signal;

pub(super) use endpoint::{Endpoint, Protocol};
use read::Reader;

/// A problem with the variables. The operator must act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("; "))]
pub struct SettingsError(Vec<String>);

/// What is exported, where to and how often. `Debug` shows no header: they hold credentials.
#[derive(Debug, Clone)]
pub struct TelemetrySettings {
    pub(super) traces: Option<Traces>,
    pub(super) metrics: Option<Metrics>,
    pub(super) logs: Option<Logs>,
    /// The resource's attributes: at least `service.name`.
    pub(super) resource: Vec<(String, String)>,
    /// How long the flush at the end may take, collectors that do not answer included.
    pub(super) flush_time_max: Duration,
}

/// A stop may take this much longer because of telemetry.
const FLUSH_TIME_MAX: Duration = Duration::from_secs(5);

/// How spans are sampled and exported.
#[derive(Debug, Clone)]
pub(super) struct Traces {
    pub(super) endpoint: Endpoint,
    pub(super) sampler: Sampler,
    pub(super) batches: Batches,
}

/// How metrics are exported.
#[derive(Debug, Clone)]
pub(super) struct Metrics {
    pub(super) endpoint: Endpoint,
    pub(super) every: Duration,
    /// How long one export may take, with what is tried again.
    pub(super) time_max: Duration,
}

/// How log records are exported.
#[derive(Debug, Clone)]
pub(super) struct Logs {
    pub(super) endpoint: Endpoint,
    pub(super) batches: Batches,
}

/// How records wait for their export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Batches {
    /// How many may wait; more are dropped, and counted.
    pub(super) queued_max: usize,
    /// How many are sent at once.
    pub(super) batch_max: usize,
    /// How long the first of a batch may wait.
    pub(super) delay: Duration,
    /// How long one export may take, with what is tried again.
    pub(super) time_max: Duration,
}

impl TelemetrySettings {
    /// Reads the variables that `lookup` knows.
    ///
    /// # Errors
    /// Some have values that cannot be used.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let mut reader = Reader::new(&lookup);
        let settings = Self::with(&mut reader);
        let wrong = reader.into_wrong();
        if wrong.is_empty() {
            Ok(settings)
        } else {
            Err(SettingsError(wrong))
        }
    }

    /// Nothing is exported.
    #[must_use]
    pub const fn off() -> Self {
        Self {
            traces: None,
            metrics: None,
            logs: None,
            resource: Vec::new(),
            flush_time_max: FLUSH_TIME_MAX,
        }
    }

    /// The same with another time for the flush at the end: by default five seconds. No variable says it.
    #[must_use]
    pub const fn flushing_within(mut self, time: Duration) -> Self {
        self.flush_time_max = time;
        self
    }

    /// Whether anything is exported.
    #[must_use]
    pub const fn exports(&self) -> bool {
        self.traces.is_some() || self.metrics.is_some() || self.logs.is_some()
    }

    fn with(reader: &mut Reader<'_>) -> Self {
        if reader.flag("OTEL_SDK_DISABLED") {
            return Self::off();
        }
        reader.refuse_other_propagators();
        reader.refuse_other_temporality();
        let resource = reader.resource();
        let traces = reader.exports(Signal::Traces).then(|| Traces {
            endpoint: reader.endpoint(Signal::Traces),
            sampler: reader.sampler(),
            batches: reader.batches("OTEL_BSP", 5_000),
        });
        let metrics = reader.exports(Signal::Metrics).then(|| Metrics {
            endpoint: reader.endpoint(Signal::Metrics),
            every: reader.millis("OTEL_METRIC_EXPORT_INTERVAL", 60_000),
            time_max: reader.millis("OTEL_METRIC_EXPORT_TIMEOUT", 30_000),
        });
        let logs = reader.exports(Signal::Logs).then(|| Logs {
            endpoint: reader.endpoint(Signal::Logs),
            batches: reader.batches("OTEL_BLRP", 1_000),
        });
        Self {
            traces,
            metrics,
            logs,
            resource,
            flush_time_max: FLUSH_TIME_MAX,
        }
    }
}

#[cfg(test)]
mod tests;
