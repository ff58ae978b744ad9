//! Takes credentials out of recordings of browsers as they are downloaded, and tokens by name out of whatever else
//! comes without saying what it is: JSON, a log with JSON in its lines.
//!
//! ```text
//! { "log" …            held up to HAR_BYTES_MAX, and written anew at the end (see `har`)
//! anything else        streams past the names of tokens (see `json_tokens`), up to a byte that no text has (NUL)
//! ```
//!
//! Guarantees: which of the two a body is depends on its first [`BEGINNING_BYTES_MAX`] bytes; nothing of a
//! recording leaves before all of it has been read; one that cannot be read, or is too long, is an error. A
//! recording whose first member is another one than `log` is read as JSON.

use std::fmt;
use std::sync::Arc;

use postern_config::sessions::TokenNames;

use crate::body_filter::{BodyError, BodyFilter};
use crate::har::{HAR_BYTES_MAX, HarError, sanitize_har};
use crate::json_tokens::JsonTokens;
use crate::token_rules::{FoundToken, Instead};

/// By how many bytes it is told what a body is. One that only has blanks there is taken for a recording.
pub const BEGINNING_BYTES_MAX: usize = 256;

/// An attachment on its way down.
pub struct RecordingTokens<K> {
    names: Arc<TokenNames>,
    json: JsonTokens<K>,
    read_as: ReadAs,
    held: Vec<u8>,
    found: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ReadAs {
    /// It is not known yet.
    Unknown,
    Recording,
    Json,
    /// What comes after a byte that no text has: an archive, a picture.
    Binary,
    /// It has ended, or failed.
    Spent,
}

impl<K: FnMut(FoundToken<'_>) -> Instead> RecordingTokens<K> {
    /// A filter before the first byte of a body; `names` are those that the policy adds. `keeper` is asked about the
    /// tokens of JSON; what is in a recording belongs to whoever recorded it, and is taken out.
    pub fn new(names: Arc<TokenNames>, keeper: K) -> Self {
        Self {
            json: JsonTokens::new(Arc::clone(&names), keeper),
            names,
            read_as: ReadAs::Unknown,
            held: Vec::new(),
            found: 0,
        }
    }

    /// How many tokens were taken out so far.
    #[must_use]
    pub const fn found(&self) -> u64 {
        self.found + self.json.found()
    }

    /// Looks at the beginning until it is known what the body is.
    fn begin(&mut self, ended: bool, out: &mut Vec<u8>) -> Result<(), BodyError> {
        let beginning = self.held.get(..BEGINNING_BYTES_MAX);
        let whole = ended || beginning.is_some();
        let known = read_as(beginning.unwrap_or(&self.held), whole);
        self.read_as = known.unwrap_or(ReadAs::Unknown);
        match self.read_as {
            ReadAs::Json => {
                let begun = std::mem::take(&mut self.held);
                self.named(&begun, out)
            }
            ReadAs::Unknown | ReadAs::Recording | ReadAs::Binary | ReadAs::Spent => Ok(()),
        }
    }

    /// Passes text by the names in it, as far as it is text.
    fn named(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        let Some(end) = memchr::memchr(0, chunk) else {
            return self.json.push(chunk, out);
        };
        let (text, binary) = chunk.split_at(end);
        self.json.push(text, out)?;
        self.json.finish(out)?;
        self.read_as = ReadAs::Binary;
        out.extend_from_slice(binary);
        Ok(())
    }

    /// Writes a recording that has been read.
    fn rewrite(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        let text = std::mem::take(&mut self.held);
        match sanitize_har(&text, &self.names) {
            Ok(Some(recording)) => {
                self.found += recording.removed;
                out.extend(recording.text);
                Ok(())
            }
            Ok(None) => {
                self.json.push(&text, out)?;
                self.json.finish(out)
            }
            Err(HarError::TooLarge) => Err(TOO_LARGE),
            Err(HarError::Malformed) => Err(BodyError::Malformed {
                format: "HAR",
                what: "a recording that cannot be read",
                offset: 0,
            }),
        }
    }
}

/// What the server file has no name for: the bound is one of this crate.
const TOO_LARGE: BodyError = BodyError::Limit {
    limit: "recording of 50 MiB",
};

/// What a body is by its beginning; none while that is too short to tell, which it is not when it is `whole`.
fn read_as(beginning: &[u8], whole: bool) -> Option<ReadAs> {
    const MARK: &[u8] = b"\xEF\xBB\xBF";
    const LOG: &[u8] = b"\"log\"";
    let text = beginning.strip_prefix(MARK).unwrap_or(beginning);
    let text = text.trim_ascii_start();
    let known = match text.split_first() {
        Some((b'{', members)) => {
            let members = members.trim_ascii_start();
            let more = members.len() < LOG.len() && LOG.starts_with(members);
            let log = members.starts_with(LOG);
            match (log, more) {
                (true, _) => Some(ReadAs::Recording),
                (false, true) => None,
                (false, false) => Some(ReadAs::Json),
            }
        }
        Some(_) if MARK.starts_with(text) => None,
        Some(_) => Some(ReadAs::Json),
        None => None,
    };
    known.or_else(|| whole.then_some(ReadAs::Recording))
}

impl<K: FnMut(FoundToken<'_>) -> Instead> BodyFilter for RecordingTokens<K> {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        match self.read_as {
            ReadAs::Unknown | ReadAs::Recording => {
                if self.held.len() + chunk.len() > HAR_BYTES_MAX
                    && self.read_as == ReadAs::Recording
                {
                    self.read_as = ReadAs::Spent;
                    self.held = Vec::new();
                    return Err(TOO_LARGE);
                }
                self.held.extend_from_slice(chunk);
                match self.read_as {
                    ReadAs::Unknown => self.begin(false, out),
                    ReadAs::Recording | ReadAs::Json | ReadAs::Binary | ReadAs::Spent => Ok(()),
                }
            }
            ReadAs::Json => self.named(chunk, out),
            ReadAs::Binary => {
                out.extend_from_slice(chunk);
                Ok(())
            }
            ReadAs::Spent => Err(BodyError::Spent),
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        if self.read_as == ReadAs::Unknown {
            self.begin(true, out)?;
        }
        match std::mem::replace(&mut self.read_as, ReadAs::Spent) {
            ReadAs::Recording => self.rewrite(out),
            ReadAs::Json => self.json.finish(out),
            ReadAs::Unknown | ReadAs::Binary => Ok(()),
            ReadAs::Spent => Err(BodyError::Spent),
        }
    }
}

impl<K> fmt::Debug for RecordingTokens<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RecordingTokens")
            .field("read_as", &self.read_as)
            .field("held", &self.held.len())
            .field("found", &self.found)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
