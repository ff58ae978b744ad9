//! Secrets: JSON Web Tokens (RFC 7519), private keys in PEM (RFC 7468), tokens whose issuers gave them a
//! beginning of their own, credentials in URLs and of HTTP, and what stands beside a word such as `password`.

mod named;

use super::view::{View, is_word};
use super::{Detector, Found, Tail};
pub(super) use named::may_be_named;
use named::named;

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

pub(super) fn find(view: View<'_>, found: &mut Vec<Found>) {
    // PERF: most texts have no such name, and each word of them need not be looked at as one (`postern bench`, free text).
    let text = view.span(0, view.len());
    let names = may_be_named(text);
    let mut at = 0;
    while at < view.len() {
        at += passed(text.get(at..).unwrap_or_default(), view.before(at), names);
        let here = at_place(view, at, names);
        at = here.map_or(at + 1, |here| here.end.max(at + 1));
        found.extend(here);
    }
}

/// How many bytes can be passed over because no secret begins at them.
fn passed(text: &[u8], before: u8, names: bool) -> usize {
    let mut before = before;
    let next = text.iter().skip(1).chain(&[0]);
    let begins = |(byte, next): (&u8, &u8)| {
        let is_first = match byte {
            b':' | b'-' => true,
            byte if byte.is_ascii() => !is_word(before) && (names || may_begin_token(*byte, *next)),
            _ => names,
        };
        before = *byte;
        is_first
    };
    text.iter().zip(next).position(begins).unwrap_or(text.len())
}

fn at_place(view: View<'_>, at: usize, names: bool) -> Option<Found> {
    let byte = view.at(at);
    if byte == b':' {
        return credentials(view, at);
    }
    if byte == b'-' {
        return private_key(view, at);
    }
    let before = view.before(at);
    let token = is_word(byte) && !is_word(before) && may_begin_token(byte, view.at(at + 1));
    let token = token.then(|| web_token(view, at).or_else(|| issued(view, at)));
    let begins = |byte: u8| is_word(byte) || byte >= 0x80;
    let name = || (names && begins(byte) && !begins(before)).then(|| named(view, at));
    token.flatten().or_else(|| name().flatten())
}

/// Whether a web token or an issued one can begin with these two characters.
const fn may_begin_token(first: u8, second: u8) -> bool {
    matches!(
        (first, second),
        (b'A', b'I' | b'K' | b'S')
            | (b'S', b'G')
            | (b'd', b'o')
            | (b'e', b'y')
            | (b'g', b'h' | b'i' | b'l')
            | (b'h', b'f')
            | (b'n', b'p')
            | (b'p', b'k' | b'y')
            | (b'r', b'k')
            | (b's', b'h' | b'k')
            | (b'w', b'h')
            | (b'x', b'a' | b'o')
            | (b'y', b'a')
    )
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

pub(super) const fn is_value(byte: u8) -> bool {
    byte > b' ' && !matches!(byte, b'"' | b'\'' | b'`' | b'<' | b'>' | b';')
}

/// Whether something found was already put here: a constant, a mask, a token, or a place for a value.
fn is_replacement(text: &[u8]) -> bool {
    let dots = memchr::memmem::find(text, "•••".as_bytes()).is_some();
    dots || matches!(text.first(), Some(b'[' | b'~' | b'{' | b'$' | b'%' | b'*'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_beginning_of_a_token_is_looked_at() {
        let beginnings = ISSUED.iter().map(|(beginning, _)| *beginning);
        for beginning in beginnings.chain(["eyJ"]) {
            let bytes = beginning.as_bytes();
            assert!(may_begin_token(bytes[0], bytes[1]), "{beginning}");
        }
    }
}
