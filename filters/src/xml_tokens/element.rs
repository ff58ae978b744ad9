//! Elements that hold tokens, by their names, and what stands in them.

use memchr::{memchr, memmem};
use postern_config::sessions::TokenNames;

use crate::html_tokens::unescaped;
use crate::token_rules::{Says, field};

/// Local names of elements that are tokens besides those of members and form fields.
const TOKENS: [&[u8]; 2] = [BINARY_SECURITY_TOKEN, b"sessionHeader"];
/// A certificate or a ticket in base64, in lines as a rule (WS-Security, section 6.3).
const BINARY_SECURITY_TOKEN: &[u8] = b"BinarySecurityToken";
/// What says who somebody is, signed (SAML 2.0 core, sections 2.3.3 and 2.3.4).
const ASSERTIONS: [&[u8]; 2] = [b"Assertion", b"EncryptedAssertion"];

const SECTION_BEGINS: &[u8] = b"<![CDATA[";
const SECTION_ENDS: &[u8] = b"]]>";

/// What follows a start tag.
pub(super) enum Content {
    /// It has not ended.
    Unknown,
    /// A text of this length as written, up to the end tag, and as it is read.
    Text(usize, Vec<u8>),
    /// Other elements, behind a text of this length.
    Elements(usize),
}

/// A name without its prefix.
pub(crate) fn local(name: &[u8]) -> &[u8] {
    let colon = memchr::memrchr(b':', name);
    colon.map_or(name, |colon| name.get(colon + 1..).unwrap_or_default())
}

/// What the name of an element says about its text.
pub(super) fn element(name: &[u8], names: &TokenNames) -> Option<Says> {
    let local = local(name);
    let token = TOKENS.iter().any(|known| local.eq_ignore_ascii_case(known));
    if token {
        Some(Says::Token)
    } else {
        field(local, names)
    }
}

/// Whether a start tag begins an assertion of SAML: its name is also an ordinary word.
pub(super) fn is_assertion(name: &[u8], tag: &[u8]) -> bool {
    let local = local(name);
    let named = ASSERTIONS
        .iter()
        .any(|known| local.eq_ignore_ascii_case(known));
    let says = |word: &[u8]| {
        tag.windows(word.len())
            .any(|text| text.eq_ignore_ascii_case(word))
    };
    named && (says(b"saml") || says(b"IssueInstant"))
}

/// What a text begins with that follows a start tag.
pub(super) fn value(text: &[u8]) -> Content {
    let mut value = Vec::new();
    let mut at = 0;
    loop {
        let rest = text.get(at..).unwrap_or_default();
        let Some(sign) = memchr(b'<', rest) else {
            return Content::Unknown;
        };
        let (plain, tag) = rest.split_at(sign);
        value.extend(unescaped(plain));
        at += sign;
        match tag {
            [_, b'/', ..] => return Content::Text(at, value),
            _ if SECTION_BEGINS.starts_with(tag) => return Content::Unknown,
            _ => {}
        }
        let Some(section) = tag.strip_prefix(SECTION_BEGINS) else {
            return Content::Elements(at);
        };
        let Some(end) = memmem::find(section, SECTION_ENDS) else {
            return Content::Unknown;
        };
        value.extend_from_slice(section.get(..end).unwrap_or_default());
        at += SECTION_BEGINS.len() + end + SECTION_ENDS.len();
    }
}

/// The text of an element without the blanks that do not belong to it.
pub(super) fn compact(name: &[u8], text: &[u8]) -> Vec<u8> {
    match name.eq_ignore_ascii_case(BINARY_SECURITY_TOKEN) {
        true => text
            .iter()
            .copied()
            .filter(|byte| !byte.is_ascii_whitespace())
            .collect(),
        false => text.trim_ascii().to_vec(),
    }
}
