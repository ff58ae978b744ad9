//! Labels: the declared tree, and the names that rules use for parts of it.

use std::collections::{BTreeMap, BTreeSet};

use super::names;
use crate::action::Action;
use crate::document::Place;
use crate::document::read::{At, Entries};
use crate::labels::{Label, LabelEntry, LabelTree};
use crate::policy::error::Problems;
use crate::policy::file::{ActionFile, PolicyFile};

/// Which labels a place may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Naming {
    /// Declared labels only.
    Declared,
    /// Declared labels, and what covers one of them.
    Covering,
}

/// Every declared label, with its parents resolved and no circle.
pub(super) fn tree(file: &PolicyFile, problems: &mut Problems) -> LabelTree {
    let mut tree = LabelTree::default();
    let Some(Entries {
        read: declared,
        unread,
    }) = file.labels.value()
    else {
        return tree;
    };
    for (name, entry) in declared {
        if names::check("label", &name.value, name.place, problems) {
            let about = entry.about.clone();
            let parents = entry.parents.iter().map(|at| Label(at.value.clone()));
            let parents = parents.collect();
            let label = Label(name.value.clone());
            let entry = LabelEntry {
                about,
                parents,
                embedded: entry.embedded,
            };
            tree.entries.insert(label, entry);
        }
    }
    for name in unread {
        let label = Label(name.value.clone());
        tree.entries.entry(label).or_default();
    }
    for (name, entry) in declared {
        for parent in &entry.parents {
            named(parent, Naming::Covering, &tree, problems);
        }
        if !entry.parents.is_empty() && covers_itself(&tree, &name.value) {
            let message = format!("label `{}` covers itself through its parents", name.value);
            problems
                .add("PN011", name.place, message)
                .help("take one of the `parents` in the circle out");
        }
    }
    tree
}

/// Whether `name` is reached again from what covers it directly.
fn covers_itself(tree: &LabelTree, name: &str) -> bool {
    let label = Label(name.to_owned());
    let above = tree.covering(&label);
    // INVARIANT: `covering` lists each label once, so the walk ends, circle or not.
    above
        .iter()
        .flatten()
        .any(|covering| tree.covers_directly(covering).contains(&label))
}

/// What `always` says, by label.
pub(super) fn always(
    file: &PolicyFile,
    tree: &LabelTree,
    problems: &mut Problems,
) -> BTreeMap<Label, Action> {
    let Some(entries) = file.always.value() else {
        return BTreeMap::new();
    };
    for (_, action) in &entries.read {
        if action.value.0 == Action::Show {
            problems
                .add("PN015", action.place, "`always` may not show a label")
                .help("leave it out here and let each role say what it sees");
        }
    }
    rules(entries, tree, problems)
}

/// Actions by label, with the names resolved.
pub(super) fn rules(
    entries: &Entries<At<ActionFile>>,
    tree: &LabelTree,
    problems: &mut Problems,
) -> BTreeMap<Label, Action> {
    let mut rules = BTreeMap::new();
    // What a rule says that cannot be read has been reported; what it is about has not.
    for name in &entries.unread {
        named(name, Naming::Covering, tree, problems);
    }
    for (name, action) in &entries.read {
        if let Some(label) = named(name, Naming::Covering, tree, problems) {
            rules.insert(label, action.value.0.clone());
        }
    }
    rules
}

/// The label of this name, if this place may name it.
pub(super) fn named(
    name: &At<String>,
    naming: Naming,
    tree: &LabelTree,
    problems: &mut Problems,
) -> Option<Label> {
    let label = Label(name.value.clone());
    let known = match naming {
        Naming::Declared => tree.contains(&label),
        Naming::Covering => tree.contains(&label) || covers_any(tree, &label),
    };
    if known {
        return Some(label);
    }
    undeclared(name, naming, tree, problems);
    None
}

fn covers_any(tree: &LabelTree, label: &Label) -> bool {
    let prefix = format!("{}.", label.as_str());
    tree.entries
        .keys()
        .any(|declared| declared.as_str().starts_with(&prefix))
}

fn undeclared(name: &At<String>, naming: Naming, tree: &LabelTree, problems: &mut Problems) {
    let written = &name.value;
    if naming == Naming::Declared && covers_any(tree, &Label(written.clone())) {
        let message = format!("`{written}` is no label of its own, only the beginning of some");
        problems
            .add("PN010", name.place, message)
            .help("attach one of the declared labels, or declare this one too");
        return;
    }
    let message = format!("label `{written}` is not declared");
    let place: Place = name.place;
    let mut known: BTreeSet<&str> = tree.entries.keys().map(Label::as_str).collect();
    if naming == Naming::Covering {
        let prefixes = tree.entries.keys().filter_map(|l| l.0.rsplit_once('.'));
        known.extend(prefixes.map(|(prefix, _)| prefix).collect::<Vec<_>>());
    }
    let draft = problems.add("PN010", place, message);
    if known.is_empty() {
        draft.help("declare it under `labels`");
    } else {
        draft.choose_from(written, known.into_iter());
    }
}
