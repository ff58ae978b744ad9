//! Written cases for both redactors: `tests/cases/json/*.toml`. A case is data; adding one needs no
//! Rust.
//!
//! ```toml
//! [[case]]
//! name = "what it shows"
//! rules = [["$.a", "remove"], ["$.b", "redact"]]  # each rule has a label of its own
//! document = '{"a":1,"b":2}'
//! expect = '{"b":null}'                           # or: error = true
//! # unlabelled = "show" | "redact" | "remove" | "deny", names = "exact" | "caseless",
//! # required = ["$.x"], embedded = ["json", "", "base64"]  # by rule
//! ```
//!
//! Actions: `show`, `redact`, `remove`, `last N` (a mask), or JSON text that replaces any value.
//! Every case runs whole, byte by byte and at every split in two.

use std::fs;
use std::path::Path;

use postern_config::action::{Action, Mask};
use postern_config::routes::{Names, Unlabelled};
use postern_config::{Embedded, Selector};
use serde::Deserialize;

use crate::generated::{Chunking, Ready};
use crate::reference::{self, Rules};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    case: Vec<Written>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    #[serde(default)]
    rules: Vec<(String, String)>,
    #[serde(default)]
    required: Vec<String>,
    #[serde(default)]
    unlabelled: Option<String>,
    #[serde(default)]
    names: Option<String>,
    /// How strings hold documents, by rule.
    #[serde(default)]
    embedded: Vec<String>,
    document: String,
    expect: Option<String>,
    #[serde(default)]
    error: bool,
}

impl Written {
    fn rules(&self) -> Rules {
        let parse = |text: &String| {
            Selector::parse(text).unwrap_or_else(|error| panic!("{}: `{text}`: {error}", self.name))
        };
        let numbered = self.rules.iter().zip(0_u16..);
        Rules {
            rules: numbered
                .map(|((selector, _), label)| (parse(selector), vec![label]))
                .collect(),
            required: self.required.iter().map(parse).collect(),
            names: match self.names.as_deref() {
                None | Some("exact") => Names::Exact,
                Some("caseless") => Names::Caseless,
                Some(other) => panic!("{}: names `{other}`", self.name),
            },
            actions: self.rules.iter().map(|(_, text)| action(text)).collect(),
            unlabelled: match self.unlabelled.as_deref() {
                None | Some("show") => Unlabelled::Show,
                Some("redact") => Unlabelled::Redact,
                Some("remove") => Unlabelled::Remove,
                Some("deny") => Unlabelled::Deny,
                Some(other) => panic!("{}: unlabelled `{other}`", self.name),
            },
            depth_max: 8,
            embedded: self.embedded.iter().map(|text| way(text)).collect(),
        }
    }

    /// What each redactor must give: the bytes, or nothing for an error.
    fn expected(&self) -> Option<&str> {
        assert_ne!(
            self.error,
            self.expect.is_some(),
            "{}: either `expect` or `error`",
            self.name
        );
        self.expect.as_deref()
    }
}

fn way(text: &str) -> Option<Embedded> {
    match text {
        "json" => Some(Embedded::Json),
        "base64" => Some(Embedded::Base64),
        _ => None,
    }
}

fn action(text: &str) -> Action {
    if let Some(last) = text.strip_prefix("last ") {
        let last = last.parse().unwrap();
        return Action::Mask(Mask::Keep { first: 0, last });
    }
    match text {
        "show" => Action::Show,
        "redact" => Action::Redact { with: None },
        "remove" => Action::Remove,
        json => Action::Redact {
            with: Some(json.to_owned()),
        },
    }
}

/// Says what is wrong with a case, if anything.
fn check_case(case: &Written) -> Result<(), String> {
    let ready = Ready::new(case.rules());
    let document = case.document.as_bytes();
    let expected = case.expected();
    let differs = |who: &str, got: Option<Vec<u8>>| {
        let got = got.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        match got.as_deref() == expected {
            true => Ok(()),
            false => Err(format!(
                "{}: {who} gave {got:?}, expected {expected:?}",
                case.name
            )),
        }
    };
    let by_reference = reference::redact(&ready.rules, document);
    if !(by_reference.ambiguous && expected.is_none()) {
        let bytes = by_reference.first.ok().map(|output| output.0);
        differs("the reference", bytes)?;
    }
    let mut chunkings = vec![Chunking::Whole, Chunking::ByteByByte];
    chunkings.extend((0..=document.len()).map(Chunking::At));
    for chunking in chunkings {
        let got = ready.engine(document, chunking).ok();
        differs(
            &format!("the engine, {chunking:?},"),
            got.map(|output| output.0),
        )?;
    }
    Ok(())
}

#[test]
fn every_written_case_holds_in_every_chunking() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/json");
    let mut wrong = Vec::new();
    let mut checked = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("i_decisions.toml") {
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        let file: File =
            toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for case in &file.case {
            checked += 1;
            wrong.extend(check_case(case).err());
        }
    }
    println!("{checked} written cases");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
