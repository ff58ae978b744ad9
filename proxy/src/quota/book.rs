//! The rules of one count, without any store: what counts, what may be granted, what to tell.
//!
//! The embedded store keeps books as they are here; the shared store's scripts follow the same rules
//! in their own language, and the conformance tests hold both to them.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use super::ledger::{Ask, Mark, News, StoreError, Subject, Taken};
use super::terms::{LIMIT_MAX, PastLimit, Terms};

/// How many entries of data subjects are kept per unit of the limit.
pub(super) const ENTRIES_PER_LIMIT: u64 = 4;

/// One count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Book {
    /// The number under which the store keeps its data subjects.
    pub(super) id: u64,
    /// Which life of the count this is.
    pub(super) generation: u64,
    /// The window it was last counted over, in milliseconds.
    pub(super) window_ms: u64,
    /// The last end of a bucket that anything was charged to, in milliseconds of ledger time.
    pub(super) last_end_ms: u64,
    /// Until when no further warning is due.
    pub(super) warned_until_ms: u64,
    /// Until when no further excess is told.
    pub(super) exceeded_until_ms: u64,
    /// How many named data subjects count.
    pub(super) named: u64,
    /// The units of each bucket, by its end.
    pub(super) buckets: BTreeMap<u64, u64>,
}

/// Which data subjects a charge would add.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// How many of them are admitted, from the first.
    pub(super) admitted: usize,
    /// Those that have to be written, whether they count already or not.
    pub(super) named: Vec<u64>,
    /// How many of these do not count yet.
    pub(super) fresh: u64,
    /// How many are nameless.
    pub(super) nameless: u64,
}

impl Book {
    /// A count of which nothing is in use.
    pub(super) const fn new(id: u64, generation: u64) -> Self {
        Self {
            id,
            generation,
            window_ms: 0,
            last_end_ms: 0,
            warned_until_ms: 0,
            exceeded_until_ms: 0,
            named: 0,
            buckets: BTreeMap::new(),
        }
    }

    /// Drops what counts no more under this window.
    pub(super) fn turn_to(&mut self, now_ms: u64, window_ms: u64) {
        self.window_ms = window_ms;
        self.buckets
            .retain(|end_ms, _| !is_over(*end_ms, window_ms, now_ms));
    }

    /// What counts now.
    pub(super) fn used(&self) -> u64 {
        let units = self.buckets.values();
        let sum = units.fold(self.named, |sum, units| sum.saturating_add(*units));
        sum.min(LIMIT_MAX)
    }

    /// Whether nothing counts any more, nor will be returned.
    pub(super) const fn is_over(&self, now_ms: u64) -> bool {
        is_over(self.last_end_ms, self.window_ms, now_ms)
    }

    /// Charges units. `sharers` is into how many shares the rest is divided.
    pub(super) fn take(&mut self, now_ms: u64, terms: &Terms, ask: Ask, sharers: u64) -> Taken {
        self.turn_to(now_ms, terms.window_ms());
        let remaining = terms.limit.saturating_sub(self.used());
        let granted = match terms.past_limit {
            PastLimit::Counted => ask.wish.max(ask.need),
            PastLimit::Refused => grant(remaining, ask, sharers),
        };
        let refused = granted < ask.need;
        let fits_after = self.fits_after(now_ms, terms, ask.need);
        let mark = self.charge(now_ms, terms, granted);
        Taken {
            granted,
            mark,
            good_for: Duration::from_millis(mark.bucket_end_ms.saturating_sub(now_ms)),
            used: self.used(),
            reset_after: if refused {
                fits_after
            } else {
                self.frees_after(now_ms)
            },
            news: self.news(now_ms, terms, refused),
        }
    }

    /// Returns units of a bucket that still counts.
    pub(super) fn give_back(&mut self, mark: Mark, unused: u64) {
        if mark.generation != self.generation {
            return;
        }
        if let Some(units) = self.buckets.get_mut(&mark.bucket_end_ms) {
            *units = units.saturating_sub(unused);
        }
    }

    /// Adds units to the bucket that is open now.
    pub(super) fn charge(&mut self, now_ms: u64, terms: &Terms, units: u64) -> Mark {
        let bucket_end_ms = terms.bucket_end_ms(now_ms);
        self.last_end_ms = self.last_end_ms.max(bucket_end_ms);
        if units > 0 {
            let bucket = self.buckets.entry(bucket_end_ms).or_default();
            *bucket = bucket.saturating_add(units).min(LIMIT_MAX);
        }
        Mark {
            bucket_end_ms,
            generation: self.generation,
        }
    }

    /// How far data subjects would be admitted. `counts` says whether a named one counts already.
    pub(super) fn plan(
        &self,
        terms: &Terms,
        subjects: &[Subject],
        mut counts: impl FnMut(u64) -> Result<bool, StoreError>,
    ) -> Result<Plan, StoreError> {
        let remaining = terms.limit.saturating_sub(self.used());
        let room = terms
            .limit
            .saturating_mul(ENTRIES_PER_LIMIT)
            .saturating_sub(self.named);
        let mut plan = Plan::default();
        let mut seen = HashSet::new();
        for subject in subjects {
            let known = match subject {
                Subject::Known(hash) => seen.contains(hash) || counts(*hash)?,
                Subject::Nameless => false,
            };
            let cost = plan.fresh.saturating_add(plan.nameless);
            if !known && terms.past_limit == PastLimit::Refused && cost >= remaining {
                break;
            }
            plan.admitted = plan.admitted.saturating_add(1);
            match subject {
                Subject::Known(hash) if known || plan.fresh < room => {
                    if seen.insert(*hash) {
                        plan.named.push(*hash);
                    }
                    plan.fresh = plan.fresh.saturating_add(u64::from(!known));
                }
                Subject::Known(_) | Subject::Nameless => {
                    plan.nameless = plan.nameless.saturating_add(1);
                }
            }
        }
        Ok(plan)
    }

    /// What should be told of the usage now, and of what was refused.
    pub(super) fn news(&mut self, now_ms: u64, terms: &Terms, refused: bool) -> News {
        let used = self.used();
        let until_ms = now_ms.saturating_add(terms.window_ms());
        let warned = used > 0
            && terms.warn_from.is_some_and(|from| used >= from)
            && now_ms >= self.warned_until_ms;
        if warned {
            self.warned_until_ms = until_ms;
        }
        let past = terms.past_limit == PastLimit::Counted && used > terms.limit;
        let exceeded = (refused || past) && now_ms >= self.exceeded_until_ms;
        if exceeded {
            self.exceeded_until_ms = until_ms;
        }
        News { warned, exceeded }
    }

    /// How long it is until the first bucket leaves the window; zero when none counts.
    pub(super) fn frees_after(&self, now_ms: u64) -> Duration {
        let first = self.buckets.keys().next();
        let free_at_ms = first.map_or(now_ms, |end_ms| end_ms.saturating_add(self.window_ms));
        Duration::from_millis(free_at_ms.saturating_sub(now_ms))
    }

    /// How long it is until `need` units fit: until enough buckets have left the window. More than the
    /// limit never fits; that is answered as if the count were empty by then.
    pub(super) fn fits_after(&self, now_ms: u64, terms: &Terms, need: u64) -> Duration {
        let mut used = self.used();
        let mut free_at_ms = now_ms;
        for (end_ms, units) in &self.buckets {
            if used.saturating_add(need) <= terms.limit {
                break;
            }
            used = used.saturating_sub(*units);
            free_at_ms = end_ms.saturating_add(self.window_ms);
        }
        Duration::from_millis(free_at_ms.saturating_sub(now_ms))
    }
}

/// Whether what was charged to a bucket counts no more: its end is a window ago.
pub(super) const fn is_over(end_ms: u64, window_ms: u64, now_ms: u64) -> bool {
    end_ms.saturating_add(window_ms) <= now_ms
}

/// How many of the remaining units are granted: what is needed, and of what is liked beyond that at
/// most one part in twice the sharers. So the last units are granted one by one.
fn grant(remaining: u64, ask: Ask, sharers: u64) -> u64 {
    match remaining.checked_sub(ask.need) {
        Some(rest) => {
            let share = rest / sharers.saturating_mul(2).max(1);
            let spare = ask.wish.saturating_sub(ask.need).min(share);
            ask.need.saturating_add(spare)
        }
        None if ask.partial => remaining,
        None => 0,
    }
}
