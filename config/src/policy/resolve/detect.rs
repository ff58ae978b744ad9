//! The `detect` section: what is searched for by label, and that every use of the action has an entry.

use std::collections::{BTreeMap, BTreeSet};

use super::labels::{self, Naming};
use crate::action::Action;
use crate::detect::{Detection, Detector, PATTERNS_MAX, Pattern};
use crate::document::Place;
use crate::document::read::{At, Entries, OneOrMany};
use crate::labels::{Label, LabelTree};
use crate::policy::Policy;
use crate::policy::error::Problems;
use crate::policy::file::{ActionFile, DetectFile, PatternFile, PolicyFile, SoughtFile};
use crate::roles::{Because, Role};

/// Every entry, by label.
pub(super) fn all(
    file: &PolicyFile,
    tree: &LabelTree,
    problems: &mut Problems,
) -> BTreeMap<Label, Detection> {
    let mut detect = BTreeMap::new();
    let Some(entries) = file.detect.value() else {
        return detect;
    };
    for name in &entries.unread {
        labels::named(name, Naming::Covering, tree, problems);
    }
    for (name, entry) in &entries.read {
        let label = labels::named(name, Naming::Covering, tree, problems);
        let (find, patterns) = find(entry, problems);
        let then = then(entry, problems);
        if let (Some(label), Some(then)) = (label, then) {
            detect.insert(label, Detection::new(find, then).with_patterns(patterns));
        }
    }
    detect
}

/// The kinds of data and the patterns that an entry lists, each once.
fn find(entry: &DetectFile, problems: &mut Problems) -> (BTreeSet<Detector>, Vec<Pattern>) {
    let (mut find, mut patterns) = (BTreeSet::new(), Vec::new());
    let listed = entry
        .find
        .value()
        .map(|OneOrMany(listed)| listed.as_slice());
    for At { value, place } in listed.unwrap_or_default() {
        let (is_new, name) = match value {
            SoughtFile::Kind(kind) => (find.insert(*kind), kind.word()),
            SoughtFile::Pattern(file) => {
                let Some(pattern) = pattern(file, problems) else {
                    continue;
                };
                if patterns.len() == PATTERNS_MAX {
                    let message = format!("an entry has at most {PATTERNS_MAX} patterns");
                    problems.add("PN064", *place, message).help(
                        "join some with `|`, or attach a second label with an entry of its own",
                    );
                    break;
                }
                let is_new = !patterns.contains(&pattern);
                patterns.push(pattern);
                (is_new, file.pattern.value().map_or("", String::as_str))
            }
        };
        if !is_new {
            let message = format!("`{name}` is listed twice");
            problems.add("PN061", *place, message);
        }
    }
    (find, patterns)
}

/// A pattern that can be searched for.
fn pattern(file: &PatternFile, problems: &mut Problems) -> Option<Pattern> {
    let At { value, place } = file.pattern.found.as_ref()?;
    match Pattern::parse(value) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let code = if error.is_limit() { "PN064" } else { "PN063" };
            problems
                .add(code, *place, error.to_string())
                .help(error.help());
            None
        }
    }
}

fn then(entry: &DetectFile, problems: &mut Problems) -> Option<Action> {
    let At { value, place } = entry.then.value()?;
    if !Detection::fits(&value.0) {
        problems
            .add(
                "PN062",
                *place,
                "this action puts nothing in place of a text",
            )
            .help("one of `mask`, `last4`, `pseudonym`, `redact`, `remove`");
        return None;
    }
    Some(value.0.clone())
}

/// Reports each rule that says `detect` for a label in which nobody says what to search for.
pub(super) fn covers_every_use(
    file: &PolicyFile,
    (tree, always): (&LabelTree, &BTreeMap<Label, Action>),
    (detect, roles): (&BTreeMap<Label, Detection>, &BTreeMap<String, Role>),
    problems: &mut Problems,
) {
    // What is written and wrong has been reported already.
    let entries = file.detect.value();
    let written: BTreeSet<&str> = entries
        .into_iter()
        .flat_map(|entries| {
            let read = entries.read.iter().map(|(name, _)| name);
            read.chain(&entries.unread)
        })
        .map(|name| name.value.as_str())
        .collect();
    let mut reported = BTreeSet::new();
    for (label, _) in tree.iter() {
        let covering = tree.covering(label);
        let mut levels = covering.iter().flatten();
        let known = Policy::detection_of(detect, tree, label).is_some()
            || levels.any(|covering| written.contains(covering.as_str()));
        if known {
            continue;
        }
        for place in uses(file, (tree, always), roles, label) {
            if reported.insert((place.line, place.column)) {
                let message = format!("nothing says what to search for in `{}`", label.as_str());
                problems
                    .add("PN060", place, message)
                    .help("add an entry for it, or for a label that covers it, under `detect`");
            }
        }
    }
}

/// Where rules stand by which somebody sees a label through `detect`.
fn uses(
    file: &PolicyFile,
    (tree, always): (&LabelTree, &BTreeMap<Label, Action>),
    roles: &BTreeMap<String, Role>,
    label: &Label,
) -> Vec<Place> {
    if let Some((named, action)) = Policy::always_on(always, tree, label) {
        let place = place_of(file.always.value(), &named);
        return place
            .into_iter()
            .filter(|_| action == Action::Detect)
            .collect();
    }
    let of_role = |role: &Role| match role.action(tree, label) {
        (Action::Detect, Because::Sees { role, label }) => {
            let written = file.roles.value()?.read.iter();
            let (_, found) = written.into_iter().find(|(name, _)| name.value == role)?;
            place_of(found.sees.value(), &label)
        }
        _ => None,
    };
    roles.values().filter_map(of_role).collect()
}

fn place_of(rules: Option<&Entries<At<ActionFile>>>, label: &Label) -> Option<Place> {
    let mut written = rules?.read.iter();
    let found = written.find(|(name, _)| name.value == label.as_str());
    found.map(|(_, action)| action.place)
}

/// Adds a finding for each entry that searches nothing, since nobody sees its label through `detect`.
pub(super) fn lint(
    file: &PolicyFile,
    (tree, always): (&LabelTree, &BTreeMap<Label, Action>),
    roles: &BTreeMap<String, Role>,
    problems: &mut Problems,
) {
    let written = file.detect.value().map(|entries| entries.read.as_slice());
    for (name, _) in written.unwrap_or_default() {
        let entry = Label(name.value.clone());
        let covered = tree
            .iter()
            .filter(|(label, _)| tree.covering(label).iter().flatten().any(|l| *l == entry));
        let used = covered
            .into_iter()
            .any(|(label, _)| !uses(file, (tree, always), roles, label).is_empty());
        if !used && !roles.is_empty() {
            let message = format!("no role sees `{}` through `detect`", name.value);
            problems
                .add("PN109", name.place, message)
                .help("let a role see it with `detect`, or remove the entry");
        }
    }
}
