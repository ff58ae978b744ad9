//! Reads a tile of a published tree whose log may be growing: a tile at the edge gives way to a wider one, which
//! begins with all that the narrower one held.

use std::io::{self, ErrorKind};

use crate::disk::Disk;
use crate::store::parent;
use crate::tree::bundle;
use crate::tree::hash::HASH_BYTES;
use crate::tree::tiles::{TILE_WIDTH, TileId, TileKind};

/// How often a tile is looked for while one gives way to another.
const TRIES_MAX: usize = 16;

/// Reads a tile; where it is gone, the beginning of a wider one.
///
/// # Errors
/// As the system says; `NotFound` when there is no wider one either.
pub(crate) fn read_tile(disk: &dyn Disk, tile: &TileId) -> io::Result<Vec<u8>> {
    for _ in 0..TRIES_MAX {
        match disk.read(&tile.path()) {
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            read => return read,
        }
        let mut is_changing = false;
        for width in wider(disk, tile)? {
            match disk.read(&TileId { width, ..*tile }.path()) {
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    is_changing |= width < TILE_WIDTH;
                }
                read => return Ok(beginning(tile, read?)),
            }
        }
        if !is_changing {
            break;
        }
    }
    Err(ErrorKind::NotFound.into())
}

/// The widths of wider tiles that are there, the widest first, and that of the full one, which may be.
fn wider(disk: &dyn Disk, tile: &TileId) -> io::Result<Vec<u64>> {
    if tile.width >= TILE_WIDTH {
        return Ok(Vec::new());
    }
    let mut widths = vec![TILE_WIDTH];
    for item in disk.list(parent(&tile.path()))? {
        let width = item.name.parse().ok();
        widths.extend(width.filter(|width| (tile.width + 1..TILE_WIDTH).contains(width)));
    }
    widths.sort_unstable_by_key(|width| std::cmp::Reverse(*width));
    Ok(widths)
}

/// What the narrower tile held.
fn beginning(tile: &TileId, mut bytes: Vec<u8>) -> Vec<u8> {
    let width = usize::try_from(tile.width).unwrap_or(usize::MAX);
    match tile.kind {
        TileKind::Hashes(_) => {
            bytes.truncate(width.saturating_mul(HASH_BYTES));
            bytes
        }
        TileKind::Entries => {
            let mut narrow = Vec::new();
            let (entries, _) = bundle::entries(&bytes);
            for entry in entries.into_iter().take(width) {
                bundle::put(&mut narrow, entry);
            }
            narrow
        }
    }
}
