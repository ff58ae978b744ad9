//! The bounds, `gates.toml`: read, compared and written.

use std::path::PathBuf;

use serde::Deserialize;

use crate::rows::Row;

/// What a bound leaves above the count it was made from.
const SLACK: f64 = 1.02;

/// What the file says first.
const HEAD: &str = "\
# Instructions per byte of input that no row may exceed: the count on the day it was written and 2 %.
# `goal` is what the engine is meant to reach. Counted and compared by `./dev test`; after a change that
# is worth its cost, `cargo bench -p postern-benches --bench instructions -- write` makes new bounds.
";

/// Every bound.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gates {
    #[serde(default)]
    gate: Vec<Gate>,
}

/// The bound of one row.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Gate {
    row: String,
    /// Instructions per byte of input.
    pub(crate) bound: f64,
    /// What the row is meant to reach, where a goal was set.
    pub(crate) goal: Option<f64>,
}

impl Gates {
    fn path() -> PathBuf {
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("instructions/gates.toml")
    }

    /// Reads the file.
    pub(crate) fn read() -> Result<Self, String> {
        let path = Self::path();
        let text = std::fs::read_to_string(&path)
            .map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
        toml::from_str(&text).map_err(|error| error.to_string())
    }

    /// The bound of a row.
    pub(crate) fn of(&self, row: &str) -> Option<&Gate> {
        self.gate.iter().find(|gate| gate.row == row)
    }

    /// A bound that is for none of these rows.
    pub(crate) fn without_row(&self, rows: &[Row]) -> Option<&str> {
        let stale = |gate: &&Gate| rows.iter().all(|row| row.name != gate.row);
        self.gate.iter().find(stale).map(|gate| gate.row.as_str())
    }

    /// Drops the bounds that are for none of these rows.
    pub(crate) fn keep_only(&mut self, rows: &[Row]) {
        self.gate
            .retain(|gate| rows.iter().any(|row| row.name == gate.row));
    }

    /// Makes a count the bound of its row.
    pub(crate) fn set(&mut self, row: &str, count: f64) {
        let bound = (count * SLACK * 1000.0).ceil() / 1000.0;
        match self.gate.iter_mut().find(|gate| gate.row == row) {
            Some(gate) => gate.bound = bound,
            None => self.gate.push(Gate {
                row: row.to_owned(),
                bound,
                goal: None,
            }),
        }
    }

    /// Writes the file.
    pub(crate) fn write(&self) -> Result<(), String> {
        let mut text = HEAD.to_owned();
        for gate in &self.gate {
            text.push_str(&format!(
                "\n[[gate]]\nrow = \"{}\"\nbound = {:.3}\n",
                gate.row, gate.bound
            ));
            if let Some(goal) = gate.goal {
                text.push_str(&format!("goal = {goal:.2}\n"));
            }
        }
        std::fs::write(Self::path(), text).map_err(|error| error.to_string())
    }
}
