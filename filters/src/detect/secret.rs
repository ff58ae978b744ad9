//! Secrets: JSON Web Tokens (RFC 7519), private keys in PEM (RFC 7468), tokens whose issuers gave them a
//! beginning of their own, credentials in URLs, and what stands beside a word such as `password`.

use super::view::{View, is_word};
use super::{Detector, Found, Tail};

/// Where a private key's text ends.
const PEM_END: &[u8] = b"-----END";

/// Beginnings of tokens, and how many letters and digits follow at least.
pub(crate) const ISSUED: [(&str, usize); 34] = [
    ("ghp_", 30),
    ("gho_", 30),
    ("ghu_", 30),
    ("ghs_", 30),
    ("ghr_", 30),
    ("github_pat_", 30),
    ("glpat-", 20),
    ("gldt-", 20),
    ("glrt-", 20),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("xoxa-", 20),
    ("xoxr-", 20),
    ("xoxs-", 20),
    ("xapp-", 20),
    ("sk_live_", 16),
    ("sk_test_", 16),
    ("rk_live_", 16),
    ("rk_test_", 16),
    ("pk_live_", 16),
    ("whsec_", 16),
    ("AKIA", 16),
    ("ASIA", 16),
    ("AIza", 35),
    ("sk-ant-", 20),
    ("sk-proj-", 20),
    ("sk-", 32),
    ("npm_", 36),
    ("hf_", 30),
    ("ya29.", 20),
    ("dop_v1_", 40),
    ("shpat_", 32),
    ("pypi-", 40),
    ("SG.", 40),
];

/// Ends of names, such as `API_KEY` or `dbPassword`, whose values are secrets.
const NAMES: [&str; 22] = [
    "password",
    "passwd",
    "pwd",
    "passphrase",
    "passcode",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "access_key",
    "access-key",
    "accesskey",
    "private_key",
    "secret_key",
    "secretkey",
    "credential",
    "credentials",
    "passwort",
    "kennwort",
    "wachtwoord",
    "senha",
];

/// The same in words beyond ASCII.
const WORDS: [&str; 5] = ["contraseña", "hasło", "пароль", "密码", "κωδικός"];

/// The longest name.
const NAME_MAX: usize = 40;

/// What a text that holds no digit and no `@` has where a secret can be.
pub(super) const ANCHORS: [&str; 30] = [
    "passw",
    "passp",
    "passc",
    "pwd",
    "secret",
    "token",
    "apikey",
    "api_key",
    "api-key",
    "access_key",
    "access-key",
    "accesskey",
    "private_key",
    "credential",
    "kennwort",
    "wachtwoord",
    "senha",
    "contrase",
    "hasł",
    "парол",
    "密码",
    "κωδικ",
    "-----begin",
    "bearer",
    "CONTRASEÑ",
    "HASŁ",
    "ПАРОЛ",
    "Парол",
    "ΚΩΔΙΚ",
    "Κωδικ",
];

pub(super) fn find(view: View<'_>, found: &mut Vec<Found>) {
    let mut at = 0;
    while at < view.len() {
        let here = at_place(view, at);
        at = here.map_or(at + 1, |here| here.end.max(at + 1));
        found.extend(here);
    }
}

fn at_place(view: View<'_>, at: usize) -> Option<Found> {
    let byte = view.at(at);
    if byte == b':' {
        return credentials(view, at);
    }
    if byte == b'-' {
        return private_key(view, at);
    }
    let before = view.before(at);
    let token = is_word(byte) && !is_word(before);
    let token = token.then(|| web_token(view, at).or_else(|| issued(view, at)));
    let begins = |byte: u8| is_word(byte) || byte >= 0x80;
    let name = || (begins(byte) && !begins(before)).then(|| named(view, at));
    token.flatten().or_else(|| name().flatten())
}

const fn is_token(byte: u8) -> bool {
    is_word(byte) || byte == b'-'
}

fn has_digit(view: View<'_>, from: usize, to: usize) -> bool {
    view.span(from, to).iter().any(u8::is_ascii_digit)
}

/// A token found between two places; where the text breaks off in it, it goes on.
fn token(view: View<'_>, from: usize, to: usize) -> Found {
    let tail = (to == view.len()).then_some(Tail::Token);
    Found {
        tail,
        ..Found::closed(Detector::Secret, from, to)
    }
}

/// `eyJ…`: two or more parts of base64url with points between.
fn web_token(view: View<'_>, at: usize) -> Option<Found> {
    if view.span(at, at + 3) != b"eyJ" {
        return None;
    }
    let first = view.run(at, usize::MAX, is_token);
    let second = view.run(first + 1, usize::MAX, is_token);
    let parts = view.at(first) == b'.' && second > first + 4 || first == view.len();
    let mut end = view.run(at, usize::MAX, |byte| is_token(byte) || byte == b'.');
    while view.before(end) == b'.' {
        end -= 1;
    }
    (first - at > 10 && parts && has_digit(view, at, end)).then(|| token(view, at, end))
}

fn issued(view: View<'_>, at: usize) -> Option<Found> {
    let beginning = ISSUED
        .iter()
        .find(|(beginning, _)| view.span(at, at + beginning.len()) == beginning.as_bytes());
    let (beginning, least) = beginning?;
    let inside = |byte: u8| is_token(byte) || byte == b'.';
    let mut end = view.run(at, usize::MAX, inside);
    while matches!(view.before(end), b'.' | b'-') {
        end -= 1;
    }
    let length = end - at - beginning.len().min(end - at);
    let uniform = !matches!(*beginning, "AKIA" | "ASIA")
        || view
            .span(at, end)
            .iter()
            .all(|byte| !byte.is_ascii_lowercase() && *byte != b'-');
    (length >= *least && uniform && has_digit(view, at, end)).then(|| token(view, at, end))
}

/// `-----BEGIN … PRIVATE KEY-----` up to the end that belongs to it, or all that follows.
fn private_key(view: View<'_>, at: usize) -> Option<Found> {
    const HEAD_MAX: usize = 64;
    if !view.has(at, "-----BEGIN ") {
        return None;
    }
    let head = view.span(at, at + HEAD_MAX).to_ascii_uppercase();
    memchr::memmem::find(&head, b"PRIVATE KEY")?;
    let rest = view.span(at + 1, view.len());
    let end = memchr::memmem::find(rest, PEM_END).and_then(|end| {
        let after = end + PEM_END.len();
        let dashes = memchr::memmem::find(rest.get(after..)?, b"-----")?;
        Some(at + 1 + after + dashes + 5)
    });
    Some(Found {
        tail: end.is_none().then_some(Tail::PrivateKey),
        ..Found::closed(Detector::Secret, at, end.unwrap_or(view.len()))
    })
}

/// The password in `scheme://user:password@host`.
fn credentials(view: View<'_>, at: usize) -> Option<Found> {
    const AUTHORITY_MAX: usize = 256;
    if view.span(at, at + 3) != b"://" {
        return None;
    }
    let inside = |byte: u8| byte > b' ' && !matches!(byte, b'/' | b'@' | b'"' | b'<' | b'>');
    let end = view.run(at + 3, AUTHORITY_MAX, inside);
    let colon = view.run(at + 3, AUTHORITY_MAX, |byte| inside(byte) && byte != b':');
    let found = view.at(end) == b'@' && view.at(colon) == b':' && colon + 1 < end;
    let found = found && !is_replacement(view.span(colon + 1, end));
    found.then(|| Found::closed(Detector::Secret, colon + 1, end))
}

/// What stands beside a name that says it is a secret.
fn named(view: View<'_>, at: usize) -> Option<Found> {
    let name = view.run(at, NAME_MAX, |byte| is_token(byte) || byte >= 0x80);
    let text = std::str::from_utf8(view.span(at, name))
        .ok()?
        .to_lowercase();
    let bearer = text == "bearer";
    let plural = text.strip_suffix('s').unwrap_or(&text);
    let known = NAMES
        .iter()
        .any(|end| plural.ends_with(end) || text.ends_with(end));
    if !known && !bearer && !WORDS.iter().any(|end| text.ends_with(end)) {
        return None;
    }
    let (value, assigned) = value_after(view, name, bearer)?;
    let mut end = view.run(value, usize::MAX, is_value);
    let open = end == view.len();
    while !open && matches!(view.before(end), b'.' | b',' | b')' | b':') && end > value {
        end -= 1;
    }
    let text = view.span(value, end);
    let secret = match (assigned, bearer) {
        (true, _) => text.len() >= 6 && is_mixed(text),
        (false, true) => text.len() >= 16 && has_digit(view, value, end),
        (false, false) => text.len() >= 8 && is_random(text),
    };
    (secret && !is_replacement(text)).then(|| Found {
        tail: open.then_some(Tail::Token),
        ..Found::closed(Detector::Secret, value, end)
    })
}

pub(super) const fn is_value(byte: u8) -> bool {
    byte > b' ' && !matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b';')
}

/// Where the value after a name begins, and whether a sign says that it is its value.
fn value_after(view: View<'_>, name: usize, bearer: bool) -> Option<(usize, bool)> {
    let quotes = |byte: u8| matches!(byte, b'"' | b'\'' | b'`' | b' ' | b'\\');
    let sign = view.run(name, 4, quotes);
    let assigned = matches!(view.at(sign), b':' | b'=');
    if assigned {
        let after = view.run(sign, 3, |byte| matches!(byte, b':' | b'=' | b'>'));
        return Some((view.run(after, 4, quotes), true));
    }
    if view.at(name) != b' ' {
        return None;
    }
    if bearer {
        return Some((name + 1, false));
    }
    let joined = ["is ", "was ", "ist ", "est ", "es "];
    let verb = joined.iter().find(|verb| view.has(name + 1, verb));
    let after = name + 1 + verb.map_or(0, |verb| verb.len());
    let value = view.run(after, 4, quotes);
    Some((value, verb.is_some()))
}

/// Letters and something that is no letter.
fn is_mixed(text: &[u8]) -> bool {
    let letters = text
        .iter()
        .any(|byte| byte.is_ascii_alphabetic() || *byte >= 0x80);
    let others = text
        .iter()
        .any(|byte| !byte.is_ascii_alphabetic() && !matches!(*byte, b'-' | b'_' | b'.' | b'/'));
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    letters && others || digits >= 6 && digits == text.len()
}

/// At least three of the four classes of characters, or a long text with many different ones.
fn is_random(text: &[u8]) -> bool {
    const DIFFERENT_MIN: usize = 8;
    const LONG: usize = 16;
    let has = |class: fn(&u8) -> bool| usize::from(text.iter().any(class));
    let classes = has(u8::is_ascii_lowercase)
        + has(u8::is_ascii_uppercase)
        + has(u8::is_ascii_digit)
        + has(|byte| {
            byte.is_ascii_punctuation() && !matches!(byte, b'.' | b'-' | b'_' | b'/' | b',')
        });
    let mut different: Vec<u8> = text.to_vec();
    different.sort_unstable();
    different.dedup();
    let varied = different.len() >= DIFFERENT_MIN;
    let mixed = text.iter().any(u8::is_ascii_digit) && text.iter().any(u8::is_ascii_alphabetic);
    mixed && (classes >= 3 || text.len() >= LONG && varied)
}

/// Whether something found was already put here: a constant, a mask, a token, or a place for a value.
fn is_replacement(text: &[u8]) -> bool {
    let dots = memchr::memmem::find(text, "•••".as_bytes()).is_some();
    dots || matches!(text.first(), Some(b'[' | b'~' | b'{' | b'$' | b'%' | b'*'))
}
