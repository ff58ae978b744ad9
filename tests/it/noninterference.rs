//! What is hidden has no influence on what leaves: properties of the engine on generated cases.
//!
//! Two documents that differ only in hidden values give the same bytes and the same counts; nothing
//! hidden occurs in the output, however the input ends; the output is JSON; what was redacted once is
//! not changed by redacting it again.
//!
//! Filters are left out where they would make the statement false: a filter may test a hidden value,
//! and then what it selects depends on that value, as the policy says.

use postern_config::action::Action;
use postern_config::routes::Unlabelled;

use crate::generated::case::Profile;
use crate::generated::documents::{self, CANARY, Style};
use crate::generated::selectors::{Constructs, Filters, Positions};
use crate::generated::strings::Vocabulary;
use crate::generated::{Case, Chunking, Random, number_from, seed};
use crate::reference::{self, Document, Freedom, NodeId};

/// Documents of each property in a plain run.
const DOCUMENTS: u64 = 4_000;

const DEPTH_MAX: usize = 64;

/// Runs a property on generated cases, each with its stream of numbers.
fn for_each_case(constructs: Constructs, property: impl Fn(&mut Random, Case)) {
    let documents = number_from("POSTERN_CASES").map_or(DOCUMENTS, |cases| cases / 20);
    for number in 0..documents {
        let mut random = Random::of_case(seed(), number);
        let style = Style {
            duplicates: random.chance(50),
            wide_numbers: false,
            canaries: true,
            embedded: None,
            values_max: 30,
        };
        let profile = Profile {
            style,
            constructs,
            rules_max: 4,
        };
        let mut case = Case::generate(&mut random, profile);
        case.depth_max = DEPTH_MAX;
        property(&mut random, case);
    }
}

const EVERYTHING: Constructs = Constructs {
    filters: Filters::Any,
    positions: Positions::Any,
};

const NO_FILTERS: Constructs = Constructs {
    filters: Filters::Never,
    positions: Positions::Any,
};

const NAMES_ONLY: Constructs = Constructs {
    filters: Filters::Never,
    positions: Positions::Never,
};

fn some_chunkings(random: &mut Random, length: usize) -> [Chunking; 3] {
    let at = random.below(length + 1);
    [Chunking::Whole, Chunking::ByteByByte, Chunking::At(at)]
}

/// The document with something else in place of each hidden value.
fn exchanged(
    random: &mut Random,
    document: &Document<'_>,
    mut hidden: Vec<(NodeId, Freedom)>,
) -> String {
    hidden.sort_by_key(|(node, _)| std::cmp::Reverse(document.nodes[*node].start));
    let mut text = document.text.to_owned();
    for (node, freedom) in hidden {
        let lexeme = document.lexeme(node);
        let container = document.is_container(node);
        let other = match freedom {
            Freedom::AnyValue => any_value(random, None),
            Freedom::SameForm if container => any_value(random, lexeme.chars().next()),
            Freedom::SameForm => documents::scalar(random, Some(lexeme)),
            Freedom::AnyScalar => documents::scalar(random, None),
        };
        let place = &document.nodes[node];
        text.replace_range(place.start..place.end, &other);
    }
    text
}

/// Any value, or any container that opens with this bracket.
fn any_value(random: &mut Random, bracket: Option<char>) -> String {
    let style = Style {
        duplicates: true,
        wide_numbers: true,
        canaries: false,
        embedded: None,
        values_max: 8,
    };
    loop {
        let vocabulary = Vocabulary::of_case(random);
        let value = documents::valid(random, &vocabulary, style);
        let value = value.trim_ascii();
        if bracket.is_none_or(|bracket| value.starts_with(bracket)) {
            return value.to_owned();
        }
    }
}

#[test]
fn documents_that_differ_only_in_hidden_values_leave_as_identical_bytes() {
    let exchanges = std::cell::Cell::new(0);
    for_each_case(NO_FILTERS, |random, mut case| {
        case.required.clear();
        let ready = case.ready();
        let Ok(document) = Document::read(&case.document, DEPTH_MAX) else {
            return;
        };
        let hidden = reference::hidden_values(&ready.rules, &document);
        let whole_hidden = hidden.iter().any(|(node, _)| *node == 0);
        exchanges.set(exchanges.get() + hidden.len());
        let other = exchanged(random, &document, hidden).into_bytes();
        for chunking in some_chunkings(random, other.len()) {
            assert_eq!(
                ready.engine(&case.document, chunking),
                ready.engine(&other, chunking),
                "{chunking:?}, the other document is {}\n{case}",
                other.escape_ascii()
            );
        }
        if document.is_container(0) && !whole_hidden {
            let cut = |bytes: &[u8]| {
                let mut written = Vec::new();
                let end = bytes.trim_ascii_end().len() - 1;
                let outcome = ready.stream(&bytes[..end], Chunking::Whole, &mut written);
                (outcome, written)
            };
            let what = "cut before the last bracket";
            assert_eq!(cut(&case.document), cut(&other), "{what}\n{case}");
        }
    });
    println!(
        "noninterference: {} hidden values exchanged",
        exchanges.get()
    );
    assert!(
        exchanges.get() > 1_000,
        "too little was hidden to show anything"
    );
}

/// The canaries in a text.
fn canaries(text: &str) -> Vec<&str> {
    let places = text.match_indices(CANARY);
    places
        .filter_map(|(at, _)| text.get(at..at + CANARY.len() + 3))
        .collect()
}

#[test]
fn nothing_hidden_occurs_in_what_leaves_wherever_the_body_is_cut() {
    let searched = std::cell::Cell::new(0);
    for_each_case(EVERYTHING, |random, mut case| {
        for action in &mut case.actions {
            // The lower bound of a bucket could look like a hidden number.
            if matches!(action, Action::Generalize(_)) {
                *action = Action::Remove;
            }
        }
        let ready = case.ready();
        let Ok(document) = Document::read(&case.document, DEPTH_MAX) else {
            return;
        };
        let hidden = reference::hidden_values(&ready.rules, &document);
        let hidden = hidden
            .iter()
            .flat_map(|(node, _)| canaries(document.lexeme(*node)));
        let hidden: Vec<&str> = hidden.collect();
        searched.set(searched.get() + hidden.len());
        let whole = ready.engine(&case.document, Chunking::Whole);
        let length = case.document.len();
        for end in [length, random.below(length), random.below(length)] {
            for chunking in some_chunkings(random, end) {
                let mut written = Vec::new();
                let outcome = ready.stream(&case.document[..end], chunking, &mut written);
                let text = String::from_utf8_lossy(&written);
                for canary in &hidden {
                    assert!(
                        !text.contains(canary),
                        "{canary} in {text}, cut at {end}\n{case}"
                    );
                }
                if let (Err(_), Ok((whole, _))) = (outcome, &whole) {
                    assert!(
                        whole.starts_with(&written),
                        "undecided bytes: {text}, cut at {end}, {chunking:?}\n{case}"
                    );
                }
            }
        }
    });
    println!("canaries searched for: {}", searched.get());
    assert!(
        searched.get() > 1_000,
        "too little was hidden to show anything"
    );
}

#[test]
fn the_output_is_nothing_or_one_json_document() {
    for_each_case(EVERYTHING, |random, case| {
        for chunking in some_chunkings(random, case.document.len()) {
            let Ok((output, _)) = case.ready().engine(&case.document, chunking) else {
                continue;
            };
            assert!(
                output.is_empty() || Document::read(&output, DEPTH_MAX).is_ok(),
                "{chunking:?} gave {}\n{case}",
                output.escape_ascii()
            );
        }
    });
}

/// Positions are left out: once the first element is removed, another one is first. So are masks,
/// which mask what is left of a masked value.
#[test]
fn redacting_twice_is_redacting_once() {
    for_each_case(NAMES_ONLY, |_, mut case| {
        case.required.clear();
        for action in &mut case.actions {
            if !matches!(action, Action::Show | Action::Remove) {
                *action = Action::Redact { with: None };
            }
        }
        if case.unlabelled == Unlabelled::Deny {
            return;
        }
        let ready = case.ready();
        let Ok((once, _)) = ready.engine(&case.document, Chunking::Whole) else {
            return;
        };
        if once.is_empty() {
            return;
        }
        let twice = ready.engine(&once, Chunking::Whole);
        let twice = twice.map(|output| output.0);
        assert_eq!(twice.as_ref(), Ok(&once), "{case}");
    });
}
