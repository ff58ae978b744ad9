//! What waits to be written: bounded, in order, and closed for good when the log fails.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::error::LogError;
use super::held;
use super::new_entry::NewEntry;
use crate::receipt::Receipt;

/// A batch has at most this many entries.
const BATCH_ENTRIES_MAX: usize = 4096;
/// A batch has at most this many bytes of entries, unless one entry has more.
const BATCH_BYTES_MAX: usize = 4 << 20;

/// Whom to tell what became of an entry.
pub(crate) type OnDurable = Box<dyn FnOnce(Result<Receipt, LogError>) + Send>;

/// An entry that waits.
pub(crate) struct Pending {
    pub(crate) entry: NewEntry,
    pub(crate) on_durable: OnDurable,
}

/// What the writer is asked to do.
pub(crate) enum Item {
    /// To append an entry.
    Append(Pending),
    /// To sign with another key from now on.
    Rotate(OnDurable),
}

impl Item {
    pub(crate) fn refuse(self, error: LogError) {
        match self {
            Self::Append(Pending { on_durable, .. }) | Self::Rotate(on_durable) => {
                on_durable(Err(error));
            }
        }
    }
}

/// What the writer takes at once.
pub(crate) enum Work {
    /// Entries that become one batch.
    Batch(Vec<Pending>),
    /// A change of keys.
    Rotate(OnDurable),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    Closed,
    Poisoned,
}

struct Waiting {
    phase: Phase,
    items: VecDeque<Item>,
}

/// The queue.
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    items_max: usize,
    /// Something waits, or nothing will any more.
    changed: Condvar,
    /// There is room, or there will be none any more.
    room: Condvar,
    /// The queue takes nothing more.
    ended: Condvar,
}

impl Queue {
    pub(crate) fn new(items_max: usize) -> Self {
        Self {
            waiting: Mutex::new(Waiting {
                phase: Phase::Open,
                items: VecDeque::new(),
            }),
            items_max: items_max.max(1),
            changed: Condvar::new(),
            room: Condvar::new(),
            ended: Condvar::new(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        held(&self.waiting).items.len()
    }

    /// Puts an item at the end; waits for room. An item that cannot be taken is refused.
    pub(crate) fn push(&self, item: Item) {
        let mut waiting = held(&self.waiting);
        while waiting.phase == Phase::Open && waiting.items.len() >= self.items_max {
            waiting = self
                .room
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if let Some(error) = refusal(waiting.phase) {
            drop(waiting);
            item.refuse(error);
            return;
        }
        waiting.items.push_back(item);
        self.changed.notify_one();
    }

    /// Puts an item at the end, or says why not.
    pub(crate) fn try_push(&self, item: Item) -> Result<(), LogError> {
        let mut waiting = held(&self.waiting);
        if let Some(error) = refusal(waiting.phase) {
            return Err(error);
        }
        if waiting.items.len() >= self.items_max {
            return Err(LogError::Full);
        }
        waiting.items.push_back(item);
        self.changed.notify_one();
        Ok(())
    }

    /// Everything that waits, up to the bounds of a batch; waits for something. Nothing when the queue
    /// is closed and empty, or poisoned.
    pub(crate) fn take(&self) -> Option<Work> {
        let mut waiting = held(&self.waiting);
        while waiting.phase == Phase::Open && waiting.items.is_empty() {
            waiting = self
                .changed
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
        if waiting.phase == Phase::Poisoned {
            return None;
        }
        let mut batch = Vec::new();
        let mut bytes = 0;
        while batch.len() < BATCH_ENTRIES_MAX
            && let Some(item) = waiting.items.pop_front()
        {
            match item {
                Item::Append(pending) => {
                    bytes += pending.entry.bytes_max();
                    if bytes > BATCH_BYTES_MAX && !batch.is_empty() {
                        waiting.items.push_front(Item::Append(pending));
                        break;
                    }
                    batch.push(pending);
                }
                Item::Rotate(on_durable) if batch.is_empty() => {
                    return Some(Work::Rotate(on_durable));
                }
                Item::Rotate(on_durable) => {
                    waiting.items.push_front(Item::Rotate(on_durable));
                    break;
                }
            }
        }
        self.room.notify_all();
        (!batch.is_empty()).then_some(Work::Batch(batch))
    }

    /// Takes nothing more; what waits is still written.
    pub(crate) fn close(&self) {
        let mut waiting = held(&self.waiting);
        if waiting.phase == Phase::Open {
            waiting.phase = Phase::Closed;
        }
        self.changed.notify_all();
        self.room.notify_all();
        self.ended.notify_all();
    }

    /// Takes nothing more, for good, and refuses what waits.
    pub(crate) fn poison(&self) {
        self.refuse_all(&LogError::Poisoned);
    }

    /// The writer has ended: what waits is refused, and a queue that was not closed is poisoned, because
    /// nobody would answer any more.
    pub(crate) fn abandon(&self) {
        let error = match held(&self.waiting).phase {
            Phase::Closed => LogError::Closed,
            Phase::Open | Phase::Poisoned => LogError::Poisoned,
        };
        self.refuse_all(&error);
    }

    fn refuse_all(&self, error: &LogError) {
        let mut waiting = held(&self.waiting);
        if *error == LogError::Poisoned {
            waiting.phase = Phase::Poisoned;
        }
        let refused = std::mem::take(&mut waiting.items);
        drop(waiting);
        self.changed.notify_all();
        self.room.notify_all();
        self.ended.notify_all();
        for item in refused {
            item.refuse(error.clone());
        }
    }

    pub(crate) fn is_poisoned(&self) -> bool {
        held(&self.waiting).phase == Phase::Poisoned
    }

    /// Waits this long, or until the queue takes nothing more; says whether it still does.
    pub(crate) fn is_open_after(&self, time: Duration) -> bool {
        let waiting = held(&self.waiting);
        let still_open = |waiting: &mut Waiting| waiting.phase == Phase::Open;
        let waited = self.ended.wait_timeout_while(waiting, time, still_open);
        let (waiting, _) = waited.unwrap_or_else(PoisonError::into_inner);
        waiting.phase == Phase::Open
    }
}

impl fmt::Debug for Queue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Queue")
            .field("len", &self.len())
            .finish_non_exhaustive()
    }
}

const fn refusal(phase: Phase) -> Option<LogError> {
    match phase {
        Phase::Open => None,
        Phase::Closed => Some(LogError::Closed),
        Phase::Poisoned => Some(LogError::Poisoned),
    }
}
