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
