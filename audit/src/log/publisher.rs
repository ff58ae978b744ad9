//! The publisher: makes tiles and bundles of what is durable, and then the checkpoint that names them;
//! after that, segments of the write-ahead log that are wholly in full tiles are removed.
//!
//! It reads the write-ahead log, never the writer's memory, so it can begin again at any time. When it
//! fails half-way it forgets what it held and begins again from what is published.

use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;

use super::cosigned::COSIGNED;
use super::error::LogError;
use super::recover::{CHECKPOINT, Signed};
use super::{Head, Shared};
use crate::disk::{Access, Disk};
use crate::note::{Note, SignatureLine};
use crate::proof_file::ProofFile;
use crate::store::{StoreError, parent, replace, replace_unsettled};
use crate::tree::bundle;
use crate::tree::hash::Hash;
use crate::tree::proof;
use crate::tree::tiles::{
    TILE_WIDTH, TileBuilder, TileError, TileId, TileKind, TileReader, width_at,
};
use crate::wal::cursor::Cursor;
use crate::wal::scan::segments;
use crate::wal::segment_path;

/// The edge of what has been read so far.
#[derive(Debug)]
struct Edge {
    cursor: Cursor,
    builder: TileBuilder,
    /// The bundle at the edge, and how many entries it holds.
    bundle: Vec<u8>,
    bundled: u64,
    size: u64,
}

/// See the module's documentation.
#[derive(Debug)]
pub(crate) struct Publisher {
    disk: Arc<dyn Disk>,
    published: Option<Signed>,
    edge: Option<Edge>,
}

impl Publisher {
    pub(super) const fn new(disk: Arc<dyn Disk>, published: Option<Signed>) -> Self {
        Self {
            disk,
            published,
            edge: None,
        }
    }

    pub(super) fn published(&self) -> Option<String> {
        self.published
            .as_ref()
            .map(|signed| signed.note.to_string())
    }

    /// Publishes what is durable, if there is anything new.
    pub(super) fn publish(&mut self, shared: &Shared) -> Result<(), LogError> {
        if shared.queue.is_poisoned() {
            return Err(LogError::Poisoned);
        }
        let Some(head) = shared.head() else {
            return Ok(());
        };
        if head.checkpoint.size <= self.size() {
            return Ok(());
        }
        let outcome = self.publish_head(&head);
        if let Err(error) = &outcome {
            self.edge = None;
            if *error == LogError::Poisoned {
                shared.queue.poison();
            }
        }
        outcome
    }

    /// The size of the published tree.
    pub(super) fn size(&self) -> u64 {
        self.published
            .as_ref()
            .map_or(0, |signed| signed.checkpoint.size)
    }

    fn publish_head(&mut self, head: &Head) -> Result<(), LogError> {
        let mut edge = match self.edge.take() {
            Some(edge) => edge,
            None => self.load_edge()?,
        };
        let mut folders = BTreeSet::new();
        self.put_full(&mut edge, head.checkpoint.size, &mut folders)?;
        let mut partial = edge.builder.partial();
        if edge.bundled > 0 {
            let tile = TileId {
                kind: TileKind::Entries,
                index: edge.size / TILE_WIDTH,
                width: edge.bundled,
            };
            partial.push((tile, edge.bundle.clone()));
        }
        for (tile, bytes) in &partial {
            self.put(tile, bytes, &mut folders)?;
        }
        for folder in folders {
            self.disk
                .sync_folder(&folder)
                .map_err(StoreError::of_folder)?;
        }
        let note = Note::parse(head.note.as_bytes()).map_err(|_error| LogError::Damaged)?;
        replace(
            self.disk.as_ref(),
            CHECKPOINT,
            head.note.as_bytes(),
            Access::Public,
        )?;
        let before = self.size();
        self.published = Some(Signed {
            note,
            checkpoint: head.checkpoint.clone(),
        });
        self.edge = Some(edge);
        self.remove_partial_tiles_of(before);
        self.remove_segments()
    }

    /// Begins where full tiles end.
    fn load_edge(&self) -> Result<Edge, LogError> {
        let size = self.size();
        let base = size - size % TILE_WIDTH;
        let builder = TileBuilder::load(base, &mut self.reader());
        Ok(Edge {
            cursor: Cursor::at(self.disk.as_ref(), base)?,
            builder: builder.map_err(damage)?,
            bundle: Vec::new(),
            bundled: 0,
            size: base,
        })
    }

    fn reader(&self) -> TileReader<impl FnMut(&TileId) -> io::Result<Vec<u8>> + use<'_>> {
        TileReader::new(self.size(), |tile: &TileId| self.disk.read(&tile.path()))
    }

    /// Reads on, and writes each tile and bundle that becomes full.
    fn put_full(
        &self,
        edge: &mut Edge,
        to: u64,
        folders: &mut BTreeSet<String>,
    ) -> Result<(), LogError> {
        let mut full = Vec::new();
        let Edge {
            cursor,
            builder,
            bundle,
            bundled,
            size,
        } = edge;
        cursor.read::<LogError>(self.disk.as_ref(), to, &mut |_, entry| {
            builder.push(Hash::of_leaf(entry), &mut full);
            bundle::put(bundle, entry);
            *bundled += 1;
            *size += 1;
            if *bundled == TILE_WIDTH {
                let tile = TileId {
                    kind: TileKind::Entries,
                    index: *size / TILE_WIDTH - 1,
                    width: TILE_WIDTH,
                };
                self.put(&tile, bundle, folders)?;
                bundle.clear();
                *bundled = 0;
            }
            for (tile, bytes) in full.drain(..) {
                self.put(&tile, &bytes, folders)?;
            }
            Ok(())
        })
    }

    fn put(
        &self,
        tile: &TileId,
        bytes: &[u8],
        folders: &mut BTreeSet<String>,
    ) -> Result<(), LogError> {
        let path = tile.path();
        replace_unsettled(self.disk.as_ref(), &path, bytes, Access::Public)?;
        folders.insert(parent(&path).to_owned());
        Ok(())
    }

    /// Removes partial tiles that a wider one replaces: those of an earlier size, and what a publication
    /// left that did not end. One that cannot be removed is as true as it was.
    fn remove_partial_tiles_of(&self, before: u64) {
        let now = self.size();
        let kinds = (0..8).map(TileKind::Hashes).chain([TileKind::Entries]);
        for kind in kinds {
            let shift = match kind {
                TileKind::Hashes(level) => 8 * u32::from(level),
                TileKind::Entries => 0,
            };
            let (old, new) = (before >> shift, now >> shift);
            if old == new {
                continue;
            }
            for index in BTreeSet::from([old / TILE_WIDTH, new / TILE_WIDTH]) {
                let width = width_at(index, new);
                self.remove_narrower(TileId { kind, index, width });
            }
        }
    }

    fn remove_narrower(&self, tile: TileId) {
        let partial = TileId { width: 1, ..tile }.path();
        let folder = parent(&partial);
        for item in self.disk.list(folder).unwrap_or_default() {
            let path = format!("{folder}/{}", item.name);
            if path != tile.path() {
                drop(self.disk.remove(&path));
            }
        }
        if tile.width == TILE_WIDTH {
            drop(self.disk.remove_folder(folder));
        }
    }

    /// Removes the segments whose entries are all in full tiles, the oldest first.
    fn remove_segments(&self) -> Result<(), LogError> {
        let size = self.size();
        let tiled = size - size % TILE_WIDTH;
        let firsts = segments(self.disk.as_ref())?;
        for (first, next) in firsts.iter().zip(firsts.iter().skip(1)) {
            if *next <= tiled {
                self.disk.remove(&segment_path(*first))?;
            }
        }
        Ok(())
    }

    /// See [`super::Log::cosign`].
    pub(super) fn cosign(
        &mut self,
        shared: &Shared,
        checkpoint: &str,
        lines: Vec<SignatureLine>,
    ) -> Result<(), LogError> {
        let published = self.published.as_mut().ok_or(LogError::Superseded)?;
        if published.note.text() != checkpoint {
            return Err(LogError::Superseded);
        }
        let mut note = published.note.clone();
        lines.into_iter().for_each(|line| note.add(line));
        let text = note.to_string();
        let put = |path| replace(self.disk.as_ref(), path, text.as_bytes(), Access::Public);
        let stored = put(COSIGNED).and_then(|()| put(CHECKPOINT));
        if matches!(stored, Err(StoreError::Sync(_))) {
            shared.queue.poison();
        }
        stored?;
        published.note = note;
        Ok(())
    }

    /// See [`super::Log::prove_consistency`].
    pub(super) fn prove_consistency(&self, old: u64) -> Result<Vec<Hash>, LogError> {
        let proof = proof::prove_consistency(old, self.size(), &mut self.reader());
        proof
            .map_err(damage)?
            .ok_or(LogError::Unpublished { index: old })
    }

    /// See [`super::Log::prove`].
    pub(super) fn prove(&self, index: u64) -> Result<String, LogError> {
        let unpublished = LogError::Unpublished { index };
        let published = self.published.as_ref().ok_or_else(|| unpublished.clone())?;
        let proof = proof::prove_inclusion(index, self.size(), &mut self.reader());
        let file = ProofFile {
            index,
            hashes: proof.map_err(damage)?.ok_or(unpublished)?,
            checkpoint: published.note.clone(),
        };
        Ok(file.to_string())
    }
}

fn damage(error: TileError<io::Error>) -> LogError {
    match error {
        TileError::Fetch(error) => error.into(),
        TileError::Short(_) => LogError::Damaged,
    }
}
