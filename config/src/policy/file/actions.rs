//! Actions as they are written: a word, or a map with one action and its options.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};

use crate::action::{Action, DatePart, EpochUnit, Generalize, Mask, PseudonymScope};
use crate::document::read::{Read, Slot, Word, Words};
use crate::document::section::section;
use crate::document::{Entry, Kind, Node, Place};
use crate::policy::error::Problems;

/// The most graphemes that a mask keeps at one end, and that `lastN` names.
const KEPT_MAX: u64 = 16;
/// The longest prefix that `generalize` keeps.
const PREFIX_MAX: u64 = 16;
/// The widest bucket: numbers up to it are exact in every JSON reader.
const BUCKET_MAX: u64 = (1 << 53) - 1;
/// The longest constant that `redact` puts in place, in bytes of JSON.
const CONSTANT_BYTES_MAX: usize = 1024;

/// The words an action is written with, for suggestions.
const WORDS: [&str; 8] = [
    "show",
    "detect",
    "mask",
    "last4",
    "generalize",
    "pseudonym",
    "redact",
    "remove",
];

/// An action that was read and is within its bounds.
#[derive(Debug, Clone)]
pub(crate) struct ActionFile(pub(crate) Action);

section! {
    /// What a mask keeps.
    MaskFile, required: [] {
        /// Characters kept at the start.
        keep_first: "keep_first" => u64,
        /// Characters kept at the end.
        keep_last: "keep_last" => u64,
    }
}

section! {
    /// What takes the value's place.
    RedactFile, required: ["with"] {
        /// A text, number, boolean or null.
        with: "with" => Constant,
    }
}

section! {
    /// For whom a pseudonym is the same.
    PseudonymFile, required: ["scope"] {
        /// For whom.
        scope: "scope" => Word<PseudonymScope>,
    }
}

section! {
    /// To what a value is made coarser; exactly one key.
    GeneralizeFile, required: [] {
        /// A date becomes its year or month.
        date: "date" => Word<DatePart>,
        /// With `date`: numbers are points in time too, in this unit.
        epoch: "epoch" => Word<EpochUnit>,
        /// A number becomes the lower bound of its bucket.
        bucket: "bucket" => u64,
        /// A text keeps its first characters.
        prefix: "prefix" => u64,
    }
}

impl Words for DatePart {
    const WORDS: &'static [(&'static str, Self)] = &[("year", Self::Year), ("month", Self::Month)];
}

impl Words for EpochUnit {
    const WORDS: &'static [(&'static str, Self)] =
        &[("seconds", Self::Seconds), ("millis", Self::Millis)];
}

impl Words for PseudonymScope {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("tenant", Self::Tenant),
        ("identity", Self::Identity),
        ("role", Self::Role),
        ("case", Self::Case),
    ];
}

/// A scalar, as the JSON text that takes a value's place.
#[derive(Debug)]
pub(crate) struct Constant(String);

impl Read for ActionFile {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let action = match &node.kind {
            Kind::Text(word) => plain(word, node.place, problems),
            Kind::Map(entries) => match entries.as_slice() {
                [only] => long(only, problems),
                _ => {
                    let message = "an action is one of its kinds, with its options";
                    problems
                        .add("PN014", first_key(entries, node.place), message)
                        .help("for example `{ mask: { keep_last: 4 } }`");
                    None
                }
            },
            Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) => {
                node.expected("an action such as `mask`", problems)
            }
        };
        action.map(Self)
    }
}

fn first_key(entries: &[Entry], otherwise: Place) -> Place {
    entries.first().map_or(otherwise, |entry| entry.key_place)
}

/// `show`, `mask`, `last4` and the like.
fn plain(word: &str, place: Place, problems: &mut Problems) -> Option<Action> {
    match word {
        "show" => Some(Action::Show),
        "detect" => Some(Action::Detect),
        "mask" => Some(Action::Mask(Mask::ByShape)),
        "redact" => Some(Action::Redact { with: None }),
        "remove" => Some(Action::Remove),
        "pseudonym" => Some(Action::Pseudonym(PseudonymScope::Identity)),
        "generalize" => {
            problems
                .add("PN014", place, "`generalize` needs to know to what")
                .help("for example `{ generalize: { date: year } }`");
            None
        }
        _ => match word.strip_prefix("last").and_then(count) {
            Some(last) => bounded("lastN", last, 1..=KEPT_MAX, place, problems)
                .map(|last| Action::Mask(Mask::Keep { first: 0, last })),
            None => {
                problems
                    .add("PN014", place, format!("`{word}` is no action"))
                    .choose_from(word, WORDS.into_iter());
                None
            }
        },
    }
}

/// A plain decimal number: no sign, no leading zero.
fn count(digits: &str) -> Option<u64> {
    let plain = digits.bytes().all(|b| b.is_ascii_digit()) && !digits.starts_with('0');
    digits.parse().ok().filter(|_| plain)
}

/// `{ mask: { ... } }` and the like.
fn long(entry: &Entry, problems: &mut Problems) -> Option<Action> {
    let options = &entry.value;
    if let (Some(example), false) = (example(entry), matches!(options.kind, Kind::Map(_))) {
        return options.expected_as("a map", &format!("for example `{example}`"), problems);
    }
    match entry.key.as_str() {
        "mask" => mask(&MaskFile::read(options, problems)?, problems),
        "redact" => {
            let with = RedactFile::read(options, problems)?.with.found?.value.0;
            Some(Action::Redact { with: Some(with) })
        }
        "pseudonym" => {
            let scope = PseudonymFile::read(options, problems)?.scope.found?;
            Some(Action::Pseudonym(scope.value.0))
        }
        "generalize" => {
            let file = GeneralizeFile::read(options, problems)?;
            generalize(&file, entry.key_place, problems)
        }
        other => {
            let message = format!("`{other}` is no action that takes options");
            let with_options = ["mask", "redact", "pseudonym", "generalize"];
            problems
                .add("PN014", entry.key_place, message)
                .choose_from(other, with_options.into_iter());
            None
        }
    }
}

/// The long form of an action: of the one that was meant, where its option stands alone.
fn example(entry: &Entry) -> Option<&'static str> {
    let alone = match &entry.value.kind {
        Kind::Text(word) => word.as_str(),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) | Kind::Map(_) => "",
    };
    match (entry.key.as_str(), alone) {
        ("mask", _) => Some("{ mask: { keep_last: 4 } }"),
        ("redact", _) => Some("{ redact: { with: \"x\" } }"),
        ("pseudonym", "identity") => Some("{ pseudonym: { scope: identity } }"),
        ("pseudonym", "role") => Some("{ pseudonym: { scope: role } }"),
        ("pseudonym", "case") => Some("{ pseudonym: { scope: case } }"),
        ("pseudonym", _) => Some("{ pseudonym: { scope: tenant } }"),
        ("generalize", "month") => Some("{ generalize: { date: month } }"),
        ("generalize", _) => Some("{ generalize: { date: year } }"),
        _ => None,
    }
}

fn mask(file: &MaskFile, problems: &mut Problems) -> Option<Action> {
    let first = kept("keep_first", &file.keep_first, problems)?;
    let last = kept("keep_last", &file.keep_last, problems)?;
    Some(Action::Mask(Mask::Keep { first, last }))
}

fn kept(name: &str, slot: &Slot<u64>, problems: &mut Problems) -> Option<usize> {
    match &slot.found {
        Some(at) => bounded(name, at.value, 0..=KEPT_MAX, at.place, problems),
        None if slot.is_written() => None,
        None => Some(0),
    }
}

fn generalize(file: &GeneralizeFile, place: Place, problems: &mut Problems) -> Option<Action> {
    let written = [
        file.date.is_written(),
        file.bucket.is_written(),
        file.prefix.is_written(),
    ];
    if written.into_iter().filter(|is_written| *is_written).count() != 1 {
        problems
            .add("PN014", place, "`generalize` takes exactly one option")
            .help("one of `date`, which may have `epoch` beside it, `bucket` and `prefix`");
        return None;
    }
    if let (Some(at), false) = (file.epoch.key_place, file.date.is_written()) {
        problems
            .add("PN014", at, "`epoch` means nothing without `date`")
            .help("for example `{ generalize: { date: year, epoch: seconds } }`");
        return None;
    }
    let to = if let Some(part) = file.date.word() {
        match (part, file.epoch.word()) {
            (part, Some(unit)) => Generalize::Epoch(part, unit),
            (_, None) if file.epoch.is_written() => return None,
            (DatePart::Year, None) => Generalize::Year,
            (DatePart::Month, None) => Generalize::Month,
        }
    } else if let Some(at) = &file.bucket.found {
        Generalize::Bucket(within(
            "bucket",
            at.value,
            1..=BUCKET_MAX,
            at.place,
            problems,
        )?)
    } else {
        let at = file.prefix.found.as_ref()?;
        let kept = bounded("prefix", at.value, 1..=PREFIX_MAX, at.place, problems)?;
        Generalize::Prefix(kept)
    };
    Some(Action::Generalize(to))
}

fn bounded(
    name: &str,
    value: u64,
    range: std::ops::RangeInclusive<u64>,
    place: Place,
    problems: &mut Problems,
) -> Option<usize> {
    usize::try_from(within(name, value, range, place, problems)?).ok()
}

fn within(
    name: &str,
    value: u64,
    range: std::ops::RangeInclusive<u64>,
    place: Place,
    problems: &mut Problems,
) -> Option<u64> {
    if range.contains(&value) {
        return Some(value);
    }
    let (least, most) = (range.start(), range.end());
    let message = format!("`{name}` is between {least} and {most}, here it is {value}");
    problems.add("PN007", place, message);
    None
}

impl Read for Constant {
    fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
        let json = match &node.kind {
            Kind::Null => "null".to_owned(),
            Kind::Bool(value) => value.to_string(),
            Kind::Number(number) => number.to_string(),
            Kind::Text(text) => serde_json::Value::from(text.as_str()).to_string(),
            Kind::List(_) | Kind::Map(_) => {
                return node.expected("a text, a number, `true`, `false` or `null`", problems);
            }
        };
        if json.len() > CONSTANT_BYTES_MAX {
            let message = format!("a constant has at most {CONSTANT_BYTES_MAX} bytes");
            problems.add("PN007", node.place, message);
            return None;
        }
        Some(Self(json))
    }
}

impl JsonSchema for Constant {
    fn inline_schema() -> bool {
        true
    }
    fn schema_name() -> Cow<'static, str> {
        "Constant".into()
    }
    fn json_schema(_generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": ["string", "number", "boolean", "null"] })
    }
}

impl JsonSchema for ActionFile {
    fn schema_name() -> Cow<'static, str> {
        "Action".into()
    }
    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let one = |key: &str, options: Schema| {
            json_schema!({
                "type": "object",
                "properties": { key: options },
                "required": [key],
                "additionalProperties": false,
            })
        };
        let long = [
            one("mask", generator.subschema_for::<MaskFile>()),
            one("redact", generator.subschema_for::<RedactFile>()),
            one("pseudonym", generator.subschema_for::<PseudonymFile>()),
            one("generalize", generator.subschema_for::<GeneralizeFile>()),
        ];
        let words = json_schema!({
            "enum": ["show", "detect", "mask", "pseudonym", "redact", "remove"]
        });
        let last = json_schema!({ "type": "string", "pattern": "^last([1-9]|1[0-6])$" });
        let forms: Vec<Schema> = [words, last].into_iter().chain(long).collect();
        json_schema!({ "description": "What happens to a labelled value.", "anyOf": forms })
    }
}
