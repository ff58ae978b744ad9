//! Starts the tasks that export, and ends them within a time.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, SystemTime};

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::attributes::{SCHEMA_URL, resource, scope, text};
use super::checkpoints::Checkpoints;
use super::counts::Fate;
use super::export::{Exporter, Request};
use super::queue::{Queue, Worker};
use super::registry::{self, Period};
use super::settings;
use super::signal::Signal;
use super::trace_context::TraceId;
use super::tracer::{Served, Tracer};
use super::{Prepared, Telemetry, TelemetryError};
use crate::clock::Clock;
use crate::evidence::Evidence;
use crate::metrics::Metrics;
use crate::policy_store::PolicyStore;

/// The attribute that tells replicas apart.
const INSTANCE: &str = "service.instance.id";

/// What exports. Dropping it ends that at once; use [`Exporting::finish`] to send what waits.
#[derive(Debug)]
pub(crate) struct Exporting {
    tracer: Tracer,
    stop: watch::Sender<bool>,
    exports: JoinSet<()>,
    stop_checkpoints: watch::Sender<bool>,
    checkpoints: JoinSet<()>,
    flush_time_max: Duration,
}

impl Telemetry {
    /// Starts to export, on the current Tokio runtime: spans of what is `served`, the metrics, with every rule of
    /// the policy in force, the log records that wait, and the checkpoints of the evidence.
    ///
    /// # Errors
    /// A collector can never be connected to; at start that is fatal.
    pub(crate) fn start(
        &self,
        (metrics, store): (&Arc<Metrics>, &Arc<PolicyStore>),
        evidence: &Evidence,
        served: Served,
    ) -> Result<Exporting, TelemetryError> {
        let prepared = &*self.0;
        let mut exporting = Exporting {
            tracer: Tracer::default(),
            stop: watch::Sender::new(false),
            exports: JoinSet::new(),
            stop_checkpoints: watch::Sender::new(false),
            checkpoints: JoinSet::new(),
            flush_time_max: prepared.settings.flush_time_max,
        };
        prepared.counts.register(metrics.registry())?;
        if !prepared.settings.exports() {
            return Ok(exporting);
        }
        let mut resource = resource(&prepared.settings.resource);
        let has_id = |key: &KeyValue| key.key == INSTANCE;
        if !resource.attributes.iter().any(has_id) {
            resource.attributes.push(text(INSTANCE, instance_id()));
        }
        if let Some(traces) = &prepared.settings.traces {
            exporting.export_traces(prepared, traces, resource.clone(), served)?;
        }
        if let Some(logs) = &prepared.settings.logs {
            exporting.export_logs(prepared, logs, resource.clone())?;
        }
        if let Some(settings) = &prepared.settings.metrics {
            exporting.export_metrics(prepared, settings, resource, (metrics, store))?;
        }
        let keeps_checkpoints = prepared.logs.is_some() || prepared.settings.traces.is_some();
        if keeps_checkpoints && evidence.is_on() {
            let checkpoints = Checkpoints {
                evidence: evidence.clone(),
                logs: prepared.logs.clone(),
                tracer: exporting.tracer(),
                clock: Arc::clone(&prepared.clock),
                stop: exporting.stop_checkpoints.subscribe(),
            };
            exporting.checkpoints.spawn(checkpoints.run());
        }
        Ok(exporting)
    }
}

impl Exporting {
    /// Who takes the spans of exchanges.
    pub(crate) fn tracer(&self) -> Tracer {
        self.tracer.clone()
    }

    /// Lets go of the audit log, after its last checkpoint has been queued.
    pub(crate) async fn let_go_of_evidence(&mut self) {
        self.stop_checkpoints.send_replace(true);
        join(&mut self.checkpoints, self.flush_time_max).await;
    }

    /// Sends what waits, within the settings' time; what is left then is lost.
    pub(crate) async fn finish(mut self) {
        self.stop.send_replace(true);
        join(&mut self.exports, self.flush_time_max).await;
    }

    fn export_traces(
        &mut self,
        prepared: &Prepared,
        traces: &settings::Traces,
        resource: Resource,
        served: Served,
    ) -> Result<(), TelemetryError> {
        let exporter = Exporter::new(Signal::Traces, &traces.endpoint, prepared.counts.clone())?;
        let dropped = prepared.counts.of(Signal::Traces, Fate::Dropped);
        let (queue, receiver) = Queue::new(traces.batches.queued_max, dropped);
        self.tracer = Tracer::new(traces.sampler, queue, served);
        let worker = Worker {
            receiver,
            batches: traces.batches,
            exporter: Arc::new(exporter),
            wrap: Box::new(move |spans| spans_request(spans, resource.clone())),
            stop: self.stop.subscribe(),
        };
        self.exports.spawn(worker.run());
        Ok(())
    }

    fn export_logs(
        &mut self,
        prepared: &Prepared,
        logs: &settings::Logs,
        resource: Resource,
    ) -> Result<(), TelemetryError> {
        let exporter = Exporter::new(Signal::Logs, &logs.endpoint, prepared.counts.clone())?;
        let logged = prepared.logged.lock();
        let Some(receiver) = logged.unwrap_or_else(PoisonError::into_inner).take() else {
            tracing::error!("telemetry was started before: its logs go where they went");
            return Ok(());
        };
        let worker = Worker {
            receiver,
            batches: logs.batches,
            exporter: Arc::new(exporter),
            wrap: Box::new(move |records| logs_request(records, resource.clone())),
            stop: self.stop.subscribe(),
        };
        self.exports.spawn(worker.run());
        Ok(())
    }

    fn export_metrics(
        &mut self,
        prepared: &Prepared,
        settings: &settings::Metrics,
        resource: Resource,
        (metrics, store): (&Arc<Metrics>, &Arc<PolicyStore>),
    ) -> Result<(), TelemetryError> {
        let exporter = Exporter::new(Signal::Metrics, &settings.endpoint, prepared.counts.clone())?;
        let meter = Meter {
            metrics: Arc::clone(metrics),
            store: Arc::clone(store),
            exporter,
            resource,
            every: settings.every,
            time_max: settings.time_max,
            since: prepared.clock.wall(),
            clock: Arc::clone(&prepared.clock),
            stop: self.stop.subscribe(),
        };
        self.exports.spawn(meter.run());
        Ok(())
    }
}

/// A version 4 UUID (RFC 9562 section 5.4): replicas count the same things, each for itself.
fn instance_id() -> String {
    let random = u128::from_be_bytes(TraceId::random().bytes());
    let id = (random & !(0xf << 76) & !(0x3 << 62)) | (0x4 << 76) | (0x2 << 62);
    format!(
        "{:08x}-{:04x}-{:04x}-{:04x}-{:012x}",
        id >> 96,
        (id >> 80) & 0xffff,
        (id >> 64) & 0xffff,
        (id >> 48) & 0xffff,
        id & 0xffff_ffff_ffff
    )
}

/// Waits for tasks that were told to stop, and ends those that take too long.
async fn join(tasks: &mut JoinSet<()>, time: Duration) {
    let joining = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(time, joining).await.is_err() {
        tracing::warn!("telemetry that still waited is lost");
    }
    tasks.shutdown().await;
}

/// Exports the registry.
struct Meter {
    metrics: Arc<Metrics>,
    store: Arc<PolicyStore>,
    exporter: Exporter,
    resource: Resource,
    every: Duration,
    time_max: Duration,
    since: SystemTime,
    clock: Arc<dyn Clock>,
    stop: watch::Receiver<bool>,
}

impl Meter {
    /// Exports every interval until it is told to stop, and then once more.
    async fn run(mut self) {
        let first = tokio::time::Instant::now() + self.every;
        let mut tick = tokio::time::interval_at(first, self.every);
        tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let stopped = tokio::select! {
                biased;
                _stopped = self.stop.wait_for(|stop| *stop) => true,
                _ = tick.tick() => false,
            };
            let period = Period {
                since: self.since,
                now: self.clock.wall(),
            };
            self.metrics.know(&self.store);
            let families = self.metrics.gather().await;
            let (request, points) = registry::request(&families, self.resource.clone(), period);
            let request = Request::Metrics(request);
            self.exporter.export(&request, points, self.time_max).await;
            if stopped {
                return;
            }
        }
    }
}

fn spans_request(spans: Vec<Span>, resource: Resource) -> Request {
    Request::Traces(ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans {
            resource: Some(resource),
            scope_spans: vec![ScopeSpans {
                scope: Some(scope()),
                spans,
                schema_url: SCHEMA_URL.to_owned(),
            }],
            schema_url: SCHEMA_URL.to_owned(),
        }],
    })
}

fn logs_request(log_records: Vec<LogRecord>, resource: Resource) -> Request {
    Request::Logs(ExportLogsServiceRequest {
        resource_logs: vec![ResourceLogs {
            resource: Some(resource),
            scope_logs: vec![ScopeLogs {
                scope: Some(scope()),
                log_records,
                schema_url: SCHEMA_URL.to_owned(),
            }],
            schema_url: SCHEMA_URL.to_owned(),
        }],
    })
}
