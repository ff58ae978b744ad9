//! What an application sent that must stay with Postern, read by a reader of the test's own, and whether any of it
//! is in what clients received.
//!
//! The reader knows pages and answers as a person does who looks for tokens in them; it shares no code with the
//! filters that take them out.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use regex::Regex;
use regex::bytes::RegexBuilder;

use super::messages::{Message, answers};
use super::relay::Connection;

/// What a secret is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// A cookie.
    Cookie,
    /// What a form sends back to show that it is the application's own.
    Csrf,
    /// A credential in JSON.
    Token,
    /// What a client holds in place of one of these.
    Held,
}

/// Secrets by their values.
pub(super) type Secrets = BTreeMap<String, (Kind, String)>;

/// Shorter values are words: `None`, `""`, `en`.
const LENGTH_MIN: usize = 8;

/// Where secrets stand in text; the first group names one, the second is its value.
const PLACES: [(Kind, &str); 5] = [
    (
        Kind::Csrf,
        r#"(?is)<input\b[^>]*\bname=["']?([^"'\s>]*csrf[^"'\s>]*)[^>]*?\bvalue=["']([^"']*)"#,
    ),
    (Kind::Csrf, r#"(?i)"([a-z]*csrf_?token)"\s*:\s*"([^"]+)""#),
    (
        Kind::Token,
        r#""(token|access|refresh|access_token|refresh_token|id_token)"\s*:\s*"([^"]+)""#,
    ),
    (Kind::Token, r"\b(eyJ)([\w-]+\.[\w-]+\.[\w-]+)"),
    (Kind::Held, r"\b(pn[hp]_)([0-9A-Za-z]{20,})"),
];

/// Every secret that was said on these connections.
pub(super) fn said_to_clients(connections: &[Connection]) -> Secrets {
    let places = PLACES.map(|(kind, place)| (kind, Regex::new(place).unwrap()));
    let mut secrets = Secrets::new();
    for message in connections.iter().flat_map(|one| answers(&one.down)) {
        for (name, value) in message.all("set-cookie").filter_map(cookie) {
            add(&mut secrets, Kind::Cookie, (name, value));
        }
        let text = message.text();
        for (kind, place) in &places {
            for found in place.captures_iter(&text) {
                let (_, [name, value]) = found.extract();
                // The beginnings by which these are recognised belong to them.
                let value = match name {
                    "eyJ" | "pnh_" | "pnp_" => format!("{name}{value}"),
                    _ => value.to_owned(),
                };
                add(&mut secrets, *kind, (name, &value));
            }
        }
    }
    secrets
}

fn add(secrets: &mut Secrets, kind: Kind, (name, value): (&str, &str)) {
    if value.len() >= LENGTH_MIN {
        let known = secrets.entry(value.to_owned());
        known.or_insert_with(|| (kind, name.to_owned()));
    }
}

/// The name and the value of a `Set-Cookie` field.
pub(super) fn cookie(field: &str) -> Option<(&str, &str)> {
    let pair = field.split(';').next()?;
    let (name, value) = pair.split_once('=')?;
    Some((name.trim(), value.trim().trim_matches('"')))
}

/// Which secrets are in what clients received, in any of the spellings below, and in which answer.
pub(super) fn leaks(secrets: &Secrets, connections: &[Connection]) -> BTreeSet<String> {
    let mut spelt: Vec<(String, String)> = Vec::new();
    for (value, (kind, name)) in secrets {
        let what = format!("{kind:?} `{name}`");
        spelt.extend(
            spellings(value)
                .into_iter()
                .map(|(how, text)| (text, format!("{what}, {how}"))),
        );
    }
    let any: Vec<String> = spelt.iter().map(|(text, _)| regex::escape(text)).collect();
    if any.is_empty() {
        return BTreeSet::new();
    }
    let any = RegexBuilder::new(&any.join("|"))
        .size_limit(64 << 20)
        .build()
        .unwrap();
    let mut names: BTreeMap<&[u8], &str> = BTreeMap::new();
    for (text, what) in &spelt {
        names.entry(text.as_bytes()).or_insert(what);
    }
    let mut found = BTreeSet::new();
    let mut search = |bytes: &[u8], place: &str| {
        for hit in any.find_iter(bytes) {
            found.insert(format!("{} in {place}", names[hit.as_bytes()]));
        }
    };
    for connection in connections {
        search(&connection.down, "raw bytes");
        for message in answers(&connection.down) {
            search(&message.body, &place_of(&message));
        }
    }
    found
}

fn place_of(answer: &Message) -> String {
    format!(
        "a body: {} {}",
        answer.status(),
        answer.field("content-type")
    )
}

/// A value as writers of pages, answers, addresses and logs spell it.
fn spellings(value: &str) -> Vec<(&'static str, String)> {
    let hex: String = value.bytes().map(|byte| format!("{byte:02x}")).collect();
    let html = |slash: &str| {
        value
            .replace('&', "&amp;")
            .replace('+', "&#43;")
            .replace('/', slash)
    };
    let mut spellings = vec![
        ("as it is", value.to_owned()),
        (
            "percent-encoded",
            utf8_percent_encode(value, NON_ALPHANUMERIC).to_string(),
        ),
        ("in JSON", value.replace('/', "\\/").replace('+', "\\u002b")),
        ("in HTML", html("&#x2F;")),
        ("in HTML", html("/")),
        ("in hex", hex.to_uppercase()),
        ("in hex", hex),
    ];
    // Whatever stands before it, one of these three is in the text: less what its neighbours have a part in.
    for before in 0..3 {
        let text = format!("{}{value}", "x".repeat(before));
        for coded in [STANDARD_NO_PAD.encode(&text), URL_SAFE_NO_PAD.encode(&text)] {
            let own = [0, 2, 3][before]..coded.len() - 2;
            spellings.push(("in base64", coded.get(own).unwrap_or_default().to_owned()));
        }
    }
    spellings
}

#[test]
fn finds_what_an_application_says_and_what_a_client_was_told() {
    let page = "<input type=\"hidden\" name=\"csrfmiddlewaretoken\" value=\"abcdef/ghijkl\">\
        <input name=\"@csrf\" type=\"hidden\"\n value=\"mnopqrstuv\"> {\"access\":\"eyJabc.def.ghi\"} pnp_0123456789abcdefghijkl";
    let down = format!(
        "HTTP/1.1 200 OK\r\nSet-Cookie: a=0123456789; Path=/\r\nSet-Cookie: b=None\r\n\r\n{page}"
    );
    let said = Connection {
        up: Vec::new(),
        down: down.into_bytes(),
    };
    let secrets = said_to_clients(&[said]);
    let values: Vec<&str> = secrets.keys().map(String::as_str).collect();
    assert_eq!(
        values,
        [
            "0123456789",
            "abcdef/ghijkl",
            "eyJabc.def.ghi",
            "mnopqrstuv",
            "pnp_0123456789abcdefghijkl"
        ]
    );
    for body in [
        "x0123456789x".to_owned(),
        "abcdef%2Fghijkl".to_owned(),
        "abcdef\\/ghijkl".to_owned(),
        "abcdef&#x2F;ghijkl".to_owned(),
        base64::engine::general_purpose::STANDARD.encode("agent:mnopqrstuv!"),
        "6d6e6f7071727374757".to_owned() + "6",
    ] {
        let down = format!(
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes();
        let told = Connection {
            up: Vec::new(),
            down,
        };
        assert!(!leaks(&secrets, &[told]).is_empty(), "{body}");
    }
    let told = Connection {
        up: Vec::new(),
        down: b"HTTP/1.1 200 OK\r\n\r\n012345678, mnopqrstu".to_vec(),
    };
    assert_eq!(leaks(&secrets, &[told]), BTreeSet::new());
}
