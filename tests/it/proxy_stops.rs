//! How a Postern stops: what runs finishes, nothing new begins, and the process does not linger.

use std::time::Duration;

use postern_proxy::Drained;

use crate::origin::{Answer, Origin};
use crate::postern::{Client, POLICY, Setting, get, start, start_with};
use crate::secure::{Authority, TLS, connect, h2_get, h2_send, http2, tls_stage};

#[tokio::test(flavor = "multi_thread")]
async fn lets_two_hundred_exchanges_finish_and_takes_no_more() {
    const EXCHANGES: usize = 200;
    let body = r#"{"id":1,"ssn":"912-04-7731"}"#;
    let answer = Answer::json(body);
    let held = answer.len() - 5;
    let origin = Origin::scripted(vec![answer.held_at(held)]).await;
    let stage = start(POLICY, origin.address()).await;
    let mut idle = Client::connect(stage.address()).await;
    let mut clients = Vec::new();
    for _ in 0..EXCHANGES {
        let mut client = Client::connect(stage.address()).await;
        client.write(get("/cases/1", "agent").as_bytes()).await;
        clients.push(client);
    }
    origin.asked(EXCHANGES).await;
    let address = stage.address();
    let stopping = tokio::spawn(stage.running.shutdown());
    assert!(
        idle.is_closed().await,
        "idle connections are let go at once"
    );
    // Refused, or reset because it came a moment before the listener was gone.
    if let Ok(stream) = tokio::net::TcpStream::connect(address).await {
        assert!(Client::over(stream).is_closed().await, "nothing new begins");
    }
    origin.let_go();
    for mut client in clients {
        let reply = client.reply(false).await.expect("an answer");
        assert_eq!((reply.status, reply.complete), (200, true));
        assert_eq!(reply.header("connection"), Some("close"));
    }
    assert_eq!(stopping.await.unwrap(), Drained::Whole);
}

#[tokio::test(flavor = "multi_thread")]
async fn cuts_what_does_not_finish_in_time() {
    let origin = Origin::scripted(vec![Answer::raw("").then_stall()]).await;
    let setting = Setting {
        drain: "1s".to_owned(),
        ..Setting::default()
    };
    let stage = start_with(&setting, origin.address()).await;
    let mut client = Client::connect(stage.address()).await;
    client.write(get("/cases/1", "agent").as_bytes()).await;
    origin.asked(1).await;
    let stopping = tokio::time::timeout(Duration::from_secs(4), stage.running.shutdown());
    assert_eq!(stopping.await.expect("within the time"), Drained::Cut);
    assert!(client.reply(false).await.is_none(), "no answer, visibly");
}

#[tokio::test(flavor = "multi_thread")]
async fn lets_http2_streams_finish_and_takes_no_more() {
    let answer = Answer::json(r#"{"id":1}"#);
    let held = answer.len() - 1;
    let authority = Authority::new();
    let (origin, stage) = tls_stage(&authority, TLS, POLICY, answer.held_at(held)).await;
    let stream = connect(&stage, authority.client(b"h2", None))
        .await
        .unwrap();
    let client = http2(stream).await;
    let running: Vec<_> = (0..50)
        .map(|_| {
            let mut client = client.clone();
            tokio::spawn(async move { h2_send(&mut client, h2_get("/cases/1")).await })
        })
        .collect();
    origin.asked(50).await;
    let stopping = tokio::spawn(stage.running.shutdown());
    origin.let_go();
    for exchange in running {
        let (status, body) = exchange.await.unwrap();
        assert_eq!(status, 200);
        assert_eq!(body.unwrap(), br#"{"id":1}"#);
    }
    assert_eq!(stopping.await.unwrap(), Drained::Whole);
}
