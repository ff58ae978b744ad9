//! How much room the log's disk has: below a twentieth only refusals and what operators do is recorded.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Mutex, PoisonError};

/// Below this share of free blocks, in percent, operators are told.
const LOW_PERCENT: u8 = 10;
/// Below this share, exchanges are not recorded, so that they are refused.
const SHORT_PERCENT: u8 = 5;

/// How much room there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    /// Enough, as far as is known.
    Enough,
    /// Operators are told.
    Low,
    /// Exchanges are refused.
    Short,
    /// The disk does not say. What it said last counts.
    Unknown,
}

/// What was seen of the disk when it was last looked at.
#[derive(Debug)]
pub(super) struct Space {
    folder: PathBuf,
    free_percent: AtomicU8,
    /// What was said last.
    said: Mutex<Room>,
}

impl Space {
    /// Looks at the disk that a folder is on.
    pub(super) fn of(folder: &Path) -> Self {
        let space = Self {
            folder: folder.to_owned(),
            free_percent: AtomicU8::new(100),
            said: Mutex::new(Room::Enough),
        };
        space.look();
        space
    }

    /// Looks again, and says so where it is no longer as it was.
    pub(super) fn look(&self) {
        let found = rustix::fs::statvfs(&self.folder).ok();
        let free = found.map(|found| free_percent(found.f_bavail, found.f_blocks));
        if let Some(room) = self.note(free) {
            say(room, self.free_percent());
        }
    }

    /// Keeps what the disk says. How much room there is, if that is news.
    fn note(&self, free: Option<u8>) -> Option<Room> {
        let room = match free {
            None => Room::Unknown,
            Some(free) if free < SHORT_PERCENT => Room::Short,
            Some(free) if free < LOW_PERCENT => Room::Low,
            Some(_) => Room::Enough,
        };
        if let Some(free) = free {
            self.free_percent.store(free, Ordering::Relaxed);
        }
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        (std::mem::replace(&mut *said, room) != room).then_some(room)
    }

    /// The share of free blocks when it was last looked at, in percent.
    pub(super) fn free_percent(&self) -> u8 {
        self.free_percent.load(Ordering::Relaxed)
    }

    /// Whether exchanges are to be refused.
    pub(super) fn is_short(&self) -> bool {
        self.free_percent() < SHORT_PERCENT
    }
}

/// A file system without blocks, as some that are made of others are, has no end that is known.
fn free_percent(free: u64, blocks: u64) -> u8 {
    let percent = free.saturating_mul(100).checked_div(blocks);
    percent.map_or(100, |percent| u8::try_from(percent).unwrap_or(100))
}

fn say(room: Room, free_percent: u8) {
    match room {
        Room::Enough => tracing::info!(free_percent, "the audit log's disk has room again"),
        Room::Low => tracing::warn!(
            free_percent,
            "the audit log's disk gets full; below {SHORT_PERCENT} % exchanges are refused"
        ),
        Room::Short => tracing::error!(
            free_percent,
            "the audit log's disk is full but for less than {SHORT_PERCENT} %; exchanges are refused until it has room"
        ),
        Room::Unknown => {
            tracing::warn!("the audit log's disk does not say how much room it has");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_spoken_of_when_it_passes_a_mark_and_not_again() {
        let space = Space {
            folder: PathBuf::new(),
            free_percent: AtomicU8::new(100),
            said: Mutex::new(Room::Enough),
        };
        let seen = [
            (Some(40), None),
            (Some(9), Some(Room::Low)),
            (Some(5), None),
            (Some(4), Some(Room::Short)),
            (Some(0), None),
            (None, Some(Room::Unknown)),
            (None, None),
            (Some(0), Some(Room::Short)),
            (Some(9), Some(Room::Low)),
            (Some(10), Some(Room::Enough)),
            (Some(100), None),
        ];
        for (free, news) in seen {
            assert_eq!(space.note(free), news, "{free:?}");
            let free = free.unwrap_or(0);
            assert_eq!(space.free_percent(), free);
            assert_eq!(space.is_short(), free < 5, "{free}");
        }
    }

    #[test]
    fn a_disk_without_blocks_has_room() {
        assert_eq!(free_percent(0, 0), 100);
        assert_eq!(free_percent(0, 7), 0);
        assert_eq!(free_percent(u64::MAX, 1), 100);
        assert_eq!(free_percent(49, 1000), 4);
    }
}
