//! One piece of the write-ahead log: a record or a batch's trailer, to bytes and back.

use crate::tree::bundle::ENTRY_BYTES_MAX;
use crate::tree::hash::{HASH_BYTES, Hash};
use crc32c::{crc32c, crc32c_append};

/// What a trailer begins with. As a length it would be above every entry's, so that no record can
/// begin like this.
const MAGIC: [u8; 4] = *b"PTBT";
/// A trailer's note is no longer than this.
const NOTE_BYTES_MAX: usize = 4096;
/// A trailer is no longer than this.
pub(crate) const TRAILER_BYTES_MAX: usize = NOTE_BYTES_MAX + 64;

/// The end of a batch: what the tree is with it, and that the log's key has signed this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Trailer {
    /// The first index of the batch.
    pub(crate) first: u64,
    /// The size of the tree with it.
    pub(crate) size: u64,
    /// The tree's root.
    pub(crate) root: Hash,
    /// The signed checkpoint.
    pub(crate) note: Vec<u8>,
}

/// A piece that was read.
#[derive(Debug)]
pub(crate) enum Piece<'b> {
    /// An entry.
    Record { index: u64, entry: &'b [u8] },
    /// The end of a batch.
    Trailer(Trailer),
}

/// Appends a record.
pub(crate) fn put_record(bytes: &mut Vec<u8>, index: u64, entry: &[u8]) {
    let index = index.to_be_bytes();
    // INVARIANT: an entry is no longer than a length prefix of 16 bits can say.
    let length = u32::try_from(entry.len()).unwrap_or(u32::MAX);
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(&crc32c_append(crc32c(&index), entry).to_be_bytes());
    bytes.extend_from_slice(&index);
    bytes.extend_from_slice(entry);
}

/// Appends a trailer.
pub(crate) fn put_trailer(bytes: &mut Vec<u8>, trailer: &Trailer) {
    let count = u32::try_from(trailer.size - trailer.first).unwrap_or(u32::MAX);
    let length = u32::try_from(trailer.note.len()).unwrap_or(u32::MAX);
    let mut piece = MAGIC.to_vec();
    piece.extend_from_slice(&count.to_be_bytes());
    piece.extend_from_slice(&trailer.first.to_be_bytes());
    piece.extend_from_slice(&trailer.size.to_be_bytes());
    piece.extend_from_slice(trailer.root.as_bytes());
    piece.extend_from_slice(&length.to_be_bytes());
    piece.extend_from_slice(&trailer.note);
    let crc = crc32c(&piece);
    bytes.extend_from_slice(&piece);
    bytes.extend_from_slice(&crc.to_be_bytes());
}

/// Reads the piece at the beginning of the bytes, and says how long it is; nothing when it is not whole.
pub(crate) fn next(bytes: &[u8]) -> Option<(Piece<'_>, usize)> {
    if bytes.starts_with(&MAGIC) {
        let (trailer, length) = trailer(bytes)?;
        return Some((Piece::Trailer(trailer), length));
    }
    let mut rest = bytes;
    let length = usize::try_from(u32::from_be_bytes(take(&mut rest)?)).ok()?;
    let crc = u32::from_be_bytes(take(&mut rest)?);
    let index: [u8; 8] = take(&mut rest)?;
    if length == 0 || length > ENTRY_BYTES_MAX {
        return None;
    }
    let (entry, after) = rest.split_at_checked(length)?;
    let whole = crc32c_append(crc32c(&index), entry) == crc;
    let index = u64::from_be_bytes(index);
    whole.then(|| (Piece::Record { index, entry }, bytes.len() - after.len()))
}

/// Whether the bytes begin with a trailer, whole or not: one whose checksum holds although its first
/// four bytes are others, or one that begins like one.
pub(crate) fn is_trailer(bytes: &[u8]) -> bool {
    bytes.starts_with(&MAGIC) || trailer(bytes).is_some()
}

/// Every whole trailer in the bytes, wherever it begins.
pub(crate) fn trailers(bytes: &[u8]) -> impl Iterator<Item = Trailer> {
    let starts = bytes.windows(MAGIC.len()).enumerate();
    starts
        .filter(|(_, window)| *window == MAGIC)
        .filter_map(|(at, _)| trailer(bytes.get(at..)?).map(|(trailer, _)| trailer))
}

/// Reads a trailer as if its first four bytes were right.
fn trailer(bytes: &[u8]) -> Option<(Trailer, usize)> {
    let mut rest = bytes;
    let _magic: [u8; 4] = take(&mut rest)?;
    let count = u64::from(u32::from_be_bytes(take(&mut rest)?));
    let first = u64::from_be_bytes(take(&mut rest)?);
    let size = u64::from_be_bytes(take(&mut rest)?);
    let root = Hash::from_bytes(take::<HASH_BYTES>(&mut rest)?);
    let length = usize::try_from(u32::from_be_bytes(take(&mut rest)?)).ok()?;
    if length > NOTE_BYTES_MAX || count == 0 || first.checked_add(count) != Some(size) {
        return None;
    }
    let (note, after) = rest.split_at_checked(length)?;
    let summed = bytes.get(MAGIC.len()..bytes.len() - after.len())?;
    rest = after;
    let crc = u32::from_be_bytes(take(&mut rest)?);
    let note = note.to_vec();
    (crc32c_append(crc32c(&MAGIC), summed) == crc).then(|| {
        let trailer = Trailer {
            first,
            size,
            root,
            note,
        };
        (trailer, bytes.len() - rest.len())
    })
}

fn take<const N: usize>(bytes: &mut &[u8]) -> Option<[u8; N]> {
    let (taken, rest) = bytes.split_first_chunk::<N>()?;
    *bytes = rest;
    Some(*taken)
}
