//! Tables: CSV (RFC 4180) and tab-separated values, redacted by column as they stream.
//!
//! ```text
//! bytes ──▶ UTF-8 ──▶ scanner ──▶ rewriter ──▶ bytes, a whole row at a time
//!                                  │
//!                   header row ──▶ columns: labels, actions
//! ```
//!
//! Guarantees: the output does not depend on how the input was split; a cell that stays leaves byte for
//! byte, its quotes included; columns of one name are treated alike; a row leaves when all of it has
//! been read and has as many cells as the header. Memory is bounded by `held_bytes_max` for what is
//! kept of one row and for the header; what is dropped is not held. The whole table is validated.
//!
//! It evaluates no formula and changes no cell because of one.

mod cell;
mod columns;
mod count;
mod rewriter;
mod scanner;
mod search;
mod utf8;

use std::fmt;
use std::sync::Arc;

use postern_config::RouteFormat;
use postern_config::formats::FormatKind;

use crate::body_filter::{BodyError, Steps};
use crate::export_meter::{Due, Tally};
use crate::json::{JsonPlan, LabelId};

use count::Counter;
use rewriter::{Pass, Rewriter, UNPLACED};
use scanner::Scanner;
use utf8::Utf8;

/// The byte order mark, in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// How the cells of a table are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Dialect {
    /// What stands between two cells; ASCII, and no letter, digit, quote or line end.
    pub delimiter: u8,
    /// Whether a cell can be put in quotes.
    pub quotes: bool,
}

impl Dialect {
    /// The dialect that a route declares.
    #[must_use]
    pub fn of(format: &RouteFormat) -> Self {
        Self {
            delimiter: format.delimiter,
            quotes: format.kind != FormatKind::Tsv,
        }
    }

    fn name(self) -> &'static str {
        match self.quotes {
            true => "CSV",
            false => "TSV",
        }
    }
}

/// The labels of columns by their header text.
pub type ColumnLabels = Arc<[(String, Vec<LabelId>)]>;

/// A table on its way through a plan.
#[derive(Clone)]
pub struct TableFilter {
    utf8: Utf8,
    scanner: Scanner,
    rewriter: Rewriter,
    /// What has been read of the first bytes, as long as they may be a byte order mark.
    mark: Option<Vec<u8>>,
    spent: bool,
}

impl TableFilter {
    /// A filter before the first byte of a table.
    #[must_use]
    pub fn new(plan: Arc<JsonPlan>, dialect: Dialect, columns: ColumnLabels) -> Self {
        Self {
            utf8: Utf8::default(),
            scanner: Scanner::new(dialect),
            rewriter: Rewriter::new(plan, dialect, columns),
            mark: Some(Vec::new()),
            spent: false,
        }
    }

    /// Counts what is read as well, by a plan that counts, and removes rows that may not stay.
    pub(crate) fn counted(mut self, plan: Arc<JsonPlan>, tally: Tally) -> Self {
        self.rewriter.count(Counter::new(plan, tally));
        self
    }

    /// What is counted; none when nothing is.
    pub(crate) fn tally(&mut self) -> Option<&mut Tally> {
        self.rewriter.tally()
    }

    /// Adds what is due to `due`.
    pub(crate) fn drain_into(&mut self, due: &mut Due) {
        if let Some(tally) = self.tally() {
            tally.drain_into(due);
        }
    }

    /// How many values were withheld so far, by label.
    #[must_use]
    pub fn withheld(&self) -> &[u64] {
        self.rewriter.withheld()
    }

    fn scan(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        let mut pass = Pass {
            rewriter: &mut self.rewriter,
            out,
        };
        let read = self.scanner.push(chunk, &mut pass);
        read.map_err(|error| self.placed(error))
    }

    /// An error at the place that the scanner has reached.
    fn placed(&self, error: BodyError) -> BodyError {
        if let BodyError::Malformed {
            what,
            offset: UNPLACED,
            ..
        } = error
        {
            return self.scanner.malformed(what);
        }
        error
    }
}

impl Steps for TableFilter {
    fn read(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        if let Err(offset) = self.utf8.push(chunk) {
            return Err(self.scanner.malformed_at("the text is not UTF-8", offset));
        }
        let Some(mut mark) = self.mark.take() else {
            return self.scan(chunk, out);
        };
        let missing = BYTE_ORDER_MARK.len().saturating_sub(mark.len());
        let (first, rest) = chunk.split_at_checked(missing).unwrap_or((chunk, &[]));
        mark.extend_from_slice(first);
        if mark == BYTE_ORDER_MARK {
            self.rewriter.mark();
            self.scanner.skip(mark.len() as u64);
        } else if BYTE_ORDER_MARK.starts_with(&mark) {
            self.mark = Some(mark);
            return Ok(());
        } else {
            self.scan(&mark, out)?;
        }
        self.scan(rest, out)
    }

    fn end(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        if !self.utf8.is_whole() {
            return Err(BodyError::Incomplete);
        }
        let mut pass = Pass {
            rewriter: &mut self.rewriter,
            out,
        };
        let read = self.scanner.finish(&mut pass);
        read.map_err(|error| self.placed(error))?;
        if self.rewriter.is_bare_mark() {
            out.extend_from_slice(BYTE_ORDER_MARK);
        }
        self.rewriter.finish()
    }

    fn spent(&mut self) -> &mut bool {
        &mut self.spent
    }
}

impl fmt::Debug for TableFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TableFilter")
            .field("spent", &self.spent)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
