//! The output as it is written, with the part of the chunk that passes unchanged.
//!
//! ```text
//!   output:   [ decided and undecided bytes in `written` ][ chunk[mark..at] ]
//!             ^ origin                                    ^ not copied yet  ^ here(at)
//! ```
//!
//! Positions in the output are counted from its very beginning. What was written after a position can
//! be cut off as long as it has not been given away.

use std::ops::Range;

use super::{Halt, spent};

/// How much is copied at once. PERF: longer copies are made by an instruction that starts slowly, and
/// that counts once per byte where instructions are counted.
const PIECE: usize = 2048;

/// The output of one chunk.
pub(in crate::json) struct Tape<'t> {
    chunk: &'t [u8],
    /// Up to where the chunk has been copied or dropped.
    mark: usize,
    written: &'t mut Vec<u8>,
    /// Where this tape's bytes begin in `written`, and their position in the output.
    start: usize,
    origin: u64,
}

impl<'t> Tape<'t> {
    /// A tape that appends to `written`, whose bytes from `start` on have the position `origin`.
    pub(in crate::json) fn new(
        chunk: &'t [u8],
        written: &'t mut Vec<u8>,
        start: usize,
        origin: u64,
    ) -> Self {
        Self {
            chunk,
            mark: 0,
            written,
            start,
            origin,
        }
    }

    /// The position in the output of the chunk's byte at `at`, if all until there passes.
    #[inline]
    pub(super) fn here(&self, at: usize) -> u64 {
        // INVARIANT: events come in order, so that `at` is never before the mark.
        self.end() + at.saturating_sub(self.mark) as u64
    }

    /// The position after what has been written.
    #[inline]
    fn end(&self) -> u64 {
        self.origin + self.written.len().saturating_sub(self.start) as u64
    }

    /// The chunk's bytes from one place to another, passed or not.
    pub(super) fn text(&self, from: usize, to: usize) -> Result<&'t [u8], Halt> {
        self.chunk.get(from..to).ok_or_else(spent)
    }

    /// Drops the output before a position of which nothing has been copied yet.
    pub(super) fn forget(&mut self, before: u64) {
        let ahead = before.checked_sub(self.end());
        if let Some(ahead) = ahead.and_then(|ahead| usize::try_from(ahead).ok()) {
            self.written.truncate(self.start);
            self.origin = before;
            self.mark = self.mark.saturating_add(ahead);
        }
    }

    /// How many bytes have been written from this position on.
    pub(in crate::json) fn left(&self, from: u64) -> usize {
        usize::try_from(self.end().saturating_sub(from)).unwrap_or(usize::MAX)
    }

    /// Lets the chunk pass up to `at`.
    pub(super) fn flush(&mut self, at: usize) -> Result<(), Halt> {
        let passing = self.chunk.get(self.mark..at).ok_or_else(spent)?;
        if passing.len() <= PIECE {
            self.written.extend_from_slice(passing);
        } else {
            self.written.reserve(passing.len());
            for piece in passing.chunks(PIECE) {
                self.written.extend_from_slice(piece);
            }
        }
        self.mark = at;
        Ok(())
    }

    /// Lets the chunk pass up to `place`, and what `make` appends instead of it in that place.
    #[inline]
    pub(super) fn swap(
        &mut self,
        place: Range<usize>,
        make: impl FnOnce(&[u8], &mut Vec<u8>),
    ) -> Result<(), Halt> {
        let raw = self.chunk.get(place.clone()).ok_or_else(spent)?;
        self.flush(place.start)?;
        make(raw, self.written);
        self.mark = place.end;
        Ok(())
    }

    /// Cuts the output off at position `to` and goes on with the chunk at `at`.
    pub(super) fn cut(&mut self, to: u64, at: usize) -> Result<(), Halt> {
        let kept = to.checked_sub(self.end());
        if let Some(kept) = kept.and_then(|kept| usize::try_from(kept).ok()) {
            self.flush(self.mark.saturating_add(kept))?;
        } else {
            let length = to.checked_sub(self.origin).ok_or_else(spent)?;
            let length = usize::try_from(length).ok().ok_or_else(spent)?;
            self.written.truncate(self.start + length);
        }
        if at < self.mark {
            return Err(spent());
        }
        self.mark = at;
        Ok(())
    }

    /// Lets `make` say what passes of the chunk up to `at`.
    pub(super) fn feed(
        &mut self,
        at: usize,
        make: impl FnOnce(&[u8], &mut Vec<u8>) -> Result<(), Halt>,
    ) -> Result<(), Halt> {
        let piece = self.chunk.get(self.mark..at).ok_or_else(spent)?;
        self.mark = at;
        make(piece, self.written)
    }

    /// Replaces the output from position `from` up to the chunk's `at` by what `make` appends.
    pub(super) fn replace(
        &mut self,
        from: u64,
        at: usize,
        make: impl FnOnce(&[u8], &mut Vec<u8>),
    ) -> Result<(), Halt> {
        let kept = from.checked_sub(self.end());
        if let Some(kept) = kept.and_then(|kept| usize::try_from(kept).ok()) {
            // PERF: the value lies in the chunk and is read where it is.
            self.flush(self.mark.saturating_add(kept))?;
            let raw = self.chunk.get(self.mark..at).ok_or_else(spent)?;
            make(raw, self.written);
            self.mark = at;
            return Ok(());
        }
        let raw = self.take(from, at)?;
        make(&raw, self.written);
        Ok(())
    }

    /// Takes the output from position `from` up to the chunk's `at` away.
    pub(super) fn take(&mut self, from: u64, at: usize) -> Result<Vec<u8>, Halt> {
        self.flush(at)?;
        let length = from.checked_sub(self.origin).ok_or_else(spent)?;
        let length = usize::try_from(length).ok().ok_or_else(spent)?;
        let taken = self.written.get(self.start + length..).ok_or_else(spent)?;
        let taken = taken.to_vec();
        self.written.truncate(self.start + length);
        Ok(taken)
    }

    /// Appends to the output at the chunk's `at`.
    pub(super) fn insert(
        &mut self,
        at: usize,
        make: impl FnOnce(&mut Vec<u8>),
    ) -> Result<(), Halt> {
        self.flush(at)?;
        make(self.written);
        Ok(())
    }

    /// A tape for other bytes that go to the same place.
    pub(super) fn nested<'n>(&'n mut self, chunk: &'n [u8]) -> Tape<'n> {
        Tape {
            chunk,
            mark: 0,
            written: self.written,
            start: self.start,
            origin: self.origin,
        }
    }
}
