//! The tiles of hashes, held against what the entries make.

use super::evidence::Place;
use super::walk::Walk;
use super::{VerifyError, files};
use crate::tree::hash::HASH_BYTES;
use crate::tree::tiles::{TILE_WIDTH, TileId, TileKind, width_at};

impl Walk<'_> {
    pub(super) fn read_tile(
        &mut self,
        tile: &TileId,
        first: u64,
    ) -> Result<Option<Vec<u8>>, VerifyError> {
        let bytes = files::tile(self.disk, tile)?;
        if bytes.is_none() {
            let what = format!("`{}` is missing", tile.path());
            self.evidence.add(Place::Exact, first, what);
        }
        Ok(bytes)
    }

    /// Compares a tile above the first level with what it has to be.
    pub(super) fn compare(&mut self, tile: &TileId, wanted: &[u8]) -> Result<(), VerifyError> {
        let TileKind::Hashes(level @ 1..) = tile.kind else {
            return Ok(());
        };
        let first = tile.first_leaf();
        if let Some(found) = self.read_tile(tile, first)?
            && let Some(at) = first_difference(&found, wanted)
        {
            let covered = TILE_WIDTH.saturating_pow(u32::from(level));
            let index = first + (at / HASH_BYTES) as u64 * covered;
            self.evidence
                .add(Place::Exact, index, format!("`{}` is another", tile.path()));
        }
        Ok(())
    }

    /// Partial tiles that a wider one has replaced are its beginnings.
    pub(super) fn check_narrow_tiles(&mut self) -> Result<(), VerifyError> {
        for path in files::below(self.disk, "tile")? {
            let Some(tile) = TileId::from_path(&path) else {
                continue;
            };
            let count = match tile.kind {
                TileKind::Entries => self.published,
                TileKind::Hashes(level) => self
                    .published
                    .checked_shr(8 * u32::from(level))
                    .unwrap_or_default(),
            };
            let width = width_at(tile.index, count);
            if tile.width >= width {
                continue;
            }
            let wide = files::optional(self.disk, &TileId { width, ..tile }.path())?;
            let narrow = files::optional(self.disk, &path)?.unwrap_or_default();
            if wide.is_some_and(|wide| !wide.starts_with(&narrow)) {
                let what = format!("`{path}` is another than the wider one");
                self.evidence.add(Place::Exact, tile.first_leaf(), what);
            }
        }
        Ok(())
    }
}

fn first_difference(left: &[u8], right: &[u8]) -> Option<usize> {
    let same = left
        .iter()
        .zip(right)
        .take_while(|(left, right)| left == right)
        .count();
    (same < left.len().max(right.len())).then_some(same)
}
