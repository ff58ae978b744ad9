//! One exchange, from its first byte to its last: what is known of it, and the record that it leaves
//! behind however it ends.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::{Duration, Instant};

use postern_audit::AuditEntry;
use postern_config::Revision;
use postern_config::quota::Unit;
use postern_filters::{BodySummary, ExchangePlan, Identity};
use tokio::sync::Notify;

use crate::clock::Clock;
use crate::decision_log;
use crate::evidence::{Evidence, ExchangeRecord};
use crate::hygiene::CleanRequest;
use crate::identity::PeerFacts;
use crate::lifecycle::Place;
use crate::metering::{Charged, Meter};
use crate::metrics::{BodyCost, Metrics};
use crate::random_id::random_id;
use crate::respond::Problem;
use crate::telemetry::{Call, ExchangeTrace, Target};

/// How an exchange ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// What may leave has left, whole.
    Allowed,
    /// It was refused before anything reached the upstream.
    Refused,
    /// The upstream's answer could not leave; the client got a problem instead.
    Withheld,
    /// It broke off after the head had left, or before anybody could be told.
    Cut,
}

impl Ending {
    /// Every ending, as decision lines name it.
    pub(crate) const WORDS: [&'static str; 4] = ["allowed", "refused", "withheld", "cut"];

    fn word(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Refused => "refused",
            Self::Withheld => "withheld",
            Self::Cut => "cut",
        }
    }
}

/// A running exchange. Dropping it writes the decision line and what is missing of its audit records, so
/// that a panic or a cancelled task leaves them too: with the ending `cut`, unless another was noted.
pub(crate) struct Exchange {
    entry: AuditEntry,
    head_only: bool,
    started: Instant,
    ended: Option<Instant>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    meter: Option<Meter>,
    cost: BodyCost,
    record: ExchangeRecord,
    trace: ExchangeTrace,
    /// Told when the exchange must not go on.
    cut: Arc<Notify>,
    /// Gives the place back after the line was written.
    _place: Option<Place>,
}

impl Exchange {
    /// An exchange begins.
    pub(crate) fn begin(
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
        evidence: Evidence,
        trace: ExchangeTrace,
        place: Option<Place>,
    ) -> Self {
        Self {
            entry: AuditEntry {
                exchange_id: random_hex(),
                trace_id: Some(trace.trace().to_string()),
                outcome: Ending::Cut.word().to_owned(),
                ..AuditEntry::default()
            },
            head_only: false,
            started: clock.monotonic(),
            ended: None,
            clock,
            metrics,
            meter: None,
            cost: BodyCost::default(),
            record: ExchangeRecord::begin(evidence),
            trace,
            cut: Arc::default(),
            _place: place,
        }
    }

    /// The id that the client is told with a problem.
    pub(crate) fn id(&self) -> &str {
        &self.entry.exchange_id
    }

    /// The trace that the exchange belongs to.
    pub(crate) fn trace_id(&self) -> &str {
        self.entry.trace_id.as_deref().unwrap_or_default()
    }

    /// A request to the upstream begins; `again` when it is sent a second time.
    pub(crate) fn call(&self, target: &Target, method: &http::Method, again: bool) -> Call {
        let observed = (Arc::clone(&self.clock), Arc::clone(&self.metrics));
        self.trace.call(target, method, again, observed)
    }

    /// What is told when the exchange must not go on: its session has ended.
    pub(crate) const fn cut(&self) -> &Arc<Notify> {
        &self.cut
    }

    /// The revision that holds, once it is known.
    pub(crate) fn revision(&self) -> &str {
        &self.entry.revision
    }

    /// The request is a HEAD: whatever is answered has no body.
    pub(crate) fn note_head_only(&mut self) {
        self.head_only = true;
    }

    /// Whether the request is a HEAD.
    pub(crate) fn asks_for_head_only(&self) -> bool {
        self.head_only
    }

    /// Everything is counted here.
    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// The policy that holds from head to end.
    pub(crate) fn note_revision(&mut self, revision: &Revision) {
        self.entry.revision = revision.short();
    }

    /// The request passed the hygiene checks.
    pub(crate) fn note_request(&mut self, request: &CleanRequest) {
        request.method.as_str().clone_into(&mut self.entry.method);
    }

    /// Somebody was recognised; nobody is on a login's lines.
    pub(crate) fn note_identity(&mut self, identity: &Identity) {
        if identity.subject.is_empty() {
            return;
        }
        self.entry.issuer = Some(identity.issuer.clone());
        self.entry.subject = Some(identity.subject.clone());
        self.record.note_tenant(identity.tenant.as_deref());
    }

    /// Who is connected.
    pub(crate) fn note_peer(&mut self, peer: &PeerFacts) {
        self.record.note_peer(peer);
    }

    /// The request is not sound.
    pub(crate) fn note_malformed(&mut self) {
        self.record.note_malformed();
    }

    /// The exchange may happen.
    pub(crate) fn note_plan(&mut self, plan: &ExchangePlan) {
        self.note_place(Some(plan.route()), plan.roles().to_vec());
    }

    /// The exchange is about to happen: that goes on record. [`Self::before_first_byte`] waits for it.
    pub(crate) fn announce(&mut self, plan: &ExchangePlan, request: &CleanRequest) {
        self.record.announce(plan, &request.method, &self.entry);
    }

    /// Waits until it is on record that the exchange is about to happen: before an unsafe request goes
    /// upstream, and before any byte of an answer leaves (D12).
    ///
    /// # Errors
    /// It is not on record, so it must not happen.
    pub(crate) async fn before_first_byte(&mut self) -> Result<(), Problem> {
        self.record.announced().await
    }

    /// Puts on record how the exchange ends, with the status and the bytes that are about to leave, and
    /// waits for that: before the last byte leaves (D12).
    ///
    /// # Errors
    /// It is not on record, so the rest must not leave.
    pub(crate) async fn before_last_byte(
        &mut self,
        ending: Ending,
        status: http::StatusCode,
        unsent: usize,
    ) -> Result<(), Problem> {
        let before = (self.entry.status, self.entry.bytes_out);
        self.end(ending);
        self.note_status(status);
        self.note_sent(unsent);
        self.note_duration();
        let recorded = self.record.end(&self.entry).await;
        (self.entry.status, self.entry.bytes_out) = before;
        if recorded.is_err() {
            Ending::Cut.word().clone_into(&mut self.entry.outcome);
        }
        recorded.map(drop)
    }

    /// The receipt that the client is given with its answer, as a header's value; nothing when it gets none.
    pub(crate) fn receipt(&self) -> Option<String> {
        self.record.receipt()
    }

    /// Whether answers carry receipts.
    pub(crate) fn gives_receipts(&self) -> bool {
        self.record.gives_receipts()
    }

    /// The exchange leaves no record, and has ended well: another replica's log was cosigned.
    pub(crate) fn strike(&mut self) {
        self.record.strike();
        self.end(Ending::Allowed);
    }

    /// Which route was asked for, and in which roles.
    pub(crate) fn note_place(&mut self, route: Option<&str>, roles: Vec<String>) {
        self.entry.route = route.map(str::to_owned);
        self.entry.roles = roles;
    }

    /// What the body's pipeline did, and how long it worked.
    pub(crate) fn note_body(&mut self, summary: &BodySummary, worked: Duration) {
        self.entry.withheld.clone_from(&summary.withheld);
        self.cost = BodyCost {
            bytes: summary.bytes_in,
            worked,
        };
    }

    /// What is charged for the exchange, until the answer takes it over.
    pub(crate) fn set_meter(&mut self, meter: Option<Meter>) {
        self.meter = meter;
    }

    /// Hands over what is charged for the exchange.
    pub(crate) fn take_meter(&mut self) -> Option<Meter> {
        self.meter.take()
    }

    /// What was charged to quotas, and how many records were removed because of them.
    pub(crate) fn note_charged(&mut self, charged: Charged, cut: u64) {
        let units = [
            (Unit::Records, charged.records),
            (Unit::Subjects, charged.subjects),
            (Unit::Bytes, charged.bytes),
        ];
        let units = units.into_iter().filter(|(_, units)| *units > 0);
        self.entry.charged = units
            .map(|(unit, units)| (unit.word().to_owned(), units))
            .collect();
        self.entry.records_cut = cut;
    }

    /// A problem was decided on; it may not have reached the client yet.
    pub(crate) fn note_problem(&mut self, slug: &str) {
        self.entry.problem = Some(slug.to_owned());
    }

    /// A head was written to the client.
    pub(crate) fn note_status(&mut self, status: http::StatusCode) {
        self.entry.status = status.as_u16();
    }

    /// Body bytes were written to the client.
    pub(crate) fn note_sent(&mut self, bytes: usize) {
        let bytes = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.entry.bytes_out = self.entry.bytes_out.saturating_add(bytes);
    }

    /// The exchange has ended. What becomes of its connection afterwards is not part of its duration.
    pub(crate) fn end(&mut self, ending: Ending) {
        ending.word().clone_into(&mut self.entry.outcome);
        self.ended = Some(self.clock.monotonic());
    }
}

impl Exchange {
    fn note_duration(&mut self) {
        let ended = self.ended.unwrap_or_else(|| self.clock.monotonic());
        let elapsed = ended.saturating_duration_since(self.started);
        self.entry.duration_us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX);
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        attempt(|| self.note_duration());
        if !attempt(|| self.record.over(&self.entry)) {
            // What has panicked once may not do so again, and without a record nobody knows what left.
            attempt(|| self.record.over(&self.entry));
        }
        attempt(|| self.metrics.exchange_ended(&self.entry, self.cost));
        attempt(|| self.metrics.tap().tell(&self.entry, self.clock.as_ref()));
        let time = Duration::from_micros(self.entry.duration_us);
        attempt(|| self.trace.ended(&self.entry, time, &self.metrics));
        attempt(|| decision_log::write(&self.entry));
    }
}

/// Does one thing of those that an exchange leaves behind; whether it got through. A panic in it keeps none of the others
/// from being done, and does not meet another one on its way, which would end the process.
fn attempt(part: impl FnOnce()) -> bool {
    std::panic::catch_unwind(AssertUnwindSafe(part)).is_ok()
}

impl std::fmt::Debug for Exchange {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exchange")
            .field("id", &self.entry.exchange_id)
            .finish_non_exhaustive()
    }
}

/// 16 random bytes in hexadecimal. Without randomness the id is all zeros: it only serves to find a
/// line again.
pub(crate) fn random_hex() -> String {
    let id = random_id().unwrap_or_else(|| {
        tracing::error!("the operating system gave no random bytes");
        [0; 16]
    });
    format!("{:032x}", u128::from_be_bytes(id))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::time::SystemTime;

    use super::*;
    use crate::clock::SystemClock;
    use crate::telemetry::{Arrival, Tracer};

    #[derive(Debug)]
    struct MovedClock(Instant, Mutex<Duration>);

    impl Clock for MovedClock {
        fn wall(&self) -> SystemTime {
            SystemTime::UNIX_EPOCH
        }

        fn monotonic(&self) -> Instant {
            self.0 + *self.1.lock().unwrap()
        }
    }

    #[test]
    fn lasts_until_it_ends_however_long_its_connection_stays() {
        let clock = Arc::new(MovedClock(SystemClock.monotonic(), Mutex::default()));
        let metrics = Arc::new(Metrics::new().unwrap());
        let pass = |seconds| *clock.1.lock().unwrap() += Duration::from_secs(seconds);
        let arrival = Arrival {
            method: http::Method::GET,
            version: http::Version::HTTP_11,
            scheme: "http",
        };
        let trace = ExchangeTrace::begin(Tracer::default(), arrival, None, (&*clock, &metrics));
        let mut exchange = Exchange::begin(
            Arc::clone(&clock) as Arc<dyn Clock>,
            Arc::clone(&metrics),
            Evidence::off(Arc::new(SystemClock)),
            trace,
            None,
        );
        pass(2);
        exchange.end(Ending::Refused);
        pass(40);
        drop(exchange);
        let families = metrics.registry().gather();
        let seconds = families
            .iter()
            .find(|family| family.name() == "postern_exchange_seconds");
        let sum = seconds.unwrap().get_metric().first().unwrap();
        assert!((sum.get_histogram().get_sample_sum() - 2.0).abs() < 1e-9);
    }
}
