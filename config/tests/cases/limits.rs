//! Every bound of the policy language holds at its end and refuses one past it.

use postern_config::Policy;

/// A policy with a part of each section put in.
#[derive(Default)]
struct Parts {
    labels: String,
    field: String,
    action: String,
    routes: String,
    roles: String,
    quotas: String,
}

/// The codes that a policy made of these parts is refused with.
fn codes(parts: &Parts) -> Vec<&'static str> {
    let Parts {
        labels,
        field,
        action,
        routes,
        roles,
        quotas,
    } = parts;
    let field = if field.is_empty() { "$.a" } else { field };
    let action = if action.is_empty() { "mask" } else { action };
    let text = format!(
        "policy: v1\nname: limits\nidentity: {{ from: mtls, subject: cn, roles: {{ x: a }}, \
         without_a_role: deny }}\nlabels:\n  l: A label\n{labels}routes:\n  r:\n    match: GET /r\n    \
         label: {{ \"{field}\": l }}\n{routes}  rest: {{ match: \"ANY /{{path...}}\", deny: true }}\n\
         roles:\n  a: {{ sees: {{ l: {action} }} }}\n{roles}{quotas}"
    );
    match Policy::parse("limits", &text) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.errors.iter().map(|error| error.code).collect(),
    }
}

fn with_action(action: &str) -> Vec<&'static str> {
    codes(&Parts {
        action: action.to_owned(),
        ..Parts::default()
    })
}

#[test]
fn actions_hold_at_their_bounds_and_no_further() {
    for ok in [
        "last1",
        "last16",
        "{ mask: { keep_first: 0, keep_last: 16 } }",
        "{ generalize: { bucket: 1 } }",
        "{ generalize: { bucket: 9007199254740991 } }",
        "{ generalize: { prefix: 1 } }",
        "{ generalize: { prefix: 16 } }",
    ] {
        assert_eq!(with_action(ok), [""; 0], "{ok}");
    }
    for bad in [
        "last17",
        "{ mask: { keep_first: 17 } }",
        "{ mask: { keep_last: 17 } }",
        "{ generalize: { bucket: 0 } }",
        "{ generalize: { bucket: 9007199254740992 } }",
        "{ generalize: { prefix: 0 } }",
        "{ generalize: { prefix: 17 } }",
    ] {
        assert_eq!(with_action(bad), ["PN007"], "{bad}");
    }
    for bad in ["last0", "last", "last04", "last+4", "last4x", "LAST4"] {
        assert_eq!(with_action(bad), ["PN014"], "{bad}");
    }
}

#[test]
fn a_constant_of_the_longest_length_loads_and_one_longer_is_refused() {
    // The two quotes of the JSON text count.
    let constant = |length: usize| {
        let text = "x".repeat(length - 2);
        with_action(&format!("{{ redact: {{ with: {text} }} }}"))
    };
    assert_eq!(constant(1024), [""; 0]);
    assert_eq!(constant(1025), ["PN007"]);
}

#[test]
fn a_name_of_the_longest_length_loads_and_one_longer_is_refused() {
    let label = |length: usize| {
        codes(&Parts {
            labels: format!("  {}: A\n", "x".repeat(length)),
            ..Parts::default()
        })
    };
    assert_eq!(label(128), [""; 0]);
    assert_eq!(label(129), ["PN009"]);
}

#[test]
fn a_path_of_the_most_segments_loads_and_one_longer_is_refused() {
    let path = |segments: usize| {
        codes(&Parts {
            routes: format!("  long: {{ match: GET {} }}\n", "/s".repeat(segments)),
            ..Parts::default()
        })
    };
    assert_eq!(path(64), [""; 0]);
    assert_eq!(path(65), ["PN020"]);
}

#[test]
fn chains_of_the_longest_length_load_and_one_longer_is_refused() {
    let routes = |length: usize| {
        // The chain begins with `r` itself.
        let steps = 1..length;
        let route = |n: usize| {
            let of = if n == 1 {
                "r".to_owned()
            } else {
                format!("r{}", n - 1)
            };
            format!("  r{n}: {{ match: GET /r{n}, labels_of: {of} }}\n")
        };
        codes(&Parts {
            routes: steps.map(route).collect(),
            ..Parts::default()
        })
    };
    assert_eq!(routes(16), [""; 0]);
    assert_eq!(routes(17), ["PN024"]);
    let roles = |length: usize| {
        let role = |n: usize| {
            let of = if n == 1 {
                "a".to_owned()
            } else {
                format!("a{}", n - 1)
            };
            format!("  a{n}: {{ extends: {of} }}\n")
        };
        codes(&Parts {
            roles: (1..length).map(role).collect(),
            ..Parts::default()
        })
    };
    assert_eq!(roles(16), [""; 0]);
    assert_eq!(roles(17), ["PN013"]);
}

#[test]
fn a_thousand_routes_in_one_chain_are_refused_quickly() {
    let route = |n: usize| format!("  r{n}: {{ match: GET /r{n}, labels_of: r{} }}\n", n + 1);
    let found = codes(&Parts {
        routes: (0..1000).map(route).collect(),
        ..Parts::default()
    });
    assert!(found.iter().all(|code| *code == "PN024"));
}

#[test]
fn an_alias_may_be_used_a_hundred_times_and_no_more() {
    let aliases = |count: usize| {
        let uses = vec!["*q"; count].join(", ");
        codes(&Parts {
            routes: format!(
                "  q: {{ match: GET /q, query: &q [p] }}\n  u: {{ match: [{uses}] }}\n"
            ),
            ..Parts::default()
        })
    };
    // As routes these are wrong in any case; past the bound they are not even read.
    assert_eq!(aliases(100), ["PN005"; 100]);
    assert_eq!(aliases(101), ["PN001"]);
}

#[test]
fn quotas_hold_at_their_bounds_and_no_further() {
    let with = |unit: &str, window: &str, limit: &str, warn_at: &str| {
        let quotas = format!(
            "quotas:\n  q: {{ unit: {unit}, per: identity, window: {window}, \
             limit: {{ a: {limit} }}, warn_at: {warn_at} }}\n"
        );
        codes(&Parts {
            quotas,
            ..Parts::default()
        })
    };
    for window in ["1s", "1000ms", "31d", "744h"] {
        assert_eq!(with("records", window, "1", "80%"), [""; 0], "{window}");
    }
    for window in ["0s", "999ms", "1001ms", "745h", "2678401s"] {
        assert_eq!(with("records", window, "1", "80%"), ["PN007"], "{window}");
    }
    for limit in ["0", "9223372036854775807"] {
        assert_eq!(with("records", "1m", limit, "80%"), [""; 0], "{limit}");
    }
    assert_eq!(with("bytes", "1m", "8589934591GiB", "80%"), [""; 0]);
    assert_eq!(with("bytes", "1m", "8589934592GiB", "80%"), ["PN007"]);
    assert_eq!(
        with("records", "1m", "9223372036854775808", "80%"),
        ["PN007"]
    );
    for (warn_at, expected) in [
        ("1%", None),
        ("100%", None),
        ("0%", Some("PN007")),
        ("101%", Some("PN007")),
    ] {
        let expected: Vec<&str> = expected.into_iter().collect();
        assert_eq!(with("records", "1m", "1", warn_at), expected, "{warn_at}");
    }
}

#[test]
fn a_policy_has_a_bounded_number_of_quotas() {
    let with = |number: usize| {
        let quotas = (0..number).map(|n| {
            format!("  q{n}: {{ unit: records, per: identity, window: 1m, limit: {{ a: 1 }} }}\n")
        });
        codes(&Parts {
            quotas: format!("quotas:\n{}", quotas.collect::<String>()),
            ..Parts::default()
        })
    };
    assert_eq!(with(16), [""; 0]);
    assert_eq!(with(17), ["PN007"]);
}
