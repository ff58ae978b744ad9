//! Reads the write-ahead log from its oldest segment to its end, batch by batch, and says where it
//! stops being whole and whether anything that was acknowledged comes after that.
//!
//! ```text
//!            ┌──────────── window, at most WINDOW_BYTES_MAX ───────────┐
//! … batches │ record │ record │ … │ trailer ┊ the next batch begins    │ … not read yet
//! ```
//!
//! A segment is never held whole: what has been visited is let go, and no batch of ours is as long as the
//! window.

use std::io;
use std::ops::Range;

use super::record::{Piece, TRAILER_BYTES_MAX, Trailer, is_trailer, next, trailers};
use super::{FOLDER, segment_first, segment_path};
use crate::disk::Disk;

/// How much is read at once.
const CHUNK_BYTES: usize = 1 << 20;
/// A batch that is longer is none of ours: the writer takes 4 MiB of entries at most, and 4096 of them.
const WINDOW_BYTES_MAX: usize = 8 << 20;

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
        let mut window = Window::open(disk, *first);
        let stop = scan_segment(&mut window, *first, visit)?;
        end.size = stop.size;
        end.last = Some((*first, window.begin()));
        if !window.bytes().is_empty() {
            // The trailer of the very batch that is torn may be whole: pages reach the disk in any order.
            // A later batch is another matter, because it was written after this one was synced.
            let newer = place + 1 < wanted.len();
            let is_later = |found: Trailer| found.first > stop.size && signed(&found);
            let (tail_bytes, later) = window.search_rest(&is_later)?;
            end.tail_bytes = tail_bytes;
            end.fault = Some(Fault {
                index: stop.index,
                later: newer || later,
            });
            return Ok(end);
        }
    }
    Ok(end)
}

/// A part of a segment, which is read on demand.
struct Window<'d> {
    disk: &'d dyn Disk,
    path: String,
    /// Where what was read begins in the segment.
    offset: u64,
    read: Vec<u8>,
    /// How much of that is passed.
    passed: usize,
}

impl<'d> Window<'d> {
    fn open(disk: &'d dyn Disk, first: u64) -> Self {
        Self {
            disk,
            path: segment_path(first),
            offset: 0,
            read: Vec::new(),
            passed: 0,
        }
    }

    /// What was read and is not passed.
    fn bytes(&self) -> &[u8] {
        self.read.get(self.passed..).unwrap_or_default()
    }

    /// Where that begins in the segment.
    const fn begin(&self) -> u64 {
        self.offset + self.passed as u64
    }

    /// Lets go of what is passed and reads on; says whether there was anything and room for it.
    fn grow(&mut self) -> io::Result<bool> {
        self.offset = self.begin();
        self.read.drain(..self.passed);
        self.passed = 0;
        if self.read.len() >= WINDOW_BYTES_MAX {
            return Ok(false);
        }
        let at = self.offset + self.read.len() as u64;
        let more = self.disk.read_from(&self.path, at, CHUNK_BYTES)?;
        self.read.extend_from_slice(&more);
        Ok(!more.is_empty())
    }

    /// Passes the beginning.
    fn pass(&mut self, bytes: usize) {
        self.passed = self.passed.saturating_add(bytes).min(self.read.len());
    }

    /// How much is left of the segment, and whether a trailer like this is anywhere in it.
    fn search_rest(mut self, is_it: &dyn Fn(Trailer) -> bool) -> io::Result<(u64, bool)> {
        let begin = self.begin();
        let mut found = false;
        loop {
            // Where more comes, a trailer may be cut off at the end: it is looked for again.
            let more = self.grow()?;
            found = found || trailers(self.bytes()).any(is_it);
            let passed = self.bytes().len().saturating_sub(TRAILER_BYTES_MAX);
            if !more && passed == 0 {
                return Ok((self.begin() + self.bytes().len() as u64 - begin, found));
            }
            self.pass(passed);
        }
    }
}

/// Where the reading of a segment ended; the window begins there.
struct Stop {
    /// The size of the tree there.
    size: u64,
    /// The index of what comes then and is not whole.
    index: u64,
}

fn scan_segment(
    window: &mut Window<'_>,
    first: u64,
    visit: &mut dyn FnMut(&Batch<'_>),
) -> io::Result<Stop> {
    let mut size = first;
    // Where the entries of the batch that is being read are in the window, and where it goes on.
    let mut entries: Vec<Range<usize>> = Vec::new();
    let mut at = 0;
    loop {
        let rest = window.bytes().get(at..).unwrap_or_default();
        // A hostile folder may begin anywhere.
        let expected = size.saturating_add(entries.len() as u64);
        match step(rest, size, expected) {
            Step::Record { entry, length } => {
                at += length;
                entries.push(at - entry..at);
            }
            Step::Batch { trailer, length } => {
                size = trailer.size;
                let read = |range: Range<usize>| window.bytes().get(range).unwrap_or_default();
                visit(&Batch {
                    entries: entries.drain(..).map(read).collect(),
                    trailer,
                });
                window.pass(at + length);
                at = 0;
            }
            Step::Short if window.grow()? => {}
            Step::Short | Step::Odd => {
                let rest = window.bytes().get(at..).unwrap_or_default();
                let index = if rest.is_empty() || is_trailer(rest) {
                    size
                } else {
                    expected
                };
                return Ok(Stop { size, index });
            }
        }
    }
}

/// What comes next in a segment.
enum Step {
    /// The next entry: its length and that of its record.
    Record { entry: usize, length: usize },
    /// The end of the batch.
    Batch { trailer: Trailer, length: usize },
    /// No whole piece, at least not yet.
    Short,
    /// A piece that does not belong here.
    Odd,
}

fn step(bytes: &[u8], size: u64, expected: u64) -> Step {
    match next(bytes) {
        Some((Piece::Record { index, entry }, length)) if index == expected => Step::Record {
            entry: entry.len(),
            length,
        },
        Some((Piece::Trailer(trailer), length))
            if trailer.first == size && trailer.size == expected =>
        {
            Step::Batch { trailer, length }
        }
        Some(_) => Step::Odd,
        None => Step::Short,
    }
}
