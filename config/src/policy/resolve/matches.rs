//! `METHOD /path/{parameter}/{rest...}` lines, read into their canonical form.
//!
//! Guarantees: what is read could be the canonical form of a request, so no line is dead because of
//! its spelling. What could be, and was hardly meant, is a lint finding. Whether two lines conflict is decided by
//! the whole policy.

use super::names;
use crate::document::read::At;
use crate::policy::error::Problems;
use crate::rfc9110::is_tchar;
use crate::routes::{PathPart, RouteMatch, RouteMethod};

/// The longest path, in segments.
const SEGMENTS_MAX: usize = 64;

/// The methods that are registered (IANA, "HTTP Method Registry") and not always refused, `PURGE`, which caches
/// know, and `ANY`.
const METHODS: [&str; 40] = [
    "ACL",
    "ANY",
    "BASELINE-CONTROL",
    "BIND",
    "CHECKIN",
    "CHECKOUT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LABEL",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MKREDIRECTREF",
    "MKWORKSPACE",
    "MOVE",
    "OPTIONS",
    "ORDERPATCH",
    "PATCH",
    "POST",
    "PRI",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "PUT",
    "QUERY",
    "REBIND",
    "REPORT",
    "SEARCH",
    "UNBIND",
    "UNCHECKOUT",
    "UNLINK",
    "UNLOCK",
    "UPDATE",
    "UPDATEREDIRECTREF",
    "VERSION-CONTROL",
];

/// Reads one line.
pub(super) fn read(line: &At<String>, problems: &mut Problems) -> Option<RouteMatch> {
    match parse(&line.value) {
        Ok(read) => {
            doubt(line, &read, problems);
            Some(read)
        }
        Err((message, help)) => {
            let message = format!("`{}` is no match: {message}", line.value);
            problems.add("PN020", line.place, message).help(help);
            None
        }
    }
}

/// Adds a finding for what no request will hold, as it is written.
fn doubt(line: &At<String>, read: &RouteMatch, problems: &mut Problems) {
    if let RouteMethod::Exactly(method) = &read.method
        && !METHODS.contains(&method.as_str())
    {
        problems
            .add(
                "PN116",
                line.place,
                format!("`{method}` is no method that is registered"),
            )
            .choose_from(method, METHODS.into_iter());
    }
    for part in &read.path {
        let (PathPart::Literal(text) | PathPart::Parameter(text) | PathPart::Rest(text)) = part;
        let help = match text.strip_prefix(':') {
            Some(name) if names::is_parameter(name) => format!("write `{{{name}}}`"),
            Some(_) => continue,
            None if matches!(text.as_str(), "*" | "**") => {
                "write `{name}` for one segment, `{name...}` for all that remain".to_owned()
            }
            None => continue,
        };
        let message = format!("`{text}` stands for nothing but itself here");
        problems.add("PN117", line.place, message).help(help);
    }
}

type Refusal = (String, &'static str);

fn parse(line: &str) -> Result<RouteMatch, Refusal> {
    let mut words = line.split_ascii_whitespace();
    let (Some(method), Some(path), None) = (words.next(), words.next(), words.next()) else {
        let message = "a method and a path are expected".to_owned();
        return Err((message, "for example `GET /api/cases/{case_id}`"));
    };
    let method = parse_method(method)?;
    let path = parse_path(path)?;
    Ok(RouteMatch { method, path })
}

fn parse_method(text: &str) -> Result<RouteMethod, Refusal> {
    const HELP: &str = "`ANY`, or a method in upper case such as `GET`";
    if text == "ANY" {
        return Ok(RouteMethod::Any);
    }
    if matches!(text, "CONNECT" | "TRACE") {
        let message = format!("`{text}` is always refused");
        return Err((message, HELP));
    }
    if !text.bytes().all(is_tchar) || text.bytes().any(|b| b.is_ascii_lowercase()) {
        let message = format!("`{text}` is no method");
        return Err((message, HELP));
    }
    Ok(RouteMethod::Exactly(text.to_owned()))
}

fn parse_path(text: &str) -> Result<Vec<PathPart>, Refusal> {
    let Some(segments) = text.strip_prefix('/') else {
        return Err((
            "a path begins with `/`".to_owned(),
            "write it from the root",
        ));
    };
    if segments.is_empty() {
        return Ok(Vec::new());
    }
    let mut path = Vec::new();
    let mut parameters = Vec::new();
    let (segments, slash) = match segments.strip_suffix('/') {
        Some(bare) => (bare, true),
        None => (segments, false),
    };
    for segment in segments.split('/') {
        if matches!(path.last(), Some(PathPart::Rest(_))) {
            let message = "nothing can follow the rest of a path".to_owned();
            return Err((message, "put `{name...}` last"));
        }
        let part = parse_segment(segment)?;
        if let PathPart::Parameter(name) | PathPart::Rest(name) = &part {
            if parameters.contains(name) {
                let message = format!("the parameter `{name}` comes twice");
                return Err((message, "give each parameter its own name"));
            }
            parameters.push(name.clone());
        }
        path.push(part);
    }
    if slash {
        if matches!(path.last(), Some(PathPart::Rest(_))) {
            let message = "nothing can follow the rest of a path".to_owned();
            return Err((message, "put `{name...}` last"));
        }
        path.push(PathPart::Literal(String::new()));
    }
    if path.len() > SEGMENTS_MAX {
        let message = format!("a path has at most {SEGMENTS_MAX} segments");
        return Err((message, "use `{rest...}` for deep paths"));
    }
    Ok(path)
}

fn parse_segment(segment: &str) -> Result<PathPart, Refusal> {
    if let Some(inner) = segment
        .strip_prefix('{')
        .and_then(|rest| rest.strip_suffix('}'))
    {
        let (name, is_rest) = match inner.strip_suffix("...") {
            Some(name) => (name, true),
            None => (inner, false),
        };
        if !names::is_parameter(name) {
            let message = format!("`{{{inner}}}` is no parameter");
            return Err((
                message,
                "a parameter is a letter or `_`, then letters, digits and `_`",
            ));
        }
        let name = name.to_owned();
        return Ok(match is_rest {
            true => PathPart::Rest(name),
            false => PathPart::Parameter(name),
        });
    }
    literal(segment)?;
    Ok(PathPart::Literal(segment.to_owned()))
}

/// Whether a literal segment is in canonical form.
fn literal(segment: &str) -> Result<(), Refusal> {
    match segment {
        "" => {
            let message = "an empty segment never matches".to_owned();
            return Err((message, "write no `//`"));
        }
        "." | ".." => {
            let message = "a dot segment never matches".to_owned();
            return Err((message, "write the path that it leads to"));
        }
        _ => {}
    }
    if segment.contains(';') {
        let message = "a path parameter (`;`) is refused in requests";
        return Err((message.to_owned(), "such a path cannot be routed"));
    }
    let mut bytes = segment.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            escape(bytes.next(), bytes.next())?;
        } else if !is_plain(byte) {
            let message = format!("`{segment}` holds a character that paths do not");
            let help = "escape it as `%XX`; a parameter is a whole segment, `{name}`";
            return Err((message, help));
        }
    }
    Ok(())
}

/// Whether two digits after `%` are an escape that stays in canonical form.
fn escape(high: Option<u8>, low: Option<u8>) -> Result<(), Refusal> {
    let digit = |byte: Option<u8>| match byte {
        Some(b @ (b'0'..=b'9' | b'A'..=b'F')) => char::from(b).to_digit(16),
        _ => None,
    };
    let (Some(high), Some(low)) = (digit(high), digit(low)) else {
        let message = "an escape is `%` and two upper-case hexadecimal digits".to_owned();
        return Err((message, "for example `%C3%A9`"));
    };
    match u8::try_from(high * 16 + low) {
        Ok(b'/' | b'\\' | b'%' | b'?' | b'#' | b';') => {
            let message = "an escaped separator or percent sign is refused in requests";
            Err((message.to_owned(), "such a path cannot be routed"))
        }
        Ok(byte) if byte < 0x20 || byte == 0x7f => {
            let message = "an escaped control character is refused in requests";
            Err((message.to_owned(), "such a path cannot be routed"))
        }
        Ok(byte) if is_plain(byte) => {
            let message = format!("`{}` is escaped without need", char::from(byte));
            Err((message, "write the character itself"))
        }
        Ok(_) | Err(_) => Ok(()),
    }
}

/// `pchar` of RFC 3986 section 3.3 without escapes and without `;`, which requests may not hold.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte)
}
