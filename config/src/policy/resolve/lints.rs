//! Lint findings: what loads, and is probably not what was meant.

mod counting;
mod openness;
mod questions;

use std::collections::{BTreeMap, BTreeSet};

use crate::action::Action;
use crate::document::Place;
use crate::document::read::Entries;
use crate::labels::{Label, LabelTree};
use crate::policy::Policy;
use crate::policy::error::Problems;
use crate::policy::file::PolicyFile;
use crate::quota::Quota;
use crate::roles::{Because, Role};
use crate::routes::Route;
use crate::selector::ast::{Pick, Segment};

/// Adds a finding for each thing that looks forgotten.
pub(super) fn report(
    file: &PolicyFile,
    (tree, always): (&LabelTree, &BTreeMap<Label, Action>),
    roles: &BTreeMap<String, Role>,
    routes: &[Route],
    problems: &mut Problems,
) {
    let rules = routes.iter().flat_map(|route| &route.rules);
    let columns = routes.iter().flat_map(|route| &route.columns);
    let used: BTreeSet<&Label> = rules
        .flat_map(|rule| &rule.labels)
        .chain(columns.flat_map(|column| &column.labels))
        .collect();
    labels(file, tree, roles, &used, problems);
    silent_roles(file, tree, roles, &used, problems);
    loosened_roles(file, (tree, always), roles, problems);
    lists(file, routes, problems);
    questions::report(file, routes, problems);
    openness::report(file, routes, problems);
}

/// Adds a finding for each route that an export quota does not count as it was meant.
pub(super) fn uncounted(
    file: &PolicyFile,
    routes: &[Route],
    quotas: &[Quota],
    problems: &mut Problems,
) {
    counting::report(file, routes, quotas, problems);
}

fn labels(
    file: &PolicyFile,
    tree: &LabelTree,
    roles: &BTreeMap<String, Role>,
    used: &BTreeSet<&Label>,
    problems: &mut Problems,
) {
    let always: BTreeSet<&str> = keys(file.always.value()).collect();
    let is_always = |label: &Label| {
        let covering = tree.covering(label);
        covering
            .iter()
            .flatten()
            .any(|l| always.contains(l.as_str()))
    };
    let declared = file.labels.value().map(|entries| entries.read.as_slice());
    for (name, _) in declared.unwrap_or_default() {
        let label = Label(name.value.clone());
        let written = label.as_str();
        if !used.contains(&label) {
            problems
                .add(
                    "PN101",
                    name.place,
                    format!("label `{written}` is attached to no field"),
                )
                .help("attach it in a route's `label`, or remove it");
            continue;
        }
        if is_always(&label) || roles.is_empty() {
            continue;
        }
        let each: Vec<_> = roles.values().map(|r| r.action(tree, &label)).collect();
        if each
            .iter()
            .all(|(_, because)| *because == Because::NotMentioned)
        {
            let message = format!("label `{written}` is mentioned by no role, so nobody sees it");
            problems
                .add("PN104", name.place, message)
                .help("say so under `always`, or let a role see it");
        } else if each.iter().all(|(action, _)| *action == Action::Show) {
            let message =
                format!("label `{written}` is shown to every role, so it protects nothing");
            problems
                .add("PN105", name.place, message)
                .help("let a role see less, if one should");
        }
    }
}

fn keys<T>(entries: Option<&Entries<T>>) -> impl Iterator<Item = &str> {
    let entries = entries.map(|entries| entries.read.as_slice());
    entries
        .unwrap_or_default()
        .iter()
        .map(|(name, _)| name.value.as_str())
}

fn silent_roles(
    file: &PolicyFile,
    tree: &LabelTree,
    roles: &BTreeMap<String, Role>,
    used: &BTreeSet<&Label>,
    problems: &mut Problems,
) {
    if used.is_empty() {
        return;
    }
    let written = file.roles.value().map(|entries| entries.read.as_slice());
    for (name, _) in written.unwrap_or_default() {
        let Some(role) = roles.get(&name.value) else {
            continue;
        };
        let is_silent = |label: &&Label| role.action(tree, label).1 == Because::NotMentioned;
        if used.iter().all(is_silent) {
            let message = format!("role `{}` says nothing about any label in use", role.name);
            problems
                .add("PN102", name.place, message)
                .help("every labelled field is removed for it; if that is meant, say `remove`");
        }
    }
}

/// Roles that say something stricter than `always`, which beats them.
fn loosened_roles(
    file: &PolicyFile,
    (tree, always): (&LabelTree, &BTreeMap<Label, Action>),
    roles: &BTreeMap<String, Role>,
    problems: &mut Problems,
) {
    let written = file.roles.value().map(|entries| entries.read.as_slice());
    for (name, _) in written.unwrap_or_default() {
        let Some(role) = roles.get(&name.value) else {
            continue;
        };
        let loosened = tree.iter().find(|(label, _)| {
            let (says, because) = role.action(tree, label);
            let beaten = Policy::always_on(always, tree, label);
            because != Because::NotMentioned
                && beaten.is_some_and(|(_, action)| action.strictness(&says).is_lt())
        });
        if let Some((label, _)) = loosened {
            let (role, label) = (&role.name, label.as_str());
            let message = format!("`always` shows more of `{label}` than role `{role}` does");
            problems.add("PN106", name.place, message).help(
                "`always` beats every role: make it stricter, or leave the label to the roles",
            );
        }
    }
}

fn lists(file: &PolicyFile, routes: &[Route], problems: &mut Problems) {
    let written = file.routes.value().map(|entries| entries.read.as_slice());
    for ((name, source), route) in written.unwrap_or_default().iter().zip(routes) {
        let under: Option<Place> = source
            .under
            .found
            .as_ref()
            .filter(|at| at.value.ends_with("[*]"))
            .map(|at| at.place);
        let is_root_list = |segments: &[Segment]| matches!(segments.first(), Some(Segment::Child(picks)) if picks.contains(&Pick::Wildcard));
        let is_list = under.is_some()
            || route
                .rules
                .iter()
                .any(|rule| is_root_list(rule.selector.segments()));
        if is_list && route.records.is_empty() {
            let message = format!(
                "route `{}` answers with a list and has no `records`",
                route.name
            );
            problems
                .add("PN103", under.unwrap_or(name.place), message)
                .help("add `records:` with the selector of the list's elements");
        }
    }
}
