//! The same in a form that is posted, or in what is taken for one: read as it streams, with a bounded memory.
//!
//! ```text
//! a=1&_method=DELETE                                   application/x-www-form-urlencoded, or no type
//! Content-Disposition: form-data; name="_method"       multipart
//! {"a":1,"_method":"DELETE"}                           JSON
//! ```
//!
//! Only `POST` is looked at: it is the only method whose forms frameworks obey.

use std::fmt;

use http::HeaderMap;
use http::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::json::Members;
use super::{AnotherMethod, changes_nothing, is_override};
use crate::body_filter::BodyError;
use crate::coding::{Decoder, codings_of};
use crate::form_encoding::decoded;

/// How much of a parameter's name, and of its value, is kept, in bytes. An override, with every byte
/// percent-encoded, is shorter.
pub const FORM_NAME_BYTES_MAX: usize = 256;
/// How much of a line of a multipart body is kept, in bytes.
const LINE_BYTES_MAX: usize = 8 << 10;
/// How far JSON in a coding may expand.
const EXPAND_RATIO_MAX: usize = 100;
/// Encodings in which the name of an override is written with the bytes of ASCII.
const CHARSETS: [&str; 5] = [
    "utf-8",
    "us-ascii",
    "iso-8859-1",
    "windows-1252",
    "iso-8859-15",
];

/// Watches a form for an override. `Debug` shows nothing of it.
pub struct FormOverride {
    method: String,
    kind: Kind,
    /// The name, or the line of a part's head.
    name: Vec<u8>,
    value: Option<Vec<u8>>,
    /// The line before belongs to a `Content-Disposition` that this one may go on.
    disposition: bool,
    members: Members,
    /// The same of what is inside of content codings.
    coded: Option<Box<Coded>>,
}

/// JSON in content codings.
struct Coded {
    decoder: Decoder,
    members: Members,
    begun: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Pairs,
    Parts,
    Members,
}

/// Whether a body in this charset is written so that a name in it is seen. JSON has no charset (RFC 8259 section 11):
/// who heeds one all the same is a reader of UTF-16 and the like.
fn keeps_ascii(kind: Kind, charset: &str) -> bool {
    match kind {
        Kind::Members => !["utf-16", "utf16", "utf-32", "utf32", "utf-7", "ucs"]
            .iter()
            .any(|wide| charset.starts_with(wide)),
        Kind::Pairs | Kind::Parts => CHARSETS.contains(&charset),
    }
}

impl FormOverride {
    /// What watches the body of a request; none when it is nothing that anybody obeys. A body in JSON is watched
    /// as it comes, and in a coding decoded as well: some who take members for a form decode it, others do not.
    ///
    /// # Errors
    /// The form is written in a way that hides what it says: in a coding, in several types, or in a charset
    /// that is not built on ASCII; JSON in a coding that is not known.
    pub fn of(method: &str, headers: &HeaderMap) -> Result<Option<Self>, AnotherMethod> {
        if method != "POST" {
            return Ok(None);
        }
        let mut types = headers.get_all(CONTENT_TYPE).iter();
        let (first, more) = (types.next(), types.next());
        let text = first.map_or(Ok(""), |value| value.to_str());
        let (Ok(text), None) = (text, more) else {
            return Err(AnotherMethod);
        };
        let text = text.trim().to_ascii_lowercase();
        // SECURITY: where a type ends that is no single one is for each framework to say; this is the shortest.
        let ends = text.split_once([';', ',', ' ', '\t']);
        let (essence, parameters) = ends.unwrap_or((&text, ""));
        let is_json = ["/json", "+json"].iter().any(|json| text.contains(json));
        let kind = match essence {
            "" | "application/x-www-form-urlencoded" => Kind::Pairs,
            kind if kind.starts_with("multipart/") => Kind::Parts,
            _ if is_json => Kind::Members,
            _ => return Ok(None),
        };
        let charset = parameters
            .split([';', ','])
            .filter_map(|parameter| parameter.split_once('='))
            .filter(|(name, _)| name.trim() == "charset")
            .all(|(_, value)| keeps_ascii(kind, value.trim().trim_matches('"')));
        let plain = headers
            .get_all(CONTENT_ENCODING)
            .iter()
            .all(|value| value.as_bytes().eq_ignore_ascii_case(b"identity"));
        // A form that is JSON to somebody else says two things; what a part of several is made of says nothing.
        let is_two = kind == Kind::Pairs && is_json;
        if !charset || is_two || !plain && kind != Kind::Members {
            return Err(AnotherMethod);
        }
        let coded = match plain {
            true => None,
            false => Some(Box::new(Coded::of(headers)?)),
        };
        Ok(Some(Self {
            coded,
            ..Self::watching(method, kind)
        }))
    }

    fn watching(method: &str, kind: Kind) -> Self {
        Self {
            method: method.to_owned(),
            kind,
            name: Vec::new(),
            value: None,
            disposition: false,
            members: Members::default(),
            coded: None,
        }
    }

    /// Takes the next bytes of the body.
    ///
    /// # Errors
    /// The form asks for another method, or hides what it says in a coding that is damaged.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), AnotherMethod> {
        if let Some(coded) = &mut self.coded {
            coded.push(bytes)?;
        }
        for byte in bytes {
            match (self.kind, *byte) {
                (Kind::Members, byte) => self.members.push(byte)?,
                (Kind::Pairs, b'&' | b';') => self.end_of_pair()?,
                (Kind::Pairs, b'=') if self.value.is_none() => self.value = Some(Vec::new()),
                (Kind::Parts, b'\n' | b'\r') => self.end_of_line()?,
                (Kind::Pairs, other) => {
                    let kept = self.value.as_mut().unwrap_or(&mut self.name);
                    if kept.len() < FORM_NAME_BYTES_MAX {
                        kept.push(other);
                    } else if self.value.is_none() && is_blank(&self.name) {
                        // Frameworks drop white space before a name, however much there is.
                        return Err(AnotherMethod);
                    }
                }
                (Kind::Parts, other) => {
                    if self.name.len() < LINE_BYTES_MAX {
                        self.name.push(other);
                    } else if self.is_disposition(&self.name) {
                        // What is past the bound could be the name.
                        return Err(AnotherMethod);
                    }
                }
            }
        }
        Ok(())
    }

    /// The body has ended.
    ///
    /// # Errors
    /// The form asks for another method, or ends within a coding.
    pub fn finish(&mut self) -> Result<(), AnotherMethod> {
        if let Some(coded) = &self.coded {
            coded.finish()?;
        }
        match self.kind {
            Kind::Pairs => self.end_of_pair(),
            Kind::Parts => self.end_of_line(),
            // A name is followed by something.
            Kind::Members => Ok(()),
        }
    }

    fn end_of_pair(&mut self) -> Result<(), AnotherMethod> {
        let name = std::mem::take(&mut self.name);
        let value = self.value.take().unwrap_or_default();
        match changes_nothing(&name, &value, &self.method) {
            true => Ok(()),
            false => Err(AnotherMethod),
        }
    }

    /// A part's value is not read: a part of that name is refused whatever it says.
    fn end_of_line(&mut self) -> Result<(), AnotherMethod> {
        let line = std::mem::take(&mut self.name);
        if line.is_empty() {
            return Ok(());
        }
        self.disposition = self.is_disposition(&line);
        let text = String::from_utf8_lossy(&line).to_ascii_lowercase();
        let overrides =
            |name: Option<&str>| name.is_none_or(|name| is_override(&decoded(name.as_bytes())));
        match self.disposition && names(&text).any(overrides) {
            true => Err(AnotherMethod),
            false => Ok(()),
        }
    }

    /// Whether a line is a `Content-Disposition`, or goes on with the one before.
    fn is_disposition(&self, line: &[u8]) -> bool {
        const NAME: &[u8] = b"content-disposition";
        let begins = line.trim_ascii_start().get(..NAME.len());
        (self.disposition && matches!(line.first(), Some(b' ' | b'\t')))
            || begins.is_some_and(|name| name.eq_ignore_ascii_case(NAME))
    }
}

impl Coded {
    /// What watches a body with this head.
    fn of(headers: &HeaderMap) -> Result<Self, AnotherMethod> {
        let codings = codings_of(headers).map_err(|_unknown| AnotherMethod)?;
        let decoder = Decoder::new(&codings, EXPAND_RATIO_MAX);
        Ok(Self {
            decoder: decoder.map_err(|_unusable| AnotherMethod)?,
            members: Members::default(),
            begun: false,
        })
    }

    fn push(&mut self, bytes: &[u8]) -> Result<(), AnotherMethod> {
        let Self {
            decoder,
            members,
            begun,
        } = self;
        *begun |= !bytes.is_empty();
        let mut read = |decoded: &[u8]| {
            let mut bytes = decoded.iter();
            let read = bytes.try_for_each(|byte| members.push(*byte));
            read.map_err(|AnotherMethod| BodyError::Ambiguous {
                what: "a member asks for another method",
            })
        };
        let pushed = decoder.push(bytes, &mut read);
        pushed.map_err(|_refused| AnotherMethod)
    }

    /// The body has ended. One in which nothing came hides nothing.
    fn finish(&self) -> Result<(), AnotherMethod> {
        match self.begun {
            true => self.decoder.finish().map_err(|_cut| AnotherMethod),
            false => Ok(()),
        }
    }
}

impl fmt::Debug for FormOverride {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FormOverride").finish_non_exhaustive()
    }
}

/// Whether a name holds nothing but white space so far.
fn is_blank(name: &[u8]) -> bool {
    // The last escape may be incomplete.
    let decoded = decoded(name);
    let shown = decoded.trim_ascii();
    shown.is_empty() || shown.starts_with(b"%")
}

/// The values of `name` parameters in a line, `filename` excepted: quoted, bare, or extended (RFC 8187). None for one
/// that goes on in further parameters (RFC 2231 section 3), which some readers put together.
fn names(line: &str) -> impl Iterator<Item = Option<&str>> {
    let mut before = "";
    line.split("name").filter_map(move |piece| {
        let of_a_file = before.ends_with("file");
        before = piece;
        let (extended, rest) = match piece.strip_prefix('*') {
            Some(rest) => (true, rest),
            None => (false, piece),
        };
        let counted = rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
        if extended && counted.len() < rest.len() && !of_a_file {
            let counted = counted.strip_prefix('*').unwrap_or(counted);
            return counted.trim_start().starts_with('=').then_some(None);
        }
        let value = rest.trim_start().strip_prefix('=')?.trim_start();
        let value = match value.strip_prefix(['"', '\'']) {
            Some(quoted) => quoted.split(['"', '\'']).next()?,
            None => value.split([';', ' ', ',']).next()?,
        };
        let value = match extended {
            true => value.rsplit('\'').next()?,
            false => value,
        };
        (!of_a_file).then_some(Some(value))
    })
}
