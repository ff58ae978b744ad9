//! How a client's connection ends: whoever is still sending gets the answer whole all the same, and what only has its
//! connection left takes no place of those that run.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::origin::{Answer, Origin};
use crate::postern::{Client, POLICY, Setting, get, request, start, start_with};

/// A long answer, as JSON.
fn long() -> String {
    format!("\"{}\"", "y".repeat(300_000))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_to_an_upload_that_goes_on_arrives_whole() {
    let early = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let stage = start(POLICY, early.local_addr().unwrap()).await;
    let talkative = tokio::spawn(async move {
        let (mut stream, _) = early.accept().await.unwrap();
        let _some = stream.read(&mut [0; 1024]).await.unwrap();
        let body = long();
        let head = "HTTP/1.1 413 No\r\nContent-Type: application/json\r\nContent-Length";
        let answer = format!("{head}: {}\r\n\r\n{body}", body.len());
        stream.write_all(answer.as_bytes()).await.unwrap();
        // Keeps the connection open and reads nothing more.
        stream
    });
    let mut client = TcpStream::connect(stage.address()).await.unwrap();
    let head = request("POST", "/notes", "boss", "Content-Length: 3000000\r\n", "");
    client.write_all(head.as_bytes()).await.unwrap();
    // As programs do that look for an answer once they have sent everything.
    client.write_all(&vec![b'x'; 200_000]).await.unwrap();
    // The answer has begun, and all of it has left the proxy.
    client.peek(&mut [0]).await.unwrap();
    tokio::time::sleep(Duration::from_millis(200)).await;
    client.write_all(&vec![b'x'; 2_800_000]).await.unwrap();
    let mut client = Client::over(client);
    let reply = client.reply(false).await.unwrap();
    assert_eq!((reply.status, reply.complete), (413, true));
    assert_eq!(reply.text(), long());
    assert!(client.is_closed().await);
    drop(talkative.await.unwrap());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_arrives_whole_although_the_next_request_has_come() {
    let asked = get("/notes", "agent");
    for ahead in [true, false] {
        let origin = Origin::scripted(vec![Answer::json(&long()).held_at(1000)]).await;
        let stage = start(POLICY, origin.address()).await;
        let mut client = TcpStream::connect(stage.address()).await.unwrap();
        let first = asked.repeat(if ahead { 2 } else { 1 });
        client.write_all(first.as_bytes()).await.unwrap();
        origin.asked(1).await;
        client.write_all(asked.as_bytes()).await.unwrap();
        tokio::time::sleep(Duration::from_millis(100)).await;
        origin.let_go();
        // Much of it has not reached the client when the proxy has done with the connection.
        tokio::time::sleep(Duration::from_millis(200)).await;
        let mut client = Client::over(client);
        let reply = client.reply(false).await.unwrap();
        assert_eq!((reply.status, reply.complete), (200, true), "{ahead}");
        assert_eq!(reply.text(), long());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_refused_takes_no_place_while_its_connection_ends() {
    let origin = Origin::scripted(vec![Answer::json("{}")]).await;
    let setting = Setting {
        limits: "{ exchanges: 2 }".to_owned(),
        ..Setting::default()
    };
    let stage = start_with(&setting, origin.address()).await;
    let mut refused = Vec::new();
    for request in ["nothing\r\n\r\n", "GET / HTTP/1.1\r\n\r\n"] {
        let mut client = Client::connect(stage.address()).await;
        client.write(request.as_bytes()).await;
        assert_eq!(client.reply(false).await.unwrap().status, 400);
        // It stays open, and Postern waits for what the client may still say.
        refused.push(client);
    }
    // Its places are free when the refusals have been written, long before the connections end.
    let mut status = 0;
    for _again in 0..10 {
        tokio::time::sleep(Duration::from_millis(50)).await;
        status = stage.get("/notes", "agent").await.status;
        if status == 200 {
            break;
        }
    }
    assert_eq!(status, 200);
    drop(refused);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_a_known_length_leave_as_they_come() {
    let body = "data: 1\n\ndata: 2\n\n";
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: 18\r\n\r\n";
    let answer = Answer::raw(format!("{head}{body}")).held_at(head.len() + 9);
    let origin = Origin::scripted(vec![answer]).await;
    let stage = start(POLICY, origin.address()).await;
    let mut client = Client::connect(stage.address()).await;
    client.write(get("/events", "agent").as_bytes()).await;
    while !client.says_something().await.contains("data: 1\n\n") {}
    origin.let_go();
    let reply = client.reply(false).await.unwrap();
    assert_eq!((reply.text().as_str(), reply.complete), (body, true));
}
