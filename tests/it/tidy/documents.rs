//! What documents promise: the paths they name exist, and each limit they list is tested.

use std::fs;
use std::path::Path;

use super::rules::{Offence, offence};
use super::tree::Tree;

/// The documents whose paths must exist.
const DOCUMENTS: &[&str] = &["README.md", "ARCHITECTURE.md", "CHANGELOG.md"];

/// Files and folders at the top that a path in a document may begin with.
const TOP: &[&str] = &[
    "config",
    "filters",
    "proxy",
    "audit",
    "tests",
    "benches",
    "docs",
    ".ci",
    "Dockerfile",
    "dev",
];

/// Every path in backticks that does not exist.
pub(super) fn dead_paths(root: &Path) -> Vec<Offence> {
    let mut offences = Vec::new();
    for document in DOCUMENTS {
        let text = fs::read_to_string(root.join(document)).unwrap();
        for (index, line) in text.lines().enumerate() {
            for path in paths(line) {
                if !root.join(&path).exists() {
                    offences.push(offence(
                        document,
                        index + 1,
                        format!("`{path}` does not exist"),
                    ));
                }
            }
        }
    }
    offences
}

/// The paths of ours that a line names in backticks.
fn paths(line: &str) -> Vec<String> {
    let quoted = line.split('`').skip(1).step_by(2);
    let ours = quoted.filter(|text| {
        let top = text.split('/').next().unwrap_or_default();
        text.contains('/') && TOP.contains(&top) && !text.contains([' ', '*', '{', '<', '…', '('])
    });
    ours.map(|text| text.trim_end_matches('/').to_owned())
        .collect()
}

/// Every limit of the server file that no test names.
pub(super) fn untested_limits(tree: &Tree) -> Vec<Offence> {
    let source = tree
        .files()
        .find(|file| file.path == "config/src/server.rs")
        .unwrap();
    let body = source
        .text
        .split("pub struct Limits {")
        .nth(1)
        .unwrap()
        .split("\n}")
        .next()
        .unwrap();
    let fields = body.lines().filter_map(|line| {
        Some(
            line.trim()
                .strip_prefix("pub ")?
                .split(':')
                .next()?
                .to_owned(),
        )
    });
    let tests: Vec<&str> = tree
        .rust()
        .filter_map(|file| {
            let whole = file.path.starts_with("tests/")
                || file.path.contains("/tests/")
                || file.path.ends_with("/tests.rs");
            if whole {
                Some(file.text.as_str())
            } else {
                file.text.split_once("#[cfg(test)]").map(|t| t.1)
            }
        })
        .collect();
    fields
        .filter(|field| !tests.iter().any(|text| text.contains(field.as_str())))
        .map(|field| {
            offence(
                "config/src/server.rs",
                1,
                format!("no test names the limit `{field}`"),
            )
        })
        .collect()
}
