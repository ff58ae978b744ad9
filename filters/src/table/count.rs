//! What is counted of a table: its rows, and the data subjects that their cells name.
//!
//! Guarantees: where the route says where records are, each row is one, whatever of it they are; it is
//! counted whatever becomes of its cells, when all of it has been read, and does not leave before. A column inside of what
//! names a data subject says that there is one, and not who.

use std::sync::Arc;

use super::cell::text;
use super::columns;
use super::scanner::Shape;
use crate::body_filter::BodyError;
use crate::export_meter::{TEXT_BYTES_MAX, Tally, Who};
use crate::json::JsonPlan;

/// The longest cell that names a data subject as it is written: quotes, and two for each of its own.
const SPELLING_MAX: usize = 2 * TEXT_BYTES_MAX + 2;

/// The state of what counts a table.
#[derive(Clone)]
pub(super) struct Counter {
    plan: Arc<JsonPlan>,
    pub(super) tally: Tally,
    /// Every row is a record.
    rows: bool,
    /// Every row has a data subject of whom nothing is known.
    nameless: bool,
    /// Which columns name data subjects.
    columns: Vec<bool>,
    /// The cell that is being read, if it names one, and whom the row has named so far.
    cell: Vec<u8>,
    named: Vec<Who>,
    /// How many bytes of cells have been read.
    read: u64,
}

impl Counter {
    pub(super) fn new(plan: Arc<JsonPlan>, tally: Tally) -> Self {
        Self {
            rows: plan.looks_for_records(),
            plan,
            tally,
            nameless: false,
            columns: Vec::new(),
            cell: Vec::new(),
            named: Vec::new(),
            read: 0,
        }
    }

    /// The next column has this header text.
    ///
    /// # Errors
    /// The text has too many parts.
    pub(super) fn header(&mut self, header: &str) -> Result<(), BodyError> {
        let (cells, around) = columns::subjects(header, &self.plan)?;
        self.nameless |= around;
        self.columns.push(cells);
        Ok(())
    }

    fn names(&self, column: usize) -> bool {
        self.columns.get(column).copied().unwrap_or_default()
    }

    /// A piece of a cell, as it is written.
    pub(super) fn piece(&mut self, column: usize, raw: &[u8]) {
        self.read += raw.len() as u64;
        if self.names(column) && self.cell.len() <= SPELLING_MAX {
            self.cell.extend_from_slice(raw);
        }
    }

    /// A cell has ended.
    pub(super) fn cell_ends(&mut self, column: usize, shape: Shape) {
        if !self.names(column) {
            return;
        }
        let who = match self.cell.len() > SPELLING_MAX {
            true => Some(Who::Nameless),
            false => {
                let text = text(&self.cell, shape);
                self.tally.key().of_text(text.as_bytes())
            }
        };
        self.named.extend(who);
        self.cell.clear();
    }

    /// A row has ended. Says whether it may stay.
    ///
    /// # Errors
    /// The table has gone on for too long without naming a data subject.
    pub(super) fn row_ends(&mut self) -> Result<bool, BodyError> {
        let stays = !self.rows || self.tally.begin_record(0, self.read);
        if self.nameless {
            self.named.push(Who::Nameless);
        }
        for who in self.named.drain(..).filter(|_| stays) {
            self.tally.name(who, self.read)?;
        }
        self.tally.end_records(0, self.read)?;
        self.tally.reach(self.read)?;
        Ok(stays)
    }
}
