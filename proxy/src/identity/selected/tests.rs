//! Shapes of claims and what is found in them.

use super::*;
use serde_json::json;

fn selector(text: &str) -> ClaimSelector {
    ClaimSelector::new(&Selector::parse(text).unwrap()).unwrap()
}

fn groups(text: &str, claims: &Value) -> Vec<String> {
    selector(text).groups(claims).unwrap()
}

#[test]
fn walks_paths_and_leaves_the_rest_to_the_query_engine() {
    let claims = json!({ "a": { "b": [1, 2, 3] }, "odd name": 4 });
    for (text, found, walked) in [
        ("$.a.b[1]", json!([2]), true),
        ("$.a.b[-1]", json!([3]), true),
        ("$.a.b[-4]", json!([]), true),
        ("$['odd name']", json!([4]), true),
        ("$.a.b[*]", json!([1, 2, 3]), true),
        ("$.a.nothing.c", json!([]), true),
        ("$.a[0]", json!([]), true),
        ("$..b[0]", json!([1]), false),
        ("$.a.b[?@ > 1]", json!([2, 3]), false),
        ("$.a.b[0:2]", json!([1, 2]), false),
    ] {
        let selector = selector(text);
        assert_eq!(matches!(selector.plan, Plan::Path(_)), walked, "{text}");
        assert_eq!(json!(selector.select(&claims)), found, "{text}");
    }
}

#[test]
fn groups_are_strings_or_one_array_of_strings() {
    for (text, claims, expected) in [
        (
            "$.groups[*]",
            json!({ "groups": ["a", "b"] }),
            vec!["a", "b"],
        ),
        ("$.groups", json!({ "groups": ["a", "b"] }), vec!["a", "b"]),
        ("$.groups", json!({ "groups": "a" }), vec!["a"]),
        (
            "$.realm[*].roles[*]",
            json!({ "realm": { "x": { "roles": ["a"] } } }),
            vec!["a"],
        ),
        (
            "$..roles[*]",
            json!({ "realm": { "roles": ["a", "b"] } }),
            vec!["a", "b"],
        ),
        ("$.groups[*]", json!({ "groups": "a" }), vec![]),
        ("$.groups[*]", json!({ "groups": { "x": "a" } }), vec![]),
        ("$.groups[*]", json!({ "groups": ["a", 7] }), vec![]),
        ("$.groups[*]", json!({ "groups": [["a"], "b"] }), vec![]),
        ("$.groups[*]", json!({ "groups": [["a"]] }), vec![]),
        ("$..groups[*]", json!({ "groups": [["a"]] }), vec![]),
        ("$.groups", json!({ "groups": null }), vec![]),
        ("$.groups", json!({ "groups": 7 }), vec![]),
        ("$.groups", json!({}), vec![]),
        ("$.groups", json!({ "groups": [] }), vec![]),
    ] {
        assert_eq!(groups(text, &claims), expected, "{text} on {claims}");
    }
}

#[test]
fn takes_256_groups_and_refuses_one_more() {
    let claims = |count: usize| json!({ "groups": vec!["a"; count] });
    let selector = selector("$.groups[*]");
    assert_eq!(
        selector.groups(&claims(GROUPS_MAX)).unwrap().len(),
        GROUPS_MAX
    );
    assert!(selector.groups(&claims(GROUPS_MAX + 1)).is_err());
}
