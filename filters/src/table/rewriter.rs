//! Rewrites a table row by row.
//!
//! ```text
//! id,name,mail⏎        id,mail⏎            the header decides what happens to each column
//! 1,Ann,a@b.cd⏎   ▶    1,a•••@b.cd⏎        a row waits in `row` until its last cell has been counted
//! ```
//!
//! Guarantees: no byte of a row leaves before its end; cells that are dropped or replaced by a constant
//! are not held, however long they are. A replacement is written as its text needs it, whatever the
//! cell looked like before, so that the quotes say nothing about what was hidden.

use std::sync::Arc;

use super::cell::{changed, constant, text};
use super::columns::{Cells, Column, column};
use super::count::Counter;
use super::scanner::{Shape, Sink};
use super::search::RowSearch;
use super::{BYTE_ORDER_MARK, ColumnLabels, Dialect};
use crate::body_filter::BodyError;
use crate::export_meter::Tally;
use crate::json::JsonPlan;
use postern_config::Action;

/// The most columns a table may have.
pub(super) const COLUMNS_MAX: usize = 16_384;

/// The offset of an error that the scanner is to place.
pub(super) const UNPLACED: u64 = u64::MAX;

/// The state of one table between two chunks.
#[derive(Clone)]
pub(super) struct Rewriter {
    plan: Arc<JsonPlan>,
    dialect: Dialect,
    labels: ColumnLabels,
    /// None until the header has been read.
    columns: Option<Vec<Column>>,
    /// How many cells of the present record have begun.
    cells: usize,
    /// What leaves of the present record; of the header, all of it.
    row: Vec<u8>,
    /// Something of the present record stays.
    kept_any: bool,
    /// Where the present cell begins in `row`.
    cell_from: usize,
    /// The header's cells in `row`.
    header: Vec<(usize, usize, Shape)>,
    /// The table begins with a byte order mark, which has not left.
    mark: bool,
    /// The required rules that have matched nothing yet.
    missing: Vec<usize>,
    withheld: Vec<u64>,
    search: RowSearch,
    /// What counts the table, if it is counted.
    counter: Option<Box<Counter>>,
}

/// One chunk on its way through the rewriter.
pub(super) struct Pass<'p> {
    pub(super) rewriter: &'p mut Rewriter,
    pub(super) out: &'p mut Vec<u8>,
}

impl Rewriter {
    pub(super) fn new(plan: Arc<JsonPlan>, dialect: Dialect, labels: ColumnLabels) -> Self {
        Self {
            dialect,
            labels,
            columns: None,
            cells: 0,
            row: Vec::new(),
            kept_any: false,
            cell_from: 0,
            header: Vec::new(),
            mark: false,
            missing: plan.requirements(),
            withheld: vec![0; plan.labels()],
            search: RowSearch::default(),
            counter: None,
            plan,
        }
    }

    /// Counts what is read.
    pub(super) fn count(&mut self, counter: Counter) {
        self.counter = Some(Box::new(counter));
    }

    pub(super) fn tally(&mut self) -> Option<&mut Tally> {
        self.counter.as_mut().map(|counter| &mut counter.tally)
    }

    /// The table begins with a byte order mark: it leaves with the first byte of the header.
    pub(super) fn mark(&mut self) {
        self.mark = true;
    }

    /// Whether a byte order mark is all there has been so far.
    pub(super) fn is_bare_mark(&self) -> bool {
        self.mark && self.columns.is_none()
    }

    pub(super) fn withheld(&self) -> &[u64] {
        &self.withheld
    }

    /// The table has ended.
    ///
    /// # Errors
    /// Something required was not in it.
    pub(super) fn finish(&self) -> Result<(), BodyError> {
        match self.missing.is_empty() {
            true => Ok(()),
            false => Err(BodyError::RequiredMissing),
        }
    }

    /// The present cell's column; none in the header.
    fn column(&self) -> Option<&Column> {
        let at = self.cells.checked_sub(1)?;
        self.columns.as_ref()?.get(at)
    }

    fn check_held(&self) -> Result<(), BodyError> {
        let held = self.row.len().saturating_add(self.search.hidden_bytes());
        match held > self.plan.held_bytes_max() {
            true => Err(BodyError::Limit {
                limit: "held_bytes",
            }),
            false => Ok(()),
        }
    }

    fn malformed(&self, what: &'static str) -> BodyError {
        BodyError::Malformed {
            format: self.dialect.name(),
            what,
            offset: UNPLACED,
        }
    }

    /// Decides about every column, and leaves in `row` what stays of the header.
    fn read_header(&mut self) -> Result<(), BodyError> {
        let raw = std::mem::take(&mut self.row);
        let cells = std::mem::take(&mut self.header);
        let mut columns = Vec::with_capacity(cells.len());
        for (from, to, shape) in cells {
            let raw = raw.get(from..to).unwrap_or_default();
            let header = text(raw, shape);
            if let Some(counter) = &mut self.counter {
                counter.header(&header)?;
            }
            let column = column(&header, &self.plan, (self.dialect, &self.labels))?;
            if !column.cells.is_gone() {
                if self.kept_any {
                    self.row.push(self.dialect.delimiter);
                }
                self.kept_any = true;
                match column.shows_header {
                    true => self.row.extend_from_slice(raw),
                    false => {
                        let hidden = constant(&Action::Redact { with: None }, self.dialect);
                        self.row.extend_from_slice(&hidden);
                    }
                }
            }
            columns.push(column);
        }
        // SECURITY: a table without its header, or under another delimiter, has no column of a known
        // name. It may not leave as one that has nothing to hide.
        let has_labels = self.plan.has_labels() && !self.plan.counts();
        let expects_labels = has_labels || !self.labels.is_empty();
        if expects_labels && !columns.iter().any(|column| column.labelled) {
            return Err(self.malformed("no column that the policy labels"));
        }
        // Without the columns before it, this text would be read as the table's byte order mark.
        if !self.mark && self.row.starts_with(BYTE_ORDER_MARK) {
            return Err(self.malformed("a byte order mark inside the header"));
        }
        self.search = RowSearch::of(&columns);
        self.columns = Some(columns);
        Ok(())
    }

    /// Puts what takes a cell's place in its place.
    fn change(&mut self, action: &Action, shape: Shape) {
        let raw = self.row.get(self.cell_from..).unwrap_or_default();
        let text = text(raw, shape);
        let changed = changed(action, &text, self.plan.pseudonyms(), self.dialect);
        self.search.hide(text);
        self.row.truncate(self.cell_from);
        self.row.extend_from_slice(&changed);
    }

    /// Every cell of a row has been read.
    fn end_row(&mut self) -> Result<(), BodyError> {
        let Some(columns) = &self.columns else {
            return Ok(());
        };
        if self.cells != columns.len() {
            return Err(self.malformed("a row with another number of cells than the header"));
        }
        let (row, pseudonyms) = (&mut self.row, self.plan.pseudonyms());
        let found = self.search.finish(row, pseudonyms, self.dialect)?;
        for (at, column) in columns.iter().enumerate() {
            let counts = !matches!(column.cells, Cells::Search(_)) || found.contains(&at);
            for label in column.withheld.iter().filter(|_| counts) {
                if let Some(count) = self.withheld.get_mut(usize::from(*label)) {
                    *count = count.saturating_add(1);
                }
            }
            if !self.missing.is_empty() {
                self.missing.retain(|rule| !column.required.contains(rule));
            }
        }
        Ok(())
    }
}

impl Sink for Pass<'_> {
    fn cell_begins(&mut self) -> Result<(), BodyError> {
        let rewriter = &mut *self.rewriter;
        rewriter.cells += 1;
        if let Some(columns) = &rewriter.columns {
            let Some(column) = columns.get(rewriter.cells - 1) else {
                let what = "a row with another number of cells than the header";
                return Err(rewriter.malformed(what));
            };
            if !column.cells.is_gone() {
                if rewriter.kept_any {
                    rewriter.row.push(rewriter.dialect.delimiter);
                }
                rewriter.kept_any = true;
            }
        } else if rewriter.cells > COLUMNS_MAX {
            return Err(BodyError::Limit { limit: "columns" });
        }
        rewriter.cell_from = rewriter.row.len();
        Ok(())
    }

    fn piece(&mut self, raw: &[u8]) -> Result<(), BodyError> {
        let rewriter = &mut *self.rewriter;
        let max = rewriter.plan.held_bytes_max();
        let at = rewriter.cells.checked_sub(1);
        if let (Some(counter), Some(at), true) =
            (&mut rewriter.counter, at, rewriter.columns.is_some())
        {
            counter.piece(at, raw);
        }
        let column = at.and_then(|at| rewriter.columns.as_ref()?.get(at));
        if let Some(column) = column
            && let Cells::Drop | Cells::Constant(_) = column.cells
        {
            return rewriter.search.piece(raw, column, max);
        }
        rewriter.row.extend_from_slice(raw);
        rewriter.check_held()
    }

    fn cell_ends(&mut self, shape: Shape) -> Result<(), BodyError> {
        let rewriter = &mut *self.rewriter;
        if let (Some(counter), true) = (&mut rewriter.counter, rewriter.columns.is_some()) {
            counter.cell_ends(rewriter.cells.saturating_sub(1), shape);
        }
        match rewriter.column().map(|column| column.cells.clone()) {
            Some(Cells::Keep) => {}
            Some(Cells::Drop) => rewriter.search.cell_ends(shape),
            Some(Cells::Constant(bytes)) => {
                rewriter.row.extend_from_slice(&bytes);
                rewriter.search.cell_ends(shape);
            }
            Some(Cells::Search(detectors)) => {
                let place = (rewriter.cell_from, rewriter.row.len());
                let column = rewriter.cells.saturating_sub(1);
                rewriter.search.add(place, shape, column, detectors);
            }
            Some(Cells::Change(action)) => rewriter.change(&action, shape),
            None => {
                let to = rewriter.row.len();
                rewriter.header.push((rewriter.cell_from, to, shape));
            }
        }
        Ok(())
    }

    fn record_ends(&mut self, line_end: &[u8]) -> Result<(), BodyError> {
        let rewriter = &mut *self.rewriter;
        let mut stays = true;
        if rewriter.columns.is_some() {
            rewriter.end_row()?;
            if let Some(counter) = &mut rewriter.counter {
                stays = counter.row_ends()?;
            }
        } else {
            rewriter.read_header()?;
        }
        if rewriter.kept_any && stays {
            if std::mem::take(&mut rewriter.mark) {
                self.out.extend_from_slice(BYTE_ORDER_MARK);
            }
            // A row of one empty cell would be a blank line, which is no row to many readers.
            if rewriter.row.is_empty() && rewriter.dialect.quotes {
                rewriter.row.extend_from_slice(b"\"\"");
            }
            self.out.extend_from_slice(&rewriter.row);
            self.out.extend_from_slice(line_end);
        }
        rewriter.row.clear();
        rewriter.kept_any = false;
        rewriter.cells = 0;
        Ok(())
    }

    fn blank_line(&mut self, line_end: &[u8]) -> Result<(), BodyError> {
        let rewriter = &*self.rewriter;
        match rewriter.columns.as_deref() {
            None => Err(rewriter.malformed("a blank line before the header")),
            // To some readers this is a row with one empty cell.
            Some([_]) => Err(rewriter.malformed("a blank line in a table of one column")),
            Some(columns) => {
                if columns.iter().any(|column| !column.cells.is_gone()) {
                    self.out.extend_from_slice(line_end);
                }
                Ok(())
            }
        }
    }
}
