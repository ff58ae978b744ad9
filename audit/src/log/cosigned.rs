//! What witnesses have cosigned, as it is kept beside the log: the latest cosigned checkpoint, and up to
//! which size each witness has cosigned.

use std::io;

use super::recover::CHECKPOINT;
use crate::checkpoint::{Checkpoint, decimal};
use crate::disk::{Access, Disk};
use crate::head_slots::{self, Slot};
use crate::note::Note;
use crate::store::{StoreError, read_optional, replace};
use crate::vkey::VerifierKey;

/// The latest checkpoint that has cosignatures, which the published one does not have yet.
pub(crate) const COSIGNED: &str = ".state/cosigned";
/// The folder with the size that each witness has cosigned.
pub(crate) const WITNESSES: &str = ".state/witness";

/// The size of the latest cosigned checkpoint; nothing when none is kept.
pub(super) fn cosigned_size(disk: &dyn Disk) -> io::Result<Option<u64>> {
    let bytes = read_optional(disk, COSIGNED)?;
    Ok(bytes.and_then(|bytes| size(&Note::parse(&bytes).ok()?)))
}

fn size(note: &Note) -> Option<u64> {
    Checkpoint::parse(note.text()).map(|checkpoint| checkpoint.size)
}

/// Keeps a cosigned checkpoint, unless a larger one is kept.
pub(super) fn keep(disk: &dyn Disk, note: &Note) -> Result<(), StoreError> {
    if cosigned_size(disk).map_err(StoreError::Write)? > size(note) {
        return Ok(());
    }
    replace(disk, COSIGNED, note.to_string().as_bytes(), Access::Public)
}

/// Remembers up to which size a witness has cosigned.
pub(super) fn remember(
    disk: &dyn Disk,
    witness: &VerifierKey,
    size: u64,
) -> Result<(), StoreError> {
    let text = format!("{size}\n");
    replace(disk, &path(witness), text.as_bytes(), Access::Public)
}

/// Up to which size a witness has cosigned the log in a folder, as far as that is remembered; 0 when it is
/// not. What cannot be read is not remembered: the witness says it again.
#[must_use]
pub fn witness_size(disk: &dyn Disk, witness: &VerifierKey) -> u64 {
    let bytes = disk.read(&path(witness)).unwrap_or_default();
    size_of(&bytes).unwrap_or_default()
}

/// The largest size that any witness is remembered to have cosigned.
pub(super) fn largest_size(disk: &dyn Disk) -> io::Result<Option<u64>> {
    let mut largest = None;
    for item in disk.list(WITNESSES)? {
        let bytes = read_optional(disk, &format!("{WITNESSES}/{}", item.name))?;
        largest = largest.max(bytes.as_deref().and_then(size_of));
    }
    Ok(largest)
}

/// The signed checkpoint that a witness can be asked about before the log in a folder is opened: the
/// published one; when none was published, that of a head slot. Nothing when there is no log yet.
///
/// # Errors
/// When a file cannot be read.
pub fn last_signed(disk: &dyn Disk) -> io::Result<Option<String>> {
    if let Some(bytes) = read_optional(disk, CHECKPOINT)? {
        return Ok(String::from_utf8(bytes).ok());
    }
    let mut last = None;
    for path in head_slots::PATHS {
        if let Slot::Head { turn, note } = head_slots::read(disk, path)? {
            last = last.max(Some((turn, note)));
        }
    }
    Ok(last.and_then(|(_, note)| String::from_utf8(note).ok()))
}

fn size_of(bytes: &[u8]) -> Option<u64> {
    decimal(std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?)
}

/// The witness's name, as far as file names may contain it, and its key's id.
fn path(witness: &VerifierKey) -> String {
    let plain = |c: char| match c {
        c if c.is_ascii_alphanumeric() || c == '.' || c == '-' => c,
        _ => '_',
    };
    let name: String = witness.name().chars().map(plain).take(100).collect();
    format!("{WITNESSES}/{name}-{:08x}", witness.id())
}
