//! The data subjects that are known to count until the end of the present bucket, so that meeting one
//! again costs no round trip.
//!
//! It only ever holds what the ledger has admitted within the bucket; with the bucket it is forgotten.

use std::collections::HashSet;
use std::sync::{PoisonError, RwLock};
use std::time::Instant;

use super::ledger::{Mark, Subject};

/// How many data subjects are remembered per key; more cost a round trip each.
const KNOWN_MAX: usize = 65_536;

/// See the module's documentation.
#[derive(Default)]
pub(super) struct KnownSubjects {
    bucket: RwLock<Bucket>,
}

#[derive(Default)]
struct Bucket {
    mark: Mark,
    good_until: Option<Instant>,
    hashes: HashSet<u64>,
}

impl KnownSubjects {
    /// Until when all of these are known to count; none when one of them may not.
    pub(super) fn cover(&self, subjects: &[Subject], now: Instant) -> Option<Instant> {
        let bucket = self.bucket.read().unwrap_or_else(PoisonError::into_inner);
        let end = bucket.good_until.filter(|end| now < *end)?;
        let covers = |subject: &Subject| match subject {
            Subject::Known(hash) => bucket.hashes.contains(hash),
            Subject::Nameless => false,
        };
        subjects.iter().all(covers).then_some(end)
    }

    /// Remembers what the ledger has admitted under `mark`.
    pub(super) fn learn(&self, subjects: &[Subject], mark: Mark, good_until: Instant) {
        let mut bucket = self.bucket.write().unwrap_or_else(PoisonError::into_inner);
        if bucket.mark != mark {
            if bucket.mark.bucket_end_ms > mark.bucket_end_ms {
                return;
            }
            *bucket = Bucket {
                mark,
                good_until: Some(good_until),
                hashes: HashSet::new(),
            };
        }
        for subject in subjects {
            if let Subject::Known(hash) = subject
                && bucket.hashes.len() < KNOWN_MAX
            {
                bucket.hashes.insert(*hash);
            }
        }
    }

    /// Forgets them all.
    pub(super) fn forget(&self) {
        *self.bucket.write().unwrap_or_else(PoisonError::into_inner) = Bucket::default();
    }
}

impl std::fmt::Debug for KnownSubjects {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KnownSubjects").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::{Clock as _, SystemClock};

    #[test]
    fn knows_whom_the_ledger_admitted_until_the_bucket_ends() {
        let now = SystemClock.monotonic();
        let end = now + Duration::from_secs(1);
        let known = KnownSubjects::default();
        let [ana, bob] = [Subject::Known(1), Subject::Known(2)];
        let mark = Mark {
            bucket_end_ms: 10,
            generation: 1,
        };
        known.learn(&[ana, Subject::Nameless], mark, end);
        assert_eq!(known.cover(&[ana, ana], now), Some(end));
        assert_eq!(known.cover(&[ana, bob], now), None);
        assert_eq!(
            known.cover(&[Subject::Nameless], now),
            None,
            "nobody knows who that is"
        );
        assert_eq!(known.cover(&[ana], end), None);
        known.learn(
            &[bob],
            Mark {
                bucket_end_ms: 20,
                generation: 1,
            },
            end,
        );
        assert_eq!(known.cover(&[ana], now), None, "another bucket has begun");
        known.learn(&[ana], mark, end);
        assert_eq!(
            known.cover(&[ana], now),
            None,
            "what comes late of an old bucket is not news"
        );
    }
}
