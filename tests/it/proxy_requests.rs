//! Requests that are not sound never reach the origin, and their connection is closed.

use crate::origin::{Answer, Origin};
use crate::postern::{Client, POLICY, Setting, Stage, get, request, start, start_with, token};

async fn stage() -> (Origin, Stage) {
    let origin = Origin::scripted(vec![Answer::json(r#"{"id":1}"#)]).await;
    let stage = start(POLICY, origin.address()).await;
    (origin, stage)
}

/// Sends a request and says what came: the status, the slug, and whether the connection was closed.
async fn refused(stage: &Stage, raw: &str) -> (u16, String, bool) {
    let mut client = Client::connect(stage.address()).await;
    client.write(raw.as_bytes()).await;
    let reply = client.reply(false).await.expect("an answer");
    let said_so = reply.header("connection") == Some("close");
    let slug = reply.slug();
    (reply.status, slug, said_so && client.is_closed().await)
}

/// Requests that could mean two things to two readers.
fn ambiguous() -> Vec<String> {
    let bearer = format!("Authorization: Bearer {}", token("agent"));
    vec![
        format!("GET /notes HTTP/1.1\r\n{bearer}\r\n\r\n"),
        format!("GET /notes HTTP/1.1\r\nHost: a\r\nHost: b\r\n{bearer}\r\n\r\n"),
        format!("GET /notes HTTP/1.1\nHost: a\n{bearer}\n\n"),
        format!("GET /notes HTTP/1.1\r\nHost: a\r\n{bearer}\r\nX-A: 1\nX-Role: admin\r\n\r\n"),
        format!("GET /notes HTTP/1.1\r\nHost: a\r\n{bearer}\r\nX-A: 1\r\n folded\r\n\r\n"),
        format!("GET /notes HTTP/1.1\r\nHost: a\r\n{bearer}\r\nX_Role: admin\r\n\r\n"),
        format!("GET /notes HTTP/1.1\r\nHost: a\r\n{bearer}\r\nX : y\r\n\r\n"),
        format!("GET /notes/1 x HTTP/1.1\r\nHost: a\r\n{bearer}\r\n\r\n"),
        format!("GET /notes/<1> HTTP/1.1\r\nHost: a\r\n{bearer}\r\n\r\n"),
        format!("GET /notes/a%2fb HTTP/1.1\r\nHost: a\r\n{bearer}\r\n\r\n"),
        format!("GET /notes/\u{e9} HTTP/1.1\r\nHost: a\r\n{bearer}\r\n\r\n"),
        format!("GET http://b/notes HTTP/1.1\r\nHost: a\r\n{bearer}\r\n\r\n"),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        "PROXY TCP4 127.0.0.1 127.0.0.1 1 2\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n".to_owned(),
        "\u{16}\u{3}\u{1}".repeat(20) + "\r\n\r\n",
        request(
            "POST",
            "/notes",
            "agent",
            "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n",
            "0\r\n\r\n",
        ),
        request(
            "POST",
            "/notes",
            "agent",
            "Content-Length: 3\r\nContent-Length: 3\r\n",
            "abc",
        ),
        request(
            "POST",
            "/notes",
            "agent",
            "Transfer-Encoding: gzip, chunked\r\n",
            "0\r\n\r\n",
        ),
        request("GET", "/notes", "agent", "Content-Length: 3\r\n", "abc"),
        request(
            "GET",
            "/notes",
            "agent",
            "Transfer-Encoding: chunked\r\n",
            "3\r\nabc\r\n0\r\n\r\n",
        ),
        request(
            "GET",
            "/notes",
            "agent",
            "Connection: close, Authorization\r\n",
            "",
        ),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn closes_after_every_ambiguous_request() {
    let (origin, stage) = stage().await;
    for raw in ambiguous() {
        let (status, slug, closed) = refused(&stage, &raw).await;
        let shown = raw.escape_debug().to_string();
        assert!([400, 505].contains(&status), "{status} {shown}");
        assert!(
            ["ambiguous-request", "version-not-supported"].contains(&slug.as_str()),
            "{slug} {shown}"
        );
        assert!(closed, "{shown}");
    }
    assert!(origin.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_every_breach_of_the_chunk_grammar_before_the_origin_sees_anything() {
    let (origin, stage) = stage().await;
    for body in [
        "5\nhello\r\n0\r\n\r\n",
        "5;ext\nhello\r\n0\r\n\r\n",
        "5;ext\r\nhello\r\n0\r\n\r\n",
        "0x5\r\nhello\r\n0\r\n\r\n",
        "5 \r\nhello\r\n0\r\n\r\n",
        "5\r\nhelloX0\r\n\r\n",
        "5\r\nhello\r\n0\n\n",
        "\r\nhello\r\n0\r\n\r\n",
        "fffffffffffffffff\r\n",
    ] {
        let raw = request(
            "POST",
            "/notes",
            "agent",
            "Transfer-Encoding: chunked\r\n",
            body,
        );
        let (status, slug, closed) = refused(&stage, &raw).await;
        let outcome = (status, slug.as_str(), closed);
        assert_eq!(outcome, (400, "ambiguous-request", true), "{body:?}");
    }
    assert!(origin.requests().is_empty());
}

/// Requests that are clear and ask for what is not done, with the refusal of each.
fn refusals() -> Vec<(String, u16, &'static str)> {
    let with = |method: &str, lines: &str| request(method, "/notes", "agent", lines, "");
    let tunnel = "CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n";
    let long = get(&format!("/notes?{}", "a".repeat(9000)), "agent");
    let upgrade = with("GET", "Connection: Upgrade\r\nUpgrade: websocket\r\n");
    let expect = with("POST", "Expect: 200-ok\r\nContent-Length: 1\r\n");
    let large = with("GET", &format!("X: {}\r\n", "y".repeat(20_000)));
    let many = with("GET", &"X: y\r\n".repeat(101));
    let vast = with("POST", "Content-Length: 99999999999\r\n");
    let old = "GET / HTTP/1.0\r\nHost: a\r\n\r\n";
    vec![
        (upgrade, 403, "upgrade-refused"),
        (expect, 417, "expectation-failed"),
        (with("TRACE", ""), 405, "method-not-allowed"),
        (tunnel.to_owned(), 405, "method-not-allowed"),
        (old.to_owned(), 505, "version-not-supported"),
        (long, 414, "target-too-long"),
        (large, 431, "headers-too-large"),
        (many, 431, "headers-too-large"),
        (vast, 413, "body-too-large"),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn names_each_refusal_of_a_protocol_feature() {
    let (origin, stage) = stage().await;
    for (raw, status, slug) in refusals() {
        let outcome = refused(&stage, &raw).await;
        assert_eq!(outcome, (status, slug.to_owned(), true));
    }
    assert!(origin.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn never_answers_a_request_that_was_hidden_in_another() {
    let (origin, stage) = stage().await;
    let hidden = get("/notes/hidden", "agent");
    let denied = request(
        "POST",
        "/elsewhere",
        "agent",
        &format!("Content-Length: {}\r\n", hidden.len() + 100_000),
        &hidden,
    );
    let outcome = refused(&stage, &denied).await;
    assert_eq!(outcome, (403, "route-denied".to_owned(), true));
    let pipelined = get("/notes/1", "agent") + &hidden;
    let mut client = Client::connect(stage.address()).await;
    client.write(pipelined.as_bytes()).await;
    assert_eq!(client.reply(false).await.unwrap().status, 200);
    assert!(client.is_closed().await, "no second answer");
    let seen = origin.requests();
    assert!(
        seen.iter().all(|request| !request.contains("hidden")),
        "{seen:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_bodies_on_with_one_framing() {
    let (origin, stage) = stage().await;
    let long = "x".repeat(200_000);
    let chunked: String = long
        .as_bytes()
        .chunks(7000)
        .map(|chunk| {
            format!(
                "{:x}\r\n{}\r\n",
                chunk.len(),
                String::from_utf8_lossy(chunk)
            )
        })
        .collect();
    let table = [
        (
            "Content-Length: 5\r\n".to_owned(),
            "hello".to_owned(),
            "hello",
        ),
        (
            "Transfer-Encoding: chunked\r\n".to_owned(),
            "5\r\nhello\r\n0\r\nX-T: y\r\n\r\n".to_owned(),
            "hello",
        ),
        ("Content-Length: 200000\r\n".to_owned(), long.clone(), &long),
        (
            "Transfer-Encoding: chunked\r\n".to_owned(),
            format!("{chunked}0\r\n\r\n"),
            &long,
        ),
        ("Content-Length: 0\r\n".to_owned(), String::new(), ""),
    ];
    for (at, (lines, sent, expected)) in table.into_iter().enumerate() {
        let reply = stage
            .send(&request("POST", "/notes", "boss", &lines, &sent))
            .await;
        assert_eq!(reply.status, 200, "{at}: {}", reply.text());
        let seen = origin.requests().pop().unwrap();
        let (head, body) = seen.split_once("\r\n\r\n").unwrap();
        let head = head.to_lowercase();
        assert!(!head.contains("x-t"), "trailers are dropped");
        if head.contains("transfer-encoding: chunked") {
            assert_eq!(at, 3, "only what is long and of unknown length");
            let bytes: usize = body.bytes().filter(|byte| *byte == b'x').count();
            assert_eq!(bytes, expected.len());
        } else {
            assert_eq!(body, expected, "{at}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn holds_a_body_to_its_limit_and_no_further() {
    let origin = Origin::scripted(vec![Answer::json("{}")]).await;
    let setting = Setting {
        limits: "{ request_body: 1KiB }".to_owned(),
        ..Setting::default()
    };
    let stage = start_with(&setting, origin.address()).await;
    let chunked = |bytes: usize| format!("{bytes:x}\r\n{}\r\n0\r\n\r\n", "x".repeat(bytes));
    for (bytes, status) in [(1024, 200), (1025, 413)] {
        let lines = format!("Content-Length: {bytes}\r\n");
        let sized = request("POST", "/notes", "boss", &lines, &"x".repeat(bytes));
        assert_eq!(stage.send(&sized).await.status, status, "{bytes} by length");
        let lines = "Transfer-Encoding: chunked\r\n";
        let streamed = request("POST", "/notes", "boss", lines, &chunked(bytes));
        assert_eq!(
            stage.send(&streamed).await.status,
            status,
            "{bytes} in chunks"
        );
    }
    assert_eq!(origin.requests().len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn relays_an_answer_that_comes_before_the_request_has_ended() {
    let (_origin, stage) = stage().await;
    let early = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = early.local_addr().unwrap();
    drop(stage);
    let stage = start(POLICY, address).await;
    let talkative = tokio::spawn(async move {
        use tokio::io::{AsyncReadExt, AsyncWriteExt};
        let (mut stream, _) = early.accept().await.unwrap();
        let mut read = vec![0; 1024];
        let _some = stream.read(&mut read).await.unwrap();
        let answer =
            "HTTP/1.1 413 No\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
        stream.write_all(answer.as_bytes()).await.unwrap();
        // Keeps the connection open and reads nothing more.
        stream
    });
    let mut client = Client::connect(stage.address()).await;
    let lines = "Content-Length: 9000000\r\n";
    let head = request("POST", "/notes", "boss", lines, &"x".repeat(100_000));
    client.write(head.as_bytes()).await;
    let reply = client.reply(false).await.unwrap();
    assert_eq!((reply.status, reply.text().as_str()), (413, "{}"));
    drop(talkative.await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_only_the_hosts_that_are_named() {
    let origin = Origin::scripted(vec![Answer::json("{}")]).await;
    let setting = Setting {
        listen: "{ address: '127.0.0.1:0', hosts: [a.example] }".to_owned(),
        ..Setting::default()
    };
    let stage = start_with(&setting, origin.address()).await;
    assert_eq!(stage.get("/notes", "agent").await.status, 200);
    let other = get("/notes", "agent").replace("a.example", "b.example");
    let outcome = refused(&stage, &other).await;
    assert_eq!(outcome, (421, "misdirected-request".to_owned(), true));
}
