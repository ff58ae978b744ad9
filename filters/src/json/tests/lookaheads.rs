//! Filters, indexes from the end, and what is held for them.

use super::*;

#[test]
fn filters_decide_what_came_before_the_key_they_test() {
    let text = r#"[ {"value":"123","name":"ssn"} , {"value":"x","name":"city"}, 5 ]"#;
    check(&[
        (
            &[("$[?@.name=='ssn'].value", "remove")],
            text,
            r#"[ {"name":"ssn"} , {"value":"x","name":"city"}, 5 ]"#,
        ),
        (
            &[("$[?@.name=='ssn']", "remove")],
            text,
            r#"[  {"value":"x","name":"city"}, 5 ]"#,
        ),
        (
            &[("$[?@.name!='ssn']", "remove")],
            text,
            r#"[ {"value":"123","name":"ssn"}  ]"#,
        ),
        (&[("$[?@>4]", "redact")], "[4,5,6]", "[4,null,null]"),
        (
            &[("$[?@.a]", "remove")],
            r#"{"x":{"a":1},"y":{"b":1},"z":1}"#,
            r#"{"y":{"b":1},"z":1}"#,
        ),
        (
            &[("$[?@[?@.a]]", "redact")],
            r#"[[{"a":1}],[{"b":1}]]"#,
            r#"[[],[{"b":1}]]"#,
        ),
        (
            &[("$..[?@.a==1].b", "remove")],
            r#"{"x":[{"a":1,"b":2,"c":[{"b":3,"a":1}]}]}"#,
            r#"{"x":[{"a":1,"c":[{"a":1}]}]}"#,
        ),
        (&[("$[?@ == $[0]]", "remove")], "[1,2,1.0]", "[2]"),
        (
            &[("$[?@.a == @.b]", "remove")],
            r#"[{"a":[1,{"x":2}],"b":[1.0,{"x":2}]},{"a":1},{}]"#,
            r#"[{"a":1}]"#,
        ),
    ]);
}

#[test]
fn functions_mean_what_the_standard_says() {
    check(&[
        (
            &[("$[?length(@)>2]", "redact")],
            r#"["ab","aéb",[1,2,3],{"a":1},4]"#,
            r#"["ab","[redacted]",[],{"a":1},4]"#,
        ),
        (
            &[("$[?count(@..a)==2]", "redact")],
            r#"[{"a":{"a":1}},{"a":1}]"#,
            r#"[{},{"a":1}]"#,
        ),
        (
            &[("$[?match(@,'a.c')]", "redact")],
            r#"["abc","xabc"]"#,
            r#"["[redacted]","xabc"]"#,
        ),
        (
            &[("$[?search(@,'b+')]", "redact")],
            r#"["abc","ac"]"#,
            r#"["[redacted]","ac"]"#,
        ),
        (
            &[("$[?value(@..a)==1]", "redact")],
            r#"[{"a":1},{"b":{"a":1},"a":1}]"#,
            r#"[{},{"b":{"a":1},"a":1}]"#,
        ),
        (
            &[("$[?match(@.t,@.p)]", "redact")],
            r#"[{"t":"aa","p":"a*"},{"t":"b","p":"a*"},{"t":"b","p":"("}]"#,
            r#"[{},{"t":"b","p":"a*"},{"t":"b","p":"("}]"#,
        ),
    ]);
}

#[test]
fn a_filter_that_meets_a_repeated_name_refuses_the_document() {
    let refused: &[(&str, &str)] = &[
        ("$[?@.k=='a']", r#"[{"k":"a","k":"b"}]"#),
        ("$[?@.k!='a']", r#"[{"k":"a","\u006b":"a"}]"#),
        ("$[?!(@.k=='a')]", r#"[{"k":"b","k":"a"}]"#),
        ("$[?!match(@.k,'a')]", r#"[{"k":"a","k":"b"}]"#),
        ("$[?!@.a.b]", r#"[{"a":{"b":1},"a":{}}]"#),
        ("$[?@.a.b!=1]", r#"[{"a":{"b":1},"a":{}}]"#),
        ("$[?!@.x[?@.k=='a']]", r#"[{"x":[{"k":"a","k":"b"}]}]"#),
        ("$[?@..x]", r#"[{"a":{"x":1},"a":{}}]"#),
        ("$[?count(@.*)==2]", r#"[{"a":1,"a":1}]"#),
        ("$[?length(@)==1]", r#"[{"a":1,"a":1}]"#),
        ("$[?@[?@>1]]", r#"[{"a":1,"a":2}]"#),
        ("$[?@.a==@.b]", r#"[{"a":{"c":1,"c":2},"b":{"c":2}}]"#),
        ("$.i[?@.k==$.k]", r#"{"k":1,"i":[{"k":1}],"k":2}"#),
    ];
    for unlabelled in [Unlabelled::Show, Unlabelled::Remove] {
        for (selector, document) in refused {
            let rules = [(*selector, "redact")];
            let mut setup = Setup::new(&rules);
            setup.unlabelled = unlabelled;
            let refusal = BodyError::Ambiguous {
                what: "a filter asks for a name that comes twice in one object",
            };
            assert_eq!(setup.run(document), Err(refusal), "{selector}");
        }
    }
    let mut caseless = Setup::new(&[("$[?@.k==1]", "redact")]);
    caseless.names = Names::Caseless;
    assert!(caseless.run(r#"[{"k":1,"K":2}]"#).is_err());
}

#[test]
fn a_repeated_name_that_no_filter_asks_for_refuses_nothing() {
    check(&[
        (
            &[("$[?@.k=='a'].b", "redact")],
            r#"[{"k":"a","b":1,"b":2,"c":{"d":1,"d":2}}]"#,
            r#"[{"k":"a","b":null,"b":null,"c":{"d":1,"d":2}}]"#,
        ),
        (
            &[("$.i[?@.k=='a']", "redact")],
            r#"{"i":[{"k":"a"}],"i":[{"k":"a"}],"k":1,"k":2}"#,
            r#"{"i":[{}],"i":[{}],"k":1,"k":2}"#,
        ),
        (&[("$[?@.k==1]", "redact")], r#"[{"k":1,"K":2}]"#, "[{}]"),
    ]);
}

#[test]
fn numbers_beyond_counting_are_larger_than_any_other() {
    check(&[
        (
            &[("$[?@>5]", "remove")],
            "[1e99999999999999999999,6,1e-99999999999999999999]",
            "[1e-99999999999999999999]",
        ),
        (
            &[("$[?@<0]", "remove")],
            "[-1e99999999999999999999,-1e-99999999999999999999,0e99999999999999999999]",
            "[0e99999999999999999999]",
        ),
    ]);
}

#[test]
fn caseless_names_count_in_deep_comparisons_too() {
    let mut setup = Setup::new(&[("$.i[?@.a==$.b]", "redact")]);
    setup.names = Names::Caseless;
    let document = r#"{"i":[{"A":{"K":1}}],"b":{"k":1}}"#;
    assert_eq!(setup.run(document).unwrap(), r#"{"i":[{}],"b":{"k":1}}"#);
}

#[test]
fn indexes_from_the_end_wait_for_it() {
    check(&[
        (&[("$[-1]", "remove")], "[1 , 2 , 3 ]", "[1 , 2  ]"),
        (&[("$[-1]", "remove")], "[]", "[]"),
        (&[("$[-3]", "redact")], "[1,2]", "[1,2]"),
        (&[("$[-2:]", "redact")], "[1,2,3]", "[1,null,null]"),
        (&[("$[::-2]", "redact")], "[1,2,3,4]", "[1,null,3,null]"),
        (
            &[("$..[-1]", "\"x\"")],
            r#"{"a":[1,[2,3]],"b":[[4,5],6]}"#,
            r#"{"a":[1,"x"],"b":[[4,"x"],"x"]}"#,
        ),
        (
            &[("$[-1].a", "remove")],
            r#"[{"a":1},{"a":1}]"#,
            r#"[{"a":1},{}]"#,
        ),
        (
            &[("$[-1]", "redact"), ("$[?@>1]", "remove")],
            "[1,2,0]",
            "[1,null]",
        ),
        (&[("$[-1]", "redact")], r#"{"-1":1}"#, r#"{"-1":1}"#),
    ]);
}

#[test]
fn a_rule_that_changes_nothing_holds_nothing() {
    let mut setup = Setup::new(&[("$[?@.a]", "show"), ("$[-1]", "show")]);
    setup.held_bytes_max = 4;
    let text = r#"[{"a":"a long value"},{"b":2}]"#;
    assert_eq!(setup.run(text).as_deref(), Ok(text));
}

#[test]
fn what_is_held_may_not_exceed_the_limit() {
    for (rules, text, held) in [
        // From the comma to the end of the element.
        (
            &[("$[?@.a]", "redact")],
            r#"[0, {"b":12345}]"#,
            r#", {"b":12345}"#,
        ),
        (&[("$[-1]", "redact")], "[1,2,345]", "[1,2,345]"),
        (
            &[("$[?@ == $[0]]", "redact")],
            r#"[1,"abc"]"#,
            r#"[1,"abc"]"#,
        ),
        (
            &[("$.a", "last4")],
            r#"{"a":"abc"}"#,
            r#"{"a":"abc"}"#.get(5..10).unwrap(),
        ),
    ] {
        let mut setup = Setup::new(rules);
        setup.held_bytes_max = held.len();
        assert!(setup.run(text).is_ok(), "{text}");
        setup.held_bytes_max -= 1;
        let outcome = setup.run(text);
        assert_eq!(
            outcome,
            Err(BodyError::Limit {
                limit: "held_bytes"
            }),
            "{text}"
        );
    }
}

#[test]
fn a_long_hold_byte_by_byte_costs_no_more_than_its_length() {
    let setup = Setup::new(&[("$[?@.last]", "remove")]);
    let text = format!("[{{\"a\":\"{}\",\"last\":1}},2]", "x".repeat(900_000));
    let (out, done) = run_chunks(&setup.plan(), text.as_bytes().chunks(1));
    assert_eq!((out.as_slice(), done), (&b"[2]"[..], Ok(())));
}

#[test]
fn a_filter_that_works_too_hard_is_cut_off() {
    let list = |value: &str, count: usize| vec![value; count].join(",");
    let members = |count: usize| {
        let members: Vec<String> = (0..count).map(|i| format!("\"k{i}\":1")).collect();
        members.join(",")
    };
    let long = format!("\\u0041{}", "x".repeat(200_000));
    let name = format!("\\u0041{}", "x".repeat(60_000));
    let patterns = (0..2_000).map(|i| format!(r#"{{"a":"x","b":"(a{{9}}){{9}}{i}"}}"#));
    let patterns = patterns.collect::<Vec<_>>().join(",");
    let ones = list("1", 20_000);
    for (selector, text) in [
        ("$[?count(@[?count($..*)>1])>1]", format!("[[{ones}]]")),
        (
            "$.i[?@==$.o]",
            format!(
                r#"{{"o":{{{}}},"i":[{}]}}"#,
                members(9_000),
                list("{}", 9_000)
            ),
        ),
        (
            "$.i[?length($.o)==1]",
            format!(r#"{{"o":[{ones}],"i":[{ones}]}}"#),
        ),
        ("$.i[?@==$.o]", format!(r#"{{"o":"{long}","i":[{ones}]}}"#)),
        (
            "$.i[?search($.o,'y')]",
            format!(r#"{{"o":"{long}","i":[{ones}]}}"#),
        ),
        (
            "$.i[?$.o.z]",
            format!(r#"{{"o":{{"{name}":1}},"i":[{ones}]}}"#),
        ),
        (
            "$.i[?match(@.a,@.b)||$.o]",
            format!(r#"{{"i":[{patterns}]}}"#),
        ),
        (
            "$[?match(@.a,@.b)]",
            r#"[{"a":"x","b":"(a{200}){200}"}]"#.to_owned(),
        ),
        (
            "$[?count(@..*..*)>1]",
            format!("[{}{ones},{ones}{}]", "[".repeat(100), "]".repeat(100)),
        ),
    ] {
        let rules = [(selector, "remove")];
        let plan = Setup::new(&rules).plan();
        let (out, done) = run_chunks(&plan, [text.as_bytes()].into_iter());
        let limit = "filter_steps";
        assert_eq!(done, Err(BodyError::Limit { limit }), "{selector}");
        assert!(out.is_empty(), "{selector}");
    }
}

#[test]
fn one_pattern_of_the_document_is_compiled_once() {
    let items = vec![r#"{"a":"xy"}"#; 5_000].join(",");
    let text = format!(r#"{{"i":[{items}],"p":"x."}}"#);
    let setup = Setup::new(&[("$.i[?match(@.a,$.p)]", "remove")]);
    let (out, done) = run_chunks(&setup.plan(), [text.as_bytes()].into_iter());
    assert_eq!(
        (out.as_slice(), done),
        (&br#"{"i":[],"p":"x."}"#[..], Ok(()))
    );
}

#[test]
fn many_states_beyond_the_table_give_the_same_answers() {
    // Which of the last twenty ancestors are `a` makes a million sets: more than the table holds, and
    // more than one exchange keeps.
    const DEPTH: usize = 60;
    let selector = format!("$..a{}", "[*]".repeat(20));
    let rules = &[(selector.as_str(), "redact")][..];
    let plan = Setup::new(rules).plan();
    let mut seed = 7_u32;
    let (mut whole, mut expected) = (String::from("[1"), String::from("[1"));
    for _ in 0..1000 {
        let mut flip = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            seed & 0x1_0000 != 0
        };
        let names: Vec<bool> = (0..DEPTH).map(|_| flip()).collect();
        // The first value with an `a` twenty levels above it, and that is below its own name.
        let selected = (20..DEPTH).find(|depth| names[depth - 20]);
        let open = |depth: usize| if names[depth] { ",{\"a\":" } else { ",{\"b\":" };
        let way = |to: usize| (0..=to).map(open).collect::<String>().replace(":,", ":");
        let close = |from: usize| "}".repeat(from + 1);
        whole += &(way(DEPTH - 1) + "1" + &close(DEPTH - 1));
        expected += &match selected {
            None => way(DEPTH - 1) + "1" + &close(DEPTH - 1),
            Some(depth) if depth == DEPTH - 1 => way(depth) + "null" + &close(depth),
            Some(depth) => way(depth) + "{}" + &close(depth),
        };
    }
    whole.push(']');
    expected.push(']');
    let (out, done) = run_chunks(&plan, whole.as_bytes().chunks(4096));
    assert_eq!(done, Ok(()));
    assert!(out == expected.as_bytes());
}

#[test]
fn numbers_are_compared_by_value_and_never_rounded() {
    let same = ["100", "1e2", "100.0", "1.00E+2", "10000e-2"];
    let text = format!("[{},1e3,99.99999999999999999999,-100]", same.join(","));
    let null = ["null"; 5].join(",");
    check(&[
        (
            &[("$[?@==100]", "redact")],
            &text,
            &format!("[{null},1e3,99.99999999999999999999,-100]"),
        ),
        (
            &[("$[?@<100]", "redact")],
            &text,
            &format!("[{},1e3,null,null]", same.join(",")),
        ),
        (
            &[("$[?@>=100.0]", "redact")],
            &text,
            &format!("[{null},null,99.99999999999999999999,-100]"),
        ),
        (
            &[("$[?@==0]", "redact")],
            "[0,-0,0e9,0.0,1e-999]",
            "[null,null,null,null,1e-999]",
        ),
        (
            &[("$[?@<-1]", "redact")],
            "[-1,-1.5,-2e1,-0.5]",
            "[-1,null,null,-0.5]",
        ),
    ]);
}

#[test]
fn containers_are_compared_deeply() {
    let two = |a: &str, b: &str| format!("[{{\"a\":{a},\"b\":{b}}}]");
    for (a, b, equal) in [
        ("[]", "[ ]", true),
        ("[1,[2,{}]]", "[1.0,[2,{}]]", true),
        ("[1,2]", "[2,1]", false),
        ("[1]", "[1,2]", false),
        (r#"{"x":1,"y":[2]}"#, r#"{"y":[2],"\u0078":1e0}"#, true),
        (r#"{"x":1}"#, r#"{"x":1,"y":2}"#, false),
        (r#"{"x":1}"#, r#"{"y":1}"#, false),
        ("{}", "[]", false),
        ("9007199254740992", "9007199254740993", false),
        ("1e400", "10e399", true),
        (r#""\u0061""#, r#""a""#, true),
        ("null", "false", false),
    ] {
        let text = two(a, b);
        let expected = if equal { "[]" } else { text.as_str() };
        check(&[(&[("$[?@.a==@.b]", "remove")], &text, expected)]);
    }
}
