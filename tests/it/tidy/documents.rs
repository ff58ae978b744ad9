//! What documents promise: the paths and places they name exist, and each limit they list is tested.

use std::fs;
use std::path::Path;

use super::rules::{Offence, offence};
use super::tree::{File, Tree};

/// The documents whose paths must exist; a decision may name what has gone since.
const DOCUMENTS: &[&str] = &["README.md", "ARCHITECTURE.md", "CHANGELOG.md"];
/// Folders whose documents' paths must exist as well.
const FOLDERS: &[&str] = &["docs/guide/", "docs/operate/", "docs/reference/"];

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
pub(super) fn dead_paths(tree: &Tree, root: &Path) -> Vec<Offence> {
    let documents = markdown(tree).filter(|file| {
        DOCUMENTS.contains(&file.path.as_str())
            || FOLDERS.iter().any(|folder| file.path.starts_with(folder))
    });
    let mut offences = Vec::new();
    for document in documents {
        for (index, line) in document.text.lines().enumerate() {
            for path in paths(line).filter(|path| !root.join(path).exists()) {
                let message = format!("`{path}` does not exist");
                offences.push(offence(&document.path, index + 1, message));
            }
        }
    }
    offences
}

/// Every link to a file, or to a place in one, that does not exist.
pub(super) fn dead_links(tree: &Tree, root: &Path) -> Vec<Offence> {
    let mut offences = Vec::new();
    for document in markdown(tree) {
        let folder = Path::new(&document.path).parent().unwrap();
        for (line, target) in links(&document.text) {
            let (path, place) = target.split_once('#').unwrap_or((target, ""));
            let file = match path {
                "" => root.join(&document.path),
                path => root.join(folder).join(path),
            };
            let text = || fs::read_to_string(&file).unwrap_or_default();
            if !file.exists() || !place.is_empty() && !places(&text()).any(|named| named == place) {
                let message = format!("the link `{target}` leads nowhere");
                offences.push(offence(&document.path, line, message));
            }
        }
    }
    offences
}

/// The documents among the files.
fn markdown(tree: &Tree) -> impl Iterator<Item = &File> {
    tree.files().filter(|file| file.path.ends_with(".md"))
}

/// Each link of a document that stays here, with its line.
fn links(text: &str) -> impl Iterator<Item = (usize, &str)> {
    prose(text).flat_map(|(line, text)| {
        let targets = text.split("](").skip(1);
        let targets = targets.filter_map(|rest| rest.split([')', ' ']).next());
        let ours = targets.filter(|target| !target.contains(':'));
        ours.map(move |target| (line, target))
    })
}

/// The places of a document that a link can name: its headings, as forges spell them.
fn places(text: &str) -> impl Iterator<Item = String> {
    prose(text).filter_map(|(_, line)| {
        let heading = line.trim_start_matches('#').strip_prefix(' ')?;
        let kept = heading.to_lowercase();
        let kept = kept
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        let place = kept.map(|c| if c == ' ' { '-' } else { c }).collect();
        line.starts_with('#').then_some(place)
    })
}

/// The lines outside of code, counted from 1.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut code = false;
    let lines = text.lines().enumerate();
    lines.filter_map(move |(index, line)| {
        let fence = line.trim_start().starts_with("```");
        code ^= fence;
        (!code && !fence).then_some((index + 1, line))
    })
}

/// The paths of ours that a line names in backticks.
fn paths(line: &str) -> impl Iterator<Item = String> {
    let quoted = line.split('`').skip(1).step_by(2);
    let ours = quoted.filter(|text| {
        let top = text.split('/').next().unwrap_or_default();
        text.contains('/') && TOP.contains(&top) && !text.contains([' ', '*', '{', '<', '…', '('])
    });
    ours.map(|text| text.trim_end_matches('/').to_owned())
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
