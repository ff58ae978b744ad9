//! A log in memory, its clock, and what the tests ask of both.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use postern_audit::{Clock, Log, LogSettings, NewEntry, OnDamage, OpenError};

use crate::memory_disk::MemoryDisk;

/// A clock that stands still until it is moved.
#[derive(Debug)]
pub(crate) struct StoppedClock(AtomicU64);

impl StoppedClock {
    pub(crate) fn advance(&self, time: Duration) {
        self.0
            .fetch_add(u64::try_from(time.as_millis()).unwrap(), Ordering::SeqCst);
    }
}

impl Clock for StoppedClock {
    fn wall(&self) -> SystemTime {
        UNIX_EPOCH + Duration::from_millis(self.0.load(Ordering::SeqCst))
    }
}

/// A log's disk and key, and how it is opened.
#[derive(Debug, Clone)]
pub(crate) struct Stage {
    pub(crate) disk: MemoryDisk,
    pub(crate) seeds: MemoryDisk,
    pub(crate) clock: Arc<StoppedClock>,
    pub(crate) segment_bytes: u64,
}

impl Stage {
    pub(crate) fn new() -> Self {
        Self {
            disk: MemoryDisk::default(),
            seeds: MemoryDisk::default(),
            clock: Arc::new(StoppedClock(AtomicU64::new(1_700_000_000_000))),
            segment_bytes: 64 << 20,
        }
    }

    pub(crate) fn settings(&self) -> LogSettings {
        LogSettings {
            disk: Arc::new(self.disk.clone()),
            seed_disk: Arc::new(self.seeds.clone()),
            seed_name: "audit.seed".to_owned(),
            domain: "audit.example.org".to_owned(),
            clock: Arc::clone(&self.clock) as Arc<dyn Clock>,
            segment_bytes: self.segment_bytes,
            queue_entries_max: 65_536,
            publish_every: None,
            witnessed_size: None,
            forked_size: None,
            on_damage: OnDamage::Refuse,
        }
    }

    pub(crate) fn open(&self) -> Result<Log, OpenError> {
        Log::open(self.settings())
    }
}

/// An entry that can be told from every other.
pub(crate) fn entry(number: u64) -> NewEntry {
    NewEntry::new(entry_bytes(number))
}

pub(crate) fn entry_bytes(number: u64) -> Vec<u8> {
    format!(r#"{{"number":{number},"time":1700000000000}}"#).into_bytes()
}

/// An index of the log as one of a list.
pub(crate) fn place(index: u64) -> usize {
    usize::try_from(index).unwrap()
}
