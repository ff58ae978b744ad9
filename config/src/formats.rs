//! Formats: in which forms the answers of a route may come, and by which content types each is known.
//!
//! Guarantees: no two formats share a content type of their own, so that a declared format never has
//! to be guessed from the bytes. It reads no body.

use encoding_rs::Encoding;

/// One format that a route's answers may have.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct RouteFormat {
    /// Which one.
    pub kind: FormatKind,
    /// Content types besides the format's own, lower case and without parameters.
    pub types: Vec<String>,
    /// What stands between two cells of a table.
    pub delimiter: u8,
    /// The character encoding of a table that does not name one, when it is not UTF-8.
    pub encoding: Option<&'static Encoding>,
}

/// A format that can be redacted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FormatKind {
    /// One JSON document (RFC 8259).
    Json,
    /// One JSON text a line.
    Ndjson,
    /// JSON text sequences (RFC 7464).
    JsonSeq,
    /// Comma-separated values (RFC 4180) with a header row.
    Csv,
    /// Tab-separated values with a header row.
    Tsv,
}

impl FormatKind {
    /// The word for it in a policy.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Json => "json",
            Self::Ndjson => "ndjson",
            Self::JsonSeq => "json-seq",
            Self::Csv => "csv",
            Self::Tsv => "tsv",
        }
    }

    /// The content type by which it is asked for.
    #[must_use]
    pub const fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Ndjson => "application/x-ndjson",
            Self::JsonSeq => "application/json-seq",
            Self::Csv => "text/csv",
            Self::Tsv => "text/tab-separated-values",
        }
    }

    /// Whether a content type (lower case, without parameters) is one of its own. The suffixes
    /// `+json` (RFC 6839) and `+json-seq` (RFC 8091) count.
    #[must_use]
    pub fn claims(self, essence: &str) -> bool {
        let with_suffix = |suffix: &str| {
            essence
                .split_once('/')
                .and_then(|(_, subtype)| subtype.strip_suffix(suffix))
                .is_some_and(|name| !name.is_empty())
        };
        match self {
            Self::Json => essence == "application/json" || with_suffix("+json"),
            Self::Ndjson => matches!(
                essence,
                "application/x-ndjson"
                    | "application/ndjson"
                    | "application/jsonl"
                    | "application/x-jsonlines"
            ),
            Self::JsonSeq => essence == "application/json-seq" || with_suffix("+json-seq"),
            Self::Csv => essence == "text/csv",
            Self::Tsv => essence == "text/tab-separated-values",
        }
    }

    /// Whether it is a table: rows of cells under a header.
    #[must_use]
    pub const fn is_table(self) -> bool {
        matches!(self, Self::Csv | Self::Tsv)
    }

    /// Whether it comes as many parts, which selectors see as the elements of `$`.
    #[must_use]
    pub const fn is_sequence(self) -> bool {
        !matches!(self, Self::Json)
    }

    /// Every format.
    pub const ALL: [Self; 5] = [
        Self::Json,
        Self::Ndjson,
        Self::JsonSeq,
        Self::Csv,
        Self::Tsv,
    ];
}

impl RouteFormat {
    /// A format as it is without options.
    #[must_use]
    pub const fn plain(kind: FormatKind) -> Self {
        Self {
            kind,
            types: Vec::new(),
            delimiter: match kind {
                FormatKind::Tsv => b'\t',
                FormatKind::Json | FormatKind::Ndjson | FormatKind::JsonSeq | FormatKind::Csv => {
                    b','
                }
            },
            encoding: None,
        }
    }

    /// Whether a content type (lower case, without parameters) is of this format here.
    #[must_use]
    pub fn claims(&self, essence: &str) -> bool {
        self.kind.claims(essence) || self.types.iter().any(|other| other == essence)
    }
}
