//! `Content-Type` (RFC 9110 section 8.3), read strictly: what is ambiguous is refused.

use encoding_rs::Encoding;
use http::HeaderMap;
use http::header::CONTENT_TYPE;
use postern_config::RouteFormat;
use postern_config::rfc9110::is_token;

use crate::body_filter::BodyError;

/// A media type and the parameter that matters here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MediaType {
    /// `type/subtype`, lower case.
    pub(crate) essence: String,
    /// The `charset` parameter, lower case.
    charset: Option<String>,
    /// The `header` parameter of a table (RFC 4180 section 3), lower case.
    header: Option<String>,
    /// The `boundary` parameter of parts, as written.
    pub(crate) boundary: Option<String>,
}

/// The media type of a head; none when it names none.
///
/// # Errors
/// Several are named, or the one is malformed.
pub(crate) fn of(headers: &HeaderMap) -> Result<Option<MediaType>, BodyError> {
    let mut values = headers.get_all(CONTENT_TYPE).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    if values.next().is_some() {
        return Err(BodyError::Head {
            what: "several content types",
        });
    }
    let parsed = value.to_str().ok().and_then(MediaType::parse);
    parsed.map(Some).ok_or(BodyError::ContentType)
}

impl MediaType {
    /// Reads `type/subtype` and its parameters; none when anything about it is malformed.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches([' ', '\t']);
        let (essence, mut rest) = match text.find([' ', '\t', ';']) {
            Some(at) => text.split_at(at),
            None => (text, ""),
        };
        let (kind, subtype) = essence.split_once('/')?;
        if !is_token(kind) || !is_token(subtype) {
            return None;
        }
        let (mut charset, mut header, mut boundary) = (None, None, None);
        while !rest.is_empty() {
            rest = rest.trim_start_matches([' ', '\t']).strip_prefix(';')?;
            rest = rest.trim_start_matches([' ', '\t']);
            if rest.is_empty() || rest.starts_with(';') {
                continue;
            }
            let (name, value, after) = parameter(rest)?;
            let before = match name.to_ascii_lowercase().as_str() {
                "charset" => charset.replace(value.to_ascii_lowercase()),
                "header" => header.replace(value.to_ascii_lowercase()),
                "boundary" => boundary.replace(value),
                _ => None,
            };
            if before.is_some() {
                return None;
            }
            rest = after;
        }
        Some(Self {
            essence: essence.to_ascii_lowercase(),
            charset,
            header,
            boundary,
        })
    }

    /// Whether it is JSON: `application/json`, or a type with the suffix `+json` (RFC 6839).
    pub(crate) fn is_json(&self) -> bool {
        self.essence == "application/json"
            || self
                .essence
                .split_once('/')
                .and_then(|(_, subtype)| subtype.strip_suffix("+json"))
                .is_some_and(|name| !name.is_empty())
    }

    /// Whether it is of a format that a route declares.
    ///
    /// # Errors
    /// It is a table that says it has no header row, or its character set is not the declared one.
    pub(super) fn encoding(
        &self,
        format: &RouteFormat,
    ) -> Result<Option<&'static Encoding>, BodyError> {
        let has_header = self
            .header
            .as_deref()
            .is_none_or(|header| header == "present");
        if format.kind.is_table() && !has_header {
            return Err(BodyError::ContentType);
        }
        match (self.charset.as_deref(), format.encoding) {
            (None, declared) => Ok(declared),
            (Some("utf-8"), _) => Ok(None),
            (Some(named), Some(declared))
                if Encoding::for_label(named.as_bytes()) == Some(declared) =>
            {
                Ok(Some(declared))
            }
            (Some(_), _) => Err(BodyError::ContentType),
        }
    }

    /// Whether ASCII is written as it is in the character set; one that nobody knows is none of those.
    pub(crate) fn keeps_ascii(&self) -> bool {
        let known = |name: &str| Encoding::for_label(name.as_bytes());
        let keeps = |name| known(name).is_some_and(Encoding::is_ascii_compatible);
        self.charset.as_deref().is_none_or(keeps)
    }

    /// Whether it says nothing of the character set, or UTF-8.
    pub(crate) fn is_utf8(&self) -> bool {
        self.charset.as_deref().is_none_or(|name| name == "utf-8")
    }
}

/// One `name=value` at the start of `text`: the name, the unquoted value and what follows.
fn parameter(text: &str) -> Option<(&str, String, &str)> {
    let (name, after) = text.split_once('=')?;
    if !is_token(name) {
        return None;
    }
    if let Some(quoted) = after.strip_prefix('"') {
        let (value, after) = unquoted(quoted)?;
        return Some((name, value, after));
    }
    let (value, after) = match after.find([' ', '\t', ';']) {
        Some(at) => after.split_at(at),
        None => (after, ""),
    };
    is_token(value).then(|| (name, value.to_owned(), after))
}

/// The rest of a quoted string (RFC 9110 section 5.6.4) and what follows it.
fn unquoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, text.get(at + 1..)?)),
            '\\' => value.push(characters.next()?.1),
            plain => value.push(plain),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::MediaType;

    #[test]
    fn knows_json_by_its_type_and_nothing_else() {
        for json in [
            "application/json",
            "APPLICATION/JSON",
            " application/json ",
            "application/problem+json",
            "application/vnd.acme.case.v2+json",
            "application/json; profile=x",
            "application/json ; charset=\"utf-8\"",
            "application/json;charset=UTF-8;odata.metadata=minimal",
            "application/json;",
            "application/json; charset=\"u\\tf-8\"",
        ] {
            let parsed = MediaType::parse(json).unwrap();
            assert!(parsed.is_json() && parsed.is_utf8(), "{json}");
        }
        for other in [
            "text/plain",
            "text/json",
            "application/x-json",
            "*/*",
            "application/+json",
            "application/json-seq",
            "application/jsonp",
        ] {
            assert!(!MediaType::parse(other).unwrap().is_json(), "{other}");
        }
        for charset in ["iso-8859-1", "utf-16", "\"\"", "utf8", "us-ascii"] {
            let text = format!("application/json; charset={charset}");
            assert!(!MediaType::parse(&text).unwrap().is_utf8(), "{charset}");
        }
    }

    #[test]
    fn refuses_what_is_malformed() {
        for malformed in [
            "",
            "json",
            "application/",
            "/json",
            "application/json, text/html",
            "application/json text/html",
            "application/json; charset=\"utf-8",
            "application/json; charset",
            "application/json; =x",
            "application/json; charset=utf-8; charset=utf-16",
            "application/json; charset=utf-8, x",
            "application/json;charset=\"utf-8\"x",
            "application/js on",
        ] {
            assert_eq!(MediaType::parse(malformed), None, "{malformed}");
        }
    }
}
