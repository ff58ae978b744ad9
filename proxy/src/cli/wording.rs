//! How actions, routes and reasons are written for people, the same in every command.

mod quotas;

pub(super) use quotas::{quota_lines, quota_table, quotas_json};

use postern_config::Embedded;
use postern_config::action::{Action, DatePart, Generalize, Mask, PseudonymScope};
use postern_config::roles::Because;
use postern_config::routes::{PathPart, RouteMatch, RouteMethod, Unlabelled};
use postern_filters::json::Lookahead;

/// An action as short as a policy would write it.
pub(super) fn action(action: &Action) -> String {
    match action {
        Action::Show => "show".to_owned(),
        Action::Detect => "detect".to_owned(),
        Action::Mask(Mask::ByShape) => "mask".to_owned(),
        Action::Mask(Mask::Keep { first: 0, last }) => format!("last{last}"),
        Action::Mask(Mask::Keep { first, last }) => format!("first{first}+last{last}"),
        Action::Generalize(Generalize::Year) => "year".to_owned(),
        Action::Generalize(Generalize::Month) => "month".to_owned(),
        Action::Generalize(Generalize::Epoch(DatePart::Year, _)) => "year/epoch".to_owned(),
        Action::Generalize(Generalize::Epoch(DatePart::Month, _)) => "month/epoch".to_owned(),
        Action::Generalize(Generalize::Bucket(width)) => format!("bucket/{width}"),
        Action::Generalize(Generalize::Prefix(kept)) => format!("prefix/{kept}"),
        Action::Pseudonym(PseudonymScope::Tenant) => "pseudonym/tenant".to_owned(),
        Action::Pseudonym(PseudonymScope::Role) => "pseudonym/role".to_owned(),
        Action::Pseudonym(PseudonymScope::Identity) => "pseudonym/identity".to_owned(),
        Action::Pseudonym(PseudonymScope::Case) => "pseudonym/case".to_owned(),
        Action::Redact { with: None } => "redact".to_owned(),
        Action::Redact { with: Some(text) } => format!("redact={text}"),
        Action::Remove => "remove".to_owned(),
    }
}

/// What happens to a field nobody labelled.
pub(super) const fn unlabelled(unlabelled: Unlabelled) -> &'static str {
    match unlabelled {
        Unlabelled::Show => "show",
        Unlabelled::Redact => "redact",
        Unlabelled::Remove => "remove",
        Unlabelled::Deny => "deny",
    }
}

/// How a shown string holds a document.
pub(super) const fn embedded(how: Embedded) -> &'static str {
    match how {
        Embedded::Json => "JSON",
        Embedded::Base64 => "base64 of JSON",
    }
}

/// Why a role does to a label what it does.
pub(super) fn because(because: &Because) -> String {
    match because {
        Because::Always { label } => format!("`always` rules on {}", label.as_str()),
        Because::Sees { role, label } => format!("`{role}` rules on {}", label.as_str()),
        Because::NotMentioned => "no rule mentions it".to_owned(),
    }
}

/// How a selector is evaluated while a body streams.
pub(super) const fn lookahead(lookahead: Lookahead) -> &'static str {
    match lookahead {
        Lookahead::Streams => "streams",
        Lookahead::HoldsElement => "holds one element",
        Lookahead::HoldsArray => "holds one array",
        Lookahead::HoldsDocument => "holds the document",
    }
}

/// A `match` line as a policy writes it.
pub(super) fn route_match(line: &RouteMatch) -> String {
    let method = match &line.method {
        RouteMethod::Any => "ANY",
        RouteMethod::Exactly(method) => method,
    };
    let path: String = line
        .path
        .iter()
        .map(|part| match part {
            PathPart::Literal(text) => format!("/{text}"),
            PathPart::Parameter(name) => format!("/{{{name}}}"),
            PathPart::Rest(name) => format!("/{{{name}...}}"),
        })
        .collect();
    let path = if path.is_empty() { "/" } else { &path };
    format!("{method} {path}")
}

/// Words joined by commas.
pub(super) fn list<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    words.into_iter().collect::<Vec<_>>().join(", ")
}

/// `1 route`, `2 routes`.
pub(super) fn count(number: usize, word: &str) -> String {
    if number == 1 {
        format!("1 {word}")
    } else {
        format!("{number} {word}s")
    }
}

/// A number of microseconds, in the unit that suits it.
pub(super) fn duration(microseconds: u64) -> String {
    let tenths = |unit: u64| {
        format!(
            "{}.{}",
            microseconds / unit,
            microseconds % unit / (unit / 10)
        )
    };
    match microseconds {
        0..1_000 => format!("{microseconds} us"),
        1_000..1_000_000 => format!("{} ms", tenths(1_000)),
        1_000_000.. => format!("{} s", tenths(1_000_000)),
    }
}

/// A number of seconds in the units of a policy, the largest first: `1d 55m 33s`.
pub(super) fn span(seconds: u64) -> String {
    let units = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "m"),
        (seconds % 60, "s"),
    ];
    let told = units.iter().filter(|(number, _)| *number > 0);
    let told: Vec<String> = told
        .map(|(number, unit)| format!("{number}{unit}"))
        .collect();
    match told.is_empty() {
        true => "0s".to_owned(),
        false => told.join(" "),
    }
}

/// Rows of cells as aligned text, two blanks between columns, no blank at the end of a line. A control
/// character, which could move a terminal's cursor, is shown as U+FFFD.
pub(super) fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns)
        .map(|column| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            let shown = |one: char| match one.is_control() {
                true => char::REPLACEMENT_CHARACTER,
                false => one,
            };
            line.extend(cell.chars().map(shown));
            let blanks = (width + 2).saturating_sub(cell.chars().count());
            line.push_str(&" ".repeat(blanks));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_by_characters_and_lines_end_without_blanks() {
        let row = |cells: &[&str]| cells.iter().map(|cell| (*cell).to_owned()).collect();
        let text = table(&[row(&["é", "b"]), row(&["long", "c", "d"])]);
        assert_eq!(text, "é     b\nlong  c  d\n");
    }

    #[test]
    fn a_name_moves_no_cursor() {
        let text = table(&[vec!["a\u{1b}[2J\rb\n".to_owned()]]);
        assert_eq!(text, "a\u{fffd}[2J\u{fffd}b\u{fffd}\n");
    }

    #[test]
    fn a_span_is_exact_and_in_units_of_policies() {
        for (seconds, expected) in [
            (0, "0s"),
            (59, "59s"),
            (86_400, "1d"),
            (89_733, "1d 55m 33s"),
            (31 * 86_400 + 3_600, "31d 1h"),
        ] {
            assert_eq!(span(seconds), expected);
        }
    }

    #[test]
    fn actions_read_as_policies_write_them() {
        let keep = |first, last| Action::Mask(Mask::Keep { first, last });
        let cases = [
            (Action::Show, "show"),
            (Action::Mask(Mask::ByShape), "mask"),
            (keep(0, 4), "last4"),
            (keep(2, 3), "first2+last3"),
            (Action::Generalize(Generalize::Bucket(10)), "bucket/10"),
            (
                Action::Pseudonym(PseudonymScope::Identity),
                "pseudonym/identity",
            ),
            (Action::Redact { with: None }, "redact"),
            (Action::Remove, "remove"),
        ];
        for (given, expected) in cases {
            assert_eq!(action(&given), expected);
        }
    }
}
