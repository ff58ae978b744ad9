//! `Expect: 100-continue`: the client is told to go on by Postern alone, and only when the request may
//! happen.

use crate::origin::{Answer, Origin};
use crate::postern::{Client, POLICY, Setting, Stage, get, request, start_with};

const INTERIM: &str = "HTTP/1.1 100 Continue\r\n\r\n";

/// A stage whose request bodies may have 100 000 bytes.
async fn stage() -> (Origin, Stage) {
    let origin = Origin::scripted(vec![Answer::json(r#"{"id":1}"#)]).await;
    let setting = Setting {
        policy: POLICY.to_owned(),
        limits: "{ request_body: 100000B }".to_owned(),
        ..Setting::default()
    };
    let stage = start_with(&setting, origin.address()).await;
    (origin, stage)
}

/// The head of a POST that waits.
fn waiting(target: &str, role: &str, framing: &str) -> String {
    let lines = format!("Expect: 100-continue\r\n{framing}\r\n");
    request("POST", target, role, &lines, "")
}

/// A client that has sent a head and was told to go on.
async fn told_to_go_on(stage: &Stage, framing: &str) -> Client {
    let mut client = Client::connect(stage.address()).await;
    client
        .write(waiting("/notes", "agent", framing).as_bytes())
        .await;
    let interim = client.reply(false).await.expect("an interim answer");
    assert_eq!(interim.head, INTERIM);
    client
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_a_client_that_waits_to_go_on_and_serves_it_again() {
    let (origin, stage) = stage().await;
    for length in [5, 70_000, 100_000] {
        let body = "x".repeat(length);
        for (framing, sent) in [
            (format!("Content-Length: {length}"), body.clone()),
            (
                "Transfer-Encoding: chunked".to_owned(),
                format!("{length:x}\r\n{body}\r\n0\r\n\r\n"),
            ),
        ] {
            let mut client = told_to_go_on(&stage, &framing).await;
            client.write(sent.as_bytes()).await;
            let reply = client.reply(false).await.unwrap();
            assert_eq!(reply.status, 200, "{framing}: {}", reply.text());
            let seen = origin.requests().pop().unwrap();
            assert!(!seen.to_lowercase().contains("expect"), "{framing}");
            assert!(seen.contains("xxxxx"), "{framing}");
            client.write(get("/notes", "agent").as_bytes()).await;
            let again = client.reply(false).await.expect("a second answer");
            assert_eq!(again.status, 200, "{framing}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_nobody_to_go_on_who_is_refused() {
    let (origin, stage) = stage().await;
    let length = "Content-Length: 5";
    let nobody = waiting("/notes", "agent", length).replace("Bearer ", "Bearer x");
    for (raw, status, slug) in [
        (nobody, 401, "identity-invalid"),
        (waiting("/notes", "stranger", length), 403, "no-role"),
        (waiting("/elsewhere", "agent", length), 403, "route-denied"),
        (
            waiting("/notes", "agent", "Content-Length: 100001"),
            413,
            "body-too-large",
        ),
        (
            waiting("/notes", "agent", "Expect: 100-continue"),
            417,
            "expectation-failed",
        ),
    ] {
        let mut client = Client::connect(stage.address()).await;
        client.write(raw.as_bytes()).await;
        let reply = client.reply(false).await.expect("an answer");
        assert_eq!((reply.status, reply.slug().as_str()), (status, slug));
        assert!(client.is_closed().await, "nobody knows if a body follows");
    }
    assert!(origin.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_a_body_that_was_waited_for_to_its_limit() {
    let (origin, stage) = stage().await;
    let mut client = told_to_go_on(&stage, "Transfer-Encoding: chunked").await;
    let body = format!("{:x}\r\n{}\r\n", 100_001, "x".repeat(100_001));
    client.write(body.as_bytes()).await;
    let reply = client.reply(false).await.expect("an answer");
    assert_eq!(
        (reply.status, reply.slug().as_str()),
        (413, "body-too-large")
    );
    assert!(client.is_closed().await);
    assert!(
        origin.requests().is_empty(),
        "no whole request went up: {:?}",
        origin.requests()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn says_nothing_in_between_where_no_body_follows() {
    let (origin, stage) = stage().await;
    for (method, framing) in [("GET", ""), ("POST", "Content-Length: 0\r\n")] {
        let lines = format!("Expect: 100-continue\r\n{framing}");
        let reply = stage
            .send(&request(method, "/notes", "agent", &lines, ""))
            .await;
        assert_eq!(reply.status, 200, "{method}");
    }
    assert_eq!(origin.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn reads_a_body_that_did_not_wait_to_its_length() {
    let (origin, stage) = stage().await;
    let hidden = get("/notes/hidden", "agent");
    let framing = format!("Content-Length: {}", hidden.len());
    let mut client = Client::connect(stage.address()).await;
    let all = waiting("/notes", "agent", &framing) + &hidden;
    client.write(all.as_bytes()).await;
    assert_eq!(client.reply(false).await.unwrap().head, INTERIM);
    assert_eq!(client.reply(false).await.unwrap().status, 200);
    client.write(get("/notes", "agent").as_bytes()).await;
    assert_eq!(client.reply(false).await.unwrap().status, 200);
    let seen = origin.requests();
    assert_eq!(seen.len(), 2);
    assert!(seen[0].starts_with("POST /notes ") && seen[0].ends_with(&hidden));
    assert!(seen[1].starts_with("GET /notes "));
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_nothing_of_a_body_that_ends_too_soon() {
    let (origin, stage) = stage().await;
    let mut client = told_to_go_on(&stage, "Content-Length: 5").await;
    client.write(b"four").await;
    drop(client);
    assert_eq!(stage.get("/notes", "agent").await.status, 200);
    let seen = origin.requests();
    assert!(seen.len() == 1 && seen[0].starts_with("GET "), "{seen:?}");
}
