//! A policy author's own patterns: identifiers that no detector knows, such as numbers of patient records.
//!
//! Guarantees: what a [`Pattern`] finds has at least one byte and at most [`FOUND_BYTES_MAX`]; it asks for
//! nothing of the text around but the characters next to what it finds; it can match the text that is
//! searched, in which [`fold`] has put plain characters in place of others; one look takes time linear
//! in the text, since the `regex` crate does not try again. It does not decide where to look: that is
//! the filters crate's work.

use std::cmp::Ordering;
use std::fmt;
use std::ops::Range;

use regex::bytes::{Regex, RegexBuilder};
use regex_syntax::ParserBuilder;
use regex_syntax::hir::{Class, Hir, HirKind};

use super::fold;

/// The most bytes of UTF-8 that a pattern may find.
pub const FOUND_BYTES_MAX: usize = 128;

/// The most patterns of one entry.
pub const PATTERNS_MAX: usize = 16;

/// The longest pattern, in bytes as it is written.
const WRITTEN_BYTES_MAX: usize = 1024;

/// The largest compiled pattern, in bytes.
const COMPILED_BYTES_MAX: usize = 1 << 20;

/// How much of what it has worked out a thread may keep of a pattern, in bytes.
const CACHED_BYTES_MAX: usize = 1 << 18;

/// How deep a pattern's groups may nest.
const NESTING_MAX: u32 = 32;

/// A pattern that can be searched for. Two are the same when they are written the same.
#[derive(Clone)]
pub struct Pattern {
    written: String,
    shape: Hir,
    regex: Regex,
}

/// Why a pattern cannot be searched for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PatternError {
    /// The `regex` crate does not read it.
    #[error("this is no pattern: {0}")]
    Unreadable(String),
    /// It matches where there is nothing.
    #[error("the pattern matches an empty text, which is everywhere")]
    Empty,
    /// It asks where a text or a line begins or ends.
    #[error("the pattern asks where a text or a line begins or ends")]
    Anchored,
    /// It needs a character that the searched text never holds.
    #[error("the pattern needs {}, which {} in the text that is searched", needed(*.0), never(*.0))]
    NeverThere(Option<char>),
    /// What it finds may be longer than [`FOUND_BYTES_MAX`], or of any length.
    #[error("what the pattern finds may be {}", long(*.0))]
    FindsTooMuch(Option<usize>),
    /// It is longer than 1024 bytes, or larger than 1 MiB once compiled.
    #[error("the pattern is too large")]
    TooLarge,
}

impl Pattern {
    /// A pattern in the syntax of the `regex` crate.
    ///
    /// # Errors
    /// See [`PatternError`].
    pub fn parse(written: &str) -> Result<Self, PatternError> {
        if written.len() > WRITTEN_BYTES_MAX {
            return Err(PatternError::TooLarge);
        }
        let mut parser = ParserBuilder::new().nest_limit(NESTING_MAX).build();
        let shape = parser
            .parse(written)
            .map_err(|error| PatternError::Unreadable(reason(&error)))?;
        let properties = shape.properties();
        if let Some(character) = never_there(&shape) {
            return Err(PatternError::NeverThere(character));
        }
        if properties.look_set().contains_anchor() {
            return Err(PatternError::Anchored);
        }
        if properties.minimum_len() == Some(0) {
            return Err(PatternError::Empty);
        }
        let longest = properties.maximum_len();
        if longest.is_none_or(|longest| longest > FOUND_BYTES_MAX) {
            return Err(PatternError::FindsTooMuch(longest));
        }
        let regex = RegexBuilder::new(written)
            .size_limit(COMPILED_BYTES_MAX)
            .dfa_size_limit(CACHED_BYTES_MAX)
            .nest_limit(NESTING_MAX)
            .build();
        // What is no pattern has been refused above.
        let regex = regex.map_err(|_too_big| PatternError::TooLarge)?;
        Ok(Self {
            written: written.to_owned(),
            shape,
            regex,
        })
    }

    /// The pattern as it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// The first place at `from` or after it where the pattern matches folded text, with what stands
    /// before `from` in sight. Of several ways to match there it is the one that is written first.
    #[must_use]
    pub fn find_at(&self, text: &[u8], from: usize) -> Option<Range<usize>> {
        let found = self.regex.find_at(text, from.min(text.len()))?;
        Some(found.range())
    }

    /// Whether everything that the pattern finds holds a character for which this is so.
    #[must_use]
    pub fn always_has(&self, is_so: fn(char) -> bool) -> bool {
        always_has(&self.shape, is_so)
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pattern").field(&self.written).finish()
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.written == other.written
    }
}

impl Eq for Pattern {}

impl PartialOrd for Pattern {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Pattern {
    fn cmp(&self, other: &Self) -> Ordering {
        self.written.cmp(&other.written)
    }
}

impl PatternError {
    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> String {
        match self {
            Self::Unreadable(_) => "the syntax is that of the `regex` crate, in single quotes: \
                                    `{ pattern: 'MRN-[0-9]{7}' }`"
                .to_owned(),
            Self::Empty => "let it name at least one character".to_owned(),
            Self::Anchored => "leave `^` and `$` out; `\\b` is the edge of a word".to_owned(),
            Self::NeverThere(Some(character)) => match fold(*character) {
                Some(plain) => format!("write `{plain}`, which is searched for it"),
                None => "leave it out: what shows nothing is not searched".to_owned(),
            },
            Self::NeverThere(None) => {
                "name plain digits, blanks and dashes: those of every script \
                                       are searched as the plain ones"
                    .to_owned()
            }
            Self::FindsTooMuch(_) => format!(
                "give every repetition an end, as in `{{1,9}}`, and stay within {FOUND_BYTES_MAX} bytes; \
                 a character of any script may take 4"
            ),
            Self::TooLarge => format!(
                "stay within {WRITTEN_BYTES_MAX} bytes and {} KiB once compiled: `[0-9]` is smaller \
                 than `\\d`, and `(?-u:\\w)` than `\\w`",
                COMPILED_BYTES_MAX >> 10
            ),
        }
    }

    /// Whether it is about a limit, not about what the pattern says.
    #[must_use]
    pub const fn is_limit(&self) -> bool {
        match self {
            Self::FindsTooMuch(_) | Self::TooLarge => true,
            Self::Unreadable(_) | Self::Empty | Self::Anchored | Self::NeverThere(_) => false,
        }
    }
}

/// In one line why the parser stopped.
fn reason(error: &regex_syntax::Error) -> String {
    match error {
        regex_syntax::Error::Parse(error) => error.kind().to_string(),
        regex_syntax::Error::Translate(error) => error.kind().to_string(),
        other => other.to_string(),
    }
}

fn needed(character: Option<char>) -> String {
    match character {
        Some(character) if fold(character).is_some() => format!("`{character}`"),
        Some(character) => format!("U+{:04X}", u32::from(character)),
        None => "one of a set of characters".to_owned(),
    }
}

const fn never(character: Option<char>) -> &'static str {
    match character {
        Some(_) => "is never",
        None => "are never",
    }
}

fn long(longest: Option<usize>) -> String {
    match longest {
        Some(bytes) => format!("{bytes} bytes long, more than {FOUND_BYTES_MAX}"),
        None => "of any length".to_owned(),
    }
}

/// A part that matches no text after [`fold`], and its character if there is just one.
fn never_there(shape: &Hir) -> Option<Option<char>> {
    let stays = |character: &char| fold(*character) == Some(*character);
    match shape.kind() {
        HirKind::Empty | HirKind::Look(_) => None,
        HirKind::Literal(literal) => {
            let mut characters = characters_of(&literal.0);
            characters.find(|one| !stays(one)).map(Some)
        }
        HirKind::Class(class) => match ranges(class).flatten().any(|one| stays(&one)) {
            true => None,
            false => Some(None),
        },
        HirKind::Repetition(repeated) => never_there(&repeated.sub),
        HirKind::Capture(group) => never_there(&group.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().find_map(never_there),
    }
}

fn always_has(shape: &Hir, is_so: fn(char) -> bool) -> bool {
    match shape.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => characters_of(&literal.0).any(is_so),
        HirKind::Class(class) => ranges(class).flatten().all(is_so),
        HirKind::Repetition(repeated) => repeated.min > 0 && always_has(&repeated.sub, is_so),
        HirKind::Capture(group) => always_has(&group.sub, is_so),
        HirKind::Concat(parts) => parts.iter().any(|part| always_has(part, is_so)),
        HirKind::Alternation(parts) => parts.iter().all(|part| always_has(part, is_so)),
    }
}

/// INVARIANT: a pattern that was parsed as one over text has literals in UTF-8.
fn characters_of(literal: &[u8]) -> impl Iterator<Item = char> + '_ {
    std::str::from_utf8(literal).unwrap_or_default().chars()
}

fn ranges(class: &Class) -> Box<dyn Iterator<Item = std::ops::RangeInclusive<char>> + '_> {
    match class {
        Class::Unicode(class) => Box::new(class.iter().map(|range| range.start()..=range.end())),
        Class::Bytes(class) => Box::new(
            class
                .iter()
                .map(|range| char::from(range.start())..=char::from(range.end())),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(written: &str) -> PatternError {
        Pattern::parse(written).unwrap_err()
    }

    #[test]
    fn what_can_be_searched_for_is_read() {
        for written in [
            "MRN-[0-9]{7}",
            r"\b[A-Z][0-9]{8}\b",
            r"(?i)case \d{1,9}",
            r"(?-u:\b)W\w{2,9}\B.",
            "a|bc|def",
            "Ελλάδα [-–]",
            r"(?x) A [0-9]  # a comment",
        ] {
            assert_eq!(
                Pattern::parse(written).map(|one| one.as_str().to_owned()),
                Ok(written.to_owned())
            );
        }
    }

    #[test]
    fn what_is_no_pattern_says_why() {
        for written in ["a(", "[", "*", r"(a)\1", "(?=a)", r"(?-u:\xFF)", "a{2,1}"] {
            let PatternError::Unreadable(reason) = refused(written) else {
                panic!("{written}");
            };
            assert!(!reason.is_empty() && !reason.contains('\n'), "{reason}");
        }
    }

    #[test]
    fn what_matches_nothing_or_asks_for_an_end_is_refused() {
        for written in ["", "a*", "a?", r"\b", "(a|)", "a{0}", "(?i)"] {
            assert_eq!(refused(written), PatternError::Empty, "{written}");
        }
        for written in ["^a", "a$", r"\Aa", r"a\z", "(?m)^a", "(?Rm)a$", "b|^a"] {
            assert_eq!(refused(written), PatternError::Anchored, "{written}");
        }
    }

    #[test]
    fn what_the_searched_text_never_holds_is_refused() {
        for (written, character) in [
            ("MRN–[0-9]", Some('–')),
            (r"a\x{a0}b", Some('\u{a0}')),
            ("１2", Some('１')),
            ("a\u{ad}", Some('\u{ad}')),
            (r"a|b\x00", Some('\0')),
            ("[–—]a", None),
            (r"[\u{660}-\u{669}]", None),
            ("[a&&b]", None),
        ] {
            assert_eq!(
                refused(written),
                PatternError::NeverThere(character),
                "{written}"
            );
        }
    }

    #[test]
    fn each_limit_holds_at_its_end_and_refuses_one_past_it() {
        assert!(Pattern::parse("a{128}").is_ok());
        assert_eq!(refused("a{129}"), PatternError::FindsTooMuch(Some(129)));
        assert!(Pattern::parse("(?:é|.){32}").is_ok());
        assert_eq!(refused(".{33}"), PatternError::FindsTooMuch(Some(132)));
        assert_eq!(refused("a+"), PatternError::FindsTooMuch(None));
        let written = |bytes: usize| format!("(?x)a{}", " ".repeat(bytes - 5));
        assert!(Pattern::parse(&written(WRITTEN_BYTES_MAX)).is_ok());
        assert_eq!(
            refused(&written(WRITTEN_BYTES_MAX + 1)),
            PatternError::TooLarge
        );
        assert_eq!(refused(r"(\pL\pN|\pN\pL){16}"), PatternError::TooLarge);
        let nested = |depth: usize| format!("{}a{}", "(".repeat(depth), ")".repeat(depth));
        assert!(Pattern::parse(&nested(32)).is_ok());
        assert!(matches!(refused(&nested(33)), PatternError::Unreadable(_)));
    }

    #[test]
    fn what_every_match_holds_is_known() {
        let digit = |written: &str| {
            let pattern = Pattern::parse(written).unwrap();
            pattern.always_has(|one| one.is_ascii_digit())
        };
        for written in [
            "MRN-[0-9]{7}",
            "(a|b)(1|[2-3]x)",
            r"\b[A-Z]0\b",
            "(x[0-9]){2}",
        ] {
            assert!(digit(written), "{written}");
        }
        for written in ["MRN", "a[0-9]{0,3}", "1|a", "[0-9a]", r"\w{3}", "(a|b1)"] {
            assert!(!digit(written), "{written}");
        }
    }
}
