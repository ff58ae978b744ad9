//! The references of both files have every key that their readers know, section by section, and no other.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::{policy, server};

const POLICY: &str = include_str!("../../docs/reference/policy.md");
const SERVER_FILE: &str = include_str!("../../docs/reference/server-file.md");

/// The keys of a section, or of a table.
type Keys = BTreeSet<String>;

/// The keys of every section of a schema.
fn sections(schema: &Value) -> Vec<Keys> {
    let mut found = Vec::new();
    match schema {
        Value::Object(members) => {
            if let Some(Value::Object(properties)) = members.get("properties") {
                found.push(properties.keys().cloned().collect());
            }
            found.extend(members.values().flat_map(sections));
        }
        Value::Array(items) => found.extend(items.iter().flat_map(sections)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    found
}

/// The keys of every table of keys.
fn tables(document: &str) -> Vec<Keys> {
    let paragraphs = document.split("\n\n");
    let of_keys = paragraphs.filter(|paragraph| paragraph.starts_with("| key |"));
    let keys = |table: &str| table.lines().flat_map(first_cell).collect();
    of_keys.map(keys).collect()
}

/// What stands in backticks in the first cell of a row.
fn first_cell(row: &str) -> impl Iterator<Item = String> {
    let cell = row.split('|').nth(1).unwrap_or_default();
    cell.split('`').skip(1).step_by(2).map(str::to_owned)
}

/// What a document leaves out, and what it makes up.
fn offences(schema: &Value, document: &str) -> Vec<String> {
    let (sections, tables) = (sections(schema), tables(document));
    let known: Keys = sections.iter().flatten().cloned().collect();
    let is_listed = |section: &Keys| tables.iter().any(|table| section.is_subset(table));
    let left_out = sections.iter().filter(|section| !is_listed(section));
    let left_out = left_out.map(|section| format!("no table has all of {section:?}"));
    let made_up = tables.iter().flatten().filter(|key| !known.contains(*key));
    let made_up = made_up.map(|key| format!("`{key}` is no key"));
    left_out.chain(made_up).collect()
}

#[test]
fn every_key_of_the_policy_is_in_its_reference() {
    let found = offences(&policy::schema(), POLICY);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_key_of_the_server_file_is_in_its_reference() {
    let found = offences(&server::schema(), SERVER_FILE);
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn a_key_that_is_left_out_or_made_up_is_found() {
    let document = SERVER_FILE.replace("| `pool` |", "| `pools` |");
    let found = offences(&server::schema(), &document);
    let [left_out, made_up] = found.as_slice() else {
        panic!("{found:#?}")
    };
    assert!(left_out.contains("connect_timeout"), "{left_out}");
    assert_eq!(made_up, "`pools` is no key");
}
