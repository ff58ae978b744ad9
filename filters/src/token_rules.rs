//! What is taken for a session token when its value is not known: by its name, or by its shape.
//!
//! Guarantees: a name is compared without case and separators; a name that is also an ordinary word
//! (`state`, `ticket`) counts only beside a value that looks random, unless the policy names it; a shape alone counts
//! only where its issuer made it unmistakable. What becomes of a token is the caller's: it is asked for each one.

mod names;
#[cfg(test)]
pub(crate) mod samples;
mod shapes;

use std::fmt;

use postern_config::sessions::TokenNames;

use names::{NAME_LETTERS_MAX, letters, sent};
pub(crate) use names::{added_form_field, field, form_field, parameter};
pub(crate) use shapes::shaped_length;
pub(crate) use shapes::{JWT_BEGINS, SAML_BEGINS, is_plausible, is_shaped, is_token_byte};
pub use shapes::{looks_random, without_scheme};

/// Why something is taken for a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Its name says so.
    Name,
    /// Its name says so, and it is a parameter of a path (`;jsessionid=…`).
    PathParameter,
    /// It has the form of a token that says what it is.
    Shape,
}

/// One token, as the caller is asked about it. `Debug` shows neither name nor value.
#[derive(Clone, Copy)]
pub struct FoundToken<'t> {
    /// The name beside it, decoded; none when its shape alone gave it away.
    pub name: Option<&'t [u8]>,
    /// Its value, decoded.
    pub value: &'t [u8],
    /// Why it is taken for one.
    pub why: Why,
}

/// What becomes of a token.
#[derive(Clone, PartialEq, Eq)]
pub enum Instead {
    /// It stays.
    Keep,
    /// It is removed; where a name without it is useless, the name too.
    Strip,
    /// This text stands there, a placeholder as a rule. It is written in the encoding of its place.
    Text(String),
}

/// How sure a name makes that its value is a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Says {
    /// It is one.
    Token,
    /// It is one if it looks random.
    Perhaps,
}

impl Says {
    /// Whether a value beside such a name is a token.
    pub(crate) fn is_token(self, value: &[u8]) -> bool {
        let value = without_scheme(value);
        match self {
            Self::Token => is_plausible(value),
            Self::Perhaps => is_shaped(value) || looks_random(value),
        }
    }
}

/// A name as it is compared: its letters and digits, in lower case; none when it has none of them, or more than 64.
#[must_use]
pub fn name_letters(name: &[u8]) -> Option<String> {
    let letters = letters(name, &mut [0; NAME_LETTERS_MAX])?.to_owned();
    Some(letters).filter(|letters| !letters.is_empty())
}

/// Whether the policy itself says that what stands beside a name is a token.
#[must_use]
pub fn is_added(name: &[u8], names: &TokenNames) -> bool {
    let text = String::from_utf8_lossy(name);
    let in_head = || names.headers.iter().any(|own| own.matches_caseless(&text));
    added_form_field(name, names).is_some() || in_head()
}

/// Whether a request brings this token under a name: it was found under that name before (`known`, as [`name_letters`]
/// writes them), or the name says that it brings a token.
///
/// SECURITY: what looks like such a name to us must not be another one to the application. Some readers end a name at
/// a control character, or behind its last bracket.
#[must_use]
pub fn is_sent_under(name: &[u8], token: &[u8], known: &[String], names: &TokenNames) -> bool {
    let bracket = name.iter().rposition(|byte| *byte == b']');
    let is_whole = bracket.is_none_or(|at| at + 1 == name.len());
    if !is_whole || name.iter().any(u8::is_ascii_control) {
        return false;
    }
    let is_known = || name_letters(name).is_some_and(|letters| known.contains(&letters));
    is_known() || sent(name, names).is_some_and(|says| says.is_token(token))
}

impl fmt::Debug for FoundToken<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FoundToken({:?})", self.why)
    }
}

impl fmt::Debug for Instead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Keep => "Keep",
            Self::Strip => "Strip",
            Self::Text(_) => "Text",
        })
    }
}

#[cfg(test)]
mod tests;
