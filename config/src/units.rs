//! Sizes and durations with their units, and numbers within their ranges.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::ops::RangeInclusive;
use std::time::Duration;

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::document::read::{At, Read, Slot};
use crate::document::{Kind, Node, Place};
use crate::policy::error::Problems;

/// A size as it is written: a number and its unit in one text, such as `16KiB`.
#[derive(Debug)]
pub(crate) struct SizeText(String);

/// A duration as it is written: a number and its unit in one text, such as `25s`.
#[derive(Debug)]
pub(crate) struct DurationText(String);

/// What sizes are written with.
const SIZES: [(&str, u64); 4] = [
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("B", 1),
];

/// What durations are written with, in milliseconds; `ms` before `m` and `s`.
const DURATIONS: [(&str, u64); 5] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// A size within a range, in bytes; `None` when the key is absent or wrong.
pub(crate) fn size(
    key: &str,
    slot: &Slot<SizeText>,
    range: RangeInclusive<u64>,
    problems: &mut Problems,
) -> Option<usize> {
    let at = slot.found.as_ref()?;
    let bytes = bytes(&at.value.0, at.place, problems)?;
    within(key, at, bytes, &range, size_text, problems)
        .and_then(|bytes| usize::try_from(bytes).ok())
}

/// A size, in bytes.
pub(crate) fn bytes(text: &str, place: Place, problems: &mut Problems) -> Option<u64> {
    let bytes = with_unit(text, &SIZES);
    if bytes.is_none() {
        let message = format!("`{text}` is no size");
        problems
            .add("PN042", place, message)
            .help("a whole number with `B`, `KiB`, `MiB` or `GiB`, such as `16KiB`");
    }
    bytes
}

/// A duration as short as a file would write it.
pub(crate) fn written(duration: Duration) -> String {
    u64::try_from(duration.as_millis()).map_or_else(|_| format!("{duration:?}"), duration_text)
}

/// A duration within a range of milliseconds.
pub(crate) fn duration(
    key: &str,
    slot: &Slot<DurationText>,
    range: RangeInclusive<u64>,
    problems: &mut Problems,
) -> Option<Duration> {
    let at = slot.found.as_ref()?;
    let Some(milliseconds) = with_unit(&at.value.0, &DURATIONS) else {
        let message = format!("`{}` is no duration", at.value);
        problems
            .add("PN042", at.place, message)
            .help("a whole number with `ms`, `s`, `m`, `h` or `d`, such as `25s`");
        return None;
    };
    within(key, at, milliseconds, &range, duration_text, problems).map(Duration::from_millis)
}

/// A duration of whole seconds within a range of seconds.
pub(crate) fn seconds(
    key: &str,
    slot: &Slot<DurationText>,
    (least, most): (u64, u64),
    problems: &mut Problems,
) -> Option<Duration> {
    let range = least.saturating_mul(1_000)..=most.saturating_mul(1_000);
    let duration = duration(key, slot, range, problems)?;
    if duration.subsec_millis() != 0 {
        let place = slot.found.as_ref().map(|at| at.place).unwrap_or_default();
        problems
            .add("PN007", place, format!("`{key}` is whole seconds"))
            .help("write it in `s`, `m`, `h` or `d`; clients are told it in seconds");
        return None;
    }
    Some(duration)
}

/// A plain number within a range.
pub(crate) fn number(
    key: &str,
    slot: &Slot<u64>,
    range: RangeInclusive<u64>,
    problems: &mut Problems,
) -> Option<usize> {
    let at = slot.found.as_ref()?;
    let value = within(key, at, at.value, &range, |n| n.to_string(), problems)?;
    usize::try_from(value).ok()
}

fn within<T: Display>(
    key: &str,
    at: &At<T>,
    value: u64,
    range: &RangeInclusive<u64>,
    text: impl Fn(u64) -> String,
    problems: &mut Problems,
) -> Option<u64> {
    if range.contains(&value) {
        return Some(value);
    }
    let (least, most) = (text(*range.start()), text(*range.end()));
    let message = format!(
        "`{key}` is between {least} and {most}, here it is {}",
        at.value
    );
    problems.add("PN007", at.place, message);
    None
}

/// A text; a number is told which unit it lacks.
fn text_with_unit(
    node: &Node,
    (what, unit): (&str, &str),
    problems: &mut Problems,
) -> Option<String> {
    let text = match &node.kind {
        Kind::Text(text) => return Some(text.clone()),
        Kind::Number(number) if number.is_u64() => format!("{number}{unit}"),
        Kind::Null | Kind::Bool(_) | Kind::Number(_) | Kind::List(_) | Kind::Map(_) => {
            format!("16{unit}")
        }
    };
    let others = match unit {
        "B" => "`B`, `KiB`, `MiB` and `GiB`",
        _ => "`ms`, `s`, `m`, `h` and `d`",
    };
    let message = format!(
        "expected a {what} with its unit, found {}",
        node.described()
    );
    problems
        .add("PN005", node.place, message)
        .help(format!("write `{text}`, or another of {others}"));
    None
}

/// Implements reading, the schema and the wording of a text with a unit.
macro_rules! text_with_unit {
    ($name:ident, $what:literal, $unit:literal) => {
        impl Read for $name {
            fn read(node: &Node, problems: &mut Problems) -> Option<Self> {
                text_with_unit(node, ($what, $unit), problems).map(Self)
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }

            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut SchemaGenerator) -> Schema {
                String::json_schema(generator)
            }
        }

        impl Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

text_with_unit!(SizeText, "size", "B");
text_with_unit!(DurationText, "duration", "s");

/// `digits` and one of the units, nothing between them.
fn with_unit(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let (digits, factor) = units
        .iter()
        .find_map(|(unit, factor)| Some((text.strip_suffix(unit)?, factor)))?;
    let is_plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
    let number: u64 = digits.parse().ok().filter(|_| is_plain)?;
    number.checked_mul(*factor)
}

fn size_text(bytes: u64) -> String {
    in_largest_unit(bytes, &SIZES)
}

fn duration_text(milliseconds: u64) -> String {
    in_largest_unit(milliseconds, &DURATIONS)
}

fn in_largest_unit(value: u64, units: &[(&str, u64)]) -> String {
    let fitting = units
        .iter()
        .filter(|(_, factor)| value.is_multiple_of(*factor));
    let best = fitting
        .filter(|(_, factor)| value >= *factor)
        .max_by_key(|(_, factor)| *factor);
    match best {
        Some((unit, factor)) => format!("{}{unit}", value / factor),
        None => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_exact_and_nothing_else_is_one() {
        assert_eq!(with_unit("16KiB", &SIZES), Some(16_384));
        assert_eq!(with_unit("512B", &SIZES), Some(512));
        assert_eq!(with_unit("250ms", &DURATIONS), Some(250));
        assert_eq!(with_unit("10m", &DURATIONS), Some(600_000));
        assert_eq!(with_unit("31d", &DURATIONS), Some(2_678_400_000));
        for bad in [
            "16",
            "16 KiB",
            "KiB",
            "+1KiB",
            "1.5MiB",
            "16kb",
            "-1B",
            "18446744073709551615GiB",
        ] {
            assert_eq!(with_unit(bad, &SIZES), None, "{bad}");
        }
        for bad in ["25", "s", "1w", "1h30m", "25 s", "1.5d"] {
            assert_eq!(with_unit(bad, &DURATIONS), None, "{bad}");
        }
    }

    #[test]
    fn ranges_are_told_in_the_largest_unit_that_is_exact() {
        assert_eq!(size_text(64 << 10), "64KiB");
        assert_eq!(size_text(1500), "1500B");
        assert_eq!(duration_text(600_000), "10m");
        assert_eq!(duration_text(100), "100ms");
        assert_eq!(written(Duration::from_secs(90)), "90s");
        assert_eq!(written(Duration::from_secs(24 * 3_600)), "1d");
    }
}
