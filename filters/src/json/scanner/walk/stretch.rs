//! The part of a chunk that is walked through, and where things stand in it.

use std::ops::Range;

use super::super::is_space;
use super::super::lexemes::ends;
use super::super::simd::{BLOCK, Row};
use crate::value_action::JsonKind;

/// The part of a chunk that is walked through.
pub(in crate::json::scanner) struct Stretch<'w> {
    pub(in crate::json::scanner) chunk: &'w [u8],
    /// The blocks of the window, from `from` on.
    pub(in crate::json::scanner) rows: &'w [Row],
    pub(in crate::json::scanner) from: usize,
    /// Only what begins before this place is told; the rest waits for the next window.
    pub(in crate::json::scanner) to: usize,
}

impl Stretch<'_> {
    /// The first quote at or after `place` that begins or ends a string.
    #[inline]
    pub(super) fn quote_from(&self, place: usize) -> Option<usize> {
        let distance = place.checked_sub(self.from)?;
        let (mut row, mut keep) = (distance / BLOCK, u64::MAX << (distance % BLOCK));
        loop {
            let quotes = self.rows.get(row)?.quotes & keep;
            if quotes != 0 {
                return Some(self.from + row * BLOCK + quotes.trailing_zeros() as usize);
            }
            row += 1;
            keep = u64::MAX;
        }
    }

    /// Where the name before the colon at `place` begins, with its quote, and its text.
    #[inline]
    pub(super) fn name_before(&self, place: usize) -> Option<(usize, &[u8])> {
        let (close, b'"') = self.before(place)? else {
            return None;
        };
        let open = self
            .quote_before(close)
            .or_else(|| self.quote_long_before(close))?;
        Some((open, self.chunk.get(open + 1..close)?))
    }

    /// The last bytes, up to eight, and all of the name right before the colon at `place`, if it has no
    /// escapes and lies within one block.
    #[inline]
    pub(super) fn short_name(&self, place: usize) -> Option<(u64, &[u8])> {
        let close = place.checked_sub(1)?;
        let bytes = self
            .chunk
            .get(close.checked_sub(8)?..place)?
            .first_chunk::<9>()?;
        let [a, b, c, d, e, f, g, h, b'"'] = *bytes else {
            return None;
        };
        let distance = close.checked_sub(self.from)?;
        let row = self.rows.get(distance / BLOCK)?;
        let end = distance % BLOCK;
        let before = !(u64::MAX << end);
        let quotes = row.quotes & before;
        if quotes == 0 {
            return None;
        }
        let begin = 64 - quotes.leading_zeros() as usize;
        let length = end.wrapping_sub(begin);
        if length == 0 || row.backslashes & before & (u64::MAX << begin) != 0 {
            return None;
        }
        let word = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
        let raw = self.chunk.get(close.checked_sub(length)?..close)?;
        Some((word >> (64 - 8 * length.min(8)), raw))
    }

    /// The quote before `place`, if it is in the window.
    #[inline]
    pub(super) fn quote_before(&self, place: usize) -> Option<usize> {
        let distance = place.checked_sub(self.from)?;
        let (mut row, mut keep) = (distance / BLOCK, !(u64::MAX << (distance % BLOCK)));
        loop {
            let quotes = self.rows.get(row)?.quotes & keep;
            if quotes != 0 {
                return Some(self.from + row * BLOCK + 63 - quotes.leading_zeros() as usize);
            }
            row = row.checked_sub(1)?;
            keep = u64::MAX;
        }
    }

    /// The quote that opens a name whose closing quote is at `close`, in a window before.
    #[cold]
    pub(super) fn quote_long_before(&self, close: usize) -> Option<usize> {
        let mut end = close;
        loop {
            let before = self.chunk.get(..end)?;
            let quote = memchr::memrchr(b'"', before)?;
            let escapes = before.get(..quote)?.iter().rev();
            let backslashes = escapes.take_while(|byte| **byte == b'\\').count();
            if backslashes % 2 == 0 {
                return Some(quote);
            }
            end = quote;
        }
    }

    /// The first byte at or after `place` that is no white space.
    #[inline]
    pub(super) fn after(&self, place: usize) -> Option<(usize, u8)> {
        let byte = self.chunk.get(place)?;
        if *byte > b' ' {
            return Some((place, *byte));
        }
        let rest = self.chunk.get(place..)?.iter().enumerate();
        rest.map(|(at, byte)| (place + at, *byte))
            .find(|(_, byte)| !is_space(*byte))
    }

    /// The same before what waits for the next window. PERF: no window looks at the white space of
    /// another one.
    pub(super) fn after_in_window(&self, place: usize) -> Option<(usize, u8)> {
        let rest = self.chunk.get(place..self.to)?.iter().enumerate();
        rest.map(|(at, byte)| (place + at, *byte))
            .find(|(_, byte)| !is_space(*byte))
    }

    /// The last byte before `place` that is no white space.
    #[inline]
    pub(super) fn before(&self, place: usize) -> Option<(usize, u8)> {
        let rest = self.chunk.get(..place)?.iter().enumerate().rev();
        rest.map(|(at, byte)| (at, *byte))
            .find(|(_, byte)| !is_space(*byte))
    }

    /// The scalar after `place`, if there is one and all of it lies in the window.
    #[inline]
    pub(super) fn scalar(&self, place: usize) -> Option<(JsonKind, Range<usize>)> {
        let (begin, byte) = self.after(place)?;
        let kind = scalar_kind(byte)?;
        let end = match kind {
            JsonKind::String => self.quote_from(begin + 1)? + 1,
            JsonKind::Number
            | JsonKind::Bool
            | JsonKind::Null
            | JsonKind::Array
            | JsonKind::Object => self.bare_end(begin)?,
        };
        Some((kind, begin..end))
    }

    /// Where the number or literal that begins at `place` ends.
    pub(super) fn bare_end(&self, place: usize) -> Option<usize> {
        let rest = self.chunk.get(place..)?;
        let length = rest.iter().position(|byte| ends(*byte))?;
        Some(place + length)
    }
}

/// The type of the scalar that begins with this byte; none when a container begins or ends with it.
#[inline]
pub(super) const fn scalar_kind(byte: u8) -> Option<JsonKind> {
    match byte {
        b'{' | b'[' | b'}' | b']' => None,
        b'"' => Some(JsonKind::String),
        b't' | b'f' => Some(JsonKind::Bool),
        b'n' => Some(JsonKind::Null),
        _ => Some(JsonKind::Number),
    }
}
