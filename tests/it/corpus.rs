//! Where the public suites are, and what their absence means.

use std::path::PathBuf;

/// A folder of the corpus, or `None` when there is no corpus here.
///
/// `POSTERN_CORPUS` names the corpus, by default `../shared/corpus` from the repository. With
/// `POSTERN_REQUIRE_CORPUS=1` its absence is a failure.
pub(crate) fn folder(name: &str) -> Option<PathBuf> {
    let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let corpus = std::env::var_os("POSTERN_CORPUS").map_or_else(
        || repository.join("../shared/corpus"),
        |given| repository.join(given),
    );
    let folder = corpus.join(name);
    if folder.is_dir() {
        return Some(folder);
    }
    let required = std::env::var("POSTERN_REQUIRE_CORPUS").is_ok_and(|value| value == "1");
    assert!(!required, "the corpus has no folder `{name}`");
    println!("not checked: the corpus has no folder `{name}` (see POSTERN_CORPUS)");
    None
}
