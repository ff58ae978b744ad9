//! The data subjects that a count knows, in the embedded store.

use std::time::Duration;

use redb::ReadableTable as _;

use super::broken;
use super::pages::Pages;
use crate::quota::book::{Book, Plan, is_over};
use crate::quota::key::QuotaKey;
use crate::quota::ledger::{Admission, AdmitMode, News, StoreError, Subject};
use crate::quota::terms::Terms;

impl Pages<'_> {
    /// Charges data subjects to a count.
    pub(super) fn admit(
        &mut self,
        key: &QuotaKey,
        terms: &Terms,
        subjects: &[Subject],
        mode: AdmitMode,
    ) -> Result<Admission, StoreError> {
        let mut book = self.open_book(key)?;
        self.turn(key, &mut book, terms.window_ms())?;
        let plan = book.plan(terms, subjects, |hash| {
            let row = self.subjects.get((book.id, hash));
            row.map(|row| row.is_some()).map_err(|error| broken(&error))
        })?;
        let all = plan.admitted == subjects.len();
        let charged = match mode {
            AdmitMode::Look => false,
            AdmitMode::AllOrNothing => all,
            AdmitMode::Prefix => true,
        };
        if charged {
            self.add(&mut book, terms, &plan)?;
        }
        let mark = book.charge(self.now_ms, terms, 0);
        let news = match mode {
            AdmitMode::Look if all => News::default(),
            AdmitMode::Look | AdmitMode::AllOrNothing | AdmitMode::Prefix => {
                book.news(self.now_ms, terms, !all)
            }
        };
        if mode != AdmitMode::Look || news != News::default() {
            self.write(key, &book)?;
        }
        Ok(Admission {
            admitted: match mode {
                AdmitMode::AllOrNothing if !all => 0,
                AdmitMode::AllOrNothing | AdmitMode::Prefix | AdmitMode::Look => plan.admitted,
            },
            cost: match charged {
                true => plan.fresh.saturating_add(plan.nameless),
                false => 0,
            },
            mark,
            good_for: Duration::from_millis(mark.bucket_end_ms.saturating_sub(self.now_ms)),
            used: book.used(),
            reset_after: self.frees_after(&book)?,
            news,
        })
    }

    /// Drops from a book, and from whom it knows, what counts no more.
    pub(super) fn turn(
        &mut self,
        key: &QuotaKey,
        book: &mut Book,
        window_ms: u64,
    ) -> Result<(), StoreError> {
        book.turn_to(self.now_ms, window_ms);
        if book.named == 0 {
            return Ok(());
        }
        let from = (book.id, 0, 0);
        let to = (book.id, u64::MAX, u64::MAX);
        let mut over = Vec::new();
        for row in self
            .subject_ends
            .range(from..=to)
            .map_err(|error| broken(&error))?
        {
            let (_, end_ms, hash) = row.map_err(|error| broken(&error))?.0.value();
            if !is_over(end_ms, window_ms, self.now_ms) {
                break;
            }
            over.push((end_ms, hash));
        }
        if over.is_empty() {
            return Ok(());
        }
        for (end_ms, hash) in over {
            self.remove(book.id, end_ms, hash)?;
            book.named = book.named.saturating_sub(1);
        }
        // The book has to say how many there are in the tables, whatever else becomes of it.
        self.write(key, book)
    }

    /// Forgets all that a count knows.
    pub(super) fn forget_subjects(&mut self, id: u64) -> Result<(), StoreError> {
        let mut all = Vec::new();
        let rows = self.subjects.range((id, 0)..=(id, u64::MAX));
        for row in rows.map_err(|error| broken(&error))? {
            let (name, end_ms) = row.map_err(|error| broken(&error))?;
            all.push((end_ms.value(), name.value().1));
        }
        for (end_ms, hash) in all {
            self.remove(id, end_ms, hash)?;
        }
        Ok(())
    }

    /// How long it is until a bucket or a data subject leaves the window.
    pub(super) fn frees_after(&self, book: &Book) -> Result<Duration, StoreError> {
        let rows = self
            .subject_ends
            .range((book.id, 0, 0)..=(book.id, u64::MAX, u64::MAX));
        let first = rows.map_err(|error| broken(&error))?.next();
        let units = book.frees_after(self.now_ms);
        let Some(first) = first else { return Ok(units) };
        let (_, end_ms, _) = first.map_err(|error| broken(&error))?.0.value();
        let free_at_ms = end_ms.saturating_add(book.window_ms);
        let named = Duration::from_millis(free_at_ms.saturating_sub(self.now_ms));
        Ok(if units.is_zero() {
            named
        } else {
            units.min(named)
        })
    }

    fn add(&mut self, book: &mut Book, terms: &Terms, plan: &Plan) -> Result<(), StoreError> {
        let end_ms = book.charge(self.now_ms, terms, plan.nameless).bucket_end_ms;
        for hash in &plan.named {
            let before = self.subjects.insert((book.id, *hash), end_ms);
            let before = before
                .map_err(|error| broken(&error))?
                .map(|end| end.value());
            if let Some(before) = before.filter(|before| *before != end_ms) {
                let removed = self.subject_ends.remove((book.id, before, *hash));
                removed.map(drop).map_err(|error| broken(&error))?;
            }
            let added = self.subject_ends.insert((book.id, end_ms, *hash), ());
            added.map(drop).map_err(|error| broken(&error))?;
        }
        book.named = book.named.saturating_add(plan.fresh);
        Ok(())
    }

    fn remove(&mut self, id: u64, end_ms: u64, hash: u64) -> Result<(), StoreError> {
        let removed = self.subjects.remove((id, hash));
        removed.map(drop).map_err(|error| broken(&error))?;
        let removed = self.subject_ends.remove((id, end_ms, hash));
        removed.map(drop).map_err(|error| broken(&error))
    }
}
