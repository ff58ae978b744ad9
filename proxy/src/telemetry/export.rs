//! Sends requests to a collector, again where that may help, and says what became of them.
//!
//! What is tried again, and what is not, is what OTLP says for each protocol. A collector that cannot be
//! reached is told to operators when that begins and when it ends, not for every batch.

mod connect;
mod grpc;
mod post;

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use tokio::time::Instant;

use super::counts::{Counts, Fate};
use super::settings::{Endpoint, Protocol};
use super::signal::Signal;

pub use connect::ConnectError;
use grpc::Grpc;
use post::Post;

/// How long is waited before the second attempt; twice as long before each further one.
const PAUSE: Duration = Duration::from_millis(250);
const PAUSE_MAX: Duration = Duration::from_secs(8);
/// What exporters call themselves (OTLP section "User Agent").
const USER_AGENT: &str = concat!("OTel-OTLP-Exporter-Postern/", env!("CARGO_PKG_VERSION"));

/// What is sent at once.
#[derive(Debug)]
pub(super) enum Request {
    Traces(ExportTraceServiceRequest),
    Metrics(ExportMetricsServiceRequest),
    Logs(ExportLogsServiceRequest),
}

/// What a collector says about a request that it took.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Taken {
    /// How many of its records it did not want.
    rejected: u64,
}

/// Why a collector did not take a request. SECURITY: nothing of what it answered is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Refused {
    /// For operators.
    why: &'static str,
    again: Again,
}

/// Whether the same request may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    Never,
    /// After a pause; the collector may have said how long.
    After(Option<Duration>),
}

/// Sends the records of one signal.
#[derive(Debug)]
pub(super) struct Exporter {
    signal: Signal,
    transport: Transport,
    time_max: Duration,
    counts: Counts,
    failing: AtomicBool,
}

#[derive(Debug)]
enum Transport {
    Grpc(Grpc),
    Post(Post),
}

impl Exporter {
    /// Reads what the endpoint needs. No connection is made. Call it on a Tokio runtime.
    ///
    /// # Errors
    /// A certificate or key cannot be used.
    pub(super) fn new(
        signal: Signal,
        endpoint: &Endpoint,
        counts: Counts,
    ) -> Result<Self, ConnectError> {
        let transport = match endpoint.protocol {
            Protocol::Grpc => Transport::Grpc(Grpc::new(endpoint)?),
            Protocol::Http => Transport::Post(Post::new(endpoint)?),
        };
        Ok(Self {
            signal,
            transport,
            time_max: endpoint.time_max,
            counts,
            failing: AtomicBool::new(false),
        })
    }

    /// Sends a request that holds so many records, and counts what became of them.
    pub(super) async fn export(&self, request: &Request, records: usize, time_max: Duration) {
        let records = u64::try_from(records).unwrap_or(u64::MAX);
        // Whoever stops the export while it waits has failed it.
        let mut pending = Pending {
            exporter: self,
            records,
        };
        let outcome = self.send(request, Instant::now() + time_max).await;
        pending.records = 0;
        match outcome {
            Ok(Taken { rejected }) => {
                let rejected = rejected.min(records);
                self.count(Fate::Exported, records.saturating_sub(rejected));
                self.count(Fate::Rejected, rejected);
                if self.failing.swap(false, Ordering::Relaxed) {
                    tracing::info!(
                        signal = self.signal.word(),
                        "the collector takes telemetry again"
                    );
                }
            }
            Err(Refused { why, .. }) => {
                self.count(Fate::Failed, records);
                if !self.failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(signal = self.signal.word(), why, "telemetry is lost");
                }
            }
        }
    }

    async fn send(&self, request: &Request, deadline: Instant) -> Result<Taken, Refused> {
        let mut pause = PAUSE;
        loop {
            let refused = match self.attempt(request, deadline).await {
                Ok(taken) => return Ok(taken),
                Err(refused) => refused,
            };
            let wait = match refused.again {
                Again::Never => return Err(refused),
                Again::After(wait) => wait.unwrap_or(pause),
            };
            if Instant::now() + wait >= deadline {
                return Err(refused);
            }
            tokio::time::sleep(wait).await;
            pause = pause.saturating_mul(2).min(PAUSE_MAX);
        }
    }

    async fn attempt(&self, request: &Request, deadline: Instant) -> Result<Taken, Refused> {
        let deadline = deadline.min(Instant::now() + self.time_max);
        let sending = async {
            match &self.transport {
                Transport::Grpc(grpc) => grpc.send(request).await,
                Transport::Post(post) => post.send(request).await,
            }
        };
        let late = Refused {
            why: "it took too long",
            again: Again::After(None),
        };
        tokio::time::timeout_at(deadline, sending)
            .await
            .unwrap_or(Err(late))
    }

    fn count(&self, fate: Fate, records: u64) {
        self.counts.of(self.signal, fate).inc_by(records);
    }
}

/// Records that are being sent: they have failed when this is dropped with them.
struct Pending<'a> {
    exporter: &'a Exporter,
    records: u64,
}

impl Drop for Pending<'_> {
    fn drop(&mut self) {
        self.exporter.count(Fate::Failed, self.records);
    }
}
