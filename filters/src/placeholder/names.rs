//! The name that a placeholder is the value of, read from what stands around it.
//!
//! ```text
//! {"refresh_token": "pnp_…"}    csrf=pnp_…&tab=1    /home?sid=pnp_…    <token>pnp_…</token>    <login token="pnp_…"/>
//! ```
//!
//! SECURITY: whoever writes a text may have it look like a form's field or a member of an object. A placeholder has a
//! name only where nobody can take it for anything but the whole value of that name, behind nothing but the scheme of a
//! credential: not in a string that holds JSON, in a URL inside of a value, in a section of characters, or in a text
//! that is not what its type says. The time taken is linear in the text.

use std::borrow::Cow;
use std::ops::Range;

use memchr::{memchr, memmem, memrchr};
use serde::de::IgnoredAny;

use super::{Place, Placeholder};
use crate::form_encoding;
use crate::html_tokens::tag;
use crate::json_tokens::decoded;
use crate::token_rules::without_scheme;
use crate::xml_tokens::{OTHERS, local};

/// The longest name that is read, with what stands between it and the placeholder in a form.
const NAME_BYTES_MAX: usize = 512;
/// What a credential's scheme takes at most, percent-encoded or not, with the sign before it.
const SCHEME_BYTES_MAX: usize = 24;

/// The names beside the placeholders of one text.
pub(super) struct Names<'t> {
    text: &'t [u8],
    read: Read,
}

enum Read {
    /// Pairs, from this place on.
    Pairs(usize),
    /// JSON, one text or many.
    Json,
    /// Where placeholders are whole values, and their names, in order.
    Xml(Vec<(usize, Range<usize>)>),
    /// Nothing has a name.
    Nothing,
}

impl<'t> Names<'t> {
    pub(super) fn of(place: Place, text: &'t [u8]) -> Self {
        if memmem::find(text, Placeholder::BEGINS.as_bytes()).is_none() {
            let read = Read::Nothing;
            return Self { text, read };
        }
        let read = match place {
            Place::Form => Read::Pairs(0),
            Place::Url => memchr(b'?', text).map_or(Read::Nothing, |at| Read::Pairs(at + 1)),
            Place::Json if is_json(text) => Read::Json,
            Place::Xml => Read::Xml(xml_values(text)),
            Place::Json | Place::Header | Place::Plain => Read::Nothing,
        };
        Self { text, read }
    }

    /// The name, decoded, that the placeholder at this place is the whole value of.
    pub(super) fn beside(&self, at: usize) -> Option<Cow<'t, [u8]>> {
        let (before, found) = self.text.split_at_checked(at)?;
        let after = found.get(Placeholder::LENGTH..)?;
        match &self.read {
            Read::Pairs(from) => pair_name(before.get(*from..)?, after),
            Read::Json => member_name(before, after),
            Read::Xml(values) => {
                let index = values.binary_search_by_key(&at, |(at, _)| *at).ok()?;
                let (_, name) = values.get(index)?;
                self.text.get(name.clone()).map(Cow::Borrowed)
            }
            Read::Nothing => None,
        }
    }
}

/// Whether a value is a placeholder, behind a scheme or not.
pub(super) fn is_whole(value: &[u8]) -> bool {
    let scheme = value.len().checked_sub(Placeholder::LENGTH);
    scheme.is_some_and(|length| is_scheme(value.get(..length).unwrap_or_default()))
}

/// Whether nothing stands there, or the scheme of a credential.
fn is_scheme(before: &[u8]) -> bool {
    without_scheme(before).is_empty()
}

/// The name of a pair of a form or a query. A name with a `;` in it is none: for some readers that divides pairs too.
fn pair_name<'t>(before: &[u8], after: &[u8]) -> Option<Cow<'t, [u8]>> {
    if !matches!(after, [] | [b'&', ..]) {
        return None;
    }
    let pair = last(before, NAME_BYTES_MAX, b'&')?;
    let equals = memchr(b'=', pair)?;
    let (name, value) = pair.split_at(equals);
    let scheme = form_encoding::decoded(value.get(1..)?);
    let is_one = !name.contains(&b';') && is_scheme(&scheme);
    is_one.then(|| Cow::Owned(form_encoding::decoded(name)))
}

/// What stands behind the last such sign, or all of a text without one; none when that is too long.
fn last(text: &[u8], bytes_max: usize, sign: u8) -> Option<&[u8]> {
    let from = text.len().saturating_sub(bytes_max);
    let tail = text.get(from..)?;
    match memrchr(sign, tail) {
        Some(at) => tail.get(at + 1..),
        None => (from == 0).then_some(tail),
    }
}

/// The name of a member whose value is a string. In valid JSON a quote behind a colon begins a value, and is not part
/// of a text.
fn member_name<'t>(before: &'t [u8], after: &[u8]) -> Option<Cow<'t, [u8]>> {
    if !after.starts_with(b"\"") {
        return None;
    }
    let scheme = last(before, SCHEME_BYTES_MAX, b'"').filter(|scheme| is_scheme(scheme))?;
    let quoted = before.get(..before.len() - scheme.len())?;
    let named = blank_end(quoted.strip_suffix(b"\"")?).strip_suffix(b":")?;
    let name = blank_end(named).strip_suffix(b"\"")?;
    let mut end = name.len();
    while name.len() - end <= NAME_BYTES_MAX {
        let quote = memrchr(b'"', name.get(..end)?)?;
        let escapes = name.get(..quote)?.iter().rev();
        let escapes = escapes.take_while(|byte| **byte == b'\\').count();
        if escapes % 2 == 0 {
            return name.get(quote + 1..).map(decoded);
        }
        end = quote;
    }
    None
}

/// A text without the white space of JSON at its end.
fn blank_end(text: &[u8]) -> &[u8] {
    let blank = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\r' | b'\n');
    let length = text.len() - text.iter().rev().take_while(blank).count();
    text.get(..length).unwrap_or_default()
}

fn is_json(text: &[u8]) -> bool {
    let text = std::str::from_utf8(text).ok();
    let texts = text.map(|text| serde_json::Deserializer::from_str(text).into_iter::<IgnoredAny>());
    texts.is_some_and(|mut texts| texts.all(|text| text.is_ok()))
}

/// Attributes, and elements that hold nothing but a text, whose values are placeholders. A document that declares
/// anything has none: what it declares is not read.
fn xml_values(text: &[u8]) -> Vec<(usize, Range<usize>)> {
    let mut values = Vec::new();
    let mut at = 0;
    while let Some(begins) = text.get(at..).and_then(|rest| memchr(b'<', rest)) {
        at += begins;
        let rest = text.get(at..).unwrap_or_default();
        let other = OTHERS.iter().find(|(begins, _)| rest.starts_with(begins));
        if let Some((begins, ends)) = other {
            let inside = rest.get(begins.len()..).unwrap_or_default();
            let Some(length) = memmem::find(inside, ends) else {
                return values;
            };
            at += begins.len() + length + ends.len();
            continue;
        }
        if rest.starts_with(b"<!") {
            return Vec::new();
        }
        let Some(length) = tag_values(text, at, &mut values) else {
            return values;
        };
        at += length;
    }
    values
}

/// Reads the tag at a place, and says how long it is; none when it does not end.
fn tag_values(text: &[u8], at: usize, values: &mut Vec<(usize, Range<usize>)>) -> Option<usize> {
    let rest = text.get(at..)?;
    let tag = tag::read(rest, None);
    let end = tag.end?;
    let mut push = |name: Range<usize>, value: Range<usize>| {
        let whole = rest.get(value.clone()).is_some_and(is_whole);
        let named = rest.get(name.clone()).map(local).filter(|_| whole);
        if let Some(named) = named {
            let to = at + name.end;
            values.push((at + value.end - Placeholder::LENGTH, to - named.len()..to));
        }
    };
    for attribute in tag.attributes {
        let value = attribute.value.filter(|_| attribute.quote.is_some());
        if let Some(value) = value {
            push(attribute.name, value);
        }
    }
    let name = rest.get(tag.name.clone())?;
    let begins = !name.starts_with(b"/") && !rest.get(..end)?.ends_with(b"/");
    let behind = rest.get(end + 1..)?;
    let length = memchr(b'<', behind).filter(|_| begins);
    let ends = |length: usize| {
        let closing = behind.get(length..)?.strip_prefix(b"</")?;
        let closing = closing.strip_prefix(name)?;
        closing.first().filter(|byte| !is_name_byte(**byte))
    };
    if let Some(length) = length.filter(|length| ends(*length).is_some()) {
        let content = behind.get(..length)?;
        let from = end + 1 + length - content.trim_ascii_start().len();
        push(tag.name, from..from + content.trim_ascii().len());
    }
    Some(end + 1)
}

/// Whether a name could go on with this byte.
const fn is_name_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte >= 0x80 || matches!(byte, b':' | b'-' | b'_' | b'.')
}

#[cfg(test)]
mod tests;
