//! Bodies of many texts against written cases, at every split.

use postern_config::routes::Unlabelled;

use super::*;
use crate::json::tests::Setup;

/// Runs a body whole, byte by byte and at every split: all must agree.
fn run(format: LineFormat, setup: &Setup<'_>, input: &str) -> Result<String, BodyError> {
    let plan = setup.plan();
    let over = |pieces: &[&[u8]]| {
        let mut filter = LinesFilter::new(format, Arc::clone(&plan));
        let mut out = Vec::new();
        for piece in pieces {
            filter.push(piece, &mut out)?;
        }
        filter.finish(&mut out)?;
        assert_eq!(filter.finish(&mut out), Err(BodyError::Spent));
        Ok(String::from_utf8(out).unwrap())
    };
    let whole = over(&[input.as_bytes()]);
    for at in 0..=input.len() {
        let (a, b) = input.as_bytes().split_at(at);
        assert_eq!(over(&[a, b]), whole, "{input:?} at {at}");
    }
    let single: Vec<&[u8]> = input.as_bytes().chunks(1).collect();
    assert_eq!(over(&single), whole, "{input:?}");
    whole
}

const RULES: &[(&str, &str)] = &[("$[*].mail", "redact"), ("$..ssn", "remove")];

#[test]
fn every_line_is_an_element() {
    for (input, expected) in [
        ("", ""),
        ("{\"mail\":1}", "{\"mail\":null}"),
        ("{\"mail\":\"a\"}\n", "{\"mail\":\"[redacted]\"}\n"),
        ("1\n{\"ssn\":1}\n [ ] \r\n2", "1\n{}\n [ ] \r\n2"),
        ("{\"a\":{\"mail\":1}}\n", "{\"a\":{\"mail\":1}}\n"),
        ("{\"ssn\":1 , \"b\":2}\n7\n", "{ \"b\":2}\n7\n"),
    ] {
        let output = run(LineFormat::Ndjson, &Setup::new(RULES), input);
        assert_eq!(output.as_deref(), Ok(expected), "{input:?}");
    }
}

#[test]
fn selectors_count_lines_and_a_removed_line_takes_its_end_along() {
    for (rules, input, expected) in [
        (&[("$[1]", "remove")][..], "1\n 2 \r\n3\n", "1\n3\n"),
        (&[("$[1:]", "remove")], "1\n2\n3", "1\n"),
        (&[("$[*]", "remove")], "1\n2\n", ""),
        (
            &[("$[?@.k=='x'].v", "redact")],
            "{\"v\":1,\"k\":\"x\"}\n{\"v\":1,\"k\":\"y\"}\n",
            "{\"v\":null,\"k\":\"x\"}\n{\"v\":1,\"k\":\"y\"}\n",
        ),
        (&[("$[?@.k]", "remove")], "{\"k\":1}\n{}\n{\"k\":2}", "{}\n"),
        (
            &[("$[0]", "redact")],
            "{\"k\":1}\n{\"k\":1}",
            "{}\n{\"k\":1}",
        ),
        (&[("$.mail", "redact")], "{\"mail\":1}\n", "{\"mail\":1}\n"),
        (
            &[("$[*].l[-1]", "remove")],
            "{\"l\":[1,2]}\n{\"l\":[3]}\n",
            "{\"l\":[1]}\n{\"l\":[]}\n",
        ),
    ] {
        let output = run(LineFormat::Ndjson, &Setup::new(rules), input);
        assert_eq!(output.as_deref(), Ok(expected), "{rules:?} on {input:?}");
    }
}

#[test]
fn an_allow_list_drops_lines_in_which_nothing_is_to_be_seen() {
    let setup = Setup {
        unlabelled: Unlabelled::Remove,
        ..Setup::new(&[("$[*].id", "show")])
    };
    let input = "{\"id\":1,\"x\":2}\n{\"x\":3}\n7\n {\"x\":1,\"id\":4}\n";
    let output = run(LineFormat::Ndjson, &setup, input);
    assert_eq!(output.as_deref(), Ok("{\"id\":1}\n {\"id\":4}\n"));
}

#[test]
fn refuses_lines_that_readers_disagree_about() {
    for input in [
        "\n",
        "1\n\n2\n",
        "\r\n",
        " \n",
        "1\n\r\n",
        "{\n}\n",
        "1 2\n",
        "\u{feff}1\n",
        "1\n{",
        "[1,\n",
        "\u{1e}1\n",
    ] {
        let output = run(LineFormat::Ndjson, &Setup::new(RULES), input);
        assert!(output.is_err(), "{input:?}");
    }
}

#[test]
fn what_is_required_may_come_in_any_line() {
    let setup = Setup {
        required: &["$[*].id"],
        ..Setup::new(&[("$[*].x", "remove")])
    };
    let run = |input| run(LineFormat::Ndjson, &setup, input);
    assert_eq!(
        run("{\"x\":1}\n{\"id\":1}\n").as_deref(),
        Ok("{}\n{\"id\":1}\n")
    );
    assert_eq!(run("{\"x\":1}\n{}\n"), Err(BodyError::RequiredMissing));
    assert_eq!(run(""), Err(BodyError::RequiredMissing));
}

#[test]
fn a_sequence_keeps_its_separators_and_loses_those_of_what_is_removed() {
    for (rules, input, expected) in [
        (RULES, "", ""),
        (
            RULES,
            "\u{1e}{\"mail\":1}\n\u{1e} 2 \n",
            "\u{1e}{\"mail\":null}\n\u{1e} 2 \n",
        ),
        (RULES, "\u{1e}{\n\"ssn\":1}\r\n\n", "\u{1e}{\n}\r\n\n"),
        (&[("$[0]", "remove")], "\u{1e} 1\n\u{1e}2\n", "\u{1e}2\n"),
        (&[("$[1]", "remove")], "\u{1e}1\n\u{1e}[2]\n", "\u{1e}1\n"),
    ] {
        let output = run(LineFormat::JsonSeq, &Setup::new(rules), input);
        assert_eq!(output.as_deref(), Ok(expected), "{input:?}");
    }
}

#[test]
fn refuses_sequences_that_are_cut_off_or_unmarked() {
    for input in [
        "1\n",
        " \u{1e}1\n",
        "\u{1e}1",
        "\u{1e}{}",
        "\u{1e}1\n\u{1e}",
        "\u{1e}\u{1e}1\n",
        "\u{1e}\n",
        "\u{1e}1\u{1e}2\n",
        "\u{1e}1\n2\n",
        "\u{1e}{\"a\":\u{1e}1}\n",
        "\u{1e}tru\n",
    ] {
        let output = run(LineFormat::JsonSeq, &Setup::new(RULES), input);
        assert!(output.is_err(), "{input:?}");
    }
}

#[test]
fn errors_say_where_in_the_whole_body() {
    let offset = |format, input| match run(format, &Setup::new(RULES), input) {
        Err(BodyError::Malformed { offset, .. }) => offset,
        other => panic!("{other:?}"),
    };
    assert_eq!(offset(LineFormat::Ndjson, "1\n22\n!\n"), 5);
    assert_eq!(offset(LineFormat::Ndjson, "1\n22\n\n"), 5);
    assert_eq!(offset(LineFormat::JsonSeq, "\u{1e}1\n\u{1e}!\n"), 4);
    assert_eq!(offset(LineFormat::JsonSeq, "\u{1e}1\n\u{1e}2"), 5);
}

#[test]
fn values_are_counted_over_all_lines_and_held_bytes_bound_each() {
    let setup = Setup {
        held_bytes_max: 16,
        ..Setup::new(&[("$[*].m", "last4")])
    };
    let mut filter = LinesFilter::new(LineFormat::Ndjson, setup.plan());
    let mut out = Vec::new();
    for _ in 0..10 {
        filter.push(b"{\"m\":\"123456789\"}\n", &mut out).unwrap();
    }
    assert_eq!(filter.withheld(), [10]);
    let long = run(
        LineFormat::Ndjson,
        &setup,
        "{\"m\":\"12345678901234567\"}\n",
    );
    assert_eq!(
        long,
        Err(BodyError::Limit {
            limit: "held_bytes"
        })
    );
}
