//! The filter that a body's format asks for. This is the whole list: there is no registry.

use std::sync::Arc;

use encoding_rs::Encoding;

use crate::body_filter::{BodyError, BodyFilter};
use crate::detect::TextFilter;
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
