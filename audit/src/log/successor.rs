//! What is done with a log that is damaged or was rolled back, when its owner accepts that: it is set
//! aside whole, and another one begins, with another origin, whose first entry holds the last
//! checkpoint of the old one.
//!
//! A journal is written first, so that a crash on the way is finished at the next start: no step can
//! leave the old origin to go on from an earlier size.

use serde::{Deserialize, Serialize};

use super::cosigned::{COSIGNED, WITNESSES};
use super::error::OpenError;
use super::keys::PUBLIC;
use super::pruning::{ENDED, MINIMUM};
use super::recover::CHECKPOINT;
use crate::disk::{Access, Disk};
use crate::head_slots::PATHS;
use crate::store::{StoreError, ensure_folder, parent, read_optional, replace};
use crate::wal::FOLDER;

/// The journal.
const JOURNAL: &str = ".state/successor";
/// Where damaged logs are set aside, each in a folder of its own.
const ASIDE: &str = ".damaged";

/// A change of logs that has begun.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Succession {
    /// The new log's origin.
    pub(super) origin: String,
    /// Where the old log is set aside.
    folder: String,
    /// The published checkpoint of the old log, as it was found.
    pub(super) checkpoint: Vec<u8>,
    /// What was found wrong.
    pub(super) found: String,
}

/// Begins to replace a log, durably.
pub(super) fn begin(
    disk: &dyn Disk,
    origin: String,
    found: &OpenError,
) -> Result<Succession, OpenError> {
    let unique = origin.rsplit('/').next().unwrap_or_default();
    let succession = Succession {
        folder: format!("{ASIDE}/before-{unique}"),
        checkpoint: read_optional(disk, CHECKPOINT)?.unwrap_or_default(),
        found: found.to_string(),
        origin,
    };
    let journal = serde_json::to_vec(&succession).map_err(std::io::Error::from)?;
    replace(disk, JOURNAL, &journal, Access::Public)?;
    Ok(succession)
}

/// The change that was begun and has not ended.
pub(super) fn begun(disk: &dyn Disk) -> Result<Option<Succession>, OpenError> {
    let Some(bytes) = read_optional(disk, JOURNAL)? else {
        return Ok(None);
    };
    let succession = serde_json::from_slice(&bytes);
    succession.map(Some).map_err(|_error| OpenError::Damaged {
        index: 0,
        what: "`.state/successor` cannot be read".to_owned(),
    })
}

/// Sets the old log aside: everything but the lock and the journal. What was moved before stays there.
pub(super) fn set_aside(disk: &dyn Disk, succession: &Succession) -> Result<(), OpenError> {
    let [a, b] = PATHS;
    let state = [COSIGNED, WITNESSES, MINIMUM, ENDED, a, b];
    for path in ["tile", FOLDER, CHECKPOINT]
        .into_iter()
        .chain(state)
        .chain([PUBLIC])
    {
        let to = format!("{}/{path}", succession.folder);
        ensure_folder(disk, parent(&to))?;
        match disk.rename(path, &to) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            moved => moved?,
        }
        let synced = disk
            .sync_folder(parent(&to))
            .and_then(|()| disk.sync_folder(parent(path)));
        synced.map_err(StoreError::Sync)?;
    }
    Ok(())
}

/// Ends the change, once the first entry of the new log is durable.
pub(super) fn end(disk: &dyn Disk) -> Result<(), OpenError> {
    disk.remove(JOURNAL)?;
    Ok(disk.sync_folder(parent(JOURNAL))?)
}
