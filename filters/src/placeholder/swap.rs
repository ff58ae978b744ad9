//! Puts true tokens back where a request holds their placeholders.
//!
//! Guarantees: a text that is no placeholder passes unchanged, whatever it looks like; a token is written in
//! the encoding of its place, so that it cannot end that place and begin another one; a token that cannot be
//! written there is an error. Placeholders are read the same in every encoding, so no format is parsed: a
//! body is swapped as it streams, and less than one placeholder is held.

use std::fmt;

use memchr::memmem;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use crate::body_filter::{BodyError, BodyFilter};
use crate::html_tokens::escaped;
use crate::placeholder::Placeholder;

/// Where in a request a text stands: how a token is written there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A header's value: as it is, without control characters.
    Header,
    /// A path or a query: everything but letters, digits and `-._~` is percent-encoded.
    Url,
    /// `application/x-www-form-urlencoded`: as in a URL, and a space is a plus sign.
    Form,
    /// Inside a JSON string. The token must be UTF-8.
    Json,
    /// In the text of an XML element or in the value of an attribute.
    Xml,
    /// Text of its own, such as a part of `multipart/form-data`: as it is.
    Plain,
}

/// Why a token cannot be written at its place. It shows nothing of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SwapError {
    /// It holds a control character, which would end the header.
    #[error("a token cannot be written in a header")]
    Control,
    /// It is not UTF-8.
    #[error("a token cannot be written in JSON")]
    Encoding,
}

const UNRESERVED: AsciiSet = NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

impl Place {
    /// A text as it is written here.
    ///
    /// # Errors
    /// It cannot be written here.
    pub fn written(self, text: &[u8]) -> Result<Vec<u8>, SwapError> {
        let mut out = Vec::with_capacity(text.len());
        self.write(text, &mut out)?;
        Ok(out)
    }

    /// Appends a token as it is written here.
    fn write(self, token: &[u8], out: &mut Vec<u8>) -> Result<(), SwapError> {
        match self {
            Self::Header => {
                let ends = |byte: &u8| *byte < b' ' && *byte != b'\t' || *byte == 0x7F;
                if token.iter().any(ends) {
                    return Err(SwapError::Control);
                }
                out.extend_from_slice(token);
            }
            Self::Url => out.extend(percent_encode(token, &UNRESERVED).flat_map(str::bytes)),
            Self::Form => {
                let escaped = percent_encode(token, &UNRESERVED).to_string();
                out.extend_from_slice(escaped.replace("%20", "+").as_bytes());
            }
            Self::Json => {
                let text = std::str::from_utf8(token).map_err(|_not| SwapError::Encoding)?;
                let quoted = serde_json::Value::from(text).to_string();
                let inside = quoted.as_bytes().get(1..quoted.len() - 1);
                out.extend_from_slice(inside.unwrap_or_default());
            }
            Self::Xml => out.extend(escaped(token)),
            Self::Plain => out.extend_from_slice(token),
        }
        Ok(())
    }
}

/// What was found in one text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swapped {
    /// Placeholders that were replaced.
    pub swapped: u64,
    /// Placeholders of valid form that the lookup does not know; they stay.
    pub unknown: u64,
}

/// A short text with its placeholders swapped back, and what was found; the text is none when nothing was
/// swapped.
///
/// # Errors
/// A token cannot be written at this place.
pub fn swap_text(
    text: &[u8],
    place: Place,
    lookup: impl FnMut(&Placeholder) -> Option<Vec<u8>>,
) -> Result<(Option<Vec<u8>>, Swapped), SwapError> {
    let mut out = Vec::with_capacity(text.len());
    let mut swap = PlaceholderSwap::new(place, lookup);
    let rest = swap.step(text, &mut out)?;
    out.extend_from_slice(rest);
    let found = swap.swapped;
    Ok(((found.swapped > 0).then_some(out), found))
}

/// Swaps placeholders in a body as it streams. A token that cannot be written is [`BodyError::Malformed`].
pub struct PlaceholderSwap<L> {
    place: Place,
    lookup: L,
    /// The last bytes read, which may begin a placeholder.
    pub(super) held: Vec<u8>,
    swapped: Swapped,
    offset: u64,
    spent: bool,
}

impl<L: FnMut(&Placeholder) -> Option<Vec<u8>>> PlaceholderSwap<L> {
    /// A swap before the first byte of a text. The lookup says which token a placeholder stands for, in this
    /// session.
    pub fn new(place: Place, lookup: L) -> Self {
        Self {
            place,
            lookup,
            held: Vec::new(),
            swapped: Swapped::default(),
            offset: 0,
            spent: false,
        }
    }

    /// What was found so far.
    #[must_use]
    pub const fn swapped(&self) -> Swapped {
        self.swapped
    }

    /// Appends what is decided, and returns what is not: a text that may begin a placeholder.
    fn step<'t>(&mut self, text: &'t [u8], out: &mut Vec<u8>) -> Result<&'t [u8], SwapError> {
        let begins = Placeholder::BEGINS.as_bytes();
        let mut rest = text;
        while let Some(at) = memmem::find(rest, begins) {
            let (before, found) = rest.split_at(at);
            out.extend_from_slice(before);
            let Some((whole, after)) = found.split_at_checked(Placeholder::LENGTH) else {
                return Ok(found);
            };
            let placeholder = Placeholder::parse(whole);
            let token = placeholder.as_ref().and_then(&mut self.lookup);
            rest = match (&token, placeholder) {
                (Some(token), _) => {
                    self.place.write(token, out)?;
                    self.swapped.swapped += 1;
                    after
                }
                (None, placeholder) => {
                    self.swapped.unknown += u64::from(placeholder.is_some());
                    let (beginning, after) = found.split_at(begins.len());
                    out.extend_from_slice(beginning);
                    after
                }
            };
        }
        let ends_like = |length: &usize| rest.ends_with(begins.get(..*length).unwrap_or(begins));
        let undecided = (1..begins.len()).rev().find(ends_like).unwrap_or(0);
        let (decided, undecided) = rest.split_at(rest.len() - undecided);
        out.extend_from_slice(decided);
        Ok(undecided)
    }
}

impl<L: FnMut(&Placeholder) -> Option<Vec<u8>>> BodyFilter for PlaceholderSwap<L> {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        if self.spent {
            return Err(BodyError::Spent);
        }
        let before = out.len();
        let mut text = std::mem::take(&mut self.held);
        text.extend_from_slice(chunk);
        match self.step(&text, out) {
            Ok(held) => {
                self.held = held.to_vec();
                self.offset += chunk.len() as u64;
                Ok(())
            }
            Err(_unwritable) => {
                out.truncate(before);
                self.spent = true;
                Err(BodyError::Malformed {
                    format: "request text",
                    what: "a token that cannot be written there",
                    offset: self.offset,
                })
            }
        }
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        if self.spent {
            return Err(BodyError::Spent);
        }
        out.append(&mut self.held);
        self.spent = true;
        Ok(())
    }
}

impl<L> fmt::Debug for PlaceholderSwap<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PlaceholderSwap")
            .field("place", &self.place)
            .field("swapped", &self.swapped)
            .finish_non_exhaustive()
    }
}
