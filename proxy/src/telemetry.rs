//! OpenTelemetry: traces, metrics and logs over OTLP, as the standard `OTEL_*` variables say.
//!
//! ```text
//! ExchangeTrace, Call ──spans──▶ Queue ─┐
//! LogLayer, Checkpoints ──records──▶ Queue ─┼─▶ Exporter ──gRPC or HTTP──▶ collector
//! prometheus::Registry ──every interval──┘
//! ```
//!
//! Guarantees: without a variable nothing is exported and no task runs. Nothing here waits for a collector
//! or fails an exchange: queues are bounded, what does not fit is dropped and counted, and the flush at the
//! end has its time. Prometheus and OTLP tell the same numbers, because one registry holds them.
//!
//! SECURITY: what is exported is made of names of the policy, fixed words, counts, ids and our own messages
//! (D15). There is no way in for a header, a path, a query or a body.

mod attributes;
mod call;
mod checkpoints;
mod correlation;
mod counts;
mod exchange;
mod export;
mod http;
mod http_metrics;
mod logs;
mod queue;
mod registry;
mod sampler;
mod settings;
mod signal;
mod start;
mod trace_context;
mod tracer;

use std::sync::{Arc, Mutex};

use opentelemetry_proto::tonic::logs::v1::LogRecord;
use tokio::sync::mpsc;

use crate::clock::Clock;

pub(crate) use self::http::scheme;
pub(crate) use call::{Call, Target};
pub(crate) use correlation::Correlation;
pub(crate) use exchange::{Arrival, ExchangeTrace};
pub use export::ConnectError;
pub(crate) use http_metrics::HttpMetrics;
pub use logs::LogLayer;
pub use settings::{SettingsError, TelemetrySettings};
pub(crate) use start::Exporting;
pub(crate) use trace_context::{Parent, TRACEPARENT, TRACESTATE, tracestate};
pub(crate) use tracer::{Served, Tracer};

use counts::{Counts, Fate};
use queue::Queue;
use signal::Signal;

/// Why there is no telemetry. The operator must act.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TelemetryError {
    /// Variables have values that cannot be used.
    #[error("telemetry: {0}")]
    Settings(#[from] SettingsError),
    /// A collector can never be connected to.
    #[error("telemetry: {0}")]
    Connect(#[from] ConnectError),
    /// Two metrics have one name: a fault of ours.
    #[error("telemetry: the metrics cannot be registered")]
    Metrics(#[from] prometheus::Error),
}

/// What a process exports. It is made before anything is logged, and started once, with Postern. Cloning it
/// is cheap and shares everything.
#[derive(Debug, Clone)]
pub struct Telemetry(Arc<Prepared>);

#[derive(Debug)]
struct Prepared {
    settings: TelemetrySettings,
    clock: Arc<dyn Clock>,
    counts: Counts,
    logs: Option<Queue<LogRecord>>,
    /// The other end of `logs`, until the start.
    logged: Mutex<Option<mpsc::Receiver<LogRecord>>>,
}

impl Telemetry {
    /// What the settings say. Nothing runs yet; log records wait in their queue.
    ///
    /// # Errors
    /// [`TelemetryError::Metrics`].
    pub fn new(settings: TelemetrySettings, clock: Arc<dyn Clock>) -> Result<Self, TelemetryError> {
        let counts = Counts::new()?;
        let queue = settings.logs.as_ref().map(|logs| {
            let dropped = counts.of(Signal::Logs, Fate::Dropped);
            Queue::new(logs.batches.queued_max, dropped)
        });
        let (logs, logged) = queue.unzip();
        Ok(Self(Arc::new(Prepared {
            settings,
            clock,
            counts,
            logs,
            logged: Mutex::new(logged),
        })))
    }

    /// Exports the process's own events, if logs are exported. Where events of others are heard too, it
    /// leaves them out.
    #[must_use]
    pub fn log_layer(&self) -> Option<LogLayer> {
        let queue = self.0.logs.clone()?;
        Some(LogLayer::new(queue, Arc::clone(&self.0.clock)))
    }
}
