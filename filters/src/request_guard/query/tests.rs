//! The cases of `tests/cases/query`, and properties of every query.

use http::HeaderMap;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use postern_config::{Policy, Revision};
use proptest::prelude::*;

use super::*;
use crate::{
    CompiledPolicy, DenyReason, EngineLimits, Identity, PseudonymKeys, RequestFacts, Verdict,
};

const POLICY: &str = include_str!("../../../../tests/cases/query/desk.yaml");
const CASES: &str = include_str!("../../../../tests/cases/query/cases.txt");

fn compiled() -> CompiledPolicy {
    let policy = match Policy::parse("desk.yaml", POLICY) {
        Ok(policy) => policy,
        Err(errors) => panic!("{}", errors.render(false)),
    };
    let limits = EngineLimits {
        json_depth: 128,
        held_bytes: 1 << 20,
        expand_ratio: 100,
    };
    let keys = PseudonymKeys::for_offline_use();
    CompiledPolicy::compile(policy, Revision::of_closure(&[]), limits, keys).unwrap()
}

fn decide(
    policy: &CompiledPolicy,
    role: &str,
    (method, path): (&str, &str),
    query: Option<&str>,
) -> Result<(), DenyReason> {
    let identity = Identity {
        subject: "jane".to_owned(),
        groups: vec![role.to_owned()],
        ..Identity::default()
    };
    let mut headers = HeaderMap::new();
    headers.insert("content-type", "application/json".parse().unwrap());
    let verdict = policy.decide(&RequestFacts {
        method,
        path,
        query,
        headers: &headers,
        upgrade: false,
        has_body: method == "POST",
        identity: &identity,
    });
    match verdict {
        Verdict::Allow(_) => Ok(()),
        Verdict::Deny(reason) => Err(reason),
    }
}

#[test]
fn every_query_is_answered_as_its_case_says() {
    let policy = compiled();
    let mut wrong = Vec::new();
    let mut count = 0;
    for line in CASES
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        let words: Vec<&str> = line.split_whitespace().collect();
        let [expected, role, route, query] = words[..] else {
            panic!("a case has four words: {line}");
        };
        let path = match route {
            "list" => "/cases",
            "export" => "/export",
            "open" => "/open",
            other => panic!("no route {other}"),
        };
        let found = match decide(&policy, role, ("GET", path), Some(query)) {
            Ok(()) => "ok",
            Err(DenyReason::QueryNotAllowed) => "400",
            Err(DenyReason::QueryOnHiddenField) => "403",
            Err(other) => panic!("{line}: {other:?}"),
        };
        if found != expected {
            wrong.push(format!("{line}: {found}"));
        }
        count += 1;
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(count > 150, "only {count} cases were read");
}

#[test]
fn a_posted_search_is_for_those_who_see_everything() {
    let policy = compiled();
    let search = |role, method| decide(&policy, role, (method, "/search"), None);
    assert_eq!(search("boss", "POST"), Ok(()));
    assert_eq!(search("agent", "POST"), Ok(()), "the agent sees every name");
    let less = POLICY.replace("pii.name: show, pii.contact: mask", "pii.name: mask");
    let policy = CompiledPolicy::compile(
        Policy::parse("desk.yaml", &less).unwrap(),
        Revision::of_closure(&[]),
        EngineLimits {
            json_depth: 128,
            held_bytes: 1 << 20,
            expand_ratio: 100,
        },
        PseudonymKeys::for_offline_use(),
    )
    .unwrap();
    let search = |role, method| decide(&policy, role, (method, "/search"), None);
    assert_eq!(search("boss", "POST"), Ok(()));
    assert_eq!(search("agent", "POST"), Err(DenyReason::QueryOnHiddenField));
    assert_eq!(search("agent", "GET"), Ok(()));
}

#[test]
fn a_parameter_names_at_most_sixty_four_fields() {
    let policy = compiled();
    let sort = |count: usize| {
        let query = format!("sort={}", vec!["created_at"; count].join(","));
        decide(&policy, "boss", ("GET", "/cases"), Some(&query))
    };
    // The route of the cases is called `list` and answers at `/cases`.
    assert_eq!(sort(FIELDS_MAX), Ok(()));
    assert_eq!(sort(FIELDS_MAX + 1), Err(DenyReason::QueryNotAllowed));
}

fn plain(names: &[String]) -> QueryRules {
    QueryRules {
        plain: names.to_vec(),
        params: Vec::new(),
    }
}

fn passes(rules: &QueryRules, query: &str) -> bool {
    let sight = Sight {
        shows: &|_| true,
        everything: true,
    };
    rules.judge(query, sight).is_ok()
}

proptest! {
    #[test]
    fn a_listed_name_passes_however_it_is_encoded(name in "[^\\p{C}]{1,8}", value in "[a-z0-9]{0,4}") {
        let rules = plain(std::slice::from_ref(&name));
        let encoded = utf8_percent_encode(&name, NON_ALPHANUMERIC);
        let query = format!("{encoded}={value}");
        let other = format!("x{encoded}={value}");
        let twice = format!("{query}&{query}");
        prop_assert!(passes(&rules, &query));
        prop_assert!(!passes(&rules, &other));
        prop_assert_eq!(passes(&rules, &twice), name.ends_with("[]"));
    }

    #[test]
    fn any_query_ends_in_an_answer(query in ".*") {
        let answer = passes(&plain(&["a".to_owned()]), &query);
        prop_assert!(answer || !query.is_empty());
    }

    #[test]
    fn no_value_of_any_parameter_names_a_hidden_field_unseen(
        param in prop::sample::select(vec!["sort", "fields", "$filter", "$orderby", "$select", "select", "order", "or"]),
        before in "[a-z_(),.'/ 0-9-]{0,12}",
        after in "[a-z_(),.'/ 0-9-]{0,12}",
    ) {
        // Outside of a text in quotes a hidden field's name is never read as anything else.
        prop_assume!(!before.contains('\''));
        let value = format!("{before}customer.email{after}");
        let value = utf8_percent_encode(&value, NON_ALPHANUMERIC);
        let query = format!("{param}={value}");
        let in_a_value = param == "or" && before.contains('.');
        let answer = decide(&compiled(), "agent", ("GET", "/cases"), Some(&query));
        prop_assert!(in_a_value || answer.is_err(), "{query}");
    }
}
