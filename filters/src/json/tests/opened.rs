//! Strings that hold documents: limits, errors, counts. Written cases are in the repository's
//! integration tests.

use super::*;
use crate::json::rewriter::OPENED_MAX;

const RULES: &[(&str, &str)] = &[
    ("$.p", "json"),
    ("$..ssn", "redact"),
    ("$..wide", "\"0123456789\""),
];

/// A document as the text of a string.
fn quoted(document: &str) -> String {
    serde_json::Value::from(document).to_string()
}

fn holding(document: &str) -> String {
    format!("{{\"p\":{}}}", quoted(document))
}

fn limited(limit: &'static str) -> BodyError {
    BodyError::Limit { limit }
}

#[test]
fn a_string_is_opened_within_what_may_be_held() {
    let text = holding(&format!("{{\"ssn\":1,\"a\":\"{}\"}}", "x".repeat(300)));
    let string = text.len() - "{\"p\":}".len();
    for (held_bytes_max, fits) in [(string, true), (string - 1, false)] {
        let setup = Setup {
            held_bytes_max,
            ..Setup::new(RULES)
        };
        let outcome = setup.run(&text).map(|_| ());
        assert_eq!(
            outcome,
            if fits {
                Ok(())
            } else {
                Err(limited("held_bytes"))
            }
        );
    }
}

#[test]
fn what_a_string_grows_to_is_limited_as_well() {
    let wide: Vec<&str> = vec!["{\"wide\":1}"; 400];
    let document = format!("[{}]", wide.join(","));
    let grown = document.len() + 400 * 11;
    for (held_bytes_max, fits) in [(grown, true), (grown - 1, false)] {
        let setup = Setup {
            held_bytes_max,
            ..Setup::new(RULES)
        };
        let outcome = setup.run(&holding(&document)).map(|_| ());
        assert_eq!(
            outcome,
            if fits {
                Ok(())
            } else {
                Err(limited("held_bytes"))
            }
        );
    }
}

#[test]
fn so_many_strings_are_opened_inside_one_another_and_no_more() {
    let nested = |levels: usize| {
        let document = (1..levels).fold("{\"ssn\":1}".to_owned(), |inner, _| quoted(&inner));
        holding(&document)
    };
    let setup = Setup::new(RULES);
    let opened = setup.run(&nested(OPENED_MAX)).unwrap();
    assert!(
        opened.contains("null") && !opened.contains(":1"),
        "{opened}"
    );
    assert_eq!(
        setup.run(&nested(OPENED_MAX + 1)),
        Err(limited("embedded_depth"))
    );
}

#[test]
fn depth_counts_a_string_as_a_level() {
    let setup = Setup {
        depth_max: 5,
        ..Setup::new(RULES)
    };
    assert!(setup.run(&holding("[[[]]]")).is_ok());
    assert_eq!(setup.run(&holding("[[[[]]]]")), Err(limited("json_depth")));
}

#[test]
fn errors_say_where_in_the_string_and_nothing_of_what_is_in_it() {
    let setup = Setup::new(RULES);
    for (document, what, offset) in [
        ("{\"secret\" 1}", "expected a colon", 10),
        ("secret", "expected a value", 0),
        ("{\"secret\":", "it ends too early", 0),
        ("1 secret", "text after the end", 2),
    ] {
        let error = setup.run(&holding(document)).unwrap_err();
        let expected = BodyError::Malformed {
            format: "JSON in a string",
            what,
            offset,
        };
        assert_eq!(error, expected, "{document}");
        assert!(!error.to_string().contains("secret"));
    }
}

#[test]
fn values_inside_count_as_withheld_and_the_string_itself_does_not() {
    let plan = Setup::new(RULES).plan();
    let mut filter = JsonFilter::new(plan);
    let text = holding("{\"ssn\":1,\"a\":{\"ssn\":\"2\"},\"wide\":3}");
    filter.push(text.as_bytes(), &mut Vec::new()).unwrap();
    filter.finish(&mut Vec::new()).unwrap();
    assert_eq!(filter.withheld(), [0, 2, 1]);
}

#[test]
fn a_long_document_in_a_string_is_rewritten_as_a_short_one_is() {
    let members: Vec<String> = (0..3000)
        .map(|number| format!("{{\"n\":{number},\"ssn\":\"{number}\",\"t\":\"\u{e9}\"}}"))
        .collect();
    let document = format!("[{}]", members.join(" , "));
    let expected = (0..3000).fold(document.clone(), |text, number| {
        text.replacen(
            &format!("\"ssn\":\"{number}\""),
            "\"ssn\":\"[redacted]\"",
            1,
        )
    });
    let output = Setup::new(RULES).run(&holding(&document)).unwrap();
    assert_eq!(output, holding(&expected));
}

#[test]
fn a_filter_that_asks_for_the_whole_document_opens_nothing() {
    let rules = [("$.p", "json"), ("$.p.a[?@.id == $.id]", "remove")];
    let outcome = Setup::new(&rules).run(&holding("{\"id\":1,\"a\":[{\"id\":1}]}"));
    assert!(
        matches!(outcome, Err(BodyError::Ambiguous { .. })),
        "{outcome:?}"
    );
}

#[test]
fn a_held_element_may_hold_strings_that_hold_elements() {
    let rules = [
        ("$.c[*].p", "json"),
        ("$.c[?@.hide].p.ssn", "remove"),
        ("$.c[*].p.list[?@.x == 1]", "remove"),
        ("$.c[*].p.list[-1].y", "redact"),
    ];
    let inner = quoted("{\"ssn\":1,\"list\":[{\"x\":1},{\"x\":2,\"y\":3}]}");
    let left = |text: &str| quoted(text);
    let document = format!("{{\"c\":[{{\"p\":{inner},\"hide\":true}},{{\"p\":{inner}}}]}}");
    let expected = format!(
        "{{\"c\":[{{\"p\":{},\"hide\":true}},{{\"p\":{}}}]}}",
        left("{\"list\":[{\"x\":2,\"y\":null}]}"),
        left("{\"ssn\":1,\"list\":[{\"x\":2,\"y\":null}]}"),
    );
    assert_eq!(Setup::new(&rules).run(&document).as_deref(), Ok(&*expected));
}
