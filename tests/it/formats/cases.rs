//! Written cases: `tests/cases/csv/*.toml` and `tests/cases/ndjson/*.toml`. A case is data; adding one
//! needs no Rust.
//!
//! ```toml
//! [[case]]
//! name = "what it shows"
//! format = "csv"                    # json, ndjson, json-seq, csv, tsv: what the body is
//! rules = [["$[*].mail", "mask"]]   # each rule has a label of its own
//! body = "id,mail\n1,a@b.cd\n"      # or: hex = "69 64"
//! expect = "id,mail\n1,•••\n"       # or: error = true
//! # formats = "[csv]"               # what the route declares, by default the body's format
//! # detect = "{ l0: { find: email, then: redact } }"  # labels are l0, l1, ... in order
//! # columns = [["E-mail", "mask"]], also = "unlabelled: remove"  # further keys of the route
//! ```
//!
//! Actions are written as in a policy. Every case runs whole, byte by byte and at every split in two.

use std::fs;
use std::path::Path;

use postern_config::FormatKind;
use serde::Deserialize;

use super::{Route, run_every_way};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    format: String,
    formats: Option<String>,
    #[serde(default)]
    rules: Vec<(String, String)>,
    #[serde(default)]
    columns: Vec<(String, String)>,
    also: Option<String>,
    detect: Option<String>,
    body: Option<String>,
    hex: Option<String>,
    expect: Option<String>,
    #[serde(default)]
    error: bool,
}

impl Case {
    fn route(&self) -> Route {
        let mut keys = format!(
            "formats: {}\n",
            self.formats.as_ref().unwrap_or(&self.format)
        );
        let mut sees = Vec::new();
        for (key, rules) in [("label", &self.rules), ("columns", &self.columns)] {
            if rules.is_empty() {
                continue;
            }
            keys.push_str(&format!("{key}:\n"));
            for (place, action) in rules {
                let label = format!("l{}", sees.len());
                let place = serde_json::to_string(place).unwrap();
                keys.push_str(&format!("  {place}: {label}\n"));
                sees.push((label, action.clone()));
            }
        }
        keys.push_str(self.also.as_deref().unwrap_or_default());
        Route {
            keys,
            sees,
            detect: self.detect.clone(),
        }
    }

    fn kind(&self) -> FormatKind {
        let mut kinds = FormatKind::ALL.into_iter();
        kinds.find(|kind| kind.word() == self.format).unwrap()
    }

    fn body(&self) -> Vec<u8> {
        match (&self.body, &self.hex) {
            (Some(text), None) => text.clone().into_bytes(),
            (None, Some(digits)) => hex::decode(digits.replace(' ', "")).unwrap(),
            _ => panic!("{}: either `body` or `hex`", self.name),
        }
    }

    /// Says what is wrong, if anything.
    fn check(&self) -> Result<(), String> {
        let got = run_every_way(&self.route().plan(), self.kind(), &self.body());
        let got = got.map(|bytes| String::from_utf8(bytes).unwrap());
        match (&self.expect, self.error, &got) {
            (Some(expected), false, Ok(text)) if text == expected => Ok(()),
            (None, true, Err(_)) => Ok(()),
            _ => Err(format!(
                "{}: {got:?}, expected {:?}",
                self.name, self.expect
            )),
        }
    }
}

#[test]
fn every_written_case_of_a_format_holds_at_every_split() {
    let mut wrong = Vec::new();
    let mut checked = 0;
    for folder in ["tests/cases/csv", "tests/cases/ndjson"] {
        for entry in fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap() {
            let path = entry.unwrap().path();
            let file: File = toml::from_str(&fs::read_to_string(&path).unwrap())
                .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
            checked += file.case.len();
            wrong.extend(file.case.iter().filter_map(|case| case.check().err()));
        }
    }
    println!("{checked} cases of formats");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(checked >= 60, "only {checked} cases");
}
