//! The case files, and what each expects.

use std::fs;
use std::path::{Path, PathBuf};

use postern_config::{Policy, PolicyErrors, Server};

pub(super) fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The `.yaml` files of a folder of the repository, by name.
pub(super) fn files(folder: &str) -> Vec<(String, String)> {
    let mut found: Vec<(String, String)> = fs::read_dir(repository().join(folder))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "yaml"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    found.sort();
    assert!(!found.is_empty(), "no cases in {folder}");
    found
}

/// A policy of the cases that load.
pub(super) fn good(name: &str) -> Policy {
    let (_, text) = files("tests/cases/policy/good")
        .into_iter()
        .find(|(file, _)| file == name)
        .unwrap();
    Policy::parse(name, &text).unwrap()
}

pub(super) fn is_server(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("upstream:"))
}

pub(super) fn parse(name: &str, text: &str) -> Result<(), PolicyErrors> {
    if is_server(text) {
        Server::parse(name, text).map(|_| ())
    } else {
        Policy::parse(name, text).map(|_| ())
    }
}

/// The codes after `# expect:` in a case's first line.
pub(super) fn expected(name: &str, text: &str) -> Vec<String> {
    let first = text.lines().next().unwrap_or_default();
    let codes = first
        .strip_prefix("# expect:")
        .unwrap_or_else(|| panic!("{name} does not say what it expects"));
    codes.split_whitespace().map(str::to_owned).collect()
}

pub(super) fn found(errors: &PolicyErrors) -> Vec<String> {
    let mut codes: Vec<String> = errors.errors.iter().map(|e| e.code.to_owned()).collect();
    codes.sort();
    codes
}
