//! What a table may not be, and its limits: at them and one past.

use super::*;

const RULES: &[(&str, &str)] = &[("$[*].x", "redact")];

#[test]
fn refuses_what_two_readers_could_read_differently() {
    for (input, near_miss) in [
        ("x,y\n1,\"a\"b\n", "x,y\n1,\"a\"\n"),
        ("x,y\n1,\"a\" \n", "x,y\n1,\"a\"\r\n"),
        ("x,y\n1,\"a", "x,y\n1,\"a\""),
        ("x,y\n1,\"a\"\"", "x,y\n1,\"a\"\"\""),
        ("x,y\n1, \"a\"\n", "x,y\n1, a\n"),
        ("x,y\n\"1\",a\"b\n", "x,y\n1,a\"b\n"),
        ("x,y\n1\",a\n\"1\",b\n", "x,y\n1\",a\n1,b\n"),
        ("x,y\n1,2\r", "x,y\n1,2\r\n"),
        ("x,y\n1,2\r3\n", "x,y\n1,\"2\r3\"\n"),
        ("x,y\n\"1\"\r,2\n", "x,y\n\"1\r\",2\n"),
        ("x,y\n1,2\n\r3,4\n", "x,y\n1,2\n\r\n3,4\n"),
        ("x,y\n1,\0\n", "x,y\n1,\u{1}\n"),
        ("x,y\n1,\"\0\"\n", "x,y\n1,\"\u{1}\"\n"),
        ("x,y\n1\n", "x,y\n1,\n"),
        ("x,y\n1,2,3\n", "x,y\n1,\"2,3\"\n"),
        ("x,y\n1,2,\n", "x,y\n1,2\n"),
        ("x,y\n \n", "x,y\n\n"),
        ("\nx,y\n1,2\n", "x,y\n1,2\n\n"),
        ("x\n\n", "x\n\"\"\n"),
        // No column that the rules label: another delimiter, no header.
        ("x;y\n1;2\n", "x,y\n1,2\n"),
        ("a,b\n1,2\n", "a,x\n1,2\n"),
    ] {
        let setup = Setup::new(RULES);
        let output = CSV.run(&setup, input.as_bytes());
        assert!(output.is_err(), "{input:?}");
        let output = CSV.run(&setup, near_miss.as_bytes());
        assert!(output.is_ok(), "{near_miss:?}: {output:?}");
    }
}

#[test]
fn refuses_what_is_not_utf8() {
    for input in [
        &b"x,y\n1,\xFF\n"[..],
        b"\xFF\xFEx\0",
        b"x,\xC3",
        b"x,y\n\xE9,1\n",
    ] {
        assert!(CSV.run(&Setup::new(RULES), input).is_err(), "{input:?}");
    }
    let setup = Setup::new(RULES);
    assert!(CSV.run(&setup, "x,é\nñ,€\n".as_bytes()).is_ok());
}

#[test]
fn refuses_a_quote_that_begins_a_tab_separated_cell() {
    for (input, near_miss) in [
        ("x\ty\n1\t\"a\"\n", "x\ty\n1\ta\"\n"),
        ("x\t\"y\"\n1\t2\n", "x\ty\n1\t2\n"),
        ("x\ty\n1\t \"a\n", "x\ty\n1\t a\n"),
    ] {
        assert!(TSV.run(&Setup::new(RULES), input.as_bytes()).is_err());
        assert!(TSV.run(&Setup::new(RULES), near_miss.as_bytes()).is_ok());
    }
}

#[test]
fn a_row_leaves_only_when_it_is_whole() {
    let mut filter = CSV.filter(&Setup::new(RULES));
    let mut out = Vec::new();
    filter.push(b"x,y\n1,2\n3,shifted", &mut out).unwrap();
    assert_eq!(String::from_utf8_lossy(&out), "x,y\n[redacted],2\n");
    filter.push(b",4\n", &mut out).unwrap_err();
    assert_eq!(String::from_utf8_lossy(&out), "x,y\n[redacted],2\n");
    assert_eq!(filter.push(b"", &mut out), Err(BodyError::Spent));
}

#[test]
fn held_bytes_bound_what_is_kept_of_a_row_and_not_what_is_dropped() {
    let setup = |rules| Setup {
        held_bytes_max: 16,
        ..Setup::new(rules)
    };
    let table = |kept: usize, gone: usize| {
        let (kept, gone) = ("k".repeat(kept), "g".repeat(gone));
        format!("x,y\n{gone},{kept}\n").into_bytes()
    };
    let held = Err(BodyError::Limit {
        limit: "held_bytes",
    });
    let run = |rules, kept, gone| CSV.run(&setup(rules), &table(kept, gone)).map(|_| ());
    assert_eq!(run(&[("$[*].x", "remove")], 16, 300), Ok(()));
    assert_eq!(run(&[("$[*].x", "remove")], 17, 1), held);
    assert_eq!(run(&[("$[*].x", "\"\"")], 15, 300), Ok(()));
    assert_eq!(run(&[("$[*].x", "last4")], 1, 16), Ok(()));
    assert_eq!(run(&[("$[*].x", "last4")], 1, 17), held);
    let header = format!("x,{}\n", "h".repeat(14));
    let long = format!("x,{}\n", "h".repeat(16));
    assert!(CSV.run(&setup(RULES), header.as_bytes()).is_ok());
    assert_eq!(CSV.run(&setup(RULES), long.as_bytes()).map(|_| ()), held);
}

#[test]
fn columns_and_the_parts_of_their_names_are_bounded() {
    let columns = |count: usize| format!("x{}\n", ",".repeat(count - 1));
    let run = |text: String| {
        let mut filter = CSV.filter(&Setup::new(RULES));
        filter.push(text.as_bytes(), &mut Vec::new())
    };
    assert_eq!(run(columns(rewriter::COLUMNS_MAX)), Ok(()));
    let limit = |limit| Err(BodyError::Limit { limit });
    assert_eq!(run(columns(rewriter::COLUMNS_MAX + 1)), limit("columns"));
    assert_eq!(run(format!("x,a{}\n", ".b".repeat(31))), Ok(()));
    let deep = run(format!("x,a{}\n", ".b".repeat(32)));
    assert_eq!(deep, limit("column_parts"));
}

#[test]
fn errors_say_where() {
    for (input, at) in [
        ("x,y\n1,\"a\"b\n", 9),
        ("x,y\n1,2\n3\n", 9),
        ("x,y\n1,2,3\n", 8),
    ] {
        match CSV.run(&Setup::new(RULES), input.as_bytes()) {
            Err(BodyError::Malformed { offset, .. }) => assert_eq!(offset, at, "{input:?}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn shows_nothing_of_the_table_when_debugged() {
    let mut filter = CSV.filter(&Setup::new(RULES));
    filter.push(b"x,y\n1,912-04-7731", &mut Vec::new()).unwrap();
    assert!(!format!("{filter:?}").contains("912"));
}
