//! `Content-Disposition` of a part (RFC 7578 section 4.2, RFC 6266), for the two questions that matter here:
//! what the part is called, and whether it is a file.
//!
//! Readers differ about a backslash before a quote: browsers write backslashes as they are, RFC 9110 has them
//! escape. A value that ends differently for the two is refused.

use postern_config::rfc9110::is_token;

/// What the disposition of a part says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Disposition {
    /// Its name, without quotes.
    pub(super) name: Option<Vec<u8>>,
    /// It has a file's name, perhaps an empty one, or is an attachment.
    pub(super) file: bool,
}

/// Reads a disposition; none when anything about it is malformed or comes twice.
pub(super) fn disposition(value: &[u8]) -> Option<Disposition> {
    let end = value.iter().position(|byte| *byte == b';');
    let (kind, mut rest) = value.split_at(end.unwrap_or(value.len()));
    let kind = kind.trim_ascii();
    if !is_token(kind) {
        return None;
    }
    let mut found = Disposition {
        name: None,
        file: kind.eq_ignore_ascii_case(b"attachment"),
    };
    let mut seen: Vec<Vec<u8>> = Vec::new();
    while !rest.is_empty() {
        rest = rest.strip_prefix(b";")?.trim_ascii_start();
        if rest.is_empty() {
            break;
        }
        let equals = memchr::memchr(b'=', rest)?;
        let (name, after) = rest.split_at(equals);
        if !is_token(name) {
            return None;
        }
        let (said, behind) = value_of(after.get(1..)?)?;
        rest = behind;
        let name = name.to_ascii_lowercase();
        match name.as_slice() {
            b"name" => found.name = Some(said.to_vec()),
            b"filename" | b"filename*" => found.file = true,
            // What continues over several parameters (RFC 2231) is put together by some readers only.
            name if name.starts_with(b"name*") || name.starts_with(b"filename*") => return None,
            _ => {}
        }
        if seen.contains(&name) {
            return None;
        }
        seen.push(name);
    }
    Some(found)
}

/// The value of a parameter, and what follows it.
fn value_of(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let (value, after) = match text.strip_prefix(b"\"") {
        Some(quoted) => {
            let end = memchr::memchr(b'"', quoted)?;
            let (value, after) = quoted.split_at(end);
            if value.ends_with(b"\\") {
                return None;
            }
            (value, after.get(1..)?)
        }
        None => {
            let end = text
                .iter()
                .position(|byte| matches!(byte, b';' | b' ' | b'\t'));
            let (value, after) = text.split_at(end.unwrap_or(text.len()));
            if !is_token(value) {
                return None;
            }
            (value, after)
        }
    };
    Some((value, after.trim_ascii_start()))
}
