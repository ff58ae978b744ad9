//! Claim: what leaves is what the reference redactor makes of the document, whatever the scanner and
//! the split.
//!
//! An input is three bytes, lines of selectors, an empty line, and a document. A line that is no
//! selector stands for a generated one.

use postern_config::routes::{Names, Unlabelled};
use postern_config::{Embedded, Selector};

use super::{Finding, seeds};
use crate::generated::case::{Case, Profile, action};
use crate::generated::selectors::{self, Constructs, Filters, Positions};
use crate::generated::strings::Vocabulary;
use crate::generated::{Chunking, Random};
use crate::reference::{self, Refused};

/// More selectors than this are not read.
const RULES_MAX: usize = 6;

/// Longer selectors are not read: the second reader's time grows fast.
const SELECTOR_BYTES_MAX: usize = 200;

/// Checks one input.
pub(crate) fn check(input: &[u8]) -> Finding {
    let Some(case) = case(input) else {
        return Ok(());
    };
    let ready = case.ready();
    let expected = reference::redact(&ready.rules, &case.document);
    let mut random = Random::of_case(u64::from(input[2]), 1);
    let mut whole = None;
    for chunking in Chunking::few(&mut random, case.document.len()) {
        let got = ready.within_limits(&case.document, chunking);
        let got = got.map_err(|difference| format!("{chunking:?}: {difference}\n{case}"))?;
        let first = whole.get_or_insert_with(|| got.clone());
        if got.as_ref().is_some_and(|got| !expected.allows(got)) || got != *first {
            let got = got.map_or_else(|| "a limit".to_owned(), |got| shown(&got));
            let wanted = shown(&expected.first);
            return Err(format!("{chunking:?}: {got}, not {wanted}\n{case}"));
        }
    }
    Ok(())
}

fn shown(outcome: &Result<reference::Output, Refused>) -> String {
    match outcome {
        Ok((bytes, counts)) => format!("`{}` {counts:?}", bytes.escape_ascii()),
        Err(refused) => format!("{refused:?}"),
    }
}

/// The case that an input stands for.
fn case(input: &[u8]) -> Option<Case> {
    let (head, rest) = input.split_at_checked(3)?;
    let (flags, actions) = (head[0], u64::from(head[1]));
    let (lines, document) = match rest.windows(2).position(|pair| pair == b"\n\n") {
        Some(at) => (&rest[..at], &rest[at + 2..]),
        None => (&[][..], rest),
    };
    let rules: Vec<(String, Vec<u16>)> = lines
        .split(|byte| *byte == b'\n')
        .take(RULES_MAX)
        .zip(0..)
        .map(|(line, label)| (selector(line), vec![label]))
        .collect();
    Some(Case {
        document: document.to_vec(),
        required: Vec::new(),
        names: match flags & 4 {
            0 => Names::Exact,
            _ => Names::Caseless,
        },
        actions: (0..rules.len() as u64)
            .map(|label| action(&mut Random::of_case(actions, label)))
            .collect(),
        unlabelled: match flags & 3 {
            0 => Unlabelled::Show,
            1 => Unlabelled::Remove,
            2 => Unlabelled::Redact,
            _ => Unlabelled::Deny,
        },
        embedded: embedded(flags, &rules),
        depth_max: [4, 8, 16, 128][usize::from(flags >> 3 & 3)],
        rules,
    })
}

/// How the strings of the first label hold documents. A filter that asks for `$` beside a string that
/// is opened is refused by policies.
fn embedded(flags: u8, rules: &[(String, Vec<u16>)]) -> Vec<Option<Embedded>> {
    let asks = |(text, _): &(String, _)| text.get(1..).is_some_and(|rest| rest.contains('$'));
    let first = match flags >> 5 & 3 {
        1 => Some(Embedded::Json),
        2 => Some(Embedded::Base64),
        _ => None,
    };
    let first = first.filter(|_| !rules.iter().any(asks));
    let labels = 0..rules.len();
    labels.map(|label| first.filter(|_| label == 0)).collect()
}

/// A selector from a line, or from its bytes as a seed.
fn selector(line: &[u8]) -> String {
    let text = std::str::from_utf8(line).ok();
    let text =
        text.filter(|text| text.len() <= SELECTOR_BYTES_MAX && Selector::parse(text).is_ok());
    if let Some(text) = text {
        return text.to_owned();
    }
    let seed = line.iter().fold(line.len() as u64, |seed, byte| {
        seed.wrapping_mul(0x0100_0000_01b3) ^ u64::from(*byte)
    });
    let mut random = Random::of_case(seed, 0);
    let vocabulary = Vocabulary::of_case(&mut random);
    let constructs = Constructs {
        filters: Filters::Any,
        positions: Positions::Any,
    };
    selectors::selector(&mut random, &vocabulary, constructs)
}

/// Generated cases, and every document under rules that reach deep.
pub(crate) fn seeds() -> Vec<Vec<u8>> {
    let mut random = Random::of_case(0, 0);
    let mut all = Vec::new();
    for _ in 0..200 {
        let profile = Profile::any(&mut random);
        let case = Case::generate(&mut random, profile);
        let rules = case.rules.iter().take(RULES_MAX);
        let rules: Vec<&str> = rules.map(|(selector, _)| selector.as_str()).collect();
        let head = random.next().to_le_bytes();
        let rules = rules.join("\n");
        all.push([&head[..3], rules.as_bytes(), b"\n\n", &case.document].concat());
    }
    for document in seeds::documents() {
        let head = random.next().to_le_bytes();
        let rules = "$..ssn\n$..a\n$.*.b\n$[*].customer.email\n\n";
        all.push([&head[..3], rules.as_bytes(), &document].concat());
    }
    all
}
