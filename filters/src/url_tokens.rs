//! Takes session tokens out of URLs: parameters of paths (`;jsessionid=…`), of queries and of fragments.
//!
//! ```text
//! /cases;jsessionid=A1?next=%2Fhome%3Fsid%3DB2%26tab%3D1#access_token=C3
//!       └─── level 0 ┘           └─ level 1 ──┘          └── level 0 ──┘
//! ```
//!
//! Guarantees: signs that divide count in every encoding, up to four times percent-encoded, so that a URL inside
//! a URL is searched as well; a value ends at the next sign that is not encoded deeper than its own `=`; the time
//! taken is linear. What holds no token stays byte for byte. It is no parser of URLs: any text is taken.

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode, percent_encode};
use postern_config::sessions::TokenNames;

use crate::token_rules::{FoundToken, Instead, Says, Why, is_shaped, parameter};

/// How often a sign may be percent-encoded.
const LEVELS_MAX: usize = 4;

/// Fields whose values are URLs: those of HTTP, and those in which scripts that load pages are told where they are.
pub const URL_FIELDS: [&str; 12] = [
    "Location",
    "Content-Location",
    "SourceMap",
    "X-SourceMap",
    "Referer",
    "HX-Location",
    "HX-Push-Url",
    "HX-Redirect",
    "HX-Replace-Url",
    "Turbolinks-Location",
    "X-PJAX-URL",
    "X-Redirect",
];

const UNRESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// A sign that divides a URL.
#[derive(Clone, Copy)]
struct Sign {
    byte: u8,
    /// Where it is, and where what follows it begins.
    from: usize,
    to: usize,
    /// How often it is encoded.
    level: usize,
    /// Whether it stands in a path, and not in what follows one.
    in_path: bool,
}

/// A URL without the tokens that are not to stay; none when nothing changes. `names` are those that the policy adds.
pub fn without_tokens(
    url: &[u8],
    names: &TokenNames,
    keeper: &mut dyn FnMut(FoundToken<'_>) -> Instead,
) -> Option<Vec<u8>> {
    let signs = signs(url);
    let mut out = Vec::new();
    let mut copied = 0;
    let mut changed = false;
    for (index, equals) in signs
        .iter()
        .enumerate()
        .filter(|(_, sign)| sign.byte == b'=')
    {
        let before = index.checked_sub(1).and_then(|before| signs.get(before));
        let name_from = before.map_or(0, |before| before.to);
        if equals.from < copied || before.is_some_and(|before| before.byte == b'=') {
            continue;
        }
        let after = signs.get(index + 1..).unwrap_or_default();
        let end = after
            .iter()
            .find(|sign| ends_value(**sign, *equals, before));
        let value_to = end.map_or(url.len(), |end| end.from);
        let name = decoded(url.get(name_from..equals.from), LEVELS_MAX);
        let value = decoded(url.get(equals.to..value_to), equals.level + 1);
        let in_path = before.is_some_and(|before| before.byte == b';' && before.in_path);
        let Some(why) = why(parameter(&name, names), &value, in_path) else {
            continue;
        };
        let found = FoundToken {
            name: Some(&name),
            value: &value,
            why,
        };
        let (kept_to, instead) = match keeper(found) {
            Instead::Keep => continue,
            Instead::Text(text) => (equals.to, encoded(text, equals.level + 1)),
            Instead::Strip => (
                before.map_or(0, |before| before.from.max(copied)),
                Vec::new(),
            ),
        };
        // What opens a query stays for the parameter that follows, and opens what is now its first one.
        let opens =
            before.filter(|before| matches!(before.byte, b'?' | b'#') || before.from < copied);
        let follows = end.filter(|end| end.byte == b'&');
        let (kept_to, value_to) = match (instead.is_empty(), opens, follows) {
            (true, Some(opens), Some(follows)) => (opens.to, follows.to),
            (true | false, _, _) => (kept_to, value_to),
        };
        out.extend_from_slice(url.get(copied..kept_to).unwrap_or_default());
        out.extend_from_slice(&instead);
        copied = value_to;
        changed = true;
    }
    out.extend_from_slice(url.get(copied..).unwrap_or_default());
    changed.then_some(out)
}

/// The value of a header field that holds URLs, without the tokens that are not to stay; none when nothing
/// changes, or when the field is none of [`URL_FIELDS`], `Refresh` and `Link`.
pub fn header_without_tokens(
    name: &str,
    value: &[u8],
    names: &TokenNames,
    keeper: &mut dyn FnMut(FoundToken<'_>) -> Instead,
) -> Option<Vec<u8>> {
    let is = |known: &str| name.eq_ignore_ascii_case(known);
    if URL_FIELDS.into_iter().any(is) {
        return without_tokens(value, names, keeper);
    }
    if is("Refresh") {
        let lower = value.to_ascii_lowercase();
        let (delay, url) = value.split_at_checked(memchr::memmem::find(&lower, b"url=")? + 4)?;
        return Some([delay, &without_tokens(url, names, keeper)?].concat());
    }
    if !is("Link") {
        return None;
    }
    let mut out = Vec::new();
    let mut changed = false;
    for piece in value.split_inclusive(|byte| matches!(byte, b'<' | b'>')) {
        let url = piece.strip_suffix(b">");
        let without = url.and_then(|url| without_tokens(url, names, keeper));
        changed |= without.is_some();
        match without {
            Some(without) => {
                out.extend(without);
                out.push(b'>');
            }
            None => out.extend_from_slice(piece),
        }
    }
    changed.then_some(out)
}

/// Why a parameter is taken for a token; none when it is not.
fn why(says: Option<Says>, value: &[u8], in_path: bool) -> Option<Why> {
    match says {
        Some(says) if says.is_token(value) && in_path => Some(Why::PathParameter),
        Some(says) if says.is_token(value) => Some(Why::Name),
        Some(_) | None => is_shaped(value).then_some(Why::Shape),
    }
}

/// Whether a sign ends the value behind `equals`; a parameter of a path ends at the next slash too.
fn ends_value(sign: Sign, equals: Sign, before: Option<&Sign>) -> bool {
    let in_path = before.is_some_and(|before| before.byte == b';');
    let ends = match sign.byte {
        b';' | b'&' | b'#' => true,
        b'/' | b'?' => in_path,
        _ => false,
    };
    ends && sign.level <= equals.level
}

/// All signs of a URL, in order.
fn signs(url: &[u8]) -> Vec<Sign> {
    let mut signs = Vec::new();
    let mut at = 0;
    // By level: a URL inside a URL begins with its own path.
    let mut in_path = [true; LEVELS_MAX + 1];
    while let Some(byte) = url.get(at) {
        let sign = match byte {
            b'%' => encoded_sign(url, at),
            byte => divides(*byte).then_some(Sign {
                byte: *byte,
                from: at,
                to: at + 1,
                level: 0,
                in_path: true,
            }),
        };
        at = sign.map_or(at + 1, |sign| sign.to);
        signs.extend(sign.map(|sign| placed(sign, &mut in_path)));
    }
    signs
}

/// A sign with where it stands; `in_path` says for each level whether its path goes on.
fn placed(sign: Sign, in_path: &mut [bool; LEVELS_MAX + 1]) -> Sign {
    let (own, deeper) = in_path.split_at_mut((sign.level + 1).min(LEVELS_MAX + 1));
    deeper.fill(true);
    let goes_on = own.last_mut();
    let stands = goes_on.as_deref().copied().unwrap_or(true);
    if let Some(goes_on) = goes_on {
        *goes_on = stands && !matches!(sign.byte, b'?' | b'#' | b'&');
    }
    Sign {
        in_path: stands,
        ..sign
    }
}

const fn divides(byte: u8) -> bool {
    matches!(byte, b';' | b'?' | b'&' | b'#' | b'=' | b'/')
}

/// A sign that is percent-encoded once or more: `%3B`, `%253B` and so on.
fn encoded_sign(url: &[u8], at: usize) -> Option<Sign> {
    let mut digits = at + 1;
    for level in 1..=LEVELS_MAX {
        match url.get(digits..digits + 2)? {
            b"25" => digits += 2,
            [high, low] => {
                let hex = |digit: &u8| char::from(*digit).to_digit(16);
                let byte = u8::try_from(hex(high)? * 16 + hex(low)?).ok()?;
                return divides(byte).then_some(Sign {
                    byte,
                    from: at,
                    to: digits + 2,
                    level,
                    in_path: true,
                });
            }
            _ => return None,
        }
    }
    None
}

fn decoded(text: Option<&[u8]>, times: usize) -> Vec<u8> {
    let mut text = text.unwrap_or_default().to_vec();
    for _ in 0..times {
        if !text.contains(&b'%') {
            break;
        }
        text = percent_decode(&text).collect();
    }
    text
}

fn encoded(text: String, times: usize) -> Vec<u8> {
    let once = |text: Vec<u8>| percent_encode(&text, &UNRESERVED).to_string().into_bytes();
    (0..times).fold(text.into_bytes(), |text, _| once(text))
}

#[cfg(test)]
mod tests;
