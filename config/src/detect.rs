//! What is searched for in free text, and what happens to what is found.
//!
//! A role's action `detect` says that a label's values are searched; these entries say for what. The
//! filters crate does the searching.

mod fold;
mod pattern;

use std::collections::BTreeSet;

pub use fold::fold;
pub use pattern::{FOUND_BYTES_MAX, PATTERNS_MAX, Pattern, PatternError};

use crate::action::Action;

/// One entry of the `detect` section.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Detection {
    /// The kinds of data that are searched for; at least one where there is no pattern.
    pub find: BTreeSet<Detector>,
    /// The policy author's own patterns, each once, in the order of their text.
    pub patterns: Vec<Pattern>,
    /// What happens to each piece of text that is found: `mask`, `pseudonym`, `redact` or `remove`.
    pub then: Action,
}

impl Detection {
    /// An entry without patterns. Whether the action leaves text is checked where policies are read.
    #[must_use]
    pub const fn new(find: BTreeSet<Detector>, then: Action) -> Self {
        Self {
            find,
            patterns: Vec::new(),
            then,
        }
    }

    /// The same entry with these patterns and no others.
    #[must_use]
    pub fn with_patterns(self, mut patterns: Vec<Pattern>) -> Self {
        patterns.sort_unstable();
        patterns.dedup();
        Self { patterns, ..self }
    }

    /// Both at once: everything that either searches for, with the stricter action.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        let patterns = self.patterns.into_iter().chain(other.patterns).collect();
        let find = self.find.into_iter().chain(other.find).collect();
        Self::new(find, self.then.stricter(other.then)).with_patterns(patterns)
    }

    /// Whether a piece of text can be put in place of another by this action.
    #[must_use]
    pub const fn fits(action: &Action) -> bool {
        match action {
            Action::Mask(_) | Action::Pseudonym(_) | Action::Redact { .. } | Action::Remove => true,
            Action::Show | Action::Detect | Action::Generalize(_) => false,
        }
    }
}

/// A kind of personal data, or of a secret, that is recognised by its form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Detector {
    /// E-mail addresses.
    Email,
    /// Telephone numbers, international and national.
    Phone,
    /// Payment card numbers that satisfy the Luhn check (ISO/IEC 7812-1).
    Card,
    /// International bank account numbers with valid check digits (ISO 13616).
    Iban,
    /// United States social security numbers that may have been issued.
    UsSsn,
    /// Tokens, private keys and passwords.
    Secret,
    /// IP addresses, version 4 and 6.
    Ip,
    /// Values that the same record holds elsewhere, hidden from the reader.
    NamesInThisResponse,
    /// What the policy's own patterns find. No entry lists it: an entry lists its patterns.
    Pattern,
}

impl Detector {
    /// Every detector that a policy names by a word, in the order of their words.
    pub const ALL: [Self; 8] = [
        Self::Email,
        Self::Phone,
        Self::Card,
        Self::Iban,
        Self::UsSsn,
        Self::Secret,
        Self::Ip,
        Self::NamesInThisResponse,
    ];

    /// The word a policy names it by; for patterns, the key they stand under.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Phone => "phone",
            Self::Card => "card",
            Self::Iban => "iban",
            Self::UsSsn => "us_ssn",
            Self::Secret => "secret",
            Self::Ip => "ip",
            Self::NamesInThisResponse => "names_in_this_response",
            Self::Pattern => "pattern",
        }
    }
}
