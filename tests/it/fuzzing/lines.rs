//! Claim: NDJSON and JSON text sequences are refused, or every text is redacted as a document of its
//! own would be; the split makes no difference.
//!
//! The first byte chooses the format, the second is the seed of the splits, and the rest is the body.

use postern_config::Selector;
use postern_config::action::Action;
use postern_config::routes::{Names, Unlabelled};
use postern_filters::lines::{LineFormat, LinesFilter};
use postern_filters::{BodyError, BodyFilter};

use super::{Finding, seeds};
use crate::generated::{Chunking, Random, Ready};
use crate::reference::{self, Rules};

/// The deepest nesting of one text.
const DEPTH_MAX: usize = 16;

/// What is hidden in every text: as a selector of the sequence, as one of a text, and how.
const HIDDEN: [(&str, &str, Action); 4] = [
    ("$[*].a", "$.a", Action::Remove),
    ("$[*]..ssn", "$..ssn", Action::Redact { with: None }),
    ("$[*][1]", "$[1]", Action::Remove),
    ("$[*].b[?@.a==1]", "$.b[?@.a==1]", Action::Remove),
];

/// Checks one input.
pub(crate) fn check(input: &[u8]) -> Finding {
    let Some((head, body)) = input.split_at_checked(2) else {
        return Ok(());
    };
    let format = match head[0] & 1 {
        0 => LineFormat::Ndjson,
        _ => LineFormat::JsonSeq,
    };
    let ready = ready(DEPTH_MAX + 1, |(sequence, _, _)| sequence);
    let whole = redacted(&ready, format, body, Chunking::Whole);
    let mut random = Random::of_case(u64::from(head[1]), 0);
    for chunking in Chunking::few(&mut random, body.len()) {
        let split = redacted(&ready, format, body, chunking);
        if split.is_ok() != whole.is_ok() || split.is_ok() && split != whole {
            return Err(format!("{chunking:?}: the split makes a difference"));
        }
    }
    let Some(expected) = expected(format, body) else {
        return Ok(());
    };
    match (whole, expected) {
        (Ok(got), Some(expected)) if got == expected => Ok(()),
        (Ok(got), Some(expected)) => Err(format!(
            "`{}`, not `{}`",
            got.escape_ascii(),
            expected.escape_ascii()
        )),
        (Ok(_), None) => Err("accepted, and a text of it is not".to_owned()),
        (Err(error), Some(_)) => Err(format!("refused, and every text is accepted: {error}")),
        (Err(_), None) => Ok(()),
    }
}

fn ready(
    depth_max: usize,
    text: fn(&(&'static str, &'static str, Action)) -> &'static str,
) -> Ready {
    let selectors = HIDDEN.iter().zip(0..);
    Ready::new(Rules {
        rules: selectors
            .map(|(hidden, label)| (Selector::parse(text(hidden)).unwrap(), vec![label]))
            .collect(),
        required: Vec::new(),
        names: Names::Exact,
        actions: HIDDEN.iter().map(|(_, _, action)| action.clone()).collect(),
        embedded: Vec::new(),
        unlabelled: Unlabelled::Show,
        depth_max,
    })
}

/// Runs the filter.
fn redacted(
    ready: &Ready,
    format: LineFormat,
    body: &[u8],
    chunking: Chunking,
) -> Result<Vec<u8>, BodyError> {
    let mut filter = LinesFilter::new(format, ready.plan());
    let mut out = Vec::new();
    for piece in chunking.pieces(body) {
        filter.push(piece, &mut out)?;
    }
    filter.finish(&mut out)?;
    Ok(out)
}

/// What leaves, by the reference and text by text; nothing inside where a text is refused. Nothing at
/// all where that depends on which of repeated names a reader keeps, or on how depth is counted.
fn expected(format: LineFormat, body: &[u8]) -> Option<Option<Vec<u8>>> {
    let brackets = body.iter().filter(|byte| b"[{".contains(byte)).count();
    if brackets >= DEPTH_MAX {
        return None;
    }
    let ready = ready(DEPTH_MAX, |(_, text, _)| text);
    let mut out = Vec::new();
    for text in texts(format, body) {
        let Some((before, text, after)) = text else {
            return Some(None);
        };
        let redacted = reference::redact(&ready.rules, text);
        if redacted.ambiguous {
            return None;
        }
        let Ok((redacted, _)) = redacted.first else {
            return Some(None);
        };
        out.extend([before, &redacted, after].concat());
    }
    Some(Some(out))
}

/// What stands before a text, the text, and what stands after it.
type Parts<'b> = (&'b [u8], &'b [u8], &'b [u8]);

/// The texts of a body, each with what stands before and after it; nothing for what is no text.
fn texts(format: LineFormat, body: &[u8]) -> Vec<Option<Parts<'_>>> {
    if body.is_empty() {
        return Vec::new();
    }
    match format {
        LineFormat::Ndjson => {
            let lines = body.split_inclusive(|byte| *byte == b'\n');
            let text = |line: &'_ [u8]| -> Option<usize> {
                let end = line.len() - usize::from(line.ends_with(b"\n"));
                (end > 0).then_some(end)
            };
            lines
                .map(|line| {
                    let (text, after) = line.split_at(text(line)?);
                    Some((&[][..], text, after))
                })
                .collect()
        }
        LineFormat::JsonSeq => {
            let mut parts = body.split(|byte| *byte == 0x1e);
            let first = parts.next().filter(|first| first.is_empty());
            let texts = parts.map(|text| {
                text.ends_with(b"\n")
                    .then_some((&[0x1e][..], text, &[][..]))
            });
            match first {
                Some(_) => texts.collect(),
                None => vec![None],
            }
        }
    }
}

/// Documents in either format.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut documents = seeds::documents();
    documents.retain(|document| document.len() < 300);
    let mut all = Vec::new();
    for (three, seed) in documents.chunks(3).zip((0..=u8::MAX).cycle()) {
        let lines = three.iter().map(|text| {
            let text = text.iter().filter(|byte| **byte != b'\n');
            [&text.copied().collect::<Vec<u8>>()[..], b"\n"].concat()
        });
        let texts = three
            .iter()
            .map(|text| [b"\x1e", &text[..], b"\n"].concat());
        all.push([vec![0, seed], lines.flatten().collect()].concat());
        all.push([vec![1, seed], texts.flatten().collect()].concat());
    }
    all
}
