//! From an entry's parts to the exact bytes on the wire: placeholders, variants, repeats.
//!
//! Repeats are scaled down to [`REPEAT_BYTES_MAX`], and a `Content-Length` written for the full size
//! is lowered by the same amount, so that the shape of the case stays and its weight does not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use regex::Regex;

use super::catalogue::Part;
use super::tokens::Tokens;
use super::visitors::Handles;

/// The most bytes one repeated part may have here.
pub(super) const REPEAT_BYTES_MAX: usize = 16 << 20;

/// What placeholders stand for in one run.
pub(super) struct Fill<'a> {
    /// `{{HOST}}`.
    pub(super) host: &'a str,
    /// `{{V}}`.
    pub(super) variant: Option<&'a str>,
    /// `{{TOKEN:x}}`.
    pub(super) tokens: &'a Tokens,
    /// The credential of this run where it has one of its own: it stands for every `{{TOKEN:…}}` but those
    /// of administrators.
    pub(super) minted: Option<&'a str>,
    /// Every `{{TOKEN:agent}}` is the administrator's: what a control needs.
    pub(super) as_admin: bool,
    /// `{{SESSION:x}}`, where the stage has sessions; then the catalogue's name for our cookie is the real one.
    pub(super) handles: Option<&'a Handles>,
}

impl Fill<'_> {
    /// The text with every placeholder but `{{LEN}}` replaced.
    pub(super) fn text(&self, text: &str) -> String {
        let mut text = text.replace("{{V}}", self.variant.unwrap_or_default());
        text = text.replace("{{HOST}}", self.host);
        if self.handles.is_some() {
            text = Handles::with_our_name(&text);
        }
        while let Some((before, rest)) = text.split_once("{{") {
            let Some((name, after)) = rest.split_once("}}") else {
                break;
            };
            if name == "LEN" {
                // Filled in last, by `message`; hidden from this loop meanwhile.
                text = format!("{before}\u{0}LEN\u{0}{after}");
                continue;
            }
            if name.contains('.') {
                // A merge field of the application's, such as `{{customer.ssn}}`: part of the text.
                text = format!("{before}\u{0}MERGE\u{0}{name}}}}}{after}");
                continue;
            }
            text = format!("{before}{}{after}", self.named(name));
        }
        text.replace("\u{0}LEN\u{0}", "{{LEN}}")
            .replace("\u{0}MERGE\u{0}", "{{")
    }

    fn named(&self, name: &str) -> String {
        match name.split_once(':') {
            Some(("TOKEN", "agent")) if self.as_admin => self.tokens.good("admin"),
            Some(("TOKEN", who)) => match self.minted {
                Some(minted) if !who.starts_with("admin") => minted.to_owned(),
                Some(_) | None => self.tokens.good(who),
            },
            Some(("SESSION", who)) => match self.handles {
                Some(handles) => handles.of(who).to_owned(),
                None => panic!("nobody has logged in as {who}: the stage has no sessions"),
            },
            _ => panic!("placeholder {name} is not known"),
        }
    }
}

/// The bytes of a whole message: parts joined, `{{LEN}}` set to the length of the body.
pub(super) fn message(parts: &[Part], fill: &Fill<'_>) -> Vec<u8> {
    let mut bytes = Vec::new();
    for part in parts {
        match part.enc.as_str() {
            "ascii" => bytes.extend(fill.text(&part.data).into_bytes()),
            "b64" => bytes.extend(
                STANDARD
                    .decode(&part.data)
                    .expect("base64 in the catalogue"),
            ),
            "repeat" => repeat(part, &mut bytes),
            other => panic!("part encoding {other} is not known"),
        }
    }
    if !parts.iter().any(|part| part.data.contains("{{LEN}}")) {
        return bytes;
    }
    let body = find(&bytes, b"\r\n\r\n").map_or(0, |at| bytes.len() - at - 4);
    let Some(at) = find(&bytes, b"{{LEN}}") else {
        return bytes;
    };
    bytes.splice(at..at + b"{{LEN}}".len(), body.to_string().into_bytes());
    bytes
}

/// The body of a message whose head is given apart (HTTP/2).
pub(super) fn body(parts: &[Part], fill: &Fill<'_>) -> Vec<u8> {
    message(parts, fill)
}

fn repeat(part: &Part, bytes: &mut Vec<u8>) {
    let unit: Vec<u8> = part
        .unit
        .chars()
        .map(|c| u8::try_from(c).expect("latin-1"))
        .collect();
    let count = part.count.min(REPEAT_BYTES_MAX / unit.len());
    let dropped = (part.count - count) * unit.len();
    if dropped > 0 {
        lower_content_length(bytes, dropped);
    }
    for _ in 0..count {
        bytes.extend_from_slice(&unit);
    }
}

fn lower_content_length(bytes: &mut Vec<u8>, by: usize) {
    let head = String::from_utf8(bytes.clone()).expect("an ASCII head");
    let field = Regex::new("(?i)content-length: ([0-9]+)").expect("pattern");
    let found = field.captures(&head).expect("a length to lower");
    let length: usize = found[1].parse().expect("a length");
    let range = found.get(1).expect("group").range();
    bytes.splice(range, (length - by).to_string().into_bytes());
}

/// Where `needle` first occurs.
pub(super) fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fill<'a>(tokens: &'a Tokens, variant: Option<&'a str>) -> Fill<'a> {
        let (host, minted, as_admin) = ("h:1", None, false);
        Fill {
            host,
            variant,
            tokens,
            minted,
            as_admin,
            handles: None,
        }
    }

    fn part(enc: &str, data: &str, unit: &str, count: usize) -> Part {
        let (enc, data, unit) = (enc.to_owned(), data.to_owned(), unit.to_owned());
        Part {
            enc,
            data,
            unit,
            count,
        }
    }

    #[test]
    fn fills_the_length_of_the_body_after_every_other_placeholder() {
        let tokens = Tokens::load();
        let parts = [part("ascii", "A: {{LEN}} {{HOST}}\r\n\r\n<{{V}}>", "", 0)];
        assert_eq!(
            message(&parts, &fill(&tokens, Some("ssn"))),
            b"A: 5 h:1\r\n\r\n<ssn>"
        );
    }

    #[test]
    fn lowers_the_length_by_what_a_scaled_repeat_lost() {
        let tokens = Tokens::load();
        let count = REPEAT_BYTES_MAX + 10;
        let head = format!("Content-Length: {}\r\n\r\n", count + 2);
        let parts = [part("ascii", &head, "", 0), part("repeat", "", "A", count)];
        let bytes = message(&parts, &fill(&tokens, None));
        let expected = format!("Content-Length: {}\r\n", REPEAT_BYTES_MAX + 2);
        assert!(bytes.starts_with(expected.as_bytes()));
    }
}
