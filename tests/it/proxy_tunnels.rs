//! WebSockets over real sockets: bytes both ways on the routes that allow it, and on no others.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use postern_proxy::Drained;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::origin::{Answer, Origin};
use crate::postern::{Client, POLICY, Setting, Stage, request, start, start_with};
use crate::secure::{Authority, TLS, connect, h2_get, h2_send, http2, tls_stage};

/// The key and its answer of RFC 6455 section 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const LIMIT: Duration = Duration::from_secs(10);

fn policy() -> String {
    let socket = "  socket:\n    match: GET /socket\n    allow: [websocket]\n  closed:";
    POLICY.replace("  closed:", socket)
}

fn handshake(target: &str) -> String {
    let lines = format!(
        "Connection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: {KEY}\r\nSec-WebSocket-Protocol: chat,  plain\r\n\
         Origin: https://a.example\r\nCookie: a=b\r\n"
    );
    request("GET", target, "agent", &lines, "")
}

fn switching(more: &str) -> String {
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Accept: {ACCEPT}\r\nSet-Cookie: c=d\r\n{more}\r\n"
    )
}

/// Reads until `end` has come.
async fn until(stream: &mut TcpStream, end: &str) -> String {
    let mut read = Vec::new();
    let reading = async {
        while !read.ends_with(end.as_bytes()) {
            let shown = String::from_utf8_lossy(&read).into_owned();
            assert_ne!(stream.read_buf(&mut read).await.unwrap(), 0, "{shown}");
        }
    };
    tokio::time::timeout(LIMIT, reading).await.expect("in time");
    String::from_utf8(read).unwrap()
}

/// Whether a side has closed, with nothing said before.
async fn is_closed(stream: &mut TcpStream) -> bool {
    let mut rest = [0; 8];
    let read = tokio::time::timeout(LIMIT, stream.read(&mut rest));
    matches!(read.await.expect("in time"), Ok(0) | Err(_))
}

/// A stage with an origin that the test plays itself.
async fn stage(drain: &str) -> (TcpListener, Stage) {
    stage_under(policy(), drain).await
}

async fn stage_under(policy: String, drain: &str) -> (TcpListener, Stage) {
    let origin = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let setting = Setting {
        policy,
        drain: drain.to_owned(),
        ..Setting::default()
    };
    let stage = start_with(&setting, origin.local_addr().unwrap()).await;
    (origin, stage)
}

/// An open tunnel: the client's end, the origin's, and the heads that each saw.
async fn open(origin: &TcpListener, stage: &Stage) -> (TcpStream, TcpStream, [String; 2]) {
    let mut client = TcpStream::connect(stage.address()).await.unwrap();
    client
        .write_all(handshake("/socket").as_bytes())
        .await
        .unwrap();
    let (mut upstream, _) = origin.accept().await.unwrap();
    let asked = until(&mut upstream, "\r\n\r\n").await;
    let answer = switching("Sec-WebSocket-Protocol: plain\r\n");
    upstream.write_all(answer.as_bytes()).await.unwrap();
    let told = until(&mut client, "\r\n\r\n").await;
    (client, upstream, [asked, told])
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_down_is_charged_and_ends_at_the_limit() {
    let quotas =
        "quotas:\n  bytes: { unit: bytes, per: identity, window: 1h, limit: { '*': 10 } }\n";
    let (origin, stage) = stage_under(format!("{}{quotas}", policy()), "10s").await;
    let (mut client, mut upstream, _) = open(&origin, &stage).await;
    upstream.write_all(b"0123456;").await.unwrap();
    assert_eq!(until(&mut client, ";").await, "0123456;");
    upstream.write_all(b"three").await.unwrap();
    assert!(is_closed(&mut client).await, "nothing of it");
}

#[tokio::test(flavor = "multi_thread")]
async fn carries_bytes_both_ways_until_the_client_closes() {
    let (origin, stage) = stage("10s").await;
    let (mut client, mut upstream, [asked, told]) = open(&origin, &stage).await;
    let asked = asked.to_lowercase();
    for line in [
        "connection: upgrade\r\n",
        "upgrade: websocket\r\n",
        "sec-websocket-version: 13\r\n",
        "sec-websocket-protocol: chat, plain\r\n",
        "origin: https://a.example\r\n",
    ] {
        assert_eq!(asked.matches(line).count(), 1, "{line} {asked}");
    }
    assert!(
        !asked.contains("authorization") && !asked.contains("cookie"),
        "{asked}"
    );
    let told = told.to_lowercase();
    assert!(told.starts_with("http/1.1 101 "), "{told}");
    assert!(told.contains(&format!("sec-websocket-accept: {}", ACCEPT.to_lowercase())));
    assert!(told.contains("sec-websocket-protocol: plain\r\n"), "{told}");
    assert!(
        told.contains("postern-revision: ") && !told.contains("cookie"),
        "{told}"
    );
    for round in 0..3 {
        let text = format!("up {round};");
        client.write_all(text.as_bytes()).await.unwrap();
        assert_eq!(until(&mut upstream, ";").await, text);
        let text = format!("down {round};");
        upstream.write_all(text.as_bytes()).await.unwrap();
        assert_eq!(until(&mut client, ";").await, text);
    }
    drop(client);
    assert!(is_closed(&mut upstream).await);
    drop(upstream);
    assert_eq!(stage.running.shutdown().await, Drained::Whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn carries_much_in_both_directions_at_once() {
    const BYTES: usize = 4 << 20;
    let (origin, stage) = stage("10s").await;
    let (client, upstream, _) = open(&origin, &stage).await;
    // Nobody reads before everything of theirs is written: each direction has to move by itself.
    let through = |stream: TcpStream, byte: u8| async move {
        let (mut reads, mut writes) = stream.into_split();
        let writing = tokio::spawn(async move {
            writes.write_all(&vec![byte; BYTES]).await.unwrap();
            writes
        });
        let mut read = vec![0; BYTES];
        reads.read_exact(&mut read).await.unwrap();
        (read, reads, writing.await.unwrap())
    };
    let all = async { tokio::join!(through(client, b'u'), through(upstream, b'd')) };
    let (client, upstream) = tokio::time::timeout(LIMIT, all).await.expect("in time");
    assert!(client.0.iter().all(|byte| *byte == b'd'));
    assert!(upstream.0.iter().all(|byte| *byte == b'u'));
}

#[tokio::test(flavor = "multi_thread")]
async fn carries_what_was_sent_ahead_and_closes_with_the_origin() {
    let (origin, stage) = stage("10s").await;
    let mut client = TcpStream::connect(stage.address()).await.unwrap();
    let ahead = handshake("/socket") + "with the head;";
    client.write_all(ahead.as_bytes()).await.unwrap();
    let (mut upstream, _) = origin.accept().await.unwrap();
    let asked = until(&mut upstream, "\r\n\r\n").await;
    assert!(
        !asked.contains("with the head"),
        "it goes up once the origin has agreed"
    );
    client.write_all(b"before the answer;").await.unwrap();
    for _ in 0..3 {
        // Time enough for whoever watches the connection to have seen those bytes.
        assert_eq!(stage.get("/elsewhere", "agent").await.status, 403);
    }
    let answer = switching("") + "with the answer;";
    upstream.write_all(answer.as_bytes()).await.unwrap();
    assert_eq!(
        until(&mut upstream, "answer;").await,
        "with the head;before the answer;"
    );
    let told = until(&mut client, "\r\n\r\nwith the answer;").await;
    assert!(told.starts_with("HTTP/1.1 101 "));
    upstream.write_all(b"last words").await.unwrap();
    drop(upstream);
    assert_eq!(until(&mut client, "last words").await, "last words");
    assert!(is_closed(&mut client).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn waits_for_a_tunnel_when_it_stops_and_cuts_it_in_the_end() {
    let (origin, stage) = stage("2s").await;
    let (mut client, mut upstream, _) = open(&origin, &stage).await;
    let stopping = tokio::spawn(stage.running.shutdown());
    client.write_all(b"still here;").await.unwrap();
    assert_eq!(until(&mut upstream, ";").await, "still here;");
    let stopped = tokio::time::timeout(LIMIT, stopping)
        .await
        .expect("in time");
    assert_eq!(stopped.unwrap(), Drained::Cut);
    assert!(is_closed(&mut client).await && is_closed(&mut upstream).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn relays_an_answer_that_switches_nothing_and_closes() {
    let refusal = "HTTP/1.1 403 No\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nno ws";
    let origin = Origin::scripted(vec![Answer::raw(refusal)]).await;
    let stage = start(&policy(), origin.address()).await;
    let mut client = Client::connect(stage.address()).await;
    client.write(handshake("/socket").as_bytes()).await;
    let reply = client.reply(false).await.unwrap();
    assert_eq!((reply.status, reply.text().as_str()), (403, "no ws"));
    assert_eq!(reply.header("connection"), Some("close"));
    assert!(client.is_closed().await);
}

#[tokio::test(flavor = "multi_thread")]
async fn withholds_a_101_that_does_not_answer_the_handshake() {
    let other_key = STANDARD.encode([7; 20]);
    for answer in [
        switching("").replace(ACCEPT, &other_key),
        switching("").replace("Upgrade: websocket\r\n", ""),
        switching("Sec-WebSocket-Protocol: other\r\n"),
        switching("Sec-WebSocket-Extensions: permessage-deflate\r\n"),
        switching("").replace("HTTP/1.1", "HTTP/1.0"),
    ] {
        let origin = Origin::scripted(vec![Answer::raw(format!("{answer}LEAK"))]).await;
        let stage = start(&policy(), origin.address()).await;
        let reply = stage.send(&handshake("/socket")).await;
        let outcome = (reply.status, reply.slug());
        assert_eq!(outcome, (502, "unreadable-body".to_owned()), "{answer}");
        assert!(!reply.text().contains("LEAK"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn switches_only_where_it_was_asked_to() {
    let origin = Origin::scripted(vec![Answer::raw(switching("") + "LEAK")]).await;
    let stage = start(&policy(), origin.address()).await;
    let reply = stage.get("/socket", "agent").await;
    assert_eq!(
        (reply.status, reply.slug().as_str()),
        (502, "unreadable-body")
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn refuses_every_upgrade_that_no_route_allows() {
    let origin = Origin::scripted(vec![Answer::raw(switching(""))]).await;
    let stage = start(&policy(), origin.address()).await;
    let socket = handshake("/socket");
    let nobody = socket.replace("Bearer ", "Bearer x");
    for (raw, status, slug) in [
        (handshake("/notes"), 403, "upgrade-refused"),
        (handshake("/cases/1"), 403, "upgrade-refused"),
        (handshake("/events"), 403, "upgrade-refused"),
        (handshake("/elsewhere"), 403, "route-denied"),
        (socket.replace("websocket", "h2c"), 403, "upgrade-refused"),
        (
            socket.replace("Version: 13", "Version: 12"),
            403,
            "upgrade-refused",
        ),
        (socket.replace(KEY, "c2hvcnQ="), 400, "ambiguous-request"),
        (
            socket.replace("keep-alive, Upgrade", "close"),
            400,
            "ambiguous-request",
        ),
        (nobody, 401, "identity-invalid"),
    ] {
        let reply = stage.send(&raw).await;
        assert_eq!(
            (reply.status, reply.slug().as_str()),
            (status, slug),
            "{raw}"
        );
    }
    assert!(origin.requests().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn opens_nothing_over_http2() {
    let authority = Authority::new();
    let answer = Answer::raw(switching(""));
    let (origin, stage) = tls_stage(&authority, TLS, &policy(), answer).await;
    let stream = connect(&stage, authority.client(b"h2", None))
        .await
        .unwrap();
    let mut client = http2(stream).await;
    // What HTTP/1.1 says on its connection cannot be said here; the rest of a handshake asks for nothing.
    let mut asking = h2_get("/socket");
    for (name, value) in [("sec-websocket-version", "13"), ("sec-websocket-key", KEY)] {
        asking.headers_mut().insert(name, value.parse().unwrap());
    }
    let (status, _) = h2_send(&mut client, asking).await;
    assert_eq!(status, 502);
    let asked = origin.requests().pop().unwrap().to_lowercase();
    assert!(
        !asked.contains("upgrade") && !asked.contains("sec-websocket"),
        "{asked}"
    );
}
