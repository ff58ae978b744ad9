//! Divides a body into its parts (RFC 2046 section 5.1, RFC 7578), strictly.
//!
//! ```text
//! --boundary CRLF  fields CRLF  CRLF  content CRLF  --boundary CRLF  …  --boundary-- [CRLF]
//! ```
//!
//! Guarantees: a body that is divided has one reading. Nothing but a CRLF stands before its first boundary or behind
//! its last, the boundary occurs nowhere but where it divides, lines of fields end in CRLF, and the fields that decide
//! come once. What lenient readers take differently, such as bare line feeds, blanks behind a boundary, folded
//! fields and transfer encodings, is refused.

use std::ops::Range;

use memchr::memmem;
use postern_config::rfc9110::is_token;

use super::disposition::{Disposition, disposition};
use super::{Kind, RequestBodyError};
use crate::placeholder::Place;

/// How many parts a body may have.
pub const PARTS_MAX: usize = 1000;
/// How long the fields of one part may be together.
pub const PART_HEAD_BYTES_MAX: usize = 8 << 10;
/// How long a boundary may be (RFC 2046 section 5.1.1).
const BOUNDARY_BYTES_MAX: usize = 70;

/// One part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    /// Where its content is in the body.
    pub(super) content: Range<usize>,
    content_type: Option<String>,
    disposition: Disposition,
}

impl Part {
    /// How its content is read: with a file's name it is a file, whatever its type.
    pub(super) fn kind(&self) -> Result<Kind, RequestBodyError> {
        match (&self.disposition.file, &self.content_type) {
            (true, _) => Ok(Kind::File),
            (false, Some(content_type)) => Kind::of(content_type),
            // RFC 7578 section 4.4.
            (false, None) => Ok(Kind::Message(Place::Plain)),
        }
    }

    /// What the part is called.
    pub(super) fn name(&self) -> Option<&[u8]> {
        self.disposition.name.as_deref()
    }
}

/// What divides a body, with its dashes, from the parameter of its type.
pub(super) fn boundary(parameter: Option<&str>) -> Result<Vec<u8>, RequestBodyError> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(&byte);
    let valid = |text: &&str| {
        (1..=BOUNDARY_BYTES_MAX).contains(&text.len())
            && text.bytes().all(allowed)
            && !text.ends_with(' ')
    };
    let text = parameter.filter(valid);
    let text = text.ok_or(refused("no valid boundary"))?;
    Ok([b"--", text.as_bytes()].concat())
}

/// The parts of a body. `form` says that each of them has a name.
pub(super) fn parts(
    body: &[u8],
    boundary: &[u8],
    form: bool,
) -> Result<Vec<Part>, RequestBodyError> {
    let first = body.strip_prefix(b"\r\n").unwrap_or(body);
    if !first.starts_with(boundary) {
        return Err(refused("something before the first boundary"));
    }
    let mut parts = Vec::new();
    let mut at = body.len() - first.len() + boundary.len();
    loop {
        let rest = body.get(at..).unwrap_or_default();
        match rest {
            b"--" | b"--\r\n" => return Ok(parts),
            [b'\r', b'\n', ..] => {}
            _ => return Err(refused("something behind a boundary")),
        }
        if parts.len() == PARTS_MAX {
            return Err(refused("too many parts"));
        }
        let next = memmem::find(rest, boundary).ok_or(refused("no last boundary"))?;
        let inside = rest.get(2..next).unwrap_or_default();
        let inside = inside.strip_suffix(b"\r\n");
        let inside = inside.ok_or(refused("a boundary inside of a line"))?;
        parts.push(part(inside, at + 2, form)?);
        at += next + boundary.len();
    }
}

/// Reads the fields of a part that begins there.
fn part(text: &[u8], begins: usize, form: bool) -> Result<Part, RequestBodyError> {
    let head = match text.starts_with(b"\r\n") {
        true => 0,
        false => memmem::find(text, b"\r\n\r\n").ok_or(refused("a part without content"))? + 2,
    };
    let (fields, content) = text.split_at(head);
    if fields.len() > PART_HEAD_BYTES_MAX {
        return Err(refused("a part with too many fields"));
    }
    let (mut content_type, mut said) = (None, None);
    for line in lines(fields) {
        let (name, value) = field(line)?;
        let known = match name.to_ascii_lowercase().as_slice() {
            b"content-type" => &mut content_type,
            b"content-disposition" => &mut said,
            b"content-transfer-encoding" => {
                let kept = [&b"binary"[..], b"8bit", b"7bit"];
                if !kept.iter().any(|kept| value.eq_ignore_ascii_case(kept)) {
                    return Err(refused("a part with a transfer encoding"));
                }
                continue;
            }
            b"content-encoding" => return Err(refused("a part with a content coding")),
            _ => continue,
        };
        if known.replace(value).is_some() {
            return Err(refused("a field of a part that comes twice"));
        }
    }
    let disposition = match said {
        Some(said) => disposition(said).ok_or(refused("a disposition that cannot be read"))?,
        None => Disposition::default(),
    };
    if form && disposition.name.is_none() {
        return Err(refused("a part without a name"));
    }
    let content_type = content_type
        .map(|value| String::from_utf8(value.to_vec()))
        .transpose()
        .map_err(|_not_text| RequestBodyError::ContentType)?;
    let content_begins = begins + text.len() - content.len() + 2;
    Ok(Part {
        content: content_begins..begins + text.len(),
        content_type,
        disposition,
    })
}

/// The lines of the fields of a part, without their ends.
fn lines(fields: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = fields;
    std::iter::from_fn(move || {
        let end = memmem::find(rest, b"\r\n")?;
        let line = rest.get(..end)?;
        rest = rest.get(end + 2..)?;
        Some(line)
    })
}

/// The name and the value of a field.
fn field(line: &[u8]) -> Result<(&[u8], &[u8]), RequestBodyError> {
    let malformed = refused("a field of a part that cannot be read");
    let colon = memchr::memchr(b':', line).ok_or(malformed)?;
    let (name, value) = line.split_at(colon);
    let value = value.get(1..).unwrap_or_default();
    let control = |byte: &u8| byte.is_ascii_control() && *byte != b'\t';
    if !is_token(name) || value.iter().any(control) {
        return Err(malformed);
    }
    Ok((name, value.trim_ascii()))
}

const fn refused(what: &'static str) -> RequestBodyError {
    RequestBodyError::Parts { what }
}

#[cfg(test)]
mod tests;
