//! Walks through the entries from the first to the last: the published ones out of their bundles, the
//! rest out of the write-ahead log. On the way the tree grows, and every claim is held against it when
//! its size is reached.

use super::claims::{Claim, Claims, Source};
use super::evidence::{Evidence, Place};
use super::files;
use super::key_chain::{KeyChain, Link};
use super::pruned::Pruned;
use super::timeline::Timeline;
use super::wal_copy::{self, WalCopy};
use super::{Incomplete, Report, VerifyError};
use crate::disk::Disk;
use crate::log::life::pruned_before;
use crate::policy_file::PolicyFile;
use crate::tree::bundle;
use crate::tree::compact_range::CompactRange;
use crate::tree::hash::{HASH_BYTES, Hash};
use crate::tree::tiles::{TILE_WIDTH, TileBuilder, TileId, TileKind, from_bytes, width_at};
use crate::vkey::VerifierKey;

/// See the module's documentation.
pub(super) struct Walk<'a> {
    pub(super) disk: &'a dyn Disk,
    policy: &'a PolicyFile,
    origin: String,
    chain: KeyChain,
    pub(super) published: u64,
    /// Claims that are ahead, the largest first.
    ahead: Vec<Claim>,
    wal: WalCopy,
    pruned: Pruned,
    range: CompactRange,
    builder: TileBuilder,
    timeline: Timeline,
    pub(super) evidence: Evidence,
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
        let unpublished = claims.is_unpublished.then_some(Incomplete::Unpublished);
        Self {
            disk,
            policy,
            origin: key.name().to_owned(),
            chain: KeyChain::new(key.clone()),
            published: claims.published,
            ahead: claims.list,
            wal: WalCopy::default(),
            pruned: Pruned::default(),
            range: CompactRange::default(),
            builder: TileBuilder::default(),
            timeline: Timeline::default(),
            evidence,
            incomplete: unpublished
                .into_iter()
                .chain(unreadable.map(|path| Incomplete::Unreadable { path }))
                .collect(),
            agreed: 0,
            anchored: 0,
        }
    }

    pub(super) fn run(mut self) -> Result<Report, VerifyError> {
        let log = (self.origin.as_str(), self.published);
        self.wal = WalCopy::read(self.disk, log, &mut self.ahead, &mut self.evidence)?;
        self.ahead
            .sort_by_key(|claim| std::cmp::Reverse(claim.checkpoint.size));
        self.check_claims()?;
        let is_whole = self.walk_published()? && self.walk_unpublished()?;
        if is_whole {
            self.find_truncation();
        }
        self.check_narrow_tiles()?;
        self.pruned.judge(&mut self.evidence);
        let mut completeness = self.incomplete;
        completeness.extend(self.timeline.end(self.anchored, self.range.size()));
        Ok(Report {
            origin: self.origin,
            size: self.range.size(),
            first: self.pruned.first(),
            integrity: self.evidence.verdict(),
            completeness,
            torn_bytes: self.wal.end.tail_bytes,
        })
    }

    /// Walks through the bundles; says whether all of them are there.
    fn walk_published(&mut self) -> Result<bool, VerifyError> {
        let mut first = 0;
        while first < self.published {
            let index = first / TILE_WIDTH;
            let width = width_at(index, self.published);
            let id = |kind| TileId { kind, index, width };
            let bundle = files::tile(self.disk, &id(TileKind::Entries))?;
            let tile = self.read_tile(&id(TileKind::Hashes(0)), first)?;
            let hashes = from_bytes(tile.as_deref().unwrap_or_default());
            let Some(bundle) = bundle else {
                // Full bundles may have been pruned: their hashes stay.
                if width == TILE_WIDTH && hashes.len() as u64 == width {
                    self.take_hashes(first, &hashes)?;
                    first += width;
                    continue;
                }
                let what = format!("`{}` is missing", id(TileKind::Entries).path());
                self.evidence.add(Place::Exact, first, what);
                return Ok(false);
            };
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

    /// Entries of which only the hashes are left.
    fn take_hashes(&mut self, first: u64, leaves: &[Hash]) -> Result<(), VerifyError> {
        for (index, leaf) in (first..).zip(leaves) {
            self.take_leaf(index, *leaf)?;
            self.range.push(*leaf);
            self.check_claims()?;
        }
        self.timeline.skip();
        self.pruned.note_gone(first, first + leaves.len() as u64);
        Ok(())
    }

    /// One published entry: into the tree, the tiles above it, and the timeline.
    fn take(&mut self, index: u64, entry: &[u8], leaf: Hash) -> Result<(), VerifyError> {
        self.take_leaf(index, leaf)?;
        self.grow(index, entry, leaf)
    }

    fn take_leaf(&mut self, index: u64, leaf: Hash) -> Result<(), VerifyError> {
        let copy = self.wal.leaf(index);
        if self.wal.end.first.is_some() && copy.is_some_and(|copy| *copy != leaf) {
            let what = "an entry and its copy in the write-ahead log do not agree";
            self.evidence.add(Place::Exact, index, what);
        }
        let mut full = Vec::new();
        self.builder.push(leaf, &mut full);
        for (tile, bytes) in full {
            self.compare(&tile, &bytes)?;
        }
        Ok(())
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
        if let Some(minimum) = pruned_before(entry) {
            self.pruned.note_minimum(minimum);
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
        let (disk, origin) = (self.disk, self.origin.clone());
        let mut outcome = Ok(true);
        wal_copy::entries_from(disk, (&origin, size), &mut |index, entry| {
            if !matches!(outcome, Ok(true)) {
                return;
            }
            // It was whole when it was read first, so the log goes on meanwhile, and has let go of a segment.
            outcome = match index == self.range.size() {
                true => self.grow(index, entry, Hash::of_leaf(entry)).map(|()| true),
                false => Ok(false),
            };
        })?;
        outcome
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
}
