//! Reads a table (RFC 4180, or tab-separated values) in pieces and reports its cells to a [`Sink`].
//!
//! Guarantees: what is reported does not depend on how the text was split; what two readers could read
//! differently is refused rather than reported: a quote where no quoted cell begins (see below), text
//! after the closing quote, a carriage return without a line feed, NUL. It keeps no text.
//!
//! ```text
//! begins ──▶ a,"b ""c"" d",e CR LF     a cell is reported as it is written, quotes included
//! ```
//!
//! A quote inside an unquoted cell is text to most readers, as to the `csv` crate. Writers that quote
//! never leave one there, and writers that leave one never quote. So it passes in a table without any
//! quoted cell; a table with both is refused, and so is a quote that only white space precedes.

use memchr::memchr2;

use super::Dialect;
use crate::body_filter::BodyError;

/// How a cell is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    Plain,
    Quoted,
}

/// Follows the cells of a table.
pub(super) trait Sink {
    /// A cell begins.
    fn cell_begins(&mut self) -> Result<(), BodyError>;
    /// A piece of the present cell, as it is written.
    fn piece(&mut self, raw: &[u8]) -> Result<(), BodyError>;
    /// The present cell has ended.
    fn cell_ends(&mut self, shape: Shape) -> Result<(), BodyError>;
    /// The present record has ended, with these bytes.
    fn record_ends(&mut self, line_end: &[u8]) -> Result<(), BodyError>;
    /// A line without anything.
    fn blank_line(&mut self, line_end: &[u8]) -> Result<(), BodyError>;
}

/// What is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// At the beginning of a line.
    Line,
    /// At the beginning of a cell that is not the first of its line.
    Cell,
    /// In a cell without quotes, of which all so far is white space, or not.
    Plain { space: bool },
    /// Between quotes.
    Quoted,
    /// After a quote between quotes: it ends the cell, or is doubled.
    Quote,
    /// After a carriage return, at the end of a line that is blank, or not.
    Return { blank: bool },
}

/// The state of one table between two chunks.
#[derive(Clone)]
pub(super) struct Scanner {
    dialect: Dialect,
    state: State,
    /// A quoted cell has been seen.
    quoted: bool,
    /// A quote inside an unquoted cell has been seen.
    bare: bool,
    offset: u64,
}

impl Scanner {
    pub(super) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            state: State::Line,
            quoted: false,
            bare: false,
            offset: 0,
        }
    }

    /// Passes over bytes that belong to no cell.
    pub(super) fn skip(&mut self, bytes: u64) {
        self.offset += bytes;
    }

    /// Reads the next chunk.
    ///
    /// # Errors
    /// The table is not valid so far, or the sink refuses it.
    pub(super) fn push<S: Sink>(&mut self, chunk: &[u8], sink: &mut S) -> Result<(), BodyError> {
        let mut rest = chunk;
        while let Some(byte) = rest.first().copied() {
            let before = self.offset;
            let read = match self.state {
                State::Quoted => self.quoted(rest, sink)?,
                State::Plain { space } => self.plain(rest, space, sink)?,
                State::Line | State::Cell => self.begin(byte, sink)?,
                State::Quote => self.after_quote(byte, sink)?,
                State::Return { blank } => {
                    if byte != b'\n' {
                        return Err(self.malformed("a carriage return without a line feed"));
                    }
                    self.end_line(blank, b"\r\n", sink)?;
                    1
                }
            };
            // A step moves the offset only to say where an error is.
            self.offset = before + read as u64;
            rest = rest.get(read..).unwrap_or_default();
        }
        Ok(())
    }

    /// The table has ended; its last line may have no end.
    ///
    /// # Errors
    /// A quote is not closed, or the sink refuses the last record.
    pub(super) fn finish<S: Sink>(&mut self, sink: &mut S) -> Result<(), BodyError> {
        match self.state {
            State::Line => return Ok(()),
            State::Quoted => return Err(BodyError::Incomplete),
            State::Return { .. } => {
                return Err(self.malformed("a carriage return without a line feed"));
            }
            State::Cell => {
                sink.cell_begins()?;
                sink.cell_ends(Shape::Plain)?;
            }
            State::Plain { .. } => sink.cell_ends(Shape::Plain)?,
            State::Quote => sink.cell_ends(Shape::Quoted)?,
        }
        self.state = State::Line;
        sink.record_ends(b"")
    }

    /// Reads the first byte of a cell, or what stands there instead of one.
    fn begin<S: Sink>(&mut self, byte: u8, sink: &mut S) -> Result<usize, BodyError> {
        if self.state == State::Line && matches!(byte, b'\n' | b'\r') {
            match byte {
                b'\n' => self.end_line(true, b"\n", sink)?,
                _ => self.state = State::Return { blank: true },
            }
            return Ok(1);
        }
        sink.cell_begins()?;
        self.state = State::Plain { space: true };
        if byte == b'"' && self.dialect.quotes {
            if self.bare {
                return Err(self.malformed("quoted cells beside quotes that quote nothing"));
            }
            self.quoted = true;
            self.state = State::Quoted;
            sink.piece(b"\"")?;
            return Ok(1);
        }
        Ok(0)
    }

    /// Reads on in a cell without quotes.
    fn plain<S: Sink>(
        &mut self,
        rest: &[u8],
        space: bool,
        sink: &mut S,
    ) -> Result<usize, BodyError> {
        let delimiter = self.dialect.delimiter;
        let special = |byte: &u8| matches!(byte, b'"' | b'\n' | b'\r' | 0) || *byte == delimiter;
        let end = rest.iter().position(special).unwrap_or(rest.len());
        let text = rest.get(..end).unwrap_or_default();
        if !text.is_empty() {
            sink.piece(text)?;
        }
        let space = space && text.iter().all(|byte| matches!(byte, b' ' | b'\t'));
        self.state = State::Plain { space };
        let Some(byte) = rest.get(end).copied() else {
            return Ok(end);
        };
        self.offset += end as u64;
        match byte {
            b'"' => {
                self.bare_quote(space)?;
                sink.piece(b"\"")?;
            }
            b'\r' => {
                sink.cell_ends(Shape::Plain)?;
                self.state = State::Return { blank: false };
            }
            b'\n' => {
                sink.cell_ends(Shape::Plain)?;
                self.end_line(false, b"\n", sink)?;
            }
            0 => return Err(self.malformed("NUL")),
            _ => {
                sink.cell_ends(Shape::Plain)?;
                self.state = State::Cell;
            }
        }
        Ok(end + 1)
    }

    /// A quote inside an unquoted cell, after nothing but white space or not.
    fn bare_quote(&mut self, space: bool) -> Result<(), BodyError> {
        if space {
            return Err(self.malformed("white space or nothing before a quote"));
        }
        if self.quoted {
            return Err(self.malformed("quoted cells beside quotes that quote nothing"));
        }
        self.bare = true;
        Ok(())
    }

    /// Reads on between quotes.
    fn quoted<S: Sink>(&mut self, rest: &[u8], sink: &mut S) -> Result<usize, BodyError> {
        let end = memchr2(b'"', 0, rest);
        let text = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        if !text.is_empty() {
            sink.piece(text)?;
        }
        let Some(end) = end else {
            return Ok(rest.len());
        };
        if rest.get(end) != Some(&b'"') {
            self.offset += end as u64;
            return Err(self.malformed("NUL"));
        }
        sink.piece(b"\"")?;
        self.state = State::Quote;
        Ok(end + 1)
    }

    fn after_quote<S: Sink>(&mut self, byte: u8, sink: &mut S) -> Result<usize, BodyError> {
        if byte == b'"' {
            sink.piece(b"\"")?;
            self.state = State::Quoted;
            return Ok(1);
        }
        if byte != self.dialect.delimiter && !matches!(byte, b'\r' | b'\n') {
            return Err(self.malformed("text after a closing quote"));
        }
        sink.cell_ends(Shape::Quoted)?;
        match byte {
            b'\r' => self.state = State::Return { blank: false },
            b'\n' => self.end_line(false, b"\n", sink)?,
            _ => self.state = State::Cell,
        }
        Ok(1)
    }

    fn end_line<S: Sink>(
        &mut self,
        blank: bool,
        line_end: &[u8],
        sink: &mut S,
    ) -> Result<(), BodyError> {
        self.state = State::Line;
        match blank {
            true => sink.blank_line(line_end),
            false => sink.record_ends(line_end),
        }
    }

    /// An error at the place that has been reached.
    pub(super) fn malformed(&self, what: &'static str) -> BodyError {
        self.malformed_at(what, self.offset)
    }

    /// An error at another place.
    pub(super) fn malformed_at(&self, what: &'static str, offset: u64) -> BodyError {
        BodyError::Malformed {
            format: self.dialect.name(),
            what,
            offset,
        }
    }
}
