//! A request goes up, an answer comes down redacted: heads, bodies, framing, identities.

use crate::origin::{Answer, Origin};
use crate::postern::{Client, POLICY, get, request, start};

const CASE: &str = r#"{"id":1,"ssn":"912-04-7731","token":"t0ps3cret","note":"hello"}"#;

#[tokio::test(flavor = "multi_thread")]
async fn redacts_by_role_and_keeps_the_rest_byte_for_byte() {
    let origin = Origin::scripted(vec![Answer::json(CASE)]).await;
    let stage = start(POLICY, origin.address()).await;
    let agent = stage.get("/cases/1", "agent").await;
    assert_eq!(agent.status, 200, "{}", agent.text());
    assert_eq!(
        agent.text(),
        r#"{"id":1,"ssn":"[redacted]","note":"hello"}"#
    );
    assert_eq!(
        agent.header("content-length"),
        Some(agent.body.len().to_string().as_str())
    );
    assert_eq!(agent.header("cache-control"), Some("no-store"));
    assert_eq!(agent.header("via"), Some("1.1 postern"));
    let revision = stage.running.store().snapshot().compiled.revision().short();
    assert_eq!(agent.header("postern-revision"), Some(revision.as_str()));
    let boss = stage.get("/cases/1", "boss").await;
    assert_eq!(boss.text(), CASE);
}

#[tokio::test(flavor = "multi_thread")]
async fn builds_the_request_head_anew() {
    let origin = Origin::scripted(vec![Answer::json("{}")]).await;
    let stage = start(POLICY, origin.address()).await;
    let lines = "X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-User: root\r\nForwarded: for=6.6.6.6\r\n\
                 Via: 1.0 x\r\nCookie: a=b\r\nRange: bytes=0-1\r\nTE: trailers\r\n\
                 traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n";
    let reply = stage
        .send(&request("GET", "/c%61ses/%31?page=2", "agent", lines, ""))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let seen = origin.requests().remove(0).to_lowercase();
    assert!(
        seen.starts_with("get /cases/1?page=2 http/1.1\r\n"),
        "{seen}"
    );
    for absent in [
        "6.6.6.6",
        "root",
        "cookie",
        "range",
        "bearer",
        "forwarded: ",
        "\r\nte:",
        "1.0 x",
    ] {
        assert!(!seen.contains(absent), "{absent} in {seen}");
    }
    let host = format!("host: localhost:{}\r\n", origin.address().port());
    for present in [
        host.as_str(),
        "via: 1.1 postern\r\n",
        "x-forwarded-for: 127.0.0.1\r\n",
        "x-forwarded-host: a.example\r\n",
        "x-forwarded-proto: http\r\n",
        "traceparent: 00-0af7651916cd43dd8448eb211c80319c-",
    ] {
        assert!(seen.contains(present), "{present} not in {seen}");
    }
    assert!(!seen.contains("b7ad6b7169203331"), "the span is ours");
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_whom_it_does_not_know_and_says_how_to_go_on() {
    let origin = Origin::scripted(vec![Answer::json(CASE)]).await;
    let stage = start(POLICY, origin.address()).await;
    let nobody = stage
        .send("GET /cases/1 HTTP/1.1\r\nHost: a.example\r\n\r\n")
        .await;
    assert_eq!(
        (nobody.status, nobody.slug().as_str()),
        (401, "identity-missing")
    );
    assert_eq!(nobody.header("www-authenticate"), Some("Bearer"));
    assert_eq!(
        nobody.header("content-type"),
        Some("application/problem+json")
    );
    assert_eq!(nobody.header("cache-control"), Some("no-store"));
    assert_eq!(nobody.header("server"), None);
    let invalid = stage
        .send("GET /cases/1 HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer x.y.z\r\n\r\n")
        .await;
    assert_eq!(
        (invalid.status, invalid.slug().as_str()),
        (401, "identity-invalid")
    );
    let table = [
        ("/cases/1", "stranger", 403, "no-role"),
        ("/elsewhere", "agent", 403, "route-denied"),
        ("/cases/1?ssn=1", "agent", 400, "query-not-allowed"),
    ];
    for (target, role, status, slug) in table {
        let reply = stage.get(target, role).await;
        assert_eq!(
            (reply.status, reply.slug().as_str()),
            (status, slug),
            "{target}"
        );
        assert!(reply.header("postern-revision").is_some());
    }
    let wrong_method = stage
        .send(&request("DELETE", "/cases/1", "agent", "", ""))
        .await;
    assert_eq!(wrong_method.status, 405);
    assert_eq!(wrong_method.header("allow"), Some("GET, HEAD, POST"));
    assert!(origin.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn serves_several_requests_on_one_connection_and_reuses_the_upstreams() {
    let origin = Origin::scripted(vec![Answer::json(CASE)]).await;
    let stage = start(POLICY, origin.address()).await;
    let mut client = Client::connect(stage.address()).await;
    for _ in 0..5 {
        client.write(get("/cases/1", "agent").as_bytes()).await;
        assert_eq!(client.reply(false).await.unwrap().status, 200);
        client.write(get("/elsewhere", "agent").as_bytes()).await;
        assert_eq!(client.reply(false).await.unwrap().status, 403);
    }
    assert_eq!(origin.requests().len(), 5);
    assert_eq!(origin.connections(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn retries_once_when_a_pooled_connection_has_died() {
    let origin = Origin::answering(|request| {
        let body = Answer::json("{}");
        if request.starts_with(b"GET /cases/dies") {
            // The whole answer, and then the connection ends without having said so.
            body.then_close()
        } else {
            body
        }
    })
    .await;
    let stage = start(POLICY, origin.address()).await;
    for _ in 0..20 {
        assert_eq!(stage.get("/cases/dies", "agent").await.status, 200);
        assert_eq!(stage.get("/cases/1", "agent").await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_head_and_bodiless_statuses_without_a_body() {
    let origin = Origin::answering(|request| {
        if request.starts_with(b"HEAD") {
            return Answer::raw(
                "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n",
            );
        }
        let path = String::from_utf8_lossy(request);
        let status = path.split(['/', ' ']).nth(3).unwrap().to_owned();
        Answer::raw(format!(
            "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: 28\r\n\r\n\
             {{\"id\":1,\"ssn\":\"912-04-7731\"}}"
        ))
    })
    .await;
    let stage = start(POLICY, origin.address()).await;
    let head = stage
        .send(&request("HEAD", "/cases/1", "agent", "", ""))
        .await;
    assert_eq!(head.status, 200);
    assert_eq!(
        head.header("content-length"),
        None,
        "the length of the unredacted body"
    );
    for status in [204, 205, 304] {
        let reply = stage.get(&format!("/cases/{status}"), "agent").await;
        assert_eq!((reply.status, reply.body.len()), (status, 0));
        assert_ne!(reply.header("content-length"), Some("28"), "{}", reply.head);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn says_how_much_was_withheld_where_the_route_says_so() {
    let origin = Origin::scripted(vec![Answer::json(CASE)]).await;
    let stage = start(POLICY, origin.address()).await;
    let agent = stage.get("/receipt", "agent").await;
    assert_eq!(agent.header("postern-withheld"), Some("pii=1, secret=1"));
    assert_eq!(
        stage
            .get("/receipt", "boss")
            .await
            .header("postern-withheld"),
        None
    );
    assert_eq!(
        stage
            .get("/cases/1", "agent")
            .await
            .header("postern-withheld"),
        None
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn lets_events_through_as_they_come() {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";
    let first = "data: one\n\n";
    let answer = Answer::raw(format!("{head}{first}data: two\n\n"));
    let origin = Origin::scripted(vec![answer.held_at(head.len() + first.len()).closing()]).await;
    let stage = start(POLICY, origin.address()).await;
    let mut client = Client::connect(stage.address()).await;
    client.write(get("/events", "agent").as_bytes()).await;
    let mut seen = String::new();
    while !seen.contains("data: one") {
        seen = client.says_something().await;
    }
    assert!(!seen.contains("data: two"));
    origin.let_go();
    let reply = client.reply(false).await.unwrap();
    assert_eq!(reply.text(), "data: one\n\ndata: two\n\n");
    assert!(reply.complete);
    let elsewhere = stage.get("/cases/1", "agent").await;
    assert_eq!(
        elsewhere.slug(),
        "unreadable-body",
        "events on a labelled route"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_come_leaves_together_and_waits_for_nothing_that_has_not() {
    const PIECES: usize = 400;
    let long = format!("[{}", CASE.to_owned().repeat(2000).replace("}{", "},{"));
    let short: Vec<String> = (0..PIECES)
        .map(|id| format!(",{{\"id\":{id},\"ssn\":\"1\"}}"))
        .collect();
    let mut pieces = vec![long.as_str()];
    pieces.extend(short.iter().map(String::as_str));
    pieces.push("]");
    let answer = Answer::chunked(&pieces);
    let at = answer.len() - "1\r\n]\r\n0\r\n\r\n".len();
    let origin = Origin::scripted(vec![answer.held_at(at)]).await;
    let stage = start(POLICY, origin.address()).await;
    let mut client = Client::connect(stage.address()).await;
    client.write(get("/cases/1", "agent").as_bytes()).await;
    let last = format!(r#","id":{},"ssn":"[redacted]"}}"#, PIECES - 1).replace(",\"id", "{\"id");
    let mut seen = String::new();
    while !seen.contains(&last) {
        seen = client.says_something().await;
    }
    let (_, chunks) = seen.split_once("\r\n\r\n").unwrap();
    let chunks = chunks.matches("\r\n").count() / 2;
    assert!((1..PIECES / 4).contains(&chunks), "{chunks}");
    origin.let_go();
    let reply = client.reply(false).await.unwrap();
    assert!(reply.complete);
    let value: serde_json::Value = serde_json::from_slice(&reply.body).unwrap();
    assert_eq!(value.as_array().unwrap().len(), 2000 + PIECES);
}

#[tokio::test(flavor = "multi_thread")]
async fn lets_the_upstream_go_when_the_client_has_left() {
    let origin = Origin::scripted(vec![Answer::raw("").then_stall()]).await;
    let stage = start(POLICY, origin.address()).await;
    let mut client = Client::connect(stage.address()).await;
    client.write(get("/cases/1", "agent").as_bytes()).await;
    origin.asked(1).await;
    drop(client);
    // Long before the upstream's time is over.
    origin.left_alone().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redirection_to_the_upstream_itself_passes_where_fields_are_labelled() {
    let origin = Origin::answering(|request| {
        let head = String::from_utf8_lossy(request).to_ascii_lowercase();
        let own = head.split("host: ").nth(1).unwrap().lines().next().unwrap();
        let host = match head.starts_with("get /cases/1 ") {
            true => own,
            false => "elsewhere.example",
        };
        Answer::raw(format!(
            "HTTP/1.1 303 See Other\r\nLocation: http://{host}/cases/8\r\nContent-Length: 0\r\n\r\n"
        ))
    })
    .await;
    let stage = start(POLICY, origin.address()).await;
    let own = stage.get("/cases/1", "agent").await;
    assert_eq!(
        (own.status, own.header("location")),
        (303, Some("/cases/8"))
    );
    assert_eq!(stage.get("/cases/2", "agent").await.status, 502);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pointer_to_the_upstream_leads_back_to_postern() {
    let table = [
        ("http://{here}/notes/7?a=1", "/notes/7?a=1"),
        ("HTTPS://{here}", "/"),
        ("//{here}?a=1", "/?a=1"),
        (
            "http://{here}//elsewhere.example/x",
            "/.//elsewhere.example/x",
        ),
        ("//{here}/\\elsewhere.example", "/./\\elsewhere.example"),
        ("/notes/7", "/notes/7"),
        ("https://elsewhere.example/x", "https://elsewhere.example/x"),
        ("http://{here}.example/x", "http://{here}.example/x"),
    ];
    let origin = Origin::answering(move |request| {
        let head = String::from_utf8_lossy(request).to_ascii_lowercase();
        let here = head.split("host: ").nth(1).unwrap().lines().next().unwrap();
        let case = head.split(['/', ' ']).nth(3).unwrap();
        let pointer = table[case.parse::<usize>().unwrap()]
            .0
            .replace("{here}", here);
        Answer::raw(format!(
            "HTTP/1.1 303 See Other\r\nLocation: {pointer}\r\nLink: <{pointer}>; rel=next\r\n\
             Content-Length: 0\r\n\r\n"
        ))
    })
    .await;
    let here = format!("localhost:{}", origin.address().port());
    let stage = start(POLICY, origin.address()).await;
    for (case, (_, expected)) in table.iter().enumerate() {
        let reply = stage.get(&format!("/notes/{case}"), "agent").await;
        let expected = expected.replace("{here}", &here);
        let told = (reply.status, reply.header("location"));
        assert_eq!(told, (303, Some(expected.as_str())), "case {case}");
        let link = format!("<{expected}>; rel=next");
        assert_eq!(reply.header("link"), Some(link.as_str()), "case {case}");
    }
}
