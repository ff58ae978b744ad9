//! The `detect` section as it is written.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::detect::Detector;
use crate::document::read::{At, OneOrMany, Read, Word, Words};
use crate::document::section::section;
use crate::document::{Kind, Node};
use crate::policy::error::Problems;
use crate::policy::file::ActionFile;

section! {
    /// What is searched for in free text, and what happens to it.
    DetectFile, required: ["find", "then"] {
        /// The kinds of data and the patterns that are searched for.
        find: "find" => OneOrMany<SoughtFile>,
        /// What happens to each piece of text that is found.
        then: "then" => At<ActionFile>,
    }
}

section! {
    /// A pattern of the policy author's own.
    PatternFile, required: ["pattern"] {
        /// A regular expression in the syntax of the `regex` crate; what it finds has an end.
        pattern: "pattern" => String,
    }
}

/// One thing that is searched for.
#[derive(Debug)]
pub(crate) enum SoughtFile {
    Kind(Detector),
    Pattern(PatternFile),
}

impl Read for SoughtFile {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.kind {
            Kind::Text(_) => {
                let word: Option<Word<Detector>> = Read::read(node, problems);
                word.map(|word| Self::Kind(word.0))
            }
            Kind::Map(_) => Read::read(node, problems).map(Self::Pattern),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) => node.expected(
                "a kind of data such as `email`, or `{ pattern: 'MRN-[0-9]{7}' }`",
                problems,
            ),
        }
    }
}

impl JsonSchema for SoughtFile {
    fn schema_name() -> Cow<'static, str> {
        "Sought".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let kind = generator.subschema_for::<Word<Detector>>();
        let pattern = generator.subschema_for::<PatternFile>();
        json_schema!({ "anyOf": [kind, pattern] })
    }
}

impl Words for Detector {
    const WORDS: &'static [(&'static str, Self)] = &[
        (Self::Email.word(), Self::Email),
        (Self::Phone.word(), Self::Phone),
        (Self::Card.word(), Self::Card),
        (Self::Iban.word(), Self::Iban),
        (Self::UsSsn.word(), Self::UsSsn),
        (Self::Secret.word(), Self::Secret),
        (Self::Ip.word(), Self::Ip),
        (Self::NamesInThisResponse.word(), Self::NamesInThisResponse),
    ];
}
