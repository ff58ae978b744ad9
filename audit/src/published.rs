//! Reads the published entries of a log, bundle by bundle, for whoever shows or exports them. It verifies
//! nothing, and a log that is being written may be read.

use std::collections::VecDeque;
use std::io;

use crate::checkpoint::Checkpoint;
use crate::disk::Disk;
use crate::edge_tile::read_tile;
use crate::log::pruning;
use crate::log::recover::CHECKPOINT;
use crate::note::{Note, NoteError};
use crate::tree::bundle;
use crate::tree::tiles::{TILE_WIDTH, TileId, TileKind};

/// Why published entries cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// A file cannot be read.
    #[error("`{path}` cannot be read: {error}")]
    Unreadable {
        /// Which, below the log's folder.
        path: String,
        /// What the system says.
        error: io::Error,
    },
    /// The checkpoint is no signed note.
    #[error("the checkpoint is damaged: {0}")]
    Note(#[from] NoteError),
    /// The checkpoint's note is no checkpoint.
    #[error("the checkpoint is damaged: verify the log")]
    Checkpoint,
    /// A bundle does not hold the entries that the checkpoint says.
    #[error("`{path}` is damaged: verify the log")]
    Bundle {
        /// Which, below the log's folder.
        path: String,
    },
}

/// The published entries from some index on, each with its own; those that were pruned are left out. After
/// an error there are no more.
#[derive(Debug)]
pub struct PublishedEntries<'d> {
    disk: &'d dyn Disk,
    next: u64,
    size: u64,
    /// What is missing before this index was pruned.
    kept: u64,
    read: VecDeque<Vec<u8>>,
}

impl<'d> PublishedEntries<'d> {
    /// Begins to read, up to what is published now.
    ///
    /// # Errors
    /// When there is no checkpoint that can be read.
    pub fn open(disk: &'d dyn Disk, from: u64) -> Result<Self, ReadError> {
        let note = disk
            .read(CHECKPOINT)
            .map_err(|error| unreadable(CHECKPOINT, error))?;
        let note = Note::parse(&note)?;
        let checkpoint = Checkpoint::parse(note.text()).ok_or(ReadError::Checkpoint)?;
        Ok(Self {
            disk,
            next: from,
            size: checkpoint.size,
            kept: pruning::minimum(disk),
            read: VecDeque::new(),
        })
    }

    /// Goes on to the next bundle that is there.
    fn pass_pruned(&mut self) {
        while self.next < self.kept.min(self.size) {
            let index = self.next / TILE_WIDTH;
            let whole = TileId {
                kind: TileKind::Entries,
                index,
                width: TILE_WIDTH,
            };
            // One byte tells whether the file is there.
            match self.disk.read_from(&whole.path(), 0, 1) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    self.next = (index + 1).saturating_mul(TILE_WIDTH);
                }
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// Reads the bundle that the next entry is in.
    fn fill(&mut self) -> Result<(), ReadError> {
        let index = self.next / TILE_WIDTH;
        let first = index.saturating_mul(TILE_WIDTH);
        let tile = TileId {
            kind: TileKind::Entries,
            index,
            width: self.size.saturating_sub(first).min(TILE_WIDTH),
        };
        let path = tile.path();
        let bundle = read_tile(self.disk, &tile).map_err(|error| unreadable(&path, error))?;
        let (entries, is_whole) = bundle::entries(&bundle);
        let expected = usize::try_from(tile.width).unwrap_or(usize::MAX);
        if !is_whole || entries.len() < expected {
            return Err(ReadError::Bundle { path });
        }
        let before = usize::try_from(self.next - first).unwrap_or(usize::MAX);
        let entries = entries.into_iter().take(expected).skip(before);
        self.read = entries.map(<[u8]>::to_vec).collect();
        Ok(())
    }
}

impl Iterator for PublishedEntries<'_> {
    type Item = Result<(u64, Vec<u8>), ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.read.is_empty() {
            self.pass_pruned();
        }
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

fn unreadable(path: &str, error: io::Error) -> ReadError {
    ReadError::Unreadable {
        path: path.to_owned(),
        error,
    }
}
