//! Walks through the entries from the first to the last: the published ones out of their bundles, the
//! rest out of the write-ahead log. On the way the tree grows, and every claim is held against it when
//! its size is reached.

use super::claims::{self, Claim, Claims, Source};
use super::evidence::{Evidence, Place};
use super::files;
use super::key_chain::{KeyChain, Link};
use super::timeline::Timeline;
use super::{Incomplete, Report, VerifyError};
use crate::disk::Disk;
use crate::policy_file::PolicyFile;
use crate::tree::bundle;
use crate::tree::compact_range::CompactRange;
use crate::tree::hash::{HASH_BYTES, Hash};
use crate::tree::tiles::{TILE_WIDTH, TileBuilder, TileId, TileKind, from_bytes, width_at};
use crate::vkey::VerifierKey;
use crate::wal::record::Trailer;
use crate::wal::scan::{WalEnd, scan};

/// What the write-ahead log holds.
#[derive(Debug, Default)]
struct WalRead {
    end: WalEnd,
    first: u64,
    leaves: Vec<Hash>,
    /// The entries that are not published, from the published size on.
    unpublished: Vec<Vec<u8>>,
}

/// See the module's documentation.
pub(super) struct Walk<'a> {
    disk: &'a dyn Disk,
    policy: &'a PolicyFile,
    origin: String,
    chain: KeyChain,
    published: u64,
    /// Claims that are ahead, the largest first.
    ahead: Vec<Claim>,
    wal: WalRead,
    range: CompactRange,
    builder: TileBuilder,
    timeline: Timeline,
    evidence: Evidence,
    incomplete: Vec<Incomplete>,
    /// The largest size at which a head agreed.
    agreed: u64,
    /// The largest size at which a head agreed that somebody outside vouches for.
    anchored: u64,
}

impl<'a> Walk<'a> {
    pub(super) fn new(
        disk: &'a dyn Disk,
        policy: &'a PolicyFile,
        key: &VerifierKey,
        claims: Claims,
        evidence: Evidence,
    ) -> Self {
        let unreadable = claims.unreadable.into_iter();
        Self {
            disk,
            policy,
            origin: key.name().to_owned(),
            chain: KeyChain::new(key.clone()),
            published: claims.published,
            ahead: claims.list,
            wal: WalRead::default(),
            range: CompactRange::default(),
            builder: TileBuilder::default(),
            timeline: Timeline::default(),
            evidence,
            incomplete: unreadable
                .map(|path| Incomplete::Unreadable { path })
                .collect(),
            agreed: 0,
            anchored: 0,
        }
    }

    pub(super) fn run(mut self) -> Result<Report, VerifyError> {
        self.read_wal()?;
        self.ahead
            .sort_by_key(|claim| std::cmp::Reverse(claim.checkpoint.size));
        self.check_claims()?;
        let is_whole = self.walk_published()? && self.walk_unpublished()?;
        if is_whole {
            self.find_truncation();
        }
        self.check_narrow_tiles()?;
        let mut completeness = self.incomplete;
        completeness.extend(self.timeline.end(self.anchored, self.range.size()));
        Ok(Report {
            origin: self.origin,
            size: self.range.size(),
            integrity: self.evidence.verdict(),
            completeness,
            torn_bytes: self.wal.end.tail_bytes,
        })
    }

    fn read_wal(&mut self) -> Result<(), VerifyError> {
        let mut wal = WalRead::default();
        let (published, origin) = (self.published, self.origin.as_str());
        let is_ours = |trailer: &Trailer| {
            let claim = claims::read(&trailer.note, Source::Batch);
            claim.is_some_and(|claim| claim.checkpoint.origin == origin)
        };
        let mut odd = None;
        let end = scan(self.disk, 0, &is_ours, &mut |batch| {
            let trailer = &batch.trailer;
            for (index, entry) in (trailer.first..).zip(&batch.entries) {
                wal.leaves.push(Hash::of_leaf(entry));
                if index >= published {
                    wal.unpublished.push(entry.to_vec());
                }
            }
            let claim = claims::read(&trailer.note, Source::Batch).filter(|claim| {
                let head = &claim.checkpoint;
                (head.origin.as_str(), head.size, head.root) == (origin, trailer.size, trailer.root)
            });
            match claim {
                Some(claim) => self.ahead.push(claim),
                None => odd = odd.or(Some(trailer.first)),
            }
        });
        wal.end = end.map_err(|error| files::unreadable(crate::wal::FOLDER, error))?;
        wal.first = wal.end.first.unwrap_or_default();
        if let Some(index) = odd {
            self.evidence.add(
                Place::Exact,
                index,
                "a batch carries another head than its own",
            );
        }
        if let Some(fault) = wal.end.fault.filter(|fault| fault.later) {
            self.evidence
                .add(Place::Exact, fault.index, "the write-ahead log is damaged");
        }
        // The checkpoint is published after what it names is durable in the write-ahead log.
        if wal.end.first.is_some() && wal.end.size < self.published {
            let index = wal.end.fault.map_or(wal.end.size, |fault| fault.index);
            let what = "the write-ahead log ends before what is published";
            self.evidence.add(Place::Exact, index, what);
        }
        self.wal = wal;
        Ok(())
    }

    /// Walks through the bundles; says whether all of them are there.
    fn walk_published(&mut self) -> Result<bool, VerifyError> {
        let mut first = 0;
        while first < self.published {
            let index = first / TILE_WIDTH;
            let width = width_at(index, self.published);
            let id = |kind| TileId { kind, index, width };
            let Some(bundle) = self.read_tile(&id(TileKind::Entries), first)? else {
                return Ok(false);
            };
            let tile = self.read_tile(&id(TileKind::Hashes(0)), first)?;
            let hashes = from_bytes(tile.as_deref().unwrap_or_default());
            let (entries, is_whole) = bundle::entries(&bundle);
            for (index, entry) in (first..first + width).zip(&entries) {
                let leaf = Hash::of_leaf(entry);
                let place = usize::try_from(index - first).unwrap_or(usize::MAX);
                if tile.is_some() && hashes.get(place) != Some(&leaf) {
                    self.evidence
                        .add(Place::Exact, index, "an entry and its hash do not agree");
                }
                self.take(index, entry, leaf)?;
            }
            let found = entries.len() as u64;
            if found < width {
                // Only another copy can tell that nothing before was taken out.
                let (place, at) = match self.wal.end.first {
                    Some(from) if from <= first => (Place::Exact, first + found),
                    Some(_) | None => (Place::Bound, self.agreed),
                };
                self.evidence.add(place, at, "a bundle is too short");
                return Ok(false);
            }
            if found > width || !is_whole {
                self.evidence
                    .add(Place::Bound, self.agreed, "a bundle is too long");
            }
            if tile.is_some_and(|tile| tile.len() as u64 > width * HASH_BYTES as u64) {
                self.evidence
                    .add(Place::Bound, self.agreed, "a tile is too long");
            }
            first += width;
        }
        for (tile, bytes) in self.builder.partial() {
            self.compare(&tile, &bytes)?;
        }
        Ok(true)
    }

    /// One published entry: into the tree, the tiles above it, and the timeline.
    fn take(&mut self, index: u64, entry: &[u8], leaf: Hash) -> Result<(), VerifyError> {
        let in_wal = index
            .checked_sub(self.wal.first)
            .and_then(|at| usize::try_from(at).ok());
        let copy = in_wal.and_then(|at| self.wal.leaves.get(at));
        if self.wal.end.first.is_some() && copy.is_some_and(|copy| *copy != leaf) {
            let what = "an entry and its copy in the write-ahead log do not agree";
            self.evidence.add(Place::Exact, index, what);
        }
        let mut full = Vec::new();
        self.builder.push(leaf, &mut full);
        for (tile, bytes) in full {
            self.compare(&tile, &bytes)?;
        }
        self.grow(index, entry, leaf)
    }

    fn grow(&mut self, index: u64, entry: &[u8], leaf: Hash) -> Result<(), VerifyError> {
        self.range.push(leaf);
        match self.chain.follow(index, entry) {
            Link::None | Link::Rotated => {}
            Link::Broken => {
                let what = "a key follows that the key before it has not signed";
                self.evidence.add(Place::Exact, index, what);
            }
        }
        self.timeline.take(index, entry);
        self.check_claims()
    }

    /// Holds the claims of the size that is reached against the tree.
    fn check_claims(&mut self) -> Result<(), VerifyError> {
        let size = self.range.size();
        while let Some(claim) = self.ahead.pop_if(|claim| claim.checkpoint.size <= size) {
            self.check(&claim)?;
        }
        Ok(())
    }

    fn check(&mut self, claim: &Claim) -> Result<(), VerifyError> {
        let key = self.chain.at(claim.checkpoint.size);
        let mut known = vec![key.clone()];
        known.extend_from_slice(self.policy.witnesses());
        let signers = claim.note.verified_by(&known).unwrap_or_default();
        let keys: Vec<&VerifierKey> = signers.iter().map(|(key, _)| *key).collect();
        let is_cosigned = self.policy.needs_witnesses() && self.policy.is_quorum(&keys);
        let is_outside = match claim.source {
            Source::Anchor(_) => true,
            Source::Batch | Source::Slot | Source::Published => is_cosigned,
        };
        let since = if is_outside {
            self.anchored
        } else {
            self.agreed
        };
        if !keys.contains(&key) {
            if let Source::Anchor(number) = claim.source {
                return Err(VerifyError::Anchor { number });
            }
            // What is not signed vouches for nothing, and the published checkpoint is to vouch for all.
            let since = if claim.source == Source::Published {
                0
            } else {
                since
            };
            let what = format!("{} is not signed by the key in force", claim.source.name());
            self.evidence.add(Place::Bound, since, what);
        } else if claim.checkpoint.root != self.range.root() {
            let what = format!("{} is of another tree", claim.source.name());
            self.evidence.add(Place::Bound, since, what);
        } else {
            self.agreed = claim.checkpoint.size;
            if is_outside {
                self.anchored = claim.checkpoint.size;
                self.timeline.anchored();
            }
        }
        Ok(())
    }

    /// Walks on through the write-ahead log; says whether it goes on where the bundles end.
    fn walk_unpublished(&mut self) -> Result<bool, VerifyError> {
        let size = self.range.size();
        if self.wal.end.first.is_some_and(|first| first > size) {
            let what = "the write-ahead log begins after what is published";
            self.evidence.add(Place::Exact, size, what);
            return Ok(false);
        }
        let entries = std::mem::take(&mut self.wal.unpublished);
        for (index, entry) in (size..).zip(&entries) {
            self.grow(index, entry, Hash::of_leaf(entry))?;
        }
        Ok(true)
    }

    /// Heads of sizes that the log does not have.
    fn find_truncation(&mut self) {
        let size = self.range.size();
        let index = self.wal.end.fault.map_or(size, |fault| fault.index);
        for claim in std::mem::take(&mut self.ahead) {
            let (name, known) = (claim.source.name(), claim.checkpoint.size);
            let what = format!("the log ends with {size} entries, {name} is of {known}");
            self.evidence.add(Place::Exact, index, what);
        }
    }

    fn read_tile(&mut self, tile: &TileId, first: u64) -> Result<Option<Vec<u8>>, VerifyError> {
        let path = tile.path();
        let bytes = files::optional(self.disk, &path)?;
        if bytes.is_none() {
            self.evidence
                .add(Place::Exact, first, format!("`{path}` is missing"));
        }
        Ok(bytes)
    }

    /// Compares a tile above the first level with what it has to be.
    fn compare(&mut self, tile: &TileId, wanted: &[u8]) -> Result<(), VerifyError> {
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
    fn check_narrow_tiles(&mut self) -> Result<(), VerifyError> {
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
