//! What a policy that loads means: inherited labels, nearest rules, strictness, specificity.

use std::cmp::Ordering;

use postern_config::action::{DatePart, EpochUnit};
use postern_config::identity::{IdentityRule, KeySource, TrustedPeer};
use postern_config::secret::Reference;
use postern_config::{Action, Generalize, Mask, Policy, PseudonymScope, Quota, Route, RouteMatch};

use super::files::{files, good};

fn example(name: &str) -> Policy {
    let (_, text) = files("docs/examples")
        .into_iter()
        .find(|(file, _)| file == name)
        .unwrap();
    Policy::parse(name, &text).unwrap()
}

fn route<'a>(policy: &'a Policy, name: &str) -> &'a Route {
    policy
        .routes
        .iter()
        .find(|route| route.name == name)
        .unwrap()
}

/// What each role does to each label: roles across, labels down, as one text.
fn matrix(policy: &Policy) -> String {
    let mut text = String::new();
    for (label, _) in policy.labels.iter() {
        text += label.as_str();
        for role in policy.roles.values() {
            let (action, _) = policy.action(role, label);
            let cell = match action {
                Action::Show => "show".to_owned(),
                Action::Mask(Mask::ByShape) => "mask".to_owned(),
                Action::Mask(Mask::Keep { first, last }) => format!("keep{first}+{last}"),
                Action::Generalize(Generalize::Year) => "year".to_owned(),
                Action::Generalize(Generalize::Month) => "month".to_owned(),
                Action::Generalize(Generalize::Epoch(part, _)) => format!("{part:?}"),
                Action::Generalize(Generalize::Bucket(width)) => format!("bucket{width}"),
                Action::Generalize(Generalize::Prefix(kept)) => format!("prefix{kept}"),
                Action::Pseudonym(PseudonymScope::Identity) => "own".to_owned(),
                Action::Pseudonym(PseudonymScope::Role) => "role".to_owned(),
                Action::Pseudonym(PseudonymScope::Tenant) => "tenant".to_owned(),
                Action::Pseudonym(PseudonymScope::Case) => "case".to_owned(),
                Action::Redact { with } => format!("redact{}", with.unwrap_or_default()),
                Action::Remove => "remove".to_owned(),
                Action::Detect => "detect".to_owned(),
            };
            text += &format!(" {}={cell}", role.name);
        }
        text += "\n";
    }
    text
}

#[test]
fn the_support_desk_means_what_it_says() {
    let expected = "\
note.internal agent=show auditor=show contractor=remove supervisor=show
payment.card agent=keep0+4 auditor=remove contractor=remove supervisor=keep0+4
pii.contact agent=mask auditor=own contractor=remove supervisor=show
pii.gov_id agent=keep0+4 auditor=own contractor=remove supervisor=keep0+4
pii.name agent=show auditor=own contractor=remove supervisor=show
secret agent=remove auditor=remove contractor=remove supervisor=remove
text.free agent=redact auditor=redact contractor=redact supervisor=show
";
    assert_eq!(matrix(&example("support-desk.yaml")), expected);
}

#[test]
fn of_two_equally_near_parents_the_stricter_rule_wins() {
    let expected = "\
payment agent=show report=redact0
payment.amount agent=show report=bucket100
pii agent=mask report=remove
pii.birth agent=mask report=year
pii.card agent=keep0+4 report=tenant
pii.place agent=mask report=prefix2
";
    assert_eq!(matrix(&example("mtls.yaml")), expected);
    let expected = "\
pii.contact agent=mask
pii.name agent=show
restricted agent=mask
restricted.high agent=mask
";
    // `pii` is one step from `pii.contact`, `restricted` two; yet `pii.name` and `restricted.high`
    // are as near as `pii`, and none of the three but `pii` is ruled on.
    let parents = matrix(&good("parents.yaml"));
    assert_eq!(
        parents,
        expected.replace("pii.contact agent=mask", "pii.contact agent=show")
    );
}

#[test]
fn labels_move_below_the_place_that_under_names() {
    let policy = example("support-desk.yaml");
    let texts = |name: &str| -> Vec<String> {
        let rules = &route(&policy, name).rules;
        rules
            .iter()
            .map(|rule| rule.selector.text().to_owned())
            .collect()
    };
    let read = texts("case.read");
    assert_eq!(read.len(), 7);
    assert_eq!(read[1], "$.customer['email','phone','address']");
    let list = texts("case.list");
    assert_eq!(list[1], "$.cases[*].customer['email','phone','address']");
    assert_eq!(list[5], "$.cases[*]..internal_note");
    assert_eq!(texts("case.export")[0], "$[*].customer.name");
    let written: Vec<_> = route(&policy, "case.list")
        .rules
        .iter()
        .map(|r| &r.written)
        .collect();
    assert_eq!(written[0], "$.customer.name");
    let chained = good("chains.yaml");
    let same = route(&chained, "same");
    let texts: Vec<_> = same.rules.iter().map(|rule| rule.selector.text()).collect();
    assert_eq!(
        texts,
        [
            "$.owner",
            "$.pages[*].cases[*].customer.name",
            "$.pages[*].cases[*].customer.email"
        ]
    );
}

#[test]
fn a_moved_selector_is_the_one_its_text_says() {
    for policy in [example("support-desk.yaml"), good("chains.yaml")] {
        for rule in policy.routes.iter().flat_map(|route| &route.rules) {
            let again = postern_config::Selector::parse(rule.selector.text()).unwrap();
            assert_eq!(again, rule.selector);
        }
    }
}

#[test]
fn an_identity_is_read_as_written() {
    let IdentityRule::Jwt(jwt) = example("support-desk.yaml").identity else {
        panic!("support-desk reads tokens")
    };
    assert_eq!(jwt.issuer, "https://idp.example.com");
    assert_eq!(
        jwt.keys,
        KeySource::Reference(Reference::File("jwks.json".to_owned()))
    );
    assert_eq!(jwt.tenant.unwrap().text(), "$.tenant");
    let IdentityRule::Mtls(mtls) = example("mtls.yaml").identity else {
        panic!("mtls reads certificates")
    };
    assert_eq!(mtls.roles.roles_of("spiffe://desk/agent/ann"), ["agent"]);
    assert!(mtls.roles.roles_of("spiffe://desk/agents/ann").is_empty());
    let IdentityRule::Header(header) = example("header.yaml").identity else {
        panic!("header reads headers")
    };
    let loopback = TrustedPeer::Net {
        address: "127.0.0.1".parse().unwrap(),
        prefix: 32,
    };
    assert_eq!(header.trusted, [TrustedPeer::Unix, loopback]);
}

#[test]
fn the_more_specific_match_wins_segment_by_segment() {
    let policy = good("matches.yaml");
    let matches: Vec<&RouteMatch> = policy.routes.iter().flat_map(|r| &r.matches).collect();
    let find = |method: &str, path: &str| {
        let written = |one: &&&RouteMatch| format!("{:?} {:?}", one.method, one.path);
        let wanted = format!("{method} {path}");
        *matches.iter().find(|one| written(one) == wanted).unwrap()
    };
    let literal = |s: &str| format!("Literal({s:?})");
    let parameter = |s: &str| format!("Parameter({s:?})");
    let cases = literal("cases");
    let new = find(
        "Exactly(\"GET\")",
        &format!("[{cases}, {}]", literal("new")),
    );
    let exact = find(
        "Exactly(\"GET\")",
        &format!("[{cases}, {}]", parameter("id")),
    );
    let any = find("Any", &format!("[{cases}, {}]", parameter("id")));
    let rest = find(
        "Exactly(\"GET\")",
        &format!("[{cases}, {}, Rest(\"rest\")]", parameter("id")),
    );
    let everything = find("Any", "[Rest(\"path\")]");
    let order = [everything, rest, any, exact, new];
    for (low, pair) in order.iter().zip(order.iter().skip(1)) {
        assert_eq!(
            pair.cmp_specificity(low),
            Ordering::Greater,
            "{pair:?} {low:?}"
        );
        assert_eq!(low.cmp_specificity(pair), Ordering::Less);
    }
    for one in &matches {
        for other in &matches {
            let ordering = one.cmp_specificity(other);
            assert_eq!(ordering, other.cmp_specificity(one).reverse());
        }
    }
}

#[test]
fn strictness_is_a_total_order_that_every_pair_agrees_on() {
    let order = [
        Action::Show,
        Action::Mask(Mask::ByShape),
        Action::Mask(Mask::Keep { first: 2, last: 4 }),
        Action::Mask(Mask::Keep { first: 0, last: 4 }),
        Action::Generalize(Generalize::Epoch(DatePart::Month, EpochUnit::Seconds)),
        Action::Generalize(Generalize::Epoch(DatePart::Month, EpochUnit::Millis)),
        Action::Generalize(Generalize::Month),
        Action::Generalize(Generalize::Epoch(DatePart::Year, EpochUnit::Seconds)),
        Action::Generalize(Generalize::Epoch(DatePart::Year, EpochUnit::Millis)),
        Action::Generalize(Generalize::Year),
        Action::Generalize(Generalize::Prefix(3)),
        Action::Generalize(Generalize::Prefix(2)),
        Action::Generalize(Generalize::Bucket(10)),
        Action::Generalize(Generalize::Bucket(100)),
        Action::Pseudonym(PseudonymScope::Tenant),
        Action::Pseudonym(PseudonymScope::Role),
        Action::Pseudonym(PseudonymScope::Identity),
        Action::Pseudonym(PseudonymScope::Case),
        Action::Redact {
            with: Some("1".to_owned()),
        },
        Action::Redact { with: None },
        Action::Remove,
    ];
    for (i, a) in order.iter().enumerate() {
        for (j, b) in order.iter().enumerate() {
            assert_eq!(a.strictness(b), i.cmp(&j), "{a:?} {b:?}");
            let stricter = a.clone().stricter(b.clone());
            assert_eq!(&stricter, if i < j { b } else { a });
        }
    }
}

#[test]
fn findings_that_do_not_keep_a_policy_from_loading_are_kept() {
    let text = files("tests/cases/policy/lint")
        .into_iter()
        .find(|(name, _)| name == "unused-label.yaml")
        .unwrap()
        .1;
    let policy = Policy::parse("lint.yaml", &text).unwrap();
    let report = policy.lints().render(false);
    assert!(report.starts_with("lint[PN101]: label `secret` is attached to no field\n"));
    assert!(report.ends_with("1 lint finding in lint.yaml; `postern explain PN101` says more\n"));
}

/// Every quota of a policy in one line each, with the limit of each role.
fn quotas(policy: &Policy) -> String {
    let mut text = String::new();
    for quota in &policy.quotas {
        let Quota {
            name, unit, per, ..
        } = quota;
        text += &format!(
            "{name}: {} per {} in {}",
            unit.word(),
            per.word(),
            quota.window_text()
        );
        text += &format!(
            ", {}, {}",
            quota.on_exceed.word(),
            quota.if_store_is_down.word()
        );
        text += &quota
            .warn_at
            .map(|share| format!(", warn at {share}"))
            .unwrap_or_default();
        for (role, limit) in quota.limit.iter() {
            text += &format!(" {role}={limit}");
        }
        text += "\n";
    }
    text
}

#[test]
fn a_quota_binds_every_role_by_its_own_entry_then_an_inherited_one_then_the_star() {
    let expected = "\
subjects-a-day: subjects per identity in 1d, truncate, local_share, warn at 80 agent=200 auditor=9223372036854775807 trainee=0
inherited: records per session in 1m, step_up, deny agent=300 auditor=10 trainee=300
volume: bytes per tenant in 31d, alert, deny agent=4096 auditor=10485760 trainee=4096
calls: requests per role in 1s, deny, deny, warn at 100 agent=20 auditor=20 trainee=20
";
    assert_eq!(quotas(&good("quotas.yaml")), expected);
    let expected = "\
subjects-a-day: subjects per identity in 1d, deny, deny, warn at 80 agent=200 auditor=2000 contractor=50 supervisor=400
burst: records per session in 1m, deny, deny agent=300 auditor=300 contractor=300 supervisor=300
";
    assert_eq!(quotas(&example("support-desk.yaml")), expected);
    assert!(good("no-quotas.yaml").quotas.is_empty());
}

#[test]
fn a_policy_whose_quotas_count_neither_records_nor_people_needs_to_name_none() {
    let policy = good("quotas-of-requests.yaml");
    assert!(
        policy.lints().errors.is_empty(),
        "{}",
        policy.lints().render(false)
    );
}
