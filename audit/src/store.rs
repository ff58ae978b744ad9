//! How whole files become durable: written beside, synced, renamed, and the folder synced. Errors say
//! whether it was a sync that failed, because after that nothing on the disk may be relied upon.

use std::io::{self, ErrorKind};

use crate::disk::{Access, Disk, DiskFile};

/// Why something could not be stored.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    /// It could not be written; what was there before is untouched, or whole in place of it without being durable yet.
    #[error("{0}")]
    Write(#[source] io::Error),
    /// Whether it is durable is unknown.
    #[error("{0}")]
    Sync(#[source] io::Error),
}

/// What the system says when the process, or the machine, has no file descriptors left. The numbers are the same on
/// every Unix that the log is written on.
const NO_DESCRIPTORS: [i32; 2] = [24, 23];

impl StoreError {
    /// Why a folder is not synced. When there was no descriptor for it the disk was asked nothing, and can be asked
    /// again; a sync that failed is final.
    pub(crate) fn of_folder(error: io::Error) -> Self {
        let is_unasked = error
            .raw_os_error()
            .is_some_and(|number| NO_DESCRIPTORS.contains(&number));
        match is_unasked {
            true => Self::Write(error),
            false => Self::Sync(error),
        }
    }
}

/// Where files are written before they get their names.
const BESIDE: &str = ".tmp";

/// The folder of a path; the disk's own when it has none.
pub(crate) fn parent(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// Makes a folder and all above it, durably.
pub(crate) fn ensure_folder(disk: &dyn Disk, folder: &str) -> Result<(), StoreError> {
    let ends = folder.match_indices('/').map(|(at, _)| at);
    for end in ends.chain([folder.len()]) {
        let Some(path) = folder.get(..end).filter(|path| !path.is_empty()) else {
            continue;
        };
        if disk.create_folder(path).map_err(StoreError::Write)? {
            disk.sync_folder(parent(path))
                .map_err(StoreError::of_folder)?;
        }
    }
    Ok(())
}

/// Writes a file whole, durably, in place of whatever has its name. A crash leaves the old or the new.
pub(crate) fn replace(
    disk: &dyn Disk,
    path: &str,
    bytes: &[u8],
    access: Access,
) -> Result<(), StoreError> {
    replace_unsettled(disk, path, bytes, access)?;
    disk.sync_folder(parent(path))
        .map_err(StoreError::of_folder)
}

/// As [`replace`], but its name is durable only when its folder has been synced.
pub(crate) fn replace_unsettled(
    disk: &dyn Disk,
    path: &str,
    bytes: &[u8],
    access: Access,
) -> Result<(), StoreError> {
    ensure_folder(disk, parent(path))?;
    let beside = format!("{path}{BESIDE}");
    let mut file = match disk.create(&beside, access) {
        // It was left by a crash or by a full disk.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            disk.remove(&beside).map_err(StoreError::Write)?;
            disk.create(&beside, access)
        }
        created => created,
    }
    .map_err(StoreError::Write)?;
    write_all(file.as_mut(), 0, bytes).map_err(StoreError::Write)?;
    file.sync().map_err(StoreError::Sync)?;
    disk.rename(&beside, path).map_err(StoreError::Write)
}

/// Writes everything, in one call unless the system takes less.
pub(crate) fn write_all(file: &mut dyn DiskFile, offset: u64, bytes: &[u8]) -> io::Result<()> {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match file.write_at(offset + written as u64, rest) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(more) => written += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Reads a file that need not be there.
pub(crate) fn read_optional(disk: &dyn Disk, path: &str) -> io::Result<Option<Vec<u8>>> {
    match disk.read(path) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}
