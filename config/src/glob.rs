//! Patterns in which `*` stands for any run of characters, an empty one included; nothing else is special.
//!
//! For each part between two `*` at most the text's length times the part's, without recursion.

use std::slice;

/// A pattern for names.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Glob {
    text: String,
}

impl Glob {
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self { text: text.into() }
    }

    /// The pattern as it is written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it stands for the whole text, character by character.
    #[must_use]
    pub fn matches(&self, text: &str) -> bool {
        matches(&self.text, text, |a, b| a == b)
    }

    /// The same, ASCII letters in either case.
    #[must_use]
    pub fn matches_caseless(&self, text: &str) -> bool {
        matches_caseless(&self.text, text)
    }
}

/// Whether a pattern stands for the whole text, ASCII letters in either case.
pub(crate) fn matches_caseless(pattern: &str, text: &str) -> bool {
    matches(pattern, text, <[u8]>::eq_ignore_ascii_case)
}

fn matches(pattern: &str, text: &str, same: fn(&[u8], &[u8]) -> bool) -> bool {
    // PERF: most names differ from a pattern in their first letter (`postern bench`, sessions).
    let first = pattern.as_bytes().first().filter(|byte| **byte != b'*');
    if let (Some(first), Some(begin)) = (first, text.as_bytes().first())
        && !same(slice::from_ref(begin), slice::from_ref(first))
    {
        return false;
    }
    let mut parts = pattern.as_bytes().split(|byte| *byte == b'*');
    let first = parts.next().unwrap_or_default();
    let Some((begin, mut rest)) = text.as_bytes().split_at_checked(first.len()) else {
        return false;
    };
    if !same(begin, first) {
        return false;
    }
    let Some(last) = parts.next_back() else {
        // There is no `*`: the pattern is the text.
        return rest.is_empty();
    };
    for part in parts {
        let Some(after) = behind(rest, part, same) else {
            return false;
        };
        rest = after;
    }
    let before_last = rest.len().checked_sub(last.len());
    let end = before_last.and_then(|at| rest.get(at..));
    end.is_some_and(|end| same(end, last))
}

/// What follows the first place where a part occurs.
fn behind<'t>(text: &'t [u8], part: &[u8], same: fn(&[u8], &[u8]) -> bool) -> Option<&'t [u8]> {
    if part.is_empty() {
        return Some(text);
    }
    let at = text
        .windows(part.len())
        .position(|window| same(window, part))?;
    text.get(at + part.len()..)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_stands_for_any_run_and_nothing_else_is_special() {
        for (pattern, text, expected) in [
            ("sid", "sid", true),
            ("sid", "side", false),
            ("sid", "si", false),
            ("roundup_session_*", "roundup_session_classic", true),
            ("roundup_session_*", "roundup_session_", true),
            ("roundup_session_*", "roundup_sessio", false),
            ("*-token", "x-token", true),
            ("*-token", "x-token-2", false),
            ("x-*token*", "x-my-token-2", true),
            ("x-*token*", "my-x-token", false),
            ("a*b*c", "abc", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "acb", false),
            ("a*a", "a", false),
            ("*", "", true),
            ("**", "any", true),
            ("a.c", "abc", false),
            ("a?c", "abc", false),
            ("é*", "ete", false),
            ("é*", "été", true),
            ("*n", "ann", true),
            ("*n", "anna", false),
            ("a*n*a", "anna", true),
            ("a**b", "ab", true),
            ("spiffe://desk/agent/*", "spiffe://desk/agent/ann", true),
            ("spiffe://desk/agent/*", "spiffe://desk/agents/ann", false),
            ("", "", true),
            ("", "x", false),
        ] {
            let found = Glob::new(pattern).matches(text);
            assert_eq!(found, expected, "{pattern} {text}");
        }
    }

    #[test]
    fn letters_are_compared_in_either_case_only_where_that_is_asked_for() {
        let pattern = Glob::new("X-*Token");
        assert!(pattern.matches_caseless("x-auth-TOKEN"));
        assert!(!pattern.matches("x-auth-TOKEN"));
        assert!(pattern.matches("X-AUTH-Token"));
    }
}
