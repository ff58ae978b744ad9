//! A token of the application that lies in the vault and comes in from outside: whoever brings it gets nothing for
//! it, and the session that it belongs to is over, or what else the policy says.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};

use crate::legacy_desk::{Given, desk};
use crate::origin::{Answer, Origin};
use crate::postern::{IDENTITY, POLICY, Reply, Stage, start, token};
use crate::proxy_sessions::{Browser, staged};

/// Everything that the desk has given out of one kind.
fn given(given: &Arc<Mutex<Given>>, kind: &str) -> BTreeSet<String> {
    let secrets = &given.lock().unwrap().secrets;
    let of_kind = secrets.iter().filter(|secret| secret.starts_with(kind));
    of_kind.cloned().collect()
}

/// A desk behind Postern with this rule.
async fn with_rule(rule: &str) -> (Origin, Arc<Mutex<Given>>, Stage) {
    let (origin, given) = desk().await;
    let sessions = format!("{{ bind: [context], required: {{ export: 0 }}{rule} }}");
    let stage = staged(&origin, &sessions).await;
    (origin, given, stage)
}

/// Somebody logs in, and this is what the desk gave them as their session.
async fn somebody<'s>(stage: &'s Stage, desk: &Arc<Mutex<Given>>) -> (Browser<'s>, String) {
    let before = given(desk, "session");
    let mut browser = Browser::new(stage);
    assert_eq!(browser.log_in("agent").await.status, 302);
    let after = given(desk, "session");
    let stolen = after.difference(&before).next().unwrap().clone();
    (browser, stolen)
}

async fn findings(stage: &Stage) -> u64 {
    let metrics = stage.metrics().await;
    let line = metrics
        .lines()
        .find_map(|line| line.strip_prefix("postern_findings_total{rule=\"H09\"} "));
    line.map_or(0, |count| count.parse().unwrap())
}

fn told(reply: &Reply) -> (u16, String) {
    (reply.status, reply.slug())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stolen_token_opens_nothing_and_ends_the_session_it_was_taken_from() {
    let (origin, desk, stage) = with_rule("").await;
    let ways: [(&str, &str); 4] = [
        ("/home", "Cookie: sid=STOLEN\r\n"),
        ("/home", "Cookie: theme=dark; other=\"STOLEN\"\r\n"),
        ("/api", "Authorization: Bearer STOLEN\r\n"),
        ("/home?sid=STOLEN&tab=1", ""),
    ];
    for (number, (target, field)) in (1..).zip(ways) {
        let (mut owner, stolen) = somebody(&stage, &desk).await;
        assert_eq!(owner.get("/home").await.status, 200);
        let asked = origin.requests().len();
        let (target, field) = (
            target.replace("STOLEN", &stolen),
            field.replace("STOLEN", &stolen),
        );
        let mut thief = Browser::new(&stage);
        let reply = thief.send("GET", &target, &field, "").await;
        assert_eq!(
            told(&reply),
            (401, "session-missing".to_owned()),
            "{target}"
        );
        assert_eq!(origin.requests().len(), asked, "nothing goes up");
        let reply = owner.get("/home").await;
        assert_eq!(
            told(&reply),
            (401, "session-revoked".to_owned()),
            "{target}"
        );
        assert_eq!(findings(&stage).await, number);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_token_gets_nothing_in_a_session_of_ones_own() {
    let (_origin, desk, stage) = with_rule("").await;
    let (mut owner, stolen) = somebody(&stage, &desk).await;
    let mut thief = Browser::new(&stage);
    assert_eq!(thief.log_in("boss").await.status, 302);
    let field = format!("Authorization: Bearer {stolen}\r\n");
    let reply = thief.send("GET", "/home", &field, "").await;
    assert_eq!(told(&reply), (401, "session-missing".to_owned()));
    let reply = owner.get("/home").await;
    assert_eq!(told(&reply), (401, "session-revoked".to_owned()));
    // And the own one ends by its own token.
    let (mut owner, stolen) = somebody(&stage, &desk).await;
    let reply = owner.get(&format!("/home?sid={stolen}")).await;
    assert_eq!(told(&reply), (401, "session-revoked".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_the_login_or_of_the_policys_own_names_is_watched_for_behind_its_placeholder() {
    let (_origin, desk, stage) = with_rule(", token: { json: desk_ref }").await;
    let kinds = [("form", true), ("reference", true), ("access", false)];
    for (kind, is_watched) in kinds {
        let before = given(&desk, kind);
        let (mut owner, _) = somebody(&stage, &desk).await;
        for page in ["/token", "/handover"] {
            assert_eq!(owner.get(page).await.status, 200);
        }
        let after = given(&desk, kind);
        let stolen = after.difference(&before).next().unwrap();
        let mut thief = Browser::new(&stage);
        let field = format!("X-Api-Key: {stolen}\r\n");
        assert_eq!(thief.send("GET", "/api", &field, "").await.status, 401);
        let reply = owner.get("/home").await;
        assert_eq!(reply.status, if is_watched { 401 } else { 200 }, "{kind}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_observes_finds_it_and_the_value_does_not_go_up() {
    let (origin, desk, stage) = with_rule(", rules: { H09: observe }").await;
    let (mut owner, stolen) = somebody(&stage, &desk).await;
    let mut thief = Browser::new(&stage);
    let field = format!("Cookie: sid={stolen}\r\n");
    assert_eq!(thief.send("GET", "/home", &field, "").await.status, 401);
    assert_eq!(owner.get("/home").await.status, 200);
    assert_eq!(findings(&stage).await, 1);
    // In a session that goes on, all else of the target goes up.
    let mut other = Browser::new(&stage);
    other.log_in("boss").await;
    let target = format!("/home?tab=1&sid={stolen}&x=2&jsessionid={stolen}");
    assert_eq!(other.get(&target).await.status, 200);
    let up = origin.requests().pop().unwrap();
    assert!(up.starts_with("GET /home?tab=1&x=2 HTTP/1.1\r\n"), "{up}");
    assert!(!up.contains(&stolen), "{up}");
    assert_eq!(findings(&stage).await, 2);
    assert_eq!(owner.get("/home").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rule_that_demands_a_step_up_demands_it_of_the_owner() {
    let (_origin, desk, stage) = with_rule(", rules: { H09: step_up }").await;
    let (mut owner, stolen) = somebody(&stage, &desk).await;
    let mut thief = Browser::new(&stage);
    let field = format!("Cookie: sid={stolen}\r\n");
    let reply = thief.send("GET", "/home", &field, "").await;
    assert_eq!(told(&reply), (401, "session-missing".to_owned()));
    let reply = owner.get("/home").await;
    assert_eq!(told(&reply), (401, "step-up-required".to_owned()));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_is_nobodys_is_nothing() {
    let (_origin, desk, stage) = with_rule("").await;
    let (mut owner, stolen) = somebody(&stage, &desk).await;
    let wrong = stolen.replace("session", "sassion");
    let field = format!("Cookie: sid={wrong}\r\nAuthorization: Bearer {wrong}\r\n");
    let mut stranger = Browser::new(&stage);
    assert_eq!(stranger.send("GET", "/home", &field, "").await.status, 401);
    // Nor does it matter to whoever brings it beside a handle.
    owner.cookies.push(("sid".to_owned(), wrong));
    assert_eq!(owner.get("/home").await.status, 200);
    assert_eq!(findings(&stage).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_logs_in_with_an_old_token_in_the_browser_begins_anew() {
    let (_origin, desk, stage) = with_rule("").await;
    let (_owner, stolen) = somebody(&stage, &desk).await;
    let mut browser = Browser::new(&stage);
    browser.cookies.push(("sid".to_owned(), stolen));
    assert_eq!(browser.log_in("agent").await.status, 302);
    assert_eq!(browser.get("/home").await.status, 200);
    assert_eq!(findings(&stage).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_client_brings_itself_ends_no_session() {
    let credential = token("agent");
    let echo = credential.clone();
    let origin = Origin::answering(move |_request| {
        Answer::raw(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nSet-Cookie: access={echo}; Path=/\r\n\
             Content-Length: 2\r\n\r\n{{}}"
        ))
    })
    .await;
    let policy = POLICY.replace("IDENTITY\n", IDENTITY);
    let policy = format!("{policy}sessions: {{ bind: [context], required: {{ export: 0 }} }}\n");
    let stage = start(&policy, origin.address()).await;
    let mut browser = Browser::new(&stage);
    let field = format!("Authorization: Bearer {credential}\r\n");
    for _again in 0..3 {
        let reply = browser.send("GET", "/notes", &field, "").await;
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    assert!(!browser.cookies.is_empty());
    assert_eq!(findings(&stage).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_anybody_knows_of_a_person_ends_no_session_of_theirs() {
    let origin = Origin::answering(|request| match request.starts_with(b"POST /login") {
        true => Answer::raw(
            "HTTP/1.1 302 Found\r\nLocation: /home\r\nSet-Cookie: sid=0a1b2c3d4e5f60718293; Path=/\r\n\
             Set-Cookie: last_user=ann.miller@desk.example; Path=/\r\nContent-Length: 0\r\n\r\n",
        ),
        false => Answer::json("{}"),
    })
    .await;
    let stage = staged(&origin, "{ bind: [context], required: { export: 0 } }").await;
    let mut owner = Browser::new(&stage);
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let reply = owner.send("POST", "/login", form, "username=agent").await;
    assert_eq!(reply.status, 302);
    let mut anybody = Browser::new(&stage);
    let field = "Cookie: x=ann.miller@desk.example\r\n";
    assert_eq!(anybody.send("GET", "/home", field, "").await.status, 401);
    assert_eq!(owner.get("/home").await.status, 200);
    assert_eq!(findings(&stage).await, 0);
}
