//! What leaves when only what is labelled may.

use super::*;

type Case = (
    &'static [(&'static str, &'static str)],
    &'static str,
    &'static str,
);

fn check_mode(unlabelled: Unlabelled, cases: &[Case]) {
    for (rules, input, expected) in cases {
        let setup = Setup {
            unlabelled,
            ..Setup::new(rules)
        };
        assert_eq!(
            setup.run(input).as_deref(),
            Ok(*expected),
            "{rules:?} on {input}"
        );
    }
}

#[test]
fn remove_leaves_only_the_way_to_what_is_visible() {
    let text = r#"{"x":1,"a":{"y":[1,2],"b":{"c":"s","z":0}},"w":{"v":{}}}"#;
    check_mode(
        Unlabelled::Remove,
        &[
            (&[("$.a.b.c", "show")], text, r#"{"a":{"b":{"c":"s"}}}"#),
            (
                &[("$.a.b.c", "redact")],
                text,
                r#"{"a":{"b":{"c":"[redacted]"}}}"#,
            ),
            (&[("$.a.b.c", "remove")], text, ""),
            (&[("$.a.b", "show")], text, r#"{"a":{"b":{"c":"s","z":0}}}"#),
            (
                &[("$.a.b", "show"), ("$.a.b.z", "remove")],
                text,
                r#"{"a":{"b":{"c":"s"}}}"#,
            ),
            (&[("$.a.b", "redact")], text, r#"{"a":{"b":{}}}"#),
            (
                &[("$..z", "show"), ("$.x", "show")],
                text,
                r#"{"x":1,"a":{"b":{"z":0}}}"#,
            ),
            (&[("$.w.v", "show")], text, r#"{"w":{"v":{}}}"#),
            (&[("$..nothing", "show")], text, ""),
            (&[], text, ""),
            (&[("$", "show")], " 1 ", " 1 "),
            (&[("$.a", "show")], " 1 ", ""),
            (
                &[("$[*].a", "show")],
                r#"[{"b":1}, {"a":1} , {"b":{}} ,{"b":1,"a":2,"c":3}]"#,
                r#"[ {"a":1}  ,{"a":2}]"#,
            ),
            (
                &[("$[*].a", "show")],
                r#"[[],{},1, {"a":[ 1 , {"b":2}]}]"#,
                r#"[ {"a":[ 1 , {"b":2}]}]"#,
            ),
            (
                &[("$[?@.a==1].b", "show")],
                r#"[{"b":1,"a":1},{"b":2,"a":2}]"#,
                r#"[{"b":1}]"#,
            ),
            (
                &[("$..a[-1]", "show")],
                r#"{"b":{"a":[1,2]},"a":[3]}"#,
                r#"{"b":{"a":[2]},"a":[3]}"#,
            ),
        ],
    );
}

#[test]
fn redact_leaves_the_way_and_the_types_around_it() {
    check_mode(
        Unlabelled::Redact,
        &[
            (
                &[("$.a.b", "show")],
                r#"{"x":"s","a":{"b":1,"c":[1]},"d":{"e":1}}"#,
                r#"{"x":"[redacted]","a":{"b":1,"c":[]},"d":{}}"#,
            ),
            (&[("$.a.b", "show")], r#"{"x":[1],"a":{"c":true}}"#, "{}"),
            (&[("$.a.b", "remove")], r#"{"x":[1],"a":{"b":1}}"#, "{}"),
            (
                &[("$.a.b", "redact")],
                r#"{ "x" : 1 , "a":{"b":1} }"#,
                r#"{ "x" : null , "a":{"b":null} }"#,
            ),
            (
                &[("$[*].a", "show")],
                r#"[{"b":1}, {"a":1} ,2]"#,
                r#"[{}, {"a":1} ,null]"#,
            ),
            (&[("$[*].a", "show")], r#"[{"b":1}, {"b":{}}, 5]"#, "[]"),
            (
                &[("$..a", "show")],
                r#"{"x":{"y":{"a":{"z":1}},"w":2}}"#,
                r#"{"x":{"y":{"a":{"z":1}},"w":null}}"#,
            ),
            (&[], " \"s\" ", " \"[redacted]\" "),
            (&[], " [1] ", " [] "),
        ],
    );
}

#[test]
fn deny_refuses_an_unlabelled_scalar_and_nothing_else() {
    let run = |rules: &'static [(&str, &str)], input: &str| {
        let setup = Setup {
            unlabelled: Unlabelled::Deny,
            ..Setup::new(rules)
        };
        setup.run(input)
    };
    let fine: [Case; 5] = [
        (
            &[("$.a", "show")],
            r#"{"a":{"b":[1]},"c":{"d":[]}}"#,
            r#"{"a":{"b":[1]},"c":{"d":[]}}"#,
        ),
        (&[("$.a", "redact")], r#"{"a":{"b":[1]}}"#, r#"{"a":{}}"#),
        (&[("$..a", "remove")], r#"{"b":{"a":1}}"#, r#"{"b":{}}"#),
        (&[("$[*]", "last4")], r#"["123456"]"#, r#"["•••3456"]"#),
        (&[], "[[],{}]", "[[],{}]"),
    ];
    for (rules, input, expected) in fine {
        assert_eq!(run(rules, input).as_deref(), Ok(expected), "{input}");
    }
    for input in [r#"{"a":1,"b":2}"#, r#"{"c":[{"d":null}]}"#, "1", r#"[""]"#] {
        assert_eq!(
            run(&[("$.a", "show")], input),
            Err(BodyError::Unlabelled),
            "{input}"
        );
    }
}

#[test]
fn the_way_to_what_is_visible_may_not_exceed_what_may_be_held() {
    let rules = &[("$.a.b", "show")];
    let mut setup = Setup {
        unlabelled: Unlabelled::Remove,
        ..Setup::new(rules)
    };
    let text = r#"{  "a" : {   "b":1}}"#;
    // Everything up to the first byte of the visible value is held.
    setup.held_bytes_max = text.find('1').unwrap();
    assert_eq!(setup.run(text).as_deref(), Ok(text));
    setup.held_bytes_max -= 1;
    assert_eq!(
        setup.run(text),
        Err(BodyError::Limit {
            limit: "held_bytes"
        })
    );
}
