//! `query`, `params` and `body`: what a route's requests may ask, with the labels of every field that
//! a parameter may name.

use super::labels::{self, Naming};
use crate::document::Place;
use crate::document::read::{At, OneOrMany, Slot};
use crate::labels::{Label, LabelTree};
use crate::params::{AskedField, Asks, Language, Param};
use crate::policy::error::Problems;
use crate::policy::file::{AsksWord, ParamFile, ParamLong, RouteFile};
use crate::routes::{ColumnRule, LabelRule};
use crate::selector::{Selector, is_header};

/// The names that `odata` reads, without the `$` that may precede them.
const ODATA: [&str; 4] = ["filter", "orderby", "select", "expand"];
/// The names that `postgrest` reads.
const POSTGREST: [&str; 6] = ["select", "order", "or", "and", "not.or", "not.and"];

/// The names of the query parameters that may be asked by everybody.
pub(super) fn query(slot: &Slot<Vec<At<String>>>, problems: &mut Problems) -> Option<Vec<String>> {
    let mut asked: Vec<String> = Vec::new();
    for name in slot.value()? {
        let text = &name.value;
        if !is_sound(text) {
            let message = "a query parameter's name is not empty and holds no control characters";
            problems.add("PN027", name.place, message);
        } else if asked.contains(text) {
            let message = format!("the query parameter `{text}` is listed twice");
            problems.add("PN027", name.place, message);
        } else {
            asked.push(text.clone());
        }
    }
    Some(asked)
}

fn is_sound(name: &str) -> bool {
    !name.is_empty() && !name.chars().any(char::is_control)
}

/// The parameters that may be asked by those who see what they ask about.
pub(super) fn params(
    file: &RouteFile,
    (rules, columns): (&[LabelRule], &[ColumnRule]),
    tree: &LabelTree,
    problems: &mut Problems,
) -> Vec<Param> {
    let listed = file.query.value().map(Vec::as_slice).unwrap_or_default();
    let entries = file.params.value().map(|entries| entries.read.as_slice());
    let mut params = Vec::new();
    for (name, written) in entries.unwrap_or_default() {
        if !is_sound(&name.value) {
            let message = "a query parameter's name is not empty and holds no control characters";
            problems.add("PN027", name.place, message);
        }
        if listed.iter().any(|known| known.value == name.value) {
            let message = format!(
                "`{}` is under `query` too, where anybody may ask it",
                name.value
            );
            problems
                .add("PN050", name.place, message)
                .help("keep it in one of the two");
        }
        let asks = match written {
            ParamFile::Labels(OneOrMany(names)) => Asks::About(all_named(names, tree, problems)),
            ParamFile::Long(long) => asks(name, long, ((rules, columns), tree), problems),
        };
        params.push(Param {
            name: name.value.clone(),
            asks,
        });
    }
    params
}

fn all_named(names: &[At<String>], tree: &LabelTree, problems: &mut Problems) -> Vec<Label> {
    names
        .iter()
        .filter_map(|name| labels::named(name, Naming::Declared, tree, problems))
        .collect()
}

fn asks(
    name: &At<String>,
    long: &ParamLong,
    (carried, tree): ((&[LabelRule], &[ColumnRule]), &LabelTree),
    problems: &mut Problems,
) -> Asks {
    let of = long.of.value().map(Vec::as_slice).unwrap_or_default();
    let labelled = long.labelled.value().map(|entries| entries.read.as_slice());
    let labelled = labelled.unwrap_or_default();
    let Some(AsksWord::Fields(language)) = long.asks.word() else {
        let written = long.of.key_place.or(long.labelled.key_place);
        if let (Some(AsksWord::Anything), Some(place)) = (long.asks.word(), written) {
            problems
                .add("PN050", place, "`asks: anything` names no fields")
                .help("remove it, or say how the parameter names them");
        }
        return Asks::Anything;
    };
    reads(name, language, problems);
    if !long.of.is_written() && !long.labelled.is_written() || of.is_empty() && labelled.is_empty()
    {
        let message = format!("`{}` says of no field that it may be named", name.value);
        problems
            .add("PN050", name.place, message)
            .help("list them: `of: [created_at, customer.name]`");
    }
    let mut fields: Vec<AskedField> = Vec::new();
    for path in of {
        let (labels, within) = labels_of(&path.value, carried);
        add(
            &mut fields,
            (&path.value, path.place),
            (labels, within),
            problems,
        );
    }
    for (path, OneOrMany(names)) in labelled {
        let labels = all_named(names, tree, problems);
        add(
            &mut fields,
            (&path.value, path.place),
            (labels, Vec::new()),
            problems,
        );
    }
    Asks::Fields { language, fields }
}

/// Some languages are read by the parameter's name.
fn reads(name: &At<String>, language: Language, problems: &mut Problems) {
    let plain = name.value.strip_prefix('$').unwrap_or(&name.value);
    let (known, word): (&[&str], _) = match language {
        Language::Sort | Language::Fields | Language::Filter => return,
        Language::Odata => (&ODATA, "odata"),
        Language::Postgrest => (&POSTGREST, "postgrest"),
    };
    let fits = match language {
        Language::Odata => known.contains(&plain),
        Language::Sort | Language::Fields | Language::Filter | Language::Postgrest => {
            known.contains(&name.value.as_str())
        }
    };
    if !fits {
        let message = format!("`asks: {word}` does not read a parameter `{}`", name.value);
        problems.add("PN050", name.place, message).help(format!(
            "it reads {}; give a free search its labels, and leave out what computes or renames fields",
            known.join(", ")
        ));
    }
}

fn add(
    fields: &mut Vec<AskedField>,
    (path, place): (&str, Place),
    (labels, within): (Vec<Label>, Vec<Label>),
    problems: &mut Problems,
) {
    let is_name = |part: &str| {
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-');
        !part.is_empty() && !part.starts_with('-') && part.chars().all(fits)
    };
    if !path.split('.').all(is_name) {
        let message = format!("`{path}` is no field's name");
        problems
            .add("PN050", place, message)
            .help("write names of letters, digits, `_` and `-`, joined by dots: `customer.name`");
    } else if fields.iter().any(|known| known.path == path) {
        problems.add("PN050", place, format!("`{path}` is listed twice"));
    } else {
        fields.push(AskedField {
            path: path.to_owned(),
            labels,
            within,
        });
    }
}

/// The labels of a named field and of what it is part of, and those of what is inside it.
fn labels_of(
    path: &str,
    (rules, columns): (&[LabelRule], &[ColumnRule]),
) -> (Vec<Label>, Vec<Label>) {
    let parts: Vec<&str> = path.split('.').collect();
    let (mut labels, mut within) = (Vec::new(), Vec::new());
    for rule in rules {
        // Before it was moved below a list a selector may have meant the whole record.
        let written = Selector::parse(&rule.written).ok();
        let meant = [Some(&rule.selector), written.as_ref()];
        for found in meant.into_iter().flatten().map(|one| one.mention(&parts)) {
            if found.is {
                labels.extend(rule.labels.iter().cloned());
            }
            if found.holds {
                within.extend(rule.labels.iter().cloned());
            }
        }
    }
    for column in columns {
        if is_header(&column.header, &parts) {
            labels.extend(column.labels.iter().cloned());
        }
    }
    for list in [&mut labels, &mut within] {
        list.sort();
        list.dedup();
    }
    (labels, within)
}
