//! Sessions that people and operators see and end, behind the proxy: whose they are, what is cut, what goes on
//! record, and who may not.

use std::time::UNIX_EPOCH;

use postern_proxy::clock::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::legacy_desk::desk;
use crate::origin::{Answer, Origin};
use crate::postern::{self, Client, Reply, Stage, request_as, token_of};
use crate::proxy_audit::entries;
use crate::proxy_sessions::{Browser, staged};

const SESSIONS: &str =
    "{ bind: [context], required: { export: 0 }, max_sessions: { browser: 9 }, step_up_for: 300s }";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";
const JSON: &str = "Content-Type: application/json\r\n";

async fn stage() -> (Origin, Stage) {
    let (origin, _given) = desk().await;
    let stage = staged(&origin, SESSIONS).await;
    (origin, stage)
}

async fn logged_in<'s>(stage: &'s Stage, user: &str) -> Browser<'s> {
    let mut browser = Browser::new(stage);
    assert_eq!(browser.log_in(user).await.status, 302);
    browser
}

/// The person's own sessions, as a program sees them.
async fn mine(browser: &mut Browser<'_>) -> Vec<Value> {
    let reply = browser.get("/__postern/sessions").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let told: Value = serde_json::from_slice(&reply.body).unwrap();
    told["sessions"].as_array().unwrap().clone()
}

/// The id of the session that asks.
async fn own_sid(browser: &mut Browser<'_>) -> String {
    let mine = mine(browser).await;
    let own = mine.iter().find(|one| one["current"] == true).unwrap();
    own["sid"].as_str().unwrap().to_owned()
}

async fn end(browser: &mut Browser<'_>, kind: &str, body: &str) -> Reply {
    browser
        .send("POST", "/__postern/sessions/end", kind, body)
        .await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_revocation_by_an_operator_cuts_a_long_answer_and_is_on_record() {
    let (_origin, stage) = stage().await;
    let mut browser = logged_in(&stage, "agent").await;
    let sid = own_sid(&mut browser).await;
    let handle = browser.cookies[0].clone();
    let mut client = Client::connect(stage.address()).await;
    let request = format!(
        "GET /big/1 HTTP/1.1\r\nHost: localhost\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/146.0.0.0\r\n\
         Sec-Fetch-Site: same-origin\r\nCookie: {}={}\r\n\r\n",
        handle.0, handle.1
    );
    client.write(request.as_bytes()).await;
    assert!(client.says_something().await.starts_with("HTTP/1.1 200"));
    let listed: Value = serde_json::from_str(&stage.administer("GET /sessions").await).unwrap();
    assert_eq!(listed["sessions"][0]["sid"], sid.as_str());
    assert_eq!(listed["sessions"][0]["who"]["subject"], "agent");
    let line = "POST /sessions/revoke?who=agent&reason=left";
    assert_eq!(stage.administer(line).await, r#"{"revoked":1}"#);
    let reply = client.reply(false).await.unwrap();
    assert!(!reply.complete, "the answer is cut");
    assert_eq!(browser.get("/home").await.slug(), "session-revoked");
    stage.idle().await;
    let metrics = stage.metrics().await;
    for line in [
        "postern_sessions_ended_total{reason=\"admin\"} 1",
        "postern_sessions_ended_total{reason=\"replaced\"} 1",
        "postern_sessions_begun_total{client=\"browser\"} 2",
        "postern_sessions_cut_total 1",
    ] {
        assert!(metrics.contains(&format!("\n{line}\n")), "{line}");
    }
    let Stage { running, folder } = stage;
    running.shutdown().await;
    let events = entries(folder.path());
    assert!(!format!("{events:?}").contains(&handle.1));
    let told: Vec<(u64, &str, &str)> = events
        .iter()
        .filter(|event| {
            event["session"]["uid"] == sid.as_str()
                || event["unmapped"]["postern"]["admin"].is_object()
        })
        .map(|event| {
            let kind = event["type_uid"].as_u64().unwrap();
            let who = event["user"]["uid"].as_str().unwrap_or_default();
            let reason = event["unmapped"]["postern"]["reason"].as_str();
            (kind, who, reason.unwrap_or_default())
        })
        .collect();
    let expected = [
        (300_201, "agent", ""),
        (300_401 + 2, "", ""),
        (300_399, "agent", "admin"),
        (300_202, "agent", "admin"),
        (300_401 + 2, "", ""),
    ];
    assert_eq!(told, expected, "announced, done, and how it ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_ends_another_session_of_their_own() {
    let (_origin, stage) = stage().await;
    let mut here = logged_in(&stage, "agent").await;
    let mut there = logged_in(&stage, "agent").await;
    let mut boss = logged_in(&stage, "boss").await;
    assert_eq!(mine(&mut here).await.len(), 2);
    let sid = own_sid(&mut there).await;
    let page = format!("sid={sid}");
    let reply = end(&mut here, FORM, &page).await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (303, Some("/__postern/sessions?ended=one"))
    );
    let accept = "Accept: text/html\r\n";
    let page = here
        .send("GET", "/__postern/sessions?ended=one", accept, "")
        .await;
    assert!(page.text().contains("The session was ended."));
    assert_eq!(there.get("/home").await.slug(), "session-revoked");
    assert_eq!(here.get("/home").await.status, 200);
    assert_eq!(mine(&mut here).await.len(), 1);

    let third = logged_in(&stage, "agent").await;
    let reply = end(&mut here, JSON, r#"{"others":true}"#).await;
    assert_eq!((reply.status, reply.body.len()), (204, 0));
    let mut third = third;
    assert_eq!(third.get("/home").await.slug(), "session-revoked");
    assert_eq!(here.get("/home").await.status, 200);
    assert_eq!(boss.get("/home").await.status, 200);
    let metrics = stage.metrics().await;
    assert!(metrics.contains("postern_sessions_ended_total{reason=\"person\"} 2\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_sees_or_ends_the_session_of_somebody_else() {
    let (_origin, stage) = stage().await;
    let mut agent = logged_in(&stage, "agent").await;
    let mut boss = logged_in(&stage, "boss").await;
    let theirs = own_sid(&mut boss).await;
    assert!(
        mine(&mut agent)
            .await
            .iter()
            .all(|one| one["sid"] != theirs.as_str())
    );
    let body = format!("{{\"sid\":\"{theirs}\"}}");
    let reply = end(&mut agent, JSON, &body).await;
    assert_eq!(
        (reply.status, reply.slug().as_str()),
        (404, "session-unknown")
    );
    let none = end(&mut agent, JSON, r#"{"sid":"01K"}"#).await;
    let but_for_ids = |reply: &Reply| {
        let mut told: Value = serde_json::from_slice(&reply.body).unwrap();
        told["exchange_id"].take();
        told["trace_id"].take();
        told
    };
    assert_eq!(
        but_for_ids(&none),
        but_for_ids(&reply),
        "one of others is none"
    );
    assert_eq!(boss.get("/home").await.status, 200);
    let mut nobody = Browser::new(&stage);
    assert_eq!(
        nobody.get("/__postern/sessions").await.slug(),
        "session-missing"
    );
    assert_eq!(
        end(&mut nobody, JSON, &body).await.slug(),
        "session-missing"
    );
    nobody.get("/login").await;
    assert_eq!(nobody.cookies.len(), 1, "a session from before a login");
    assert_eq!(
        nobody.get("/__postern/sessions").await.slug(),
        "session-missing"
    );
    assert_eq!(boss.get("/home").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_session_that_ends_itself_is_forgotten_by_its_browser() {
    let (_origin, stage) = stage().await;
    let mut browser = logged_in(&stage, "agent").await;
    let body = format!("sid={}", own_sid(&mut browser).await);
    let handle = browser.cookies.clone();
    let reply = end(&mut browser, FORM, &body).await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (303, Some("/login"))
    );
    assert_eq!(
        reply.header("clear-site-data"),
        Some("\"cookies\", \"storage\", \"cache\"")
    );
    assert!(browser.cookies.is_empty());
    browser.cookies = handle;
    assert_eq!(browser.get("/home").await.slug(), "session-revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_page_of_another_origin_ends_a_session() {
    let (_origin, stage) = stage().await;
    let mut browser = logged_in(&stage, "agent").await;
    let sid = own_sid(&mut browser).await;
    let (name, handle) = browser.cookies[0].clone();
    let body = format!("sid={sid}");
    let agent = browser.agent.clone();
    let ask = async |fields: &str| {
        let request = format!(
            "POST /__postern/sessions/end HTTP/1.1\r\nHost: localhost\r\nCookie: {name}={handle}\r\n\
             User-Agent: {agent}\r\n{FORM}{fields}Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stage.send(&request).await
    };
    for fields in [
        "Sec-Fetch-Site: cross-site\r\n",
        "Sec-Fetch-Site: same-site\r\n",
        "",
    ] {
        let reply = ask(fields).await;
        assert_eq!(
            (reply.status, reply.slug().as_str()),
            (403, "csrf"),
            "{fields}"
        );
    }
    assert_eq!(browser.get("/home").await.status, 200);
    let reply = browser.get("/__postern/sessions/end").await;
    assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")));
    assert_eq!(ask("Postern-Request: 1\r\n").await.status, 303);
    assert_eq!(browser.get("/home").await.slug(), "session-revoked");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_page_runs_and_loads_nothing() {
    let (_origin, stage) = stage().await;
    let mut browser = logged_in(&stage, "agent").await;
    let _other = logged_in(&stage, "agent").await;
    let accept = "Accept: text/html,application/xhtml+xml,*/*;q=0.8\r\n";
    let reply = browser.send("GET", "/__postern/sessions", accept, "").await;
    assert_eq!(
        reply.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let policy = reply.header("content-security-policy").unwrap();
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    let page = reply.text();
    assert!(
        page.contains("You are agent.") && page.contains("End all others"),
        "{page}"
    );
    assert!(!page.contains("<script") && !page.contains("src=") && !page.contains("pnh_"));
    let queried = browser.get("/__postern/sessions?a=1").await;
    assert_eq!(queried.slug(), "query-not-allowed");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_to_the_page_without_a_session_is_sent_to_the_login() {
    let (_origin, stage) = stage().await;
    let mut nobody = Browser::new(&stage);
    let going = "Accept: text/html\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    let reply = nobody.send("GET", "/__postern/sessions", going, "").await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (303, Some("/login"))
    );
    let reply = nobody.get("/__postern/sessions").await;
    assert_eq!(reply.slug(), "session-missing", "a program is told");
    // Their cookies do not come with a link from elsewhere, so the page cannot tell yet that they have none.
    nobody.site = "cross-site";
    let page = nobody.send("GET", "/__postern/sessions", going, "").await;
    assert_eq!(page.status, 200);
    assert!(page.text().contains("location.replace"), "{}", page.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn the_paths_are_the_application_s_where_the_policy_has_no_sessions() {
    let origin = Origin::scripted(vec![Answer::json("{}")]).await;
    let stage = postern::start(postern::POLICY, origin.address()).await;
    let reply = stage.get("/__postern/sessions", "agent").await;
    assert_eq!(reply.slug(), "route-denied");
}

#[tokio::test(flavor = "multi_thread")]
async fn others_are_ended_with_a_fresh_login_only() {
    let origin = Origin::scripted(vec![Answer::json("{}")]).await;
    let policy = format!("{}sessions: {{ step_up_for: 60s }}\n", postern::POLICY);
    let stage = postern::start(&policy, origin.address()).await;
    let now = SystemClock
        .wall()
        .duration_since(UNIX_EPOCH)
        .unwrap()
        .as_secs();
    let body = r#"{"others":true}"#;
    let ask = async |claims: Value| {
        let token = token_of("ann", "agent", &claims);
        let fields = format!("Postern-Request: 1\r\nContent-Length: {}\r\n", body.len());
        let request = request_as(&token, "POST", "/__postern/sessions/end", (&fields, body));
        stage.send(&request).await
    };
    for claims in [json!({}), json!({ "auth_time": now - 61 })] {
        let reply = ask(claims).await;
        assert_eq!(
            (reply.status, reply.slug().as_str()),
            (401, "step-up-required")
        );
        let challenge = reply.header("www-authenticate").unwrap();
        assert!(
            challenge.contains("error=\"insufficient_user_authentication\"")
                && challenge.contains("max_age=\"60\""),
            "{challenge}"
        );
    }
    assert_eq!(ask(json!({ "auth_time": now })).await.status, 204);
}
