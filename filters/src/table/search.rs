//! Free text in the cells of a row: searched when the row has ended, since what the same row hides in
//! other cells may be searched for too.
//!
//! Guarantees: a cell in which nothing is found stays as it is written; hidden cells are held only where
//! somebody asks for what is hidden, within `held_bytes_max`.

use std::sync::Arc;

use super::Dialect;
use super::cell::{self, text};
use super::columns::{Cells, Column};
use super::scanner::Shape;
use crate::body_filter::BodyError;
use crate::detect::{Detectors, Names, Search, detect_text};
use crate::pseudonym::Pseudonymizer;

/// The cells of the present row that are to be searched, and what the row hides.
#[derive(Clone, Default)]
pub(super) struct RowSearch {
    /// Some column is searched for what the row hides.
    wants_names: bool,
    /// The hidden cell that is being read.
    aside: Vec<u8>,
    /// The texts of the row's hidden cells, and how long they are together.
    hidden: Vec<String>,
    hidden_bytes: usize,
    cells: Vec<Searched>,
}

/// A cell that is to be searched.
#[derive(Clone)]
struct Searched {
    /// Where it is in the row.
    from: usize,
    to: usize,
    shape: Shape,
    column: usize,
    detectors: Arc<Detectors>,
}

impl RowSearch {
    /// A search for the rows under these columns.
    pub(super) fn of(columns: &[Column]) -> Self {
        let wants = |column: &Column| match &column.cells {
            Cells::Search(detectors) => detectors.want_names(),
            Cells::Keep | Cells::Drop | Cells::Constant(_) | Cells::Change(_) => false,
        };
        Self {
            wants_names: columns.iter().any(wants),
            ..Self::default()
        }
    }

    /// A piece of a cell that does not stay.
    pub(super) fn piece(
        &mut self,
        raw: &[u8],
        column: &Column,
        max: usize,
    ) -> Result<(), BodyError> {
        if !self.wants_names || !column.hides {
            return Ok(());
        }
        self.aside.extend_from_slice(raw);
        match self.hidden_bytes.saturating_add(self.aside.len()) > max {
            true => Err(BodyError::Limit {
                limit: "held_bytes",
            }),
            false => Ok(()),
        }
    }

    /// A cell that does not stay has ended.
    pub(super) fn cell_ends(&mut self, shape: Shape) {
        if !self.aside.is_empty() {
            let hidden = text(&self.aside, shape);
            self.aside.clear();
            self.hide(hidden);
        }
    }

    /// How much is held of the row's hidden cells, in bytes.
    pub(super) fn hidden_bytes(&self) -> usize {
        self.hidden_bytes
    }

    /// A hidden cell has this text.
    pub(super) fn hide(&mut self, hidden: String) {
        if self.wants_names {
            self.hidden_bytes = self.hidden_bytes.saturating_add(hidden.len());
            self.hidden.push(hidden);
        }
    }

    /// A cell of the row is to be searched.
    pub(super) fn add(
        &mut self,
        (from, to): (usize, usize),
        shape: Shape,
        column: usize,
        detectors: Arc<Detectors>,
    ) {
        self.cells.push(Searched {
            from,
            to,
            shape,
            column,
            detectors,
        });
    }

    /// Searches the row's cells, and says in which columns something was found.
    ///
    /// # Errors
    /// The row hides more values than can be searched for.
    pub(super) fn finish(
        &mut self,
        row: &mut Vec<u8>,
        pseudonyms: Option<&Pseudonymizer>,
        dialect: Dialect,
    ) -> Result<Vec<usize>, BodyError> {
        let mut found = Vec::new();
        if self.cells.is_empty() && self.hidden.is_empty() {
            return Ok(found);
        }
        let names = Names::of(self.hidden.iter().map(String::as_str));
        let names = names.map_err(|_too_many| BodyError::Limit {
            limit: "held_bytes",
        })?;
        // From the last to the first, so that what is before stays where it is.
        for cell in self.cells.drain(..).rev() {
            let raw = row.get(cell.from..cell.to).unwrap_or_default();
            let before = text(raw, cell.shape);
            let names = names.as_ref().filter(|_| cell.detectors.want_names());
            let search = Search::new(&cell.detectors, names, pseudonyms);
            let after = detect_text(search, &before);
            if *after != *before {
                let written = cell::written_text(&after, dialect);
                row.splice(cell.from..cell.to, written);
                found.push(cell.column);
            }
        }
        self.hidden.clear();
        self.hidden_bytes = 0;
        Ok(found)
    }
}
