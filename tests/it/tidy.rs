//! The repository checks itself: module docs, sizes, crate boundaries, leftovers, scripts, examples and the
//! paths that the documents name. Each rule is a pure function from a file to its offences, so that
//! each can be shown to fail on a planted offence.

mod boundaries;
mod documents;
mod rules;
mod scripts;
mod tree;

use rules::Offence;
use tree::{Tree, repository};

fn assert_none(offences: &[Offence]) {
    let list: Vec<String> = offences.iter().map(ToString::to_string).collect();
    assert!(
        list.is_empty(),
        "{} offence(s):\n{}",
        list.len(),
        list.join("\n")
    );
}

fn over_rust(rule: fn(&str, &str) -> Vec<Offence>) -> Vec<Offence> {
    let tree = Tree::of(&repository());
    tree.rust()
        .flat_map(|file| rule(&file.path, &file.text))
        .collect()
}

#[test]
fn every_file_says_what_it_is_for() {
    assert_none(&over_rust(rules::opens_with_module_docs));
}

#[test]
fn no_file_is_too_long() {
    assert_none(&over_rust(rules::at_most_400_lines));
}

#[test]
fn nothing_is_left_over() {
    assert_none(&over_rust(rules::no_leftovers));
}

#[test]
fn no_drawer_and_no_mod_rs() {
    assert_none(&over_rust(rules::no_drawers));
}

#[test]
fn no_path_of_one_machine_is_tracked() {
    let tree = Tree::of(&repository());
    let offences: Vec<Offence> = tree
        .files()
        .flat_map(|file| rules::no_machine_paths(&file.path, &file.text))
        .collect();
    assert_none(&offences);
}

#[test]
fn shells_can_read_every_script() {
    let tree = Tree::of(&repository());
    let offences = tree.files();
    let offences: Vec<Offence> = offences
        .flat_map(|file| scripts::unreadable(&file.path, &file.text))
        .collect();
    assert_none(&offences);
}

#[test]
fn set_ups_of_peers_have_no_gaps() {
    assert_none(&scripts::gaps(&Tree::of(&repository())));
    let gaps: Vec<&str> = scripts::gaps_of("a@example.com @LISTEN@:@PORT@ \"@type\": x").collect();
    assert_eq!(gaps, ["LISTEN", "PORT"]);
}

#[test]
fn crates_import_in_one_direction() {
    assert_none(&boundaries::dependencies(&repository()));
}

#[test]
fn pure_crates_touch_no_io() {
    assert_none(&over_rust(boundaries::pure_sources));
}

#[test]
fn documents_name_only_paths_that_exist() {
    let root = repository();
    assert_none(&documents::dead_paths(&Tree::of(&root), &root));
}

#[test]
fn every_link_of_a_document_leads_somewhere() {
    let root = repository();
    assert_none(&documents::dead_links(&Tree::of(&root), &root));
}

#[test]
fn every_limit_of_the_server_file_has_a_test() {
    assert_none(&documents::untested_limits(&Tree::of(&repository())));
}

#[test]
fn median_file_is_small() {
    let tree = Tree::of(&repository());
    let mut sizes: Vec<(usize, &str)> = tree
        .rust()
        .map(|file| (file.text.lines().count(), file.path.as_str()))
        .collect();
    sizes.sort_unstable();
    let median = sizes[sizes.len() / 2].0;
    let (largest, path) = sizes[sizes.len() - 1];
    println!(
        "{} Rust files, median {median} lines, largest {largest} ({path})",
        sizes.len()
    );
    assert!(
        median <= 200,
        "the median file has {median} lines: split what grew"
    );
}

#[test]
fn each_rule_catches_a_planted_offence() {
    let long = "//! x\n".repeat(401);
    let planted = [
        rules::opens_with_module_docs("a.rs", "fn main() {}\n"),
        rules::at_most_400_lines("a.rs", &long),
        rules::no_leftovers("a.rs", concat!("//! x\n// TO", "DO: later\n")),
        rules::no_leftovers("a.rs", concat!("//! x\n#[ign", "ore]\n")),
        rules::no_drawers("filters/src/util.rs", "//! x\n"),
        rules::no_drawers("filters/src/json/mod.rs", "//! x\n"),
        rules::no_machine_paths("a.md", concat!("see /wo", "rk/main\n")),
        scripts::unreadable("run", "#!/bin/sh\nif true; then\n"),
        scripts::unreadable("run", "#!/usr/bin/env bash\nf() {\n"),
        boundaries::pure_sources("filters/src/a.rs", "//! x\nuse tokio::net::TcpStream;\n"),
        boundaries::pure_sources("config/src/a.rs", "//! x\nuse std::fs;\n"),
        boundaries::pure_sources("config/src/a.rs", "//! x\nuse postern_filters::Verdict;\n"),
    ];
    for (index, offences) in planted.iter().enumerate() {
        assert!(
            !offences.is_empty(),
            "planted offence {index} was not caught"
        );
    }
    assert!(rules::no_drawers("filters/src/json.rs", "//! x\n").is_empty());
    assert!(boundaries::pure_sources("proxy/src/a.rs", "//! x\nuse std::fs;\n").is_empty());
}
