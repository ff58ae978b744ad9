//! The cookies between the client and Postern: the handle and the bound cookie, and nothing else.
//!
//! What a client sends is read so that no two readers could differ: a name of ours that comes twice, in one
//! field or in several, means nothing, and a value is one that we made or none.

use std::time::Duration;

use http::HeaderMap;
use http::header::COOKIE;
use postern_config::sessions::hot_names::{BOUND_COOKIE, HANDLE_COOKIE};

use super::vault::Handle;

/// The longest `Cookie` field that is read, in bytes; a browser's whole jar for one host is smaller.
const FIELDS_BYTES_MAX: usize = 16 << 10;
/// What both cookies have: for this host and its whole path, on secure connections, out of reach of scripts,
/// and never sent from another site.
pub const ATTRIBUTES: &str = "Path=/; Secure; HttpOnly; SameSite=Strict";

/// What of a request's cookies is ours.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ClientCookies {
    /// The handle.
    pub handle: Carried<Handle>,
    /// The bound cookie's value.
    pub bound: Carried<String>,
}

/// A cookie of ours, as a request brings it.
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Carried<T> {
    /// It does not.
    #[default]
    Absent,
    /// Once, and well-formed.
    Once(T),
    /// Several times, or with a value that we never made: somebody tries something, or mixed up two jars.
    Unsound,
}

impl<T> std::fmt::Debug for Carried<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Absent => "Absent",
            Self::Once(_) => "Once",
            Self::Unsound => "Unsound",
        })
    }
}

impl ClientCookies {
    /// Reads a request's cookies (RFC 6265bis section 4.2). HTTP/2 may split them into several fields (RFC
    /// 9113 section 8.2.3).
    #[must_use]
    pub fn read(headers: &HeaderMap) -> Self {
        let fields = fields(headers);
        let length: usize = fields.iter().map(|field| field.len()).sum();
        if length > FIELDS_BYTES_MAX {
            return Self {
                handle: Carried::Unsound,
                bound: Carried::Unsound,
            };
        }
        let mut cookies = Self::default();
        for (name, value) in pairs(&fields) {
            // A reader that trims and one that does not would take a name with a blank for different ones.
            match name.trim_ascii_end() {
                own if own.eq_ignore_ascii_case(HANDLE_COOKIE.as_bytes()) => {
                    cookies
                        .handle
                        .add(name == HANDLE_COOKIE.as_bytes(), Handle::parse(value));
                }
                own if own.eq_ignore_ascii_case(BOUND_COOKIE.as_bytes()) => {
                    cookies
                        .bound
                        .add(name == BOUND_COOKIE.as_bytes(), bound_of(value));
                }
                _ => {}
            }
        }
        cookies
    }
}

/// The values of the cookies of a name that is not ours, exactly as they came.
pub(super) fn values_of<'h>(headers: &'h HeaderMap, name: &str) -> Vec<&'h [u8]> {
    let fields = fields(headers);
    let named = pairs(&fields).filter(|(named, _)| named.trim_ascii_end() == name.as_bytes());
    named.map(|(_, value)| value).collect()
}

/// Names and values of the cookies that are not ours, as they came; none where there are too many to be read.
pub(crate) fn foreign_cookies(headers: &HeaderMap) -> Vec<(&[u8], &[u8])> {
    let fields = fields(headers);
    if fields.iter().map(|field| field.len()).sum::<usize>() > FIELDS_BYTES_MAX {
        return Vec::new();
    }
    let ours = [HANDLE_COOKIE.as_bytes(), BOUND_COOKIE.as_bytes()];
    let foreign =
        pairs(&fields).filter(|(name, _)| !ours.iter().any(|own| own.eq_ignore_ascii_case(name)));
    foreign.collect()
}

fn fields(headers: &HeaderMap) -> Vec<&[u8]> {
    let fields = headers.get_all(COOKIE).iter();
    fields.map(http::HeaderValue::as_bytes).collect()
}

/// Names and values, without the blanks around each pair.
fn pairs<'h>(fields: &[&'h [u8]]) -> impl Iterator<Item = (&'h [u8], &'h [u8])> {
    let pairs = fields
        .iter()
        .flat_map(|field| field.split(|byte| *byte == b';'));
    pairs.map(|pair| {
        let pair = pair.trim_ascii();
        let at = pair.iter().position(|byte| *byte == b'=');
        let (name, value) = at.map_or((pair, &[][..]), |at| {
            let (name, rest) = pair.split_at(at);
            (name, rest.get(1..).unwrap_or_default())
        });
        (name, value)
    })
}

impl<T> Carried<T> {
    fn add(&mut self, named: bool, value: Option<T>) {
        *self = match (&self, value.filter(|_| named)) {
            (Self::Absent, Some(value)) => Self::Once(value),
            (Self::Absent | Self::Once(_) | Self::Unsound, _) => Self::Unsound,
        };
    }
}

/// 32 bytes in base64url.
fn bound_of(value: &[u8]) -> Option<String> {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let text = std::str::from_utf8(value).ok()?;
    (value.len() == 43 && value.iter().all(is_plain)).then(|| text.to_owned())
}

/// The field that gives a client its handle, for as long as the browser runs.
#[must_use]
pub fn handle_field(handle: &Handle) -> String {
    format!("{HANDLE_COOKIE}={}; {ATTRIBUTES}", handle.text())
}

/// The field that gives a client its bound cookie, for as long as it is good here.
#[must_use]
pub fn bound_field(value: &str, bound_for: Duration) -> String {
    let seconds = bound_for.as_secs();
    format!("{BOUND_COOKIE}={value}; {ATTRIBUTES}; Max-Age={seconds}")
}

/// The field that takes the bound cookie from a client, so that its browser proves the device anew.
#[must_use]
pub fn forgetting_bound_field() -> String {
    forgetting_field(BOUND_COOKIE)
}

/// The field that takes a cookie of ours from a client.
#[must_use]
pub fn forgetting_field(name: &str) -> String {
    format!("{name}=; {ATTRIBUTES}; Max-Age=0")
}

/// The fields that take both cookies from a client.
#[must_use]
pub fn forgetting_fields() -> [String; 2] {
    [HANDLE_COOKIE, BOUND_COOKIE].map(forgetting_field)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(fields: &[&str]) -> ClientCookies {
        let mut headers = HeaderMap::new();
        for field in fields {
            headers.append(COOKIE, field.parse().unwrap());
        }
        ClientCookies::read(&headers)
    }

    fn ours() -> (Handle, String) {
        let handle = Handle::new([7; 32]);
        let field = handle_field(&handle);
        (handle, field.split(';').next().unwrap().to_owned())
    }

    #[test]
    fn reads_back_what_was_given() {
        let (handle, pair) = ours();
        let bound = format!("{BOUND_COOKIE}={}", "a".repeat(43));
        for fields in [
            vec![format!("{pair}; {bound}")],
            vec![format!("theme=dark; {pair};{bound}")],
            vec![pair, bound],
        ] {
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            let cookies = read(&fields);
            assert_eq!(cookies.handle, Carried::Once(handle.clone()));
            assert_eq!(cookies.bound, Carried::Once("a".repeat(43)));
        }
        assert_eq!(read(&["theme=dark"]), ClientCookies::default());
        assert_eq!(read(&[]), ClientCookies::default());
    }

    #[test]
    fn what_comes_twice_or_is_not_ours_means_nothing() {
        let (_, pair) = ours();
        let (name, value) = pair.split_once('=').unwrap();
        let mut flipped = value.to_owned();
        let last = if flipped.pop() == Some('0') { '1' } else { '0' };
        flipped.push(last);
        for fields in [
            vec![format!("{pair}; {pair}")],
            vec![pair.clone(), pair.clone()],
            vec![format!("{pair}; {name}=")],
            vec![format!("{pair}; {name}")],
            vec![format!("{name}=x; {pair}")],
            vec![format!("{name}={flipped}")],
            vec![format!("{name}=\"{value}\"")],
            vec![format!("{name}= {value} x")],
            vec![format!("{}={value}", name.to_lowercase())],
            vec![format!("{name} ={value}")],
            vec![format!("{name}\t={value}")],
            vec![format!("{pair}; {name} =x")],
            vec![format!("{pair}; a={}", "x".repeat(16 << 10))],
        ] {
            let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
            assert_eq!(read(&fields).handle, Carried::Unsound, "{fields:?}");
        }
    }

    #[test]
    fn a_name_beside_ours_is_another_cookie() {
        let (_, pair) = ours();
        for field in [
            format!("x{pair}"),
            pair.replacen('-', "_", 1),
            format!("a={pair}"),
        ] {
            assert_eq!(read(&[&field]).handle, Carried::Absent, "{field}");
        }
    }

    #[test]
    fn the_fields_are_what_browsers_hold_to() {
        let field = handle_field(&Handle::new([0; 32]));
        assert!(field.starts_with("__Host-Http-pn=pnh_"));
        for attribute in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
            assert!(field.contains(attribute));
            assert!(
                forgetting_fields()
                    .iter()
                    .all(|field| field.contains(attribute))
            );
        }
        assert!(!field.contains("Domain") && !field.contains("Max-Age"));
    }
}
