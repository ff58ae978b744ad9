//! What the entries say of themselves: OCSF events with times, sequence numbers, intents with outcomes,
//! and heartbeats with counts. None of it is proved by a hash; all of it is expected of a whole log.
//!
//! An intent and its outcome share `metadata.correlation_uid` and carry `unmapped.postern.phase`,
//! `intent` or `outcome`. A heartbeat carries, for each class, how many events were `seen` since the
//! Start entry and how many of them are `pending`: `unmapped.postern.heartbeat.CLASS`.

use std::collections::BTreeMap;
use std::fmt;

use serde::Deserialize;

use crate::log::life::{Activity, LOG_CLASS};

/// Entries wait in a queue, so that their times may be this much out of order.
const SKEW_MILLIS: u64 = 10_000;
/// A longer time without an entry is a gap: a heartbeat comes every minute.
const GAP_MILLIS: u64 = 120_000;
/// An intent may wait this long for its outcome at the end of a log that was copied while it ran.
const OPEN_MILLIS: u64 = 120_000;
/// The tail that nobody outside vouches for yet may span this much time.
const UNANCHORED_MILLIS: u64 = 300_000;

/// What is missing, or may be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Incomplete {
    /// Nothing was published yet, so that nothing but the write-ahead log vouches for the entries.
    Unpublished,
    /// Nobody outside vouches for what comes from here on.
    Unanchored {
        /// The first index.
        since: u64,
    },
    /// Nothing was written for longer than heartbeats allow.
    Gap {
        /// The time of the entry before, in milliseconds since 1970.
        from: u64,
        /// The time of the entry after.
        to: u64,
        /// The index of the entry after.
        index: u64,
    },
    /// Something was about to happen, and nothing says what became of it.
    UnmatchedIntent {
        /// The intent's index.
        index: u64,
        /// What it shares with its outcome.
        correlation: String,
    },
    /// Something happened that nothing announced.
    UnmatchedOutcome {
        /// The outcome's index.
        index: u64,
        /// What it should share with its intent.
        correlation: String,
    },
    /// More was seen than was written.
    Omitted {
        /// The heartbeat's index.
        index: u64,
        /// The class of the events.
        class: String,
        /// How many were seen and are not pending.
        seen: u64,
        /// How many were written.
        written: u64,
    },
    /// The time went back.
    ClockWentBack {
        /// The first index with the earlier time.
        index: u64,
    },
    /// The entry says that it has another index than it has.
    WrongSequence {
        /// The index that it has.
        index: u64,
    },
    /// The entry is no event with a time.
    NotAnEvent {
        /// Its index.
        index: u64,
    },
    /// A file beside the log cannot be read, so that it says nothing about a rollback.
    Unreadable {
        /// Which.
        path: &'static str,
    },
}

impl fmt::Display for Incomplete {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unpublished => write!(f, "UNPUBLISHED"),
            Self::Unanchored { since } => write!(f, "UNANCHORED since {since}"),
            Self::Gap { from, to, index } => write!(f, "GAP {from}..{to} before {index}"),
            Self::UnmatchedIntent { index, correlation } => {
                write!(f, "UNMATCHED_INTENT {correlation} at {index}")
            }
            Self::UnmatchedOutcome { index, correlation } => {
                write!(f, "UNMATCHED_OUTCOME {correlation} at {index}")
            }
            Self::Omitted {
                index,
                class,
                seen,
                written,
            } => write!(
                f,
                "OMITTED of class {class}: {seen} seen, {written} written, at {index}"
            ),
            Self::ClockWentBack { index } => write!(f, "CLOCK_WENT_BACK at {index}"),
            Self::WrongSequence { index } => write!(f, "WRONG_SEQUENCE at {index}"),
            Self::NotAnEvent { index } => write!(f, "NOT_AN_EVENT at {index}"),
            Self::Unreadable { path } => write!(f, "UNREADABLE {path}"),
        }
    }
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Event {
    class_uid: u64,
    activity_id: u64,
    time: Option<u64>,
    metadata: Metadata,
    unmapped: Unmapped,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Metadata {
    sequence: Option<u64>,
    correlation_uid: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Unmapped {
    postern: Details,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Details {
    phase: Option<Phase>,
    duration_us: u64,
    heartbeat: BTreeMap<String, Counts>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Phase {
    Intent,
    Outcome,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Counts {
    seen: u64,
    pending: u64,
}

/// What is known of the entries so far.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    found: Vec<Incomplete>,
    last_time: Option<u64>,
    is_stopped: bool,
    /// Intents without outcomes: where and when.
    open: BTreeMap<String, (u64, u64)>,
    /// Since the last Start: how many entries there are of each class, intents left out.
    written: BTreeMap<String, u64>,
    /// When the first entry was written that nobody outside vouches for.
    unanchored_time: Option<u64>,
    /// Entries before were pruned, and the log has not begun again since.
    after_pruning: Option<AfterPruning>,
}

/// What is known of what was pruned.
#[derive(Debug, Default)]
struct AfterPruning {
    /// When the first entry was written that is still there.
    first_time: Option<u64>,
    /// By class, how many entries must have been there, as the first heartbeat says.
    written: BTreeMap<String, u64>,
}

impl Timeline {
    /// Somebody outside vouches for everything so far.
    pub(super) const fn anchored(&mut self) {
        self.unanchored_time = None;
    }

    /// The entries that come next were pruned: what they said is not known.
    pub(super) fn skip(&mut self) {
        self.last_time = None;
        self.is_stopped = false;
        self.open.clear();
        self.written.clear();
        self.after_pruning = Some(AfterPruning::default());
    }

    /// Takes the next entry.
    pub(super) fn take(&mut self, index: u64, entry: &[u8]) {
        let event: Result<Event, _> = serde_json::from_slice(entry);
        let timed = event
            .ok()
            .and_then(|event| event.time.map(|time| (time, event)));
        let Some((time, event)) = timed else {
            self.found.push(Incomplete::NotAnEvent { index });
            return;
        };
        if event
            .metadata
            .sequence
            .is_some_and(|sequence| sequence != index)
        {
            self.found.push(Incomplete::WrongSequence { index });
        }
        let is =
            |activity: Activity| event.class_uid == LOG_CLASS && event.activity_id == activity.id();
        let begins = is(Activity::Start) || is(Activity::Restart);
        self.take_time(index, time, begins);
        if begins || is(Activity::Stop) {
            self.abandon_intents();
        }
        if begins {
            self.written.clear();
            self.after_pruning = None;
        }
        self.is_stopped = is(Activity::Stop);
        self.take_phase(index, time, &event);
        self.take_heartbeat(index, &event.unmapped.postern.heartbeat);
    }

    fn take_time(&mut self, index: u64, time: u64, begins: bool) {
        self.unanchored_time.get_or_insert(time);
        if let Some(after) = &mut self.after_pruning {
            after.first_time.get_or_insert(time);
        }
        let Some(from) = self.last_time.replace(time) else {
            return;
        };
        if time.saturating_add(SKEW_MILLIS) < from {
            self.found.push(Incomplete::ClockWentBack { index });
        } else if time > from.saturating_add(GAP_MILLIS) && !begins && !self.is_stopped {
            let to = time;
            self.found.push(Incomplete::Gap { from, to, index });
        }
    }

    fn take_phase(&mut self, index: u64, time: u64, event: &Event) {
        let class = event.class_uid.to_string();
        let correlation = event.metadata.correlation_uid.clone().unwrap_or_default();
        match event.unmapped.postern.phase {
            Some(Phase::Intent) => {
                let before = self.open.insert(correlation.clone(), (index, time));
                if let Some((index, _)) = before {
                    self.found
                        .push(Incomplete::UnmatchedIntent { index, correlation });
                }
            }
            Some(Phase::Outcome) => {
                *self.written.entry(class).or_default() += 1;
                let began = time.saturating_sub(event.unmapped.postern.duration_us / 1000);
                if self.open.remove(&correlation).is_none() && !self.may_have_been_pruned(began) {
                    self.found
                        .push(Incomplete::UnmatchedOutcome { index, correlation });
                }
            }
            None => *self.written.entry(class).or_default() += 1,
        }
    }

    /// Whether an intent of this time may be among the entries that were pruned.
    fn may_have_been_pruned(&self, time: u64) -> bool {
        let after = self.after_pruning.as_ref();
        let first = after.and_then(|after| after.first_time);
        first.is_some_and(|first| time <= first.saturating_add(SKEW_MILLIS))
    }

    fn take_heartbeat(&mut self, index: u64, counts: &BTreeMap<String, Counts>) {
        for (class, counts) in counts {
            let mut written = self.written.get(class).copied().unwrap_or_default();
            let seen = counts.seen.saturating_sub(counts.pending);
            if let Some(after) = &mut self.after_pruning {
                let before = after.written.entry(class.clone());
                let before = *before.or_insert_with(|| seen.saturating_sub(written));
                written = written.saturating_add(before);
            }
            if written < seen {
                self.found.push(Incomplete::Omitted {
                    index,
                    class: class.clone(),
                    seen,
                    written,
                });
            }
        }
    }

    /// Nothing that was open when the log began again or stopped has an outcome any more.
    fn abandon_intents(&mut self) {
        for (correlation, (index, _)) in std::mem::take(&mut self.open) {
            self.found
                .push(Incomplete::UnmatchedIntent { index, correlation });
        }
    }

    /// What is missing at the end of a log of this size, for which somebody outside vouches up to
    /// `anchored`.
    pub(super) fn end(mut self, anchored: u64, size: u64) -> Vec<Incomplete> {
        let last = self.last_time.unwrap_or_default();
        self.open
            .retain(|_, (_, time)| time.saturating_add(OPEN_MILLIS) < last);
        self.abandon_intents();
        let since = self.unanchored_time.unwrap_or(last);
        let is_recent = anchored > 0 && last <= since.saturating_add(UNANCHORED_MILLIS);
        if anchored < size && !is_recent {
            self.found.push(Incomplete::Unanchored { since: anchored });
        }
        self.found
    }
}
