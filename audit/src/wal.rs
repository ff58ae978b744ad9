//! The write-ahead log: what is durable first, and what everything else is made from.
//!
//! ```text
//! record   length u32 │ crc32c u32 │ index u64 │ entry                       (length of the entry)
//! trailer  "PTBT" │ count u32 │ first u64 │ size u64 │ root │ length u32 │ signed note │ crc32c u32
//! ```
//!
//! A batch is its records and one trailer, written by one call. Numbers are big-endian. A batch counts
//! when its trailer is whole; a batch is never in two segments.

pub(crate) mod cursor;
pub(crate) mod record;
pub(crate) mod scan;

/// Where the segments are.
pub(crate) const FOLDER: &str = ".wal";
/// How their names end.
const ENDING: &str = ".seg";

/// The path of the segment that begins with this index.
pub(crate) fn segment_path(first: u64) -> String {
    format!("{FOLDER}/{first:020}{ENDING}")
}

/// The first index that a segment's name says; nothing when it is no segment's name.
pub(crate) fn segment_first(name: &str) -> Option<u64> {
    let digits = name.strip_suffix(ENDING)?;
    (digits.len() == 20).then(|| digits.parse().ok()).flatten()
}
