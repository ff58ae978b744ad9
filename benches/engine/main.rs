//! The JSON engine against what one would use instead, as ratios from one interleaved run.
//!
//! Each round runs every entrant, and each entrant's best run counts, so that a noisy neighbour hits
//! all of them alike. Absolute figures are of this machine only; the ratios are what is compared.
//! Before a row is timed, everything that redacts must have made the same document.
//!
//! ```text
//! cargo bench -p postern-benches --bench engine                    # every table
//! cargo bench -p postern-benches --bench engine -- large           # also a list of 10,000 cases
//! cargo bench -p postern-benches --bench engine -- 'allow-list'    # only rows whose name contains this
//! ```

mod rivals;
mod sampling;
mod stage1;
mod tables;
mod walk;

use postern_benches::documents;
use postern_benches::rule_sets;

use stage1::Stage1;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words = || arguments.iter().filter(|word| !word.starts_with('-'));
    let large = words().any(|word| word == "large");
    let wanted = |name: &str| {
        let mut filters = words().filter(|word| *word != "large").peekable();
        filters.peek().is_none() || filters.any(|word| name.contains(word.as_str()))
    };
    let folder = std::env::temp_dir().join(format!("postern-engine-{}", std::process::id()));
    let stage1 = std::fs::create_dir_all(&folder)
        .ok()
        .and_then(|()| Stage1::compile(&folder));
    tables::print_heads(stage1.is_some());
    for input in documents::inputs(large) {
        for rules in rule_sets::of(&input) {
            if wanted(&format!("{} / {}", input.name, rules.name)) {
                tables::speeds(&input, &rules, stage1.as_ref());
            }
        }
    }
    if wanted("chunks") {
        tables::chunks();
    }
    if wanted("small body") {
        tables::small_body();
    }
    // Nothing depends on the folder any more.
    std::fs::remove_dir_all(folder).ok();
}
