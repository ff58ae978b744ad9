//! Where pieces and values end.

/// Where the next quote or backslash is.
pub(super) fn next_mark(text: &[u8]) -> Option<usize> {
    // PERF: between two strings there is hardly anything.
    match text.first() {
        Some(b'"' | b'\\') => Some(0),
        Some(_) | None => memchr::memchr2(b'"', b'\\', text),
    }
}

/// How a value ends.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ValueEnd {
    /// Not yet; whether the next byte is escaped.
    Open { escaped: bool },
    /// With a quote.
    Quote,
    /// With a blank: most likely it is no token.
    Blank,
    /// With its line: it is in no JSON.
    Line,
}

/// How long a value is, up to what ends it.
pub(super) fn value_end(text: &[u8], escaped: bool) -> (usize, ValueEnd) {
    let mut at = usize::from(escaped);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => return (at, ValueEnd::Quote),
            b' ' | b'\t' => return (at, ValueEnd::Blank),
            0..=0x1f => return (at, ValueEnd::Line),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    let escaped = at > text.len();
    (text.len(), ValueEnd::Open { escaped })
}

/// Whether a piece is code and no name: in a script strings stand on both sides of it.
pub(super) fn is_code(piece: &[u8]) -> bool {
    let ends = [piece.first(), piece.last()];
    ends.into_iter().flatten().any(|byte| is_of_code(*byte))
}

/// Whether that stands at an end of a piece of code between two strings, and of no name: `"a"+token+":"`.
const fn is_of_code(byte: u8) -> bool {
    matches!(
        byte,
        b'+' | b',' | b';' | b':' | b'(' | b')' | b'=' | b'?' | b'&' | b'|' | b'!' | b'<' | b'>'
    )
}

/// Whether a value is the end of one string of a script, code, and the beginning of another: `'{"token":"'+code+'"}'`.
pub(super) fn is_between_strings(value: &[u8]) -> bool {
    value.starts_with(b"'+") && value.ends_with(b"+'")
}
