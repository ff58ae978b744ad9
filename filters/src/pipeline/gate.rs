//! Where a decoded body waits until its records are admitted, and loses those that are not.
//!
//! ```text
//! decoded ──▶ [ raw ] ──▶ counting filter ──▶ [ counted ] ── admitted ──▶ redacting filter
//!                              ▲    │
//!                    checkpoint└────┘   when less is admitted: `raw` is read again, and cut
//! ```
//!
//! Guarantees: what goes on is a valid document at every cut, the same as if the upstream had sent none
//! of the records that were cut. What waits is bounded by `held_bytes_max` beyond one chunk.

use std::sync::Arc;

use crate::body_filter::{BodyError, BodyFilter};
use crate::export_meter::{Admitted, Due, Tally};
use crate::json::JsonFilter;
use crate::lines::LinesFilter;
use crate::pipeline::format::{BodyFormat, Counting};
use crate::table::TableFilter;
use crate::transcoding::Transcoder;

/// See the module.
pub(super) struct Gate {
    transcoder: Option<Transcoder>,
    stage: Stage,
    /// The stage before the first byte of `raw`; none once something was cut.
    checkpoint: Option<Stage>,
    raw: Vec<u8>,
    counted: Vec<u8>,
    ended: bool,
}

/// What counts, and cuts.
#[derive(Clone)]
enum Stage {
    Json(Box<JsonFilter>),
    Lines(Box<LinesFilter>),
    Table(Box<TableFilter>),
}

impl Stage {
    fn new(format: &BodyFormat, counting: Counting) -> Option<Self> {
        let Counting { plan, tally } = counting;
        Some(match format {
            BodyFormat::Json => Self::Json(Box::new(JsonFilter::new(plan).counting(tally))),
            BodyFormat::Lines(format) => {
                let filter = LinesFilter::new(*format, plan);
                Self::Lines(Box::new(filter.counting(tally)))
            }
            BodyFormat::Table { dialect, .. } => {
                let filter = TableFilter::new(Arc::clone(&plan), *dialect, Arc::default());
                Self::Table(Box::new(filter.counted(plan, tally)))
            }
            BodyFormat::Text(_) => return None,
        })
    }

    fn filter(&mut self) -> &mut dyn BodyFilter {
        match self {
            Self::Json(filter) => &mut **filter,
            Self::Lines(filter) => &mut **filter,
            Self::Table(filter) => &mut **filter,
        }
    }

    fn tally(&mut self) -> Option<&mut Tally> {
        match self {
            Self::Json(filter) => filter.tally(),
            Self::Lines(filter) => filter.tally(),
            Self::Table(filter) => filter.tally(),
        }
    }

    fn drain_into(&mut self, due: &mut Due) {
        match self {
            Self::Json(filter) => filter.drain_into(due),
            Self::Lines(filter) => filter.drain_into(due),
            Self::Table(filter) => filter.drain_into(due),
        }
    }
}

impl Gate {
    /// A gate before the first byte of a body, and the format of what goes on; none when the format has
    /// no records.
    pub(super) fn new(format: BodyFormat, counting: Counting) -> Option<(Self, BodyFormat)> {
        let stage = Stage::new(&format, counting)?;
        let mut encoding = None;
        let format = match format {
            BodyFormat::Table {
                dialect,
                columns,
                encoding: declared,
            } => {
                encoding = declared;
                BodyFormat::Table {
                    dialect,
                    columns,
                    encoding: None,
                }
            }
            BodyFormat::Json | BodyFormat::Lines(_) | BodyFormat::Text(_) => format,
        };
        let gate = Self {
            transcoder: encoding.map(Transcoder::new),
            checkpoint: Some(stage.clone()),
            stage,
            raw: Vec::new(),
            counted: Vec::new(),
            ended: false,
        };
        Some((gate, format))
    }

    /// Reads the next bytes.
    ///
    /// # Errors
    /// They cannot be read.
    pub(super) fn push(&mut self, decoded: &[u8]) -> Result<(), BodyError> {
        let Some(mut transcoder) = self.transcoder.take() else {
            return self.read(decoded);
        };
        transcoder.push(decoded, &mut |text| self.read(text))?;
        self.transcoder = Some(transcoder);
        Ok(())
    }

    fn read(&mut self, text: &[u8]) -> Result<(), BodyError> {
        if self.checkpoint.is_some() {
            self.raw.extend_from_slice(text);
        }
        self.stage.filter().push(text, &mut self.counted)
    }

    /// The body has ended.
    ///
    /// # Errors
    /// It is incomplete, or lacks what the policy requires.
    pub(super) fn finish(&mut self) -> Result<(), BodyError> {
        if let Some(mut transcoder) = self.transcoder.take() {
            transcoder.finish(&mut |text| self.read(text))?;
        }
        self.ended = true;
        self.stage.filter().finish(&mut self.counted)
    }

    /// Adds what is due to `due`.
    pub(super) fn drain_into(&mut self, due: &mut Due) {
        self.stage.drain_into(due);
    }

    /// Lets what was admitted go on to `next`. Says whether the body has ended.
    ///
    /// # Errors
    /// `next` refuses it.
    pub(super) fn admit(
        &mut self,
        admitted: Admitted,
        mut next: impl FnMut(&[u8]) -> Result<(), BodyError>,
    ) -> Result<bool, BodyError> {
        match (admitted, self.checkpoint.take()) {
            // After a cut no record is left that could be due.
            (_, None) => {
                if let Some(tally) = self.stage.tally() {
                    tally.released();
                }
            }
            (Admitted::All, Some(_)) => {
                if let Some(tally) = self.stage.tally() {
                    tally.released();
                }
                if !self.ended {
                    self.checkpoint = Some(self.stage.clone());
                }
            }
            (Admitted::Records(records), Some(mut stage)) => {
                if let Some(tally) = stage.tally() {
                    tally.read_again(records);
                }
                self.counted.clear();
                stage.filter().push(&self.raw, &mut self.counted)?;
                if self.ended {
                    stage.filter().finish(&mut self.counted)?;
                }
                if let Some(tally) = stage.tally() {
                    tally.go_on();
                }
                self.stage = stage;
            }
        }
        self.raw.clear();
        next(&self.counted)?;
        self.counted.clear();
        Ok(self.ended)
    }

    /// How many records were removed.
    pub(super) fn cut_records(&mut self) -> u64 {
        self.stage.tally().map_or(0, |tally| tally.cut_records())
    }
}
