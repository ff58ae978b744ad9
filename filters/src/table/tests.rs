//! Tables against written cases, at every split.

mod flaws;

use postern_config::routes::{Names, Unlabelled};

use super::*;
use crate::body_filter::BodyFilter;
use crate::json::tests::Setup;

/// How a table is written and which labels its columns carry by themselves.
pub(super) struct Way<'w> {
    pub(super) dialect: Dialect,
    pub(super) columns: &'w [(&'w str, LabelId)],
}

pub(super) const CSV: Way<'static> = Way {
    dialect: Dialect {
        delimiter: b',',
        quotes: true,
    },
    columns: &[],
};

pub(super) const TSV: Way<'static> = Way {
    dialect: Dialect {
        delimiter: b'\t',
        quotes: false,
    },
    columns: &[],
};

impl Way<'_> {
    fn filter(&self, setup: &Setup<'_>) -> TableFilter {
        let columns = self.columns.iter();
        let columns = columns.map(|(header, label)| ((*header).to_owned(), vec![*label]));
        TableFilter::new(setup.plan(), self.dialect, columns.collect())
    }

    /// Runs a table whole, byte by byte and at every split: all must agree.
    pub(super) fn run(&self, setup: &Setup<'_>, input: &[u8]) -> Result<String, BodyError> {
        let over = |pieces: &[&[u8]]| {
            let mut filter = self.filter(setup);
            let mut out = Vec::new();
            for piece in pieces {
                filter.push(piece, &mut out)?;
            }
            filter.finish(&mut out)?;
            assert_eq!(filter.finish(&mut out), Err(BodyError::Spent));
            Ok(String::from_utf8(out).unwrap())
        };
        let whole = over(&[input]);
        for at in 0..=input.len() {
            let (a, b) = input.split_at(at);
            let text = String::from_utf8_lossy(input);
            assert_eq!(over(&[a, b]), whole, "{text:?} at {at}");
        }
        let single: Vec<&[u8]> = input.chunks(1).collect();
        assert_eq!(over(&single), whole);
        whole
    }
}

/// Rules, a table, and what is left of it.
type Case<'c> = (&'c [(&'c str, &'c str)], &'c str, &'c str);

fn check(way: &Way<'_>, cases: &[Case<'_>]) {
    for (rules, input, expected) in cases {
        let output = way.run(&Setup::new(rules), input.as_bytes());
        assert_eq!(output.as_deref(), Ok(*expected), "{rules:?} on {input:?}");
    }
}

#[test]
fn columns_are_labelled_by_path_and_by_whole_name() {
    const MAIL: &[(&str, &str)] = &[("$[*].customer.email", "redact")];
    check(
        &CSV,
        &[
            (
                MAIL,
                "id,customer.email\n1,a@b.cd\n",
                "id,customer.email\n1,[redacted]\n",
            ),
            (
                &[("$[*]['customer.email']", "redact")],
                "customer.email,b\nx,y",
                "customer.email,b\n[redacted],y",
            ),
            (
                &[("$..email", "remove")],
                "a,x.y.email,b\n1,2,3\n",
                "a,b\n1,3\n",
            ),
            (
                &[("$[*].p[*].n", "remove")],
                "p[0].n,p.1.n,p.x.n,p\n1,2,3,4\n",
                "p\n4\n",
            ),
            (&[("$[*].p[1]", "remove")], "p.0,p.1\n1,2\n", "p.0\n1\n"),
            (
                &[("$[*].customer", "remove")],
                "id,customer.email,customer\n1,2,3\n",
                "id\n1\n",
            ),
            (&[("$[*]['a.b'].c", "remove")], "a.b.c,d\n1,2\n", "d\n2\n"),
            (
                MAIL,
                "\" customer.email\t\",b\n1,2\n",
                "\" customer.email\t\",b\n[redacted],2\n",
            ),
        ],
    );
}

#[test]
fn what_is_around_a_column_decides_too() {
    check(
        &CSV,
        &[
            // An object that is masked says nothing any more, so neither does a cell inside.
            (
                &[("$[*].customer", "mask"), ("$[*].customer.email", "show")],
                "id,customer.email\n1,a@b.cd\n",
                "id,customer.email\n1,[redacted]\n",
            ),
            (&[("$[*]", "remove")], "a,b\n1,2\n3,4\n", ""),
            (
                &[("$[*]", "redact"), ("$[*].a", "show")],
                "a,b\n1,2\n",
                "a,[redacted]\n[redacted],[redacted]\n",
            ),
            (
                &[("$[*].c", "show"), ("$[*].c.n", "last4")],
                "c.n,c.m\n123456,7\n",
                "c.n,c.m\n•••3456,7\n",
            ),
        ],
    );
}

#[test]
fn cells_that_stay_leave_as_they_are_written() {
    check(
        &CSV,
        &[
            (
                &[("$[*].x", "remove")],
                "\u{feff}\"id\",\"x\",\"t\"\r\n\"1\",2,\"a \"\"b\"\",\r\nc\"\r\n\r\n,\"\",=1+1\r\n",
                "\u{feff}\"id\",\"t\"\r\n\"1\",\"a \"\"b\"\",\r\nc\"\r\n\r\n,=1+1\r\n",
            ),
            (&[("$[*].x", "remove")], "\u{feff}x,y\n1,2", "\u{feff}y\n2"),
            (&[("$[*].x", "remove")], "x\n1\n2\n", ""),
            (&[("$[*].x", "remove")], "\u{feff}x\n1\n", ""),
            (&[("$[*].x", "redact")], "", ""),
            (&[("$[*].x", "redact")], "x,y", "x,y"),
            // A row that would become a blank line keeps its one empty cell.
            (&[("$[*].x", "remove")], "x,y\n1,\n2,3\n", "y\n\"\"\n3\n"),
            // A quote in a table that quotes nothing is text.
            (&[("$[*].x", "remove")], "x,y\n5'4\",6'2\"\n", "y\n6'2\"\n"),
        ],
    );
}

#[test]
fn columns_of_one_name_are_treated_alike() {
    let rules: &[(&str, &str)] = &[("$[*].ssn", "remove")];
    check(&CSV, &[(rules, "ssn,a,ssn\n1,2,3\n", "a\n2\n")]);
    let caseless = Setup {
        names: Names::Caseless,
        ..Setup::new(rules)
    };
    let output = CSV.run(&caseless, b"SSN,a, Ssn \n1,2,3\n");
    assert_eq!(output.as_deref(), Ok("a\n2\n"));
}

#[test]
fn every_action_does_to_a_cell_what_it_does_to_a_string() {
    check(
        &CSV,
        &[
            (
                &[("$[*].x", "mask")],
                "x\na.person@example.com\n",
                "x\na•••@example.com\n",
            ),
            (&[("$[*].x", "year")], "x\n\"2024-05-06\"\n", "x\n2024\n"),
            (&[("$[*].x", "year")], "x,y\nno,1\n", "x,y\n[redacted],1\n"),
            (&[("$[*].x", "\"a,b\"")], "x,y\n1,2\n", "x,y\n\"a,b\",2\n"),
            (
                &[("$[*].x", "\"say \\\"x\\\"\\n\"")],
                "x,y\n1,2\n",
                "x,y\n\"say \"\"x\"\"\n\",2\n",
            ),
            (&[("$[*].x", "0")], "x,y\n1,2\n", "x,y\n0,2\n"),
            (&[("$[*].x", "null")], "x,y\n1,2\n", "x,y\n,2\n"),
            (&[("$[*].x", "null")], "x\n1\n", "x\n\"\"\n"),
            (
                &[("$[*].x", "last4")],
                "x,y\n\"12\"\"3,\n45\",2\n",
                "x,y\n\"•••,\n45\",2\n",
            ),
        ],
    );
}

#[test]
fn a_replacement_says_nothing_of_how_the_cell_was_written() {
    let setup = Setup::new(&[("$[*].x", "redact"), ("$[*].z", "last4")]);
    let outputs = [
        "x,y,z\n1,2,000123456\n",
        "x,y,z\n\"1,\"\"\n2\",2,\"1,23456\"\n",
    ]
    .map(|table| CSV.run(&setup, table.as_bytes()).unwrap());
    assert_eq!(outputs[0], "x,y,z\n[redacted],2,•••3456\n");
    assert_eq!(outputs[0], outputs[1]);
}

#[test]
fn an_allow_list_hides_headers_too() {
    let allow = |unlabelled| Setup {
        unlabelled,
        ..Setup::new(&[("$[*].id", "show"), ("$[*].m", "last4")])
    };
    let table = b"id,Jane Doe,m\n1,2,123456\n";
    for (unlabelled, expected) in [
        (Unlabelled::Remove, Ok("id,m\n1,•••3456\n")),
        (
            Unlabelled::Redact,
            Ok("id,[redacted],m\n1,[redacted],•••3456\n"),
        ),
        (Unlabelled::Show, Ok("id,Jane Doe,m\n1,2,•••3456\n")),
        (Unlabelled::Deny, Err(BodyError::Unlabelled)),
    ] {
        let output = CSV.run(&allow(unlabelled), table);
        assert_eq!(output.as_deref(), expected.as_deref(), "{unlabelled:?}");
    }
    // A header that only a wildcard reaches may be a row of data.
    let every = Setup::new(&[("$[*].*", "redact")]);
    let output = CSV.run(&every, b"Jane Doe,1\nJohn,2\n");
    let hidden = "[redacted],[redacted]\n[redacted],[redacted]\n";
    assert_eq!(output.as_deref(), Ok(hidden));
}

#[test]
fn a_columns_map_adds_labels_to_those_of_selectors() {
    let way = Way {
        columns: &[("E-Mail", 0), ("Name, full", 1), ("n", 0)],
        ..CSV
    };
    let setup = Setup::new(&[("$[*].none", "remove"), ("$[*].n", "show")]);
    let table = b"id,E-Mail,\"Name, full\",n,e-mail\n1,2,3,4,5\n";
    let output = way.run(&setup, table);
    assert_eq!(output.as_deref(), Ok("id,\"Name, full\",e-mail\n1,3,5\n"));
}

#[test]
fn tabs_separate_and_quotes_are_text() {
    check(
        &TSV,
        &[
            (
                &[("$[*].x", "redact")],
                "x\ty\n1\t2\"\n",
                "x\ty\n[redacted]\t2\"\n",
            ),
            (&[("$[*].x", "remove")], "x\ty\n1\t\n2\t3\n", "y\n\n3\n"),
            (
                &[("$[*].x", "\"a\\tb\\n\\\"\"")],
                "x\ty\n1\t2\n",
                "x\ty\na b \"\t2\n",
            ),
        ],
    );
}

#[test]
fn values_are_counted_by_label_and_what_is_required_may_be_a_column() {
    let rules: &[(&str, &str)] = &[
        ("$[*].x", "redact"),
        ("$[*].x", "remove"),
        ("$[*].y", "show"),
    ];
    let mut filter = CSV.filter(&Setup::new(rules));
    let mut out = Vec::new();
    filter.push(b"x,y,x\n1,2,3\n4,5,6\n", &mut out).unwrap();
    filter.finish(&mut out).unwrap();
    assert_eq!(filter.withheld(), [4, 4, 0]);
    let require = |required| Setup {
        required,
        ..Setup::new(&[("$[*].x", "redact")])
    };
    for required in [&["$[*].x"][..], &["$[*]"], &["$..y", "$[*].c"]] {
        let run = |table: &[u8]| CSV.run(&require(required), table).map(|_| ());
        assert_eq!(run(b"x,c.y\n1,2\n"), Ok(()), "{required:?}");
        assert_eq!(run(b"x,c.y\n"), Err(BodyError::RequiredMissing));
        assert_eq!(run(b""), Err(BodyError::RequiredMissing));
    }
    let missing = CSV.run(&require(&["$[*].z"]), b"x,y\n1,2\n");
    assert_eq!(missing, Err(BodyError::RequiredMissing));
}
