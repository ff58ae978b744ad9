//! One count as this process knows it: a warm lease, and the way to top it up.
//!
//! Spending from a warm lease takes no lock. When it is dry, one task at a time asks the ledger; that
//! task outlives the exchange that started it, so that a client who goes away loses nothing of what
//! was granted.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use tokio::sync::oneshot;

use super::bank::Bank;
use super::key::QuotaKey;
use super::known::KnownSubjects;
use super::lease::Lease;
use super::ledger::{Ask, News, StoreError};
use super::quotas::QuotaFinding;
use super::terms::Terms;

/// How often a grant that came too late for its bucket is asked for anew.
pub(super) const TRIES_MAX: u32 = 4;
/// A lease is at most this part of the limit.
const LEASES_PER_LIMIT: u64 = 20;

/// See the module's documentation.
#[derive(Debug)]
pub(super) struct Account {
    pub(super) key: QuotaKey,
    pub(super) terms: Terms,
    pub(super) known: KnownSubjects,
    lease: ArcSwap<Lease>,
    single_flight: tokio::sync::Mutex<()>,
    asking_ahead: AtomicBool,
    /// How many calls the ledger did not answer.
    failures: AtomicU64,
    tally: Mutex<Tally>,
    touched_second: AtomicU64,
}

/// What the ledger said last.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally {
    /// The usage, with what is leased.
    pub(super) used: u64,
    /// When something may be granted again.
    pub(super) resets_at: Option<Instant>,
}

impl Tally {
    /// How long it is until something may be granted again.
    pub(super) fn reset_after(&self, now: Instant) -> Duration {
        self.resets_at
            .map(|at| at.saturating_duration_since(now))
            .unwrap_or_default()
    }
}

/// Units that were spent of a lease.
#[derive(Debug)]
pub(super) struct Spent {
    pub(super) lease: Arc<Lease>,
    pub(super) units: u64,
}

/// What is wanted of an account.
#[derive(Debug, Clone, Copy)]
pub(super) struct Want {
    /// How many units.
    pub(super) units: u64,
    /// Whether fewer are welcome.
    pub(super) partial: bool,
    /// Whether the lease may be spent without asking the ledger.
    pub(super) trusting: bool,
}

/// Why nothing was spent.
#[derive(Debug, Clone, Copy)]
pub(super) enum Unspent {
    /// The limit does not allow it.
    Refused,
    /// The ledger does not answer.
    Down(StoreError),
}

impl Account {
    pub(super) fn new(key: QuotaKey, terms: Terms) -> Self {
        Self {
            key,
            terms,
            known: KnownSubjects::default(),
            lease: ArcSwap::from_pointee(Lease::none()),
            single_flight: tokio::sync::Mutex::default(),
            asking_ahead: AtomicBool::new(false),
            failures: AtomicU64::new(0),
            tally: Mutex::default(),
            touched_second: AtomicU64::new(0),
        }
    }

    /// Spends from the warm lease, if that is enough. It takes no lock and never waits.
    pub(super) fn spend_warm(
        self: &Arc<Self>,
        bank: &Arc<Bank>,
        units: u64,
        now: Instant,
    ) -> Option<Spent> {
        let lease = self.lease.load_full();
        let left = lease.spend(units, now)?;
        if lease.is_low(left) && !self.asking_ahead.swap(true, Ordering::AcqRel) {
            let (account, bank) = (Arc::clone(self), Arc::clone(bank));
            tokio::spawn(async move { account.ask_ahead(&bank).await });
        }
        Some(Spent { lease, units })
    }

    /// Spends, and asks the ledger for what the lease does not hold.
    pub(super) async fn spend(
        self: &Arc<Self>,
        bank: &Arc<Bank>,
        want: Want,
    ) -> Result<Spent, Unspent> {
        let (reply, answer) = oneshot::channel();
        let (account, bank) = (Arc::clone(self), Arc::clone(bank));
        tokio::spawn(async move {
            let spending = account.ask(&bank, want).await;
            if let Err(Ok(spent)) = reply.send(spending) {
                account.put_back(&bank, &spent.lease, spent.units).await;
            }
        });
        answer
            .await
            .unwrap_or(Err(Unspent::Down(StoreError::Unavailable)))
    }

    /// Puts back what was spent and has not left.
    pub(super) async fn put_back(&self, bank: &Bank, lease: &Lease, units: u64) {
        if units > 0 && !lease.put_back(units) {
            bank.give_back(&self.key, lease.mark(), units).await;
        }
    }

    /// Closes the lease and returns what is left of it.
    pub(super) async fn return_lease(&self, bank: &Bank) {
        let _single_flight = self.single_flight.lock().await;
        let lease = self.lease.load_full();
        bank.give_back(&self.key, lease.mark(), lease.close()).await;
    }

    /// Forgets the lease and whom the ledger admitted: after a reset neither is charged to anybody.
    pub(super) async fn forget(&self) {
        let _single_flight = self.single_flight.lock().await;
        self.lease.load().close();
        self.known.forget();
        *self.lock() = Tally::default();
    }

    /// Whether the bucket of the lease has ended.
    pub(super) fn is_stale(&self, now: Instant) -> bool {
        let lease = self.lease.load();
        lease.left() > 0 && !lease.is_good(now)
    }

    /// Notes that an exchange uses the account now, in seconds of any steady count.
    pub(super) fn touch(&self, second: u64) {
        self.touched_second.store(second, Ordering::Relaxed);
    }

    /// When an exchange last began to use the account.
    pub(super) fn touched_second(&self) -> u64 {
        self.touched_second.load(Ordering::Relaxed)
    }

    /// How many units are leased and not spent.
    pub(super) fn leased(&self) -> u64 {
        self.lease.load().left()
    }

    pub(super) fn tally(&self) -> Tally {
        *self.lock()
    }

    /// Notes what the ledger said, and tells what is worth telling.
    pub(super) fn note(&self, bank: &Bank, used: u64, resets_at: Instant, news: News) {
        *self.lock() = Tally {
            used,
            resets_at: Some(resets_at),
        };
        let (key, limit) = (&self.key, self.terms.limit);
        if news.warned {
            bank.tell(&QuotaFinding::Warned { key, limit, used });
        }
        if news.exceeded {
            bank.tell(&QuotaFinding::Exceeded { key, limit, used });
        }
    }

    async fn ask(&self, bank: &Bank, want: Want) -> Result<Spent, Unspent> {
        let failures = self.failures.load(Ordering::Acquire);
        let _single_flight = self.single_flight.lock().await;
        for _ in 0..TRIES_MAX {
            let old = self.lease.load_full();
            if want.trusting && old.spend(want.units, bank.now()).is_some() {
                let units = want.units;
                return Ok(Spent { lease: old, units });
            }
            // Whoever stood behind a call without an answer does not wait for another one.
            if self.failures.load(Ordering::Acquire) != failures {
                return Err(Unspent::Down(StoreError::Unavailable));
            }
            if let Some(outcome) = self.refill(bank, &old, want).await {
                return outcome;
            }
        }
        Err(Unspent::Down(StoreError::Timeout))
    }

    /// Replaces the lease by one that holds what is wanted, and spends it. None when the answer came
    /// too late for its bucket.
    async fn refill(&self, bank: &Bank, old: &Lease, want: Want) -> Option<Result<Spent, Unspent>> {
        let held = self.take_over(bank, old).await;
        let need = want.units.saturating_sub(held);
        let ask = Ask {
            need,
            wish: need.saturating_add(self.spare()),
            partial: want.partial,
        };
        let asked_at = bank.now();
        let taken = match bank.take(&self.key, &self.terms, ask).await {
            Ok(taken) => taken,
            Err(error) => {
                if let Some(end) = old.good_until() {
                    self.replace(Lease::new(held, old.mark(), end));
                }
                self.failures.fetch_add(1, Ordering::AcqRel);
                return Some(Err(Unspent::Down(error)));
            }
        };
        self.note(bank, taken.used, asked_at + taken.reset_after, taken.news);
        let same_bucket = taken.mark == old.mark();
        if !same_bucket {
            bank.give_back(&self.key, old.mark(), held).await;
        }
        let total = taken
            .granted
            .saturating_add(if same_bucket { held } else { 0 });
        let good_until = asked_at + taken.good_for;
        let units = want.units.min(total);
        let lacks = units < want.units && !want.partial || units == 0 && want.units > 0;
        let refused = lacks && taken.granted < need;
        let late = bank.now() >= good_until || units < want.units && taken.granted >= need;
        let spent = if refused || late { 0 } else { units };
        let lease = self.replace(Lease::new(
            total.saturating_sub(spent),
            taken.mark,
            good_until,
        ));
        match (refused, late) {
            (true, _) => Some(Err(Unspent::Refused)),
            (false, true) => None,
            (false, false) => Some(Ok(Spent { lease, units })),
        }
    }

    /// Asks for more before the lease is dry, so that nobody has to wait.
    async fn ask_ahead(&self, bank: &Bank) {
        let _single_flight = self.single_flight.lock().await;
        let ask = Ask {
            need: 0,
            wish: self.spare(),
            partial: true,
        };
        let asked_at = bank.now();
        if let Ok(taken) = bank.take(&self.key, &self.terms, ask).await {
            self.note(bank, taken.used, asked_at + taken.reset_after, taken.news);
            let old = self.lease.load_full();
            let mut total = taken.granted;
            if taken.mark == old.mark() {
                total = total.saturating_add(old.close());
            } else {
                bank.give_back(&self.key, old.mark(), old.close()).await;
            }
            self.replace(Lease::new(total, taken.mark, asked_at + taken.good_for));
        }
        self.asking_ahead.store(false, Ordering::Release);
    }

    /// Closes a lease and says how much of it may still be spent; what may not is returned.
    async fn take_over(&self, bank: &Bank, lease: &Lease) -> u64 {
        let held = lease.close();
        if lease.is_good(bank.now()) {
            return held;
        }
        bank.give_back(&self.key, lease.mark(), held).await;
        0
    }

    /// Puts another lease in place. INVARIANT: the one it replaces was closed by the caller, who holds
    /// the single flight, so that nothing of it is lost.
    fn replace(&self, lease: Lease) -> Arc<Lease> {
        let lease = Arc::new(lease);
        self.lease.store(Arc::clone(&lease));
        lease
    }

    const fn spare(&self) -> u64 {
        self.terms.limit / LEASES_PER_LIMIT
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Tally> {
        // The tally is only ever replaced whole: a panic elsewhere leaves it readable.
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
