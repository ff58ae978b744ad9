//! Finds the strings that stand behind another string and a colon, without a look at every quote between them.
//!
//! PERF: most quotes of a document are beside no colon, and most colons beside two quotes are those of its members
//! (`postern bench`, sessions).

use std::ops::Range;

use memchr::{Memchr, memchr_iter, memrchr};

use super::NAME_BYTES_MAX;
use crate::json::is_space;

/// The members of a chunk whose values are strings, from a quote on.
pub(super) struct Ahead<'c> {
    chunk: &'c [u8],
    /// A quote that is not escaped, before everything that is left.
    mark: usize,
    colons: Memchr<'c>,
    /// Where in the chunk the colons are counted from.
    from: usize,
}

/// A member whose value is a string.
pub(super) struct Member {
    /// Where its name is; of one that is too long, its last bytes, one more than a name can have.
    pub(super) name: Range<usize>,
    /// Where the quote is with which its value opens.
    pub(super) value: usize,
}

impl<'c> Ahead<'c> {
    /// What comes in the chunk after `mark`, a quote that is not escaped.
    pub(super) fn of(chunk: &'c [u8], mark: usize) -> Self {
        Self {
            chunk,
            mark,
            colons: memchr_iter(b':', chunk.get(mark..).unwrap_or_default()),
            from: mark,
        }
    }

    /// The quotes on both sides of a colon, with nothing but white space between; none when there are not two.
    #[inline]
    fn quotes_beside(&self, colon: usize) -> Option<(usize, usize)> {
        // PERF: most have no space beside them, and behind most stands no string.
        let value = match self.chunk.get(colon + 1)? {
            b'"' => colon + 1,
            byte if is_space(*byte) => self.after_space(colon + 1)?,
            _ => return None,
        };
        let quote = match self.chunk.get(colon.checked_sub(1)?)? {
            b'"' => colon - 1,
            byte if is_space(*byte) => self.before_space(colon)?,
            _ => return None,
        };
        let quoted = [quote, value].map(|at| self.chunk.get(at)) == [Some(&b'"'); 2];
        (quoted && quote >= self.mark).then_some((quote, value))
    }

    /// Where white space that begins at a place has ended.
    fn after_space(&self, at: usize) -> Option<usize> {
        let mut rest = self.chunk.get(at..)?.iter();
        Some(at + rest.position(|byte| !is_space(*byte))?)
    }

    /// The last place before another that is no white space.
    fn before_space(&self, end: usize) -> Option<usize> {
        let mut before = self.chunk.get(..end)?.iter();
        before.rposition(|byte| !is_space(*byte))
    }

    /// Whether the quote there is escaped. The mark is not, whatever stands before it.
    fn is_escaped(&self, quote: usize) -> bool {
        let before = self.chunk.get(self.mark + 1..quote).unwrap_or_default();
        if before.last() != Some(&b'\\') {
            return false;
        }
        let backslashes = before.iter().rev().take_while(|byte| **byte == b'\\');
        backslashes.count() % 2 == 1
    }

    /// The name that ends with a quote; empty when that is the mark.
    fn name_before(&self, quote: usize) -> Range<usize> {
        let first = quote.saturating_sub(NAME_BYTES_MAX + 1).max(self.mark);
        let mut end = quote;
        while let Some(before) = self.chunk.get(first..end)
            && let Some(found) = memrchr(b'"', before)
        {
            end = first + found;
            if !self.is_escaped(end) {
                return end + 1..quote;
            }
        }
        first..quote
    }
}

impl Iterator for Ahead<'_> {
    type Item = Member;

    fn next(&mut self) -> Option<Member> {
        loop {
            let colon = self.from + self.colons.next()?;
            if let Some((quote, value)) = self.quotes_beside(colon)
                && !self.is_escaped(quote)
            {
                let name = self.name_before(quote);
                self.mark = value;
                return Some(Member { name, value });
            }
        }
    }
}
