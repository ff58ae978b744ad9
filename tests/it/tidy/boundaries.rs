//! Crate boundaries: imports point one way, and the pure crates stay pure.

use std::fs;
use std::path::Path;

use super::rules::{Offence, offence};

/// For each crate, the crates of ours that it may depend on.
const ALLOWED: &[(&str, &[&str])] = &[
    ("config", &[]),
    ("audit", &[]),
    ("filters", &["postern-config"]),
    ("benches", &["postern-config", "postern-filters"]),
    (
        "proxy",
        &["postern-audit", "postern-config", "postern-filters"],
    ),
];

/// What no pure crate names: IO, time, threads, logging and the crates that do them.
const IMPURE: &[&str] = &[
    "std::fs",
    "std::net",
    "std::thread",
    "std::process",
    "std::env",
    "std::time::Instant",
    "std::time::SystemTime",
    "tokio",
    "pingora",
    "tracing",
    "reqwest",
    "hyper",
];

/// What else a crate must not name.
const UPWARD: &[(&str, &[&str])] = &[
    (
        "config/",
        &["postern_filters", "postern_proxy", "postern_audit"],
    ),
    ("filters/", &["postern_proxy", "postern_audit"]),
    (
        "audit/",
        &["postern_config", "postern_filters", "postern_proxy"],
    ),
];

/// Every dependency on a crate of ours that the picture does not have.
pub(super) fn dependencies(root: &Path) -> Vec<Offence> {
    let mut offences = Vec::new();
    for (folder, allowed) in ALLOWED {
        let path = format!("{folder}/Cargo.toml");
        let manifest: toml::Table = fs::read_to_string(root.join(&path))
            .unwrap()
            .parse()
            .unwrap();
        let table = manifest["dependencies"].as_table().unwrap();
        for name in table.keys().filter(|name| name.starts_with("postern-")) {
            if !allowed.contains(&name.as_str()) {
                offences.push(offence(&path, 1, format!("must not depend on `{name}`")));
            }
        }
    }
    offences
}

/// Every line of a pure crate's product code that names IO, time, threads or a crate above it.
pub(super) fn pure_sources(path: &str, text: &str) -> Vec<Offence> {
    let pure = ["config/src/", "filters/src/"]
        .iter()
        .any(|folder| path.starts_with(folder));
    let upward = UPWARD
        .iter()
        .filter(|(folder, _)| path.starts_with(folder))
        .flat_map(|(_, names)| *names);
    let banned: Vec<&str> = upward
        .copied()
        .chain(IMPURE.iter().filter(|_| pure).copied())
        .collect();
    let product = text.split("#[cfg(test)]").next().unwrap_or_default();
    let code = product
        .lines()
        .enumerate()
        .filter(|(_, line)| !line.trim_start().starts_with("//"));
    code.flat_map(|(index, line)| {
        let found = banned.iter().filter(move |name| names_path(line, name));
        found.map(move |name| offence(path, index + 1, format!("names `{name}`")))
    })
    .collect()
}

/// Whether a line of code uses `name` as the start of a path.
fn names_path(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let (head, tail) = line.split_at(at);
        let before = head.chars().next_back();
        let rest = tail.strip_prefix(name).unwrap_or_default();
        let after = rest.chars().next();
        let starts = !before.is_some_and(|c| c.is_alphanumeric() || "_:.\"`".contains(c));
        let ends = !after.is_some_and(|c| c.is_alphanumeric() || c == '_');
        starts && ends && (line.contains("use ") || rest.starts_with("::"))
    })
}
