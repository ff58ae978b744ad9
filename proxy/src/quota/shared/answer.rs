//! What the scripts answer: a row of texts.

use std::time::Duration;

use crate::quota::ledger::{Admission, Mark, News, StoreError, Taken, Usage};

/// An answer that is read from its first text on.
pub(super) struct Answer {
    texts: std::vec::IntoIter<String>,
}

/// What grants and admissions have in common.
struct Charge {
    units: u64,
    mark: Mark,
    good_for: Duration,
    used: u64,
    reset_after: Duration,
    news: News,
}

impl Answer {
    pub(super) fn new(texts: Vec<String>) -> Self {
        Self {
            texts: texts.into_iter(),
        }
    }

    pub(super) fn taken(mut self) -> Result<Taken, StoreError> {
        let charge = self.charge()?;
        Ok(Taken {
            granted: charge.units,
            mark: charge.mark,
            good_for: charge.good_for,
            used: charge.used,
            reset_after: charge.reset_after,
            news: charge.news,
        })
    }

    pub(super) fn admission(mut self) -> Result<Admission, StoreError> {
        let charge = self.charge()?;
        Ok(Admission {
            admitted: usize::try_from(charge.units).map_err(|_large| StoreError::Corrupt)?,
            cost: self.number()?,
            mark: charge.mark,
            good_for: charge.good_for,
            used: charge.used,
            reset_after: charge.reset_after,
            news: charge.news,
        })
    }

    pub(super) fn usage(mut self) -> Result<Usage, StoreError> {
        Ok(Usage {
            used: self.number()?,
            window: self.duration()?,
            frees_after: self.duration()?,
        })
    }

    pub(super) fn yes(mut self) -> Result<bool, StoreError> {
        Ok(self.number()? == 1)
    }

    fn charge(&mut self) -> Result<Charge, StoreError> {
        Ok(Charge {
            units: self.number()?,
            mark: Mark {
                bucket_end_ms: self.number()?,
                generation: self.number()?,
            },
            good_for: self.duration()?,
            used: self.number()?,
            reset_after: self.duration()?,
            news: News {
                warned: self.number()? == 1,
                exceeded: self.number()? == 1,
            },
        })
    }

    fn duration(&mut self) -> Result<Duration, StoreError> {
        self.number().map(Duration::from_millis)
    }

    fn number(&mut self) -> Result<u64, StoreError> {
        let text = self.texts.next().ok_or(StoreError::Corrupt)?;
        text.parse().map_err(|_odd| StoreError::Corrupt)
    }
}
