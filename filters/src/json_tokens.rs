//! Takes session tokens out of JSON by the names of their members.
//!
//! Guarantees: a member at any depth whose name is that of a session token (see [`crate::token_rules`]), the policy's
//! own among them, and whose
//! value is a string that can be a token is asked about before any of it leaves; escapes in names and values are
//! decoded for that. Every other byte leaves unchanged. What is held is bounded by [`VALUE_BYTES_MAX`]; a longer
//! value beside such a name is emptied without being asked about.
//!
//! It follows strings and what stands between them, and validates nothing: on a redacting route that has been
//! done before, and elsewhere a text that is no JSON leaves as it came. Tokens under other names are the
//! business of [`crate::shape_sweep`] and [`crate::token_sweep`], which come after it.

mod known_names;

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use postern_config::sessions::TokenNames;

use crate::body_filter::{BodyError, BodyFilter};
use crate::placeholder::Place;
use crate::token_rules::{FoundToken, Instead, Says, Why, field};
use known_names::KnownNames;

/// The longest value that the caller is asked about, as written.
pub const VALUE_BYTES_MAX: usize = 64 << 10;
/// The longest name that can be that of a token, as written.
const NAME_BYTES_MAX: usize = 256;

/// A JSON text, or many, on the way past the names of tokens.
pub struct JsonTokens<K> {
    keeper: K,
    members: Members,
    spent: bool,
}

/// The members of a JSON text, whoever is asked about them.
pub(crate) struct Members {
    names: Arc<TokenNames>,
    known: KnownNames,
    place: Inside,
    /// Where the last string is, without quotes.
    name: LastString,
    /// The last string, as written, once it is [`LastString::Kept`].
    kept: Vec<u8>,
    /// The present value so far, as written.
    value: Vec<u8>,
    found: u64,
}

/// Where the last string is, so far.
///
/// PERF: all that is in one chunk is copied nowhere: most strings are not even names (`postern bench`, sessions).
#[derive(Clone)]
enum LastString {
    /// There is none.
    Nowhere,
    /// Here in the present chunk.
    Here(Range<usize>),
    /// It began in an earlier chunk: in [`Members::kept`].
    Kept,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// Signs, numbers and white space. `named` says that a colon came after the last string.
    Structure { named: bool },
    /// A string that leaves as it is read; it may turn out to be a name.
    Text { escaped: bool },
    /// A string that may be a token; it is held. The opening quote has left.
    Held { escaped: bool, says: Says },
    /// The rest of a value that is too long; it is dropped.
    Dropped { escaped: bool },
}

impl<K: FnMut(FoundToken<'_>) -> Instead> JsonTokens<K> {
    /// A filter before the first byte of a text; `names` are those that the policy adds.
    pub fn new(names: Arc<TokenNames>, keeper: K) -> Self {
        Self {
            keeper,
            members: Members::new(names),
            spent: false,
        }
    }

    /// How many tokens were taken out so far.
    #[must_use]
    pub const fn found(&self) -> u64 {
        self.members.found
    }
}

impl Members {
    /// Before the first byte of a text.
    pub(crate) fn new(names: Arc<TokenNames>) -> Self {
        Self {
            names,
            known: KnownNames::default(),
            place: Inside::Structure { named: false },
            name: LastString::Nowhere,
            kept: Vec::new(),
            value: Vec::new(),
            found: 0,
        }
    }

    /// How many tokens were taken out so far.
    pub(crate) const fn found(&self) -> u64 {
        self.found
    }

    /// The text has ended: another one may begin. A value that has not ended is gone; says whether one was.
    pub(crate) fn end(&mut self) -> bool {
        let open = matches!(self.place, Inside::Held { .. } | Inside::Dropped { .. });
        let found = self.found;
        let known = std::mem::take(&mut self.known);
        *self = Self {
            found,
            known,
            ..Self::new(Arc::clone(&self.names))
        };
        open
    }

    /// Reads on, and lets everything leave that is decided.
    pub(crate) fn read(
        &mut self,
        chunk: &[u8],
        keeper: &mut impl FnMut(FoundToken<'_>) -> Instead,
        out: &mut Vec<u8>,
    ) {
        // What is read up to `at` has left up to `passed`.
        let (mut at, mut passed) = (0, 0);
        while let Some(rest) = chunk.get(at..).filter(|rest| !rest.is_empty()) {
            match self.place {
                Inside::Structure { named } => {
                    at = self.structure(named, chunk, at);
                    if matches!(self.place, Inside::Held { .. }) {
                        out.extend_from_slice(chunk.get(passed..at).unwrap_or_default());
                        passed = at;
                    }
                }
                Inside::Text { escaped } => at = self.text(escaped, chunk, at),
                Inside::Held { escaped, says } => {
                    at += self.held((escaped, says), rest, keeper, out);
                    passed = at;
                }
                Inside::Dropped { escaped } => {
                    at += self.dropped(escaped, rest, out);
                    passed = at;
                }
            }
        }
        out.extend_from_slice(chunk.get(passed..).unwrap_or_default());
        self.keep_name(chunk);
    }

    /// The chunk will be gone: a last string that is in it is copied.
    fn keep_name(&mut self, chunk: &[u8]) {
        if let LastString::Here(place) = &self.name {
            let name = chunk.get(place.clone()).unwrap_or_default();
            self.kept.clear();
            // One byte too many says that it is too long, however it goes on.
            let kept = name.get(..=NAME_BYTES_MAX).unwrap_or(name);
            self.kept.extend_from_slice(kept);
            self.name = LastString::Kept;
        }
    }

    /// Passes what stands between strings from `at` on, and says up to where. A colon makes the last string a name,
    /// and what follows its value.
    fn structure(&mut self, named: bool, chunk: &[u8], at: usize) -> usize {
        let (mut named, mut begins) = (named, at);
        loop {
            let Some(byte) = chunk.get(begins) else {
                self.place = Inside::Structure { named };
                return chunk.len();
            };
            begins += 1;
            match byte {
                b'"' => break,
                b':' => named = true,
                b' ' | b'\t' | b'\r' | b'\n' => {}
                _ => named = false,
            }
        }
        if let Some(says) = self.says(named, chunk) {
            self.keep_name(chunk);
            self.place = Inside::Held {
                escaped: false,
                says,
            };
        } else {
            self.name = LastString::Here(begins..begins);
            self.place = Inside::Text { escaped: false };
        }
        begins
    }

    /// What the last string says about a value, if it is its name.
    fn says(&mut self, named: bool, chunk: &[u8]) -> Option<Says> {
        let name = match &self.name {
            LastString::Nowhere => return None,
            LastString::Here(place) => chunk.get(place.clone())?,
            LastString::Kept => self.kept.as_slice(),
        };
        if !named || name.len() > NAME_BYTES_MAX {
            return None;
        }
        let of = |name: &[u8]| field(&decoded(name), &self.names);
        self.known.says(name, of)
    }

    /// Passes a string from `at` on, and says up to where; remembers it in case it is a name.
    fn text(&mut self, escaped: bool, chunk: &[u8], at: usize) -> usize {
        let text = chunk.get(at..).unwrap_or_default();
        let (length, next) = string_end(text, escaped);
        let inside = length - usize::from(next.is_none());
        match &mut self.name {
            LastString::Nowhere => {}
            LastString::Here(place) => place.end = at + inside,
            LastString::Kept => {
                let room = (NAME_BYTES_MAX + 1).saturating_sub(self.kept.len());
                let more = text.get(..inside.min(room)).unwrap_or_default();
                self.kept.extend_from_slice(more);
            }
        }
        self.place = match next {
            Some(escaped) => Inside::Text { escaped },
            None => Inside::Structure { named: false },
        };
        at + length
    }

    /// Drops what is left of a value that is too long.
    fn dropped(&mut self, escaped: bool, text: &[u8], out: &mut Vec<u8>) -> usize {
        let (length, next) = string_end(text, escaped);
        self.place = match next {
            Some(escaped) => Inside::Dropped { escaped },
            None => {
                out.push(b'"');
                Inside::Structure { named: false }
            }
        };
        length
    }

    /// Holds a value until it has ended, and decides.
    fn held(
        &mut self,
        (escaped, says): (bool, Says),
        text: &[u8],
        keeper: &mut impl FnMut(FoundToken<'_>) -> Instead,
        out: &mut Vec<u8>,
    ) -> usize {
        let (length, next) = string_end(text, escaped);
        let (piece, _) = text.split_at(length);
        let inside = piece.len() - usize::from(next.is_none());
        self.value
            .extend_from_slice(piece.get(..inside).unwrap_or_default());
        let too_long = self.value.len() > VALUE_BYTES_MAX;
        if too_long {
            self.found += 1;
            self.value.clear();
        }
        self.place = match next {
            Some(escaped) if too_long => Inside::Dropped { escaped },
            Some(escaped) => Inside::Held { escaped, says },
            None => {
                self.decide(says, keeper, out);
                out.push(b'"');
                Inside::Structure { named: false }
            }
        };
        length
    }

    /// Writes what takes the place of the value that has ended.
    fn decide(
        &mut self,
        says: Says,
        keeper: &mut impl FnMut(FoundToken<'_>) -> Instead,
        out: &mut Vec<u8>,
    ) {
        let raw = std::mem::take(&mut self.value);
        // The name was kept when the value began.
        self.name = LastString::Nowhere;
        let name = decoded(&self.kept);
        let value = decoded(&raw);
        let instead = if says.is_token(&value) {
            keeper(FoundToken {
                name: Some(&name),
                value: &value,
                why: Why::Name,
            })
        } else {
            Instead::Keep
        };
        match instead {
            Instead::Keep => out.extend_from_slice(&raw),
            Instead::Strip => self.found += 1,
            Instead::Text(text) => {
                self.found += 1;
                // INVARIANT: a `String` can be written in JSON; what could not would be left out.
                let written = Place::Json.written(text.as_bytes());
                out.extend(written.unwrap_or_default());
            }
        }
    }
}

/// How much of a text belongs to a string, its closing quote included, and unless that was met, whether the
/// next byte is escaped.
fn string_end(text: &[u8], escaped: bool) -> (usize, Option<bool>) {
    let mut at = usize::from(escaped);
    while let Some(rest) = text.get(at..) {
        let Some(found) = memchr::memchr2(b'"', b'\\', rest) else {
            break;
        };
        if rest.get(found) == Some(&b'"') {
            return (at + found + 1, None);
        }
        at += found + 2;
    }
    (text.len(), Some(at > text.len()))
}

/// A string's text without escapes; as it is written when they are broken.
pub(crate) fn decoded(raw: &[u8]) -> Cow<'_, [u8]> {
    if memchr::memchr(b'\\', raw).is_none() {
        return Cow::Borrowed(raw);
    }
    let quoted = [b"\"", raw, b"\""].concat();
    let text = serde_json::from_slice::<String>(&quoted);
    text.map_or(Cow::Borrowed(raw), |text| Cow::Owned(text.into_bytes()))
}

impl<K: FnMut(FoundToken<'_>) -> Instead> BodyFilter for JsonTokens<K> {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        if self.spent {
            return Err(BodyError::Spent);
        }
        self.members.read(chunk, &mut self.keeper, out);
        Ok(())
    }

    fn finish(&mut self, _out: &mut Vec<u8>) -> Result<(), BodyError> {
        if self.spent {
            return Err(BodyError::Spent);
        }
        self.spent = true;
        // What is held was not decided: it does not leave.
        match self.members.end() {
            false => Ok(()),
            true => Err(BodyError::Incomplete),
        }
    }
}

impl<K> fmt::Debug for JsonTokens<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JsonTokens")
            .field("held", &self.members.value.len())
            .field("found", &self.members.found)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
