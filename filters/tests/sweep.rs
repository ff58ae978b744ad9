//! A secret is put everywhere in bodies of every kind and in fields, in eight encodings, and the bodies are split
//! everywhere: it never leaves.
//!
//! `cargo sweep` runs this. `POSTERN_SWEEP_RUNS` says how many runs there are at least: beyond those of the
//! fixed secrets, secrets are made from `POSTERN_SWEEP_SEED`.

#![cfg(test)]

use std::env;
use std::ops::Range;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use http::{HeaderMap, HeaderName, HeaderValue};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};
use postern_config::sessions::TokenNames;
use postern_filters::response_tokens::response_header_tokens;
use postern_filters::{BodyError, BodyFilter, Instead, NamedIn, Secret, Secrets, TokenFilter};

const INSTEAD: &[u8] = b"pnp_ZYXWVUTSRQPONMLKJIHGFEDCBA98";
/// Tokens as applications make them.
const SECRETS: [&[u8]; 3] = [
    b"s22UNeq1DdVSOPqJFiD9/AOy/6rMLh5SUxtLI4G/8YM+Zg==",
    b"0000Wq8:1d2k~a'b\"c<d>e&f g;h=i,j|k",
    b"k9#Lm2$Q",
];
/// Bodies with tokens of their own, so that every stage has something to do around the secret.
const BODIES: [(NamedIn, &str); 5] = [
    (NamedIn::Json, "{\"a\":[1,\"x\"],\"token\":\"a1b2c3d4\"}"),
    (NamedIn::Html, "<a href=\"/?sid=a1b2c3\">b</a><!-- -->"),
    (NamedIn::Xml, "<a b='c'><sid>a1b2c3d4</sid></a>"),
    (NamedIn::Recording, "{\"log\":{\"a\":\"b\"}}"),
    (NamedIn::Nothing, "at 10 % & <in> eyJ pnp_ \\ \"it\"\n"),
];
const FIELDS: [(&str, &str); 4] = [
    ("location", "/a;b=c?sid=a1b2c3&d=e#f"),
    ("link", "</a?b=c>; rel=next"),
    ("x-auth-token", "Bearer a1b2c3d4"),
    ("server-timing", "db;dur=1, eyJ;desc=\"x\""),
];

/// What was looked at.
#[derive(Debug, Default)]
struct Count {
    runs: u64,
    texts: u64,
    secrets: u64,
}

/// Numbers that depend on nothing but a seed (SplitMix64).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((mixed ^ (mixed >> 31)) % bound as u64).expect("below a length")
    }

    /// A secret that is looked for: graphic characters, none of them too often.
    fn secret(&mut self) -> Vec<u8> {
        let length = 8 + self.below(24);
        let graphic = |_| b'!' + u8::try_from(self.below(94)).expect("a byte");
        let mut secret: Vec<u8> = (0..length).map(graphic).collect();
        secret[..4].copy_from_slice(b"aB3/");
        secret
    }
}

fn named(name: &str, usual: u64) -> u64 {
    let said = env::var(name).ok();
    said.map_or(usual, |text| text.parse().expect("a number"))
}

#[test]
fn injected_anywhere_in_everything_that_leaves_it_never_leaves() {
    let (least, seed) = (
        named("POSTERN_SWEEP_RUNS", 0),
        named("POSTERN_SWEEP_SEED", 1),
    );
    let mut numbers = Numbers(seed);
    let mut count = Count::default();
    for secret in SECRETS {
        sweep(secret, &mut count);
    }
    while count.runs < least {
        sweep(&numbers.secret(), &mut count);
    }
    println!("seed {seed}: {count:?}, 0 leaks");
    assert!(count.runs > 100_000);
}

fn sweep(secret: &[u8], count: &mut Count) {
    let instead = INSTEAD;
    let one = Secret {
        value: secret,
        instead,
    };
    let secrets = Arc::new(Secrets::new(&[one]).expect("within the limits"));
    count.secrets += 1;
    for spelled in &spelled(secret) {
        for (named_in, body) in BODIES {
            for at in 0..=body.len() {
                let (before, after) = body.as_bytes().split_at(at);
                let text = [before, &spelled.text, after].concat();
                count.texts += 1;
                count.runs += split_everywhere(named_in, &secrets, &text, spelled);
            }
        }
        for (name, value) in FIELDS {
            for at in 0..=value.len() {
                let (before, after) = value.as_bytes().split_at(at);
                let text = [before, &spelled.text, after].concat();
                count.texts += 1;
                count.runs += 1;
                let left = field(name, &text, &secrets);
                assert_clean(&left, &secrets, spelled);
            }
        }
    }
}

fn split_everywhere(
    named_in: NamedIn,
    secrets: &Arc<Secrets>,
    text: &[u8],
    spelled: &Spelled,
) -> u64 {
    let whole = left(named_in, secrets, [text]);
    assert_clean(&whole, secrets, spelled);
    for split in 1..text.len() {
        let (first, second) = text.split_at(split);
        let split_text = left(named_in, secrets, [first, second]);
        assert!(
            split_text == whole,
            "{} in {named_in:?} split at {split}",
            spelled.name
        );
    }
    assert!(
        left(named_in, secrets, text.chunks(1)) == whole,
        "byte by byte"
    );
    text.len() as u64 + 1
}

/// All that leaves of a body, also when it turns out to be broken.
fn left<'c>(
    named_in: NamedIn,
    secrets: &Arc<Secrets>,
    chunks: impl IntoIterator<Item = &'c [u8]>,
) -> Vec<u8> {
    let mut filter = TokenFilter::new(named_in, Arc::default(), Arc::clone(secrets), |_| {
        Instead::Strip
    });
    let mut out = Vec::new();
    for chunk in chunks {
        filter.push(chunk, &mut out).expect("not spent");
    }
    if let Err(error) = filter.finish(&mut out) {
        let broken = matches!(error, BodyError::Incomplete | BodyError::Malformed { .. });
        assert!(broken, "{error}");
        // How much of it has left by then is the chunks' matter; none of the secret has.
        assert!(!secrets.contains(&out));
        out.clear();
    }
    out
}

fn field(name: &'static str, value: &[u8], secrets: &Arc<Secrets>) -> Vec<u8> {
    let mut headers = HeaderMap::new();
    let value = HeaderValue::from_bytes(value).expect("a value");
    headers.insert(HeaderName::from_static(name), value);
    let names = TokenNames::default();
    // What is found by its name or its shape is kept: its value has to give it away.
    let (left, _) = response_header_tokens(&headers, &names, secrets, &mut |_| Instead::Keep);
    let value = left.get(name).map(HeaderValue::as_bytes);
    value.unwrap_or_default().to_vec()
}

fn assert_clean(left: &[u8], secrets: &Secrets, spelled: &Spelled) {
    let secret = &spelled.text[spelled.secret.clone()];
    let holds = left.windows(secret.len()).any(|window| window == secret);
    assert!(!holds && !secrets.contains(left), "{} leaves", spelled.name);
}

/// A text that holds a secret.
struct Spelled {
    name: &'static str,
    text: Vec<u8>,
    /// Where the secret is in it.
    secret: Range<usize>,
}

const UNRESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A secret in eight encodings, by other writers than those under test.
fn spelled(secret: &[u8]) -> [Spelled; 8] {
    let text = String::from_utf8(secret.to_vec()).expect("text");
    let percent = percent_encode(secret, &UNRESERVED).to_string();
    let quoted = serde_json::to_string(&text).expect("a string");
    let html = text.replace('&', "&amp;").replace('<', "&lt;");
    let html = html.replace('>', "&gt;").replace('"', "&quot;");
    let whole = |name, text: String| Spelled {
        name,
        secret: 0..text.len(),
        text: text.into(),
    };
    // In the middle of a longer text the digits at both edges are not the secret's alone.
    let inside = |name, before: &[u8], digits: fn(&[u8]) -> String| Spelled {
        name,
        text: digits(&[before, secret, b"@x"].concat()).into(),
        secret: (before.len() * 8).div_ceil(6)..(before.len() + secret.len()) * 8 / 6,
    };
    [
        whole("form", percent.replace("%20", "+")),
        whole("percent", percent),
        whole(
            "json",
            quoted.split_at(1).1.split_at(quoted.len() - 2).0.to_owned(),
        ),
        whole("html", html),
        whole(
            "hex",
            secret.iter().map(|byte| format!("{byte:02x}")).collect(),
        ),
        whole("raw", text),
        inside("base64", b"u:", |text| STANDARD.encode(text)),
        inside("base64url", b"u", |text| URL_SAFE_NO_PAD.encode(text)),
    ]
}
