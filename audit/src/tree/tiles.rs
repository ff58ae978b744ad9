//! The files of a tree (C2SP tlog-tiles): hashes in tiles of 256, entries in bundles of 256, and the
//! paths of both. A tile that is not full yet carries its width in its path.

use super::HashReader;
use super::hash::{HASH_BYTES, Hash};

/// How many hashes or entries a full tile holds.
pub const TILE_WIDTH: u64 = 256;
/// How many levels of the tree a tile covers.
const TILE_LEVELS: u8 = 8;

/// What a tile holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum TileKind {
    /// Hashes, 8 levels of the tree above the tile's level below.
    Hashes(u8),
    /// Entries.
    Entries,
}

/// Which tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct TileId {
    /// What it holds.
    pub kind: TileKind,
    /// Its number from the left.
    pub index: u64,
    /// How much it holds: 1 to 256.
    pub width: u64,
}

impl TileId {
    /// The path below the log's folder.
    #[must_use]
    pub fn path(&self) -> String {
        let mut groups = vec![format!("{:03}", self.index % 1000)];
        let mut rest = self.index / 1000;
        while rest > 0 {
            groups.push(format!("x{:03}", rest % 1000));
            rest /= 1000;
        }
        groups.reverse();
        let kind = match self.kind {
            TileKind::Hashes(level) => level.to_string(),
            TileKind::Entries => "entries".to_owned(),
        };
        let partial = if self.width < TILE_WIDTH {
            format!(".p/{}", self.width)
        } else {
            String::new()
        };
        format!("tile/{kind}/{}{partial}", groups.join("/"))
    }

    /// Reads a path; nothing unless it is spelled exactly as [`TileId::path`] spells it.
    #[must_use]
    pub fn from_path(path: &str) -> Option<Self> {
        let (kind, rest) = path.strip_prefix("tile/")?.split_once('/')?;
        let kind = match kind {
            "entries" => TileKind::Entries,
            level => TileKind::Hashes(level.parse().ok()?),
        };
        let (groups, width) = match rest.split_once(".p/") {
            Some((groups, width)) => (groups, width.parse().ok()?),
            None => (rest, TILE_WIDTH),
        };
        let mut index: u64 = 0;
        for group in groups.split('/') {
            let digits: u64 = group.trim_start_matches('x').parse().ok()?;
            index = index.checked_mul(1000)?.checked_add(digits)?;
        }
        let tile = Self { kind, index, width };
        (width > 0 && tile.path() == path).then_some(tile)
    }

    /// The first leaf of the tree that it covers.
    #[must_use]
    pub fn first_leaf(&self) -> u64 {
        let level = match self.kind {
            TileKind::Hashes(level) => u32::from(level),
            TileKind::Entries => 0,
        };
        let shift = level
            .saturating_add(1)
            .saturating_mul(u32::from(TILE_LEVELS));
        self.index.checked_shl(shift).unwrap_or(u64::MAX)
    }
}

/// How wide the tile with this index in its level is, in a tree where the level has `count` hashes.
#[must_use]
pub(crate) fn width_at(tile_index: u64, count: u64) -> u64 {
    count
        .saturating_sub(tile_index.saturating_mul(TILE_WIDTH))
        .min(TILE_WIDTH)
}

/// The tiles of a tree as it grows: full ones are handed out once, and those at the edge on demand.
#[derive(Debug, Clone, Default)]
pub struct TileBuilder {
    /// For each level the hashes of the tile at the edge; fewer than 256.
    edges: Vec<Vec<Hash>>,
    size: u64,
}

impl TileBuilder {
    /// The builder for a tree whose size is a multiple of 256, read from its hashes.
    ///
    /// # Errors
    /// When a hash cannot be read.
    pub fn load<R: HashReader>(size: u64, reader: &mut R) -> Result<Self, R::Error> {
        let mut edges = Vec::new();
        let mut level: u8 = 0;
        let mut count = size;
        while count > 0 {
            let mut edge = Vec::new();
            for index in count - count % TILE_WIDTH..count {
                edge.push(reader.node(level * TILE_LEVELS, index)?);
            }
            edges.push(edge);
            level += 1;
            count /= TILE_WIDTH;
        }
        Ok(Self { edges, size })
    }

    /// Appends a leaf; every tile that this fills is pushed onto `full`.
    pub fn push(&mut self, leaf: Hash, full: &mut Vec<(TileId, Vec<u8>)>) {
        self.size += 1;
        let mut hash = leaf;
        for level in 0..TILE_LEVELS {
            let slot = usize::from(level);
            if self.edges.len() <= slot {
                self.edges.push(Vec::new());
            }
            let Some(edge) = self.edges.get_mut(slot) else {
                return;
            };
            edge.push(hash);
            if (edge.len() as u64) < TILE_WIDTH {
                return;
            }
            let index = (self.size >> (TILE_LEVELS * level)) / TILE_WIDTH - 1;
            let tile = TileId {
                kind: TileKind::Hashes(level),
                index,
                width: TILE_WIDTH,
            };
            full.push((tile, to_bytes(edge)));
            hash = subtree_root(edge);
            edge.clear();
        }
    }

    /// The tiles at the edge that are not full.
    #[must_use]
    pub fn partial(&self) -> Vec<(TileId, Vec<u8>)> {
        let mut tiles = Vec::new();
        for (level, edge) in (0_u8..).zip(&self.edges) {
            if edge.is_empty() {
                continue;
            }
            let count = self.size >> (TILE_LEVELS * level);
            let tile = TileId {
                kind: TileKind::Hashes(level),
                index: count / TILE_WIDTH,
                width: edge.len() as u64,
            };
            tiles.push((tile, to_bytes(edge)));
        }
        tiles
    }
}

/// Reads the tree of one size from its tiles.
#[derive(Debug)]
pub struct TileReader<F> {
    size: u64,
    fetch: F,
    held: Option<(TileId, Vec<Hash>)>,
}

impl<E, F: FnMut(&TileId) -> Result<Vec<u8>, E>> TileReader<F> {
    /// A reader of the tree of this size; `fetch` reads one tile.
    pub const fn new(size: u64, fetch: F) -> Self {
        Self {
            size,
            fetch,
            held: None,
        }
    }
}

/// Why a hash could not be read from tiles.
#[derive(Debug, thiserror::Error)]
pub enum TileError<E> {
    /// The tile could not be read.
    #[error("{0}")]
    Fetch(E),
    /// The tile is shorter than its path says, or the tree has no such node.
    #[error("tile `{0}` does not hold what it should")]
    Short(String),
}

impl<E, F: FnMut(&TileId) -> Result<Vec<u8>, E>> HashReader for TileReader<F> {
    type Error = TileError<E>;

    fn node(&mut self, level: u8, index: u64) -> Result<Hash, TileError<E>> {
        let (tile_level, height) = (level / TILE_LEVELS, level % TILE_LEVELS);
        let first = index << height;
        let tile_index = first / TILE_WIDTH;
        let tile = TileId {
            kind: TileKind::Hashes(tile_level),
            index: tile_index,
            width: width_at(tile_index, self.size >> (TILE_LEVELS * tile_level)),
        };
        if self.held.as_ref().is_none_or(|(held, _)| *held != tile) {
            let bytes = (self.fetch)(&tile).map_err(TileError::Fetch)?;
            self.held = Some((tile, from_bytes(&bytes)));
        }
        let short = || TileError::Short(tile.path());
        let hashes = self
            .held
            .as_ref()
            .map(|(_, hashes)| hashes)
            .ok_or_else(short)?;
        let offset = usize::try_from(first % TILE_WIDTH).map_err(|_error| short())?;
        let within = hashes
            .get(offset..offset + (1 << height))
            .ok_or_else(short)?;
        Ok(subtree_root(within))
    }
}

/// The hashes of a tile; a rest that is no whole hash is left out.
#[must_use]
pub(crate) fn from_bytes(bytes: &[u8]) -> Vec<Hash> {
    let (hashes, _rest) = bytes.as_chunks::<HASH_BYTES>();
    hashes.iter().copied().map(Hash::from_bytes).collect()
}

fn to_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// The root over a number of hashes that is a power of two.
fn subtree_root(hashes: &[Hash]) -> Hash {
    let mut row = hashes.to_vec();
    while row.len() > 1 {
        let (pairs, _rest) = row.as_chunks::<2>();
        row = pairs
            .iter()
            .map(|[left, right]| Hash::of_node(left, right))
            .collect();
    }
    row.first().copied().unwrap_or_else(Hash::of_nothing)
}
