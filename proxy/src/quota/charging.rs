//! What one exchange is charged: all of its quotas, or none of them.
//!
//! A charge goes through every quota of its unit in turn. When one refuses, what the others granted is
//! put back. Data subjects come last, because what was charged for those with a name cannot be put back
//! without the risk that somebody else relied on it: where several quotas count them, all are asked before any
//! is charged. What was granted must leave before the bucket ends that it was charged to; that is
//! checked once more when everything is granted, and a charge that came too late is made anew.

mod outcome;
mod subjects;

use std::sync::Arc;
use std::time::Instant;

use super::account::{Account, Spent, TRIES_MAX, Tally, Unspent, Want};
use super::bank::Bank;
use super::ledger::{Mark, StoreError};
use super::terms::{Applied, IfStoreIsDown, OnExceed, Unit};

pub use outcome::{Exceeded, Granted, QuotaError, Shortage, Standing};
pub use subjects::DueSubject;

/// The charges of one exchange. It holds no units of its own: what is charged is charged when it is
/// due, and what an account has leased stays there for the next exchange. It runs on a Tokio runtime.
#[derive(Debug)]
pub struct Charging {
    bank: Arc<Bank>,
    counts: Vec<Count>,
    /// What the last call charged: it may be undone until the next. Bytes come on top of the records that
    /// leave in them.
    last: Vec<(usize, Spent)>,
    /// The nameless data subjects among that.
    nameless: Vec<(usize, Mark, u64)>,
    /// The last call was [`Self::due`]: what it charged leaves with the bytes that are charged next.
    without_bytes: bool,
}

/// One quota of the exchange.
#[derive(Debug)]
struct Count {
    applied: Applied,
    account: Arc<Account>,
}

/// A charge that did not come about.
enum Failed {
    /// Somebody refused it.
    Error(QuotaError),
    /// It came too late for its bucket.
    Late,
}

impl Charging {
    pub(super) fn new(bank: Arc<Bank>, counts: Vec<(Applied, Arc<Account>)>) -> Self {
        let count = |(applied, account)| Count { applied, account };
        Self {
            bank,
            counts: counts.into_iter().map(count).collect(),
            last: Vec::new(),
            nameless: Vec::new(),
            without_bytes: false,
        }
    }

    /// Charges one request, and refuses it when a quota of bytes has nothing left, or one of records where
    /// the answer may hold `records`. Call it once, before anything goes upstream.
    ///
    /// # Errors
    /// See [`QuotaError`]. Nothing was charged.
    pub async fn requests(&mut self, records: bool) -> Result<Granted, QuotaError> {
        self.keep();
        let units = [(Unit::Records, records), (Unit::Bytes, true)];
        for (unit, _) in units.into_iter().filter(|(_, probed)| *probed) {
            let probe = self.charge(unit, 1).await;
            self.undo().await;
            probe.map(drop)?;
        }
        self.charge(Unit::Requests, 1).await
    }

    /// Charges bytes before they leave. Right after [`Self::due`] they are those that hold what it charged:
    /// [`Self::undo`] puts both back.
    ///
    /// # Errors
    /// See [`QuotaError`]. No bytes were charged. What is due stays charged, unless it is undone.
    pub async fn bytes(&mut self, bytes: u64) -> Result<Granted, QuotaError> {
        if !std::mem::take(&mut self.without_bytes) {
            self.keep();
        }
        self.charge(Unit::Bytes, bytes).await
    }

    /// Charges records and their data subjects before they leave. With [`Shortage::Cut`] the quotas
    /// that truncate grant the longest run of records from the first that all quotas allow, and only
    /// what is granted is charged; the others refuse all or nothing.
    ///
    /// # Errors
    /// See [`QuotaError`]. No records were charged. Data subjects may have been, where several quotas
    /// count them and one was used up at the same moment.
    pub async fn due(
        &mut self,
        records: u64,
        subjects: &[DueSubject],
        shortage: Shortage,
    ) -> Result<Granted, QuotaError> {
        self.keep();
        self.without_bytes = true;
        if subjects.is_empty() && shortage == Shortage::Refuse {
            return self.charge(Unit::Records, records).await;
        }
        // What a try that came too late has charged for a name costs nothing in the next.
        let mut cost = 0;
        for _ in 0..TRIES_MAX {
            let due = self.try_due(records, subjects, shortage, &mut cost);
            match due.await {
                Ok(granted) => return Ok(granted),
                Err(Failed::Error(error)) => {
                    self.undo().await;
                    return Err(error);
                }
                Err(Failed::Late) => self.undo().await,
            }
        }
        Err(self.late(Unit::Records))
    }

    /// Puts back what the last call charged, and for bytes what was due before them, because nothing of it
    /// left and nothing will. Data subjects with a name stay charged. Calling it again does nothing.
    pub async fn undo(&mut self) {
        self.undo_to(0).await;
        while let Some((index, mark, units)) = self.nameless.pop() {
            if let Some(count) = self.counts.get(index) {
                self.bank.give_back(&count.account.key, mark, units).await;
            }
        }
    }

    /// Puts back all units of the last call but the first so many charges.
    async fn undo_to(&mut self, charges: usize) {
        while self.last.len() > charges
            && let Some((index, spent)) = self.last.pop()
        {
            if let Some(count) = self.counts.get(index) {
                let (bank, account) = (&self.bank, &count.account);
                account.put_back(bank, &spent.lease, spent.units).await;
            }
        }
    }

    /// What the last call charged has left: it stays charged.
    fn keep(&mut self) {
        self.last.clear();
        self.nameless.clear();
        self.without_bytes = false;
    }

    /// How much is left of each quota, as far as that is known without asking.
    #[must_use]
    pub fn standing(&self) -> Vec<Standing> {
        let counts = self.counts.iter();
        counts.map(|count| count.standing(&self.bank)).collect()
    }

    /// Whether any quota counts this unit.
    #[must_use]
    pub fn counts(&self, unit: Unit) -> bool {
        self.counts
            .iter()
            .any(|count| count.applied.quota.unit == unit)
    }

    /// Charges one unit, all quotas or none, on top of what was charged before.
    async fn charge(&mut self, unit: Unit, units: u64) -> Result<Granted, QuotaError> {
        let before = self.last.len();
        for _ in 0..TRIES_MAX {
            match self.try_charge(unit, units).await {
                Ok(granted) => return Ok(granted),
                Err(Failed::Error(error)) => {
                    self.undo_to(before).await;
                    return Err(error);
                }
                Err(Failed::Late) => self.undo_to(before).await,
            }
        }
        Err(self.late(unit))
    }

    async fn try_charge(&mut self, unit: Unit, units: u64) -> Result<Granted, Failed> {
        // PERF: quota::speed. Warm leases take no time worth a second look at the clock.
        let now = self.bank.now();
        let mut waited = false;
        let mut until = None;
        for index in 0..self.counts.len() {
            let Some(count) = self.counts.get(index) else {
                break;
            };
            if count.applied.quota.unit != unit {
                continue;
            }
            let spent = match count.spend_warm(&self.bank, units, now) {
                Some(spent) => spent,
                None => {
                    waited = true;
                    count.spend(&self.bank, units, false, now).await?
                }
            };
            until = earlier(until, spent.lease.good_until());
            self.last.push((index, spent));
        }
        if waited {
            self.in_time(until)?;
        }
        Ok(Granted {
            units,
            subjects: 0,
            cut: None,
            leave_before: until,
        })
    }

    /// Whether what was granted may still leave: see [`Granted::leave_before`].
    #[must_use]
    pub fn has_time(&self, leave_before: Option<Instant>) -> bool {
        self.in_time(leave_before).is_ok()
    }

    /// Whether there is still time for what was granted.
    fn in_time(&self, leave_before: Option<Instant>) -> Result<(), Failed> {
        let late = leave_before.is_some_and(|end| end <= self.bank.now());
        if late { Err(Failed::Late) } else { Ok(()) }
    }

    /// The store took too long, again and again.
    fn late(&self, unit: Unit) -> QuotaError {
        let mut counts = self.counts.iter();
        let count = counts.find(|count| count.applied.quota.unit == unit);
        QuotaError::StoreDown {
            applied: count
                .or_else(|| self.counts.first())
                .map(|count| count.applied.clone()),
            error: StoreError::Timeout,
        }
    }
}

impl Count {
    /// Spends units of one quota from the warm lease, if that is enough and may be trusted.
    fn spend_warm(&self, bank: &Arc<Bank>, units: u64, now: Instant) -> Option<Spent> {
        let warm = self.is_trusting(bank);
        warm.then(|| self.account.spend_warm(bank, units, now))
            .flatten()
    }

    /// Spends units of one quota: from the warm lease, or by asking.
    async fn spend(
        &self,
        bank: &Arc<Bank>,
        units: u64,
        partial: bool,
        now: Instant,
    ) -> Result<Spent, Failed> {
        if let Some(spent) = self.spend_warm(bank, units, now) {
            return Ok(spent);
        }
        let want = Want {
            units,
            partial,
            trusting: self.is_trusting(bank),
        };
        let spending = self.account.spend(bank, want).await;
        spending.map_err(|unspent| Failed::Error(self.error(bank, units, unspent)))
    }

    fn error(&self, bank: &Bank, needed: u64, unspent: Unspent) -> QuotaError {
        match unspent {
            Unspent::Refused => QuotaError::Exceeded(self.exceeded(bank, needed)),
            Unspent::Down(error) => QuotaError::StoreDown {
                applied: Some(self.applied.clone()),
                error,
            },
        }
    }

    /// Whether what is leased may be spent although the store may not answer.
    fn is_trusting(&self, bank: &Bank) -> bool {
        match self.applied.quota.if_store_is_down {
            IfStoreIsDown::Deny => !bank.is_down(),
            IfStoreIsDown::LocalShare => true,
        }
    }

    /// Whether it would rather cut a document than refuse it.
    fn truncates(&self) -> bool {
        self.applied.quota.on_exceed == OnExceed::Truncate
    }

    fn exceeded(&self, bank: &Bank, needed: u64) -> Exceeded {
        let tally = self.account.tally();
        Exceeded {
            applied: self.applied.clone(),
            used: tally.used,
            // Somebody may have returned units since, which does not make the refusal another.
            left: self.left(tally).min(needed.saturating_sub(1)),
            needed,
            reset_after: tally.reset_after(bank.now()),
        }
    }

    fn standing(&self, bank: &Bank) -> Standing {
        let tally = self.account.tally();
        Standing {
            applied: self.applied.clone(),
            remaining: self.left(tally),
            reset_after: tally.reset_after(bank.now()),
        }
    }

    /// What is left, and what is leased of what is not.
    fn left(&self, tally: Tally) -> u64 {
        let free = self.account.terms.limit.saturating_sub(tally.used);
        free.saturating_add(self.account.leased())
    }
}

/// The earlier of two moments, either of which may be never.
fn earlier(one: Option<Instant>, other: Option<Instant>) -> Option<Instant> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}
