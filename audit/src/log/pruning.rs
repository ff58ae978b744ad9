//! Retention: removes bundles of entries that are older than the operator keeps them.
//!
//! ```text
//! the log says so: Delete entry, published ─▶ `minimum` ─▶ bundles go ─▶ `.state/pruned`
//! ```
//!
//! Only entries go. Every hash stays, so that each head ever signed can be checked and any entry that is left
//! proved. A bundle that holds a change of keys stays too: without it nobody could follow the keys. What a
//! crash leaves is removed by the next pruning, because `.state/pruned` comes last.

use std::io::ErrorKind;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};

use serde::Deserialize;

use super::cosigned::cosigned_size;
use super::error::LogError;
use super::life::{self, Activity};
use super::{Log, held};
use crate::checkpoint::decimal;
use crate::clock::millis;
use crate::disk::{Access, Disk};
use crate::store::{StoreError, parent, read_optional, replace};
use crate::tree::bundle;
use crate::tree::hash::Hash;
use crate::tree::tiles::{TILE_WIDTH, TileId, TileKind, from_bytes};
use crate::wal::scan::segments;

/// Up to which index pruning has ended.
pub(super) const ENDED: &str = ".state/pruned";
/// The first index whose entry is kept, for readers; it is the Delete entry that is evidence.
pub(crate) const MINIMUM: &str = "minimum";
/// How many bundles one pruning looks at.
const BUNDLES_MAX: u64 = 4096;

/// What has to vouch for entries before they may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cover {
    /// The published checkpoint.
    Published,
    /// The last checkpoint that a witness has cosigned.
    Cosigned,
}

#[derive(Debug, Deserialize)]
struct Timed {
    time: u64,
}

/// When the newest entry of a bundle was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Newest {
    /// In milliseconds since 1970.
    At(u64),
    /// An entry has no time, so that nobody can say how old the bundle is.
    Unknown,
    /// The bundle is not there.
    Gone,
}

impl Log {
    /// Removes entries older than `keep`, by whole bundles, as far as a published checkpoint covers them. Says
    /// so in an entry first. Returns the first index that is kept.
    ///
    /// # Errors
    /// When the entry cannot be appended or the disk fails; the next pruning goes on. [`LogError::Damaged`]
    /// when an old bundle is another than its hashes: nothing goes until somebody has seen to it.
    pub fn prune(&self, keep: Duration, cover: Cover) -> Result<u64, LogError> {
        let disk = self.settings.disk.as_ref();
        let ended = read_number(disk, ENDED)?;
        let minimum = self.minimum(ended, (keep, cover))?;
        if minimum > ended {
            let clock = self.settings.clock.as_ref();
            let details = Some(life::pruned(minimum, keep));
            self.append_and_wait(life::entry(clock, &self.origin, Activity::Delete, details))?;
            self.publish()?;
            self.fatal_if_unsynced(put_number(disk, MINIMUM, minimum))?;
            for index in ended / TILE_WIDTH..minimum / TILE_WIDTH {
                self.remove_bundle(index)?;
            }
            self.fatal_if_unsynced(put_number(disk, ENDED, minimum))?;
        }
        // It is behind where a pruning did not end: all that it was to remove is gone.
        let minimum = minimum.max(read_number(disk, MINIMUM)?);
        self.let_go_of_segment(minimum)?;
        Ok(minimum)
    }

    /// The first index that is kept after what was pruned so far; 0 when nothing was.
    #[must_use]
    pub fn kept_from(&self) -> u64 {
        minimum(self.settings.disk.as_ref())
    }

    /// The first index to keep, which an old bundle is before.
    fn minimum(&self, ended: u64, (keep, cover): (Duration, Cover)) -> Result<u64, LogError> {
        let published = held(&self.publisher).size();
        let covered = match cover {
            Cover::Published => published,
            Cover::Cosigned => cosigned_size(self.settings.disk.as_ref())?
                .unwrap_or_default()
                .min(published),
        };
        let before = self.settings.clock.wall().checked_sub(keep);
        let before = millis(before.unwrap_or(SystemTime::UNIX_EPOCH));
        let (mut minimum, mut next, mut looked) = (ended, ended, 0);
        while looked < BUNDLES_MAX && next + TILE_WIDTH <= covered {
            let newest = self.newest(next / TILE_WIDTH)?;
            next += TILE_WIDTH;
            match newest {
                Newest::At(time) if time < before => {
                    minimum = next;
                    looked += 1;
                }
                Newest::At(_) | Newest::Unknown => break,
                // SECURITY: one that is gone was old only if a later one is. A pruning that did not end has
                // removed it, or somebody whom no Delete entry may excuse.
                Newest::Gone => {}
            }
        }
        Ok(minimum)
    }

    /// When the newest entry of a bundle was written.
    fn newest(&self, index: u64) -> Result<Newest, LogError> {
        let disk = self.settings.disk.as_ref();
        let Some(bundle) = read_optional(disk, &path_of(TileKind::Entries, index))? else {
            return Ok(Newest::Gone);
        };
        let (entries, is_whole) = bundle::entries(&bundle);
        // SECURITY: what was changed must not go, nor say how old it is. The hashes stay, so that they are
        // held against every head later.
        let hashes = read_optional(disk, &path_of(TileKind::Hashes(0), index))?;
        let hashes = from_bytes(&hashes.unwrap_or_default());
        let leaves = entries.iter().map(|entry| Hash::of_leaf(entry));
        if !is_whole || !leaves.eq(hashes) {
            return Err(LogError::Damaged);
        }
        let time = |entry: &&[u8]| serde_json::from_slice::<Timed>(entry).ok();
        let times: Option<Vec<Timed>> = entries.iter().map(time).collect();
        let newest = times.and_then(|times| times.iter().map(|timed| timed.time).max());
        Ok(newest.map_or(Newest::Unknown, Newest::At))
    }

    fn remove_bundle(&self, index: u64) -> Result<(), LogError> {
        let disk = self.settings.disk.as_ref();
        let path = path_of(TileKind::Entries, index);
        // Where it is gone already, that may not be durable yet.
        let bytes = read_optional(disk, &path)?.unwrap_or_default();
        let (entries, _) = bundle::entries(&bytes);
        if entries
            .iter()
            .any(|entry| life::announced_key(entry).is_some())
        {
            return Ok(());
        }
        match disk.remove(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => return Err(error.into()),
            Ok(()) | Err(_) => {}
        }
        let synced = disk
            .sync_folder(parent(&path))
            .map_err(StoreError::of_folder);
        self.fatal_if_unsynced(synced)
    }

    /// Entries that were pruned may still be in the newest segment: the next batch begins another.
    fn let_go_of_segment(&self, minimum: u64) -> Result<(), LogError> {
        let newest = segments(self.settings.disk.as_ref())?.pop();
        if newest.is_some_and(|first| first < minimum) {
            self.shared.begin_segment.store(true, Ordering::Relaxed);
        }
        Ok(())
    }
}

/// The first index whose entry is kept; 0 when nothing was pruned.
pub(crate) fn minimum(disk: &dyn Disk) -> u64 {
    read_number(disk, MINIMUM).unwrap_or_default()
}

fn path_of(kind: TileKind, index: u64) -> String {
    let width = TILE_WIDTH;
    TileId { kind, index, width }.path()
}

fn read_number(disk: &dyn Disk, path: &str) -> Result<u64, LogError> {
    let bytes = read_optional(disk, path)?.unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    Ok(decimal(text.trim_end()).unwrap_or_default())
}

fn put_number(disk: &dyn Disk, path: &str, number: u64) -> Result<(), StoreError> {
    replace(disk, path, format!("{number}\n").as_bytes(), Access::Public)
}
