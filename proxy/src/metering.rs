//! Quotas and one exchange: whose counts it draws from, what it is charged, and what a refusal means.
//!
//! ```text
//! decide ─▶ Meter::begin (requests) ─▶ … upstream … ─▶ Meter::charge (records, subjects) ─▶ Meter::bytes ─▶ client
//! ```
//!
//! Guarantees: what the meter does not grant does not leave. A quota that asks for step-up
//! has a second count of the same size for whoever signed in a moment ago, and none beyond it.

mod findings;
mod keeper;
mod listing;

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use postern_config::quota::{OnExceed, Quota, Unit};
use postern_filters::export_meter::{Admitted, Counted, Due, DueSubject, SubjectKey, Who};
use postern_filters::{AppliedQuota, ExchangePlan};

use crate::identity::Recognised;
use crate::metrics::Metrics;
use crate::quota::{self, Applied, Charging, Exceeded, QuotaError, Shortage, Subject};
use crate::respond::{Problem, QuotaRefusal, STEP_UP_AGE_MAX};

pub use keeper::QuotaKeeper;
pub(crate) use listing::{UnknownQuota, known_quota, listing};

/// What is said of a quota's second count in its name.
const STEPPED_UP: &str = "stepped-up";

/// How far an issuer's clock may be ahead of ours.
const SKEW_MAX: Duration = Duration::from_secs(60);

/// The charges of one exchange.
#[derive(Debug)]
pub(crate) struct Meter {
    charging: Charging,
    counted: Counted,
    subject_key: SubjectKey,
    metrics: Arc<Metrics>,
    charged: Charged,
    /// What of that has not left yet.
    waiting: Waiting,
    /// By when the records that were granted last must have left.
    leave_before: Option<Instant>,
}

/// What an exchange was charged.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Charged {
    /// Records.
    pub(crate) records: u64,
    /// Data subjects that did not count before.
    pub(crate) subjects: u64,
    /// Bytes of the body.
    pub(crate) bytes: u64,
}

/// What was charged last, until bytes leave with it.
#[derive(Debug, Clone, Copy, Default)]
struct Waiting {
    records: u64,
    subjects: u64,
    /// How many of the subjects have no name: these can be given back.
    nameless: u64,
}

/// What may leave of what is due.
#[derive(Debug)]
pub(crate) struct Grant {
    /// How much of it.
    pub(crate) admitted: Admitted,
    /// Records past a limit are to be removed.
    pub(crate) cut: bool,
}

impl Meter {
    /// Charges the request, before anything goes upstream. None when no quota applies.
    ///
    /// # Errors
    /// A quota is used up, or nobody can tell.
    pub(crate) async fn begin(
        keeper: &QuotaKeeper,
        plan: &ExchangePlan,
        recognised: &Recognised,
        now: SystemTime,
    ) -> Result<Option<Self>, Problem> {
        if plan.quotas().is_empty() {
            return Ok(None);
        }
        let quotas = keeper.quotas().await?;
        let applied = applied(plan.quotas(), recognised, now);
        let identity = &recognised.identity;
        let credential = recognised.credential.as_ref();
        let who = quota::Who {
            issuer: &identity.issuer,
            subject: &identity.subject,
            tenant: identity.tenant.as_deref(),
            roles: plan.roles(),
            session: credential.map(|credential| credential.session().as_slice()),
        };
        let mut meter = Self {
            counted: counted(plan.quotas()),
            charging: quotas.begin(&applied, &who),
            subject_key: SubjectKey::new(quotas.subject_key()),
            metrics: Arc::clone(keeper.metrics()),
            charged: Charged::default(),
            waiting: Waiting::default(),
            leave_before: None,
        };
        if let Err(error) = meter.charging.requests(plan.may_hold_records()).await {
            return Err(meter.refused(&error));
        }
        if meter.charging.counts(Unit::Requests) {
            meter.metrics.quota_charged(Unit::Requests.word(), 1);
        }
        Ok(Some(meter))
    }

    /// What has to be looked for in the answer.
    pub(crate) fn counted(&self) -> Counted {
        self.counted
    }

    /// What stands for data subjects.
    pub(crate) fn subject_key(&self) -> SubjectKey {
        self.subject_key
    }

    /// What was charged so far.
    pub(crate) fn charged(&self) -> Charged {
        self.charged
    }

    /// Charges what waits in a body. `truncates` says whether records can be cut out of it.
    ///
    /// # Errors
    /// A quota is used up, or nobody can tell. Nothing of it may leave.
    pub(crate) async fn charge(&mut self, due: &Due, truncates: bool) -> Result<Grant, Problem> {
        let shortage = match truncates {
            true => Shortage::Cut,
            false => Shortage::Refuse,
        };
        let subjects: Vec<_> = due.subjects.iter().map(of_ledger).collect();
        let granted = self.charging.due(due.records, &subjects, shortage).await;
        let granted = granted.map_err(|error| self.refused(&error))?;
        self.leave_before = granted.leave_before;
        let all = granted.cut.is_none();
        let stays = |record: Option<u64>| record.is_none_or(|record| record < granted.units);
        let nameless = subjects
            .iter()
            .filter(|due| due.subject == Subject::Nameless && stays(due.record));
        self.waiting = Waiting {
            records: granted.units,
            subjects: granted.subjects,
            nameless: u64::try_from(nameless.count()).unwrap_or(u64::MAX),
        };
        self.charged.records = self.charged.records.saturating_add(granted.units);
        self.charged.subjects = self.charged.subjects.saturating_add(granted.subjects);
        if let Some(exceeded) = &granted.cut {
            self.metrics.quota_denied(&exceeded.applied.quota.name);
        }
        Ok(Grant {
            admitted: match all {
                true => Admitted::All,
                false => Admitted::Records(granted.units),
            },
            cut: !all,
        })
    }

    /// Charges bytes that are about to leave, with the records that were granted last in them.
    ///
    /// # Errors
    /// A quota is used up, or nobody can tell; or that took so long that the records' bucket has ended.
    /// Nothing of them may leave, and what can be given back of their charge was given back.
    pub(crate) async fn bytes(&mut self, bytes: u64) -> Result<(), Problem> {
        if bytes > 0 {
            if let Err(error) = self.charging.bytes(bytes).await {
                self.give_back().await;
                return Err(self.refused(&error));
            }
            if !self.charging.has_time(self.leave_before.take()) {
                self.give_back().await;
                return Err(Problem::StoreUnavailable);
            }
        }
        self.charged.bytes = self.charged.bytes.saturating_add(bytes);
        let left = std::mem::take(&mut self.waiting);
        self.note(Unit::Records, left.records);
        self.note(Unit::Subjects, left.subjects);
        self.note(Unit::Bytes, bytes);
        Ok(())
    }

    /// Gives back what was granted last, because nothing of it leaves. Data subjects with a name stay charged:
    /// somebody else may rely on them.
    pub(crate) async fn give_back(&mut self) {
        self.charging.undo().await;
        let back = std::mem::take(&mut self.waiting);
        self.charged.records = self.charged.records.saturating_sub(back.records);
        self.charged.subjects = self.charged.subjects.saturating_sub(back.nameless);
        let stays = back.subjects.saturating_sub(back.nameless);
        self.note(Unit::Subjects, stays);
    }

    fn note(&self, unit: Unit, units: u64) {
        if units > 0 && self.charging.counts(unit) {
            self.metrics.quota_charged(unit.word(), units);
        }
    }

    /// What the client is told.
    fn refused(&self, error: &QuotaError) -> Problem {
        match error {
            QuotaError::StoreDown { .. } => Problem::StoreUnavailable,
            QuotaError::Exceeded(exceeded) => {
                self.metrics.quota_denied(&exceeded.applied.quota.name);
                Problem::Quota(Box::new(refusal(exceeded)))
            }
        }
    }
}

/// A data subject as the ledger takes it.
fn of_ledger(due: &DueSubject) -> quota::DueSubject {
    quota::DueSubject {
        record: due.record,
        subject: match due.who {
            Who::Known(hash) => Subject::Known(hash),
            Who::Nameless => Subject::Nameless,
        },
    }
}

/// What a quota that does not allow it means for the client.
fn refusal(exceeded: &Exceeded) -> QuotaRefusal {
    let Applied { quota, limit } = &exceeded.applied;
    let fits = exceeded.needed <= *limit;
    QuotaRefusal {
        name: quota.name.clone(),
        unit: quota.unit,
        limit: *limit,
        left: exceeded.left,
        fits,
        window: quota.window,
        reset: exceeded.reset_after,
        // The count that signing in opens is no larger.
        step_up: quota.on_exceed == OnExceed::StepUp && fits,
    }
}

/// What has to be looked for so that all of these can be charged.
fn counted(quotas: &[AppliedQuota]) -> Counted {
    let any = |wanted: fn(&Quota) -> bool| quotas.iter().any(|applied| wanted(&applied.quota));
    Counted {
        records: any(|quota| quota.unit == Unit::Records),
        subjects: any(|quota| quota.unit == Unit::Subjects),
        bytes: any(|quota| quota.unit == Unit::Bytes),
        truncates: any(|quota| quota.on_exceed == OnExceed::Truncate),
    }
}

/// The quotas as they bind this exchange. Whoever signed in a moment ago draws from the second count of
/// those that ask for it, and that one is not opened again by signing in.
fn applied(quotas: &[AppliedQuota], recognised: &Recognised, now: SystemTime) -> Vec<Applied> {
    let signed_in = recognised
        .credential
        .as_ref()
        .and_then(|credential| credential.signed_in());
    let fresh = signed_in.is_some_and(|at| match now.duration_since(at) {
        Ok(age) => age <= STEP_UP_AGE_MAX,
        Err(ahead) => ahead.duration() <= SKEW_MAX,
    });
    let bind = |AppliedQuota { quota, limit }: &AppliedQuota| Applied {
        quota: match quota.on_exceed == OnExceed::StepUp && fresh {
            true => Arc::new(stepped_up(quota)),
            false => Arc::clone(quota),
        },
        limit: *limit,
    };
    quotas.iter().map(bind).collect()
}

fn stepped_up(quota: &Quota) -> Quota {
    Quota {
        name: format!("{} {STEPPED_UP}", quota.name),
        on_exceed: OnExceed::Deny,
        ..quota.clone()
    }
}
