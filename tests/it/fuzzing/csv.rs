//! Claim: a table is read as the `csv` crate reads it, or refused; hidden columns are gone or replaced in
//! every row, the others have the cells they had; the split makes no difference.
//!
//! The first byte chooses delimiter and quoting, the second is the seed of the splits, and the rest is
//! the table. Columns `ssn` are removed and columns `mail` redacted.

use std::sync::Arc;

use csv::{ReaderBuilder, StringRecord};
use postern_config::Selector;
use postern_config::action::Action;
use postern_config::routes::{Names, Unlabelled};
use postern_filters::table::{Dialect, TableFilter};
use postern_filters::{BodyError, BodyFilter};

use super::Finding;
use crate::generated::{Chunking, Random, Ready};
use crate::reference::Rules;

/// What stands in place of a redacted cell.
const REDACTED: &str = "[redacted]";

/// Checks one input.
pub(crate) fn check(input: &[u8]) -> Finding {
    let Some((head, table)) = input.split_at_checked(2) else {
        return Ok(());
    };
    let dialect = DIALECTS[usize::from(head[0]) % DIALECTS.len()];
    let untouched = redacted(&nothing(), dialect, table, Chunking::Whole);
    match &untouched {
        Ok(bytes) if bytes != table => return Err("changed, and nothing is hidden".to_owned()),
        Ok(_) | Err(_) => {}
    }
    let ready = hiding();
    let whole = redacted(&ready, dialect, table, Chunking::Whole);
    let mut random = Random::of_case(u64::from(head[1]), 0);
    for chunking in Chunking::few(&mut random, table.len()) {
        let split = redacted(&ready, dialect, table, chunking);
        if split.is_ok() != whole.is_ok() || split.is_ok() && split != whole {
            return Err(format!("{chunking:?}: the split makes a difference"));
        }
    }
    match whole {
        Ok(_) if untouched.is_err() => Err("accepted only where something is hidden".to_owned()),
        Ok(bytes) => same_cells(dialect, table, &bytes),
        Err(_) => Ok(()),
    }
}

const DIALECTS: [Dialect; 4] = [
    Dialect {
        delimiter: b',',
        quotes: true,
    },
    Dialect {
        delimiter: b';',
        quotes: true,
    },
    Dialect {
        delimiter: b'\t',
        quotes: true,
    },
    Dialect {
        delimiter: b'\t',
        quotes: false,
    },
];

/// A plan for these selectors.
fn ready(rules: &[(&str, Action)]) -> Ready {
    let selectors = rules.iter().zip(0..);
    Ready::new(Rules {
        rules: selectors
            .map(|((text, _), label)| (Selector::parse(text).unwrap(), vec![label]))
            .collect(),
        required: Vec::new(),
        names: Names::Exact,
        actions: rules.iter().map(|(_, action)| action.clone()).collect(),
        embedded: Vec::new(),
        unlabelled: Unlabelled::Show,
        depth_max: 16,
    })
}

fn nothing() -> Ready {
    ready(&[])
}

fn hiding() -> Ready {
    ready(&[
        ("$[*].ssn", Action::Remove),
        ("$[*].mail", Action::Redact { with: None }),
    ])
}

/// Runs the filter.
fn redacted(
    ready: &Ready,
    dialect: Dialect,
    table: &[u8],
    chunking: Chunking,
) -> Result<Vec<u8>, BodyError> {
    let mut filter = TableFilter::new(ready.plan(), dialect, Arc::from([]));
    let mut out = Vec::new();
    for piece in chunking.pieces(table) {
        filter.push(piece, &mut out)?;
    }
    filter.finish(&mut out)?;
    Ok(out)
}

/// The records of a table, as the `csv` crate reads them.
fn records(dialect: Dialect, table: &[u8]) -> Result<Vec<StringRecord>, String> {
    let reader = ReaderBuilder::new()
        .delimiter(dialect.delimiter)
        .quoting(dialect.quotes)
        .has_headers(false)
        .from_reader(table);
    let records: Result<_, _> = reader.into_records().collect();
    records.map_err(|error| format!("the csv crate refuses it: {error}"))
}

/// Cell by cell, what leaves is what came without what is hidden.
fn same_cells(dialect: Dialect, table: &[u8], redacted: &[u8]) -> Finding {
    let (before, after) = (records(dialect, table)?, records(dialect, redacted)?);
    let Some(header) = before.first() else {
        return Ok(());
    };
    // Which other header texts name a column inside a hidden one is not judged here.
    let unclear = |name: &str| {
        let named = name.contains("ssn") || name.contains("mail");
        named && !["ssn", "mail"].contains(&name)
    };
    if header.iter().any(unclear) {
        return Ok(());
    }
    let mut expected: Vec<Vec<&str>> = Vec::new();
    for (at, record) in before.iter().enumerate() {
        let cells = header.iter().zip(record);
        let kept = cells.filter(|(name, _)| *name != "ssn");
        let cells = kept.map(|(name, cell)| match name {
            "mail" if at > 0 => REDACTED,
            _ => cell,
        });
        expected.push(cells.collect());
    }
    // Without quotes a row of one empty cell is a blank line, which the csv crate passes over.
    expected.retain(|cells| !cells.is_empty() && (dialect.quotes || cells != &[""]));
    let got: Vec<Vec<&str>> = after.iter().map(|record| record.iter().collect()).collect();
    match expected == got {
        true => Ok(()),
        false => Err(format!("{got:?}, not {expected:?}")),
    }
}

/// Tables with everything that is awkward about them.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let tables = [
        "id,ssn,mail\n1,2,a@b.c\n",
        "id,ssn,mail\r\n1,\"2\r\n\",\"a\"\"b\"\r\n\r\n3,,",
        "\u{feff}ssn,mail\n\"\",\n",
        "mail\n\"x\"\n\"\"\n",
        "ssn\nx\n",
        "a,ssn\n=1+1,-2\n\"a,b\",c\n",
        "a,b\"c,ssn\n1,2\"3,4\n",
        "ssn,ssn,mail,mail,x\n1,2,3,4,5\n",
        "customer.ssn,ssn ,x\n1,2,3\n",
        "a;ssn;mail\n\"1;2\";3;4\n",
        "a\tssn\tmail\n\"1\t2\t3\n",
        "é,ssn\n😀,€\n",
        "a,ssn\n1\n",
        "a,ssn\n1,2,3\n",
        "a,ssn\n\"1\"x,2\n",
        "a,ssn\n\"1",
        "a,ssn\n1,2\r3,4",
        "\n\na,ssn\n",
    ];
    let each = tables.iter().zip((0..=u8::MAX).cycle());
    let mut all: Vec<Vec<u8>> = Vec::new();
    for (table, seed) in each {
        for dialect in 0..4 {
            all.push([&[dialect, seed][..], table.as_bytes()].concat());
        }
    }
    let long = format!(
        "a,ssn,mail\n{}",
        "\"1,\"\"2\",\"3\r\n\",\"4\"\r\n".repeat(300)
    );
    all.push([&[0, 0][..], long.as_bytes()].concat());
    all
}
