//! Tables that nobody here wrote: the csv-spectrum suite, and exports recorded from real applications.

use std::collections::BTreeSet;
use std::fs;

use postern_config::FormatKind;
use serde_json::Value;

use super::{Route, run, run_every_way};
use crate::corpus;

/// A table as the `csv` crate reads it: the header, then rows.
fn read(table: &[u8]) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(table);
    let rows = reader.records().map(|row| row.unwrap());
    rows.map(|row| row.iter().map(str::to_owned).collect())
        .collect()
}

/// A route on which one column has a label with this action.
fn hides(column: &str, action: &str) -> Route {
    let column = serde_json::to_string(column).unwrap();
    Route {
        keys: format!("formats: csv\ncolumns: {{ {column}: gone }}\n"),
        sees: vec![("gone".to_owned(), action.to_owned())],
        detect: None,
    }
}

#[test]
fn csv_spectrum_keeps_its_meaning_and_is_redacted_by_column() {
    let Some(folder) = corpus::folder("csv-spectrum") else {
        return;
    };
    let mut files = 0;
    for entry in fs::read_dir(folder.join("csvs")).unwrap() {
        let path = entry.unwrap().path();
        let table = fs::read(&path).unwrap();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let meaning = fs::read(folder.join("json").join(format!("{name}.json"))).unwrap();
        let meaning: Value = serde_json::from_slice(&meaning).unwrap();
        let meaning = meaning.as_array().cloned().unwrap_or_else(|| vec![meaning]);
        let header = read(&table).swap_remove(0);
        let mut meant: Vec<Vec<String>> = vec![header.clone()];
        meant.extend(meaning.iter().map(|row| {
            let cells = header.iter().map(|name| row[name].as_str().unwrap());
            cells.map(str::to_owned).collect()
        }));
        if name == "location_coordinates" {
            // The suite's JSON has another telephone number than its table.
            meant[1][0] = "2095257564".to_owned();
        }
        for column in &header {
            let shown = run_every_way(&hides(column, "show").plan(), FormatKind::Csv, &table);
            assert!(shown.unwrap() == table, "{name} is not left alone");
            for (action, text) in [("redact", Some("[redacted]")), ("remove", None)] {
                let plan = hides(column, action).plan();
                let left = run_every_way(&plan, FormatKind::Csv, &table).unwrap();
                let left = read(&left);
                let mut expected = meant.clone();
                for (at, row) in expected.iter_mut().enumerate() {
                    let hidden = header.iter().position(|name| name == column).unwrap();
                    match text {
                        Some(text) if at > 0 => row[hidden] = text.to_owned(),
                        Some(_) => {}
                        None => drop(row.remove(hidden)),
                    }
                }
                assert_eq!(left, expected, "{name}: {column} {action}");
            }
        }
        files += 1;
    }
    assert_eq!(files, 12);
}

/// Every personal string of the recorded samples.
fn personal(samples: &std::path::Path) -> BTreeSet<String> {
    let truth: Value =
        serde_json::from_slice(&fs::read(samples.join("truth.json")).unwrap()).unwrap();
    let strings = truth["pii"].as_array().unwrap().iter();
    strings
        .map(|one| one["value"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn no_personal_string_leaves_in_the_hidden_columns_of_recorded_exports() {
    let Some(samples) = corpus::folder("samples") else {
        return;
    };
    let personal = personal(&samples);
    let mut found = 0;
    let labelled = "formats: csv\nlabel:\n  $..['custom_address','custom_card','custom_customer_name']: pii\n  $..['custom_dob','custom_iban','custom_phone','custom_ssn']: pii\n  $[*]['description','title','submitter_email','resolution']: pii\n  $[*].followup_set[*]['comment','email_recipients','title']: pii\n  $[*]['realname','address','phone','username','messages','creator','assignedto']: pii\n";
    for (name, stays) in [
        ("helpdesk/24-api-csv.body", "followup_set.0.new_status"),
        ("roundup/06-export-csv.body", "status"),
        ("roundup/07-export-csv-ids.body", "id"),
        ("roundup/08-users-csv.body", "organisation"),
    ] {
        let table = fs::read(samples.join(name)).unwrap();
        let before = String::from_utf8(table.clone()).unwrap();
        let present = personal
            .iter()
            .filter(|text| before.contains(*text))
            .count();
        for action in [
            "remove",
            "redact",
            "{ mask: { keep_last: 2 } }",
            "{ pseudonym: { scope: identity } }",
        ] {
            let route = Route {
                keys: labelled.to_owned(),
                sees: vec![("pii".to_owned(), action.to_owned())],
                detect: None,
            };
            let pieces: Vec<&[u8]> = table.chunks(1000).collect();
            let left = run(&route.plan(), FormatKind::Csv, &pieces).unwrap();
            let rows = (read(&table), read(&left));
            assert_eq!(rows.0.len(), rows.1.len(), "{name}");
            let left = String::from_utf8(left).unwrap();
            let leaked: Vec<&String> = personal.iter().filter(|t| left.contains(*t)).collect();
            assert!(leaked.is_empty(), "{name}, {action}: {leaked:?}");
            assert!(rows.1[0].iter().any(|header| header == stays), "{name}");
        }
        println!("{name}: {present} personal strings, none left");
        found += present;
    }
    assert!(found >= 800, "only {found} personal strings in the tables");
}
