//! Bodies of many JSON texts: NDJSON and JSON text sequences (RFC 7464).
//!
//! ```text
//! NDJSON     text LF text LF text            the last LF may be missing
//! json-seq   RS text LF RS text LF           every text ends with LF
//! ```
//!
//! Guarantees: every text is validated and rewritten by the JSON engine as one element of the array that
//! selectors call `$`; a text that is removed takes its separators along; nothing of a text is released
//! before it is decided, and nothing of the separators either. What readers disagree about is refused: a
//! blank line, a text before the first RS, a text that no LF ends (it may have been cut off).
//!
//! It reads no JSON itself: neither separator can occur inside a valid text but as white space.

use std::fmt;
use std::sync::Arc;

use memchr::memchr;

use crate::body_filter::{BodyError, BodyFilter, Steps};
use crate::export_meter::{Due, Tally};
use crate::json::{JsonFilter, JsonPlan};

/// Begins a text of a JSON text sequence.
const RECORD_SEPARATOR: u8 = 0x1E;

/// Between which bytes the texts stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFormat {
    /// One JSON text a line, ended by LF or CR LF.
    Ndjson,
    /// JSON text sequences (RFC 7464): RS, a text, LF.
    JsonSeq,
}

/// A body of many JSON texts on its way through a plan.
#[derive(Clone)]
pub struct LinesFilter {
    format: LineFormat,
    texts: JsonFilter,
    /// What separates a text from the one before it has been read; the text has not ended.
    begun: bool,
    /// The RS before the present text waits for the first of the text's own bytes.
    opening: bool,
    /// The last byte of the present text so far; none when there is none yet.
    last: Option<u8>,
    /// Bytes read.
    offset: u64,
    spent: bool,
}

impl LinesFilter {
    /// A filter before the first byte of a body.
    #[must_use]
    pub fn new(format: LineFormat, plan: Arc<JsonPlan>) -> Self {
        Self {
            format,
            texts: JsonFilter::of_sequence(plan, u64::from(format == LineFormat::JsonSeq)),
            begun: format == LineFormat::Ndjson,
            opening: false,
            last: None,
            offset: 0,
            spent: false,
        }
    }

    /// Counts what is read as well, by a plan that counts.
    pub(crate) fn counted(self, plan: Arc<JsonPlan>, tally: Tally) -> Self {
        Self {
            texts: self.texts.counted(plan, tally),
            ..self
        }
    }

    /// Counts what is read by the filter's own plan, which is one that counts, and removes texts that may
    /// not stay.
    pub(crate) fn counting(self, tally: Tally) -> Self {
        Self {
            texts: self.texts.counting(tally),
            ..self
        }
    }

    /// What is counted; none when nothing is.
    pub(crate) fn tally(&mut self) -> Option<&mut Tally> {
        self.texts.tally()
    }

    /// Adds what is due to `due`.
    pub(crate) fn drain_into(&mut self, due: &mut Due) {
        self.texts.drain_into(due);
    }

    /// How many values were withheld so far, by label.
    #[must_use]
    pub fn withheld(&self) -> &[u64] {
        self.texts.withheld()
    }

    /// Reads a piece of the present text.
    fn text(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        let Some(last) = piece.last() else {
            return Ok(());
        };
        if !self.begun {
            return Err(self.malformed("text before the first record separator"));
        }
        self.last = Some(*last);
        self.offset += piece.len() as u64;
        self.opened(out, |texts, out| texts.push(piece, out))
            .map(|_| ())
    }

    /// Takes a step through the present text. The RS before it leaves with the first of its bytes.
    fn opened<T>(
        &mut self,
        out: &mut Vec<u8>,
        step: impl FnOnce(&mut JsonFilter, &mut Vec<u8>) -> Result<T, BodyError>,
    ) -> Result<T, BodyError> {
        let before = out.len();
        if self.opening {
            out.push(RECORD_SEPARATOR);
        }
        let opened = out.len();
        let done = step(&mut self.texts, out)?;
        match out.len() == opened {
            true => out.truncate(before),
            false => self.opening = false,
        }
        Ok(done)
    }

    /// A LF ends the line.
    fn end_line(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        if self.last.take().is_none() {
            return Err(self.malformed("a blank line"));
        }
        if self.texts.end_document(1, out)? {
            out.push(b'\n');
        }
        Ok(())
    }

    /// An RS begins a text.
    fn begin_text(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        if self.begun {
            self.end_text(1, out)?;
        }
        (self.begun, self.opening) = (true, true);
        Ok(())
    }

    /// RFC 7464 section 2.4: without the LF nobody can tell whether a text is whole.
    fn end_text(&mut self, skipped: u64, out: &mut Vec<u8>) -> Result<(), BodyError> {
        match self.last.take() {
            Some(b'\n') => {}
            Some(_) => return Err(self.malformed("a text that no line feed ends")),
            None => return Err(self.malformed("a record separator without a text")),
        }
        self.opened(out, |texts, out| texts.end_document(skipped, out))?;
        self.opening = false;
        Ok(())
    }

    fn malformed(&self, what: &'static str) -> BodyError {
        BodyError::Malformed {
            format: match self.format {
                LineFormat::Ndjson => "NDJSON",
                LineFormat::JsonSeq => "a JSON text sequence",
            },
            what,
            offset: self.offset,
        }
    }
}

impl Steps for LinesFilter {
    fn read(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        let separator = match self.format {
            LineFormat::Ndjson => b'\n',
            LineFormat::JsonSeq => RECORD_SEPARATOR,
        };
        let mut rest = chunk;
        while let Some(end) = memchr(separator, rest) {
            let (piece, after) = rest.split_at(end);
            self.text(piece, out)?;
            match self.format {
                LineFormat::Ndjson => self.end_line(out)?,
                LineFormat::JsonSeq => self.begin_text(out)?,
            }
            self.offset += 1;
            rest = after.get(1..).unwrap_or_default();
        }
        self.text(rest, out)
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        match self.format {
            LineFormat::Ndjson if self.last.is_some() => {
                self.texts.end_document(0, out)?;
            }
            LineFormat::JsonSeq if self.begun => self.end_text(0, out)?,
            LineFormat::Ndjson | LineFormat::JsonSeq => {}
        }
        self.texts.end_body()
    }

    fn spent(&mut self) -> &mut bool {
        &mut self.spent
    }
}

impl fmt::Debug for LinesFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LinesFilter")
            .field("format", &self.format)
            .field("spent", &self.spent)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
