//! Routes: their matches, their labels with what they take from others, and their settings.

mod cases;
mod conflicts;
mod embedded;
mod formats;
mod inherited;

pub(super) use cases::report_tokens_by_case;
pub(super) use embedded::report_embedded;

use super::labels::{self, Naming};
use super::{matches, names, params, selectors};
use crate::document::read::{At, Entries, OneOrMany, Slot};
use crate::document::section::Section;
use crate::labels::LabelTree;
use crate::policy::error::Problems;
use crate::policy::file::{PolicyFile, RouteFile, UnreadableFile};
use crate::rfc9110::is_tchar;
use crate::routes::{
    ColumnRule, LabelRule, Names, Route, RouteMatch, Unlabelled, Unreadable, WriteBack,
};

/// A route and where it is written.
struct Written<'a> {
    name: &'a At<String>,
    file: &'a RouteFile,
}

/// What the file says for every route that says nothing else.
struct Defaults {
    unlabelled: Unlabelled,
    names: Names,
    unreadable: Unreadable,
    write_back: WriteBack,
}

/// Every route, in the order of the file.
pub(super) fn all(file: &PolicyFile, tree: &LabelTree, problems: &mut Problems) -> Vec<Route> {
    let Some(Entries {
        read: entries,
        unread,
    }) = file.routes.value()
    else {
        return Vec::new();
    };
    let written: Vec<Written<'_>> = entries
        .iter()
        .map(|(name, file)| Written { name, file })
        .collect();
    let defaults = Defaults {
        unlabelled: file.unlabelled.word().unwrap_or_default(),
        names: file.names.word().unwrap_or_default(),
        unreadable: unreadable(&file.unreadable, problems).unwrap_or_default(),
        write_back: file.write_back.word().unwrap_or_default(),
    };
    let own: Vec<Vec<LabelRule>> = written
        .iter()
        .map(|route| own_rules(route.file, tree, problems))
        .collect();
    let own_columns: Vec<Vec<ColumnRule>> = written
        .iter()
        .map(|route| formats::columns(route.file, tree, problems))
        .collect();
    let mut carried = inherited::rules(&written, &own, unread, problems).into_iter();
    let routes: Vec<Route> = written
        .iter()
        .map(|route| {
            let (rules, chain) = carried.next().unwrap_or_default();
            let columns = chain.iter().filter_map(|at| own_columns.get(*at));
            let columns = columns.flatten().cloned().collect();
            one(route, (rules, columns), (&defaults, tree), problems)
        })
        .collect();
    let place = file.routes.key_place.unwrap_or_default();
    formats::refuse_embedded(&written, &routes, tree, problems);
    let identity = file.identity.value();
    conflicts::report(&written, &routes, (place, identity), problems);
    routes
}

fn one(
    written: &Written<'_>,
    (rules, columns): (Vec<LabelRule>, Vec<ColumnRule>),
    (defaults, tree): (&Defaults, &LabelTree),
    problems: &mut Problems,
) -> Route {
    let file = written.file;
    names::check("route", &written.name.value, written.name.place, problems);
    let lines = file
        .matches
        .value()
        .map(|OneOrMany(lines)| lines.as_slice());
    let lines = lines.unwrap_or_default();
    let own_unreadable = unreadable(&file.unreadable, problems);
    let matches: Vec<RouteMatch> = lines
        .iter()
        .filter_map(|line| matches::read(line, problems))
        .collect();
    let route = Route {
        name: written.name.value.clone(),
        case: cases::parameter(&file.case, &matches, problems),
        matches,
        deny: file.deny.value().copied().unwrap_or_default(),
        params: params::params(file, (&rules, &columns), tree, problems),
        body: file.body.word().unwrap_or_default(),
        rules,
        columns,
        formats: formats::read(file, problems),
        required: selectors::read_all(list(&file.required), problems),
        query: params::query(&file.query, problems)
            .or_else(|| file.params.is_written().then(Vec::new)),
        unlabelled: file.unlabelled.word().unwrap_or(defaults.unlabelled),
        names: file.names.word().unwrap_or(defaults.names),
        unreadable: own_unreadable.unwrap_or_else(|| defaults.unreadable.clone()),
        write_back: file.write_back.word().unwrap_or(defaults.write_back),
        under: moved_under(file),
        records: several(&file.records, problems),
        subjects: several(&file.subjects, problems),
        receipt: file.receipt.value().copied().unwrap_or_default(),
        audit: file.audit.word().unwrap_or_default(),
        allow: list(&file.allow).iter().map(|at| at.value.0).collect(),
    };
    refuse_more_than_deny(&route, file, problems);
    refuse_long_lived(&route, file, problems);
    formats::judge(&route, file, problems);
    route
}

/// Where the labels of another route begin here. What is wrong with it was reported when it was followed.
fn moved_under(file: &RouteFile) -> Option<crate::Selector> {
    selectors::read(file.under.found.as_ref()?, &mut Problems::default())
}

fn list<T>(slot: &Slot<Vec<At<T>>>) -> &[At<T>] {
    slot.value().map(Vec::as_slice).unwrap_or_default()
}

fn several(slot: &Slot<OneOrMany<String>>, problems: &mut Problems) -> Vec<crate::Selector> {
    let texts = slot.value().map(|OneOrMany(texts)| texts.as_slice());
    selectors::read_all(texts.unwrap_or_default(), problems)
}

/// The labels that a route attaches itself.
fn own_rules(file: &RouteFile, tree: &LabelTree, problems: &mut Problems) -> Vec<LabelRule> {
    let Some(Entries {
        read: entries,
        unread,
    }) = file.label.value()
    else {
        return Vec::new();
    };
    selectors::read_all(unread, problems);
    let mut rules = Vec::new();
    for (text, OneOrMany(attached)) in entries {
        let selector = selectors::read(text, problems);
        let labels: Vec<_> = attached
            .iter()
            .filter_map(|name| labels::named(name, Naming::Declared, tree, problems))
            .collect();
        if let Some(selector) = selector {
            rules.push(LabelRule {
                selector,
                labels,
                written: text.value.clone(),
            });
        }
    }
    rules
}

/// What a body that cannot be read meets, with the content types checked.
fn unreadable(slot: &Slot<UnreadableFile>, problems: &mut Problems) -> Option<Unreadable> {
    match slot.value()? {
        UnreadableFile::Deny => Some(Unreadable::Deny),
        UnreadableFile::Allow(types) => {
            for content_type in types {
                if let Err((message, help)) = content_type_passes(&content_type.value) {
                    let message = format!("`{}` {message}", content_type.value);
                    problems
                        .add("PN026", content_type.place, message)
                        .help(help);
                }
            }
            let types = types.iter().map(|at| at.value.clone()).collect();
            Some(Unreadable::Allow(types))
        }
    }
}

/// SECURITY: a JSON type, or a wildcard that covers one, would let unredacted JSON through.
fn content_type_passes(text: &str) -> Result<(), (&'static str, &'static str)> {
    content_type_form(text).map_err(|form| ("is no exact content type", form))?;
    if text.contains("json") {
        let help = "a JSON body is redacted or refused; take it off the list";
        return Err(("is JSON and cannot pass unread", help));
    }
    if text == "text/event-stream" {
        let help = "give it a route of its own, without labels and with `allow: [sse]`";
        return Err(("is a stream without an end and cannot pass unread", help));
    }
    Ok(())
}

/// Whether a text is one exact content type; what to write otherwise.
fn content_type_form(text: &str) -> Result<(), &'static str> {
    let is_token = |part: &str| {
        let allowed = |b: u8| is_tchar(b) && !b.is_ascii_uppercase() && b != b'*';
        !part.is_empty() && part.bytes().all(allowed)
    };
    let is_type = text
        .split_once('/')
        .is_some_and(|(kind, subtype)| is_token(kind) && is_token(subtype));
    match is_type {
        true => Ok(()),
        false => Err("write one exact type in lower case, such as `image/png`"),
    }
}

/// A denied route has nothing but its matches.
fn refuse_more_than_deny(route: &Route, file: &RouteFile, problems: &mut Problems) {
    if !route.deny {
        return;
    }
    for (key, place) in file.written() {
        if key != "match" && key != "deny" {
            let message = format!("`{key}` has no effect on the denied route `{}`", route.name);
            problems
                .add("PN023", place, message)
                .help("remove it, or remove `deny`");
        }
    }
}

/// SECURITY: what is never read cannot be redacted, so a route that protects anything refuses it.
fn refuse_long_lived(route: &Route, file: &RouteFile, problems: &mut Problems) {
    let labelled = !route.rules.is_empty() || !route.columns.is_empty();
    let protects = labelled || route.unlabelled != Unlabelled::Show;
    if route.allow.is_empty() || !protects {
        return;
    }
    let message = format!(
        "route `{}` redacts fields and cannot let messages through that are not redacted",
        route.name
    );
    problems
        .add("PN025", file.allow.key_place.unwrap_or_default(), message)
        .help("give the protocol a route of its own, without labels and with `unlabelled: show`");
}
