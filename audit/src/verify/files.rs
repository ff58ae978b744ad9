//! Reads files for the verifier, and names those that cannot be read.

use std::io;

use super::VerifyError;
use crate::disk::Disk;
use crate::edge_tile::read_tile;
use crate::store::read_optional;
use crate::tree::tiles::TileId;

/// A file that need not be there.
pub(super) fn optional(disk: &dyn Disk, path: &str) -> Result<Option<Vec<u8>>, VerifyError> {
    read_optional(disk, path).map_err(|error| unreadable(path, error))
}

/// A tile or bundle, or the beginning of a wider one that has taken its place.
pub(super) fn tile(disk: &dyn Disk, tile: &TileId) -> Result<Option<Vec<u8>>, VerifyError> {
    match read_tile(disk, tile) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(unreadable(&tile.path(), error)),
    }
}

/// Every file below a folder.
pub(super) fn below(disk: &dyn Disk, folder: &str) -> Result<Vec<String>, VerifyError> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        let listed = disk
            .list(&folder)
            .map_err(|error| unreadable(&folder, error))?;
        for item in listed {
            let path = format!("{folder}/{}", item.name);
            if item.is_folder {
                folders.push(path);
            } else {
                files.push(path);
            }
        }
    }
    Ok(files)
}

pub(super) fn unreadable(path: &str, error: io::Error) -> VerifyError {
    VerifyError::Unreadable {
        path: path.to_owned(),
        error,
    }
}
