//! What each action leaves of a document, commas and white space included.

use super::*;

#[test]
fn passes_what_no_rule_selects_byte_for_byte() {
    let text = " { \"a\" : [ 1.50, -0, 1E+2 , \"\\u00e9\\n\u{e9}\" ] ,\n\t\"b\":{ } , \"b\":[ ],\"\":null } \r\n";
    check(&[
        (&[], text, text),
        (&[("$.x", "remove")], text, text),
        (&[("$.a[9]", "remove")], text, text),
        (&[("$..x", "redact")], text, text),
        (&[("$", "show")], text, text),
    ]);
}

#[test]
fn redacts_by_type() {
    let input = r#"{"a":"s","b":1,"c":true,"d":null,"e":[1,{"f":2}],"g":{"h":[1]}}"#;
    check(&[
        (
            &[("$.*", "redact")],
            input,
            r#"{"a":"[redacted]","b":null,"c":null,"d":null,"e":[],"g":{}}"#,
        ),
        (
            &[("$.*", "\"x\"")],
            r#"{"a":[1],"b":2}"#,
            r#"{"a":"x","b":"x"}"#,
        ),
        (&[("$", "redact")], " [1] ", " [] "),
        (&[("$", "redact")], "12", "null"),
        (
            &[("$.e[1].f", "redact")],
            r#"{"e":[1,{"f":2}]}"#,
            r#"{"e":[1,{"f":null}]}"#,
        ),
    ]);
}

#[test]
fn masks_pseudonymises_and_generalizes_scalars_and_redacts_containers() {
    check(&[
        (
            &[("$.a", "last4")],
            r#"{"a":"4929123412341234"}"#,
            r#"{"a":"•••1234"}"#,
        ),
        (
            &[("$.a", "last4")],
            r#"{"a":"x\u0041BCDEF"}"#,
            r#"{"a":"•••CDEF"}"#,
        ),
        (
            &[("$.a", "mask")],
            r#"{"a" : "jane@example.com" }"#,
            r#"{"a" : "j•••@example.com" }"#,
        ),
        (&[("$.*", "mask")], r#"[1,[2],{"a":3}]"#, "[null,[],{}]"),
        (
            &[("$.*", "year")],
            r#"["2024-05-06","x",3]"#,
            r#"["2024","[redacted]",null]"#,
        ),
        (
            &[("$[0]", "pseudonym")],
            r#"["a",1]"#,
            r#"["[redacted]",1]"#,
        ),
        (&[("$", "last4")], "  \"abcdefgh\"\n", "  \"•••efgh\"\n"),
    ]);
}

#[test]
fn removes_a_value_with_one_comma() {
    let array = "[ 1 , 2 , 3 ]";
    let object = r#"{ "a" : 1 , "b" : 2 , "c" : 3 }"#;
    check(&[
        (&[("$[0]", "remove")], array, "[  2 , 3 ]"),
        (&[("$[1]", "remove")], array, "[ 1  , 3 ]"),
        (&[("$[2]", "remove")], array, "[ 1 , 2  ]"),
        (&[("$[0,1]", "remove")], array, "[   3 ]"),
        (&[("$[1,2]", "remove")], array, "[ 1   ]"),
        (&[("$[0,2]", "remove")], array, "[  2  ]"),
        (&[("$[*]", "remove")], array, "[    ]"),
        (&[("$[*]", "remove")], "[1]", "[]"),
        (&[("$[*]", "remove")], "[]", "[]"),
        (&[("$.a", "remove")], object, r#"{  "b" : 2 , "c" : 3 }"#),
        (&[("$.b", "remove")], object, r#"{ "a" : 1  , "c" : 3 }"#),
        (&[("$.c", "remove")], object, r#"{ "a" : 1 , "b" : 2  }"#),
        (&[("$.*", "remove")], object, "{    }"),
        (
            &[("$['a','b']", "remove")],
            r#"{"a":1,"b":2,"c":3}"#,
            r#"{"c":3}"#,
        ),
        (
            &[("$['b','c']", "remove")],
            r#"{"a":1,"b":2,"c":3}"#,
            r#"{"a":1}"#,
        ),
        (
            &[("$['a','c']", "remove")],
            r#"{"a":[1,{}],"b":2,"c":{"a":1}}"#,
            r#"{"b":2}"#,
        ),
        (
            &[("$..a", "remove")],
            r#"[{"a":1},{"b":{"a":[]},"a":2}]"#,
            r#"[{},{"b":{}}]"#,
        ),
    ]);
}

#[test]
fn a_removed_root_leaves_nothing() {
    check(&[
        (&[("$", "remove")], " {\"a\":1} \n", ""),
        (&[("$", "remove")], "12", ""),
        (&[("$", "remove")], "\t[[]]", ""),
    ]);
}

#[test]
fn treats_every_duplicate_alike() {
    check(&[
        (
            &[("$.a", "redact")],
            r#"{"a":1,"a":2,"a":{"a":3}}"#,
            r#"{"a":null,"a":null,"a":{}}"#,
        ),
        (&[("$.a", "remove")], r#"{"a":1,"b":0,"a":2}"#, r#"{"b":0}"#),
        (
            &[("$.a.b", "remove")],
            r#"{"a":{"b":1},"a":{"b":2,"c":3}}"#,
            r#"{"a":{},"a":{"c":3}}"#,
        ),
    ]);
}

#[test]
fn compares_names_after_decoding() {
    check(&[
        (
            &[("$.ssn", "redact")],
            r#"{"s\u0073n":1,"\u0073\u0073\u006e":2}"#,
            r#"{"s\u0073n":null,"\u0073\u0073\u006e":null}"#,
        ),
        (
            &[("$['a\\nb']", "remove")],
            r#"{"a\nb":1,"a\\nb":2}"#,
            r#"{"a\\nb":2}"#,
        ),
        (
            &[("$['\u{1f600}']", "redact")],
            r#"{"\ud83d\uDE00":1,"😀":2}"#,
            r#"{"\ud83d\uDE00":null,"😀":null}"#,
        ),
        (
            &[("$['it\"em']", "redact")],
            r#"{"it\"em":1}"#,
            r#"{"it\"em":null}"#,
        ),
        (
            &[("$['']", "redact")],
            r#"{"":1,"a":2}"#,
            r#"{"":null,"a":2}"#,
        ),
        (
            &[("$.SSN", "redact")],
            r#"{"ssn":1,"SSN":2}"#,
            r#"{"ssn":1,"SSN":null}"#,
        ),
    ]);
}

#[test]
fn folds_ascii_and_nothing_else_when_asked() {
    let mut setup = Setup::new(&[("$.Straße", "redact"), ("$[?@.KIND=='x'].v", "remove")]);
    setup.names = Names::Caseless;
    let output = setup.run(r#"{"sTRAßE":1,"STRASSE":2,"\u0053traße":3,"STRAẞE":4}"#);
    let expected = r#"{"sTRAßE":null,"STRASSE":2,"\u0053traße":null,"STRAẞE":4}"#;
    assert_eq!(output.as_deref(), Ok(expected));
    let output = setup.run(r#"[{"v":1,"kind":"x"},{"V":1,"Kind":"X"}]"#);
    assert_eq!(
        output.as_deref(),
        Ok(r#"[{"kind":"x"},{"V":1,"Kind":"X"}]"#)
    );
}

#[test]
fn the_stricter_of_several_labels_wins_and_a_hidden_ancestor_hides_all() {
    check(&[
        (
            &[("$.a", "show"), ("$.*", "redact")],
            r#"{"a":1}"#,
            r#"{"a":null}"#,
        ),
        (&[("$.a", "remove"), ("$.a", "mask")], r#"{"a":"x"}"#, "{}"),
        (
            &[("$.a", "redact"), ("$.a.b", "show")],
            r#"{"a":{"b":1}}"#,
            r#"{"a":{}}"#,
        ),
        (
            &[("$.a", "show"), ("$.a.b", "redact")],
            r#"{"a":{"b":1,"c":2}}"#,
            r#"{"a":{"b":null,"c":2}}"#,
        ),
        (
            &[("$..b", "remove"), ("$.a", "mask")],
            r#"{"a":{"b":1},"b":2}"#,
            r#"{"a":{}}"#,
        ),
    ]);
}

#[test]
fn selects_by_index_and_slice() {
    let array = "[0,1,2,3,4,5,6,7]";
    check(&[
        (&[("$[1]", "\"x\"")], array, r#"[0,"x",2,3,4,5,6,7]"#),
        (&[("$[2:5]", "\"x\"")], array, r#"[0,1,"x","x","x",5,6,7]"#),
        (&[("$[1::3]", "\"x\"")], array, r#"[0,"x",2,3,"x",5,6,"x"]"#),
        (
            &[("$[5:2:-1]", "\"x\"")],
            array,
            r#"[0,1,2,"x","x","x",6,7]"#,
        ),
        (&[("$[::0]", "\"x\"")], array, array),
        (&[("$[0]", "\"x\"")], r#"{"0":1}"#, r#"{"0":1}"#),
        (&[("$[*][0]", "\"x\"")], "[[1,2],[3]]", r#"[["x",2],["x"]]"#),
        (
            &[("$[1::2]", "remove"), ("$[::3]", "\"x\"")],
            array,
            r#"["x",2,4,"x"]"#,
        ),
    ]);
}

#[test]
fn descends_everywhere() {
    check(&[
        (
            &[("$..a", "redact")],
            r#"{"a":1,"b":[{"a":2},[{"a":{"a":3}}]]}"#,
            r#"{"a":null,"b":[{"a":null},[{"a":{}}]]}"#,
        ),
        (
            &[("$..a..b", "redact")],
            r#"{"b":0,"a":{"b":1,"c":{"b":2}}}"#,
            r#"{"b":0,"a":{"b":null,"c":{"b":null}}}"#,
        ),
        (&[("$..*", "remove")], r#"{"a":[1,2],"b":{}}"#, "{}"),
        (&[("$..[1]", "remove")], "[[0,1],[2,3]]", "[[0]]"),
    ]);
}

#[test]
fn counts_what_is_withheld_by_label() {
    let setup = Setup::new(&[
        ("$..a", "redact"),
        ("$.b", "show"),
        ("$.c", "remove"),
        ("$..*", "show"),
    ]);
    let mut filter = JsonFilter::new(setup.plan());
    let mut out = Vec::new();
    filter
        .push(br#"{"a":{"a":1},"b":{"a":2},"c":{"a":1}}"#, &mut out)
        .unwrap();
    filter.finish(&mut out).unwrap();
    assert_eq!(filter.withheld(), [2, 0, 1, 0]);
}

#[test]
fn a_required_selector_that_matches_nothing_refuses_the_document() {
    let mut setup = Setup::new(&[("$.a", "remove")]);
    setup.required = &["$.a.b[?@.c]", "$.d"];
    let fine = [
        (r#"{"a":{"b":[{"x":1},{"c":1}]},"d":null}"#, r#"{"d":null}"#),
        (
            r#"{"d":0,"a":{"b":[{"c":1},2]},"e":[{}]}"#,
            r#"{"d":0,"e":[{}]}"#,
        ),
    ];
    for (input, expected) in fine {
        assert_eq!(setup.run(input).as_deref(), Ok(expected), "{input}");
    }
    for input in [
        r#"{"a":{"b":[{"c":1}]}}"#,
        r#"{"a":{"b":[]},"d":1}"#,
        "[]",
        "1",
    ] {
        assert_eq!(setup.run(input), Err(BodyError::RequiredMissing), "{input}");
    }
    let mut whole = Setup::new(&[]);
    whole.required = &["$"];
    assert_eq!(whole.run("0").as_deref(), Ok("0"));
}
