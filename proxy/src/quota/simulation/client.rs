//! Somebody who fetches records, one by one or by the page.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::dice::Dice;
use super::mishap::befall;
use super::world::{PAGE_MAX, RECORD_BYTES, Replica, World};
use crate::clock::Clock as _;
use crate::quota::charging::{Charging, DueSubject, Granted, QuotaError, Shortage};
use crate::quota::ledger::Subject;
use crate::quota::terms::Unit;

/// See the module's documentation.
pub(super) struct Client {
    world: Arc<World>,
    dice: Dice,
}

/// How an attempt to let something leave ended.
enum Left {
    Out,
    Killed,
    Late,
}

impl Client {
    pub(super) fn new(world: Arc<World>, dice: Dice) -> Self {
        Self { world, dice }
    }

    /// Fetches until it has had enough.
    pub(super) async fn live(mut self) {
        for _ in 0..self.dice.between(1, 12) {
            befall(&self.world, &mut self.dice).await;
            let person = usize::try_from(self.dice.roll() % self.world.people.len() as u64);
            let person = self.world.people[person.unwrap()].clone();
            let replica = self.world.any_replica(&mut self.dice);
            let applied = self.world.quotas.clone();
            let charging = replica.quotas.begin(&applied, &self.world.who(&person));
            self.exchange(charging, &replica, &person).await;
        }
    }

    async fn exchange(&mut self, mut charging: Charging, replica: &Replica, person: &str) {
        let requests = self.world.keys(Unit::Requests, person);
        self.world.charged_in_flight(&requests, 1);
        match charging.requests(true).await {
            Ok(granted) => match self.leave(replica, &granted, &requests, 1, &[]) {
                Left::Out => self.world.charged_in_flight(&requests, -1),
                Left::Killed | Left::Late => return,
            },
            Err(error) => {
                self.world.charged_in_flight(&requests, -1);
                return self.count(&error);
            }
        }
        let detail = self.dice.in_thousand(400);
        for _ in 0..if detail { 1 } else { self.dice.between(1, 5) } {
            befall(&self.world, &mut self.dice).await;
            let records = if detail {
                1
            } else {
                self.dice.between(0, PAGE_MAX)
            };
            if !self.page(&mut charging, replica, person, records).await {
                return;
            }
        }
    }

    /// Fetches one page; false ends the exchange.
    async fn page(
        &mut self,
        charging: &mut Charging,
        replica: &Replica,
        person: &str,
        records: u64,
    ) -> bool {
        let subjects = self.subjects(records);
        let units = self.world.keys(Unit::Records, person);
        let people = self.world.keys(Unit::Subjects, person);
        let due = i128::try_from(subjects.len()).unwrap();
        self.world.charged_in_flight(&units, records.into());
        self.world.charged_in_flight(&people, due);
        let Some(granted) = self.charge(charging, records, &subjects, &units).await else {
            return false;
        };
        befall(&self.world, &mut self.dice).await;
        if self.dice.in_thousand(30) {
            charging.undo().await;
            self.world.charged_in_flight(&units, -i128::from(records));
            return false;
        }
        let kept = |due: &&DueSubject| {
            granted.cut.is_none() || due.record.is_none_or(|record| record < granted.units)
        };
        let leaving: Vec<Subject> = subjects
            .iter()
            .filter(kept)
            .map(|due| due.subject)
            .collect();
        match self.leave_page(replica, &granted, (&units, &people), &leaving) {
            Left::Out => {
                self.world.charged_in_flight(&units, -i128::from(records));
                // Whoever was cut off may have been charged by a try that came too late.
                let left = i128::try_from(leaving.len()).unwrap();
                self.world.charged_in_flight(&people, -left);
            }
            Left::Killed => return false,
            Left::Late => {
                charging.undo().await;
                self.world.charged_in_flight(&units, -i128::from(records));
                return true;
            }
        }
        if granted.cut.is_some() {
            self.world.totals.lock().unwrap().cut += 1;
            return false;
        }
        let bytes = granted.units * RECORD_BYTES;
        self.bytes(charging, replica, person, bytes).await
    }

    /// Charges one page. None ends the exchange: it was refused, the client went away, or somebody
    /// was killed between reserve and emit, so that what was charged stays charged.
    async fn charge(
        &mut self,
        charging: &mut Charging,
        records: u64,
        subjects: &[DueSubject],
        units: &[String],
    ) -> Option<Granted> {
        let cut = self.dice.in_thousand(600);
        let shortage = if cut { Shortage::Cut } else { Shortage::Refuse };
        let charge = charging.due(records, subjects, shortage);
        let granted = if self.dice.in_thousand(20) {
            // The client goes away while the ledger is asked.
            tokio::select! {
                biased;
                granted = charge => granted,
                () = tokio::task::yield_now() => return None,
            }
        } else {
            charge.await
        };
        match granted {
            Ok(granted) => (!self.dice.in_thousand(30)).then_some(granted),
            Err(error) => {
                // The records were put back; the data subjects may have been charged.
                self.world.charged_in_flight(units, -i128::from(records));
                self.count(&error);
                None
            }
        }
    }

    async fn bytes(
        &mut self,
        charging: &mut Charging,
        replica: &Replica,
        person: &str,
        bytes: u64,
    ) -> bool {
        let keys = self.world.keys(Unit::Bytes, person);
        self.world.charged_in_flight(&keys, bytes.into());
        match charging.bytes(bytes).await {
            Ok(granted) => match self.leave(replica, &granted, &keys, bytes, &[]) {
                Left::Out => self.world.charged_in_flight(&keys, -i128::from(bytes)),
                Left::Killed | Left::Late => return false,
            },
            Err(error) => {
                self.world.charged_in_flight(&keys, -i128::from(bytes));
                self.count(&error);
                return false;
            }
        }
        true
    }

    /// Lets a page leave, unless the replica is dead or the grant is too old.
    fn leave_page(
        &self,
        replica: &Replica,
        granted: &Granted,
        (units, people): (&[String], &[String]),
        leaving: &[Subject],
    ) -> Left {
        let mut nameless = 0;
        let mut named = Vec::new();
        for subject in leaving {
            match subject {
                Subject::Known(hash) => named.push(*hash),
                Subject::Nameless => nameless += 1,
            }
        }
        let _leaving = self.world.leaving.read().unwrap();
        let left = self.may_leave(replica, granted);
        if let Left::Out = left {
            self.world.deliver(units, granted.units, &[]);
            self.world.deliver(people, nameless, &named);
        }
        left
    }

    fn leave(
        &self,
        replica: &Replica,
        granted: &Granted,
        keys: &[String],
        units: u64,
        subjects: &[u64],
    ) -> Left {
        let _leaving = self.world.leaving.read().unwrap();
        let left = self.may_leave(replica, granted);
        if let Left::Out = left {
            self.world.deliver(keys, units, subjects);
        }
        left
    }

    fn may_leave(&self, replica: &Replica, granted: &Granted) -> Left {
        let now = self.world.clock.monotonic();
        if !replica.alive.load(Ordering::SeqCst) {
            Left::Killed
        } else if granted.leave_before.is_some_and(|end| end <= now) {
            Left::Late
        } else {
            Left::Out
        }
    }

    /// About one data subject per record, of not too many, in order of their records.
    fn subjects(&mut self, records: u64) -> Vec<DueSubject> {
        let mut due = Vec::new();
        for record in 0..records {
            let subject = match self.dice.between(0, 19) {
                0 => Subject::Nameless,
                1 => continue,
                _ => Subject::Known(self.dice.between(0, 120)),
            };
            let twice = due.iter().any(|due: &DueSubject| due.subject == subject);
            if !twice || subject == Subject::Nameless {
                due.push(DueSubject {
                    record: Some(record),
                    subject,
                });
            }
        }
        due
    }

    fn count(&self, error: &QuotaError) {
        let mut totals = self.world.totals.lock().unwrap();
        match error {
            QuotaError::Exceeded(_) => totals.refused += 1,
            QuotaError::StoreDown { .. } => totals.failed += 1,
        }
    }
}
