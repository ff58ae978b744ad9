//! Takes session tokens out of JSON, and of what looks like it, by the names of its members.
//!
//! Guarantees: a member at any depth whose name is that of a session token (see [`crate::token_rules`]), the policy's
//! own among them, and whose value is a string that can be a token is asked about before any of it leaves; escapes in
//! names and values are decoded for that. Every other byte leaves unchanged. What is held is bounded by
//! [`VALUE_BYTES_MAX`]; a longer value beside such a name is emptied without being asked about.
//!
//! It validates nothing: on a redacting route that has been done before, and elsewhere a text that is no JSON (a
//! script, a stream of events) leaves as it came. So it does not count which quotes open a string and which close
//! one: in such a text there may be an odd one. What stands between any two quotes is a name if a colon and a quote
//! follow, and what follows is its value, up to a quote, the end of the line, a blank that no token has, or the end of
//! the text. In JSON that is the same: nothing between two strings of it can be the name of a token. In a script it can,
//! and is known by the signs around it (`is_code`). Tokens under other names are the business of [`crate::shape_sweep`]
//! and [`crate::token_sweep`], which come after it.

mod ahead;
mod known_names;
mod marks;
mod pieces;

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use postern_config::sessions::TokenNames;

use crate::body_filter::{BodyError, BodyFilter};
use crate::placeholder::Place;
use crate::token_rules::{FoundToken, Instead, Says, Why, field, without_scheme};
use ahead::Ahead;
use known_names::KnownNames;
use marks::{ValueEnd, is_between_strings, is_code, next_mark, value_end};
use pieces::{Piece, Since};

/// The longest value that the caller is asked about, as written.
pub const VALUE_BYTES_MAX: usize = 64 << 10;
/// The longest name that can be that of a token, as written.
const NAME_BYTES_MAX: usize = 256;
/// Before the first byte of a text.
const BEGINNING: Inside = Inside::Passing {
    since: Since::Other,
    escaped: false,
};

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
    /// What stands between the last two quotes.
    last: Piece,
    /// What has come since the last quote.
    open: Piece,
    /// The name of the present value, as written.
    name: Vec<u8>,
    /// The present value so far, as written.
    value: Vec<u8>,
    found: u64,
}

/// What the next byte belongs to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// Text that leaves as it is read.
    Passing { since: Since, escaped: bool },
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
            place: BEGINNING,
            last: Piece::default(),
            open: Piece::default(),
            name: Vec::new(),
            value: Vec::new(),
            found: 0,
        }
    }

    /// How many tokens were taken out so far.
    pub(crate) const fn found(&self) -> u64 {
        self.found
    }

    /// The text has ended, and what is held of it with it: another one may begin.
    pub(crate) fn end(
        &mut self,
        keeper: &mut impl FnMut(FoundToken<'_>) -> Instead,
        out: &mut Vec<u8>,
    ) {
        if let Inside::Held { says, .. } = self.place {
            self.decide(says, keeper, out);
        }
        self.place = BEGINNING;
        (self.last, self.open) = (Piece::default(), Piece::default());
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
        while at < chunk.len() {
            match self.place {
                Inside::Passing { since, escaped } => {
                    at = self.passing((since, escaped), chunk, at);
                    if matches!(self.place, Inside::Held { .. }) {
                        out.extend_from_slice(chunk.get(passed..at).unwrap_or_default());
                        passed = at;
                    }
                }
                Inside::Held { escaped, says } => {
                    at = self.held((escaped, says), (chunk, at), keeper, out);
                    passed = at;
                }
                Inside::Dropped { escaped } => {
                    at = self.dropped(escaped, (chunk, at), out);
                    passed = at;
                }
            }
        }
        out.extend_from_slice(chunk.get(passed..).unwrap_or_default());
        self.last.keep(chunk);
        self.open.end(chunk, chunk.len());
        self.open.keep(chunk);
    }

    /// Passes text from `at` on, up to a value that may be a token, and says up to where.
    fn passing(&mut self, (since, escaped): (Since, bool), chunk: &[u8], at: usize) -> usize {
        let (mut since, mut from) = (since, at + usize::from(escaped));
        let mut looked_ahead = false;
        loop {
            let length;
            (since, length) = since.after(chunk.get(from..).unwrap_or_default());
            from += length;
            let rest = chunk.get(from..).unwrap_or_default();
            let Some(found) = next_mark(rest) else {
                let escaped = from > chunk.len();
                self.place = Inside::Passing { since, escaped };
                return chunk.len();
            };
            if rest.get(found) == Some(&b'\\') {
                since = Since::Other;
                from += found + 2;
                continue;
            }
            self.open.end(chunk, from + found);
            from += found + 1;
            if let Some(says) = self.says(since, chunk) {
                let escaped = false;
                self.place = Inside::Held { escaped, says };
                return from;
            }
            self.last.take_over(&mut self.open);
            self.open.begin(from);
            since = Since::Quote;
            if !std::mem::replace(&mut looked_ahead, true) {
                from = self.look_ahead(chunk, from);
                if matches!(self.place, Inside::Held { .. }) {
                    return from;
                }
            }
        }
    }

    /// Passes text from `after` on, where a quote has just been passed, up to a value that may be a token; if there
    /// is none, up to the last value that stands beside a name. What is left after that is for [`Self::passing`].
    fn look_ahead(&mut self, chunk: &[u8], after: usize) -> usize {
        let mut mark = after.saturating_sub(1);
        for member in Ahead::of(chunk, mark) {
            // Before the mark itself stands what was passed last.
            let before = member.name.end;
            if before != mark {
                self.last.is(member.name);
            }
            mark = member.value;
            if let Some(says) = self.says(Since::Colon, chunk) {
                let escaped = false;
                self.place = Inside::Held { escaped, says };
                break;
            }
            self.last.is(before + 1..mark);
            self.open.begin(mark + 1);
        }
        mark + 1
    }

    /// What the name before a quote says about the value behind it; the name is kept with it.
    fn says(&mut self, since: Since, chunk: &[u8]) -> Option<Says> {
        if since != Since::Colon {
            return None;
        }
        let name = self.last.text(chunk);
        if name.len() > NAME_BYTES_MAX || is_code(name) {
            return None;
        }
        let of = |name: &[u8]| field(&decoded(name), &self.names);
        let says = self.known.says(name, of)?;
        self.name.clear();
        self.name.extend_from_slice(name);
        Some(says)
    }

    /// Drops what is left of a value that is too long.
    fn dropped(&mut self, escaped: bool, (chunk, at): (&[u8], usize), out: &mut Vec<u8>) -> usize {
        let text = chunk.get(at..).unwrap_or_default();
        let (length, end) = value_end(text, escaped);
        match end {
            ValueEnd::Open { escaped } => self.place = Inside::Dropped { escaped },
            ValueEnd::Quote => {
                out.push(b'"');
                return self.go_on(Since::Quote, at + length + 1);
            }
            ValueEnd::Blank | ValueEnd::Line => return self.go_on(Since::Other, at + length),
        }
        at + length
    }

    /// Holds a value until it has ended, and decides.
    fn held(
        &mut self,
        (escaped, says): (bool, Says),
        (chunk, at): (&[u8], usize),
        keeper: &mut impl FnMut(FoundToken<'_>) -> Instead,
        out: &mut Vec<u8>,
    ) -> usize {
        let text = chunk.get(at..).unwrap_or_default();
        let (length, end) = value_end(text, escaped);
        self.value
            .extend_from_slice(text.get(..length).unwrap_or_default());
        let at = at + length;
        if self.value.len() > VALUE_BYTES_MAX {
            self.found += 1;
            self.value.clear();
            let escaped = end == ValueEnd::Open { escaped: true };
            self.place = Inside::Dropped { escaped };
            return at;
        }
        match end {
            ValueEnd::Open { escaped } => {
                self.place = Inside::Held { escaped, says };
                at
            }
            ValueEnd::Quote => {
                self.decide(says, keeper, out);
                out.push(b'"');
                self.go_on(Since::Quote, at + 1)
            }
            ValueEnd::Line => {
                self.decide(says, keeper, out);
                self.go_on(Since::Other, at)
            }
            ValueEnd::Blank if self.is_scheme() => {
                self.value
                    .extend_from_slice(chunk.get(at..=at).unwrap_or_default());
                let escaped = false;
                self.place = Inside::Held { escaped, says };
                at + 1
            }
            ValueEnd::Blank => {
                out.append(&mut self.value);
                self.go_on(Since::Other, at)
            }
        }
    }

    /// Whether the value so far is the scheme of an `Authorization` field, before its blank.
    fn is_scheme(&self) -> bool {
        let scheme = [&decoded(&self.value), b" ".as_slice()].concat();
        without_scheme(&scheme).is_empty()
    }

    /// A value has ended before `at`: text passes again.
    fn go_on(&mut self, since: Since, at: usize) -> usize {
        let escaped = false;
        self.place = Inside::Passing { since, escaped };
        self.last = Piece::default();
        self.open.begin(at);
        at
    }

    /// Writes what takes the place of the value that has ended.
    fn decide(
        &mut self,
        says: Says,
        keeper: &mut impl FnMut(FoundToken<'_>) -> Instead,
        out: &mut Vec<u8>,
    ) {
        let raw = std::mem::take(&mut self.value);
        let (name, value) = (decoded(&self.name), decoded(&raw));
        let instead = if says.is_token(&value) && !is_between_strings(&value) {
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

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        if self.spent {
            return Err(BodyError::Spent);
        }
        self.spent = true;
        self.members.end(&mut self.keeper, out);
        Ok(())
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
