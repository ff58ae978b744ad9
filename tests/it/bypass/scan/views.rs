//! The ways in which a client could read some bytes. Each is total: nonsense yields nothing.

use std::collections::HashSet;
use std::io::Read as _;

use base64::Engine as _;
use base64::alphabet;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use regex::bytes::Regex;

/// How many content codings are undone, and how many textual ones.
const CODINGS_MAX: usize = 3;
const STEPS_MAX: usize = 4;
/// The most views and the most bytes a view may have: an attack on the scanner itself ends here.
const VIEWS_MAX: usize = 400;
const BYTES_MAX: u64 = 8 << 20;

type Step = (&'static str, fn(&[u8]) -> Vec<Vec<u8>>);

const STEPS: [Step; 8] = [
    ("JSON", unescape_json),
    ("percent", percent),
    ("entities", entities),
    ("base64", base64_runs),
    ("quoted-printable", quoted_printable),
    ("UTF-16", utf16),
    ("UTF-32", utf32),
    ("EBCDIC", ebcdic),
];

/// Every view reachable from the given ones by undoing textual encodings.
pub(super) fn derive(starts: Vec<(String, Vec<u8>)>) -> Vec<(String, Vec<u8>)> {
    let mut seen: HashSet<Vec<u8>> = starts.iter().map(|(_, bytes)| bytes.clone()).collect();
    let mut views = starts.clone();
    let mut last = starts;
    for _ in 0..STEPS_MAX {
        let mut next = Vec::new();
        for (name, bytes) in &last {
            for (step, undo) in STEPS {
                for made in undo(bytes) {
                    let new = !made.is_empty() && views.len() + next.len() < VIEWS_MAX;
                    if new && seen.insert(made.clone()) {
                        next.push((format!("{name}, {step}"), made));
                    }
                }
            }
        }
        views.extend(next.iter().cloned());
        last = next;
    }
    views
}

/// The body with one, two and three content codings undone, whatever its head says.
pub(super) fn undo_codings(body: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut views = Vec::new();
    let mut last = vec![("body".to_owned(), body.to_vec())];
    for _ in 0..CODINGS_MAX {
        let mut next = Vec::new();
        for (name, bytes) in &last {
            for (coding, plain) in undone(bytes) {
                if !plain.is_empty() {
                    next.push((format!("{name}, {coding}"), plain));
                }
            }
        }
        views.extend(next.iter().cloned());
        last = next;
    }
    views
}

fn undone(bytes: &[u8]) -> Vec<(&'static str, Vec<u8>)> {
    let mut views = Vec::new();
    if bytes.starts_with(&[0x1f, 0x8b]) {
        views.push(("gzip", drain(flate2::read::MultiGzDecoder::new(bytes))));
    }
    if bytes.first().is_some_and(|first| first & 0x0f == 8) {
        views.push(("zlib", drain(flate2::read::ZlibDecoder::new(bytes))));
    }
    if bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd])
        && let Ok(decoder) = zstd::Decoder::new(bytes)
    {
        views.push(("zstd", drain(decoder)));
    }
    views.push(("deflate", drain(flate2::read::DeflateDecoder::new(bytes))));
    views.push(("br", drain(brotli::Decompressor::new(bytes, 4096))));
    views
}

/// What a decoder yields before it fails: a client that reads a cut stream sees that much.
fn drain(reader: impl std::io::Read) -> Vec<u8> {
    let mut out = Vec::new();
    let mut limited = reader.take(BYTES_MAX);
    let mut block = [0; 4096];
    while let Ok(have @ 1..) = limited.read(&mut block) {
        out.extend(&block[..have]);
    }
    out
}

fn unescape_json(bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut out = Vec::new();
    let mut rest = bytes;
    let mut changed = false;
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte != b'\\' {
            out.push(byte);
            continue;
        }
        changed = true;
        let Some((&escaped, after)) = rest.split_first() else {
            break;
        };
        rest = after;
        if escaped == b'u' && after.len() >= 4 {
            let unit = std::str::from_utf8(&after[..4]).ok();
            let unit = unit.and_then(|hex| u32::from_str_radix(hex, 16).ok());
            let c = unit.and_then(char::from_u32).unwrap_or('\u{fffd}');
            out.extend(c.encode_utf8(&mut [0; 4]).bytes());
            rest = &after[4..];
        } else {
            out.push(match escaped {
                b'n' => b'\n',
                b't' => b'\t',
                b'r' => b'\r',
                other => other,
            });
        }
    }
    if changed { vec![out] } else { Vec::new() }
}

fn percent(bytes: &[u8]) -> Vec<Vec<u8>> {
    if !bytes.contains(&b'%') {
        return Vec::new();
    }
    vec![percent_encoding::percent_decode(bytes).collect()]
}

fn replace(bytes: &[u8], pattern: &str, with: fn(&str) -> Option<char>) -> Vec<Vec<u8>> {
    let pattern = Regex::new(pattern).expect("pattern");
    if !pattern.is_match(bytes) {
        return Vec::new();
    }
    let made = pattern.replace_all(bytes, |found: &regex::bytes::Captures<'_>| {
        let code = String::from_utf8_lossy(&found[1]).into_owned();
        with(&code)
            .map(String::from)
            .unwrap_or_default()
            .into_bytes()
    });
    vec![made.into_owned()]
}

fn entities(bytes: &[u8]) -> Vec<Vec<u8>> {
    replace(bytes, "&(#?[0-9a-zA-Z]+);", |code| match code {
        "amp" => Some('&'),
        "lt" => Some('<'),
        "gt" => Some('>'),
        "quot" => Some('"'),
        _ => {
            let number = code.strip_prefix('#')?;
            let hex = number.strip_prefix(['x', 'X']);
            let value =
                hex.map_or_else(|| number.parse().ok(), |h| u32::from_str_radix(h, 16).ok());
            value.and_then(char::from_u32)
        }
    })
}

fn base64_runs(bytes: &[u8]) -> Vec<Vec<u8>> {
    let pattern = Regex::new("[A-Za-z0-9+/_-]{12,}").expect("pattern");
    let config = GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true);
    let mut views = Vec::new();
    for run in pattern.find_iter(bytes) {
        for alphabet in [alphabet::STANDARD, alphabet::URL_SAFE] {
            let engine = GeneralPurpose::new(&alphabet, config);
            // A run may have begun before the encoding did: every phase is tried.
            for phase in 0..4 {
                let text = &run.as_bytes()[phase..];
                let whole = text.len() - usize::from(text.len() % 4 == 1);
                views.extend(engine.decode(&text[..whole]));
            }
        }
    }
    views
}

fn quoted_printable(bytes: &[u8]) -> Vec<Vec<u8>> {
    let soft = Regex::new("=\r?\n").expect("pattern");
    let joined = soft.replace_all(bytes, &b""[..]).into_owned();
    let decoded = replace(&joined, "=([0-9A-Fa-f]{2})", |code| {
        u32::from_str_radix(code, 16).ok().and_then(char::from_u32)
    });
    if decoded.is_empty() && joined != bytes {
        vec![joined]
    } else {
        decoded
    }
}

fn utf16(bytes: &[u8]) -> Vec<Vec<u8>> {
    wide(bytes, 2, |unit| {
        u32::from(u16::from_be_bytes([unit[0], unit[1]]))
    })
}

fn utf32(bytes: &[u8]) -> Vec<Vec<u8>> {
    wide(bytes, 4, |unit| {
        u32::from_be_bytes([unit[0], unit[1], unit[2], unit[3]])
    })
}

/// The bytes read in units of `size`, in both orders, beginning at every offset.
fn wide(bytes: &[u8], size: usize, value: fn(&[u8]) -> u32) -> Vec<Vec<u8>> {
    let mut views = Vec::new();
    if !bytes.contains(&0) {
        return views;
    }
    for start in 0..size.min(bytes.len()) {
        for little in [false, true] {
            let mut text = String::new();
            for unit in bytes[start..].chunks_exact(size) {
                let mut unit = unit.to_vec();
                if little {
                    unit.reverse();
                }
                text.push(char::from_u32(value(&unit)).unwrap_or('\u{fffd}'));
            }
            views.push(text.into_bytes());
        }
    }
    views
}

/// Code page 037, as far as canaries of digits and hyphens need it.
fn ebcdic(bytes: &[u8]) -> Vec<Vec<u8>> {
    let read = |byte: &u8| match byte {
        0xf0..=0xf9 => byte - 0xf0 + b'0',
        0x60 => b'-',
        _ => b'?',
    };
    let text: Vec<u8> = bytes.iter().map(read).collect();
    if text.iter().any(u8::is_ascii_digit) {
        vec![text]
    } else {
        Vec::new()
    }
}
