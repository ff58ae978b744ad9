//! Logins of somebody who has a session already, logins that another site sends, and sessions of people whom
//! something else names.

use serde_json::json;

use crate::legacy_desk::{POLICY as DESK, desk};
use crate::origin::{Answer, Origin};
use crate::postern::{IDENTITY, POLICY, Stage, start, token, token_of};
use crate::proxy_sessions::{Browser, staged};

const BOUND: &str = "{ bind: [context], required: { export: 0 } }";
const FORM: &str = "Content-Type: application/x-www-form-urlencoded\r\n";

/// An application that sends whoever has logged in away from its login, whatever they post there.
async fn forgetful_desk() -> Origin {
    Origin::answering(|request| {
        let text = String::from_utf8_lossy(request).into_owned();
        let knows = text.contains("sid=0a1b2c3d4e5f60718293");
        let to = match (text.contains("password=right"), knows) {
            (true, _) => "/home\r\nSet-Cookie: sid=0a1b2c3d4e5f60718293; Path=/",
            (false, true) => "/home",
            (false, false) => "/sorry",
        };
        let posts = text.starts_with("POST /login ") || text.starts_with("POST / ");
        match posts {
            true => Answer::raw(format!(
                "HTTP/1.1 302 Found\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
            )),
            false => Answer::json(&json!({ "knows": knows }).to_string()),
        }
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_of_a_session_goes_up_to_a_login() {
    let origin = forgetful_desk().await;
    let stage = start(&DESK.replace("SESSIONS", BOUND), origin.address()).await;
    let mut browser = Browser::new(&stage);
    let first = "username=agent&password=right";
    assert_eq!(
        browser.send("POST", "/login", FORM, first).await.status,
        302
    );
    let held = browser.cookies.clone();
    for (user, password) in [("boss", "wrong"), ("agent", "wrong")] {
        let body = format!("username={user}&password={password}");
        let reply = browser.send("POST", "/login", FORM, &body).await;
        assert_eq!(reply.header("location"), Some("/sorry"));
        assert_eq!(browser.cookies, held, "no new session of {user}");
        let sessions = stage.administer("GET /sessions").await;
        assert!(!sessions.contains("boss"), "{sessions}");
        // The one that there was goes on.
        assert_eq!(browser.get("/home").await.text(), r#"{"knows":true}"#);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_has_a_session_reaches_the_login_and_keeps_it_until_they_have_logged_in() {
    let (origin, _given) = desk().await;
    let stage = staged(&origin, BOUND).await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    let held = browser.cookies.clone();
    let page = browser.get("/login").await.text();
    assert!(page.contains("csrfmiddlewaretoken"), "{page}");
    assert_eq!(browser.cookies, held);
    assert_eq!(browser.get("/home").await.status, 200);
    let upstream = origin.requests();
    let login = upstream.iter().rfind(|text| text.starts_with("GET /login"));
    assert!(!login.unwrap().contains("sid="), "{login:?}");
    browser.log_in("boss").await;
    assert_ne!(browser.cookies, held);
    assert_eq!(browser.get("/home").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_first_page_with_the_login_is_a_page_like_others_until_somebody_must_log_in_again() {
    let origin = forgetful_desk().await;
    let policy = DESK.replace("GET /login, POST /login", "GET /, POST /");
    let stage = start(&policy.replace("SESSIONS", BOUND), origin.address()).await;
    let mut browser = Browser::new(&stage);
    let page = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    let right = "username=agent&password=right";
    assert_eq!(browser.send("POST", "/", FORM, right).await.status, 302);
    assert_eq!(browser.get("/").await.text(), r#"{"knows":true}"#);
    let held = browser.cookies.clone();
    let wrong = browser.send("POST", "/", FORM, "username=boss&password=wrong");
    assert_eq!(wrong.await.header("location"), Some("/sorry"));
    assert_eq!(browser.cookies, held);
    // It is judged like others, and shows the form when a login is due.
    browser.from = "127.7.7.7".parse().unwrap();
    let reply = browser.send("GET", "/", page, "").await;
    assert_eq!((reply.status, reply.header("location")), (303, Some("/")));
    let reply = browser.send("GET", "/", page, "").await;
    assert_eq!(reply.text(), r#"{"knows":false}"#);
    assert_eq!(browser.get("/cases/1").await.slug(), "step-up-required");
    assert_eq!(browser.send("POST", "/", FORM, right).await.status, 302);
    assert_eq!(browser.get("/").await.text(), r#"{"knows":true}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_who_must_log_in_again_is_sent_there_and_goes_on() {
    let (origin, _given) = desk().await;
    let stage = staged(&origin, BOUND).await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    browser.from = "127.7.7.7".parse().unwrap();
    let page = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    let reply = browser.send("GET", "/home", page, "").await;
    assert_eq!(
        (reply.status, reply.header("location")),
        (303, Some("/login"))
    );
    let reply = browser.send("GET", "/home", "", "").await;
    assert_eq!(reply.slug(), "step-up-required", "a program is told");
    browser.log_in("agent").await;
    assert_eq!(browser.send("GET", "/home", page, "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn no_other_site_logs_anybody_in_by_a_form() {
    let (origin, _given) = desk().await;
    for (rules, status) in [("{}", 403), ("{ H13: observe }", 200)] {
        let sessions = format!("{{ bind: [context], required: {{ export: 0 }}, rules: {rules} }}");
        let stage = staged(&origin, &sessions).await;
        let mut victim = Browser::new(&stage);
        victim.site = "cross-site";
        let fields = format!("{FORM}Origin: https://evil.example\r\n");
        let body = "username=agent&password=right";
        let reply = victim.send("POST", "/login", &fields, body).await;
        assert_eq!(reply.status, status, "{}", reply.head);
        assert!(
            stage
                .metrics()
                .await
                .contains("postern_findings_total{rule=\"H13\"} 1")
        );
    }
    let stage = staged(&origin, BOUND).await;
    let mut browser = Browser::new(&stage);
    browser.site = "cross-site";
    let link = "Sec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n";
    let reply = browser.send("GET", "/login", link, "").await;
    assert!(
        browser.cookies.is_empty(),
        "a session that there was stays: {}",
        reply.head
    );
}

/// A stage whose people are named by tokens, with cookies of the application in sessions.
async fn named_by_tokens(sessions: &str) -> (Origin, Stage) {
    let origin = Origin::answering(|_request| {
        Answer::raw(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nSet-Cookie: sid=0a1b2c3d4e5f60718293; Path=/\r\n\
             Content-Length: 2\r\n\r\n{}",
        )
    })
    .await;
    let policy = POLICY.replace("IDENTITY\n", IDENTITY);
    let stage = start(&format!("{policy}sessions: {sessions}\n"), origin.address()).await;
    (origin, stage)
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_leaves_their_session_away_is_bound_by_nothing() {
    let (_origin, stage) =
        named_by_tokens("{ bind: [context], required: { write: 1, export: 0 } }").await;
    let bearer = format!("Authorization: Bearer {}\r\n", token("boss"));
    let mut thief = Browser::new(&stage);
    let reply = thief.send("POST", "/cases/1", &bearer, "").await;
    assert_eq!(reply.slug(), "binding-required");
    let mut holder = Browser::new(&stage);
    assert_eq!(holder.send("GET", "/notes", &bearer, "").await.status, 200);
    assert!(!holder.cookies.is_empty());
    let reply = holder.send("POST", "/cases/1", &bearer, "").await;
    assert_ne!(reply.slug(), "binding-required", "{}", reply.text());
    // A session of somebody else is none.
    let other = token_of("somebody-else", "boss", &json!({}));
    let other = format!("Authorization: Bearer {other}\r\n");
    let reply = holder.send("POST", "/cases/1", &other, "").await;
    assert_eq!(reply.slug(), "binding-required");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_of_a_fresh_login_is_a_step_up_and_an_older_one_is_not() {
    let (_origin, stage) = named_by_tokens(BOUND).await;
    let at = |auth_time: u64| {
        let token = token_of("user-agent", "agent", &json!({ "auth_time": auth_time }));
        format!("Authorization: Bearer {token}\r\n")
    };
    let mut browser = Browser::new(&stage);
    assert_eq!(browser.send("GET", "/notes", &at(1), "").await.status, 200);
    browser.from = "127.7.7.7".parse().unwrap();
    for _again in 0..2 {
        let reply = browser.send("GET", "/notes", &at(2), "").await;
        assert_eq!(reply.slug(), "step-up-required");
    }
    let far = u64::from(u32::MAX);
    assert_eq!(
        browser.send("GET", "/notes", &at(far), "").await.status,
        200
    );
    assert_eq!(browser.send("GET", "/notes", &at(2), "").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_says_when_somebody_logged_in_the_session_ends_instead() {
    let (origin, stage) = named_by_tokens(BOUND).await;
    let bearer = format!("Authorization: Bearer {}\r\n", token("agent"));
    let mut browser = Browser::new(&stage);
    assert_eq!(browser.send("GET", "/notes", &bearer, "").await.status, 200);
    browser.from = "127.7.7.7".parse().unwrap();
    let reply = browser.send("GET", "/notes", &bearer, "").await;
    assert_eq!(reply.slug(), "session-revoked");
    assert!(browser.cookies.is_empty());
    assert_eq!(browser.send("GET", "/notes", &bearer, "").await.status, 200);
    assert!(!origin.requests().pop().unwrap().contains("sid="));
}
