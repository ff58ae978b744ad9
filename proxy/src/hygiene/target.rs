//! The canonical form of a request target, or a refusal.
//!
//! One path is matched and the same path is forwarded. Percent-encoded unreserved characters are
//! decoded and hexadecimal digits are capitals (RFC 3986 section 6.2.2); nothing else is rewritten.
//! Whatever another reader could take for a different path is refused: dot segments, empty segments,
//! encoded separators and their look-alikes, backslashes, path parameters, double encoding, bytes that
//! are not UTF-8.

use super::Refusal;

/// A target split into its canonical path and its query.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Target {
    /// The canonical path.
    pub path: String,
    /// The query as it came, without `?`.
    pub query: Option<String>,
}

/// Splits and canonicalises an origin-form target (RFC 9112 section 3.2.1).
pub(super) fn canonical(raw: &[u8]) -> Result<Target, Refusal> {
    let (path, query) = match raw.iter().position(|byte| *byte == b'?') {
        None => (raw, None),
        Some(at) => {
            let (path, rest) = raw.split_at(at);
            (path, Some(rest.get(1..).unwrap_or_default()))
        }
    };
    Ok(Target {
        path: canonical_path(path)?,
        query: query.map(checked_query).transpose()?,
    })
}

/// The canonical path of a raw one.
///
/// ```text
/// /api/%63ases/%c3%a9   ->   /api/cases/%C3%A9
/// /api//cases, /api/../x, /api/%2e%2e/x, /a%2fb, /a;b, /a%252fb   ->   refused
/// ```
pub(crate) fn canonical_path(raw: &[u8]) -> Result<String, Refusal> {
    if raw.first() != Some(&b'/') {
        return Err(Refusal::Ambiguous("the target does not begin with a slash"));
    }
    let mut path = String::with_capacity(raw.len());
    let mut decoded = Vec::with_capacity(raw.len());
    let mut bytes = raw.iter().copied();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let value = hex_pair(bytes.next(), bytes.next())?;
            push_decoded(value, &mut path)?;
            decoded.push(value);
        } else {
            if !is_plain(byte) {
                return Err(Refusal::Ambiguous("a character that a path may not hold"));
            }
            path.push(char::from(byte));
            decoded.push(byte);
        }
    }
    let Ok(text) = std::str::from_utf8(&decoded) else {
        return Err(Refusal::Ambiguous("the path is not UTF-8"));
    };
    if text.chars().any(looks_like_syntax) {
        return Err(Refusal::Ambiguous(
            "a character that a lenient reader takes for a separator or a dot",
        ));
    }
    if is_double_encoded(&decoded) {
        return Err(Refusal::Ambiguous("a percent sign encoded twice"));
    }
    refuse_segments(&path)?;
    Ok(path)
}

/// Characters beyond ASCII that compatibility folding (NFKC) or a best-fit code page makes a slash, a
/// backslash, a dot, a percent sign, a semicolon, a question mark or a number sign.
fn looks_like_syntax(c: char) -> bool {
    matches!(
        c,
        '\u{ff0f}' | '\u{2044}' | '\u{2215}' | '\u{29f8}' // slashes
            | '\u{ff3c}' | '\u{fe68}' | '\u{2216}' | '\u{29f5}' | '\u{29f9}' // backslashes
            | '\u{ff0e}' | '\u{fe52}' | '\u{2024}' | '\u{2025}' // dots
            | '\u{ff05}' | '\u{fe6a}' | '\u{ff1b}' | '\u{fe54}' // percent signs, semicolons
            | '\u{ff1f}' | '\u{fe56}' | '\u{ff03}' | '\u{fe5f}' // question marks, number signs
    )
}

/// Appends an encoded byte in its canonical form.
fn push_decoded(value: u8, path: &mut String) -> Result<(), Refusal> {
    if value.is_ascii_alphanumeric() || matches!(value, b'-' | b'.' | b'_' | b'~') {
        path.push(char::from(value));
        return Ok(());
    }
    if value.is_ascii_control() || matches!(value, b'/' | b'\\' | b'?' | b'#' | b';') {
        return Err(Refusal::Ambiguous(
            "an encoded separator or control character",
        ));
    }
    path.push('%');
    for nibble in [value >> 4, value & 0x0f] {
        path.push(char::from_digit(u32::from(nibble), 16).map_or('0', |c| c.to_ascii_uppercase()));
    }
    Ok(())
}

/// Dot segments and empty ones. One slash at the end is part of the path and stays.
fn refuse_segments(path: &str) -> Result<(), Refusal> {
    if path.contains("//") {
        return Err(Refusal::Ambiguous("an empty path segment"));
    }
    if path
        .split('/')
        .any(|segment| segment == "." || segment == "..")
    {
        return Err(Refusal::Ambiguous("a dot segment"));
    }
    Ok(())
}

/// The query passes as it came, once its characters and its percent-encoding are sound.
fn checked_query(raw: &[u8]) -> Result<String, Refusal> {
    let mut bytes = raw.iter().copied();
    let mut query = String::with_capacity(raw.len());
    while let Some(byte) = bytes.next() {
        let plain = is_plain(byte)
            || matches!(
                byte,
                b'/' | b'?' | b';' | b'[' | b']' | b'{' | b'}' | b'|' | b'^' | b'%'
            );
        if !plain {
            return Err(Refusal::Ambiguous("a character that a query may not hold"));
        }
        query.push(char::from(byte));
        if byte == b'%' {
            let (high, low) = (bytes.next(), bytes.next());
            if hex_pair(high, low)? == 0 {
                return Err(Refusal::Ambiguous("an encoded NUL"));
            }
            query.extend([high, low].into_iter().flatten().map(char::from));
        }
    }
    Ok(query)
}

/// A character that stands for itself in a path (RFC 3986 section 3.3), without `;`.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric()
        || matches!(
            byte,
            b'/' | b'-'
                | b'.'
                | b'_'
                | b'~'
                | b'!'
                | b'$'
                | b'&'
                | b'\''
                | b'('
                | b')'
                | b'*'
                | b'+'
                | b','
                | b'='
                | b':'
                | b'@'
        )
}

/// Whether decoding once leaves something that can be decoded again.
fn is_double_encoded(decoded: &[u8]) -> bool {
    decoded.windows(3).any(|window| {
        matches!(window, [b'%', high, low] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
    })
}

fn hex_pair(high: Option<u8>, low: Option<u8>) -> Result<u8, Refusal> {
    let digit = |byte: Option<u8>| {
        byte.and_then(|byte| char::from(byte).to_digit(16))
            .and_then(|digit| u8::try_from(digit).ok())
    };
    match (digit(high), digit(low)) {
        (Some(high), Some(low)) => Ok((high << 4) | low),
        (None, _) | (_, None) => Err(Refusal::Ambiguous("a percent sign without two digits")),
    }
}
