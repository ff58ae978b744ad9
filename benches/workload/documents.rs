//! The documents: a generated list of support cases, and public ones where the corpus is there.
//!
//! A generated case has about 4.6 KB, and ten wildcard paths select ten of its values.

use std::fmt::{self, Write};
use std::path::{Path, PathBuf};

/// One document to redact.
#[derive(Debug, Clone)]
pub struct Input {
    /// What a row of a table calls it.
    pub name: String,
    /// The document, valid JSON.
    pub text: Vec<u8>,
    /// Whether it is a generated case list, which most rule sets are about.
    pub case_list: bool,
}

const FIRST_NAMES: &[&str] = &[
    "Ada", "Linus", "Grace", "Alan", "Edsger", "Barbara", "Niklaus",
];
const EUROPEAN_NAMES: &[&str] = &[
    "Zoë",
    "Jürgen",
    "Małgorzata",
    "Søren",
    "Łukasz",
    "Élodie",
    "Ιωάννα",
];
const WORDS: &[&str] = &[
    "the",
    "invoice",
    "has",
    "not",
    "been",
    "paid",
    "yet",
    "customer",
    "called",
    "again",
    "about",
    "order",
    "4711-0815",
    "and",
    "wants",
    "a",
    "refund,",
    "please",
    "check",
    "whether",
    "delivery",
    "arrived.",
    "thanks",
    "\\\"urgent\\\"",
    "see",
    "https://shop.example/orders/4711",
];
const EUROPEAN_WORDS: &[&str] = &[
    "Rechnung",
    "für",
    "Größe",
    "naïve",
    "façade",
    "żółć",
    "smørrebrød",
    "können",
    "wir",
    "déjà",
    "Straße",
    "coração",
    "über",
    "niño",
    "παρακαλώ",
    "привет",
    "and",
    "the",
    "order",
    "refund,",
];

/// The documents of a run. A public one is left out where the corpus is not there.
#[must_use]
pub fn inputs(large: bool) -> Vec<Input> {
    let ascii = ascii_cases();
    let pretty = pretty(&ascii);
    let mut inputs = vec![ascii, european_cases(), pretty];
    if large {
        inputs.push(case_list("10000 cases, ASCII", 10_000, FIRST_NAMES, WORDS));
    }
    inputs.extend(public("webhooks/github-webhook-payloads.json"));
    inputs.extend(public_list("zendesk/fixture/GET", "zendesk answers"));
    inputs
}

/// 200 cases of ASCII text, minified, 0.9 MB: the document that goals are set for.
#[must_use]
pub fn ascii_cases() -> Input {
    case_list("200 cases, ASCII", 200, FIRST_NAMES, WORDS)
}

/// The same with names and texts of several European languages.
#[must_use]
pub fn european_cases() -> Input {
    case_list("200 cases, European", 200, EUROPEAN_NAMES, EUROPEAN_WORDS)
}

/// A document with line breaks and indents.
///
/// # Panics
/// The document is not valid JSON.
#[must_use]
#[expect(
    clippy::expect_used,
    reason = "INVARIANT: the benches' documents are valid"
)]
pub fn pretty(input: &Input) -> Input {
    let value: serde_json::Value = serde_json::from_slice(&input.text).expect("valid JSON");
    Input {
        name: format!("{}, pretty", input.name),
        text: serde_json::to_vec_pretty(&value).expect("a tree can be written"),
        case_list: input.case_list,
    }
}

/// One case of about 800 bytes, as an answer about a single record is.
#[must_use]
pub fn small_body() -> Input {
    let mut writer = Writer::new(FIRST_NAMES, WORDS);
    writer.small_case();
    Input {
        name: format!("one case, {} bytes", writer.out.len()),
        text: writer.out.into_bytes(),
        case_list: false,
    }
}

fn case_list(name: &str, cases: usize, names: &[&str], words: &[&str]) -> Input {
    let mut writer = Writer::new(names, words);
    writer.out.push_str("{\"page\":1,\"cases\":[");
    for at in 0..cases {
        writer.out.push_str(if at > 0 { "," } else { "" });
        writer.case(at);
    }
    writer.out.push_str("]}");
    Input {
        name: name.to_owned(),
        text: writer.out.into_bytes(),
        case_list: true,
    }
}

/// The folder of the public corpora: `POSTERN_CORPUS`, or beside the repository.
fn corpus() -> PathBuf {
    let benches = Path::new(env!("CARGO_MANIFEST_DIR"));
    std::env::var_os("POSTERN_CORPUS")
        .map_or_else(|| benches.join("../../shared/corpus"), PathBuf::from)
}

/// A document of the corpus, if it is there.
fn public(path: &str) -> Option<Input> {
    let text = std::fs::read(corpus().join(path)).ok()?;
    let name = path.rsplit('/').next()?.trim_end_matches(".json");
    Some(Input {
        name: name.to_owned(),
        text,
        case_list: false,
    })
}

/// The documents of one folder of the corpus as one array, by name of file; `None` if it is not there.
fn public_list(folder: &str, name: &str) -> Option<Input> {
    let entries = std::fs::read_dir(corpus().join(folder)).ok()?;
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let mut files: Vec<PathBuf> = paths
        .filter(|path| path.extension().is_some_and(|ending| ending == "json"))
        .collect();
    files.sort();
    let texts: Vec<String> = files
        .iter()
        .filter_map(|file| std::fs::read_to_string(file).ok())
        .filter(|text| serde_json::from_str::<serde_json::Value>(text).is_ok())
        .collect();
    (!texts.is_empty()).then(|| Input {
        name: name.to_owned(),
        text: format!("[{}]", texts.join(",\n")).into_bytes(),
        case_list: false,
    })
}

struct Writer<'w> {
    state: u64,
    names: &'w [&'w str],
    words: &'w [&'w str],
    out: String,
}

impl<'w> Writer<'w> {
    /// A writer that always makes the same cases.
    const fn new(names: &'w [&'w str], words: &'w [&'w str]) -> Self {
        Self {
            state: 42,
            names,
            words,
            out: String::new(),
        }
    }

    fn number(&mut self, below: u64) -> u64 {
        self.state = self
            .state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.state >> 33) % below
    }

    fn one_of(&mut self, among: &[&'w str]) -> &'w str {
        let at = self.number(u64::try_from(among.len()).unwrap_or(1));
        let at = usize::try_from(at).unwrap_or(0);
        among.get(at).copied().unwrap_or("")
    }

    fn text(&mut self, words: u64) {
        for _ in 0..words {
            let word = self.one_of(self.words);
            self.out.push_str(word);
            self.out.push(' ');
        }
    }

    fn add(&mut self, text: fmt::Arguments<'_>) {
        assert!(
            self.out.write_fmt(text).is_ok(),
            "a string takes everything"
        );
    }

    fn case(&mut self, at: usize) {
        let (priority, token) = (self.number(5), self.number(u64::MAX));
        self.add(format_args!(
            "{{\"id\":{at},\"ref\":\"C-{at:07}\",\"status\":\"open\",\"priority\":{priority},\"subject\":\""
        ));
        self.text(6);
        self.out.push_str("\",\"customer\":");
        let (name, tax) = self.customer();
        self.add(format_args!(
            ",\"assignee\":{{\"id\":{priority},\"group\":\"desk {priority}\",\"email\":\
             \"agent{priority}@desk.example\"}},\"tags\":[\"billing\",\"web\"],\"messages\":["
        ));
        let messages = 7 + self.number(8);
        for message in 0..messages {
            self.message(message, tax);
        }
        let (phone, cents) = (self.number(10_000_000), self.number(100_000));
        self.add(format_args!(
            "],\"payments\":[{{\"id\":1,\"amount\":{cents}.50,\"currency\":\"EUR\",\"card_number\":\
             \"411111{phone:010}\",\"holder\":\"{name} {name}son\",\"settled\":null}}],\"internal_note\":\""
        ));
        self.text(12);
        self.add(format_args!(
            "\",\"session_token\":\"{token:016x}\",\"updated_at\":\"2026-02-01T00:00:00Z\"}}"
        ));
    }

    /// A customer's object; returns the name and the tax number.
    fn customer(&mut self) -> (&'w str, u64) {
        let name = self.one_of(self.names);
        let (phone, tax) = (self.number(10_000_000), self.number(1_000_000_000));
        self.add(format_args!(
            "{{\"id\":{tax},\"name\":\"{name} {name}son\",\"email\":\"u{tax}@example.com\",\"phone\":\
             \"+1 555 {phone}\",\"tax_id\":\"{tax:09}\",\"vip\":false,\"address\":{{\"street\":\"{phone} \
             Main Street\",\"city\":\"{name}ville\",\"zip\":\"{:05}\",\"geo\":[52.{phone},13.{tax}]}}}}",
            phone % 100_000
        ));
        (name, tax)
    }

    fn message(&mut self, at: u64, from: u64) {
        self.out.push_str(if at > 0 { "," } else { "" });
        self.add(format_args!(
            "{{\"id\":{at},\"from\":\"u{from}@example.com\",\"created_at\":\"2026-01-{:02}T09:30:00Z\",\
             \"public\":true,\"attachments\":[],\"body\":\"",
            at + 1
        ));
        let words = 16 + self.number(30);
        self.text(words);
        self.out.push_str("\"}");
    }

    fn small_case(&mut self) {
        self.out
            .push_str("{\"id\":1001,\"status\":\"open\",\"subject\":\"");
        self.text(6);
        self.out.push_str("\",\"customer\":");
        let (_, tax) = self.customer();
        self.out.push_str(",\"messages\":[");
        self.message(0, tax);
        self.out
            .push_str("],\"tags\":[\"billing\",\"web\",\"vip\"],\"internal_note\":\"");
        self.text(16);
        self.out
            .push_str("\",\"updated_at\":\"2026-02-01T00:00:00Z\"}");
    }
}
