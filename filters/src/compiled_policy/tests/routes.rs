//! Which route, and for whom.

use super::*;

#[test]
fn the_most_specific_line_wins() {
    for (line, route) in [
        ("GET /cases/first", "one"),
        ("GET /cases/%66irst", "one"),
        ("GET /cases/firs", "read"),
        ("GET /cases/a%2Fb", "read"),
        ("HEAD /cases/7", "read"),
        ("GET /open/", "open"),
        ("PATCH /open/a/b", "open"),
        ("FOO /open", "open"),
        ("POST /login", "open"),
    ] {
        assert_eq!(route_of(&["agent"], line).as_deref(), Ok(route), "{line}");
    }
}

#[test]
fn no_spelling_of_a_path_gets_under_a_wider_route() {
    let wide = "  wide: { match: \"ANY /cases/{rest...}\" }\n  custom: { match: \"GET /cases/first:all\", \
                label: { $.name: pii.name } }\n  everything_else:";
    let policy = POLICY.replace("  everything_else:", wide);
    let compiled = compile(&policy);
    let route_of = |line| {
        let request = Ask {
            groups: &["boss"],
            line,
            headers: &[],
            has_body: false,
        };
        ask(&compiled, &request).map(|plan| plan.route().to_owned())
    };
    for (line, route) in [
        ("GET /cases/7", "read"),
        ("GET /cases/first:all", "custom"),
        ("GET /cases/first%3Aall", "custom"),
        ("GET /cases/7/notes", "wide"),
        ("GET /cases/7/notes/", "wide"),
        ("GET /cases/", "wide"),
    ] {
        assert_eq!(route_of(line).as_deref(), Ok(route), "{line}");
    }
    for line in [
        "GET /cases/7/",
        "GET /cases/first/",
        "PUT /cases/7/",
        "GET /cases/first%3aall/",
    ] {
        assert_eq!(route_of(line), Err(DenyReason::RouteDenied), "{line}");
    }
}

#[test]
fn a_line_that_ends_in_a_slash_is_believed_and_the_path_without_it_is_not_guessed() {
    let lines = "  slashed: { match: [\"GET /tickets/\", \"GET /tickets/{id}/\"] }\n  both: { match: \"GET /twice\" }\n  \
                 again: { match: \"GET /twice/\" }\n  everything_else:";
    let compiled = compile(&POLICY.replace("  everything_else:", lines));
    let route_of = |line| {
        let request = Ask {
            groups: &["boss"],
            line,
            headers: &[],
            has_body: false,
        };
        ask(&compiled, &request).map(|plan| plan.route().to_owned())
    };
    for line in ["GET /tickets/", "GET /tickets/7/"] {
        assert_eq!(route_of(line).as_deref(), Ok("slashed"), "{line}");
    }
    for line in [
        "GET /tickets",
        "GET /tickets/7",
        "GET /tickets/7//",
        "GET /twice",
        "GET /twice/",
    ] {
        assert_eq!(route_of(line), Err(DenyReason::RouteDenied), "{line}");
    }
}

#[test]
fn what_is_made_for_a_set_of_roles_is_shared_by_its_readers_tokens_apart() {
    let compiled = compiled();
    let token = |subject: &str| {
        let mut reader = reader(&["clerk"]);
        reader.subject = subject.to_owned();
        let mut pipeline = compiled.plan("one", &reader).unwrap().json_pipeline();
        let body = bytes::Bytes::from_static(br#"{"name":"Jane"}"#);
        let mut out = pipeline.push(body).unwrap().into_bytes().to_vec();
        out.extend(pipeline.finish().unwrap().into_bytes());
        out
    };
    assert_eq!(token("a"), token("a"));
    assert_ne!(token("a"), token("b"));
}

#[test]
fn what_nothing_lists_is_denied() {
    for line in [
        "GET /",
        "GET /nothing",
        "GET /cases",
        "GET /cases/",
        "GET /cases/1/2",
        "GET /Cases/1",
        "GET /secret",
        "POST /secret",
        "DELETE /cases/1",
        "OPTIONS *",
        "GET cases/1",
    ] {
        assert_eq!(
            route_of(&["boss"], line),
            Err(DenyReason::RouteDenied),
            "{line}"
        );
    }
}

#[test]
fn another_method_is_told_the_listed_ones() {
    let allow = |methods: &[&str]| {
        Err(DenyReason::MethodNotAllowed {
            allow: methods.iter().map(|method| (*method).to_owned()).collect(),
        })
    };
    let read = allow(&["GET", "HEAD", "PUT"]);
    assert_eq!(route_of(&["boss"], "PATCH /cases/1"), read);
    assert_eq!(route_of(&["boss"], "get /cases/1"), read);
    assert_eq!(
        route_of(&["boss"], "TRACE /cases/first"),
        allow(&["GET", "HEAD", "PUT"])
    );
    assert_eq!(route_of(&["boss"], "GET /login"), allow(&["POST"]));
    assert_eq!(
        route_of(&["boss"], "TRACE /open/a"),
        Err(DenyReason::RouteDenied)
    );
    assert_eq!(
        route_of(&["boss"], "CONNECT /open/a"),
        Err(DenyReason::RouteDenied)
    );
}

#[test]
fn a_reader_without_a_role_learns_nothing() {
    for line in ["GET /cases/1", "GET /nothing", "PATCH /cases/1"] {
        assert_eq!(
            route_of(&["janitor"], line),
            Err(DenyReason::NoRole),
            "{line}"
        );
        assert_eq!(route_of(&[], line), Err(DenyReason::NoRole), "{line}");
    }
    let both = Ask {
        groups: &["janitor", "boss", "agent", "boss"],
        line: "GET /cases/1",
        headers: &[],
        has_body: false,
    };
    assert_eq!(ask(&compiled(), &both).unwrap().roles(), ["agent", "boss"]);
}

#[test]
fn says_for_whom_something_can_be_hidden() {
    let compiled = compiled();
    let plan = |groups: &[&str], route: &str| compiled.plan(route, &reader(groups)).unwrap();
    let sees = |groups: &[&str], route: &str| {
        let plan = plan(groups, route);
        (plan.redacts(), plan.reads())
    };
    assert_eq!(sees(&["boss"], "read"), (false, false));
    assert_eq!(sees(&["agent"], "read"), (true, true));
    assert_eq!(sees(&["agent"], "one"), (false, false));
    assert_eq!(sees(&["boss"], "allowlist"), (true, true));
    assert_eq!(sees(&["agent"], "strict"), (false, true));
    assert_eq!(sees(&["agent"], "open"), (false, false));
    assert!(plan(&["agent"], "socket").allows_websocket());
    assert!(!plan(&["agent"], "open").allows_websocket());
    for (route, tunnels) in [
        ("socket", true),
        ("open", false),
        ("read", false),
        ("strict", false),
    ] {
        assert_eq!(
            plan(&["agent"], route).tunnel().is_some(),
            tunnels,
            "{route}"
        );
    }
}

#[test]
fn plans_without_a_request_know_the_same_refusals() {
    let compiled = compiled();
    let refusal = |groups: &[&str], route| compiled.plan(route, &reader(groups)).unwrap_err();
    assert_eq!(refusal(&["boss"], "nowhere"), DenyReason::RouteDenied);
    assert_eq!(refusal(&["boss"], "secret"), DenyReason::RouteDenied);
    assert_eq!(refusal(&["nobody"], "read"), DenyReason::NoRole);
    let none = CompiledPolicy::deny_all();
    assert_eq!(
        none.plan("read", &reader(&["boss"])).unwrap_err(),
        DenyReason::PolicyUnavailable
    );
    assert!(none.policy().is_none());
    let request = Ask {
        groups: &["boss"],
        line: "GET /open/x",
        headers: &[],
        has_body: false,
    };
    assert_eq!(
        ask(&none, &request).unwrap_err(),
        DenyReason::PolicyUnavailable
    );
}

#[test]
fn a_policy_with_tokens_needs_a_key() {
    let policy = compiled().policy().unwrap().clone();
    let limits = EngineLimits {
        json_depth: 128,
        held_bytes: 1 << 20,
        expand_ratio: 100,
    };
    let error = CompiledPolicy::compile(
        policy,
        Revision::of_closure(&[]),
        limits,
        PseudonymKeys::default(),
    );
    assert_eq!(error.unwrap_err(), CompileError::NoPseudonymKey);
}

#[test]
fn remembers_a_bounded_number_of_role_sets() {
    let names: Vec<String> = (0..11).map(|number| format!("r{number}")).collect();
    let roles: String = names
        .iter()
        .map(|name| format!("  {name}: {{ sees: {{ pii: show }} }}\n"))
        .collect();
    let policy = Policy::parse("policy.yaml", &format!("{POLICY}{roles}")).unwrap();
    let sets = RoleSets::new(&policy);
    let of = |bits: usize| {
        let chosen = names
            .iter()
            .enumerate()
            .filter(|(at, _)| bits >> at & 1 == 1);
        let groups: Vec<&str> = chosen.map(|(_, name)| name.as_str()).collect();
        sets.of(&policy, &reader(&groups)).unwrap()
    };
    let first = of(1);
    for bits in 2..=1024 {
        assert_eq!(of(bits).roles.len(), bits.count_ones() as usize);
    }
    assert!(Arc::ptr_eq(&first, &of(1)), "the 1024th set still fits");
    of(1025);
    assert!(!Arc::ptr_eq(&first, &of(1)), "the 1025th begins anew");
}

#[test]
fn readers_in_one_role_do_not_share_their_tokens() {
    let compiled = compiled();
    let read = |subject: &str| {
        let identity = Identity {
            subject: subject.to_owned(),
            ..reader(&["clerk"])
        };
        let mut body = compiled.plan("read", &identity).unwrap().json_pipeline();
        let text = bytes::Bytes::from_static(br#"{"name":"Jane"}"#);
        let mut out = body.push(text).unwrap().into_bytes().to_vec();
        out.extend(body.finish().unwrap().into_bytes());
        String::from_utf8(out).unwrap()
    };
    let one = read("a");
    assert!(one.starts_with(r#"{"name":"~test."#), "{one}");
    assert_eq!(read("a"), one);
    assert_ne!(read("b"), one);
}

#[test]
fn a_refusal_can_be_placed_by_route_and_roles() {
    let compiled = compiled();
    let headers = HeaderMap::new();
    let place = |method: &str, path: &str, groups: &[&str]| {
        let identity = Identity {
            groups: groups.iter().map(|group| (*group).to_owned()).collect(),
            ..Identity::default()
        };
        let (route, roles) = compiled.place_of(&RequestFacts {
            method,
            path,
            query: None,
            headers: &headers,
            upgrade: false,
            has_body: false,
            identity: &identity,
        });
        (route.map(str::to_owned), roles)
    };
    let agent = vec!["agent".to_owned()];
    let named = |name: &str| Some(name.to_owned());
    assert_eq!(
        place("GET", "/nowhere", &["agent"]),
        (named("everything_else"), agent.clone())
    );
    assert_eq!(
        place("GET", "/cases/7", &["agent", "x"]),
        (named("read"), agent)
    );
    assert_eq!(
        place("GET", "/cases/7", &["x"]),
        (named("read"), Vec::new())
    );
    assert_eq!(
        CompiledPolicy::deny_all().place_of(&RequestFacts {
            method: "GET",
            path: "/",
            query: None,
            headers: &headers,
            upgrade: false,
            has_body: false,
            identity: &Identity::default(),
        }),
        (None, Vec::new())
    );
}

#[test]
fn every_exchange_knows_its_quotas_and_the_limit_of_its_roles() {
    let quotas = "quotas:\n  \
                  day: { unit: requests, per: identity, window: 24h, limit: { agent: 3, boss: 9, clerk: 0 } }\n  \
                  burst: { unit: bytes, per: role, window: 1m, limit: { '*': 1KiB } }\n";
    let limits = |text: &str, groups: &[&str]| -> Vec<(String, u64)> {
        let compiled = compile(text);
        assert_eq!(compiled.quotas().len(), 2);
        let plan = compiled.plan("read", &reader(groups)).unwrap();
        let again = compiled.plan("open", &reader(groups)).unwrap();
        assert!(
            std::ptr::eq(plan.quotas(), again.quotas()),
            "made once for a set of roles"
        );
        let applied = plan.quotas().iter();
        applied
            .map(|one| (one.quota.name.clone(), one.limit))
            .collect()
    };
    let expected = |day: u64| vec![("day".to_owned(), day), ("burst".to_owned(), 1024)];
    let strict = format!("{POLICY}{quotas}");
    assert_eq!(limits(&strict, &["boss"]), expected(9));
    assert_eq!(limits(&strict, &["boss", "nobody", "agent"]), expected(3));
    assert_eq!(limits(&strict, &["boss", "clerk"]), expected(0));
    let open = format!("{POLICY}several_roles: most_open\n{quotas}");
    assert_eq!(limits(&open, &["boss", "clerk"]), expected(9));
    assert!(compiled().quotas().is_empty() && CompiledPolicy::deny_all().quotas().is_empty());
}
