//! Session tokens and credentials in a request's body, which is read as a whole on its way up.
//!
//! ```text
//! message (form, JSON, XML, text)  placeholders become tokens beside their names, handles go
//! file (any other type, PUT)       loses credentials: see `attachment`
//! multipart/*                      each part is one of the two: with a file name it is a file
//! ```
//!
//! Guarantees: what holds neither a placeholder nor a credential stays byte for byte; a token is written in the
//! encoding of its place, and stands nowhere but beside its name; nothing of a body goes up that two readers could divide differently, that holds a
//! recording which cannot be read, or into which a token cannot be written. A true token goes into messages only,
//! never into a file. It reads content without content coding, and knows of no length: the caller bounds it.

mod disposition;
mod multipart;

use std::fmt;
use std::sync::Arc;

use http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use http::{HeaderMap, Method};
use memchr::memmem;
use postern_config::sessions::TokenNames;

use crate::attachment::{Cleaned, recording, without_credentials, without_handles};
use crate::exchange_plan::media_type::MediaType;
use crate::har::HarError;
use crate::placeholder::{Place, Placeholder, SwapError, Swapped, swap_text, swap_value};
use crate::token_sweep::Secrets;

pub use multipart::{PART_HEAD_BYTES_MAX, PARTS_MAX};

/// Why a request's body may not go up. No variant holds any of its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RequestBodyError {
    /// Its type is named more than once, or cannot be read.
    #[error("the request's content type cannot be read")]
    ContentType,
    /// Its parts could be divided or read in more than one way.
    #[error("the request's parts can be read in more than one way: {what}")]
    Parts {
        /// What is wrong.
        what: &'static str,
    },
    /// It holds a recording that cannot be handed on.
    #[error("the request's attachment cannot be handed on: {0}")]
    Recording(#[from] HarError),
    /// A token cannot be written where its placeholder stands.
    #[error("the request's placeholder cannot be replaced: {0}")]
    Swap(#[from] SwapError),
}

/// How a body is read, by the head of its request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestBody {
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// What an application reads itself.
    Message(Place),
    /// What it keeps for people.
    File,
    /// Both, divided by this boundary.
    Parts { boundary: Vec<u8>, form: bool },
}

/// What became of a body.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ReadBody {
    /// What goes up instead; none when the body goes up as it came.
    pub body: Option<Vec<u8>>,
    /// Placeholders in messages. Unknown ones stay, and so do those beside no name of theirs.
    pub swapped: Swapped,
    /// Values that were taken out: of files, and handles everywhere.
    pub removed: u64,
    /// Files that are recordings.
    pub recordings: u64,
}

impl RequestBody {
    /// How the body of a request with this head is to be read.
    ///
    /// # Errors
    /// Its type is ambiguous, or its parts have no valid boundary.
    pub fn of(method: &Method, headers: &HeaderMap) -> Result<Self, RequestBodyError> {
        let mut values = headers.get_all(CONTENT_TYPE).iter();
        let (value, None) = (values.next(), values.next()) else {
            return Err(RequestBodyError::ContentType);
        };
        let Some(value) = value else {
            return Ok(Self { kind: Kind::File });
        };
        let text = value.to_str().ok();
        let text = text.ok_or(RequestBodyError::ContentType)?;
        let kind = Kind::of(text)?;
        // Whoever puts a text in a place of its own, or says what it is called, hands a file on.
        let put = *method == Method::PUT || headers.contains_key(CONTENT_DISPOSITION);
        let kind = match kind {
            Kind::Message(Place::Plain) if put => Kind::File,
            kind @ (Kind::Message(_) | Kind::File | Kind::Parts { .. }) => kind,
        };
        Ok(Self { kind })
    }

    /// The body with true tokens in messages, and without credentials in files.
    ///
    /// `names` are those that the policy adds; `secrets` are those of the session, or [`Secrets::none`]; `lookup` says
    /// which token a placeholder stands for, in this session and beside this name.
    ///
    /// # Errors
    /// Nothing of the body may go up.
    pub fn read(
        &self,
        body: &[u8],
        names: &Arc<TokenNames>,
        secrets: &Arc<Secrets>,
        mut lookup: impl FnMut(&Placeholder, &[u8]) -> Option<Vec<u8>>,
    ) -> Result<ReadBody, RequestBodyError> {
        let mut reading = Reading {
            names,
            secrets,
            lookup: &mut lookup,
            read: ReadBody::default(),
        };
        let changed = match &self.kind {
            Kind::Parts { boundary, form } => multipart::parts(body, boundary, *form)
                .and_then(|parts| reading.parts(body, boundary, &parts))?,
            Kind::Message(_) | Kind::File => reading.one(&self.kind, None, body)?,
        };
        reading.read.body = changed;
        Ok(reading.read)
    }
}

impl Kind {
    /// How a text of this media type is read.
    fn of(content_type: &str) -> Result<Self, RequestBodyError> {
        let parsed = MediaType::parse(content_type).ok_or(RequestBodyError::ContentType)?;
        let xml = |essence: &str| essence.ends_with("/xml") || essence.ends_with("+xml");
        let kind = match parsed.essence.as_str() {
            "application/x-www-form-urlencoded" => Self::Message(Place::Form),
            _ if parsed.is_json() => Self::Message(Place::Json),
            essence if xml(essence) => Self::Message(Place::Xml),
            essence if essence.starts_with("text/") => Self::Message(Place::Plain),
            essence if essence.starts_with("multipart/") => Self::Parts {
                boundary: multipart::boundary(parsed.boundary.as_deref())?,
                form: essence == "multipart/form-data",
            },
            _ => Self::File,
        };
        Ok(kind)
    }
}

/// Says which token a placeholder stands for beside a name.
type Lookup<'l> = dyn FnMut(&Placeholder, &[u8]) -> Option<Vec<u8>> + 'l;

/// One body while it is read.
struct Reading<'a> {
    names: &'a Arc<TokenNames>,
    secrets: &'a Arc<Secrets>,
    lookup: &'a mut Lookup<'a>,
    read: ReadBody,
}

impl Reading<'_> {
    /// What goes up in place of a message or a file of this name; none when it stays.
    fn one(
        &mut self,
        kind: &Kind,
        name: Option<&[u8]>,
        text: &[u8],
    ) -> Result<Option<Vec<u8>>, RequestBodyError> {
        match kind {
            // A recording is sent as what it is by whoever hands nothing else on.
            Kind::Message(Place::Json) => match recording(text, self.names, self.secrets)? {
                Some(recording) => Ok(self.cleaned(Some(recording))),
                None => self.message(Place::Json, name, text),
            },
            Kind::Message(place) => self.message(*place, name, text),
            Kind::File => {
                let cleaned = without_credentials(text, self.names, self.secrets)?;
                Ok(self.cleaned(cleaned))
            }
            Kind::Parts { .. } => Err(RequestBodyError::Parts {
                what: "parts inside of a part",
            }),
        }
    }

    fn message(
        &mut self,
        place: Place,
        name: Option<&[u8]>,
        text: &[u8],
    ) -> Result<Option<Vec<u8>>, RequestBodyError> {
        let handles = without_handles(text);
        let without = handles.as_ref().map(|(without, _)| without.as_slice());
        self.read.removed += handles.as_ref().map_or(0, |(_, removed)| *removed);
        let text = without.unwrap_or(text);
        let (swapped, found) = match (place, name) {
            (Place::Plain, Some(name)) => swap_value(text, name, &mut self.lookup)?,
            (place, _) => swap_text(text, place, &mut self.lookup)?,
        };
        self.read.swapped.swapped += found.swapped;
        self.read.swapped.unknown += found.unknown;
        Ok(swapped.or_else(|| handles.map(|(without, _)| without)))
    }

    /// Takes note of a file that is changed.
    fn cleaned(&mut self, file: Option<Cleaned>) -> Option<Vec<u8>> {
        let file = file?;
        self.read.removed += file.removed;
        self.read.recordings += u64::from(file.recording);
        Some(file.content)
    }

    /// What goes up in place of a body of parts; none when all of them stay.
    fn parts(
        &mut self,
        body: &[u8],
        boundary: &[u8],
        parts: &[multipart::Part],
    ) -> Result<Option<Vec<u8>>, RequestBodyError> {
        let mut out = Vec::new();
        let mut copied = 0;
        for part in parts {
            let content = body.get(part.content.clone()).unwrap_or_default();
            let Some(instead) = self.one(&part.kind()?, part.name(), content)? else {
                continue;
            };
            if memmem::find(&instead, boundary).is_some() {
                return Err(RequestBodyError::Parts {
                    what: "the boundary inside of a part",
                });
            }
            out.extend_from_slice(body.get(copied..part.content.start).unwrap_or_default());
            out.extend(instead);
            copied = part.content.end;
        }
        if copied == 0 {
            return Ok(None);
        }
        out.extend_from_slice(body.get(copied..).unwrap_or_default());
        Ok(Some(out))
    }
}

impl fmt::Debug for ReadBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadBody")
            .field("swapped", &self.swapped)
            .field("removed", &self.removed)
            .field("recordings", &self.recordings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
