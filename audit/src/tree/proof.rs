//! Inclusion and consistency proofs (RFC 6962 sections 2.1.1 and 2.1.2), made and checked. Checking
//! follows the loops of RFC 9162 sections 2.1.3.2 and 2.1.4.2.

use super::HashReader;
use super::hash::Hash;

/// A proof of a tree of any size has at most this many hashes.
pub const PROOF_HASHES_MAX: usize = 63;

/// The hashes that prove that the leaf `index` is in the tree of `size`, from its sibling upwards;
/// nothing when there is no such leaf.
///
/// # Errors
/// When a hash cannot be read.
pub fn prove_inclusion<R: HashReader>(
    index: u64,
    size: u64,
    reader: &mut R,
) -> Result<Option<Vec<Hash>>, R::Error> {
    if index >= size {
        return Ok(None);
    }
    let (mut from, mut to) = (0, size);
    let mut proof = Vec::new();
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            proof.push(root_of(middle, to, reader)?);
            to = middle;
        } else {
            proof.push(root_of(from, middle, reader)?);
            from = middle;
        }
    }
    proof.reverse();
    Ok(Some(proof))
}

/// The hashes that prove that the tree of `old` leaves is the beginning of the tree of `new` leaves;
/// nothing when `old` is larger. Between equal trees, and from the empty one, the proof is empty.
///
/// # Errors
/// When a hash cannot be read.
pub fn prove_consistency<R: HashReader>(
    old: u64,
    new: u64,
    reader: &mut R,
) -> Result<Option<Vec<Hash>>, R::Error> {
    if old > new {
        return Ok(None);
    }
    if old == 0 || old == new {
        return Ok(Some(Vec::new()));
    }
    let (mut from, mut to) = (0, new);
    let mut proof = Vec::new();
    while old != to {
        let middle = from + split(to - from);
        if old <= middle {
            proof.push(root_of(middle, to, reader)?);
            to = middle;
        } else {
            proof.push(root_of(from, middle, reader)?);
            from = middle;
        }
    }
    if from > 0 {
        // The old tree ends inside the new one, so its last subtree has to be named.
        proof.push(root_of(from, to, reader)?);
    }
    proof.reverse();
    Ok(Some(proof))
}

/// Whether the proof shows that `leaf` is at `index` of the tree with this size and root.
#[must_use]
pub fn is_included(leaf: Hash, index: u64, proof: &[Hash], size: u64, root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut node, mut last, mut hash) = (index, size - 1, leaf);
    for sibling in proof {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            hash = Hash::of_node(sibling, &hash);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            hash = Hash::of_node(&hash, sibling);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether the proof shows that the tree `old` is the beginning of the tree `new`.
#[must_use]
pub fn is_consistent(old: (u64, &Hash), new: (u64, &Hash), proof: &[Hash]) -> bool {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size == 0 {
        return proof.is_empty() && *old_root == Hash::of_nothing();
    }
    if old_size == new_size {
        return proof.is_empty() && old_root == new_root;
    }
    if old_size > new_size {
        return false;
    }
    // A complete old tree is a node of the new one, and its root is not repeated in the proof.
    let mut hashes = proof.iter();
    let first = if old_size.is_power_of_two() {
        Some(old_root)
    } else {
        hashes.next()
    };
    let Some(first) = first else { return false };
    let zeros = old_size.trailing_zeros();
    let (mut node, mut last) = ((old_size - 1) >> zeros, (new_size - 1) >> zeros);
    let (mut of_old, mut of_new) = (*first, *first);
    for hash in hashes {
        if last == 0 {
            return false;
        }
        if node & 1 == 1 || node == last {
            of_old = Hash::of_node(hash, &of_old);
            of_new = Hash::of_node(hash, &of_new);
            while node & 1 == 0 && node != 0 {
                node >>= 1;
                last >>= 1;
            }
        } else {
            of_new = Hash::of_node(&of_new, hash);
        }
        node >>= 1;
        last >>= 1;
    }
    last == 0 && of_old == *old_root && of_new == *new_root
}

/// The largest power of two below `leaves`, which is at least 2.
fn split(leaves: u64) -> u64 {
    1 << (63 - (leaves - 1).leading_zeros())
}

/// The root over the leaves `from..to`, where `from` is a multiple of the size of every complete
/// subtree in it.
fn root_of<R: HashReader>(from: u64, to: u64, reader: &mut R) -> Result<Hash, R::Error> {
    let mut peaks = Vec::new();
    let mut at = from;
    while at < to {
        let level = 63 - (to - at).leading_zeros();
        // INVARIANT: a level is below 64.
        let level = u8::try_from(level).unwrap_or_default();
        peaks.push(reader.node(level, at >> level)?);
        at += 1 << level;
    }
    let mut rest = peaks.iter().rev();
    let last = rest.next().copied().unwrap_or_else(Hash::of_nothing);
    Ok(rest.fold(last, |right, left| Hash::of_node(left, &right)))
}
