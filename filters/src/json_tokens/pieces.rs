//! What stands between quotes, and what has come since the last one.

use std::ops::Range;

use super::NAME_BYTES_MAX;

/// What stands between two quotes and may be a name.
///
/// PERF: all that is in one chunk is copied nowhere: most strings are not even names (`postern bench`, sessions).
#[derive(Default)]
pub(super) struct Piece {
    /// Where it is in the present chunk, if it began there.
    here: Option<Range<usize>>,
    /// Otherwise as much of it as says whether it is a name.
    kept: Vec<u8>,
}

impl Piece {
    /// It begins at a place of the present chunk.
    pub(super) fn begin(&mut self, at: usize) {
        self.here = Some(at..at);
    }

    /// It is a part of the present chunk.
    pub(super) fn is(&mut self, here: Range<usize>) {
        self.here = Some(here);
    }

    /// It becomes another piece, which is nothing then.
    pub(super) fn take_over(&mut self, other: &mut Self) {
        self.here = other.here.take();
        // PERF: almost all of them are in one chunk.
        if self.here.is_none() {
            std::mem::swap(&mut self.kept, &mut other.kept);
            other.kept.clear();
        }
    }

    /// It goes on in the present chunk up to a place.
    pub(super) fn end(&mut self, chunk: &[u8], at: usize) {
        match &mut self.here {
            Some(here) => here.end = at,
            None => self.add(chunk.get(..at).unwrap_or_default()),
        }
    }

    /// The chunk will be gone: what is in it is copied.
    pub(super) fn keep(&mut self, chunk: &[u8]) {
        if let Some(here) = self.here.take() {
            self.kept.clear();
            self.add(chunk.get(here).unwrap_or_default());
        }
    }

    /// Its text; one byte more than a name can have, if it has more.
    pub(super) fn text<'t>(&'t self, chunk: &'t [u8]) -> &'t [u8] {
        match &self.here {
            Some(here) => chunk.get(here.clone()).unwrap_or_default(),
            None => &self.kept,
        }
    }

    fn add(&mut self, text: &[u8]) {
        // One byte too many says that it is too long, however it goes on.
        let room = (NAME_BYTES_MAX + 1).saturating_sub(self.kept.len());
        self.kept
            .extend_from_slice(text.get(..room).unwrap_or(text));
    }
}

/// What has come since the last quote.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Since {
    /// White space at most.
    Quote,
    /// A colon, with white space around it.
    Colon,
    /// Anything else.
    Other,
}

impl Since {
    /// The same after the beginning of a text, as far as that matters, and how long that is.
    pub(super) fn after(self, text: &[u8]) -> (Self, usize) {
        let (mut since, mut length) = (self, 0);
        while since != Self::Other
            && let Some(byte) = text.get(length)
        {
            since = match (since, byte) {
                (_, b'"' | b'\\') => break,
                (same, b' ' | b'\t' | b'\r' | b'\n') => same,
                (Self::Quote, b':') => Self::Colon,
                (Self::Quote | Self::Colon | Self::Other, _) => Self::Other,
            };
            length += 1;
        }
        (since, length)
    }
}
