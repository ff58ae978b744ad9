//! Takes credentials out of whole files that people attach: recordings of browsers, and logs and other texts.
//!
//! | what it is | by its content | what it loses |
//! |---|---|---|
//! | recording | an object, with `log.entries` | what [`crate::har`] takes out, the session's secrets, our own names |
//! | text | hardly any control characters | tokens of known shape, the session's secrets, our own names |
//! | anything else | | nothing: it stays byte for byte |
//!
//! Guarantees: a recording that cannot be read is an error, as it is not to be handed on; in files that are
//! changed nothing stands that could be presented to the proxy, neither a handle nor a placeholder. What a file is
//! called and said to be does not matter: names are the client's.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use memchr::memmem;
use postern_config::sessions::TokenNames;

use crate::har::{HarError, sanitize_har};
use crate::placeholder::{Handle, Placeholder};
use crate::shape_sweep::without_shapes;
use crate::token_rules::{FoundToken, Instead};
use crate::token_sweep::{REMOVED, Secrets};

/// Of how many bytes of a text one may be a control character: in compressed data every tenth is one.
const TEXT_BYTES_OF_A_CONTROL: usize = 100;

/// What a file lost. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Cleaned {
    /// The file that may be handed on.
    pub content: Vec<u8>,
    /// Whether it is a recording.
    pub recording: bool,
    /// How many values were taken out, at least.
    pub removed: u64,
}

/// A file without credentials; none when it stays as it is. `names` are those that the policy adds.
///
/// # Errors
/// It is a recording that cannot be read, or one that is too long.
pub fn without_credentials(
    content: &[u8],
    names: &Arc<TokenNames>,
    secrets: &Arc<Secrets>,
) -> Result<Option<Cleaned>, HarError> {
    let recording = recording(content, names, secrets)?;
    Ok(recording.or_else(|| is_text(content).then(|| text(content, secrets))?))
}

/// A recording without credentials; none when a file is no recording.
///
/// # Errors
/// It is a recording that cannot be read, or one that is too long.
pub fn recording(
    content: &[u8],
    names: &Arc<TokenNames>,
    secrets: &Arc<Secrets>,
) -> Result<Option<Cleaned>, HarError> {
    if !begins_an_object(content) {
        return Ok(None);
    }
    let Some(recording) = sanitize_har(content, names)? else {
        return Ok(None);
    };
    let mut removed = recording.removed;
    let content = without_secrets(Cow::Owned(recording.text), secrets, &mut removed);
    Ok(Some(Cleaned {
        content: content.into_owned(),
        recording: true,
        removed,
    }))
}

/// A text without credentials; none when it has none.
fn text(content: &[u8], secrets: &Arc<Secrets>) -> Option<Cleaned> {
    let mut removed = 0;
    let shapes = without_shapes(content, &mut |_: FoundToken<'_>| {
        removed += 1;
        Instead::Strip
    });
    let shapes = shapes.map_or(Cow::Borrowed(content), Cow::Owned);
    let content = without_secrets(shapes, secrets, &mut removed);
    (removed > 0).then(|| Cleaned {
        content: content.into_owned(),
        recording: false,
        removed,
    })
}

/// A text without the secrets of the session, and without our own names, which are what stands for secrets.
fn without_secrets<'t>(
    text: Cow<'t, [u8]>,
    secrets: &Arc<Secrets>,
    removed: &mut u64,
) -> Cow<'t, [u8]> {
    let names = without_own_names(&text);
    *removed += names.as_ref().map_or(0, |(_, names)| *names);
    let text = names.map_or(text, |(without, _)| Cow::Owned(without));
    let Some(rewritten) = secrets.rewrite(&text) else {
        return text;
    };
    *removed += 1;
    let names = without_own_names(&rewritten);
    Cow::Owned(names.map_or(rewritten, |(without, _)| without))
}

/// A text without our own handles and placeholders, and how many there were; none when there were none.
pub fn without_own_names(text: &[u8]) -> Option<(Vec<u8>, u64)> {
    without_own(text, &[Handle::BEGINS, Placeholder::BEGINS])
}

/// A text without our own handles, and how many there were; none when there were none.
pub fn without_handles(text: &[u8]) -> Option<(Vec<u8>, u64)> {
    without_own(text, &[Handle::BEGINS])
}

fn without_own(text: &[u8], beginnings: &[&str]) -> Option<(Vec<u8>, u64)> {
    let mut places: Vec<usize> = beginnings
        .iter()
        .flat_map(|begins| memmem::find_iter(text, begins.as_bytes()))
        .collect();
    places.sort_unstable();
    let mut out = Vec::new();
    let (mut copied, mut removed) = (0, 0);
    for at in places {
        let own = text.get(at..).and_then(own_length);
        let Some(length) = own.filter(|_| at >= copied) else {
            continue;
        };
        out.extend_from_slice(text.get(copied..at).unwrap_or_default());
        out.extend_from_slice(REMOVED);
        copied = at + length;
        removed += 1;
    }
    out.extend_from_slice(text.get(copied..).unwrap_or_default());
    (removed > 0).then_some((out, removed))
}

/// How long the handle or the placeholder is that a text begins with; none when it begins with neither.
fn own_length(text: &[u8]) -> Option<usize> {
    let handle = text.get(..Handle::LENGTH).and_then(Handle::parse);
    if handle.is_some() {
        return Some(Handle::LENGTH);
    }
    let placeholder = text.get(..Placeholder::LENGTH).and_then(Placeholder::parse);
    placeholder.map(|_| Placeholder::LENGTH)
}

/// Whether a text may be an object of JSON.
fn begins_an_object(content: &[u8]) -> bool {
    let text = content.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(content);
    text.trim_ascii_start().first() == Some(&b'{')
}

/// Whether a file is a text, in whatever encoding that keeps ASCII as it is.
fn is_text(content: &[u8]) -> bool {
    let control = |byte: &&u8| byte.is_ascii_control() && !matches!(byte, 0x08..=b'\r' | 0x1B);
    let controls = content.iter().filter(control).count();
    controls <= content.len() / TEXT_BYTES_OF_A_CONTROL
}

impl fmt::Debug for Cleaned {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cleaned")
            .field("recording", &self.recording)
            .field("removed", &self.removed)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
