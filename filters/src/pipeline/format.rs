//! The filter that a body's format asks for. This is the whole list: there is no registry.

use std::sync::Arc;

use encoding_rs::Encoding;

use crate::body_filter::{BodyError, BodyFilter};
use crate::detect::TextFilter;
use crate::export_meter::{Due, Tally};
use crate::json::{JsonFilter, JsonPlan, LabelId};
use crate::lines::{LineFormat, LinesFilter};
use crate::table::{ColumnLabels, Dialect, TableFilter};
use crate::transcoding::Transcoder;

/// The format of one body.
#[derive(Debug, Clone)]
pub(crate) enum BodyFormat {
    /// One JSON document.
    Json,
    /// Many JSON texts.
    Lines(LineFormat),
    /// A table.
    Table {
        /// How its cells are written.
        dialect: Dialect,
        /// The labels of its columns by their header text.
        columns: ColumnLabels,
        /// Its encoding, when it is not UTF-8.
        encoding: Option<&'static Encoding>,
    },
    /// One free text with this label.
    Text(LabelId),
}

/// How a body is counted.
pub(crate) struct Counting {
    /// Where records and data subjects are.
    pub(crate) plan: Arc<JsonPlan>,
    /// The account.
    pub(crate) tally: Tally,
}

impl Counting {
    /// Whether records may be cut.
    pub(crate) fn truncates(&self) -> bool {
        self.tally.truncates()
    }
}

/// What a decoded body goes through.
pub(super) struct FormatFilter {
    transcoder: Option<Transcoder>,
    filter: Filter,
}

enum Filter {
    Json(JsonFilter),
    Lines(LinesFilter),
    Table(TableFilter),
    Text(TextFilter),
}

impl FormatFilter {
    /// A filter before the first byte of a body.
    pub(super) fn new(format: BodyFormat, plan: Arc<JsonPlan>) -> Self {
        let (filter, encoding) = match format {
            BodyFormat::Json => (Filter::Json(JsonFilter::new(plan)), None),
            BodyFormat::Lines(format) => (Filter::Lines(LinesFilter::new(format, plan)), None),
            BodyFormat::Table {
                dialect,
                columns,
                encoding,
            } => {
                let filter = TableFilter::new(plan, dialect, columns);
                (Filter::Table(filter), encoding)
            }
            BodyFormat::Text(label) => (Filter::Text(TextFilter::new(plan, label)), None),
        };
        Self {
            transcoder: encoding.map(Transcoder::new),
            filter,
        }
    }

    /// The same, which counts what it reads as well.
    pub(super) fn counted(self, counting: Counting) -> Self {
        let Counting { plan, tally } = counting;
        let filter = match self.filter {
            Filter::Json(filter) => Filter::Json(filter.counted(plan, tally)),
            Filter::Lines(filter) => Filter::Lines(filter.counted(plan, tally)),
            Filter::Table(filter) => Filter::Table(filter.counted(plan, tally)),
            // INVARIANT: text without a structure only comes from offline commands, which count nothing.
            Filter::Text(filter) => Filter::Text(filter),
        };
        Self { filter, ..self }
    }

    /// What is counted; none when nothing is.
    pub(super) fn tally(&mut self) -> Option<&mut Tally> {
        match &mut self.filter {
            Filter::Json(filter) => filter.tally(),
            Filter::Lines(filter) => filter.tally(),
            Filter::Table(filter) => filter.tally(),
            Filter::Text(_) => None,
        }
    }

    /// Adds what is due to `due`.
    pub(super) fn drain_into(&mut self, due: &mut Due) {
        match &mut self.filter {
            Filter::Json(filter) => filter.drain_into(due),
            Filter::Lines(filter) => filter.drain_into(due),
            Filter::Table(filter) => filter.drain_into(due),
            Filter::Text(_) => {}
        }
    }

    /// How many values were withheld so far, by label.
    pub(super) fn withheld(&self) -> &[u64] {
        match &self.filter {
            Filter::Json(filter) => filter.withheld(),
            Filter::Lines(filter) => filter.withheld(),
            Filter::Table(filter) => filter.withheld(),
            Filter::Text(filter) => filter.withheld(),
        }
    }
}

impl Filter {
    fn inner(&mut self) -> &mut dyn BodyFilter {
        match self {
            Self::Json(filter) => filter,
            Self::Lines(filter) => filter,
            Self::Table(filter) => filter,
            Self::Text(filter) => filter,
        }
    }
}

impl BodyFilter for FormatFilter {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        let filter = self.filter.inner();
        match &mut self.transcoder {
            Some(transcoder) => transcoder.push(chunk, &mut |text| filter.push(text, out)),
            None => filter.push(chunk, out),
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        let filter = self.filter.inner();
        if let Some(transcoder) = &mut self.transcoder {
            transcoder.finish(&mut |text| filter.push(text, out))?;
        }
        filter.finish(out)
    }
}
