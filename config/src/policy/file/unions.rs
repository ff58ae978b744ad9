//! Places of the policy file that take one of several forms.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::document::read::{At, Entries, OneOrMany, Read, Word, Words};
use crate::document::section::section;
use crate::document::{Kind, Node};
use crate::labels::Embedded;
use crate::policy::error::Problems;

/// What a label is about: a text, or a text and further parents.
#[derive(Debug)]
pub(crate) struct LabelFile {
    pub(crate) about: String,
    pub(crate) parents: Vec<At<String>>,
    pub(crate) embedded: Option<Embedded>,
}

section! {
    /// A label with further parents.
    LabelLong, required: ["about"] {
        /// What the label is about.
        about: "about" => String,
        /// Labels that cover this one besides its dotted prefixes.
        parents: "parents" => Vec<At<String>>,
        /// A string of this label holds a document: `json`, or `base64` of JSON.
        embedded: "embedded" => Word<Embedded>,
    }
}

/// `deny`, or the content types that pass.
#[derive(Debug)]
pub(crate) enum UnreadableFile {
    Deny,
    Allow(Vec<At<String>>),
}

section! {
    /// The content types that pass unread.
    UnreadableLong, required: ["allow"] {
        /// Exact types in lower case, without parameters.
        allow: "allow" => Vec<At<String>>,
    }
}

/// Roles of an identity: one text, or roles by pattern.
#[derive(Debug)]
pub(crate) enum RolesFile {
    Text(String),
    ByPattern(Entries<OneOrMany<String>>),
}

impl Read for LabelFile {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.kind {
            Kind::Text(about) => Some(Self {
                about: about.clone(),
                parents: Vec::new(),
                embedded: None,
            }),
            Kind::Map(_) => {
                let long = LabelLong::read(node, problems)?;
                let embedded = long.embedded.word();
                let found = long.parents.found.map(|at| at.value);
                Some(Self {
                    embedded,
                    about: long.about.value().cloned().unwrap_or_default(),
                    parents: found.unwrap_or_default(),
                })
            }
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) => node.expected(
                "a text that says what the label is about, or `{ about, parents, embedded }`",
                problems,
            ),
        }
    }
}

impl Words for Embedded {
    const WORDS: &'static [(&'static str, Self)] =
        &[("json", Self::Json), ("base64", Self::Base64)];
}

impl Read for UnreadableFile {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.kind {
            Kind::Text(text) if text == "deny" => Some(Self::Deny),
            Kind::Map(_) => {
                let long = UnreadableLong::read(node, problems)?;
                long.allow.found.map(|at| Self::Allow(at.value))
            }
            Kind::Text(_) | Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) => {
                node.expected("`deny` or `{ allow: [image/png] }`", problems)
            }
        }
    }
}

impl Read for RolesFile {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.kind {
            Kind::Text(text) => Some(Self::Text(text.clone())),
            Kind::Map(_) => Read::read(node, problems).map(Self::ByPattern),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) => {
                node.expected("a text, or a map from patterns to roles", problems)
            }
        }
    }
}

impl JsonSchema for LabelFile {
    fn schema_name() -> Cow<'static, str> {
        "Label".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let long = generator.subschema_for::<LabelLong>();
        json_schema!({ "anyOf": [{ "type": "string" }, long] })
    }
}

impl JsonSchema for UnreadableFile {
    fn schema_name() -> Cow<'static, str> {
        "Unreadable".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let long = generator.subschema_for::<UnreadableLong>();
        json_schema!({ "anyOf": [{ "const": "deny" }, long] })
    }
}

impl JsonSchema for RolesFile {
    fn schema_name() -> Cow<'static, str> {
        "IdentityRoles".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let map = generator.subschema_for::<Entries<OneOrMany<String>>>();
        json_schema!({ "anyOf": [{ "type": "string" }, map] })
    }
}
