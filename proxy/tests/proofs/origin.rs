//! A case API as a raw TCP server: what it sends is exactly what is written here, cut where asked.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What must never reach a client.
pub(crate) const CANARY: &str = "zq7.victim@leak.example";

/// The cookie that a login gives; nobody but the application and Postern ever needs it.
pub(crate) const SID: &str = "b4f1a29c7d3e5068b4f1a29c7d3e5068";

/// A case whose two personal fields a policy replaces.
pub(crate) fn case(id: usize) -> String {
    format!(
        r#"{{"id":{id},"subject":"Cannot log in","customer":{{"name":"{CANARY}","email":"{CANARY}"}},"status":"open"}}"#
    )
}

/// An answer of exactly 4 KiB, head included, with a canary every few bytes.
pub(crate) fn four_kib() -> Vec<u8> {
    let mut body = String::from("[");
    let head = |length: usize| {
        format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length:04}\r\n\r\n"
        )
    };
    let room = 4096 - head(0).len();
    while body.len() + case(1).len() + 2 < room - 40 {
        body.push_str(&case(1));
        body.push(',');
    }
    let pad = room - body.len() - 3;
    body.push_str(&format!("\"{}\"]", "p".repeat(pad)));
    let answer = format!("{}{body}", head(body.len())).into_bytes();
    assert_eq!(answer.len(), 4096);
    answer
}

/// Starts the API on a free loopback port.
pub(crate) async fn start() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream));
        }
    });
    address
}

async fn serve(mut stream: TcpStream) {
    let mut buffer = Vec::new();
    loop {
        let Some(head) = request_head(&mut stream, &mut buffer).await else {
            return;
        };
        let path = head.split(' ').nth(1).unwrap_or_default();
        let mut parts = path.trim_start_matches('/').split('/');
        let kind = parts.next().unwrap_or_default().to_owned();
        let number: usize = parts
            .next()
            .and_then(|text| text.parse().ok())
            .unwrap_or_default();
        let keep = match kind.as_str() {
            "cases" => whole(&mut stream, &case(number)).await,
            "login" => login(&mut stream).await,
            "logout" => whole(&mut stream, "{}").await,
            "own" => match head.contains(&format!("sid={SID}")) {
                true => whole(&mut stream, &case(number)).await,
                false => unknown(&mut stream).await,
            },
            "slow" => {
                tokio::time::sleep(Duration::from_millis(number as u64)).await;
                whole(&mut stream, &case(number)).await
            }
            "page" => whole(&mut stream, &page(number)).await,
            "big" => big(&mut stream, number).await,
            "cut" => {
                let answer = four_kib();
                let cut = &answer[..number.min(answer.len())];
                let written = stream.write_all(cut).await;
                written.is_ok() && number >= answer.len()
            }
            _ => false,
        };
        if !keep {
            return;
        }
    }
}

async fn request_head(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            return String::from_utf8(buffer.drain(..end + 4).collect()).ok();
        }
        let mut part = [0_u8; 4096];
        let count = stream
            .read(&mut part)
            .await
            .ok()
            .filter(|count| *count > 0)?;
        buffer.extend_from_slice(&part[..count]);
    }
}

/// A JSON array of so many cases.
fn page(records: usize) -> String {
    let cases: Vec<String> = (0..records).map(case).collect();
    format!("[{}]", cases.join(","))
}

/// A login that anybody may have, with a cookie.
async fn login(stream: &mut TcpStream) -> bool {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
         Set-Cookie: sid={SID}; Path=/; HttpOnly\r\nContent-Length: 14\r\n\r\n{{\"user\":\"ann\"}}"
    );
    stream.write_all(answer.as_bytes()).await.is_ok()
}

/// What somebody gets who brings no cookie of a login.
async fn unknown(stream: &mut TcpStream) -> bool {
    let answer = "HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n";
    stream.write_all(answer.as_bytes()).await.is_ok()
}

async fn whole(stream: &mut TcpStream, body: &str) -> bool {
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(answer.as_bytes()).await.is_ok()
}

/// A JSON array of cases of at least `mib` MiB, as it is generated.
async fn big(stream: &mut TcpStream, mib: usize) -> bool {
    let head =
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut block = String::new();
    while block.len() < 64 << 10 {
        block.push_str(&case(7));
        block.push(',');
    }
    let chunk = format!("{:x}\r\n{block}\r\n", block.len());
    let blocks = (mib << 20) / block.len() + 1;
    if stream
        .write_all(format!("{head}1\r\n[\r\n").as_bytes())
        .await
        .is_err()
    {
        return false;
    }
    for _ in 0..blocks {
        if stream.write_all(chunk.as_bytes()).await.is_err() {
            return false;
        }
    }
    stream.write_all(b"2\r\n0]\r\n0\r\n\r\n").await.is_ok()
}
