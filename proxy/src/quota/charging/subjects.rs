//! Records and their data subjects: how far all quotas go, and then the charge.

use std::collections::HashSet;
use std::time::Instant;

use super::{Charging, Count, Exceeded, Failed, Granted, QuotaError, Shortage, earlier};
use crate::quota::account::Unspent;
use crate::quota::bank::Bank;
use crate::quota::ledger::{Admission, AdmitMode, Subject};
use crate::quota::terms::{PastLimit, Unit};

/// A data subject that is due, with the record that names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DueSubject {
    /// The ordinal of its record among the due ones, from 0. None when it is of none of them: then it
    /// leaves however many of them are granted.
    pub record: Option<u64>,
    /// Who it is.
    pub subject: Subject,
}

/// What a charge has come to so far.
struct Extent {
    records: u64,
    subjects: Vec<DueSubject>,
    cut: Option<Exceeded>,
    until: Option<Instant>,
}

impl Extent {
    /// The run of records ends here: so do the data subjects of those that come later.
    fn cut_at(&mut self, records: u64, exceeded: Exceeded) {
        self.cut = Some(exceeded);
        self.records = self.records.min(records);
        let records = self.records;
        self.subjects
            .retain(|due| due.record.is_none_or(|record| record < records));
    }

    fn subjects(&self) -> Vec<Subject> {
        self.subjects.iter().map(|due| due.subject).collect()
    }
}

impl Charging {
    /// Charges records and subjects once. `cost` rises to what the subjects have cost.
    pub(super) async fn try_due(
        &mut self,
        records: u64,
        subjects: &[DueSubject],
        shortage: Shortage,
        cost: &mut u64,
    ) -> Result<Granted, Failed> {
        let began = self.bank.now();
        let mut extent = Extent {
            records,
            subjects: subjects.to_vec(),
            cut: None,
            until: None,
        };
        if shortage == Shortage::Cut {
            self.spend_records(&mut extent, true, began).await?;
            self.cut_to_subjects(&mut extent).await?;
            self.trim(extent.records).await;
            self.spend_records(&mut extent, false, began).await?;
        } else {
            for truncating in [true, false] {
                self.spend_all(&mut extent, truncating, began).await?;
            }
        }
        self.look_before_admitting(&extent).await?;
        self.admit(&mut extent, shortage, cost).await?;
        self.in_time(extent.until)?;
        Ok(Granted {
            units: extent.records,
            subjects: *cost,
            cut: extent.cut,
            leave_before: extent.until,
        })
    }

    /// Spends of the quotas that truncate what there is, or of the others what is due.
    async fn spend_records(
        &mut self,
        extent: &mut Extent,
        truncating: bool,
        now: Instant,
    ) -> Result<(), Failed> {
        if !truncating {
            return self.spend_all(extent, false, now).await;
        }
        for index in 0..self.counts.len() {
            let Some(count) = self.counts.get(index) else {
                break;
            };
            if count.applied.quota.unit != Unit::Records || !count.truncates() {
                continue;
            }
            match count.spend(&self.bank, extent.records, true, now).await {
                Ok(spent) => {
                    if spent.units < extent.records {
                        extent.cut_at(spent.units, count.exceeded(&self.bank, extent.records));
                    }
                    extent.until = earlier(extent.until, spent.lease.good_until());
                    self.last.push((index, spent));
                }
                Err(Failed::Error(QuotaError::Exceeded(exceeded))) => {
                    extent.cut_at(0, exceeded);
                }
                Err(failed) => return Err(failed),
            }
        }
        Ok(())
    }

    /// Spends what is due, of the quotas that truncate or of the others.
    async fn spend_all(
        &mut self,
        extent: &mut Extent,
        truncating: bool,
        now: Instant,
    ) -> Result<(), Failed> {
        for index in 0..self.counts.len() {
            let Some(count) = self.counts.get(index) else {
                break;
            };
            if count.applied.quota.unit != Unit::Records || count.truncates() != truncating {
                continue;
            }
            let spent = count.spend(&self.bank, extent.records, false, now).await?;
            extent.until = earlier(extent.until, spent.lease.good_until());
            self.last.push((index, spent));
        }
        Ok(())
    }

    /// Puts back what was spent beyond so many records.
    async fn trim(&mut self, records: u64) {
        for (index, spent) in &mut self.last {
            let surplus = spent.units.saturating_sub(records);
            if surplus > 0
                && let Some(count) = self.counts.get(*index)
            {
                spent.units = records;
                count
                    .account
                    .put_back(&self.bank, &spent.lease, surplus)
                    .await;
            }
        }
    }

    /// Shortens the run of records to the first whose data subjects the truncating quotas allow. One that
    /// leaves with none of them cannot be cut.
    async fn cut_to_subjects(&self, extent: &mut Extent) -> Result<(), Failed> {
        for count in self.subject_counts().filter(|count| count.truncates()) {
            loop {
                let subjects = extent.subjects();
                let admitted = count.look(&self.bank, &subjects).await?;
                let Some(refused) = extent.subjects.get(admitted) else {
                    break;
                };
                let exceeded = count.exceeded(&self.bank, distinct(&subjects));
                match refused.record {
                    // What stays may come after what goes, where records are in each other: look again.
                    Some(record) => extent.cut_at(record, exceeded),
                    None => return Err(Failed::Error(QuotaError::Exceeded(exceeded))),
                }
            }
        }
        Ok(())
    }

    /// Where several quotas count data subjects, none is charged before all have been asked.
    async fn look_before_admitting(&self, extent: &Extent) -> Result<(), Failed> {
        if extent.subjects.is_empty() || self.subject_counts().count() < 2 {
            return Ok(());
        }
        let subjects = extent.subjects();
        for count in self.subject_counts() {
            if count.look(&self.bank, &subjects).await? < subjects.len() {
                let exceeded = count.exceeded(&self.bank, distinct(&subjects));
                return Err(Failed::Error(QuotaError::Exceeded(exceeded)));
            }
        }
        Ok(())
    }

    async fn admit(
        &mut self,
        extent: &mut Extent,
        shortage: Shortage,
        cost: &mut u64,
    ) -> Result<(), Failed> {
        if extent.subjects.is_empty() {
            return Ok(());
        }
        let subjects = extent.subjects();
        let nameless = subjects
            .iter()
            .filter(|subject| **subject == Subject::Nameless);
        let nameless = u64::try_from(nameless.count()).unwrap_or(u64::MAX);
        for index in 0..self.counts.len() {
            let Some(count) = self.counts.get(index) else {
                break;
            };
            if count.applied.quota.unit != Unit::Subjects {
                continue;
            }
            match count.admit(&self.bank, &subjects).await {
                Ok(Admitted::Known(until)) => extent.until = earlier(extent.until, Some(until)),
                Ok(Admitted::Charged(until, charge)) => {
                    extent.until = earlier(extent.until, Some(until));
                    *cost = (*cost).max(charge.cost);
                    self.nameless.push((index, charge.mark, nameless));
                }
                // Somebody else was faster: cut it anew.
                Err(Unspent::Refused) if shortage == Shortage::Cut && count.truncates() => {
                    return Err(Failed::Late);
                }
                Err(unspent) => {
                    let error = count.error(&self.bank, distinct(&subjects), unspent);
                    return Err(Failed::Error(error));
                }
            }
        }
        Ok(())
    }

    fn subject_counts(&self) -> impl Iterator<Item = &Count> {
        let counts = self.counts.iter();
        counts.filter(|count| count.applied.quota.unit == Unit::Subjects)
    }
}

/// What became of data subjects.
enum Admitted {
    /// They are known to count until then, and cost nothing.
    Known(Instant),
    /// They may leave until then, and the ledger has charged them.
    Charged(Instant, Admission),
}

/// How many a count would hold for these alone.
fn distinct(subjects: &[Subject]) -> u64 {
    let mut seen = HashSet::new();
    let costs = |subject: &&Subject| **subject == Subject::Nameless || seen.insert(**subject);
    u64::try_from(subjects.iter().filter(costs).count()).unwrap_or(u64::MAX)
}

impl Count {
    /// How many of these the ledger would admit, from the first.
    async fn look(&self, bank: &Bank, subjects: &[Subject]) -> Result<usize, Failed> {
        let asked_at = bank.now();
        let never_refuses = self.account.terms.past_limit == PastLimit::Counted;
        if never_refuses || self.known_until(bank, subjects, asked_at).is_some() {
            return Ok(subjects.len());
        }
        let (key, terms) = (&self.account.key, &self.account.terms);
        match bank.admit(key, terms, subjects, AdmitMode::Look).await {
            Ok(seen) => {
                let resets_at = asked_at + seen.reset_after;
                self.account.note(bank, seen.used, resets_at, seen.news);
                Ok(seen.admitted)
            }
            Err(error) => Err(Failed::Error(self.error(bank, 0, Unspent::Down(error)))),
        }
    }

    /// Charges them all, or none, and says by when they must leave.
    async fn admit(&self, bank: &Bank, subjects: &[Subject]) -> Result<Admitted, Unspent> {
        let asked_at = bank.now();
        if let Some(until) = self.known_until(bank, subjects, asked_at) {
            return Ok(Admitted::Known(until));
        }
        let account = &self.account;
        let admission = bank
            .admit(
                &account.key,
                &account.terms,
                subjects,
                AdmitMode::AllOrNothing,
            )
            .await
            .map_err(Unspent::Down)?;
        let resets_at = asked_at + admission.reset_after;
        account.note(bank, admission.used, resets_at, admission.news);
        if admission.admitted < subjects.len() {
            return Err(Unspent::Refused);
        }
        let until = asked_at + admission.good_for;
        account.known.learn(subjects, admission.mark, until);
        Ok(Admitted::Charged(until, admission))
    }

    fn known_until(&self, bank: &Bank, subjects: &[Subject], now: Instant) -> Option<Instant> {
        self.is_trusting(bank)
            .then(|| self.account.known.cover(subjects, now))
            .flatten()
    }
}
