//! The patterns of `match` and `search`: I-Regexp (RFC 9485), compiled by `regex`.
//!
//! Guarantees: matching time is linear in the text, and a compiled pattern's size is bounded by
//! [`COMPILED_BYTES_MAX`]. It accepts more than I-Regexp does (anchors, `\d`): a wider pattern that
//! protects a field is better than one that silently selects nothing.

use regex::{Regex, RegexBuilder};

/// The largest compiled pattern, in bytes.
pub const COMPILED_BYTES_MAX: usize = 1 << 20;

/// The longest pattern, in bytes.
pub const PATTERN_BYTES_MAX: usize = 4096;

/// How deep a pattern's groups may nest.
const NESTING_MAX: u32 = 64;

/// The largest compiled pattern that a document spells out, in bytes. Less than for a policy, since a
/// document may spell out many, and compiling takes time.
pub const FOREIGN_BYTES_MAX: usize = 1 << 18;

/// A pattern is larger than what is compiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the pattern is too large")]
pub struct TooLarge;

/// Compiles a policy's pattern; `whole` anchors it at both ends, as `match` does and `search` does not.
///
/// `None` when it is no pattern or too large: a policy that says so literally is refused at load.
#[must_use]
pub fn compile(pattern: &str, whole: bool) -> Option<Regex> {
    build(pattern, whole, COMPILED_BYTES_MAX).ok().flatten()
}

/// Compiles a pattern that a document spells out. `None` when it is no pattern: by RFC 9535
/// section 2.4.6 that selects nothing.
///
/// # Errors
/// The pattern may well be one, but is too large to tell what it matches.
pub fn compile_foreign(pattern: &str, whole: bool) -> Result<Option<Regex>, TooLarge> {
    build(pattern, whole, FOREIGN_BYTES_MAX)
}

fn build(pattern: &str, whole: bool, bytes_max: usize) -> Result<Option<Regex>, TooLarge> {
    if pattern.len() > PATTERN_BYTES_MAX {
        return Err(TooLarge);
    }
    let build = |text: &str| {
        let mut builder = RegexBuilder::new(text);
        builder
            .size_limit(bytes_max)
            .dfa_size_limit(bytes_max)
            .nest_limit(NESTING_MAX);
        match builder.build() {
            Ok(regex) => Ok(Some(regex)),
            Err(regex::Error::CompiledTooBig(_)) => Err(TooLarge),
            Err(_) => Ok(None),
        }
    };
    // The bare pattern must stand by itself: `a)(b` only compiles once it is wrapped.
    let translated = dots(pattern);
    let bare = build(&translated)?;
    match whole && bare.is_some() {
        true => build(&format!(r"\A(?:{translated})\z")),
        false => Ok(bare),
    }
}

/// Replaces every dot outside a class by `[^\n\r]` (RFC 9485 section 5.3).
fn dots(pattern: &str) -> String {
    let mut translated = String::with_capacity(pattern.len());
    let mut escaped = false;
    let mut classes = 0_usize;
    for c in pattern.chars() {
        let is_dot = c == '.' && !escaped && classes == 0;
        match c {
            '[' if !escaped => classes += 1,
            ']' if !escaped => classes = classes.saturating_sub(1),
            _ => {}
        }
        if is_dot {
            translated.push_str(r"[^\n\r]");
        } else {
            translated.push(c);
        }
        escaped = c == '\\' && !escaped;
    }
    translated
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, whole: bool, text: &str) -> bool {
        compile(pattern, whole).is_some_and(|compiled| compiled.is_match(text))
    }

    #[test]
    fn a_dot_is_anything_but_a_line_end_and_only_outside_a_class() {
        assert!(matches("a.b", true, "a\u{2028}b"));
        assert!(!matches("a.b", true, "a\rb"));
        assert!(!matches("a.b", true, "a\nb"));
        assert!(matches("a[.]b", true, "a.b"));
        assert!(!matches("a[.]b", true, "axb"));
        assert!(matches(r"a\.b", true, "a.b"));
        assert!(!matches(r"a\.b", true, "axb"));
        assert!(matches(r"a\\.b", true, r"a\xb"));
        assert!(matches(r"[\].]", true, "."));
    }

    #[test]
    fn match_takes_the_whole_string_and_search_a_part() {
        assert!(matches("b|c", false, "abd"));
        assert!(!matches("b|c", true, "abd"));
        assert!(!matches("b", true, "b\n"));
    }

    #[test]
    fn a_broken_or_huge_pattern_is_no_pattern() {
        for pattern in ["a(", "a)(b", "[", "*", r"(a)\1", "(?=a)"] {
            assert!(compile(pattern, true).is_none(), "{pattern}");
            assert!(compile(pattern, false).is_none(), "{pattern}");
        }
        assert!(compile("a{1000}{1000}", true).is_none());
    }

    #[test]
    fn a_pattern_of_a_document_that_is_too_large_is_not_taken_for_one_that_matches_nothing() {
        assert!(compile_foreign(r"\p{Lu}\p{Ll}*[^a-z]{1,9}", true).is_ok_and(|one| one.is_some()));
        assert!(compile_foreign("a(", true).is_ok_and(|one| one.is_none()));
        assert_eq!(compile_foreign("(a{200}){200}", true).err(), Some(TooLarge));
        let longest = "a".repeat(PATTERN_BYTES_MAX + 1);
        assert_eq!(compile_foreign(&longest, false).err(), Some(TooLarge));
    }

    #[test]
    fn a_pattern_of_the_longest_length_compiles_and_one_longer_does_not() {
        assert!(compile(&"a".repeat(PATTERN_BYTES_MAX), true).is_some());
        assert!(compile(&"a".repeat(PATTERN_BYTES_MAX + 1), true).is_none());
    }
}
