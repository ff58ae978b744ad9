//! The formats of a route's answers, the labels of a table's columns, and whether a route's selectors
//! can be followed in all of them.
//!
//! Formats that come as many parts are seen by selectors as one array: line 3 of NDJSON and the third
//! row of a table are `$[2]`. What depends on where that array ends, or on the array itself, cannot be
//! decided while the parts stream by, and is refused here.

use encoding_rs::Encoding;

use super::{Written, content_type_form};
use crate::document::Place;
use crate::document::read::{At, Entries, OneOrMany};
use crate::formats::{FormatKind, RouteFormat};
use crate::labels::{Label, LabelTree};
use crate::policy::error::Problems;
use crate::policy::file::{Format, FormatFile, RouteFile};
use crate::policy::resolve::labels::{self, Naming};
use crate::routes::{ColumnRule, Route, Unreadable};
use crate::selector::Selector;
use crate::selector::ast::{self, Pick, Segment};

/// What may stand between two cells.
const DELIMITERS: &[(&str, u8)] = &[
    (",", b','),
    (";", b';'),
    ("|", b'|'),
    (":", b':'),
    ("\t", b'\t'),
];

/// The formats of a route; JSON when it says nothing.
pub(super) fn read(file: &RouteFile, problems: &mut Problems) -> Vec<RouteFormat> {
    let formats = read_all(file, problems);
    match formats.is_empty() {
        true => vec![RouteFormat::plain(FormatKind::Json)],
        false => formats.into_iter().map(|at| at.value).collect(),
    }
}

fn read_all(file: &RouteFile, problems: &mut Problems) -> Vec<At<RouteFormat>> {
    let mut read: Vec<At<RouteFormat>> = Vec::new();
    for At { value, place } in listed(file) {
        let Format::Known(kind) = value.format else {
            continue;
        };
        if read.iter().any(|other| other.value.kind == kind) {
            let message = format!("the format `{}` is listed twice", kind.word());
            problems.add("PN070", *place, message);
            continue;
        }
        let mut format = RouteFormat::plain(kind);
        for own in &value.types {
            if let Some(other) = claimed_by(&own.value, kind, &read) {
                let message = format!("`{}` is a content type of `{other}`", own.value);
                problems
                    .add("PN070", own.place, message)
                    .help("a body's format follows from its content type alone");
            } else if is_type(own, problems) {
                format.types.push(own.value.clone());
            }
        }
        format.delimiter = delimiter(value, format.delimiter, problems);
        format.encoding = encoding(value, problems);
        read.push(At {
            value: format,
            place: *place,
        });
    }
    read
}

fn listed(file: &RouteFile) -> &[At<FormatFile>] {
    let formats = file.formats.value();
    formats.map_or(&[], |OneOrMany(all)| all.as_slice())
}

/// Which other format has this content type: any format its own, one that is listed earlier also a
/// declared one.
fn claimed_by(
    essence: &str,
    kind: FormatKind,
    earlier: &[At<RouteFormat>],
) -> Option<&'static str> {
    let own = FormatKind::ALL
        .into_iter()
        .find(|other| *other != kind && other.claims(essence));
    let declared = earlier.iter().find(|other| other.value.claims(essence));
    own.or_else(|| declared.map(|other| other.value.kind))
        .map(FormatKind::word)
}

fn is_type(text: &At<String>, problems: &mut Problems) -> bool {
    let refused = match content_type_form(&text.value) {
        Err(form) => Some(("is no exact content type", form)),
        Ok(()) if text.value == "text/event-stream" => Some((
            "is a stream without an end and no format of a body",
            "give it a route of its own, without labels and with `allow: [sse]`",
        )),
        Ok(()) => None,
    };
    if let Some((what, help)) = refused {
        let message = format!("`{}` {what}", text.value);
        problems.add("PN073", text.place, message).help(help);
    }
    refused.is_none()
}

fn delimiter(file: &FormatFile, default: u8, problems: &mut Problems) -> u8 {
    let Some(text) = &file.delimiter else {
        return default;
    };
    let known = DELIMITERS.iter().find(|(known, _)| *known == text.value);
    if known.is_none() {
        let message = format!("`{}` is no delimiter", text.value.escape_debug());
        problems
            .add("PN073", text.place, message)
            .help("one of `,`, `;`, `|`, `:` or `\"\\t\"`");
    }
    known.map_or(default, |(_, byte)| *byte)
}

/// The declared encoding, when it is not UTF-8.
fn encoding(file: &FormatFile, problems: &mut Problems) -> Option<&'static Encoding> {
    let text = file.encoding.as_ref()?;
    let known = Encoding::for_label_no_replacement(text.value.as_bytes())
        .filter(|known| *known != encoding_rs::X_USER_DEFINED);
    if known.is_none() {
        let message = format!("`{}` is no character encoding", text.value);
        problems.add("PN073", text.place, message).help(
            "a label of the WHATWG Encoding Standard, such as `utf-8`, `windows-1252` or `shift_jis`",
        );
    }
    known.filter(|known| *known != encoding_rs::UTF_8)
}

/// The labels that a route attaches to columns by their header text.
pub(super) fn columns(
    file: &RouteFile,
    tree: &LabelTree,
    problems: &mut Problems,
) -> Vec<ColumnRule> {
    let Some(Entries { read: entries, .. }) = file.columns.value() else {
        return Vec::new();
    };
    let mut rules = Vec::new();
    for (header, OneOrMany(attached)) in entries {
        if header.value.trim().is_empty() {
            let message = "a column's header text is not empty";
            problems.add("PN072", header.place, message);
            continue;
        }
        let labels = attached
            .iter()
            .filter_map(|name| labels::named(name, Naming::Declared, tree, problems))
            .collect();
        rules.push(ColumnRule {
            header: header.value.clone(),
            labels,
        });
    }
    rules
}

/// Reports what a route asks for and its formats cannot give.
pub(super) fn judge(route: &Route, file: &RouteFile, problems: &mut Problems) {
    if route.deny {
        return;
    }
    let is_table = route.formats.iter().any(|format| format.kind.is_table());
    if let Some(place) = file.columns.key_place
        && !is_table
    {
        problems
            .add("PN072", place, "`columns` without a table labels nothing")
            .help("add `csv` or `tsv` to `formats`, or remove `columns`");
    }
    if let Unreadable::Allow(types) = &route.unreadable {
        unread_types(route, types, file, problems);
    }
    let place = file.formats.key_place.unwrap_or_default();
    let only_sequences = route.formats.iter().all(|format| format.kind.is_sequence());
    let Some(sequence) = route.formats.iter().find(|f| f.kind.is_sequence()) else {
        return;
    };
    let written = route.rules.iter().map(|rule| &rule.selector);
    let counted = route.records.iter().chain(&route.subjects);
    for selector in written.chain(&route.required).chain(counted) {
        let table = route.formats.iter().find(|format| format.kind.is_table());
        let trouble = match of_sequence(selector, only_sequences) {
            Some(trouble) => Some((trouble, sequence)),
            None => table.and_then(|table| Some((of_table(selector)?, table))),
        };
        if let Some(((what, help), format)) = trouble {
            let format = format.kind.word();
            let message = format!("`{}` {what} in `{format}`", selector.text());
            problems.add("PN071", place, message).help(help);
        }
    }
}

/// SECURITY: a cell is one text. Nothing inside of it is found by a selector, so it cannot be opened.
pub(super) fn refuse_embedded(
    written: &[Written<'_>],
    routes: &[Route],
    tree: &LabelTree,
    problems: &mut Problems,
) {
    let opened: Vec<&Label> = tree
        .iter()
        .filter_map(|(label, entry)| entry.embedded.map(|_| label))
        .collect();
    for (route, written) in routes.iter().zip(written) {
        let Some(table) = route.formats.iter().find(|format| format.kind.is_table()) else {
            continue;
        };
        let in_rules = route.rules.iter().flat_map(|rule| &rule.labels);
        let in_columns = route.columns.iter().flat_map(|column| &column.labels);
        if let Some(label) = in_rules.chain(in_columns).find(|l| opened.contains(l)) {
            let place = written.file.formats.key_place.unwrap_or_default();
            let (label, table) = (label.as_str(), table.kind.word());
            let message = format!("the cells of `{table}` with `{label}` cannot be opened");
            problems.add("PN074", place, message).help(
                "give the table a route of its own, and its column a label without `embedded`",
            );
        }
    }
}

/// SECURITY: what a format is declared for is read, and cannot also pass unread.
fn unread_types(route: &Route, types: &[String], file: &RouteFile, problems: &mut Problems) {
    // A JSON type has been refused for what it is.
    for unread in types.iter().filter(|own| !FormatKind::Json.claims(own)) {
        let Some(format) = route.formats.iter().find(|format| format.claims(unread)) else {
            continue;
        };
        let format = format.kind.word();
        let message = format!("`{unread}` cannot pass unread: it is read as `{format}` here");
        let place: Option<Place> = file.unreadable.key_place.or(file.formats.key_place);
        problems
            .add("PN070", place.unwrap_or_default(), message)
            .help("take it off `unreadable`, or the format off `formats`");
    }
}

/// What a selector cannot mean where the parts of a body are the elements of `$`.
fn of_sequence(selector: &Selector, only_sequences: bool) -> Option<(&'static str, &'static str)> {
    let segments = selector.segments();
    let Some(first) = segments.first() else {
        let help = "label what is inside: `$[*]` is each part of the body";
        return Some((
            "selects the whole body, which has no value of its own",
            help,
        ));
    };
    if ast::mentions_document(segments) {
        let help = "let the filter ask about `@` only";
        return Some((
            "has a filter that asks for the whole body, which is not held",
            help,
        ));
    }
    if picks(first).iter().any(needs_length) {
        let help = "count from the beginning, or select with `[*]`";
        return Some(("depends on where the body ends, which is not known", help));
    }
    let names_only = |pick: &Pick| matches!(pick, Pick::Name(_));
    if only_sequences && matches!(first, Segment::Child(_)) && picks(first).iter().all(names_only) {
        let help = "the parts of the body are the elements of `$`: begin with `$[*]`";
        return Some(("begins with a member name and selects nothing", help));
    }
    None
}

/// What a selector cannot mean where rows are decided by their column.
fn of_table(selector: &Selector) -> Option<(&'static str, &'static str)> {
    let segments = selector.segments();
    let by_row = |pick: &Pick| matches!(pick, Pick::Index(_) | Pick::Slice { .. });
    if segments
        .first()
        .is_some_and(|s| picks(s).iter().any(by_row))
    {
        let help = "a column is labelled in every row: select rows with `[*]`";
        return Some((
            "depends on the number of the row, which labels no column",
            help,
        ));
    }
    let undecided = |pick: &Pick| matches!(pick, Pick::Filter(_)) || needs_length(pick);
    if segments.iter().any(|s| picks(s).iter().any(undecided)) {
        let help = "write the columns' labels out under `columns`, in a route of its own";
        return Some((
            "depends on the values of a row, which label no column",
            help,
        ));
    }
    None
}

fn picks(segment: &Segment) -> &[Pick] {
    let (Segment::Child(picks) | Segment::Descendant(picks)) = segment;
    picks
}

/// Whether an array's end has to be known.
fn needs_length(pick: &Pick) -> bool {
    match pick {
        Pick::Index(index) => *index < 0,
        Pick::Slice { start, end, step } => {
            let from_end = |bound: &Option<i64>| bound.is_some_and(|bound| bound < 0);
            from_end(start) || from_end(end) || step.is_some_and(|step| step < 0)
        }
        Pick::Name(_) | Pick::Wildcard | Pick::Filter(_) => false,
    }
}
