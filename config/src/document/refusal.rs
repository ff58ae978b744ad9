//! Why a text is no document, in our own words where the YAML reader's are those of its programmers.

use serde_saphyr::Error;
use serde_saphyr::budget::BudgetBreach;

use super::{DEPTH_MAX, Place};
use crate::policy::error::Problems;

/// Reports what the YAML reader refused.
pub(super) fn report(error: &Error, problems: &mut Problems) {
    let place = error.location().map(Place::from).unwrap_or_default();
    let error = error.without_snippet();
    let (why, help) = match in_our_words(error) {
        Some((why, help)) => (why, Some(help)),
        None => {
            let why = in_its_words(error);
            let help = between_brackets(&why);
            (why, help)
        }
    };
    let message = format!("this is not YAML that Postern reads: {why}");
    let problem = problems.add("PN001", place, message);
    if let Some(help) = help {
        problem.help(help);
    }
}

/// What to do about a text between brackets that holds what ends a text there.
fn between_brackets(why: &str) -> Option<&'static str> {
    if why.contains("alias") {
        return Some("between brackets, quote a selector: `[\"$.cases[*]\"]`");
    }
    let ends_early = [",' or ']'", ",' or '}'"].iter().any(|or| why.contains(or));
    ends_early.then_some(
        "between `[` and `]`, or `{` and `}`, a text that holds one of these or `,` goes in quotes",
    )
}

/// What is wrong and what to do, where that can be said better than the reader does.
fn in_our_words(error: &Error) -> Option<(String, &'static str)> {
    let told = |why: &str, help| Some((why.to_owned(), help));
    if matches!(error, Error::NullIntoString { .. }) {
        // Only keys are read as nothing but texts.
        return told(
            "a key is empty",
            "every key is a text; one that is called `~` or `null` goes in quotes",
        );
    }
    if matches!(error, Error::MergeKeyNotAllowed { .. }) {
        return told(
            "`<<` merges maps, which no file of Postern may",
            "write out what is merged",
        );
    }
    let breach = if let Error::Budget { breach, .. } = error {
        Some(breach)
    } else {
        None
    };
    // Between brackets the parser beneath the reader counts, and has no variant for it.
    let is_deep = matches!(breach, Some(BudgetBreach::Depth { .. }));
    if is_deep || in_its_words(error) == "recursion limit exceeded" {
        let why = format!("it is nested more than {DEPTH_MAX} deep");
        return Some((why, "no section of a policy or server file goes that deep"));
    }
    if matches!(breach?, BudgetBreach::Documents { .. }) {
        return told(
            "it holds several documents, divided by `---`",
            "keep one of them in this file",
        );
    }
    told(
        "it holds too many values, anchors or aliases",
        "a policy or server file needs far fewer; write a list once and name it from there",
    )
}

/// What the reader says, without the position that it appends: the report shows that by itself.
fn in_its_words(error: &Error) -> String {
    let said = error.to_string();
    let said = said.lines().next().unwrap_or_default();
    lower_first(said.split(" at line ").next().unwrap_or(said))
}

/// A sentence as the rest of another; a word in capitals stays one.
fn lower_first(text: &str) -> String {
    let text = text.trim_end_matches('.');
    let mut characters = text.chars();
    let Some(first) = characters.next() else {
        return String::new();
    };
    let rest = characters.as_str();
    match rest.starts_with(|second: char| second.is_ascii_uppercase()) {
        true => text.to_owned(),
        false => format!("{}{rest}", first.to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_begins_small_and_an_abbreviation_stays_large() {
        assert_eq!(lower_first("Unknown anchor."), "unknown anchor");
        assert_eq!(lower_first("YAML is strict"), "YAML is strict");
        assert_eq!(lower_first("A b"), "a b");
        assert_eq!(lower_first(""), "");
    }
}
