//! What is wrong with a policy or a server file: every error at once, each pointing into the file.
//!
//! Guarantees: every code is in one table with a long explanation, codes never change their meaning,
//! and a report shows the author's own line with a mark under the place. Errors are plain values, so
//! that a caller can write them as JSON, SARIF or annotations instead.

mod blot;
mod codes;
mod render;

use std::fmt;

pub use codes::{Code, codes, explanation};

use crate::document::Place;

/// Everything wrong with one file; never empty when returned as an error.
#[derive(Debug, Clone, Default, thiserror::Error)]
#[non_exhaustive]
pub struct PolicyErrors {
    /// What errors call the file.
    pub file: String,
    /// The file's text, for the report's snippets.
    pub source_text: String,
    /// Each error, in the order of the file.
    pub errors: Vec<PolicyError>,
    /// What no snippet may show: from where one begins to where the other ends.
    withheld: Vec<(Place, Place)>,
}

/// One error, with where it is and what to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct PolicyError {
    /// The stable code, such as `PN012`.
    pub code: &'static str,
    /// What is wrong: lower case, no full stop, the author's words in backticks.
    pub message: String,
    /// The 1-based line; 0 when the error is of the whole file.
    pub line: usize,
    /// The 1-based column, in characters.
    pub column: usize,
    /// How many characters the mark under the snippet spans.
    pub width: usize,
    /// What to do.
    pub help: Option<String>,
    /// What was probably meant.
    pub did_you_mean: Option<String>,
}

/// Whether a finding keeps a file from loading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// The file does not load.
    Error,
    /// The file loads; `check` mentions it.
    Lint,
}

impl PolicyError {
    /// Whether this keeps the file from loading: codes from `PN100` on do not.
    #[must_use]
    pub fn severity(&self) -> Severity {
        if self.code.starts_with("PN1") {
            Severity::Lint
        } else {
            Severity::Error
        }
    }
}

impl PolicyErrors {
    /// The report people read: for each error its code, the author's line with a mark, and what to
    /// do. With `color` it holds ANSI escapes; control characters of the file itself never pass.
    #[must_use]
    pub fn render(&self, color: bool) -> String {
        render::report(self, color)
    }

    /// A single error of a whole file, for callers that could not even read it.
    #[must_use]
    pub fn unreadable(file: &str, message: impl Into<String>) -> Self {
        let mut problems = Problems::default();
        problems.add("PN001", Place::default(), message);
        problems.into_errors(file, "")
    }
}

impl fmt::Display for PolicyErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.errors.as_slice() {
            [only] => write!(f, "one error in `{}`: {}", self.file, only.message),
            several => write!(f, "{} errors in `{}`", several.len(), self.file),
        }
    }
}

/// Errors being collected.
#[derive(Debug, Default)]
pub(crate) struct Problems {
    errors: Vec<PolicyError>,
    withheld: Vec<(Place, Place)>,
}

impl Problems {
    /// Adds an error; what it returns takes the help.
    ///
    /// SECURITY: whoever stands in a URL of the message does not reach it.
    pub(crate) fn add(
        &mut self,
        code: &'static str,
        place: Place,
        message: impl Into<String>,
    ) -> Draft<'_> {
        let before = self.errors.len();
        self.errors.push(PolicyError {
            code,
            message: blot::without_users(&message.into()),
            line: place.line,
            column: place.column,
            width: place.width,
            help: None,
            did_you_mean: None,
        });
        Draft {
            error: self.errors.get_mut(before),
        }
    }

    /// Keeps out of every snippet what stands from where one place begins to where the other ends: nobody can tell
    /// what it is, and it may be a secret.
    pub(crate) fn withhold(&mut self, from: Place, last: Place) {
        self.withheld.push((from, last));
    }

    /// Every error, in the order of the file.
    pub(crate) fn into_list(mut self) -> Vec<PolicyError> {
        self.errors
            .sort_by_key(|error| (error.line, error.column, error.code));
        self.errors.dedup();
        self.errors
    }

    /// Errors and lints, each with the file they are about.
    pub(crate) fn into_reports(self, file: &str, text: &str) -> (PolicyErrors, PolicyErrors) {
        let withheld = self.withheld.clone();
        let (lints, errors) = self
            .into_list()
            .into_iter()
            .partition(|error| error.severity() == Severity::Lint);
        let report = |errors| PolicyErrors {
            file: file.to_owned(),
            source_text: text.to_owned(),
            errors,
            withheld: withheld.clone(),
        };
        (report(errors), report(lints))
    }

    /// Every finding as one report.
    pub(crate) fn into_errors(self, file: &str, text: &str) -> PolicyErrors {
        PolicyErrors {
            file: file.to_owned(),
            source_text: text.to_owned(),
            withheld: self.withheld.clone(),
            errors: self.into_list(),
        }
    }
}

/// An error just added, open for what helps its reader.
pub(crate) struct Draft<'a> {
    error: Option<&'a mut PolicyError>,
}

/// The longest list of words that a help line spells out.
const CHOICES_MAX: usize = 12;

impl Draft<'_> {
    /// Says what to do.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        if let Some(error) = &mut self.error {
            error.help = Some(help.into());
        }
        self
    }

    /// Names what was probably meant, and all there is to choose from when that is little.
    pub(crate) fn choose_from<'w>(
        mut self,
        written: &str,
        words: impl Iterator<Item = &'w str>,
    ) -> Self {
        let words: Vec<&str> = words.collect();
        let Some(error) = &mut self.error else {
            return self;
        };
        error.did_you_mean = nearest(written, &words).map(str::to_owned);
        if !words.is_empty() && words.len() <= CHOICES_MAX {
            let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            error.help = Some(format!("one of {}", quoted.join(", ")));
        }
        self
    }
}

/// The word that `written` is most likely a slip of.
fn nearest<'w>(written: &str, words: &[&'w str]) -> Option<&'w str> {
    let lower = written.to_ascii_lowercase();
    let distance = |word: &str| strsim::damerau_levenshtein(&lower, &word.to_ascii_lowercase());
    let tolerated = (written.chars().count() / 3).max(1);
    words
        .iter()
        .map(|word| (distance(word), *word))
        .filter(|(distance, _)| *distance <= tolerated)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests;
