//! A format of a route's answers: a word, or a word with its options.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::document::read::{At, OneOrMany, Read, Slot, Word, Words};
use crate::document::section::{Section, section};
use crate::document::{Kind, Node};
use crate::formats::FormatKind;
use crate::policy::error::Problems;

/// A format that the language knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// One that is enforced.
    Known(FormatKind),
    /// One that is not enforced yet, by its word.
    Later(&'static str),
}

impl Words for Format {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("json", Self::Known(FormatKind::Json)),
        ("ndjson", Self::Known(FormatKind::Ndjson)),
        ("json-seq", Self::Known(FormatKind::JsonSeq)),
        ("csv", Self::Known(FormatKind::Csv)),
        ("tsv", Self::Known(FormatKind::Tsv)),
        ("xml", Self::Later("xml")),
        ("html", Self::Later("html")),
        ("text", Self::Later("text")),
    ];
}

/// A format with its options.
#[derive(Debug)]
pub(crate) struct FormatFile {
    pub(crate) format: Format,
    pub(crate) types: Vec<At<String>>,
    pub(crate) delimiter: Option<At<String>>,
    pub(crate) encoding: Option<At<String>>,
}

section! {
    /// One format with its options.
    FormatLong, required: [] {
        /// One JSON document.
        json: "json" => TextOptions,
        /// One JSON text a line.
        ndjson: "ndjson" => TextOptions,
        /// JSON text sequences (RFC 7464).
        json_seq: "json-seq" => TextOptions,
        /// Comma-separated values with a header row.
        csv: "csv" => CsvOptions,
        /// Tab-separated values with a header row.
        tsv: "tsv" => TsvOptions,
    }
}

section! {
    /// The options of a format that is always UTF-8.
    TextOptions, required: [] {
        /// Further content types of this format.
        types: "types" => OneOrMany<String>,
    }
}

section! {
    /// The options of CSV.
    CsvOptions, required: [] {
        /// What stands between two cells; a comma by default.
        delimiter: "delimiter" => String,
        /// The character encoding of an answer that names none; UTF-8 by default.
        encoding: "encoding" => String,
        /// Further content types of this format.
        types: "types" => OneOrMany<String>,
    }
}

section! {
    /// The options of TSV.
    TsvOptions, required: [] {
        /// The character encoding of an answer that names none; UTF-8 by default.
        encoding: "encoding" => String,
        /// Further content types of this format.
        types: "types" => OneOrMany<String>,
    }
}

impl FormatFile {
    fn plain(format: Format) -> Self {
        Self {
            format,
            types: Vec::new(),
            delimiter: None,
            encoding: None,
        }
    }

    fn with_types(kind: FormatKind, types: &Slot<OneOrMany<String>>) -> Self {
        let types = types.value().map(|OneOrMany(types)| types.as_slice());
        Self {
            types: types.unwrap_or_default().to_vec(),
            ..Self::plain(Format::Known(kind))
        }
    }

    fn of_long(long: &FormatLong) -> Option<Self> {
        let texts = [
            (FormatKind::Json, &long.json),
            (FormatKind::Ndjson, &long.ndjson),
            (FormatKind::JsonSeq, &long.json_seq),
        ];
        for (kind, slot) in texts {
            if let Some(options) = slot.value() {
                return Some(Self::with_types(kind, &options.types));
            }
        }
        if let Some(options) = long.csv.value() {
            return Some(Self {
                delimiter: options.delimiter.found.clone(),
                encoding: options.encoding.found.clone(),
                ..Self::with_types(FormatKind::Csv, &options.types)
            });
        }
        let options = long.tsv.value()?;
        Some(Self {
            encoding: options.encoding.found.clone(),
            ..Self::with_types(FormatKind::Tsv, &options.types)
        })
    }
}

impl Read for FormatFile {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.kind {
            Kind::Map(entries) if entries.len() == 1 => {
                let long = FormatLong::read(node, problems)?;
                if long.written().is_empty() {
                    return None;
                }
                Self::of_long(&long)
            }
            Kind::Map(_) => node.expected("one format with its options", problems),
            Kind::Text(_) | Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) => {
                let word: Word<Format> = Read::read(node, problems)?;
                Some(Self::plain(word.0))
            }
        }
    }
}

impl JsonSchema for FormatFile {
    fn schema_name() -> Cow<'static, str> {
        "Format".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let word = generator.subschema_for::<Word<Format>>();
        let long = generator.subschema_for::<FormatLong>();
        json_schema!({ "anyOf": [word, long] })
    }
}
