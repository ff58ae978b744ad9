//! Reads the write-ahead log from its oldest segment to its end, batch by batch, and says where it
//! stops being whole and whether anything that was acknowledged comes after that.

use std::io;

use super::record::{Piece, Trailer, is_trailer, next, trailers};
use super::{FOLDER, segment_first, segment_path};
use crate::disk::Disk;

/// One batch whose trailer is whole.
#[derive(Debug)]
pub(crate) struct Batch<'b> {
    /// Its entries, the first one at `trailer.first`.
    pub(crate) entries: Vec<&'b [u8]>,
    /// Its end.
    pub(crate) trailer: Trailer,
}

/// Where the log stops being whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    /// The index of the record that is not whole; for a trailer the first index of its batch.
    pub(crate) index: u64,
    /// Whether a later batch follows, so that this one was durable once and is no torn write.
    pub(crate) later: bool,
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct WalEnd {
    /// The first index, when there is a segment.
    pub(crate) first: Option<u64>,
    /// The size of the tree after the last whole batch.
    pub(crate) size: u64,
    /// The last segment: its first index, and where its last whole batch ends.
    pub(crate) last: Option<(u64, u64)>,
    /// How many bytes come after that.
    pub(crate) tail_bytes: u64,
    /// Where it stops being whole.
    pub(crate) fault: Option<Fault>,
}

/// The first indexes of all segments, in order.
pub(crate) fn segments(disk: &dyn Disk) -> io::Result<Vec<u64>> {
    let listed = disk.list(FOLDER)?;
    let mut firsts: Vec<u64> = listed
        .iter()
        .filter_map(|item| segment_first(&item.name))
        .collect();
    firsts.sort_unstable();
    Ok(firsts)
}

/// Reads every whole batch from the segment that holds index `from`, or from the oldest one. `signed`
/// says whether a trailer's note is the log's own.
pub(crate) fn scan(
    disk: &dyn Disk,
    from: u64,
    signed: &dyn Fn(&Trailer) -> bool,
    visit: &mut dyn FnMut(&Batch<'_>),
) -> io::Result<WalEnd> {
    let all = segments(disk)?;
    let start = all
        .partition_point(|first| *first <= from)
        .saturating_sub(1);
    let wanted = all.get(start..).unwrap_or_default();
    let mut end = WalEnd {
        first: wanted.first().copied(),
        size: wanted.first().copied().unwrap_or_default(),
        ..WalEnd::default()
    };
    for (place, first) in wanted.iter().enumerate() {
        if *first != end.size {
            let index = end.size.min(*first);
            end.fault = Some(Fault { index, later: true });
            return Ok(end);
        }
        let bytes = disk.read(&segment_path(*first))?;
        let stop = scan_segment(&bytes, *first, visit);
        end.size = stop.size;
        end.last = Some((*first, stop.whole as u64));
        let tail = bytes.get(stop.whole..).unwrap_or_default();
        if !tail.is_empty() {
            // The trailer of the very batch that is torn may be whole: pages reach the disk in any order.
            // A later batch is another matter, because it was written after this one was synced.
            let newer = place + 1 < wanted.len();
            let is_later = |found: Trailer| found.first > stop.size && signed(&found);
            end.tail_bytes = tail.len() as u64;
            end.fault = Some(Fault {
                index: stop.index,
                later: newer || trailers(tail).any(is_later),
            });
            return Ok(end);
        }
    }
    Ok(end)
}

/// Where the reading of a segment ended.
struct Stop {
    /// Where the last whole batch ends.
    whole: usize,
    /// The size of the tree there.
    size: u64,
    /// The index of what comes then and is not whole.
    index: u64,
}

fn scan_segment(bytes: &[u8], first: u64, visit: &mut dyn FnMut(&Batch<'_>)) -> Stop {
    let mut stop = Stop {
        whole: 0,
        size: first,
        index: first,
    };
    let mut entries = Vec::new();
    let mut at = 0;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let expected = stop.size + entries.len() as u64;
        match next(rest) {
            Some((Piece::Record { index, entry }, length)) if index == expected => {
                entries.push(entry);
                at += length;
            }
            Some((Piece::Trailer(trailer), length))
                if trailer.first == stop.size && trailer.size == expected =>
            {
                at += length;
                stop.whole = at;
                stop.size = trailer.size;
                visit(&Batch {
                    entries: std::mem::take(&mut entries),
                    trailer,
                });
            }
            Some(_) | None => {
                stop.index = if is_trailer(rest) {
                    stop.size
                } else {
                    expected
                };
                return stop;
            }
        }
    }
    stop.index = stop.size;
    stop
}
