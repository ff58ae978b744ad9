//! One definition for a section of a file: its keys, which of them are required, their types, and
//! what each is about. From it come the reader and the JSON Schema.

use super::{Entry, Kind, Node, Place};
use crate::policy::error::Problems;

/// Defines a struct that mirrors a section of a file, with its reader and its schema.
///
/// A key that is not listed is an error, with the nearest listed one as a suggestion.
macro_rules! section {
    (
        $(#[$about:meta])*
        $name:ident, required: $required:tt {
            $( $(#[$key_about:meta])* $field:ident: $key:literal => $value:ty, )*
        }
    ) => {
        $(#[$about])*
        #[derive(Debug, schemars::JsonSchema)]
        #[schemars(deny_unknown_fields, extend("required" = $required))]
        pub(crate) struct $name {
            #[schemars(skip)]
            place: $crate::document::Place,
            $(
                $(#[$key_about])*
                #[schemars(rename = $key)]
                pub(crate) $field: $crate::document::read::Slot<$value>,
            )*
        }

        impl $crate::document::read::Read for $name {
            fn read(
                node: &$crate::document::Node,
                problems: &mut $crate::policy::error::Problems,
            ) -> Option<Self> {
                const REQUIRED: &[&str] = &$required;
                let entries =
                    $crate::document::section::entries(node, &[$($key),*], REQUIRED, problems)?;
                Some(Self {
                    place: node.place,
                    $( $field: $crate::document::read::Slot::read(entries, $key, problems), )*
                })
            }
        }

        impl $crate::document::section::Section for $name {
            fn place(&self) -> $crate::document::Place {
                self.place
            }

            fn written(&self) -> Vec<(&'static str, $crate::document::Place)> {
                let keys = [$( ($key, self.$field.key_place), )*];
                let written = |(key, place): (_, Option<_>)| Some((key, place?));
                keys.into_iter().filter_map(written).collect()
            }
        }
    };
}

pub(crate) use section;

/// What every section knows of itself.
pub(crate) trait Section {
    /// Where the section is.
    fn place(&self) -> Place;

    /// The keys that are written in it, each with its place, in the order of the definition.
    fn written(&self) -> Vec<(&'static str, Place)>;
}

/// The entries of a section, with unknown and missing keys reported.
pub(crate) fn entries<'a>(
    node: &'a Node,
    known: &[&str],
    required: &[&str],
    problems: &mut Problems,
) -> Option<&'a [Entry]> {
    let Kind::Map(entries) = &node.kind else {
        return node.expected("a map", problems);
    };
    for entry in entries {
        if !known.contains(&entry.key.as_str()) {
            let message = format!("`{}` is no key here", entry.key);
            problems
                .add("PN003", entry.key_place, message)
                .choose_from(&entry.key, known.iter().copied());
            entry.withhold(problems);
        }
    }
    for key in required {
        if !entries.iter().any(|entry| entry.key == *key) {
            let place = Place {
                width: 1,
                ..node.place
            };
            problems
                .add("PN004", place, format!("`{key}` is missing here"))
                .help(format!("add `{key}: ...`"));
        }
    }
    Some(entries)
}
