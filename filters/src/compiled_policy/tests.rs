//! Decisions: which route, who, what may be asked and written.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::*;

const POLICY: &str = r#"
policy: v1
name: desk
identity: { from: header, subject: X-Subject, roles: X-Roles, trusted: [unix], without_a_role: deny }
labels: { pii.name: Names, pii.mail: Mail, note: Notes }
routes:
  read:
    match: ["GET /cases/{id}", "PUT /cases/{id}", "HEAD /cases/{id}"]
    label: { $.name: pii.name, $.mail: [pii.mail, note] }
  one:
    match: GET /cases/first
    label: { $.name: pii.name }
    query: [page, "tag[]", "a b"]
  allowlist:
    match: [GET /export, POST /export]
    label: { $.name: pii.name }
    unlabelled: remove
  strict:
    match: [GET /strict, POST /strict]
    required: [$.id]
  open:
    match: ["ANY /open/{rest...}", POST /login]
  listed:
    match: GET /listed
    query: [q]
  socket:
    match: GET /socket
    allow: [websocket]
  secret:
    match: ["DELETE /cases/{id}", GET /secret]
    deny: true
  everything_else:
    match: ANY /{path...}
    deny: true
roles:
  agent: { sees: { pii.name: show, pii.mail: mask, note: show } }
  boss: { sees: { pii: show, note: show } }
  clerk: { sees: { pii: { pseudonym: { scope: identity } } } }
"#;

fn compiled() -> CompiledPolicy {
    let policy = match Policy::parse("policy.yaml", POLICY) {
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

fn reader(groups: &[&str]) -> Identity {
    Identity {
        subject: "jane".to_owned(),
        groups: groups.iter().map(|group| (*group).to_owned()).collect(),
        ..Identity::default()
    }
}

/// `METHOD /path?query`, headers, and whether there is a body.
struct Ask<'a> {
    groups: &'a [&'a str],
    line: &'a str,
    headers: &'a [(&'static str, &'static str)],
    has_body: bool,
}

fn ask(compiled: &CompiledPolicy, ask: &Ask<'_>) -> Result<ExchangePlan, DenyReason> {
    let mut headers = HeaderMap::new();
    for (name, value) in ask.headers {
        headers.append(
            HeaderName::from_static(name),
            HeaderValue::from_static(value),
        );
    }
    let (method, target) = ask.line.split_once(' ').unwrap();
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (target, None),
    };
    let verdict = compiled.decide(&RequestFacts {
        method,
        path,
        query,
        upgrade: headers.contains_key("upgrade"),
        headers: &headers,
        has_body: ask.has_body,
        identity: &reader(ask.groups),
    });
    match verdict {
        Verdict::Allow(plan) => Ok(*plan),
        Verdict::Deny(reason) => Err(reason),
    }
}

fn route_of(groups: &[&str], line: &str) -> Result<String, DenyReason> {
    let request = Ask {
        groups,
        line,
        headers: &[],
        has_body: false,
    };
    ask(&compiled(), &request).map(|plan| plan.route().to_owned())
}

fn with_headers(
    line: &str,
    headers: &[(&'static str, &'static str)],
    has_body: bool,
) -> Result<String, DenyReason> {
    let request = Ask {
        groups: &["agent"],
        line,
        headers,
        has_body,
    };
    ask(&compiled(), &request).map(|plan| plan.route().to_owned())
}

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
fn a_query_may_ask_only_for_what_is_listed() {
    for passes in [
        "/cases/first?page=2",
        "/cases/first?",
        "/cases/first?p%61ge=2",
        "/cases/first?tag[]=a&tag%5B%5D=b",
        "/cases/first?a+b=1&page=%20",
        "/cases/first?a%20b",
        "/open/x?anything=goes;here&a&a",
        "/listed?q=1",
    ] {
        let line = format!("GET {passes}");
        assert!(route_of(&["agent"], &line).is_ok(), "{line}");
    }
    for refused in [
        "/cases/first?fields=ssn",
        "/cases/first?Page=2",
        "/cases/first?page=1&page=2",
        "/cases/first?page[]=1",
        "/cases/first?page[x]=1",
        "/cases/first?page%00=1",
        "/cases/first?page=%00",
        "/cases/first?page=%0a",
        "/cases/first?page=%zz",
        "/cases/first?page=%2",
        "/cases/first?page=%",
        "/cases/first?p%E9ge=1",
        "/cases/first?=1",
        "/cases/first?page=1;fields=ssn",
        "/cases/first?tag=1",
        "/cases/first?_method=DELETE",
        "/cases/7?x",
        "/export?format=csv",
        "/listed?p=1",
    ] {
        let line = format!("GET {refused}");
        assert_eq!(
            route_of(&["boss"], &line),
            Err(DenyReason::QueryNotAllowed),
            "{line}"
        );
    }
}

#[test]
fn a_write_needs_full_sight() {
    let put = "PUT /cases/1";
    assert_eq!(route_of(&["boss"], put).as_deref(), Ok("read"));
    assert_eq!(
        route_of(&["agent"], put),
        Err(DenyReason::WriteOfHiddenField)
    );
    assert_eq!(
        route_of(&["agent", "boss"], put),
        Err(DenyReason::WriteOfHiddenField)
    );
    assert_eq!(
        route_of(&["clerk"], put),
        Err(DenyReason::WriteOfHiddenField)
    );
    // What nobody labelled is hidden there too.
    assert_eq!(
        route_of(&["boss"], "POST /export"),
        Err(DenyReason::WriteOfHiddenField)
    );
    assert_eq!(
        route_of(&["agent"], "POST /strict").as_deref(),
        Ok("strict")
    );
    assert_eq!(route_of(&["agent"], "POST /login").as_deref(), Ok("open"));
}

#[test]
fn a_write_that_could_not_be_read_is_called_that() {
    let json = ("content-type", "application/json");
    for (headers, has_body, expected) in [
        (&[json][..], true, DenyReason::WriteOfHiddenField),
        (
            &[json, ("content-encoding", "identity")],
            true,
            DenyReason::WriteOfHiddenField,
        ),
        (&[], false, DenyReason::WriteOfHiddenField),
        (&[], true, DenyReason::UnsupportedMediaType),
        (
            &[("content-type", "application/xml")],
            true,
            DenyReason::UnsupportedMediaType,
        ),
        (&[json, json], true, DenyReason::UnsupportedMediaType),
        (
            &[json, ("content-encoding", "gzip")],
            true,
            DenyReason::UnsupportedMediaType,
        ),
        (
            &[("content-type", "application/json; charset=utf-16")],
            true,
            DenyReason::UnsupportedMediaType,
        ),
    ] {
        assert_eq!(
            with_headers("PUT /cases/1", headers, has_body),
            Err(expected),
            "{headers:?}"
        );
    }
}

#[test]
fn an_upgrade_needs_a_route_that_allows_it() {
    let websocket = [
        ("connection", "Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
    ];
    let refused = Err(DenyReason::UpgradeRefused);
    assert_eq!(
        with_headers("GET /socket", &websocket, false).as_deref(),
        Ok("socket")
    );
    assert_eq!(with_headers("GET /cases/1", &websocket, false), refused);
    assert_eq!(with_headers("GET /open/x", &websocket, false), refused);
    assert_eq!(
        with_headers("GET /socket", &[("upgrade", "h2c")], false),
        refused
    );
    assert_eq!(with_headers("GET /socket", &websocket[..2], false), refused);
}

#[test]
fn a_client_that_accepts_no_coding_is_told_so() {
    let nothing = [("accept-encoding", "identity;q=0, *;q=0")];
    assert_eq!(
        with_headers("GET /cases/1", &nothing, false),
        Err(DenyReason::NotAcceptable)
    );
    assert!(with_headers("GET /open/x", &nothing, false).is_ok());
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
    let compiled = compiled();
    let ready = compiled.ready.as_ref().unwrap();
    let first = ready.roles(&reader(&["agent"])).unwrap();
    assert!(Arc::ptr_eq(
        &first,
        &ready.roles(&reader(&["agent", "x"])).unwrap()
    ));
    assert!(!Arc::ptr_eq(
        &first,
        &ready.roles(&reader(&["boss"])).unwrap()
    ));
}
