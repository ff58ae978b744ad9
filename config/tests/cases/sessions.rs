//! What `sessions` and `from: session` mean once they load, and where their bounds are.

use std::time::Duration;

use postern_config::identity::{IdentityRule, SessionRoles, SessionRule, UserSource};
use postern_config::sessions::{
    Access, Binding, BindingLevel, MaxSessions, OnLimit, OnMismatch, RuleAction, RuleId,
};
use postern_config::{Policy, Sessions};

use super::files::{files, good};

fn sessions(name: &str) -> Sessions {
    good(name).sessions.unwrap()
}

fn rule(name: &str) -> SessionRule {
    let IdentityRule::Session(rule) = good(name).identity else {
        panic!("{name} has no login")
    };
    rule
}

/// The codes that the case `sessions-by-default` is refused with once its section says this.
fn codes(section: &str) -> Vec<&'static str> {
    let text = files("tests/cases/policy/good")
        .into_iter()
        .find(|(file, _)| file == "sessions-by-default.yaml")
        .unwrap()
        .1;
    let text = text.replace("sessions: {}", &format!("sessions: {section}"));
    match Policy::parse("sessions", &text) {
        Ok(_) => Vec::new(),
        Err(errors) => errors.errors.iter().map(|error| error.code).collect(),
    }
}

#[test]
fn an_empty_section_takes_every_default_and_none_is_none() {
    assert_eq!(sessions("sessions-by-default.yaml"), Sessions::default());
    assert!(good("smallest.yaml").sessions.is_none());
}

#[test]
fn a_section_is_read_as_written() {
    let read = sessions("sessions.yaml");
    assert_eq!(read.passthrough, ["theme", "Language"]);
    let bind: Vec<Binding> = read.bind.iter().copied().collect();
    assert_eq!(bind, [Binding::Dpop, Binding::Dbsc, Binding::Context]);
    assert_eq!(read.on_mismatch, OnMismatch::StepUp);
    for (rule, action) in [
        (RuleId::H01, RuleAction::StepUp),
        (RuleId::H05a, RuleAction::Observe),
        (RuleId::H06, RuleAction::Downgrade),
        (RuleId::H13, RuleAction::Observe),
        (RuleId::H14, RuleAction::Revoke),
        (RuleId::H09, RuleAction::Revoke),
    ] {
        assert_eq!(read.for_rule(rule), action, "{rule:?}");
    }
    let lasting = [
        read.idle,
        read.longest,
        read.rotate,
        read.bound_for,
        read.unbound_for,
        read.step_up_for,
    ];
    let seconds = [600, 28_800, 1_800, 200, 30, 120];
    assert_eq!(lasting.map(|d| d.as_secs()), seconds);
    assert_eq!(read.max_sessions, MaxSessions { browser: 1, api: 5 });
    assert_eq!(read.on_limit, OnLimit::EvictOldest);
    assert_eq!(read.decoy.as_deref(), Some("JSESSIONID"));
}

#[test]
fn names_of_a_policy_are_tokens_where_they_are_written_and_nowhere_else() {
    let token = sessions("sessions.yaml").token;
    for name in ["LEGACYSID", "legacysid", "Roundup_Session_classic", "sid"] {
        assert!(token.is_cookie(name), "{name}");
    }
    assert!(!token.is_cookie("theme"));
    assert!(token.is_request_header("x-desk-ticket") && token.is_response_header("x-desk-ticket"));
    assert!(!token.is_cookie("x-desk-ticket"));
    assert!(token.is_parameter("DESK") && !token.is_parameter("desks"));
    for name in ["desk_ticket", "DeskTicket", "oauth-client_secret"] {
        assert!(token.is_member(name), "{name}");
    }
    assert!(!token.is_member("desk"));
}

#[test]
fn of_all_levels_that_apply_the_highest_holds() {
    let policy = good("sessions.yaml");
    let required = policy.sessions.unwrap().required;
    let level = |method: &str, route: &str, roles: &[&str]| {
        let route = policy.routes.iter().find(|one| one.name == route).unwrap();
        let roles: Vec<String> = roles.iter().map(|&role| role.to_owned()).collect();
        required.level(method, route, &roles).number()
    };
    assert_eq!(level("GET", "case.read", &[]), 2);
    assert_eq!(level("GET", "case.export", &[]), 1);
    assert_eq!(level("GET", "everything_else", &[]), 0);
    assert_eq!(level("POST", "everything_else", &[]), 1);
    // `lead` has the entry of `agent`, which it extends.
    assert_eq!(level("GET", "everything_else", &["lead"]), 1);
    assert_eq!(level("GET", "everything_else", &["gone"]), 0);
    assert_eq!(required.of(Access::Approve), BindingLevel::Key);
}

#[test]
fn exports_need_a_key_where_nothing_else_is_said() {
    let policy = good("sessions-by-default.yaml");
    let required = policy.sessions.unwrap().required;
    for (route, expected) in [
        ("case.read", BindingLevel::Unbound),
        ("case.export", BindingLevel::Key),
    ] {
        let route = policy.routes.iter().find(|one| one.name == route).unwrap();
        assert_eq!(
            required.level("GET", route, &[]),
            expected,
            "{}",
            route.name
        );
    }
}

#[test]
fn behind_a_neighbour_no_certificate_binds_and_no_session_rests_longer_than_it_lives() {
    let read = sessions("sessions-of-a-neighbour.yaml");
    assert!(!read.bind.contains(&Binding::Mtls) && read.bind.len() == 3);
    assert_eq!(read.reachable_level(), BindingLevel::Key);
    assert_eq!(read.idle, Duration::from_secs(300));
}

#[test]
fn a_login_is_told_by_all_that_is_written_of_its_answer() {
    let form = rule("login-by-form.yaml").login.success;
    assert!(form.allows_head(302, None) && form.allows_head(302, Some("/")));
    assert!(!form.allows_head(200, None));
    let follow = rule("login-followed-up.yaml").login.success;
    assert!(follow.allows_head(302, Some("/desk/home")));
    for (status, location) in [
        (303, Some("/desk/home")),
        (302, Some("/login")),
        (302, Some("/Desk/home")),
        (302, None),
    ] {
        assert!(
            !follow.allows_head(status, location),
            "{status} {location:?}"
        );
    }
    let answer = rule("login-by-answer.yaml").login.success;
    assert!(answer.allows_head(201, None) && !answer.allows_head(204, None));
    assert_eq!(answer.json.unwrap().text(), "$.user");
}

#[test]
fn who_logged_in_is_read_where_the_policy_says() {
    let form = rule("login-by-form.yaml");
    assert!(matches!(&form.login.user, UserSource::Form { field } if field == "username"));
    assert!(form.logout.is_empty());
    let answer = rule("login-by-answer.yaml");
    assert!(matches!(&answer.login.user, UserSource::Answer(user) if user.text() == "$.user.id"));
    assert!(
        matches!(&answer.roles, SessionRoles::FromAnswer(at) if at.text() == "$.user.groups[*]")
    );
    assert_eq!((answer.login.matches.len(), answer.logout.len()), (3, 1));
    let followed = rule("login-followed-up.yaml");
    let UserSource::FollowUp { path, user } = &followed.login.user else {
        panic!("login-followed-up asks again")
    };
    assert_eq!((path.as_str(), user.text()), ("/rest/me", "$.id"));
}

#[test]
fn roles_are_those_of_every_pattern_that_stands_for_the_name() {
    let roles = |file: &str, name: &str| match rule(file).roles {
        SessionRoles::ByUser(map) => map.roles_of(name),
        SessionRoles::FromAnswer(_) => panic!("{file} maps names"),
    };
    assert_eq!(roles("login-followed-up.yaml", "boss-1"), ["agent", "lead"]);
    assert_eq!(roles("login-followed-up.yaml", "Boss-1"), ["agent"]);
    // What was typed is compared in lower case, so the pattern is too.
    let typed = postern_config::identity::typed_name(" BOSS ");
    assert_eq!(roles("login-by-form.yaml", &typed), ["agent", "lead"]);
    assert_eq!(roles("login-by-form.yaml", "bosse"), ["agent"]);
}

#[test]
fn sessions_hold_at_their_bounds_and_no_further() {
    for ok in [
        "{ idle: 60s }",
        "{ idle: 24h, longest: 24h }",
        "{ idle: 12h }",
        "{ longest: 1m }",
        "{ longest: 30d }",
        "{ rotate: 60s }",
        "{ rotate: 1d }",
        "{ bound_for: 180s }",
        "{ bound_for: 1h }",
        "{ unbound_for: 5s }",
        "{ unbound_for: 10m }",
        "{ step_up_for: 30s }",
        "{ step_up_for: 60m }",
        "{ max_sessions: { browser: 1, api: 1000 } }",
        "{ required: { read: 0, write: 3 } }",
    ] {
        assert_eq!(codes(ok), [""; 0], "{ok}");
    }
    for bad in [
        "{ idle: 59s }",
        "{ idle: 86401s, longest: 2d }",
        "{ idle: 43201s }",
        "{ longest: 59s }",
        "{ longest: 2592001s }",
        "{ rotate: 59s }",
        "{ rotate: 86401s }",
        "{ bound_for: 179s }",
        "{ bound_for: 3601s }",
        "{ unbound_for: 4s }",
        "{ unbound_for: 601s }",
        "{ step_up_for: 29s }",
        "{ step_up_for: 3601s }",
        "{ max_sessions: { browser: 0 } }",
        "{ max_sessions: { api: 1001 } }",
        "{ required: { read: 4 } }",
    ] {
        assert_eq!(codes(bad), ["PN007"], "{bad}");
    }
}

#[test]
fn lists_of_names_and_names_end_where_they_should() {
    let list = |count: usize| {
        let names: Vec<String> = (0..count).map(|n| format!("n{n}")).collect();
        codes(&format!("{{ passthrough: [{}] }}", names.join(", ")))
    };
    assert_eq!(list(64), [""; 0]);
    assert_eq!(list(65), ["PN007"]);
    let name = |length: usize| codes(&format!("{{ decoy: {} }}", "d".repeat(length)));
    assert_eq!(name(128), [""; 0]);
    assert_eq!(name(129), ["PN095"]);
    let name = |length: usize| codes(&format!("{{ token: {{ json: {} }} }}", "d".repeat(length)));
    assert_eq!(name(128), [""; 0]);
    assert_eq!(name(129), ["PN095"]);
}

#[test]
fn a_member_that_is_nothing_but_marks_would_be_every_member() {
    for all in ["'*'", "'_*-'", "'__'"] {
        assert_eq!(
            codes(&format!("{{ token: {{ json: {all} }} }}")),
            ["PN095"],
            "{all}"
        );
    }
    let twice = codes("{ token: { json: [desk_ref, deskRef] } }");
    assert_eq!(twice, ["PN007"], "they are compared as one");
}
