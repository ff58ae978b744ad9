//! Claim: no text makes the selector parser or the compiler fail in any way but an error, and what is
//! accepted keeps its meaning.
//!
//! What is accepted, jsonpath-rust accepts; read again under another root it has the same segments;
//! and it selects in the engine what it selects in the reference.

use postern_config::Selector;
use postern_config::action::Action;
use postern_config::routes::{Names, Unlabelled};

use super::{Finding, seeds};
use crate::generated::{Chunking, Ready};
use crate::reference::{self, Rules};

/// The second reader's time can double with every level of nesting, so longer texts are left out.
const TEXT_BYTES_MAX: usize = 300;

/// A document with something for most selectors.
const DOCUMENT: &str = r#"{"a":{"b":[1,2,{"a":"x","ssn":"s"},[],{}],"a":null},"ssn":true,
    "é":[[1,"a"],{"b":-0.5,"☺":"b"}],"b":[{"a":1,"b":2},{"a":"a"},"text",1.0,10]}"#;

/// Checks one input.
pub(crate) fn check(input: &[u8]) -> Finding {
    let Ok(text) = std::str::from_utf8(input) else {
        return Ok(());
    };
    if text.len() > TEXT_BYTES_MAX {
        return Ok(());
    }
    let selector = match Selector::parse(text) {
        Ok(selector) => selector,
        Err(error) if error.column > text.chars().count() + 1 || error.message.is_empty() => {
            return Err(format!("`{text}`: an error at column {}", error.column));
        }
        Err(_refused) => return Ok(()),
    };
    if selector.text() != text {
        return Err(format!("`{text}` became `{}`", selector.text()));
    }
    if jsonpath_rust::parser::parse_json_path(text).is_err() {
        return Err(format!("`{text}` is refused by the second reader"));
    }
    rooted_elsewhere(&selector)?;
    selects_alike(selector)
}

/// A selector under another one reads again as the same segments.
fn rooted_elsewhere(selector: &Selector) -> Finding {
    let parent = Selector::parse("$['x'][*]").unwrap();
    let Ok(under) = selector.under(&parent) else {
        return Ok(());
    };
    match Selector::parse(under.text()) {
        Ok(again) if again.segments() == under.segments() => Ok(()),
        Ok(_) => Err(format!("`{}` reads as something else", under.text())),
        Err(error) => Err(format!("`{}` is refused: {error}", under.text())),
    }
}

/// The engine and the reference select the same.
fn selects_alike(selector: Selector) -> Finding {
    let ready = Ready::new(Rules {
        rules: vec![(selector, vec![0])],
        required: Vec::new(),
        names: Names::Exact,
        actions: vec![Action::Redact {
            with: Some("\"[REDACTED]\"".to_owned()),
        }],
        unlabelled: Unlabelled::Show,
        depth_max: 16,
        embedded: Vec::new(),
    });
    let expected = reference::redact(&ready.rules, DOCUMENT.as_bytes());
    for chunking in [Chunking::Whole, Chunking::ByteByByte] {
        let got = ready.within_limits(DOCUMENT.as_bytes(), chunking)?;
        if got.is_some_and(|got| !expected.allows(&got)) {
            let (selector, _) = &ready.rules.rules[0];
            let text = selector.text();
            return Err(format!("`{text}` selects something else, {chunking:?}"));
        }
    }
    Ok(())
}

/// Generated and written selectors.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    seeds::selectors()
        .into_iter()
        .map(String::into_bytes)
        .collect()
}
