//! Reads the cookies that an upstream sets, as browsers read them (RFC 6265bis section 5.6).
//!
//! Guarantees: every byte sequence has one reading, and none panics; what a browser would ignore is ignored.
//! Bytes beyond ASCII in names and values are kept. Two older ways of writing several cookies in one field are
//! read as well: fields that an intermediary joined with commas, and `Set-Cookie2` (RFC 2965).
//!
//! Whether a cookie may be kept, and for whom, is the jar's: see [`crate::cookie_jar`].

pub(crate) mod date;

use std::fmt;

use postern_config::rfc9110::is_tchar;

/// The longest name and value together.
const NAME_AND_VALUE_BYTES_MAX: usize = 4096;
/// The longest value of an attribute; a longer one is ignored.
const ATTRIBUTE_BYTES_MAX: usize = 1024;
/// How many cookies are read from one field.
const COOKIES_OF_A_FIELD_MAX: usize = 64;

/// One cookie as it is set. `Debug` shows nothing of it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SetCookie {
    /// Its name; it may be empty.
    pub name: Vec<u8>,
    /// Its value, as written.
    pub value: Vec<u8>,
    /// `Max-Age` in seconds: it counts from when the answer came, and before `Expires`.
    pub max_age_seconds: Option<i64>,
    /// `Expires` in seconds since 1970.
    pub expires: Option<i64>,
    /// `Domain` in lower case without a point before it; none when it was empty.
    pub domain: Option<Vec<u8>>,
    /// `Path`, if it begins with a slash.
    pub path: Option<Vec<u8>>,
    /// `Secure`.
    pub secure: bool,
    /// `HttpOnly`.
    pub http_only: bool,
}

impl fmt::Debug for SetCookie {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetCookie")
    }
}

/// The cookies of one `Set-Cookie` field: one as a rule, several when the field was joined, none when a
/// browser would ignore it.
///
/// A comma divides cookies only after the first semicolon, and only where a name and `=` follow it: a comma in a
/// value or a date divides nothing.
#[must_use]
pub fn set_cookies(field: &[u8]) -> Vec<SetCookie> {
    let pieces = divided(field, |piece, rest| {
        piece.contains(&b';') && begins_with_a_name(rest)
    });
    pieces
        .into_iter()
        .filter_map(|piece| read(piece, Syntax::Present))
        .collect()
}

/// The cookies of one `Set-Cookie2` field. Commas and semicolons in quotes divide nothing, and attributes lose
/// their quotes.
#[must_use]
pub fn set_cookies2(field: &[u8]) -> Vec<SetCookie> {
    let pieces = divided(field, |piece, _| quotes(piece).is_multiple_of(2));
    pieces
        .into_iter()
        .filter_map(|piece| read(piece, Syntax::Rfc2965))
        .collect()
}

/// The pieces between those commas that divide, given what is before a comma in its piece and what follows.
fn divided(field: &[u8], divides: impl Fn(&[u8], &[u8]) -> bool) -> Vec<&[u8]> {
    let mut pieces = Vec::new();
    let mut rest = field;
    let mut from = 0;
    while let Some(comma) = rest.iter().skip(from).position(|byte| *byte == b',') {
        let comma = from + comma;
        let (piece, after) = rest.split_at(comma);
        let after = after.get(1..).unwrap_or_default();
        if pieces.len() + 1 < COOKIES_OF_A_FIELD_MAX && divides(piece, after) {
            pieces.push(piece);
            rest = after;
            from = 0;
        } else {
            from = comma + 1;
        }
    }
    pieces.push(rest);
    pieces
}

fn quotes(text: &[u8]) -> usize {
    text.iter().filter(|byte| **byte == b'"').count()
}

fn begins_with_a_name(text: &[u8]) -> bool {
    let text = trimmed(text);
    let end = text.iter().position(|byte| !is_tchar(*byte));
    end.is_some_and(|end| end > 0 && text.get(end) == Some(&b'='))
}

/// How attributes are written.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Syntax {
    /// As they are.
    Present,
    /// In quotes, which may hold any sign (RFC 2965).
    Rfc2965,
}

/// RFC 6265bis section 5.6.
fn read(piece: &[u8], syntax: Syntax) -> Option<SetCookie> {
    let control = |byte: &u8| *byte < b' ' && *byte != b'\t' || *byte == 0x7F;
    if piece.iter().any(control) {
        return None;
    }
    let mut parts = parts(piece, syntax);
    let pair = parts.next()?;
    let (name, value) = match pair.iter().position(|byte| *byte == b'=') {
        Some(equals) => {
            let (name, value) = pair.split_at(equals);
            (trimmed(name), trimmed(value.get(1..).unwrap_or_default()))
        }
        None => (&[][..], trimmed(pair)),
    };
    let length = name.len() + value.len();
    if length == 0 || length > NAME_AND_VALUE_BYTES_MAX {
        return None;
    }
    let mut cookie = SetCookie {
        name: name.to_vec(),
        value: value.to_vec(),
        ..SetCookie::default()
    };
    for part in parts {
        let equals = part.iter().position(|byte| *byte == b'=');
        let (name, value) = part.split_at(equals.unwrap_or(part.len()));
        let value = value.get(1..).unwrap_or_default();
        let value = match syntax {
            Syntax::Present => trimmed(value),
            Syntax::Rfc2965 => unquoted(value),
        };
        if value.len() <= ATTRIBUTE_BYTES_MAX {
            cookie.attribute(trimmed(name), value);
        }
    }
    Some(cookie)
}

/// The parts between semicolons; in the older syntax those in quotes divide nothing.
fn parts(piece: &[u8], syntax: Syntax) -> impl Iterator<Item = &[u8]> {
    let mut inside = false;
    piece.split(move |byte| {
        inside ^= syntax == Syntax::Rfc2965 && *byte == b'"';
        *byte == b';' && !inside
    })
}

fn trimmed(text: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let from = text
        .iter()
        .position(|byte| !blank(byte))
        .unwrap_or(text.len());
    let to = text
        .iter()
        .rposition(|byte| !blank(byte))
        .map_or(from, |last| last + 1);
    text.get(from..to).unwrap_or_default()
}

fn unquoted(text: &[u8]) -> &[u8] {
    let text = trimmed(text);
    let inside = text
        .strip_prefix(b"\"")
        .and_then(|text| text.strip_suffix(b"\""));
    inside.unwrap_or(text)
}

impl SetCookie {
    /// Takes one attribute: the last one of a name counts. Unknown ones are ignored, and so are broken ones.
    fn attribute(&mut self, name: &[u8], value: &[u8]) {
        let is = |known: &str| name.eq_ignore_ascii_case(known.as_bytes());
        if is("Expires") {
            self.expires = date::cookie_date(value).or(self.expires);
        } else if is("Max-Age") {
            self.max_age_seconds = max_age(value).or(self.max_age_seconds);
        } else if is("Domain") {
            let domain = value.strip_prefix(b".").unwrap_or(value);
            self.domain = (!domain.is_empty()).then(|| domain.to_ascii_lowercase());
        } else if is("Path") {
            self.path = value.starts_with(b"/").then(|| value.to_vec());
        } else if is("Secure") {
            self.secure = true;
        } else if is("HttpOnly") {
            self.http_only = true;
        }
    }
}

/// RFC 6265bis section 5.6.2. What is too large for a number is as large as it can be.
fn max_age(value: &[u8]) -> Option<i64> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let step = |number: i64, digit: &u8| {
        number
            .saturating_mul(10)
            .saturating_add(i64::from(digit - b'0'))
    };
    let number = digits.iter().fold(0i64, step);
    Some(if digits.len() == value.len() {
        number
    } else {
        -number
    })
}

#[cfg(test)]
mod tests;
