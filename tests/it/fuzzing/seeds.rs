//! Inputs to begin with: what the repository's own cases hold, generated ones, and the public suites
//! where they are.

use std::fs;
use std::path::{Path, PathBuf};

use crate::generated::case::{Case, Profile};
use crate::generated::random::Random;

/// Generated cases from which documents or selectors are taken.
const GENERATED: u64 = 150;

/// The repository's root, also for the crate in `filters/fuzz`.
fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here
        .ancestors()
        .find(|folder| folder.join("tests/cases").is_dir());
    root.unwrap_or(here).to_path_buf()
}

/// The files below a folder, in order; none where there is no such folder.
fn files(folder: &Path) -> Vec<Vec<u8>> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
        .iter()
        .filter_map(|path| fs::read(path).ok())
        .collect()
}

/// A folder of the public suites, or one that does not exist.
fn suite(name: &str) -> PathBuf {
    let root = repository();
    let corpus = std::env::var_os("POSTERN_CORPUS");
    let corpus = corpus.map_or_else(|| root.join("../shared/corpus"), |given| root.join(given));
    corpus.join(name)
}

/// Inputs that once were a finding of this target.
pub(crate) fn findings(target: &str) -> Vec<Vec<u8>> {
    files(&repository().join("tests/cases/fuzz").join(target))
}

/// The values that written cases give a key, as they stand between single quotes.
fn written(key: &str) -> Vec<String> {
    let begin = format!("{key} = '");
    let texts = files(&repository().join("tests/cases/json"));
    let texts = texts.iter().map(|text| String::from_utf8_lossy(text));
    let values = texts.flat_map(|text| {
        let lines = text.lines();
        let values = lines.filter_map(|line| line.strip_prefix(&begin)?.strip_suffix('\''));
        values.map(str::to_owned).collect::<Vec<_>>()
    });
    values.collect()
}

fn generated() -> impl Iterator<Item = Case> {
    (0..GENERATED).map(|number| {
        let mut random = Random::of_case(0x5eed, number);
        let profile = Profile::any(&mut random);
        Case::generate(&mut random, profile)
    })
}

/// JSON documents, valid and not.
pub(crate) fn documents() -> Vec<Vec<u8>> {
    let mut all: Vec<Vec<u8>> = written("document")
        .into_iter()
        .map(String::into_bytes)
        .collect();
    all.extend(generated().map(|case| case.document));
    let public = files(&suite("json-parsing/test_parsing"));
    all.extend(public.into_iter().filter(|document| document.len() < 5_000));
    all
}

/// Selectors.
pub(crate) fn selectors() -> Vec<String> {
    generated()
        .flat_map(|case| case.rules)
        .map(|(selector, _)| selector)
        .collect()
}

/// Policies, valid and not, and server files.
pub(crate) fn policies() -> Vec<Vec<u8>> {
    let root = repository();
    let folders = [
        "docs/examples",
        "tests/cases/policy/good",
        "tests/cases/policy/lint",
        "tests/cases/policy/bad",
        "tests/cases/policy/server",
    ];
    folders
        .into_iter()
        .flat_map(|folder| files(&root.join(folder)))
        .collect()
}
