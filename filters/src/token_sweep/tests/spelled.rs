//! What other writers make of a secret, without the table under test.

use std::ops::Range;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

/// Tokens as applications make them.
pub(super) const SECRETS: &[&[u8]] = &[
    b"2r5cxvp7hj3jfe31dnlrm4hquqgrix8y",
    b"s22UNeq1DdVSOPqJFiD9/AOy/6rMLh5SUxtLI4G/8YM+Zg==",
    b"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIyIn0.9JrdRHh2DWYlfAgT6vz-zhtMXYbL9CfINaITGi_VeP0w",
    b"0000Wq8:1d2k~a'b\"c<d>e&f g;h=i,j|k",
    b"s%3Aq8Zk3u7PSx1vT5nY.Wc0pB4%2FmHqE",
    b"k9#Lm2$Q",
    b"kX3/vQ9+bT1/a~7+mN5/cD2+pL8/eR4=",
];

/// A text that holds a secret.
pub(super) struct Spelled {
    pub(super) name: &'static str,
    pub(super) text: Vec<u8>,
    /// Where the secret is in it.
    pub(super) secret: Range<usize>,
    /// Whether it is written out.
    pub(super) faithful: bool,
}

const UNRESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');
/// What `urllib.parse.quote` of Python keeps, and the filters of templates that call it.
const PYTHON: AsciiSet = UNRESERVED.remove(b'/');
/// The same before Python 3.7, whose `~` is escaped.
const OLD_PYTHON: AsciiSet = PYTHON.add(b'~');
const COMPONENT: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'!')
    .remove(b'~')
    .remove(b'*')
    .remove(b'\'')
    .remove(b'(')
    .remove(b')');
const FORM: AsciiSet = NON_ALPHANUMERIC
    .remove(b'*')
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b' ');

pub(super) fn spelled(secret: &[u8]) -> Vec<Spelled> {
    let text = String::from_utf8(secret.to_vec()).expect("text");
    let percent = |set: &'static AsciiSet| percent_encode(secret, set).to_string();
    let json = in_json(&text);
    let component = percent(&COMPONENT);
    let whole = [
        ("raw", text.clone()),
        ("percent, unreserved kept", percent(&UNRESERVED)),
        ("percent, component", component.clone()),
        ("percent, all escaped", percent(NON_ALPHANUMERIC)),
        ("form", percent(&FORM).replace(' ', "+")),
        ("percent, lower case", lower_escapes(&component)),
        ("percent, twice", component.replace('%', "%25")),
        ("json, slash escaped", json.replace('/', "\\/")),
        ("json in json", in_json(&json)),
        (
            "json, for scripts",
            escaped(&text, "<>&'", |byte| format!("\\u{byte:04x}")),
        ),
        (
            "json, .NET",
            escaped(&text, "<>&'\"+`", |byte| format!("\\u{byte:04X}")),
        ),
        (
            "script, Django",
            escaped(&text, "<>&'\"=-;`", |byte| format!("\\u{byte:04X}")),
        ),
        ("json", json),
        ("html, named", named(&text, |byte| format!("&#{byte};"))),
        ("html, hex", named(&text, |byte| format!("&#x{byte:x};"))),
        ("html, padded", named(&text, |byte| format!("&#{byte:03};"))),
        (
            "html, all decimal",
            special(&text, |byte| format!("&#{byte};")),
        ),
        (
            "html, all hex",
            special(&text, |byte| format!("&#x{byte:X};")),
        ),
    ];
    let whole = whole
        .into_iter()
        .map(|(name, text)| written_out(name, text));
    let mut all: Vec<Spelled> = whole.collect();
    all.extend(in_python(secret));
    all.extend(in_scripts_and_mails(&text));
    for (name, digits) in [("hex", hex(secret)), ("HEX", hex(secret).to_uppercase())] {
        all.push(Spelled {
            name,
            secret: 0..digits.len(),
            text: digits.into(),
            faithful: false,
        });
    }
    all.extend(in_base64(secret));
    all
}

fn in_scripts_and_mails(text: &str) -> impl Iterator<Item = Spelled> {
    [
        ("html, every name", every_name(text)),
        (
            "script, all escaped",
            special(text, |byte| format!("\\x{byte:02x}")),
        ),
        (
            "script, OWASP",
            special_but(text, ",._", |byte| format!("\\x{byte:02X}")),
        ),
        (
            "script, Twig",
            special_but(text, ",._", |byte| format!("\\u{byte:04X}")),
        ),
        (
            "script, old Go",
            escaped(text, "\"'&+<>", |byte| format!("\\x{byte:02x}")).replace('/', "\\/"),
        ),
        ("quoted-printable", text.replace('=', "=3D")),
        (
            "quoted-printable, all escaped",
            special(text, |byte| format!("={byte:02X}")),
        ),
    ]
    .into_iter()
    .map(|(name, text)| written_out(name, text))
}

fn in_python(secret: &[u8]) -> impl Iterator<Item = Spelled> {
    let quoted = percent_encode(secret, &PYTHON).to_string();
    let inside = percent_encode(quoted.as_bytes(), &UNRESERVED).to_string();
    [
        ("percent, Python, in a parameter", inside),
        ("percent, Python", quoted),
        (
            "percent, old Python",
            percent_encode(secret, &OLD_PYTHON).to_string(),
        ),
    ]
    .into_iter()
    .map(|(name, text)| written_out(name, text))
}

/// A text that is the secret and nothing else.
fn written_out(name: &'static str, text: String) -> Spelled {
    Spelled {
        name,
        secret: 0..text.len(),
        text: text.into(),
        faithful: true,
    }
}

fn in_base64(secret: &[u8]) -> Vec<Spelled> {
    let engines = [
        ("base64", STANDARD),
        ("base64, not padded", STANDARD_NO_PAD),
        ("base64url", URL_SAFE),
        ("base64url, not padded", URL_SAFE_NO_PAD),
    ];
    let mut all = Vec::new();
    for (name, engine) in engines {
        for (before, after) in [(0, 0), (1, 0), (2, 1), (3, 2), (4, 0), (5, 3)] {
            let inside = [&b"\x00u:Z\xff"[..before], secret, &b"@x\xfe"[..after]].concat();
            all.push(Spelled {
                name,
                text: engine.encode(inside).into(),
                secret: (before * 8).div_ceil(6)..(before + secret.len()) * 8 / 6,
                faithful: false,
            });
        }
    }
    all
}

fn in_json(text: &str) -> String {
    let quoted = serde_json::to_string(text).expect("a string");
    let inside = quoted
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'));
    inside.expect("in quotes").to_owned()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn lower_escapes(text: &str) -> String {
    let mut escape = 0;
    let lower = |character: char| {
        escape = if character == '%' { 3 } else { escape };
        let inside = escape > 0;
        escape -= i32::from(inside);
        if inside {
            character.to_ascii_lowercase()
        } else {
            character
        }
    };
    text.chars().map(lower).collect()
}

fn escaped(text: &str, set: &str, spell: fn(u32) -> String) -> String {
    let each = |character: char| match character {
        _ if set.contains(character) => spell(character.into()),
        '"' | '\\' => format!("\\{character}"),
        _ => character.to_string(),
    };
    text.chars().map(each).collect()
}

fn named(text: &str, spell: fn(u32) -> String) -> String {
    let each = |character: char| match character {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        '"' => "&quot;".to_owned(),
        '\'' => spell(character.into()),
        _ => character.to_string(),
    };
    text.chars().map(each).collect()
}

fn every_name(text: &str) -> String {
    let names = "+plus /sol =equals 'apos \"quot <lt >gt &amp ;semi ,comma |vert .period _lowbar :colon #num $dollar \
                 %percnt";
    let name = |character| {
        names
            .split(' ')
            .find_map(|name| name.strip_prefix(character))
    };
    let each = |character: char| match name(character) {
        Some(name) => format!("&{name};"),
        None => character.to_string(),
    };
    text.chars().map(each).collect()
}

fn special(text: &str, spell: fn(u32) -> String) -> String {
    special_but(text, "", spell)
}

fn special_but(text: &str, kept: &str, spell: fn(u32) -> String) -> String {
    let each = |character: char| match character {
        _ if character.is_ascii_alphanumeric() || kept.contains(character) => character.to_string(),
        _ => spell(character.into()),
    };
    text.chars().map(each).collect()
}
