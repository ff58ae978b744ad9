//! The order in which a body is decoded, redacted, freed of session tokens and encoded again; the only mint of
//! [`Redacted`].
//!
//! Guarantees: what [`BodyPipeline::push`] returns has been decided; after an error the pipeline is
//! spent and returns nothing any more; an incomplete body is an error in [`BodyPipeline::finish`].
//! A body that needs no reading leaves in the very buffers it came in.

mod beginning;
mod format;
mod fresh_tokens;
mod gate;
mod reader;
mod tokens;

use std::collections::BTreeMap;
use std::fmt;

use bytes::{Bytes, BytesMut};

use crate::body_filter::{BodyError, BodyFilter};
use crate::coding::{Coding, Decoder};
use crate::export_meter::{Admitted, Due};

pub(crate) use format::{BodyFormat, Counting};
pub(crate) use reader::{Reader, ReaderParts};
pub use tokens::{FoundTokens, NamedIn, TokenFilter, keeps_ascii};

/// A body that decodes to no more than this is to be held by whoever sends it, so that a late error
/// can still be answered by a clean refusal (D14).
pub const HELD_WHOLE_BYTES: u64 = 64 << 10;

/// Bytes that may leave. Only [`BodyPipeline`] can make them.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Redacted(Bytes);

impl Redacted {
    /// All of these bytes, one after the other.
    pub(crate) fn joined(parts: Vec<Self>) -> Self {
        let mut some = parts.into_iter().filter(|part| !part.0.is_empty());
        let (Some(first), second) = (some.next(), some.next()) else {
            return Self::default();
        };
        let Some(second) = second else {
            return first;
        };
        let mut joined = BytesMut::from(first.0);
        joined.extend_from_slice(&second.0);
        joined.extend(some.map(|part| part.0));
        Self(joined.freeze())
    }

    /// The bytes themselves, to be written to the client.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.0
    }
}

impl fmt::Debug for Redacted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redacted({} bytes)", self.0.len())
    }
}

/// What a pipeline did, without any of the data.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BodySummary {
    /// Decoded bytes read.
    pub bytes_in: u64,
    /// Bytes released, before they are encoded for the client.
    pub bytes_out: u64,
    /// Values withheld (any action but `show`), by label.
    pub withheld: BTreeMap<String, u64>,
}

/// One body's way from the upstream to the client.
pub struct BodyPipeline {
    way: Way,
    /// Takes tokens out of a body that is not read otherwise.
    tokens: Option<Box<TokenFilter>>,
    /// What was taken out before the body ended.
    found_tokens: FoundTokens,
    summary: BodySummary,
    cut_records: u64,
}

/// What happens to a body.
enum Way {
    /// It leaves unread.
    Pass,
    /// It leaves unread as well, and what it decodes to is measured.
    Measured(Decoder),
    /// There is none; a single byte of it is an error.
    Empty,
    /// It is read.
    Read(Box<Reader>),
    /// It failed or has ended.
    Spent,
}

impl BodyPipeline {
    /// A pipeline that reads nothing and hands on everything.
    pub(crate) fn pass_through() -> Self {
        Self::of(Way::Pass)
    }

    /// A pipeline for a body that has been announced to be empty.
    pub(crate) fn empty() -> Self {
        Self::of(Way::Empty)
    }

    /// A pipeline that redacts.
    pub(crate) fn reading(reader: Reader) -> Self {
        Self::of(Way::Read(Box::new(reader)))
    }

    /// The same pipeline, but what passes unread is measured by what it decodes to.
    ///
    /// # Errors
    /// A decoder cannot be set up.
    pub(crate) fn measuring(
        mut self,
        codings: &[Coding],
        expand_ratio: usize,
    ) -> Result<Self, BodyError> {
        if matches!(self.way, Way::Pass) {
            self.way = Way::Measured(Decoder::new(codings, expand_ratio)?);
        }
        Ok(self)
    }

    /// The same pipeline, which takes session tokens out as well, after redaction and before the client's
    /// coding. A body that is not read otherwise must not have a content coding: it is looked through as it is.
    #[must_use]
    pub fn stripping(mut self, tokens: TokenFilter) -> Self {
        match &mut self.way {
            Way::Read(reader) => reader.strip(tokens),
            Way::Pass | Way::Measured(_) => self.tokens = Some(Box::new(tokens)),
            Way::Empty | Way::Spent => {}
        }
        self
    }

    /// How many tokens were taken out so far.
    #[must_use]
    pub fn found_tokens(&self) -> FoundTokens {
        match (&self.way, &self.tokens) {
            (Way::Read(reader), _) => reader.found_tokens(),
            (_, Some(tokens)) => tokens.found(),
            (_, None) => self.found_tokens,
        }
    }

    fn of(way: Way) -> Self {
        Self {
            way,
            tokens: None,
            found_tokens: FoundTokens::default(),
            summary: BodySummary::default(),
            cut_records: 0,
        }
    }

    /// Takes the next bytes as the upstream sent them and returns what may leave.
    ///
    /// # Errors
    /// The body may not leave any further; the pipeline is spent.
    pub fn push(&mut self, chunk: Bytes) -> Result<Redacted, BodyError> {
        let result = match &mut self.way {
            Way::Pass => {
                let length = chunk.len() as u64;
                self.summary.bytes_in += length;
                self.summary.bytes_out += length;
                Ok(chunk)
            }
            Way::Measured(decoder) => {
                let mut length = 0;
                let decoded = decoder.push(&chunk, &mut |decoded| {
                    length += decoded.len() as u64;
                    Ok(())
                });
                self.summary.bytes_in += length;
                self.summary.bytes_out += length;
                decoded.map(|()| chunk)
            }
            Way::Empty if chunk.is_empty() => Ok(chunk),
            Way::Empty => Err(BodyError::Head {
                what: "a body where none was announced",
            }),
            Way::Read(reader) => reader.push(&chunk, &mut self.summary),
            Way::Spent => Err(BodyError::Spent),
        };
        let result = result.and_then(|chunk| self.stripped(chunk));
        if result.is_err() {
            self.way = Way::Spent;
        }
        result.map(Redacted)
    }

    /// What is known to hold no token, of a body that is not read otherwise.
    fn stripped(&mut self, chunk: Bytes) -> Result<Bytes, BodyError> {
        let Some(tokens) = &mut self.tokens else {
            return Ok(chunk);
        };
        let mut stripped = Vec::with_capacity(chunk.len());
        tokens.push(&chunk, &mut stripped)?;
        let others = self.summary.bytes_out.saturating_sub(chunk.len() as u64);
        self.summary.bytes_out = others + stripped.len() as u64;
        Ok(stripped.into())
    }

    /// The last of that.
    fn stripped_rest(&mut self) -> Result<Bytes, BodyError> {
        let mut rest = Vec::new();
        if let Some(tokens) = &mut self.tokens {
            tokens.finish(&mut rest)?;
        }
        self.summary.bytes_out += rest.len() as u64;
        Ok(rest.into())
    }

    /// The upstream's body has ended.
    ///
    /// # Errors
    /// The body is incomplete or lacks what the policy requires.
    pub fn finish(&mut self) -> Result<Redacted, BodyError> {
        self.finish_into(&mut Due::default())
    }

    /// The same, which adds what is due to `due`. What was read and waits to be admitted stays.
    pub(crate) fn finish_into(&mut self, due: &mut Due) -> Result<Redacted, BodyError> {
        match std::mem::replace(&mut self.way, Way::Spent) {
            Way::Pass | Way::Empty => self.stripped_rest().map(Redacted),
            Way::Measured(decoder) => {
                decoder.finish()?;
                self.stripped_rest().map(Redacted)
            }
            Way::Read(mut reader) => {
                let rest = reader.finish(&mut self.summary)?;
                self.found_tokens = reader.found_tokens();
                reader.drain_into(due);
                if reader.truncates() {
                    self.way = Way::Read(reader);
                }
                Ok(Redacted(rest))
            }
            Way::Spent => Err(BodyError::Spent),
        }
    }

    /// Adds what is due to `due`.
    pub(crate) fn drain_into(&mut self, due: &mut Due) {
        if let Way::Read(reader) = &mut self.way {
            reader.drain_into(due);
        }
    }

    /// What was due has been admitted: returns what may leave for that.
    pub(crate) fn admit(&mut self, admitted: Admitted) -> Result<Redacted, BodyError> {
        let result = match (&mut self.way, admitted) {
            (Way::Read(reader), admitted) => {
                let waited = reader.truncates();
                let admitted = reader.admit(admitted, &mut self.summary);
                self.cut_records = reader.cut_records();
                self.found_tokens = reader.found_tokens();
                if waited && !reader.truncates() {
                    self.way = Way::Spent;
                }
                admitted.map(Redacted)
            }
            (Way::Pass | Way::Measured(_) | Way::Empty | Way::Spent, admitted) => match admitted {
                Admitted::All => Ok(Redacted::default()),
                Admitted::Records(_) => Err(BodyError::Spent),
            },
        };
        if result.is_err() {
            self.way = Way::Spent;
        }
        result
    }

    /// Whether records can be cut.
    pub(crate) fn truncates(&self) -> bool {
        match &self.way {
            Way::Read(reader) => reader.truncates(),
            Way::Pass | Way::Measured(_) | Way::Empty | Way::Spent => false,
        }
    }

    /// How many records were removed.
    pub(crate) fn cut_records(&self) -> u64 {
        self.cut_records
    }

    /// What was done so far; what was withheld is known once the body has ended.
    #[must_use]
    pub fn summary(&self) -> &BodySummary {
        &self.summary
    }

    /// How many bytes have been decoded so far; see [`HELD_WHOLE_BYTES`].
    #[must_use]
    pub fn decoded_bytes(&self) -> u64 {
        self.summary.bytes_in
    }

    /// Whether the body is read, so that a late error is possible. What passes unread needs no
    /// holding.
    #[must_use]
    pub fn reads(&self) -> bool {
        matches!(self.way, Way::Read(_)) || self.tokens.is_some()
    }
}

impl fmt::Debug for BodyPipeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let way = match self.way {
            Way::Pass => "pass",
            Way::Measured(_) => "measured",
            Way::Empty => "empty",
            Way::Read(_) => "read",
            Way::Spent => "spent",
        };
        f.debug_struct("BodyPipeline")
            .field("way", &way)
            .field("summary", &self.summary)
            .finish()
    }
}

#[cfg(test)]
mod tests;
