//! Puts true tokens back where a request holds their placeholders.
//!
//! Guarantees: a text that is no placeholder passes unchanged, whatever it looks like; outside of fields for tokens
//! nobody is asked about a placeholder but with the name that it is the whole value of; a token is written in the
//! encoding of its place, so that it cannot end that place and begin another one; a token that cannot be written there
//! is an error.

use memchr::memmem;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_encode};

use super::names::{Names, is_whole};
use crate::html_tokens::escaped;
use crate::placeholder::Placeholder;

/// Where in a request a text stands: how a token is written there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// A header's value: as it is, without control characters.
    Header,
    /// A target with its query: everything but letters, digits and `-._~` is percent-encoded.
    Url,
    /// `application/x-www-form-urlencoded`: as in a URL, and a space is a plus sign.
    Form,
    /// Inside a JSON string. The token must be UTF-8.
    Json,
    /// In the text of an XML element or in the value of an attribute.
    Xml,
    /// Text of its own, in which nothing has a name: as it is.
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

const BEGINS: &[u8] = Placeholder::BEGINS.as_bytes();

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
    /// Placeholders of valid form that stay: the lookup does not know them there, or nothing names them.
    pub unknown: u64,
}

/// The value of a field for tokens with its placeholders swapped back, and what was found; the text is none when
/// nothing was swapped. `lookup` says which token a placeholder stands for, in this session.
///
/// # Errors
/// A token cannot be written in a field.
pub fn swap_field(
    text: &[u8],
    mut lookup: impl FnMut(&Placeholder) -> Option<Vec<u8>>,
) -> Result<(Option<Vec<u8>>, Swapped), SwapError> {
    swap(text, Place::Header, |_at, placeholder| lookup(placeholder))
}

/// The same of a text that says itself what its values are called: `lookup` gets the name that a placeholder is the
/// whole value of, decoded, and is not asked about others.
///
/// # Errors
/// A token cannot be written at this place.
pub fn swap_text(
    text: &[u8],
    place: Place,
    mut lookup: impl FnMut(&Placeholder, &[u8]) -> Option<Vec<u8>>,
) -> Result<(Option<Vec<u8>>, Swapped), SwapError> {
    let names = Names::of(place, text);
    swap(text, place, |at, placeholder| {
        lookup(placeholder, &names.beside(at)?)
    })
}

/// The same of one value, whose name stands elsewhere; it is written as it is.
///
/// # Errors
/// See [`swap_text`].
pub fn swap_value(
    value: &[u8],
    name: &[u8],
    mut lookup: impl FnMut(&Placeholder, &[u8]) -> Option<Vec<u8>>,
) -> Result<(Option<Vec<u8>>, Swapped), SwapError> {
    let is_whole = is_whole(value);
    swap(value, Place::Plain, |_at, placeholder| {
        lookup(placeholder, name).filter(|_| is_whole)
    })
}

/// Swaps what this finds a token for, by where it begins.
fn swap(
    text: &[u8],
    place: Place,
    mut token_at: impl FnMut(usize, &Placeholder) -> Option<Vec<u8>>,
) -> Result<(Option<Vec<u8>>, Swapped), SwapError> {
    let mut out = Vec::new();
    let mut found = Swapped::default();
    let (mut copied, mut from) = (0, 0);
    while let Some(at) = memmem::find(text.get(from..).unwrap_or_default(), BEGINS) {
        let at = from + at;
        from = at + BEGINS.len();
        let to = at + Placeholder::LENGTH;
        let Some(placeholder) = text.get(at..to).and_then(Placeholder::parse) else {
            continue;
        };
        match token_at(at, &placeholder) {
            Some(token) => {
                out.extend_from_slice(text.get(copied..at).unwrap_or_default());
                place.write(&token, &mut out)?;
                found.swapped += 1;
                (copied, from) = (to, to);
            }
            None => found.unknown += 1,
        }
    }
    if found.swapped == 0 {
        return Ok((None, found));
    }
    out.extend_from_slice(text.get(copied..).unwrap_or_default());
    Ok((Some(out), found))
}
