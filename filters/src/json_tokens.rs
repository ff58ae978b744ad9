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
    /// The last string, if it may be a name: as written, without quotes; none when it was too long.
    name: Option<Vec<u8>>,
    /// The present value so far, as written.
    value: Vec<u8>,
    found: u64,
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
            name: None,
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
        let mut rest = chunk;
        while !rest.is_empty() {
            let taken = match self.place {
                Inside::Structure { named } => self.structure(named, rest, out),
                Inside::Text { escaped } => self.text(escaped, rest, out),
                Inside::Held { escaped, says } => self.held((escaped, says), rest, keeper, out),
                Inside::Dropped { escaped } => {
                    let (length, next) = string_end(rest, escaped);
                    self.place = match next {
                        Some(escaped) => Inside::Dropped { escaped },
                        None => {
                            out.push(b'"');
                            Inside::Structure { named: false }
                        }
                    };
                    length
                }
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
    }

    /// Passes what stands between strings. A colon makes the last string a name, and what follows its value.
    fn structure(&mut self, named: bool, text: &[u8], out: &mut Vec<u8>) -> usize {
        let mut named = named;
        let quote = text.iter().position(|byte| {
            match byte {
                b':' => named = true,
                b' ' | b'\t' | b'\r' | b'\n' | b'"' => {}
                _ => named = false,
            }
            *byte == b'"'
        });
        let length = quote.map_or(text.len(), |quote| quote + 1);
        out.extend_from_slice(text.get(..length).unwrap_or_default());
        if quote.is_none() {
            self.place = Inside::Structure { named };
            return length;
        }
        let name = self.name.take();
        let names = &self.names;
        let of = |name: &[u8]| field(&decoded(name), names);
        let says = name.as_ref().filter(|_| named);
        let says = says.and_then(|name| self.known.says(name, of));
        self.place = match says {
            Some(says) => {
                self.name = name;
                Inside::Held {
                    escaped: false,
                    says,
                }
            }
            None => {
                // PERF: one buffer for all names, which are most of a text's strings.
                let mut name = name.unwrap_or_default();
                name.clear();
                self.name = Some(name);
                Inside::Text { escaped: false }
            }
        };
        length
    }

    /// Passes a string, and remembers it in case it is a name.
    fn text(&mut self, escaped: bool, text: &[u8], out: &mut Vec<u8>) -> usize {
        let (length, next) = string_end(text, escaped);
        let (piece, _) = text.split_at(length);
        out.extend_from_slice(piece);
        let inside = piece.len() - usize::from(next.is_none());
        if let Some(name) = &mut self.name {
            name.extend_from_slice(piece.get(..inside).unwrap_or_default());
        }
        self.name.take_if(|name| name.len() > NAME_BYTES_MAX);
        self.place = match next {
            Some(escaped) => Inside::Text { escaped },
            None => Inside::Structure { named: false },
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
        let name = self.name.take();
        let name = name.as_deref().map(decoded);
        let value = decoded(&raw);
        let instead = if says.is_token(&value) {
            keeper(FoundToken {
                name: name.as_deref(),
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
