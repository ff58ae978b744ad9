//! `params` of a route: what a query parameter asks about, as it is written.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::document::read::{At, Entries, OneOrMany, Read, Word, Words};
use crate::document::section::section;
use crate::document::{Kind, Node};
use crate::params::{BodyMeaning, Language};
use crate::policy::error::Problems;

/// Labels, or how the parameter names fields and which.
#[derive(Debug)]
pub(crate) enum ParamFile {
    Labels(OneOrMany<String>),
    Long(Box<ParamLong>),
}

section! {
    /// A parameter that names fields, or may ask about anything.
    ParamLong, required: ["asks"] {
        /// How the parameter names fields; `anything` when nobody can tell.
        asks: "asks" => Word<AsksWord>,
        /// The fields that may be named: dotted paths, as they are in the answer.
        of: "of" => Vec<At<String>>,
        /// Fields that the application calls otherwise, each with its labels.
        labelled: "labelled" => Entries<OneOrMany<String>>,
    }
}

/// The words of `asks`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AsksWord {
    Fields(Language),
    Anything,
}

impl Words for AsksWord {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("sort", Self::Fields(Language::Sort)),
        ("fields", Self::Fields(Language::Fields)),
        ("filter", Self::Fields(Language::Filter)),
        ("odata", Self::Fields(Language::Odata)),
        ("postgrest", Self::Fields(Language::Postgrest)),
        ("anything", Self::Anything),
    ];
}

impl Words for BodyMeaning {
    const WORDS: &'static [(&'static str, Self)] =
        &[("write", Self::Write), ("query", Self::Query)];
}

impl Read for ParamFile {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.kind {
            Kind::Text(_) | Kind::List(_) => Read::read(node, problems).map(Self::Labels),
            Kind::Map(_) => Read::read(node, problems).map(|long| Self::Long(Box::new(long))),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) => node.expected(
                "a text with a label, a list of labels, or `{ asks, of }`",
                problems,
            ),
        }
    }
}

impl JsonSchema for ParamFile {
    fn schema_name() -> Cow<'static, str> {
        "Param".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let labels = generator.subschema_for::<OneOrMany<String>>();
        let long = generator.subschema_for::<ParamLong>();
        json_schema!({ "anyOf": [labels, long] })
    }
}
