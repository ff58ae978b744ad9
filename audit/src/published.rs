//! Reads the published entries of a log's folder, bundle by bundle. It verifies nothing.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};

use postern_audit::{Checkpoint, Note, TILE_WIDTH, TileId, TileKind, bundle_entries};

/// The file that says how many entries are published.
const CHECKPOINT: &str = "checkpoint";

/// The entries from some index on, each with its own.
pub(super) struct Entries {
    folder: PathBuf,
    next: u64,
    size: u64,
    read: VecDeque<Vec<u8>>,
}

impl Entries {
    /// Begins to read.
    pub(super) fn open(folder: &Path, from: u64) -> Result<Self, String> {
        let path = folder.join(CHECKPOINT);
        let bytes = fs::read(&path)
            .map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
        let note = Note::parse(&bytes).map_err(|error| error.to_string())?;
        let checkpoint = Checkpoint::parse(note.text())
            .ok_or_else(|| format!("`{}` is no checkpoint", path.display()))?;
        Ok(Self {
            folder: folder.to_owned(),
            next: from,
            size: checkpoint.size,
            read: VecDeque::new(),
        })
    }

    /// Reads the bundle that the next entry is in.
    fn fill(&mut self) -> Result<(), String> {
        let index = self.next / TILE_WIDTH;
        let first = index.saturating_mul(TILE_WIDTH);
        let tile = TileId {
            kind: TileKind::Entries,
            index,
            width: self.size.saturating_sub(first).min(TILE_WIDTH),
        };
        let whole = TileId {
            width: TILE_WIDTH,
            ..tile
        };
        // A bundle that has become full meanwhile has another path.
        let path = self.folder.join(tile.path());
        let bundle = fs::read(&path)
            .or_else(|error| fs::read(self.folder.join(whole.path())).map_err(|_absent| error))
            .map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
        let (entries, is_whole) = bundle_entries(&bundle);
        let expected = usize::try_from(tile.width).unwrap_or(usize::MAX);
        if !is_whole || entries.len() < expected {
            return Err(format!("`{}` is damaged: verify the log", path.display()));
        }
        let before = usize::try_from(self.next - first).unwrap_or(usize::MAX);
        let entries = entries.into_iter().take(expected).skip(before);
        self.read = entries.map(<[u8]>::to_vec).collect();
        Ok(())
    }
}

impl Iterator for Entries {
    type Item = Result<(u64, Vec<u8>), String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next >= self.size {
            return None;
        }
        if self.read.is_empty()
            && let Err(error) = self.fill()
        {
            self.next = self.size;
            return Some(Err(error));
        }
        let index = self.next;
        self.next += 1;
        self.read.pop_front().map(|entry| Ok((index, entry)))
    }
}
