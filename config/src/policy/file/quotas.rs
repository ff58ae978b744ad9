//! The `quotas` section as it is written.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::document::read::{At, Entries, Read, Word, Words};
use crate::document::section::section;
use crate::document::{Kind, Node};
use crate::policy::error::Problems;
use crate::quota::{IfStoreIsDown, OnExceed, Per, Unit};
use crate::units::DurationText;

section! {
    /// A cap on what may leave within a sliding window.
    QuotaFile, required: ["unit", "per", "window", "limit"] {
        /// What is counted.
        unit: "unit" => Word<Unit>,
        /// Who shares one count.
        per: "per" => Word<Per>,
        /// How long the window is: whole seconds, from `1s` to `31d`.
        window: "window" => DurationText,
        /// How much, by role; `"*"` is for every role without an entry of its own or of one it extends.
        limit: "limit" => Entries<At<LimitFile>>,
        /// The share of the limit at which a warning is raised, such as `80%`.
        warn_at: "warn_at" => Percent,
        /// What happens past the limit; `deny` by default.
        on_exceed: "on_exceed" => Word<OnExceed>,
        /// What happens while nobody can count; `deny` by default.
        if_store_is_down: "if_store_is_down" => Word<IfStoreIsDown>,
    }
}

/// How much: a number of units, or of bytes a size.
#[derive(Debug)]
pub(crate) enum LimitFile {
    Number(u64),
    Size(String),
}

/// A whole number and `%`; its range is not judged here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Percent(pub(crate) u64);

impl Read for LimitFile {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let read = match &node.kind {
            Kind::Number(number) => number.as_u64().map(Self::Number),
            Kind::Text(text) => Some(Self::Size(text.clone())),
            Kind::Null | Kind::Bool(_) | Kind::List(_) | Kind::Map(_) => None,
        };
        let expected = "a whole number, 0 or more, or of bytes a size such as `10MiB`";
        read.or_else(|| node.expected(expected, problems))
    }
}

impl Read for Percent {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let digits = match &node.kind {
            Kind::Text(text) => text.strip_suffix('%'),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) | Kind::Map(_) => None,
        };
        let is_plain = |digits: &&str| {
            (1..=3).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit())
        };
        let number = digits
            .filter(is_plain)
            .and_then(|digits| digits.parse().ok());
        let read = number.map(Self);
        read.or_else(|| node.expected("a share of the limit such as `80%`", problems))
    }
}

impl Words for Unit {
    const WORDS: &'static [(&'static str, Self)] = &[
        (Self::Records.word(), Self::Records),
        (Self::Subjects.word(), Self::Subjects),
        (Self::Bytes.word(), Self::Bytes),
        (Self::Requests.word(), Self::Requests),
    ];
}

impl Words for Per {
    const WORDS: &'static [(&'static str, Self)] = &[
        (Self::Identity.word(), Self::Identity),
        (Self::Session.word(), Self::Session),
        (Self::Tenant.word(), Self::Tenant),
        (Self::Role.word(), Self::Role),
    ];
}

impl Words for OnExceed {
    const WORDS: &'static [(&'static str, Self)] = &[
        (Self::Deny.word(), Self::Deny),
        (Self::Truncate.word(), Self::Truncate),
        (Self::StepUp.word(), Self::StepUp),
        (Self::Alert.word(), Self::Alert),
    ];
}

impl Words for IfStoreIsDown {
    const WORDS: &'static [(&'static str, Self)] = &[
        (Self::Deny.word(), Self::Deny),
        (Self::LocalShare.word(), Self::LocalShare),
    ];
}

impl JsonSchema for LimitFile {
    fn schema_name() -> Cow<'static, str> {
        "QuotaLimit".into()
    }
    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [{ "type": "integer", "minimum": 0 }, { "type": "string" }] })
    }
}

impl JsonSchema for Percent {
    fn schema_name() -> Cow<'static, str> {
        "Percent".into()
    }
    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "pattern": "^[0-9]{1,3}%$" })
    }
}
