//! Reports, suggestions, and the table of codes.

use super::*;

fn place(line: usize, column: usize, width: usize) -> Place {
    Place {
        line,
        column,
        width,
    }
}

#[test]
fn a_report_shows_the_line_the_mark_the_guess_and_the_help() {
    let mut problems = Problems::default();
    problems
        .add("PN010", place(2, 8, 7), "label `pii.nme` is not declared")
        .choose_from("pii.nme", ["pii.name", "secret"].into_iter());
    let errors = problems.into_errors("p.yaml", "labels:\n  $.é: pii.nme\n");
    let expected = "\
error[PN010]: label `pii.nme` is not declared
 --> p.yaml:2:8
  |
2 |   $.é: pii.nme
  |        ^^^^^^^
  = did you mean `pii.name`?
  = help: one of `pii.name`, `secret`

1 error in p.yaml; `postern explain PN010` says more
";
    assert_eq!(errors.render(false), expected);
    let colored = errors.render(true);
    assert!(colored.contains("\u{1b}[1;31merror[PN010]"), "{colored}");
}

#[test]
fn no_control_character_of_the_file_reaches_the_terminal() {
    let mut problems = Problems::default();
    let message = "`a\u{1b}[2J` is no key here";
    problems.add("PN003", place(1, 1, 5), message);
    let errors = problems.into_errors("p\u{7}.yaml", "a\u{1b}[2J\u{9b}: 1\n");
    let report = errors.render(false);
    assert!(report.chars().all(|c| c == '\n' || !c.is_control()));
}

/// How a report shows the only line of a file, and the marks under it.
fn shown(code: &'static str, at: Place, line: &str) -> (String, String) {
    let mut problems = Problems::default();
    problems.add(code, at, "wrong");
    let report = problems.into_errors("p", line).render(false);
    let mut lines = report
        .lines()
        .filter_map(|line| Some(line.split_once("| ")?.1));
    let line = lines.next().unwrap().to_owned();
    (line, lines.next().unwrap().to_owned())
}

#[test]
fn no_snippet_shows_who_stands_in_a_url() {
    for (line, expected) in [
        ("u: http://ann:pw@a:1", "u: http://••••••@a:1"),
        ("u: http://ann:p/w@x@a", "u: http://•••••••••@a"),
        ("u: http://ann:my pw@a", "u: http://•••••••••@a"),
        ("u: http://é:é@a # b@c", "u: http://•••@a # b@c"),
        (
            "{ u: \"http://a:b@c\", v: 'd@e' }",
            "{ u: \"http://•••@c\", v: 'd@e' }",
        ),
        (
            r#"u: "http://a:\"b@c" # d@e"#,
            r#"u: "http://•••••@c" # d@e"#,
        ),
        ("u: 'http://a:''b@c' # d@e", "u: 'http://•••••@c' # d@e"),
        (
            "[\"http://a@b\", \"c+d://e@f\"]",
            "[\"http://•@b\", \"c+d://•@f\"]",
        ),
        ("$.a[?@.b == 'http://c']: d", "$.a[?@.b == 'http://c']: d"),
        ("u: http://a:1/b # :// c", "u: http://a:1/b # :// c"),
        ("://@://", "://@://"),
    ] {
        let marked = shown("PN006", place(1, 4, 2), line);
        assert_eq!(marked, (expected.to_owned(), "   ^^".to_owned()));
    }
}

#[test]
fn an_address_needs_no_scheme_for_its_user_to_be_hidden() {
    let line = "admin: \"ann:pw@127.0.0.1:1\" # x@y";
    let (line, marks) = shown("PN040", place(1, 8, 20), line);
    assert_eq!(line, "admin: \"••••••@127.0.0.1:1\" # x@y");
    assert_eq!(marks, format!("{}{}", " ".repeat(7), "^".repeat(20)));
}

#[test]
fn no_message_says_who_stands_in_a_url() {
    let mut problems = Problems::default();
    problems.add("PN006", place(1, 1, 1), "`http://ann:pw@a` is not `b@c`");
    let list = problems.into_list();
    assert_eq!(list[0].message, "`http://••••••@a` is not `b@c`");
}

#[test]
fn what_is_withheld_is_hidden_as_far_as_it_goes() {
    let shown = |at: Place| {
        let mut problems = Problems::default();
        problems.withhold(at, at);
        let errors = problems.into_errors("p", "a: bc\nde: f\ng\n");
        blot::shown_lines(&errors).join("|")
    };
    assert_eq!(shown(place(1, 4, 2)), "a: ••|de: f|g");
    assert_eq!(shown(place(1, 4, 5)), "a: ••|••: f|g");
    assert_eq!(shown(place(1, 4, 10)), "a: ••|•••••|•");
    assert_eq!(shown(place(2, 3, 0)), "a: bc|de•••|g");
    for nowhere in [place(0, 0, 0), place(9, 9, 9), place(3, 9, 2)] {
        assert_eq!(shown(nowhere), "a: bc|de: f|g");
    }
}

#[test]
fn a_mark_past_the_end_or_on_a_very_long_line_stays_on_the_page() {
    for (text, at) in [
        ("ab".to_owned(), place(1, 90, 9)),
        ("x".repeat(10_000), place(1, 9_000, 5_000)),
        ("x".repeat(10_000), place(1, 1, 10_000)),
        (String::new(), place(7, 1, 1)),
    ] {
        let mut problems = Problems::default();
        problems.add("PN003", at, "wrong");
        let report = problems.into_errors("p", &text).render(false);
        assert!(report.lines().all(|line| line.chars().count() < 200));
    }
}

#[test]
fn a_guess_is_near_or_not_made() {
    let words = ["sees", "extends"];
    assert_eq!(nearest("see", &words), Some("sees"));
    assert_eq!(nearest("extedns", &words), Some("extends"));
    assert_eq!(nearest("roles", &words), None);
    assert_eq!(nearest("Sees", &words), Some("sees"));
}

#[test]
fn codes_are_unique_in_order_and_explained() {
    let all: Vec<&str> = codes().map(|code| code.code).collect();
    assert!(all.is_sorted_by(|a, b| a < b));
    for code in codes() {
        assert!(code.explanation.len() > 120, "{} says little", code.code);
        assert_eq!(explanation(code.code).map(|c| c.title), Some(code.title));
    }
    assert_eq!(
        explanation("pn001").map(|code| code.code),
        Some("PN001"),
        "codes are found in either case"
    );
    assert!(explanation("PN999").is_none());
}
