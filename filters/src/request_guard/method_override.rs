//! Requests that ask an application to act as if they had another method.
//!
//! Many frameworks obey `X-HTTP-Method-Override` or a parameter `_method`, in the query, in a form or in JSON. A route
//! is chosen by the method on the wire, so that a `POST` which becomes a `DELETE` behind the proxy gets past
//! every rule about `DELETE`. Whatever would change the method is refused; what repeats it changes nothing.
//!
//! Names are compared as lenient frameworks do: without case, with `.`, `-` and spaces as `_`, and without
//! what stands in brackets. Bodies other than forms and JSON are not looked at; forms in a content coding are refused, JSON
//! in one is decoded.

mod form;
mod json;

use http::{HeaderMap, HeaderName};

use crate::form_encoding::decoded;

pub use form::{FORM_NAME_BYTES_MAX, FormOverride};

/// The header fields that frameworks obey.
static FIELDS: [HeaderName; 3] = [
    HeaderName::from_static("x-http-method-override"),
    HeaderName::from_static("x-http-method"),
    HeaderName::from_static("x-method-override"),
];

/// The parameters, in the form that [`is_override`] compares.
const PARAMETERS: [&str; 4] = [
    "_method",
    "x_http_method_override",
    "x_http_method",
    "x_method_override",
];

/// A request asks for another method than its own. It holds nothing of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the request asks for another method than its own")]
pub struct AnotherMethod;

/// Judges a request's head.
///
/// # Errors
/// A header field or a parameter of the query asks for another method.
pub fn in_head(
    method: &str,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<(), AnotherMethod> {
    let mut fields = FIELDS.iter().flat_map(|name| headers.get_all(name));
    let obeyed = fields.all(|value| is_same(value.as_bytes(), method));
    let mut pairs = query.unwrap_or_default().split(['&', ';']);
    let asked = pairs.all(|pair| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        changes_nothing(name.as_bytes(), value.as_bytes(), method)
    });
    match obeyed && asked {
        true => Ok(()),
        false => Err(AnotherMethod),
    }
}

/// Whether an encoded parameter is no override, or one that repeats the method.
fn changes_nothing(name: &[u8], value: &[u8], method: &str) -> bool {
    !is_override(&decoded(name)) || is_same(&decoded(value), method)
}

fn is_override(name: &[u8]) -> bool {
    let name = name.trim_ascii_start();
    let end = name.iter().position(|byte| matches!(byte, b'[' | 0));
    let name = name.get(..end.unwrap_or(name.len())).unwrap_or_default();
    let folded: Vec<u8> = name
        .trim_ascii_end()
        .iter()
        .map(|byte| match byte {
            b'.' | b'-' | b' ' => b'_',
            other => other.to_ascii_lowercase(),
        })
        .collect();
    PARAMETERS.iter().any(|known| known.as_bytes() == folded)
}

fn is_same(value: &[u8], method: &str) -> bool {
    value.trim_ascii().eq_ignore_ascii_case(method.as_bytes())
}

#[cfg(test)]
mod tests;
