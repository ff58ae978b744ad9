//! The tokens that a chunk's end can cut: strings, names, numbers and literals.

use super::{Expect, Halt, NAME_BYTES_MAX, Scanner, Sink, Text, limit};

impl Scanner {
    #[inline]
    pub(super) fn string<S: Sink>(
        &mut self,
        chunk: &[u8],
        at: usize,
        sink: &mut S,
    ) -> Result<usize, Halt> {
        match self.text.read(chunk, at) {
            Ok(Some(end)) => {
                self.scalar_ends(end, sink)?;
                Ok(end)
            }
            Ok(None) => Ok(chunk.len()),
            Err(flaw) => Err(self.flawed(flaw)),
        }
    }

    #[inline]
    pub(super) fn begin_name<S: Sink>(
        &mut self,
        chunk: &[u8],
        at: usize,
        sink: &mut S,
    ) -> Result<usize, Halt> {
        if self.skipped.is_none() {
            sink.name_begins(at)?;
        }
        self.expect = Expect::InName;
        self.text = Text::default();
        self.name.clear();
        self.name_length = 0;
        self.rest_of_name(chunk, at + 1, sink)
    }

    #[inline]
    pub(super) fn rest_of_name<S: Sink>(
        &mut self,
        chunk: &[u8],
        at: usize,
        sink: &mut S,
    ) -> Result<usize, Halt> {
        let end = match self.text.read(chunk, at) {
            Ok(end) => end,
            Err(flaw) => return Err(self.flawed(flaw)),
        };
        let stop = end.map_or(chunk.len(), |end| end - 1);
        self.name_length += stop - at;
        if self.name_length > NAME_BYTES_MAX {
            return Err(limit("name_bytes"));
        }
        if self.skipped.is_none() {
            let part = chunk.get(at..stop).unwrap_or_default();
            if end.is_some() && self.name.is_empty() {
                sink.name_ends(part, self.text.has_escapes())?;
            } else {
                self.name.extend_from_slice(part);
                if end.is_some() {
                    sink.name_ends(&self.name, self.text.has_escapes())?;
                }
            }
        }
        if end.is_some() {
            self.expect = Expect::Colon;
        }
        Ok(end.unwrap_or(chunk.len()))
    }

    #[inline]
    pub(super) fn digits<S: Sink>(
        &mut self,
        chunk: &[u8],
        at: usize,
        sink: &mut S,
    ) -> Result<usize, Halt> {
        match self.number.read(chunk, at) {
            Ok(Some(end)) => {
                self.scalar_ends(end, sink)?;
                Ok(end)
            }
            Ok(None) => Ok(chunk.len()),
            Err(at) => Err(self.malformed("a number is not complete", at)),
        }
    }

    #[inline]
    pub(super) fn letters<S: Sink>(
        &mut self,
        chunk: &[u8],
        at: usize,
        sink: &mut S,
    ) -> Result<usize, Halt> {
        let mut at = at;
        while let Some((letter, rest)) = self.literal.split_first() {
            let Some(byte) = chunk.get(at) else {
                return Ok(at);
            };
            if byte != letter {
                return Err(self.malformed("expected a value", at));
            }
            self.literal = rest;
            at += 1;
        }
        self.scalar_ends(at, sink)?;
        Ok(at)
    }
}
