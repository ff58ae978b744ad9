//! The text of a JSON string: from its escapes to characters and back.
//!
//! Decoding expects what the engine has already validated and still refuses what it cannot read.
//! Encoding escapes what RFC 8259 section 7 requires and nothing else.

use std::str::Chars;

/// The characters of a JSON string, given with its quotes; none when it is not one, lone surrogates
/// included.
pub(crate) fn decode(raw: &[u8]) -> Option<String> {
    let inner = raw.strip_prefix(b"\"")?.strip_suffix(b"\"")?;
    let text = std::str::from_utf8(inner).ok()?;
    if !text.contains('\\') {
        return Some(text.to_owned());
    }
    let mut decoded = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(character) = rest.next() {
        decoded.push(match character {
            '\\' => escaped(&mut rest)?,
            plain => plain,
        });
    }
    Some(decoded)
}

/// The one character that these bytes spell inside of a string; none when they are not all of it.
pub(crate) fn decode_one(spelled: &[u8]) -> Option<char> {
    let mut rest = std::str::from_utf8(spelled).ok()?.chars();
    let character = match rest.next()? {
        '\\' => escaped(&mut rest)?,
        plain => plain,
    };
    rest.next().is_none().then_some(character)
}

/// The character after a backslash; a high surrogate takes the escape that must follow it.
fn escaped(rest: &mut Chars<'_>) -> Option<char> {
    Some(match rest.next()? {
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        'u' => {
            let first = hex4(rest)?;
            if !(0xD800..0xDC00).contains(&first) {
                return char::from_u32(first);
            }
            let (Some('\\'), Some('u')) = (rest.next(), rest.next()) else {
                return None;
            };
            let second = hex4(rest)?;
            if !(0xDC00..0xE000).contains(&second) {
                return None;
            }
            return char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00));
        }
        same @ ('"' | '\\' | '/') => same,
        _ => return None,
    })
}

fn hex4(rest: &mut Chars<'_>) -> Option<u32> {
    (0..4).try_fold(0, |value, _| Some(value * 16 + rest.next()?.to_digit(16)?))
}

/// Appends the JSON string of these characters, quotes included.
pub(crate) fn encode(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    escape(text, out);
    out.push(b'"');
}

/// Appends these characters as the inside of a JSON string.
pub(crate) fn escape(text: &str, out: &mut Vec<u8>) {
    for byte in text.bytes() {
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..0x20 => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
}
