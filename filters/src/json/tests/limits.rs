//! Each limit, at and one past it.

use super::scanner::NAME_BYTES_MAX;
use super::*;

fn run(setup: &Setup<'_>, text: &str) -> Result<usize, BodyError> {
    let plan = setup.plan();
    let (whole, done) = run_chunks(&plan, [text.as_bytes()].into_iter());
    let (pieces, other) = run_chunks(&plan, text.as_bytes().chunks(7));
    assert_eq!(done, other);
    if done.is_ok() {
        assert_eq!(whole, pieces);
    }
    done.map(|()| whole.len())
}

#[test]
fn depth_is_limited_whether_a_rule_looks_or_not() {
    for rules in [
        &[][..],
        &[("$..a", "redact")],
        &[("$", "redact")],
        &[("$[?@]", "redact")],
    ] {
        for depth_max in [1, 2, 128] {
            let setup = Setup {
                depth_max,
                ..Setup::new(rules)
            };
            let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
            assert!(run(&setup, &nested(depth_max)).is_ok());
            let outcome = run(&setup, &nested(depth_max + 1));
            assert_eq!(
                outcome,
                Err(BodyError::Limit {
                    limit: "json_depth"
                })
            );
        }
    }
}

#[test]
fn the_length_of_a_name_is_limited_whether_a_rule_looks_or_not() {
    for rules in [&[][..], &[("$..a", "redact")]] {
        let setup = Setup::new(rules);
        let with = |length: usize| format!("{{\"{}\":1}}", "n".repeat(length));
        assert!(run(&setup, &with(NAME_BYTES_MAX)).is_ok());
        let outcome = run(&setup, &with(NAME_BYTES_MAX + 1));
        assert_eq!(
            outcome,
            Err(BodyError::Limit {
                limit: "name_bytes"
            })
        );
    }
}

#[test]
fn white_space_that_must_be_held_is_limited() {
    let mut setup = Setup::new(&[("$[1]", "remove")]);
    setup.held_bytes_max = 10;
    let with = |spaces: usize| format!("[1,{}2]", " ".repeat(spaces));
    // The comma is held with the white space after it.
    assert!(run(&setup, &with(9)).is_ok());
    let limit = Err(BodyError::Limit {
        limit: "held_bytes",
    });
    assert_eq!(run(&setup, &with(10)), limit);
    let removed = |spaces: usize| format!("[1,2{},3]", " ".repeat(spaces));
    setup.rules = &[("$[0,1]", "remove")];
    assert!(run(&setup, &removed(10)).is_ok());
    assert_eq!(run(&setup, &removed(11)), limit);
}

#[test]
fn a_captured_number_is_limited_and_a_passing_one_is_not() {
    let number = "1".repeat(2000);
    let mut setup = Setup::new(&[("$.a", "pseudonym")]);
    setup.held_bytes_max = 1000;
    assert!(run(&setup, &format!("{{\"b\":{number}}}")).is_ok());
    let outcome = run(&setup, &format!("{{\"a\":{number}}}"));
    assert_eq!(
        outcome,
        Err(BodyError::Limit {
            limit: "held_bytes"
        })
    );
}

#[test]
fn a_value_that_is_only_dropped_may_be_of_any_length() {
    let mut setup = Setup::new(&[("$.a", "remove"), ("$.b", "redact"), ("$.c", "\"x\"")]);
    setup.held_bytes_max = 64;
    let long = "y".repeat(100_000);
    let text = format!(
        "{{\"a\":\"{long}\",\"b\":[\"{long}\"],\"c\":{{\"d\":\"{long}\"}},\"d\":\"{long}\"}}"
    );
    assert_eq!(
        run(&setup, &text),
        Ok(r#"{"b":[],"c":"x","d":""}"#.len() + long.len())
    );
}

#[test]
fn selectors_beyond_the_bound_are_refused() {
    let text = format!("${}", ".a".repeat(1000));
    let selector = Selector::parse(&text).unwrap();
    let compile = |count: usize| {
        Automaton::compile(&JsonRules {
            rules: vec![(&selector, vec![0]); count],
            required: vec![],
            names: Names::Exact,
        })
    };
    let most = PLACES_MAX / 1001;
    assert!(compile(most).is_ok());
    assert_eq!(compile(most + 1).err(), Some(TooLarge));
}

#[test]
fn the_table_stops_at_its_bound() {
    let text = format!("$..a{}", "[*]".repeat(20));
    let selector = Selector::parse(&text).unwrap();
    let automaton = Automaton::compile(&JsonRules {
        rules: vec![(&selector, vec![0])],
        required: vec![],
        names: Names::Exact,
    });
    assert_eq!(automaton.unwrap().states(), STATES_MAX);
}
