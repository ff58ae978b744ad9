//! Takes credentials out of recordings of browsers (HTTP Archive, HAR 1.2), which people attach to cases.
//!
//! Guarantees: a text that is no HAR is left alone; in one that is, every cookie, every header field, parameter
//! and form field whose name is that of a credential, and every signature of a JSON Web Token is gone, in all
//! entries and in bodies that are JSON or forms. What cannot be read, or is longer than [`HAR_BYTES_MAX`], is an
//! error: such an attachment is not to be handed on.
//!
//! A recording is read as a whole and written anew: its values stay, its white space does not. Bodies that
//! the recording holds in base64 are not opened.

use std::fmt;
use std::sync::Arc;

use postern_config::sessions::TokenNames;
use serde_json::{Map, Value};

use crate::body_filter::BodyFilter;
use crate::json_tokens::JsonTokens;
use crate::shape_sweep::without_shapes;
use crate::token_rules::{FoundToken, Instead, JWT_BEGINS, field, parameter};
use crate::url_tokens::{header_without_tokens, without_tokens};

/// The longest recording that is read.
pub const HAR_BYTES_MAX: usize = 50 << 20;
/// What stands for a value that was taken out.
const REDACTED: &str = "[redacted]";
/// Names of header fields, parameters and form fields that other sanitizers of recordings take out, in lower
/// case, besides the names of session tokens.
const WORDS: [&str; 25] = [
    "appid",
    "authorization",
    "challenge",
    "client_id",
    "code_challenge",
    "code_verifier",
    "cookie",
    "email",
    "facetid",
    "fcparams",
    "passwd",
    "password",
    "proxy-authorization",
    "serverdata",
    "set-cookie",
    "set-cookie2",
    "shdf",
    "usg",
    "vses2",
    "www-authenticate",
    "x-amz-security-token",
    "x-api-key",
    "x-auth-token",
    "x-client-data",
    "x-forwarded-client-cert",
];

/// A recording without credentials. `Debug` shows nothing of it.
pub struct Sanitized {
    /// The recording.
    pub text: Vec<u8>,
    /// How many values were taken out.
    pub removed: u64,
}

/// Why a recording cannot be handed on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum HarError {
    /// It is longer than [`HAR_BYTES_MAX`].
    #[error("a recording has more than {HAR_BYTES_MAX} bytes")]
    TooLarge,
    /// It looks like a recording and cannot be read.
    #[error("a recording cannot be read")]
    Malformed,
}

/// A recording without credentials; none when the text is no recording. `names` are those that the policy adds.
///
/// # Errors
/// It is a recording that cannot be read, or it is too long to tell.
pub fn sanitize_har(text: &[u8], names: &Arc<TokenNames>) -> Result<Option<Sanitized>, HarError> {
    let holds = |name: &str| memchr::memmem::find(text, name.as_bytes()).is_some();
    if !holds("\"log\"") || !holds("\"entries\"") {
        return Ok(None);
    }
    if text.len() > HAR_BYTES_MAX {
        return Err(HarError::TooLarge);
    }
    let text = text.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(text);
    let mut recording: Value =
        serde_json::from_slice(text).map_err(|_not_json| HarError::Malformed)?;
    let log = recording.get("log");
    if log
        .and_then(|log| log.get("entries"))
        .is_none_or(|entries| !entries.is_array())
    {
        return Ok(None);
    }
    let mut walk = Walk { names, removed: 0 };
    walk.value(&mut recording, "");
    let text = serde_json::to_vec(&recording).map_err(|_unwritable| HarError::Malformed)?;
    Ok(Some(Sanitized {
        text,
        removed: walk.removed,
    }))
}

struct Walk<'n> {
    names: &'n Arc<TokenNames>,
    removed: u64,
}

impl Walk<'_> {
    /// Looks through a value that stands beside this name.
    fn value(&mut self, value: &mut Value, name: &str) {
        match value {
            Value::Object(members) => self.object(members, name),
            Value::Array(values) => {
                for value in values {
                    self.value(value, name);
                }
            }
            Value::String(text) => self.text(text, name),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Looks through an object. One with a `name` and a `value` is a field, a cookie or a parameter.
    fn object(&mut self, members: &mut Map<String, Value>, list: &str) {
        let name = members
            .get("name")
            .and_then(Value::as_str)
            .map(ToOwned::to_owned);
        if let (Some(name), Some(value)) = (&name, members.get_mut("value")) {
            if list == "cookies" || self.is_credential(name) {
                *value = REDACTED.into();
                self.removed += 1;
                return;
            }
            if let Value::String(text) = value
                && let Some(without) =
                    header_without_tokens(name, text.as_bytes(), self.names, &mut strip)
            {
                self.replace(text, without);
            }
        }
        for (name, value) in members {
            self.value(value, name);
        }
    }

    fn text(&mut self, text: &mut String, name: &str) {
        let without = match name {
            "url" | "redirectURL" => without_tokens(text.as_bytes(), self.names, &mut strip),
            "text" => without_named(text, self.names),
            _ => None,
        };
        if let Some(without) = without {
            self.replace(text, without);
        }
        if let Some(without) = without_shapes(text.as_bytes(), &mut unsigned) {
            self.replace(text, without);
        }
    }

    fn replace(&mut self, text: &mut String, without: Vec<u8>) {
        *text = String::from_utf8(without).unwrap_or_else(|_cut| REDACTED.to_owned());
        self.removed += 1;
    }

    /// Whether a name is that of a credential, whatever its value looks like.
    fn is_credential(&self, name: &str) -> bool {
        let lower = name.to_ascii_lowercase();
        let bytes = name.as_bytes();
        let mut headers = self.names.headers.iter();
        WORDS.contains(&lower.as_str())
            || field(bytes, self.names).is_some()
            || parameter(bytes, self.names).is_some()
            || headers.any(|own| own.matches_caseless(name))
    }
}

/// A body without tokens beside their names; none when it has none.
fn without_named(text: &str, names: &Arc<TokenNames>) -> Option<Vec<u8>> {
    if !text.trim_start().starts_with(['{', '[']) {
        // A form is written like the query of a URL.
        return text
            .contains('=')
            .then(|| without_tokens(text.as_bytes(), names, &mut strip))?;
    }
    let mut json = JsonTokens::new(Arc::clone(names), strip);
    let mut out = Vec::with_capacity(text.len());
    let read = json
        .push(text.as_bytes(), &mut out)
        .and_then(|()| json.finish(&mut out));
    match read {
        Ok(()) => (json.found() > 0).then_some(out),
        // INVARIANT: it fails only when it is used again.
        Err(_spent) => Some(REDACTED.into()),
    }
}

fn strip(_found: FoundToken<'_>) -> Instead {
    Instead::Strip
}

/// A JSON Web Token without its signature says who it was for, and proves nothing any more.
fn unsigned(found: FoundToken<'_>) -> Instead {
    let token = std::str::from_utf8(found.value).unwrap_or_default();
    let mut parts = token.split('.');
    let (header, claims) = (parts.next(), parts.next());
    match (header, claims) {
        (Some(header), Some(claims)) if header.starts_with(JWT_BEGINS) => {
            Instead::Text(format!("{header}.{claims}.redacted"))
        }
        (_, _) => Instead::Strip,
    }
}

impl fmt::Debug for Sanitized {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Sanitized({} removed)", self.removed)
    }
}

#[cfg(test)]
mod tests;
