//! The parser's limits, and what it builds. The compliance suite is a case of this crate's tests.

use super::*;
use crate::selector::Selector;
use crate::selector::ast::{FilterQuery, Function, Literal, Logical, Operand, Operator, Root};

#[test]
fn no_prefix_or_garbled_copy_of_a_selector_panics() {
    let seeds = [
        "$.a[?@.b == 'c\\uD83D\\uDD11' && !(count(@..x[1:2:-1]) > 2e-3 || match(@.d, \"e\"))]",
        "$..['a',\"b\",*,0,-1,::2][?$.x[?@.y]]",
    ];
    for seed in seeds {
        assert!(Selector::parse(seed).is_ok());
        let characters: Vec<char> = seed.chars().collect();
        for at in 0..characters.len() {
            let mut garbled = characters.clone();
            drop(Selector::parse(&seed.chars().take(at).collect::<String>()));
            for c in ['[', ']', '(', '\'', '\\', '-', '9', '\u{0}', '𝄞'] {
                garbled[at] = c;
                drop(Selector::parse(&garbled.iter().collect::<String>()));
            }
        }
    }
}

#[test]
fn precedence_is_not_then_compare_then_and_then_or() {
    let exists = |name: &str| {
        Logical::Exists(FilterQuery {
            root: Root::Current,
            segments: vec![Segment::Child(vec![Pick::Name(name.to_owned())])],
        })
    };
    let read = Selector::parse("$[?!@.a && @.b || @.c]").unwrap();
    let expected = Logical::Or(vec![
        Logical::And(vec![Logical::Not(Box::new(exists("a"))), exists("b")]),
        exists("c"),
    ]);
    assert_eq!(
        read.segments(),
        [Segment::Child(vec![Pick::Filter(expected)])]
    );
}

#[test]
fn functions_keep_their_arguments_in_order() {
    let read = Selector::parse("$[?length(value(@..a)) >= -0.50e1]").unwrap();
    let everything_a = FilterQuery {
        root: Root::Current,
        segments: vec![Segment::Descendant(vec![Pick::Name("a".to_owned())])],
    };
    let expected = Logical::Compare {
        left: Operand::Function(Box::new(Function::Length(Operand::Function(Box::new(
            Function::Value(everything_a),
        ))))),
        operator: Operator::GreaterOrEqual,
        right: Operand::Literal(Literal::Number("-0.50e1".to_owned())),
    };
    assert_eq!(
        read.segments(),
        [Segment::Child(vec![Pick::Filter(expected)])]
    );
}

#[test]
fn an_error_names_the_column_in_characters() {
    let error = Selector::parse("$.é[?@.a == b]").unwrap_err();
    assert_eq!(error.column, 13);
    assert!(error.message.contains("`b` is no literal"), "{error}");
    let error = Selector::parse("$[?cuont(@.*) > 1]").unwrap_err();
    assert_eq!(error.column, 4);
    let error = Selector::parse("$[?!@.a == 1]").unwrap_err();
    assert_eq!(error.column, 5);
}

#[test]
fn nesting_at_the_bound_loads_and_one_past_it_is_refused() {
    let nested = |levels: usize| {
        // The filter itself is one level.
        let (open, close) = ("(".repeat(levels - 1), ")".repeat(levels - 1));
        Selector::parse(&format!("$[?{open}@.a{close}]"))
    };
    assert!(nested(NESTING_MAX).is_ok());
    let error = nested(NESTING_MAX + 1).unwrap_err();
    assert!(error.message.contains("nests at most"), "{error}");
    let worst = |levels: usize| {
        let open = "?match(value(@[".repeat(levels);
        let close = "]),'x')".repeat(levels);
        Selector::parse(&format!("$[{open}0{close}]"))
    };
    assert!(worst(NESTING_MAX / 3).is_ok());
    assert!(worst(10_000).is_err());
}

#[test]
fn a_selector_of_the_longest_length_loads_and_one_longer_is_refused() {
    let long = |length: usize| Selector::parse(&format!("$.{}", "a".repeat(length - 2)));
    assert!(long(TEXT_BYTES_MAX).is_ok());
    let error = long(TEXT_BYTES_MAX + 1).unwrap_err();
    assert!(error.message.contains("at most"), "{error}");
}

#[test]
fn integers_reach_the_exact_range_and_no_further() {
    for ok in ["9007199254740991", "-9007199254740991", "0"] {
        assert!(Selector::parse(&format!("$[{ok}]")).is_ok(), "{ok}");
    }
    for bad in ["9007199254740992", "-9007199254740992", "-0", "00"] {
        assert!(Selector::parse(&format!("$[{bad}]")).is_err(), "{bad}");
    }
}

#[test]
fn a_filter_that_names_the_document_cannot_be_re_rooted() {
    let parent = Selector::parse("$.cases[*]").unwrap();
    let plain = Selector::parse("$ ['a'][?@.b]").unwrap();
    assert_eq!(
        plain.under(&parent).unwrap().text(),
        "$.cases[*] ['a'][?@.b]"
    );
    for absolute in ["$[?$.a]", "$[?@.a == $.b]", "$[?count($.a) > 1]"] {
        let selector = Selector::parse(absolute).unwrap();
        assert!(selector.under(&parent).is_err(), "{absolute}");
    }
}
