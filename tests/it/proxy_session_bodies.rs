//! What people in a session send and get: true tokens in their forms, no credentials in what they attach, and
//! nothing that nobody could look into.

use crate::legacy_desk::desk;
use crate::origin::Origin;
use crate::proxy_sessions::{Browser, staged};

const PLAIN: &str = "{ bind: [context], required: { export: 0 }, passthrough: [theme] }";
/// A recording with a live cookie and a live token in it.
const RECORDING: &str = r#"{"log":{"version":"1.2","entries":[{"request":{"method":"GET","url":"https://desk.example/a?access_token=4f5e6d7c8b9a0f1e2d3c4b5a69788796","headers":[{"name":"Cookie","value":"sid=0a1b2c3d4e5f60718293a4b5c6d7e8f9"}],"cookies":[{"name":"sid","value":"0a1b2c3d4e5f60718293a4b5c6d7e8f9"}]},"response":{"status":200,"headers":[],"cookies":[],"content":{"text":"kept"}}}]}}"#;

/// The body of the last request that reached the application.
fn last_body(origin: &Origin) -> String {
    let request = origin.requests().pop().unwrap();
    request.split_once("\r\n\r\n").unwrap().1.to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_upload_arrives_as_it_is_with_the_true_token_beside_it() {
    let (origin, given) = desk().await;
    let stage = staged(&origin, PLAIN).await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    let page = browser.get("/form").await.text();
    let placeholder = page.split("value=\"").nth(1).unwrap();
    let placeholder = placeholder.split('"').next().unwrap();
    assert!(placeholder.starts_with("pnp_"), "{page}");
    let file = "0123456789abcdef".repeat(12_500);
    let body = format!(
        "--edge\r\nContent-Disposition: form-data; name=\"csrfmiddlewaretoken\"\r\n\r\n{placeholder}\r\n\
         --edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.bin\"\r\n\
         Content-Type: application/octet-stream\r\n\r\n{file}\r\n--edge--\r\n"
    );
    let kind = "Content-Type: multipart/form-data; boundary=edge\r\n";
    let reply = browser.send("POST", "/comment", kind, &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let arrived = last_body(&origin);
    assert!(arrived.contains(&file) && !arrived.contains(placeholder));
    let token = arrived.split("\r\n\r\n").nth(1).unwrap();
    let token = token.split("\r\n").next().unwrap();
    assert!(given.lock().unwrap().secrets.contains(token), "{token}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recording_loses_its_credentials_on_the_way_up() {
    let (origin, _given) = desk().await;
    let stage = staged(&origin, PLAIN).await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    let body = format!(
        "--edge\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.har\"\r\n\
         Content-Type: application/json\r\n\r\n{RECORDING}\r\n--edge--\r\n"
    );
    let kind = "Content-Type: multipart/form-data; boundary=edge\r\n";
    let reply = browser.send("POST", "/comment", kind, &body).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let arrived = last_body(&origin);
    assert!(arrived.contains("kept"));
    for secret in [
        "0a1b2c3d4e5f60718293a4b5c6d7e8f9",
        "4f5e6d7c8b9a0f1e2d3c4b5a69788796",
    ] {
        assert!(!arrived.contains(secret), "{arrived}");
    }
    let damaged = body.replace("\"entries\":[", "\"entries\":[[,");
    let reply = browser.send("POST", "/comment", kind, &damaged).await;
    assert_eq!(
        (reply.status, reply.slug().as_str()),
        (422, "unreadable-recording")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_look_into_does_not_leave_or_go_up() {
    let (origin, _given) = desk().await;
    let stage = staged(&origin, PLAIN).await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    let reply = browser.get("/coded").await;
    assert_eq!(
        (reply.status, reply.slug().as_str()),
        (502, "unreadable-body")
    );
    let coded = "Content-Encoding: gzip\r\nContent-Type: text/plain\r\n";
    let reply = browser.send("POST", "/comment", coded, "x").await;
    assert_eq!(reply.status, 415);
    let before = origin.requests().len();
    let ambiguous = "Content-Type: multipart/form-data; boundary=edge\r\n";
    let reply = browser
        .send("POST", "/comment", ambiguous, "--edge\r\n\r\nx")
        .await;
    assert_eq!(
        (reply.status, reply.slug().as_str()),
        (400, "ambiguous-request")
    );
    assert_eq!(origin.requests().len(), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_cookies_that_the_policy_names_pass_and_the_application_gets_its_own() {
    let (origin, _given) = desk().await;
    let stage = staged(&origin, PLAIN).await;
    let mut browser = Browser::new(&stage);
    browser.log_in("agent").await;
    let reply = browser.get("/theme").await;
    assert!(reply.head.contains("theme=dark; Path=/"), "{}", reply.head);
    assert!(!reply.head.contains("tracker"), "{}", reply.head);
    browser
        .cookies
        .push(("sid".to_owned(), "forged".to_owned()));
    browser.get("/home").await;
    let request = origin.requests().pop().unwrap();
    let cookies = request
        .lines()
        .find(|line| line.to_ascii_lowercase().starts_with("cookie: "));
    let cookies = cookies.unwrap();
    assert!(
        cookies.contains("theme=dark") && cookies.contains("tracker=t"),
        "{cookies}"
    );
    assert!(
        !cookies.contains("forged") && !cookies.contains("pnh_"),
        "{cookies}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_has_a_long_body_held_before_they_have_logged_in() {
    let (origin, _given) = desk().await;
    let stage = staged(&origin, PLAIN).await;
    let mut browser = Browser::new(&stage);
    let form = "Content-Type: application/x-www-form-urlencoded\r\n";
    let begins = "username=agent&password=";
    let long = format!("{begins}{}", "x".repeat(64 << 10));
    let longest = long.get(..64 << 10).unwrap();
    for has_handle in [false, true] {
        assert_eq!(browser.cookies.is_empty(), !has_handle);
        let reply = browser.send("POST", "/login", form, &long).await;
        assert_eq!(reply.status, 413, "{}", reply.text());
        let reply = browser.send("POST", "/login", form, longest).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        browser.get("/login").await;
    }
    browser.log_in("agent").await;
    let reply = browser.send("POST", "/login", form, &long).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
}
