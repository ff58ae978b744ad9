//! Generated tables against an independent reading: the `csv` crate for the cells, jsonpath-rust for
//! which columns the selectors reach.

use jsonpath_rust::JsonPath;
use postern_config::FormatKind;
use serde_json::{Value, json};

use super::{Route, run};
use crate::generated::{Random, number_from, seed};

/// Tables of a plain run.
const TABLES: u64 = 3_000;

const HEADERS: &[&str] = &[
    "id", "mail", "a.mail", "a.b", "a", "b", "a.b.c", "l.0.n", "l.1.n", "x y", "Ä", "",
];

const SELECTORS: &[&str] = &[
    "$[*].mail",
    "$..mail",
    "$[*].a",
    "$[*].a.b",
    "$[*]['a.b']",
    "$[*].l[*].n",
    "$[*].l[1].n",
    "$..n",
    "$[*].id",
    "$[*]['x y']",
    "$..b",
    "$[*].a.*",
];

/// Cells and what is between their quotes, if any.
const CELLS: &[&str] = &[
    "",
    "1",
    "x",
    "\"\"",
    "\"a,b\"",
    "\"say \"\"hi\"\"\"",
    "\"two\r\nlines\"",
    "=1+1",
    "Ä€𝄞",
    "\"q\"",
];

/// The documents of a row with only this column, the header's parts joined in every way.
fn documents(header: &str) -> Vec<Value> {
    let parts: Vec<&str> = header.split('.').collect();
    let ways = 1 << (parts.len() - 1);
    (0..ways).map(|way| json!([nested(&parts, way)])).collect()
}

/// A cell inside of its members; a bit of `joined` says that a part and the next are one name.
fn nested(parts: &[&str], joined: usize) -> Value {
    let mut names: Vec<String> = vec![parts[0].to_owned()];
    for (at, part) in parts[1..].iter().enumerate() {
        match joined >> at & 1 {
            1 => {
                let last = names.last_mut().unwrap();
                last.push('.');
                last.push_str(part);
            }
            _ => names.push((*part).to_owned()),
        }
    }
    let names = names.iter().rev();
    names.fold(json!("cell"), |inner, name| match name.parse::<usize>() {
        Ok(index) => {
            let mut list = vec![Value::Null; index];
            list.push(inner);
            Value::Array(list)
        }
        Err(_) => json!({ name: inner }),
    })
}

/// Whether the selector reaches the column's cell (`Some(true)`) or something around it.
fn reach(selector: &str, header: &str) -> Option<bool> {
    let mut reached = None;
    for document in documents(header) {
        for node in document.query_with_path(selector).unwrap() {
            match node.val() {
                Value::String(_) => reached = Some(true),
                Value::Object(_) | Value::Array(_) => reached = reached.or(Some(false)),
                Value::Null | Value::Bool(_) | Value::Number(_) => {}
            }
        }
    }
    reached
}

/// What becomes of a column: none when it goes, else what stands in its cells if they do not stay.
fn column(header: &str, rules: &[(&str, &str)], unlabelled: &str) -> Option<Option<&'static str>> {
    let rank = |action: &str| match action {
        "show" => 0,
        "redact" => 1,
        _ => 2,
    };
    let actions = rules
        .iter()
        .filter(|(selector, _)| reach(selector, header).is_some())
        .map(|(_, action)| rank(action));
    let unlabelled = match unlabelled {
        "show" => 0,
        "redact" => 1,
        _ => 2,
    };
    match actions.max().unwrap_or(unlabelled) {
        0 => Some(None),
        1 => Some(Some("[redacted]")),
        _ => None,
    }
}

fn read(table: &str) -> Vec<Vec<String>> {
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .from_reader(table.as_bytes());
    let rows = reader.records().map(|row| row.unwrap());
    rows.map(|row| row.iter().map(str::to_owned).collect())
        .collect()
}

/// A generated table with the rules for it.
struct Generated {
    headers: Vec<&'static str>,
    rules: Vec<(&'static str, &'static str)>,
    unlabelled: &'static str,
    table: String,
}

impl Generated {
    fn of(random: &mut Random) -> Self {
        let headers: Vec<&str> = (0..1 + random.below(5))
            .map(|_| random.choose(HEADERS))
            .collect();
        let mut rules: Vec<(&str, &str)> = Vec::new();
        for _ in 0..=random.below(3) {
            let selector = random.choose(SELECTORS);
            if rules.iter().all(|(other, _)| *other != selector) {
                rules.push((selector, random.choose(&["redact", "remove", "show"])));
            }
        }
        let unlabelled = random.choose(&["show", "show", "remove", "redact"]);
        let table = table(random, &headers);
        Self {
            headers,
            rules,
            unlabelled,
            table,
        }
    }

    fn route(&self) -> Route {
        let unlabelled = self.unlabelled;
        let mut keys = format!("formats: csv\nunlabelled: {unlabelled}\nlabel:\n");
        for (at, (selector, _)) in self.rules.iter().enumerate() {
            keys.push_str(&format!("  \"{selector}\": l{at}\n"));
        }
        let sees = self.rules.iter().enumerate();
        let sees = sees
            .map(|(at, (_, action))| (format!("l{at}"), (*action).to_owned()))
            .collect();
        Route {
            keys,
            sees,
            detect: None,
        }
    }

    fn is_labelled(&self, header: &str) -> bool {
        self.rules.iter().any(|(s, _)| reach(s, header).is_some())
    }

    /// The rows that are to leave.
    fn expected(&self) -> Vec<Vec<String>> {
        let columns = self.headers.iter();
        let columns: Vec<_> = columns
            .map(|h| column(h, &self.rules, self.unlabelled))
            .collect();
        let mut expected = Vec::new();
        for (row_at, row) in read(&self.table).iter().enumerate() {
            let cells = row.iter().zip(&columns).zip(&self.headers);
            let cells: Vec<String> = cells
                .filter_map(|((cell, column), header)| {
                    let named = self.is_labelled(header) && !header.is_empty();
                    match column {
                        None => None,
                        Some(Some(_)) if row_at == 0 && named => Some(cell.clone()),
                        Some(Some(text)) => Some((*text).to_owned()),
                        Some(None) => Some(cell.clone()),
                    }
                })
                .collect();
            if !cells.is_empty() {
                expected.push(cells);
            }
        }
        expected
    }
}

fn table(random: &mut Random, headers: &[&str]) -> String {
    let end = random.choose(&["\n", "\r\n"]);
    let names = headers.iter().map(|h| match *h {
        "" => "\"\"",
        h => h,
    });
    let mut table = names.collect::<Vec<_>>().join(",") + end;
    for _ in 0..random.below(4) {
        let mut cells: Vec<&str> = headers.iter().map(|_| random.choose(CELLS)).collect();
        if cells == [""] {
            cells = vec!["\"\""];
        }
        table.push_str(&(cells.join(",") + end));
    }
    table
}

#[test]
fn tables_become_what_an_independent_reading_expects() {
    let seed = seed();
    println!("POSTERN_SEED={seed}");
    for number in 0..number_from("POSTERN_CASES").map_or(TABLES, |n| n.min(100_000)) {
        let mut random = Random::of_case(seed, number);
        let generated = Generated::of(&mut random);
        let (route, table) = (generated.route(), &generated.table);
        let at = random.below(table.len() + 1);
        let (a, b) = table.as_bytes().split_at(at);
        let got = run(&route.plan(), FormatKind::Csv, &[a, b]);
        let said = format!("case {number}: {}\n{table}", route.keys);
        if !generated.headers.iter().any(|h| generated.is_labelled(h)) {
            assert!(got.is_err(), "{said}");
            continue;
        }
        let got = String::from_utf8(got.unwrap()).unwrap();
        assert_eq!(read(&got), generated.expected(), "{said}");
        let shows = generated.rules.iter().all(|(_, action)| *action == "show");
        if generated.unlabelled == "show" && shows {
            assert_eq!(got, *table, "case {number} is not left alone");
        }
    }
}
