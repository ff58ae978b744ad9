//! The JSON engine against what one would build first, as ratios from one run.
//!
//! Samples are interleaved: each round runs every engine once, and each engine's best round counts, so
//! that a noisy neighbour hits all of them alike. Absolute figures are of this machine only; the ratios
//! are what is compared.
//!
//! ```text
//! cargo bench --bench engine                    # a generated list of 200 cases, some public documents
//! cargo bench --bench engine -- large           # also a list of 10,000 cases
//! cargo bench --bench engine -- 'allow-list'    # only rows whose name contains this
//! ```

mod documents;
mod engines;
mod rule_sets;
mod sampling;

use documents::Input;
use engines::Engines;
use rule_sets::RuleSet;
use sampling::{Row, Sampler};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words = || arguments.iter().filter(|word| !word.starts_with('-'));
    let large = words().any(|word| word == "large");
    let wanted = |name: &str| {
        let mut filters = words().filter(|word| *word != "large").peekable();
        filters.peek().is_none() || filters.any(|word| name.contains(word.as_str()))
    };
    print_head();
    for input in documents::inputs(large) {
        for rules in rule_sets::of(&input) {
            let name = format!("{} / {}", input.name, rules.name);
            if wanted(&name) {
                print_row(&name, &measure(&input, &rules));
            }
        }
    }
}

fn measure(input: &Input, rules: &RuleSet) -> Row {
    let engines = Engines::new(rules);
    let document = input.text.as_slice();
    let mut sampler = Sampler::new(document.len());
    while sampler.wants_more() {
        sampler.postern(|| engines.postern(document));
        sampler.rival(rules, || engines.serde_and_jsonpath(document));
        sampler.skipping(|| engines::skip(document));
        sampler.parsing(|| engines::parse(document));
    }
    sampler.row()
}

#[expect(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]
fn print_head() {
    println!(
        "GB/s, best of interleaved rounds. (b): serde_json + jsonpath-rust, parse, query, replace, \
         serialise.\nskip: serde_json IgnoredAny (it does not check UTF-8). parse: serde_json Value. Postern: \
         64 KiB chunks, full validation, output copied.\n"
    );
    println!(
        "{:<42} {:>8} {:>8} {:>8} {:>8}   {:>9} {:>9} {:>9}",
        "input / rules", "Postern", "(b)", "skip", "parse", "to (b)", "to skip", "to parse"
    );
}

#[expect(
    clippy::print_stdout,
    reason = "a benchmark's result is what it prints"
)]
fn print_row(name: &str, row: &Row) {
    let ratio = |other: Option<f64>| match other {
        Some(other) => format!("{:.2} x", row.postern / other),
        None => "-".to_owned(),
    };
    let speed = |speed: Option<f64>| match speed {
        Some(speed) => format!("{speed:.3}"),
        None => "-".to_owned(),
    };
    println!(
        "{name:<42} {:>8} {:>8} {:>8} {:>8}   {:>9} {:>9} {:>9}",
        speed(Some(row.postern)),
        speed(row.rival),
        speed(Some(row.skipping)),
        speed(Some(row.parsing)),
        ratio(row.rival),
        ratio(Some(row.skipping)),
        ratio(Some(row.parsing)),
    );
}
