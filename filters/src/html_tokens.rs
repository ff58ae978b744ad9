//! Takes session tokens out of HTML: hidden fields, `meta` elements, `data-` attributes, URLs, and data in scripts.
//!
//! ```text
//! <input type=hidden name=csrfmiddlewaretoken value=…>   <meta name=csrf-token content=…>
//! <form action="/a;jsessionid=…">                        <a href=…> <img src=…> <body data-api-key=…>
//! ```
//!
//! Guarantees: a tag leaves when all of it has been read, except for a value longer than [`TAG_BYTES_MAX`], such
//! as a picture, which streams by; bytes outside of changed values leave unchanged. In scripts, members of objects
//! are found as in JSON. Styles, comments and the text between tags are not read: tokens in them are the business of
//! [`crate::shape_sweep`] and [`crate::token_sweep`], which come after it. `__VIEWSTATE` is no session token and stays.
//!
//! It tells tags apart as browsers do and builds no tree: nothing of it depends on what contains what.

pub(crate) mod tag;

use std::fmt;
use std::sync::Arc;

use memchr::{memchr, memmem};
use postern_config::sessions::TokenNames;

use crate::body_filter::{BodyError, BodyFilter};
use crate::json_tokens::Members;
use crate::token_rules::{FoundToken, Instead, Says, Why, added_form_field, form_field};
use crate::url_tokens::{header_without_tokens, without_tokens};
use tag::Tag;
pub(crate) use tag::{escaped, unescaped};

/// How much of a tag is held.
pub const TAG_BYTES_MAX: usize = 64 << 10;
/// Elements whose content is text up to their own end tag.
const TEXT_ELEMENTS: [&str; 8] = [
    "script", "style", "textarea", "title", "xmp", "iframe", "noembed", "noframes",
];
/// Attributes that hold a URL.
const URL_ATTRIBUTES: [&str; 9] = [
    "href",
    "src",
    "action",
    "formaction",
    "data",
    "poster",
    "cite",
    "background",
    "ping",
];

/// An HTML text on its way past the tokens in its tags.
pub struct HtmlTokens<K> {
    names: Arc<TokenNames>,
    keeper: K,
    inside: Inside,
    held: Vec<u8>,
    script: Members,
    found: u64,
    spent: bool,
}

/// What the first byte that is held belongs to.
#[derive(Debug, Clone, Copy)]
enum Inside {
    /// Text between tags.
    Text,
    /// A tag; `begun` says that its beginning has left.
    Tag { begun: bool },
    /// A value of a tag that is too long to hold, up to this quote, or to a blank.
    Value { quote: Option<u8> },
    /// A comment.
    Comment,
    /// The content of this one of [`TEXT_ELEMENTS`].
    Element(&'static str),
}

impl<K: FnMut(FoundToken<'_>) -> Instead> HtmlTokens<K> {
    /// A filter before the first byte of a text; `names` are those that the policy adds.
    pub fn new(names: Arc<TokenNames>, keeper: K) -> Self {
        Self {
            script: Members::new(Arc::clone(&names)),
            names,
            keeper,
            inside: Inside::Text,
            held: Vec::new(),
            found: 0,
            spent: false,
        }
    }

    /// How many tokens were taken out so far.
    #[must_use]
    pub const fn found(&self) -> u64 {
        self.found + self.script.found()
    }

    fn read(&mut self, chunk: &[u8], ended: bool, out: &mut Vec<u8>) {
        let completes = !matches!(self.inside, Inside::Tag { .. }) || memchr(b'>', chunk).is_some();
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
        match self.inside {
            Inside::Text => self.text(text, ended, out),
            Inside::Tag { begun } => self.tag(text, begun, ended, out),
            Inside::Value { quote } => {
                let ends = |byte: &u8| match quote {
                    Some(quote) => *byte == quote,
                    None => byte.is_ascii_whitespace() || *byte == b'>',
                };
                let end = text.iter().position(ends);
                if end.is_some() {
                    self.inside = Inside::Tag { begun: true };
                }
                // The quote leaves with the value, so that what follows begins a new attribute.
                let closing = usize::from(quote.is_some());
                pass(text, end.map_or(text.len(), |end| end + closing), out)
            }
            Inside::Comment => match memmem::find(text, b"-->") {
                Some(end) => {
                    self.inside = Inside::Text;
                    pass(text, end + 3, out)
                }
                None => pass_but(text, 2, ended, out),
            },
            Inside::Element(name) => self.content(name, text, ended, out),
        }
    }

    /// Passes the content of an element up to its end tag. In scripts the members of objects are searched.
    fn content(
        &mut self,
        name: &str,
        text: &[u8],
        ended: bool,
        out: &mut Vec<u8>,
    ) -> Option<usize> {
        let end = end_tag(text, name);
        let held = if ended { 0 } else { name.len() + 2 };
        let known = || text.len().checked_sub(held).filter(|length| *length > 0);
        let length = end.or_else(known)?;
        let content = text.get(..length)?;
        if name == "script" {
            self.script.read(content, &mut self.keeper, out);
        } else {
            out.extend_from_slice(content);
        }
        if end.is_some() {
            self.inside = Inside::Text;
            self.script.end(&mut self.keeper, out);
        }
        Some(length)
    }

    fn text(&mut self, text: &[u8], ended: bool, out: &mut Vec<u8>) -> Option<usize> {
        let Some(at) = memchr(b'<', text) else {
            return pass(text, text.len(), out);
        };
        if at > 0 {
            return pass(text, at, out);
        }
        match text {
            [_, b'!', b'-', b'-', ..] => {
                self.inside = Inside::Comment;
                pass(text, 4, out)
            }
            [_, b'/', letter, ..] | [_, letter, ..] if letter.is_ascii_alphabetic() => {
                self.inside = Inside::Tag { begun: false };
                Some(0)
            }
            [_] | [_, b'/' | b'!'] | [_, b'!', b'-'] if !ended => None,
            _ => pass(text, 1, out),
        }
    }

    fn tag(&mut self, text: &[u8], begun: bool, ended: bool, out: &mut Vec<u8>) -> Option<usize> {
        // However much of it has come: where a long tag is cut does not depend on that.
        let text = text.get(..TAG_BYTES_MAX).unwrap_or(text);
        let tag = tag::read(text, begun.then_some(0));
        let Some(end) = tag.end else {
            if !ended && text.len() < TAG_BYTES_MAX {
                return None;
            }
            let last = tag.attributes.last().filter(|_| tag.in_value);
            self.inside = match last {
                Some(last) => Inside::Value { quote: last.quote },
                None => Inside::Tag { begun: true },
            };
            self.rewrite(&tag, text, text.len(), out);
            return Some(text.len());
        };
        let name = text.get(tag.name.clone()).unwrap_or_default();
        let element = TEXT_ELEMENTS
            .into_iter()
            .find(|element| name.eq_ignore_ascii_case(element.as_bytes()));
        self.inside = element.map_or(Inside::Text, Inside::Element);
        self.rewrite(&tag, text, end + 1, out);
        Some(end + 1)
    }

    /// Writes a tag, with other values where tokens were.
    fn rewrite(&mut self, tag: &Tag, text: &[u8], to: usize, out: &mut Vec<u8>) {
        let value_of = |wanted: &[&str]| {
            let mut named = tag.attributes.iter().filter(|attribute| {
                let name = text.get(attribute.name.clone()).unwrap_or_default();
                wanted
                    .iter()
                    .any(|wanted| name.eq_ignore_ascii_case(wanted.as_bytes()))
            });
            let value = named.find_map(|attribute| attribute.value.clone());
            value.map(|value| unescaped(text.get(value).unwrap_or_default()))
        };
        let named = [
            value_of(&["name", "property", "itemprop"]),
            value_of(&["id"]),
        ];
        let refreshes =
            value_of(&["http-equiv"]).is_some_and(|kind| kind.eq_ignore_ascii_case(b"refresh"));
        let mut copied = 0;
        for attribute in &tag.attributes {
            let Some(range) = attribute.value.clone() else {
                continue;
            };
            let name = text
                .get(attribute.name.clone())
                .unwrap_or_default()
                .to_ascii_lowercase();
            let value = unescaped(text.get(range.clone()).unwrap_or_default());
            let instead = match name.as_slice() {
                b"content" if refreshes => {
                    header_without_tokens("Refresh", &value, &self.names, &mut self.keeper)
                }
                b"value" | b"content" => {
                    let mut named = named.iter().flatten();
                    named.find_map(|name| self.named(name, &value))
                }
                name => self.attribute(name, &value),
            };
            let Some(instead) = instead else {
                continue;
            };
            self.found += 1;
            let quote: &[u8] = if attribute.quote.is_some() {
                b""
            } else {
                b"\""
            };
            out.extend_from_slice(text.get(copied..range.start).unwrap_or_default());
            out.extend_from_slice(&[quote, &escaped(&instead), quote].concat());
            copied = range.end;
        }
        out.extend_from_slice(text.get(copied..to).unwrap_or_default());
    }

    /// What takes the place of the value of a form's field, or of what the page says under a name.
    fn named(&mut self, name: &[u8], value: &[u8]) -> Option<Vec<u8>> {
        let says = form_field(name, &self.names);
        instead(&mut self.keeper, (name, says), value)
    }

    /// What takes the place of the value of any other attribute.
    fn attribute(&mut self, name: &[u8], value: &[u8]) -> Option<Vec<u8>> {
        if name.starts_with(b"data-") {
            let says = data_attribute(name, &self.names);
            let instead = instead(&mut self.keeper, (name, says), value);
            return instead.or_else(|| without_tokens(value, &self.names, &mut self.keeper));
        }
        let is_url = URL_ATTRIBUTES.iter().any(|known| known.as_bytes() == name);
        is_url.then(|| without_tokens(value, &self.names, &mut self.keeper))?
    }
}

/// What the name of an attribute for scripts says about its value. A policy names the data, not the attribute.
fn data_attribute(name: &[u8], names: &TokenNames) -> Option<Says> {
    let data = name.strip_prefix(b"data-").unwrap_or(name);
    added_form_field(data, names).or_else(|| form_field(name, names))
}

/// What takes the place of a value beside a name that says this of it; none when it stays.
fn instead(
    keeper: &mut impl FnMut(FoundToken<'_>) -> Instead,
    (name, says): (&[u8], Option<Says>),
    value: &[u8],
) -> Option<Vec<u8>> {
    says.filter(|says| says.is_token(value))?;
    let found = FoundToken {
        name: Some(name),
        value,
        why: Why::Name,
    };
    match keeper(found) {
        Instead::Keep => None,
        Instead::Strip => Some(Vec::new()),
        Instead::Text(text) => Some(text.into_bytes()),
    }
}

/// Lets the beginning of a text leave.
fn pass(text: &[u8], length: usize, out: &mut Vec<u8>) -> Option<usize> {
    let length = length.min(text.len());
    out.extend_from_slice(text.get(..length)?);
    Some(length)
}

/// Lets a text leave but for its last bytes, which may be the beginning of an end.
fn pass_but(text: &[u8], held: usize, ended: bool, out: &mut Vec<u8>) -> Option<usize> {
    let held = if ended { 0 } else { held };
    let length = text.len().checked_sub(held).filter(|length| *length > 0)?;
    pass(text, length, out)
}

/// Where the end tag of an element begins. One byte must follow its name to tell it from a longer one.
fn end_tag(text: &[u8], name: &str) -> Option<usize> {
    memmem::find_iter(text, b"</").find(|at| {
        let rest = text.get(at + 2..).unwrap_or_default();
        let same = rest.get(..name.len());
        let next = rest.get(name.len());
        same.is_some_and(|same| same.eq_ignore_ascii_case(name.as_bytes()))
            && next.is_some_and(|next| next.is_ascii_whitespace() || matches!(next, b'/' | b'>'))
    })
}

impl<K: FnMut(FoundToken<'_>) -> Instead> BodyFilter for HtmlTokens<K> {
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
        self.script.end(&mut self.keeper, out);
        Ok(())
    }
}

impl<K> fmt::Debug for HtmlTokens<K> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HtmlTokens")
            .field("held", &self.held.len())
            .field("found", &self.found)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
