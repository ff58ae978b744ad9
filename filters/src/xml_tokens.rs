//! Takes session tokens out of XML by the names of elements and attributes, SOAP's security tokens among them.
//!
//! ```text
//! <wsse:BinarySecurityToken …>MIIC…</wsse:BinarySecurityToken>      <sessionId>00D…</sessionId>
//! <saml:Assertion …> emptied, whatever is in it </saml:Assertion>   <login token="…"/>
//! ```
//!
//! Guarantees: an element that holds nothing but a text, and an attribute, whose local name is that of a token (see
//! [`crate::token_rules`]) is asked about before any of the value leaves; assertions of SAML leave empty. All other
//! bytes leave unchanged. What is held is bounded by [`TAG_BYTES_MAX`] and [`VALUE_BYTES_MAX`]: a longer tag streams
//! by, a longer value beside such a name is emptied without being asked about.
//!
//! It tells tags from text and validates nothing; entities that a document declares are not expanded.

mod element;

use std::fmt;
use std::sync::Arc;

use memchr::{memchr, memmem};
use postern_config::sessions::TokenNames;

use crate::body_filter::{BodyError, BodyFilter};
use crate::html_tokens::tag::{self, Tag};
use crate::html_tokens::{escaped, unescaped};
use crate::token_rules::{FoundToken, Instead, Says, Why, field};
pub(crate) use element::local;
use element::{Content, element, is_assertion, value};

pub use crate::html_tokens::TAG_BYTES_MAX;
pub use crate::json_tokens::VALUE_BYTES_MAX;

/// An XML text on its way past the tokens in it.
pub struct XmlTokens<K> {
    names: Arc<TokenNames>,
    keeper: K,
    inside: Inside,
    held: Vec<u8>,
    /// The name of the last start tag, if its content may be a token.
    name: Vec<u8>,
    /// The element that leaves empty, and how many of its name are open.
    emptied: Option<(Vec<u8>, u64)>,
    found: u64,
    spent: bool,
}

/// What the first byte that is held belongs to.
#[derive(Debug, Clone, Copy)]
enum Inside {
    /// Text, or the beginning of anything else.
    Text,
    /// A tag.
    Tag,
    /// A tag that is too long to hold; the present value ends at this quote.
    LongTag { quote: Option<u8> },
    /// What ends with these signs: a comment, an instruction or a section of characters.
    Until(&'static [u8]),
    /// The content of an element that is a token by its name.
    Value(Says),
    /// The rest of a value that is too long; it is dropped.
    LongValue,
}

/// How what is no tag begins and ends (XML 1.0, sections 2.5 to 2.7).
pub(crate) const OTHERS: [(&[u8], &[u8]); 3] =
    [(b"<!--", b"-->"), (b"<![CDATA[", b"]]>"), (b"<?", b"?>")];

impl<K: FnMut(FoundToken<'_>) -> Instead> XmlTokens<K> {
    /// A filter before the first byte of a text; `names` are those that the policy adds.
    pub fn new(names: Arc<TokenNames>, keeper: K) -> Self {
        Self {
            names,
            keeper,
            inside: Inside::Text,
            held: Vec::new(),
            name: Vec::new(),
            emptied: None,
            found: 0,
            spent: false,
        }
    }

    /// How many tokens were taken out so far.
    #[must_use]
    pub const fn found(&self) -> u64 {
        self.found
    }

    fn read(&mut self, chunk: &[u8], ended: bool, out: &mut Vec<u8>) {
        // PERF: a tag or a value that goes on is looked at again when what may end it has come.
        let completes = match self.inside {
            Inside::Tag | Inside::Value(_) => memchr::memchr2(b'>', b'<', chunk).is_some(),
            Inside::Text | Inside::LongTag { .. } | Inside::Until(_) | Inside::LongValue => true,
        };
        self.held.extend_from_slice(chunk);
        if !completes && !ended && self.held.len() < TAG_BYTES_MAX {
            return;
        }
        let text = std::mem::take(&mut self.held);
        let mut rest = text.as_slice();
        while !rest.is_empty() {
            let Some(taken) = self.step(rest, ended, out) else {
                break;
            };
            rest = rest.get(taken..).unwrap_or_default();
        }
        self.held = rest.to_vec();
    }

    /// Decides about the beginning of a text, and says how much of it; none when more has to be read.
    fn step(&mut self, text: &[u8], ended: bool, out: &mut Vec<u8>) -> Option<usize> {
        if self.emptied.is_none() {
            return self.decide(text, ended, out);
        }
        let taken = self.decide(text, ended, &mut Vec::new())?;
        if self.emptied.is_none() {
            // The end tag that was waited for.
            out.extend_from_slice(text.get(..taken).unwrap_or_default());
        }
        Some(taken)
    }

    fn decide(&mut self, text: &[u8], ended: bool, out: &mut Vec<u8>) -> Option<usize> {
        match self.inside {
            Inside::Text => self.text(text, ended, out),
            Inside::Tag => self.tag(text, ended, out),
            Inside::LongTag { quote } => {
                let ends = |byte: &u8| match quote {
                    Some(quote) => *byte == quote,
                    None => matches!(byte, b'"' | b'\'' | b'>'),
                };
                let Some(at) = text.iter().position(ends) else {
                    return pass(text, text.len(), out);
                };
                self.inside = match (quote, text.get(at)) {
                    (None, Some(b'>')) => Inside::Text,
                    (None, quote) => Inside::LongTag {
                        quote: quote.copied(),
                    },
                    (Some(_), _) => Inside::LongTag { quote: None },
                };
                pass(text, at + 1, out)
            }
            Inside::Until(end) => match memmem::find(text, end) {
                Some(at) => {
                    self.inside = Inside::Text;
                    pass(text, at + end.len(), out)
                }
                None => {
                    let held = if ended { 0 } else { end.len() - 1 };
                    let known = text.len().checked_sub(held);
                    pass(text, known.filter(|length| *length > 0)?, out)
                }
            },
            Inside::Value(says) => self.value(says, text, out),
            Inside::LongValue => {
                let end = memchr(b'<', text);
                if end.is_some() {
                    self.inside = Inside::Text;
                }
                Some(end.unwrap_or(text.len()))
            }
        }
    }

    fn text(&mut self, text: &[u8], ended: bool, out: &mut Vec<u8>) -> Option<usize> {
        let at = memchr(b'<', text).unwrap_or(text.len());
        if at > 0 {
            return pass(text, at, out);
        }
        for (begins, ends) in OTHERS {
            if text.starts_with(begins) {
                self.inside = Inside::Until(ends);
                return pass(text, begins.len(), out);
            }
            if begins.starts_with(text) && !ended {
                return None;
            }
        }
        match text {
            [_, b'!' | b'>', ..] | [_] => pass(text, 1, out),
            _ => {
                self.inside = Inside::Tag;
                Some(0)
            }
        }
    }

    fn tag(&mut self, text: &[u8], ended: bool, out: &mut Vec<u8>) -> Option<usize> {
        // However much of it has come: which tag is too long does not depend on that.
        let text = text.get(..TAG_BYTES_MAX).unwrap_or(text);
        let tag = tag::read(text, None);
        let Some(end) = tag.end else {
            if !ended && text.len() < TAG_BYTES_MAX {
                return None;
            }
            let last = tag.attributes.last().filter(|_| tag.in_value);
            self.inside = Inside::LongTag {
                quote: last.and_then(|last| last.quote),
            };
            return pass(text, text.len(), out);
        };
        let name = text.get(tag.name.clone()).unwrap_or_default();
        let whole = text.get(..=end).unwrap_or_default();
        let begins = !name.starts_with(b"/") && !whole.ends_with(b"/>");
        self.inside = Inside::Text;
        self.rewrite(&tag, whole, out);
        match &mut self.emptied {
            Some((emptied, open)) => {
                *open += u64::from(begins && name == emptied);
                *open -= u64::from(name.strip_prefix(b"/") == Some(emptied));
                self.emptied.take_if(|(_, open)| *open == 0);
            }
            None if begins && is_assertion(name, whole) => {
                self.emptied = Some((name.to_vec(), 1));
                self.found += 1;
            }
            None if begins => {
                if let Some(says) = element(name, &self.names) {
                    self.inside = Inside::Value(says);
                    self.name = local(name).to_vec();
                }
            }
            None => {}
        }
        Some(end + 1)
    }

    /// Writes a tag, with other values where tokens were.
    fn rewrite(&mut self, tag: &Tag, text: &[u8], out: &mut Vec<u8>) {
        let mut copied = 0;
        for attribute in &tag.attributes {
            let Some(range) = attribute.value.clone() else {
                continue;
            };
            let name = local(text.get(attribute.name.clone()).unwrap_or_default());
            let value = unescaped(text.get(range.clone()).unwrap_or_default());
            let says = field(name, &self.names)
                .filter(|says| attribute.quote.is_some() && says.is_token(&value));
            if says.is_none() || self.emptied.is_some() {
                continue;
            }
            let Some(instead) = self.ask(name, &value) else {
                continue;
            };
            out.extend_from_slice(text.get(copied..range.start).unwrap_or_default());
            out.extend(instead);
            copied = range.end;
        }
        out.extend_from_slice(text.get(copied..).unwrap_or_default());
    }

    /// Decides about the content of an element whose name says that it is a token.
    fn value(&mut self, says: Says, text: &[u8], out: &mut Vec<u8>) -> Option<usize> {
        let text = text.get(..VALUE_BYTES_MAX).unwrap_or(text);
        match value(text) {
            // What has not ended when the text does was not decided: it does not leave.
            Content::Unknown if text.len() < VALUE_BYTES_MAX => None,
            Content::Unknown => {
                self.found += 1;
                self.inside = Inside::LongValue;
                Some(text.len())
            }
            Content::Elements(length) => {
                self.inside = Inside::Text;
                pass(text, length, out)
            }
            Content::Text(length, value) => {
                self.inside = Inside::Text;
                let name = std::mem::take(&mut self.name);
                let value = element::compact(&name, &value);
                let token = says.is_token(&value);
                match token.then(|| self.ask(&name, &value)).flatten() {
                    Some(instead) => out.extend(instead),
                    None => out.extend_from_slice(text.get(..length).unwrap_or_default()),
                }
                Some(length)
            }
        }
    }

    /// What is written in the place of a token; none when it stays.
    fn ask(&mut self, name: &[u8], value: &[u8]) -> Option<Vec<u8>> {
        let found = FoundToken {
            name: Some(name),
            value,
            why: Why::Name,
        };
        let instead = match (self.keeper)(found) {
            Instead::Keep => return None,
            Instead::Strip => Vec::new(),
            Instead::Text(text) => escaped(text.as_bytes()),
        };
        self.found += 1;
        Some(instead)
    }
}

/// Lets the beginning of a text leave.
fn pass(text: &[u8], length: usize, out: &mut Vec<u8>) -> Option<usize> {
    out.extend_from_slice(text.get(..length)?);
    Some(length)
}

impl<K: FnMut(FoundToken<'_>) -> Instead> BodyFilter for XmlTokens<K> {
    fn push(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), BodyError> {
        if self.spent {
            return Err(BodyError::Spent);
        }
        self.read(chunk, false, out);
        Ok(())
    }

    fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), BodyError> {
        if self.spent {
            return Err(BodyError::Spent);
        }
        self.spent = true;
        self.read(&[], true, out);
        match self.held.is_empty() && self.emptied.is_none() {
            true => Ok(()),
            false => Err(BodyError::Incomplete),
        }
    }
}

impl<K> fmt::Debug for XmlTokens<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("XmlTokens")
            .field("held", &self.held.len())
            .field("found", &self.found)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
