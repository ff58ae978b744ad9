//! The condition that a write with restored values goes up with (RFC 9110 sections 13.1.1 and 13.2.2).
//!
//! ```text
//! If-Match: *             holds for what was fetched, and also for what somebody writes after it
//! If-Match: "v1", "v2"    the same as long as one of them is fetched and another is written after it
//! If-Unmodified-Since     the same within a second, or for a date to come
//! ```
//!
//! SECURITY: true values were put in from what was fetched, so the write may only replace that. A condition
//! of the client's that holds for it is replaced by its tag, which asks for more. One that does not hold, or
//! of which that cannot be told, refuses the write: it could still hold for something else.

use http::HeaderMap;
use http::header::{HeaderValue, IF_MATCH, IF_UNMODIFIED_SINCE};

use super::{Resource, WriteError};
use crate::set_cookie::date::cookie_date;

impl Resource {
    /// The tag that the write is to carry as `If-Match`; none when what is stored has no strong one, and then
    /// the client's conditions go up as they came.
    ///
    /// # Errors
    /// What is stored has a strong tag, and it is not sure that the client's conditions hold for it.
    pub fn condition(&self, client: &HeaderMap) -> Result<Option<&HeaderValue>, WriteError> {
        const CHANGED: WriteError = WriteError::Conflict("it is not what a condition asks for");
        let Some(tag) = self.tag() else {
            return Ok(None);
        };
        // INVARIANT: beside `If-Match` the other is ignored.
        let holds = match client.contains_key(IF_MATCH) {
            true => matches(client, tag.as_bytes()),
            false => self.is_unmodified_since(client),
        };
        if holds { Ok(Some(tag)) } else { Err(CHANGED) }
    }

    fn is_unmodified_since(&self, client: &HeaderMap) -> bool {
        let mut dates = client.get_all(IF_UNMODIFIED_SINCE).iter();
        match (dates.next(), dates.next()) {
            (None, _) => true,
            (Some(date), None) => {
                let date = cookie_date(date.as_bytes());
                let both = self.modified().zip(date);
                both.is_some_and(|(modified, date)| modified <= date)
            }
            (Some(_), Some(_)) => false,
        }
    }
}

/// Whether `If-Match` holds for a strong tag: it is `*`, or a list of tags with this one in it.
fn matches(client: &HeaderMap, tag: &[u8]) -> bool {
    let lines: Vec<&[u8]> = client
        .get_all(IF_MATCH)
        .iter()
        .map(|line| line.as_bytes().trim_ascii())
        .collect();
    match lines.as_slice() {
        [b"*"] => true,
        lines => names(&lines.join(&b','), tag).unwrap_or(false),
    }
}

/// Whether a list of entity tags has this strong one in it; none when it is no such list.
fn names(list: &[u8], tag: &[u8]) -> Option<bool> {
    let mut found = false;
    let mut rest = list.trim_ascii();
    while !rest.is_empty() {
        if let Some(behind) = rest.strip_prefix(b",") {
            rest = behind.trim_ascii_start();
            continue;
        }
        let strong = rest.strip_prefix(b"W/");
        let inner = strong.unwrap_or(rest).strip_prefix(b"\"")?;
        let end = inner.iter().position(|byte| *byte == b'"')?;
        let (inner, behind) = inner.split_at_checked(end)?;
        let own = tag
            .strip_prefix(b"\"")
            .and_then(|tag| tag.strip_suffix(b"\""));
        found |= strong.is_none() && own == Some(inner);
        rest = behind.strip_prefix(b"\"")?.trim_ascii_start();
        if !rest.is_empty() && !rest.starts_with(b",") {
            return None;
        }
    }
    Some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resource(tag: Option<&'static str>, modified: Option<i64>) -> Resource {
        Resource {
            truth: Vec::new(),
            shown: Vec::new(),
            tag: tag.map(HeaderValue::from_static),
            modified,
        }
    }

    /// What goes up for these lines: the tag, nothing, or a refusal.
    fn condition(resource: &Resource, lines: &[(&str, &'static str)]) -> Option<Option<String>> {
        let lines = lines.iter().map(|(name, value)| {
            let name = name.parse::<http::HeaderName>().unwrap();
            (name, HeaderValue::from_static(value))
        });
        let mut client = HeaderMap::new();
        for (name, value) in lines {
            client.append(name, value);
        }
        let tag = resource.condition(&client).ok()?;
        Some(tag.map(|tag| tag.to_str().unwrap().to_owned()))
    }

    #[test]
    fn what_holds_for_the_fetched_version_becomes_its_tag_and_all_else_is_refused() {
        let stored = resource(Some("\"v,1\""), None);
        let tag = Some(Some("\"v,1\"".to_owned()));
        assert_eq!(condition(&stored, &[]), tag);
        for held in ["*", " * ", "\"v,1\"", "\"a\", \"v,1\" ,, W/\"b\""] {
            assert_eq!(condition(&stored, &[("if-match", held)]), tag, "{held}");
        }
        for other in [
            "\"v\"",
            "W/\"v,1\"",
            "v,1",
            "\"v,1",
            "*, \"a\"",
            "\"v,1\" \"a\"",
            "\"v,1\", x",
            "",
        ] {
            assert_eq!(condition(&stored, &[("if-match", other)]), None, "{other}");
        }
        let two = [("if-match", "\"a\""), ("if-match", "\"v,1\"")];
        assert_eq!(condition(&stored, &two), tag);
        let both = [("if-match", "*"), ("if-unmodified-since", "never")];
        assert_eq!(condition(&stored, &both), tag);
    }

    #[test]
    fn a_date_holds_for_what_was_not_changed_after_it() {
        const NOON: &str = "Sun, 06 Nov 1994 12:00:00 GMT";
        let since = |modified, date| {
            let stored = resource(Some("\"a\""), modified);
            condition(&stored, &[("if-unmodified-since", date)]).is_some()
        };
        assert!(since(Some(784_123_200), NOON) && since(Some(0), NOON));
        assert!(!since(Some(784_123_201), NOON));
        assert!(!since(None, NOON) && !since(Some(0), "noon"));
    }

    #[test]
    fn without_a_strong_tag_conditions_stay_as_they_are() {
        let stored = resource(None, None);
        for lines in [&[][..], &[("if-match", "*")], &[("if-match", "\"a\"")]] {
            assert_eq!(condition(&stored, lines), Some(None));
        }
    }
}
