//! Who decides which exchanges are recorded, and takes their spans.

use std::sync::Arc;

use arc_swap::ArcSwapOption;
use opentelemetry_proto::tonic::common::v1::KeyValue;
use opentelemetry_proto::tonic::trace::v1::Span;

use super::attributes::{number, text};
use super::queue::Queue;
use super::sampler::Sampler;
use super::trace_context::{Parent, TraceId};

/// Takes spans, if they are exported. Cloning it is cheap and shares everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tracer(Option<Arc<Tracing>>);

#[derive(Debug)]
struct Tracing {
    sampler: Sampler,
    queue: Queue<Span>,
    server: Served,
    checkpoint: ArcSwapOption<Seen>,
}

/// Where exchanges are served, as configured.
#[derive(Debug, Clone)]
pub(crate) struct Served {
    pub(crate) address: String,
    pub(crate) port: Option<u16>,
}

/// The checkpoint of the audit log that was exported last.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) size: u64,
    pub(super) root: String,
}

impl Tracer {
    pub(super) fn new(sampler: Sampler, queue: Queue<Span>, server: Served) -> Self {
        Self(Some(Arc::new(Tracing {
            sampler,
            queue,
            server,
            checkpoint: ArcSwapOption::empty(),
        })))
    }

    /// Whether spans are exported at all.
    pub(super) const fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Whether the spans of a trace are recorded.
    pub(super) fn records(&self, trace: TraceId, parent: Option<&Parent>) -> bool {
        self.0
            .as_ref()
            .is_some_and(|tracing| tracing.sampler.records(trace, parent))
    }

    /// Takes a span that has ended.
    pub(super) fn export(&self, span: Span) {
        if let Some(tracing) = &self.0 {
            tracing.queue.offer(span);
        }
    }

    /// The audit log has grown, and that is on its way to the collector.
    pub(super) fn note_checkpoint(&self, seen: Seen) {
        if let Some(tracing) = &self.0 {
            tracing.checkpoint.store(Some(Arc::new(seen)));
        }
    }

    /// What every SERVER span says: where it was served, and how far the audit log had grown.
    pub(super) fn server_attributes(&self) -> Vec<KeyValue> {
        let Some(tracing) = &self.0 else {
            return Vec::new();
        };
        let mut attributes = vec![text("server.address", &tracing.server.address)];
        if let Some(port) = tracing.server.port {
            attributes.push(number("server.port", u64::from(port)));
        }
        if let Some(seen) = tracing.checkpoint.load().as_ref() {
            attributes.push(number("postern.audit.checkpoint.size", seen.size));
            attributes.push(text("postern.audit.checkpoint.root", &seen.root));
        }
        attributes
    }
}
