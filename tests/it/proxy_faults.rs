//! What an origin can do wrong: nothing of an answer that cannot be read leaves, and what breaks off
//! late breaks off visibly.

use crate::origin::{Answer, Origin};
use crate::postern::{Client, POLICY, Reply, get, request, start};

const CANARY: &str = "912-04-7731";

async fn answered(answer: Answer) -> (Origin, Reply) {
    let origin = Origin::scripted(vec![answer]).await;
    let stage = start(POLICY, origin.address()).await;
    let reply = stage.get("/cases/1", "agent").await;
    (origin, reply)
}

fn assert_withheld(reply: &Reply, what: &str) {
    assert!(
        [502, 504].contains(&reply.status),
        "{} {what}",
        reply.status
    );
    assert!(reply.complete, "{what}");
    let shown = format!("{}{}", reply.head, reply.text());
    let leaks = shown.contains("912-0") || shown.contains("X-Leak");
    assert!(!leaks, "{what}: {shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn withholds_answers_with_two_meanings() {
    let body = format!(r#"{{"id":1,"ssn":"{CANARY}"}}"#);
    let length = body.len();
    let head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Leak: 1\r\n";
    let table = [
        format!("{head}Content-Length: 8\r\nContent-Length: {length}\r\n\r\n{body}"),
        format!("{head}Content-Length: {length}\r\nContent-Length: {length}\r\n\r\n{body}"),
        format!(
            "{head}Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n{length:x}\r\n{body}\r\n0\r\n\r\n"
        ),
        format!("{head}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n"),
        format!("{head}Content-Length: {length}\r\nX: a\r\n b\r\n\r\n{body}"),
        format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n{body}"
        ),
        format!(
            "{}HTTP/1.1 200 OK\r\n\r\n{body}",
            "HTTP/1.1 102 P\r\nX-Leak: 1\r\n\r\n".repeat(20)
        ),
        format!("SSH-2.0-OpenSSH {CANARY}\r\n\r\n"),
        format!("ICY 200 OK\r\n\r\n{CANARY}"),
        format!("HTTP/1.1 999 No\r\nContent-Length: {length}\r\n\r\n{body}"),
        format!("{head}Transfer-Encoding: chunked\r\n\r\nzz\r\n{body}\r\n0\r\n\r\n"),
        format!(
            "HTTP/1.1 200 OK\r\nX-Leak: {}\r\nContent-Length: {length}\r\n\r\n{body}",
            "a".repeat(70_000)
        ),
        "\u{15}\u{3}\u{1}".to_owned(),
        String::new(),
    ];
    for raw in table {
        let (_, reply) = answered(Answer::raw(raw.clone()).then_close()).await;
        let shown: String = raw.escape_debug().to_string().chars().take(200).collect();
        assert_withheld(&reply, &shown);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn drops_interim_answers_and_trailers() {
    let interim =
        "HTTP/1.1 103 Early Hints\r\nLink: </912-04-7731>\r\nX-Leak: 1\r\n\r\n".repeat(16);
    let answer = format!(
        "{interim}HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTrailer: X-Leak\r\n\
         Transfer-Encoding: chunked\r\n\r\n8\r\n{{\"id\":1}}\r\n0\r\nX-Leak: 912-04-7731\r\n\r\n"
    );
    let (_, reply) = answered(Answer::raw(answer)).await;
    assert_eq!((reply.status, reply.text().as_str()), (200, r#"{"id":1}"#));
    assert!(!reply.head.contains("Leak") && !reply.head.contains("912"));
}

#[tokio::test(flavor = "multi_thread")]
async fn never_delivers_a_second_answer_to_anybody() {
    let origin = Origin::answering(|request| {
        if request.starts_with(b"GET /cases/1 ") {
            let mut bytes = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n{\"id\":1}".to_vec();
            bytes.extend_from_slice(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{\"id\":99}");
            Answer::raw(bytes)
        } else {
            Answer::json(r#"{"id":2}"#)
        }
    })
    .await;
    let stage = start(POLICY, origin.address()).await;
    for _ in 0..10 {
        assert_eq!(stage.get("/cases/1", "agent").await.text(), r#"{"id":1}"#);
        assert_eq!(stage.get("/cases/2", "agent").await.text(), r#"{"id":2}"#);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_cut_anywhere_is_a_clean_502() {
    let body = format!(r#"{{"id":1,"ssn":"{CANARY}","note":"{}"}}"#, "n".repeat(40));
    let sized = Answer::json(&body);
    let (one, two) = body.split_at(20);
    let chunked = Answer::chunked(&[one, two]);
    for whole in [sized, chunked] {
        let answers: Vec<Answer> = (0..whole.len())
            .map(|at| whole.clone().cut_at(at))
            .collect();
        let origin = Origin::scripted(answers).await;
        let stage = start(POLICY, origin.address()).await;
        for at in 0..whole.len() {
            // A POST is not sent twice, so that the answers stay in step.
            let reply = stage
                .send(&request(
                    "POST",
                    "/cases/1",
                    "boss",
                    "Content-Length: 0\r\n",
                    "",
                ))
                .await;
            assert_withheld(&reply, &format!("cut at {at} of {}", whole.len()));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_answer_cut_late_breaks_off_visibly() {
    let item = format!(r#"{{"id":1,"ssn":"{CANARY}"}},"#);
    let body = format!("[{}1]", item.repeat(8000));
    assert!(body.len() > 200_000);
    let whole = Answer::json(&body);
    for at in [whole.len() - 1, whole.len() - 1000, 150_000] {
        let (_, reply) = answered(whole.clone().cut_at(at)).await;
        assert_eq!(reply.status, 200);
        assert!(!reply.complete, "cut at {at}");
        assert!(reply.body.len() > 65_536);
        assert!(!reply.text().contains("912"), "cut at {at}");
    }
    let (_, reply) = answered(whole).await;
    assert!(reply.complete);
    assert!(!reply.text().contains("912"));
    assert!(reply.header("content-length").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_is_held_whole_up_to_the_limit_and_not_one_byte_more() {
    const HELD: usize = 64 << 10;
    for bytes in [HELD, HELD + 1] {
        let filler = format!("{{\"note\":\"{}\",", "x".repeat(bytes - 11));
        assert_eq!(filler.len(), bytes);
        // The origin goes on only when it is told to: until then the client may have seen nothing.
        let answer = Answer::chunked(&[&filler, "}"]);
        let at = answer.len() - "1\r\n}\r\n0\r\n\r\n".len();
        let origin = Origin::scripted(vec![answer.held_at(at)]).await;
        let stage = start(POLICY, origin.address()).await;
        let mut client = Client::connect(stage.address()).await;
        client.write(get("/cases/1", "agent").as_bytes()).await;
        if bytes > HELD {
            assert!(client.says_something().await.starts_with("HTTP/1.1 200 "));
        }
        origin.let_go();
        let reply = client.reply(false).await.unwrap();
        if bytes > HELD {
            assert_eq!((reply.status, reply.complete), (200, false));
        } else {
            assert_eq!(
                (reply.status, reply.slug().as_str()),
                (502, "unreadable-body")
            );
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn tells_an_unreachable_origin_from_a_slow_one() {
    let closed = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = closed.local_addr().unwrap();
    drop(closed);
    let stage = start(POLICY, address).await;
    let reply = stage.get("/cases/1", "agent").await;
    assert_eq!(
        (reply.status, reply.slug().as_str()),
        (502, "upstream-unavailable")
    );

    let silent = Origin::scripted(vec![Answer::raw("").then_stall()]).await;
    let stage = start(POLICY, silent.address()).await;
    let reply = stage.get("/cases/1", "agent").await;
    assert_eq!(
        (reply.status, reply.slug().as_str()),
        (504, "upstream-unavailable")
    );
    let whole = Answer::json(r#"{"id":1}"#);
    let stuck = Origin::scripted(vec![whole.clone().stuck_at(whole.len() - 3), whole]).await;
    let stage = start(POLICY, stuck.address()).await;
    assert_eq!(stage.get("/cases/1", "agent").await.status, 504);
    assert_eq!(stage.get("/cases/1", "agent").await.status, 200);
}
