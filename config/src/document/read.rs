//! Typed reading of a document tree that reports every error and goes on.
//!
//! Each type that implements [`Read`] describes itself to the JSON Schema too, so that what an editor
//! accepts and what the loader accepts come from one definition.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use super::{Entry, Kind, Node, Place};
use crate::policy::error::Problems;

/// A type that reads itself from a tree; `None` means that a problem was reported.
pub(crate) trait Read: Sized + JsonSchema {
    /// Whether what stands in its place instead may be a secret.
    const IS_SECRET: bool = false;

    fn read(node: &Node, problems: &mut Problems) -> Option<Self>;
}

/// A value with its place.
#[derive(Debug, Clone)]
pub(crate) struct At<T> {
    pub(crate) value: T,
    pub(crate) place: Place,
}

/// A member of a section: absent, or a value with its place and that of its key.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    pub(crate) found: Option<At<T>>,
    /// Where the key is; `None` when the key is not there.
    pub(crate) key_place: Option<Place>,
}

/// A map whose keys the author chooses, in the order of the file.
#[derive(Debug)]
pub(crate) struct Entries<T> {
    pub(crate) read: Vec<(At<String>, T)>,
    /// Keys whose values could not be read: reported already, but not to be taken for absent.
    pub(crate) unread: Vec<At<String>>,
}

/// One value or a list of them.
#[derive(Debug)]
pub(crate) struct OneOrMany<T>(pub(crate) Vec<At<T>>);

/// Where a secret is, or something with such a reference in it. What else stands there may be the secret, and no
/// report shows it.
#[derive(Debug)]
pub(crate) struct Secret<T>(pub(crate) T);

/// Any value, unread.
#[derive(Debug)]
pub(crate) struct Anything;

/// A fixed set of words for the values of a type.
pub(crate) trait Words: Copy + 'static {
    const WORDS: &'static [(&'static str, Self)];
}

/// One of the words of `T`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word<T>(pub(crate) T);

impl<T> Slot<T> {
    pub(crate) fn value(&self) -> Option<&T> {
        self.found.as_ref().map(|at| &at.value)
    }

    /// Whether the key is there, whatever its value.
    pub(crate) const fn is_written(&self) -> bool {
        self.key_place.is_some()
    }
}

impl<T: Read> Slot<T> {
    pub(crate) fn read(entries: &[Entry], key: &str, problems: &mut Problems) -> Self {
        let entry = entries.iter().find(|entry| entry.key == key);
        let found = entry.and_then(|entry| At::read(&entry.value, problems));
        if let (Some(entry), None) = (entry, &found)
            && T::IS_SECRET
        {
            entry.withhold(problems);
        }
        Self {
            found,
            key_place: entry.map(|entry| entry.key_place),
        }
    }
}

impl<T: Read> Read for At<T> {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let value = T::read(node, problems)?;
        let place = node.place;
        Some(Self { value, place })
    }
}

impl Node {
    /// Reports that something else was expected here; nobody judges what a list or a map holds instead.
    pub(crate) fn expected<T>(&self, what: &str, problems: &mut Problems) -> Option<T> {
        let is_bare = matches!(self.kind, Kind::Number(_) | Kind::Bool(_));
        let help = match is_bare && what.contains("text") {
            true => "put it in quotes",
            false => "",
        };
        self.expected_as(what, help, problems)
    }

    /// The same, with what to do instead unless that is empty.
    pub(crate) fn expected_as<T>(
        &self,
        what: &str,
        help: &str,
        problems: &mut Problems,
    ) -> Option<T> {
        let found = self.described();
        let message = format!("expected {what}, found {found}");
        let problem = problems.add("PN005", self.place, message);
        if !help.is_empty() {
            problem.help(help);
        }
        if matches!(self.kind, Kind::List(_) | Kind::Map(_)) {
            self.withhold(problems);
        }
        None
    }
}

impl Read for String {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.kind {
            Kind::Text(text) => Some(text.clone()),
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) | Kind::Map(_) => {
                node.expected("a text", problems)
            }
        }
    }
}

impl Read for bool {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match node.kind {
            Kind::Bool(value) => Some(value),
            Kind::Null | Kind::Text(_) | Kind::Number(_) | Kind::List(_) | Kind::Map(_) => {
                node.expected_as("`true` or `false`", meant(&node.kind), problems)
            }
        }
    }
}

/// What to write for a word that other readers of YAML take for a boolean.
fn meant(kind: &Kind) -> &'static str {
    let Kind::Text(text) = kind else {
        return "";
    };
    match text.to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => "write `true`",
        "false" | "no" | "off" | "n" => "write `false`",
        _ => "",
    }
}

impl Read for u64 {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let number = match &node.kind {
            Kind::Number(number) => number.as_u64(),
            Kind::Null | Kind::Text(_) | Kind::Bool(_) | Kind::List(_) | Kind::Map(_) => None,
        };
        number.or_else(|| node.expected("a whole number, 0 or more", problems))
    }
}

impl<T: Read> Read for Secret<T> {
    const IS_SECRET: bool = true;

    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let read = T::read(node, problems).map(Self);
        if read.is_none() {
            node.withhold(problems);
        }
        read
    }
}

impl Read for Anything {
    fn read(_node: &Node, _problems: &mut Problems) -> Option<Self> {
        Some(Self)
    }
}

impl<T: Read> Read for Vec<At<T>> {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.kind {
            Kind::List(items) => Some(
                items
                    .iter()
                    .filter_map(|item| At::read(item, problems))
                    .collect(),
            ),
            Kind::Null | Kind::Text(_) | Kind::Bool(_) | Kind::Number(_) | Kind::Map(_) => {
                node.expected("a list", problems)
            }
        }
    }
}

impl<T: Read> Read for OneOrMany<T> {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        match &node.kind {
            Kind::List(items) if items.is_empty() => {
                node.expected("at least one value, in this list", problems)
            }
            Kind::List(_) => Read::read(node, problems).map(Self),
            Kind::Null | Kind::Text(_) | Kind::Bool(_) | Kind::Number(_) | Kind::Map(_) => {
                At::read(node, problems).map(|only| Self(vec![only]))
            }
        }
    }
}

impl<T: Read> Read for Entries<T> {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let Kind::Map(entries) = &node.kind else {
            return node.expected("a map", problems);
        };
        let (mut read, mut unread) = (Vec::new(), Vec::new());
        for entry in entries {
            let key = At {
                value: entry.key.clone(),
                place: entry.key_place,
            };
            match T::read(&entry.value, problems) {
                Some(value) => read.push((key, value)),
                None => unread.push(key),
            }
        }
        Some(Self { read, unread })
    }
}

impl<T: Words> Read for Word<T> {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let words = || T::WORDS.iter().map(|(word, _)| *word);
        let Kind::Text(text) = &node.kind else {
            let list = words().map(|word| format!("`{word}`")).collect::<Vec<_>>();
            return node.expected(&list.join(" or "), problems);
        };
        let found = T::WORDS.iter().find(|(word, _)| word == text);
        if found.is_none() {
            let message = format!("`{text}` is not known here");
            problems
                .add("PN006", node.place, message)
                .choose_from(text, words());
        }
        found.map(|(_, value)| Self(*value))
    }
}

/// Implements [`JsonSchema`] inline: the schema of the type that a wrapper wraps.
macro_rules! schema_of {
    ([$($generics:tt)*] $name:ty, $generator:ident => $schema:expr) => {
        impl<$($generics)*> JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema($generator: &mut SchemaGenerator) -> Schema {
                $schema
            }
        }
    };
}

schema_of!([T: JsonSchema] At<T>, generator => T::json_schema(generator));
schema_of!([T: JsonSchema] Slot<T>, generator => generator.subschema_for::<T>());
schema_of!([T: JsonSchema] Secret<T>, generator => generator.subschema_for::<T>());
schema_of!([T: JsonSchema] Entries<T>, generator => {
    let values = generator.subschema_for::<T>();
    json_schema!({ "type": "object", "additionalProperties": values })
});
schema_of!([T: JsonSchema] OneOrMany<T>, generator => {
    let one = generator.subschema_for::<T>();
    json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
});
schema_of!([] Anything, _generator => json_schema!(true));
schema_of!([T: Words] Word<T>, _generator => {
    let words: Vec<&str> = T::WORDS.iter().map(|(word, _)| *word).collect();
    json_schema!({ "type": "string", "enum": words })
});
