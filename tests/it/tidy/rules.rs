//! Rules about single files: each takes a path and a text and returns its offences.

use std::fmt;

/// Words that must not be on main, split so that this file does not offend itself.
const LEFTOVERS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("to", "do!("),
    concat!("unimple", "mented!("),
    concat!("db", "g!("),
    concat!("#[ign", "ore"),
    concat!("should_", "panic"),
    concat!("thread::", "sleep("),
];

/// Names that say nothing about what is inside.
const DRAWERS: &[&str] = &[
    "util", "utils", "common", "core", "types", "misc", "helpers", "mod",
];

/// Folders of one machine that have no business in a tracked file.
const MACHINE: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/fa", "rm/"),
];

/// One broken rule.
pub(super) struct Offence {
    pub(super) path: String,
    pub(super) line: usize,
    pub(super) what: String,
}

impl fmt::Display for Offence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// An offence at a line of a file.
pub(super) fn offence(path: &str, line: usize, what: impl Into<String>) -> Offence {
    Offence {
        path: path.to_owned(),
        line,
        what: what.into(),
    }
}

/// A file says first what it is for.
pub(super) fn opens_with_module_docs(path: &str, text: &str) -> Vec<Offence> {
    let opens = text.starts_with("//!");
    if opens {
        Vec::new()
    } else {
        vec![offence(path, 1, "does not open with `//!`")]
    }
}

/// A file that no longer fits in a head is split.
pub(super) fn at_most_400_lines(path: &str, text: &str) -> Vec<Offence> {
    let lines = text.lines().count();
    if lines <= 400 {
        Vec::new()
    } else {
        vec![offence(path, 400, format!("has {lines} lines"))]
    }
}

/// Nothing unfinished, skipped or waiting for time to pass.
pub(super) fn no_leftovers(path: &str, text: &str) -> Vec<Offence> {
    let lines = text.lines().enumerate();
    lines
        .flat_map(|(index, line)| {
            let found = LEFTOVERS.iter().filter(move |word| line.contains(**word));
            found.map(move |word| offence(path, index + 1, format!("leftover `{word}`")))
        })
        .collect()
}

/// No file is a drawer, and modules are named files.
pub(super) fn no_drawers(path: &str, _text: &str) -> Vec<Offence> {
    let stem = path
        .rsplit('/')
        .next()
        .and_then(|name| name.strip_suffix(".rs"))
        .unwrap_or_default();
    if DRAWERS.contains(&stem) {
        vec![offence(path, 1, "is a drawer")]
    } else {
        Vec::new()
    }
}

/// No path of one machine.
pub(super) fn no_machine_paths(path: &str, text: &str) -> Vec<Offence> {
    let mut offences = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for folder in MACHINE {
            let found = line.match_indices(folder).any(|(at, _)| {
                let before = line.split_at(at).0.chars().next_back();
                !before.is_some_and(|c| c.is_ascii_alphanumeric() || "_.".contains(c))
            });
            if found && path != "Cargo.lock" {
                offences.push(offence(path, index + 1, format!("names `{folder}`")));
            }
        }
    }
    offences
}
