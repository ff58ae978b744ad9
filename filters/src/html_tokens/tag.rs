//! One tag: where its attributes are (HTML, section 13.2.5), and how their values are written.

use std::ops::Range;

/// An attribute of a tag, by where it is in the tag's text.
pub(crate) struct Attribute {
    pub(crate) name: Range<usize>,
    /// Without quotes; none when it has no value.
    pub(crate) value: Option<Range<usize>>,
    /// Around the value.
    pub(crate) quote: Option<u8>,
}

/// A tag, or as much of it as there is.
pub(crate) struct Tag {
    /// Its name, with the slash of an end tag.
    pub(crate) name: Range<usize>,
    /// Its attributes; the last one may be incomplete if the tag is.
    pub(crate) attributes: Vec<Attribute>,
    /// Where its `>` is; none when it is incomplete.
    pub(crate) end: Option<usize>,
    /// It ends inside the last value.
    pub(crate) in_value: bool,
}

/// Reads a tag from its first byte, or, with `from`, goes on in the middle of one.
pub(crate) fn read(text: &[u8], from: Option<usize>) -> Tag {
    let mut at = from.unwrap_or(1);
    let name = at..run(text, at, |byte| {
        !is_blank(byte) && byte != b'>' && !(byte == b'/' && text.get(1) != Some(&b'/'))
    });
    at = if from.is_some() { at } else { name.end };
    let mut tag = Tag {
        name: if from.is_some() { 0..0 } else { name },
        attributes: Vec::new(),
        end: None,
        in_value: false,
    };
    loop {
        at = run(text, at, |byte| is_blank(byte) || byte == b'/');
        match text.get(at) {
            None => return tag,
            Some(b'>') => {
                tag.end = Some(at);
                return tag;
            }
            Some(_) => {
                let attribute = attribute(text, at, &mut tag.in_value);
                let value = attribute.value.as_ref();
                let closing = usize::from(attribute.quote.is_some());
                at = value.map_or(attribute.name.end, |value| value.end + closing);
                tag.attributes.push(attribute);
            }
        }
    }
}

fn attribute(text: &[u8], at: usize, in_value: &mut bool) -> Attribute {
    // The first character belongs to the name, whatever it is.
    let named = |byte| !is_blank(byte) && !matches!(byte, b'/' | b'>' | b'=');
    let name = at..run(text, at + 1, named);
    let equals = run(text, name.end, is_blank);
    if text.get(equals) != Some(&b'=') {
        return Attribute {
            name,
            value: None,
            quote: None,
        };
    }
    let begins = run(text, equals + 1, is_blank);
    let quote = text
        .get(begins)
        .copied()
        .filter(|byte| matches!(byte, b'"' | b'\''));
    let from = begins + usize::from(quote.is_some());
    let to = match quote {
        Some(quote) => run(text, from, |byte| byte != quote),
        None => run(text, from, |byte| !is_blank(byte) && byte != b'>'),
    };
    *in_value = to >= text.len();
    Attribute {
        name,
        value: Some(from..to),
        quote,
    }
}

const fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0C)
}

/// Where a run of such bytes ends.
fn run(text: &[u8], from: usize, inside: impl Fn(u8) -> bool) -> usize {
    let rest = text.get(from..).unwrap_or_default();
    let length = rest.iter().position(|byte| !inside(*byte));
    from.min(text.len()) + length.unwrap_or(rest.len())
}

/// A value without character references; those of other characters than ASCII stay.
pub(crate) fn unescaped(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some(at) = memchr::memchr(b'&', rest) {
        let (before, reference) = rest.split_at(at);
        out.extend_from_slice(before);
        let (byte, length) = character(reference).unwrap_or((b'&', 1));
        out.push(byte);
        rest = reference.get(length..).unwrap_or_default();
    }
    out.extend_from_slice(rest);
    out
}

/// The ASCII character that a reference stands for, and how long the reference is.
fn character(reference: &[u8]) -> Option<(u8, usize)> {
    const LENGTH_MAX: usize = 10;
    let end = reference
        .iter()
        .take(LENGTH_MAX)
        .position(|byte| *byte == b';')?;
    let name = std::str::from_utf8(reference.get(1..end)?).ok()?;
    let number = |digits: &str, radix| u8::from_str_radix(digits, radix).ok();
    let byte = match name {
        "amp" => b'&',
        "lt" => b'<',
        "gt" => b'>',
        "quot" => b'"',
        "apos" => b'\'',
        "sol" => b'/',
        "equals" => b'=',
        "quest" => b'?',
        "semi" => b';',
        _ => match name.strip_prefix('#')? {
            hex if hex.starts_with(['x', 'X']) => number(hex.get(1..)?, 16)?,
            decimal => number(decimal, 10)?,
        },
    };
    byte.is_ascii().then_some((byte, end + 1))
}

/// A value as it is written between quotes of either kind.
pub(crate) fn escaped(value: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(value.len());
    for byte in value {
        match byte {
            b'&' => out.extend_from_slice(b"&amp;"),
            b'<' => out.extend_from_slice(b"&lt;"),
            b'>' => out.extend_from_slice(b"&gt;"),
            b'"' => out.extend_from_slice(b"&#34;"),
            b'\'' => out.extend_from_slice(b"&#39;"),
            byte => out.push(*byte),
        }
    }
    out
}
