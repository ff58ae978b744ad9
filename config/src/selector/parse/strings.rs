//! String literals of RFC 9535 section 2.3.1.1, in either kind of quotes, decoded.

use super::SelectorError;
use super::reader::Reader;

/// Reads a quoted string; the reader is at its opening quote.
pub(super) fn literal(reader: &mut Reader) -> Result<String, SelectorError> {
    let start = reader.position();
    let Some(quote) = reader.bump() else {
        return Err(reader.unexpected("a string"));
    };
    let mut decoded = String::new();
    loop {
        match reader.peek() {
            None => {
                let message = format!("this string has no closing `{quote}`");
                return Err(SelectorError::at(start + 1, message));
            }
            Some(c) if c == quote => {
                reader.bump();
                return Ok(decoded);
            }
            Some('\\') => {
                reader.bump();
                decoded.push(escape(reader, quote)?);
            }
            Some(c) if c < ' ' => {
                return Err(reader.unexpected("an escape such as `\\n`"));
            }
            Some(c) => {
                reader.bump();
                decoded.push(c);
            }
        }
    }
}

/// What a backslash introduces; only the string's own quote may be escaped.
fn escape(reader: &mut Reader, quote: char) -> Result<char, SelectorError> {
    let decoded = match reader.peek() {
        Some('b') => '\u{8}',
        Some('f') => '\u{c}',
        Some('n') => '\n',
        Some('r') => '\r',
        Some('t') => '\t',
        Some(c @ ('/' | '\\')) => c,
        Some(c) if c == quote => c,
        Some('u') => {
            reader.bump();
            return unicode(reader);
        }
        _ => {
            let expected =
                format!("one of `b f n r t u / \\` or `{quote}` after a backslash in a string");
            return Err(reader.unexpected(&expected));
        }
    };
    reader.bump();
    Ok(decoded)
}

/// `\uXXXX`, or a surrogate pair of two of them; the reader is behind the `u`.
fn unicode(reader: &mut Reader) -> Result<char, SelectorError> {
    let start = reader.position();
    let first = hex4(reader)?;
    let code = if (0xD800..0xDC00).contains(&first) {
        if !reader.eat_str("\\u") {
            return Err(reader.unexpected("the low surrogate `\\uDC00` to `\\uDFFF` of a pair"));
        }
        let second = hex4(reader)?;
        if !(0xDC00..0xE000).contains(&second) {
            let message = "a high surrogate is followed by a low one, `\\uDC00` to `\\uDFFF`";
            return Err(SelectorError::at(start + 1, message));
        }
        0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00)
    } else {
        first
    };
    char::from_u32(code).ok_or_else(|| {
        let message = "a low surrogate without a high one before it is no character";
        SelectorError::at(start + 1, message)
    })
}

fn hex4(reader: &mut Reader) -> Result<u32, SelectorError> {
    let mut code = 0;
    for _ in 0..4 {
        let Some(digit) = reader.peek().and_then(|c| c.to_digit(16)) else {
            return Err(reader.unexpected("four hexadecimal digits after `\\u`"));
        };
        reader.bump();
        code = code * 16 + digit;
    }
    Ok(code)
}
