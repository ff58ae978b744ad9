//! The documents: a generated list of support cases, and public ones where the corpus is there.

use std::fmt::Write;
use std::path::PathBuf;

/// One document to redact.
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) text: Vec<u8>,
    /// Whether it is a generated case list, which most rule sets are about.
    pub(crate) case_list: bool,
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

/// The documents of a run.
pub(crate) fn inputs(large: bool) -> Vec<Input> {
    let mut inputs = vec![
        case_list("200 cases, ASCII", 200, FIRST_NAMES, WORDS),
        case_list("200 cases, European", 200, EUROPEAN_NAMES, EUROPEAN_WORDS),
    ];
    inputs.extend(inputs.first().and_then(pretty));
    if large {
        inputs.push(case_list("10000 cases, ASCII", 10_000, FIRST_NAMES, WORDS));
    }
    inputs.extend(public("webhooks/github-webhook-payloads.json"));
    inputs
}

fn case_list(name: &str, cases: usize, names: &[&str], words: &[&str]) -> Input {
    let mut writer = Writer {
        state: 42,
        names,
        words,
        out: String::new(),
    };
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

/// The same document with line breaks and indents.
fn pretty(input: &Input) -> Option<Input> {
    let value: serde_json::Value = serde_json::from_slice(&input.text).ok()?;
    Some(Input {
        name: format!("{}, pretty", input.name),
        text: serde_json::to_vec_pretty(&value).ok()?,
        case_list: true,
    })
}

/// A document of the corpus (`POSTERN_CORPUS`), if it is there.
fn public(path: &str) -> Option<Input> {
    let repository = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let corpus = std::env::var_os("POSTERN_CORPUS")
        .map_or_else(|| repository.join("../shared/corpus"), PathBuf::from);
    let text = std::fs::read(corpus.join(path)).ok()?;
    Some(Input {
        name: path
            .rsplit('/')
            .next()?
            .trim_end_matches(".json")
            .to_owned(),
        text,
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

    fn add(&mut self, text: std::fmt::Arguments<'_>) {
        assert!(
            self.out.write_fmt(text).is_ok(),
            "a string takes everything"
        );
    }

    fn case(&mut self, at: usize) {
        let name = self.one_of(self.names);
        let (phone, tax) = (self.number(10_000_000), self.number(1_000_000_000));
        let (priority, token) = (self.number(5), self.number(u64::MAX));
        self.add(format_args!(
            "{{\"id\":{at},\"ref\":\"C-{at:07}\",\"status\":\"open\",\"priority\":{priority},\"subject\":\""
        ));
        self.text(6);
        self.add(format_args!(
            "\",\"customer\":{{\"id\":{tax},\"name\":\"{name} {name}son\",\"email\":\"u{tax}@example.com\",\
             \"phone\":\"+1 555 {phone}\",\"tax_id\":\"{tax:09}\",\"vip\":false,\"address\":{{\"street\":\
             \"{phone} Main Street\",\"city\":\"{name}ville\",\"zip\":\"{:05}\",\"geo\":[52.{phone},\
             13.{tax}]}}}},\"tags\":[\"billing\",\"web\"],\"messages\":[",
            phone % 100_000
        ));
        let messages = 6 + self.number(8);
        for message in 0..messages {
            self.out.push_str(if message > 0 { "," } else { "" });
            self.add(format_args!(
                "{{\"id\":{message},\"from\":\"u{tax}@example.com\",\"created_at\":\"2026-01-{:02}T09:\
                 30:00Z\",\"public\":true,\"attachments\":[],\"body\":\"",
                message + 1
            ));
            let words = 10 + self.number(30);
            self.text(words);
            self.out.push_str("\"}");
        }
        self.out.push_str("],\"payments\":[");
        for payment in 0..3_u64 {
            self.out.push_str(if payment > 0 { "," } else { "" });
            let cents = self.number(100_000);
            self.add(format_args!(
                "{{\"id\":{payment},\"amount\":{cents}.50,\"currency\":\"EUR\",\"card_number\":\"411111\
                 {phone:010}\",\"holder\":\"{name} {name}son\",\"settled\":null}}"
            ));
        }
        self.out.push_str("],\"internal_note\":\"");
        self.text(12);
        self.add(format_args!(
            "\",\"session_token\":\"{token:016x}\",\"updated_at\":\"2026-02-01T00:00:00Z\"}}"
        ));
    }
}
