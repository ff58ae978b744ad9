//! What anchors the log outside of this host, and whether anything does.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use postern_audit::Witness;
use postern_config::server::AuditLog;
use prometheus::{IntGauge, Registry};

use super::witnesses::Asked;
use super::{EvidenceError, Opening, peers};
use crate::clock::Clock;

/// A log that nobody has cosigned for this long is unanchored, as the verifier sees it.
const ANCHORED_TIME_MAX: Duration = Duration::from_secs(300);

/// Every witness and peer that is of no use. Nobody is asked, and nothing is made.
pub(crate) fn faults(audit: &AuditLog, base: &Path) -> Vec<EvidenceError> {
    let witnesses = audit.witnesses.iter();
    let witnesses = witnesses.filter_map(|address| Asked::new(address, base).err());
    let peers = audit.peers.iter();
    witnesses
        .chain(peers.filter_map(|peer| peers::logs_of(peer, base).err()))
        .collect()
}

/// Whoever vouches for the log, and for whom it vouches.
#[derive(Debug)]
pub(super) struct Anchors {
    witnesses: Arc<[Asked]>,
    /// Cosigns the logs of other replicas.
    peers: Option<Arc<Witness>>,
    /// When a witness has cosigned last.
    cosigned: Mutex<Option<Instant>>,
    unanchored: Option<IntGauge>,
    every: Duration,
}

impl Anchors {
    /// Makes ready to ask and to be asked; nobody is asked yet.
    ///
    /// # Errors
    /// A witness has no usable address or key, or a peer no usable key.
    pub(super) fn new(opening: &Opening<'_>) -> Result<Self, EvidenceError> {
        let witnesses = opening.audit.witnesses.iter();
        let witnesses = witnesses.map(|address| Asked::new(address, opening.base));
        let unanchored = IntGauge::new(
            "postern_audit_unanchored",
            "1 while nobody outside vouches for the audit log: no witness is named, or none has cosigned in five minutes",
        );
        let anchors = Self {
            witnesses: witnesses.collect::<Result<_, _>>()?,
            peers: peers::witness(opening)?.map(Arc::new),
            cosigned: Mutex::default(),
            unanchored: unanchored.ok(),
            every: opening.audit.checkpoint,
        };
        anchors.show(false);
        if anchors.witnesses.is_empty() {
            tracing::warn!(
                "the audit log is unanchored: whoever has this host can roll it back unseen; name `audit.witnesses`, or keep \
                 checkpoints elsewhere"
            );
        }
        Ok(anchors)
    }

    pub(super) fn register(&self, registry: &Registry) {
        let gauge = self.unanchored.clone().map(Box::new);
        if let Some(Err(error)) = gauge.map(|gauge| registry.register(gauge)) {
            tracing::error!(%error, "a metric of the audit log cannot be registered");
        }
    }

    /// How often a head may be published.
    pub(super) const fn every(&self) -> Duration {
        self.every
    }

    /// Who is asked.
    pub(super) fn witnesses(&self) -> &Arc<[Asked]> {
        &self.witnesses
    }

    /// Who cosigns for others.
    pub(super) const fn peers(&self) -> Option<&Arc<Witness>> {
        self.peers.as_ref()
    }

    /// A witness has cosigned the log's head just now.
    pub(super) fn note_cosigned(&self, clock: &dyn Clock) {
        *self.last() = Some(clock.monotonic());
    }

    /// Says in the metric whether anybody vouches for the log now.
    pub(super) fn look(&self, clock: &dyn Clock) {
        let since = self
            .last()
            .map(|at| clock.monotonic().saturating_duration_since(at));
        self.show(since.is_some_and(|since| since <= ANCHORED_TIME_MAX));
    }

    fn show(&self, anchored: bool) {
        if let Some(gauge) = &self.unanchored {
            gauge.set(i64::from(!anchored));
        }
    }

    fn last(&self) -> std::sync::MutexGuard<'_, Option<Instant>> {
        self.cosigned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
