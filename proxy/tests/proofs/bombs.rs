//! Answers that are small on the way and large when they are read, deep, or wide: refused or streamed, within a
//! bound of memory that is printed for each.

use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;

use super::client::{Client, Response};
use super::count;
use super::process::{Process, policy};

/// What all clients of one bomb together may add to what the process holds.
const ALLOWED_KIB: u64 = 64 << 10;
/// How many ask for the same bomb at once.
const CLIENTS: usize = 8;

/// An answer, and whether it may arrive whole.
struct Bomb {
    name: &'static str,
    coding: Option<&'static str>,
    body: Vec<u8>,
    arrives: bool,
}

#[tokio::test(flavor = "multi_thread")]
async fn bombs_are_refused_or_streamed_within_a_bound() {
    let mib = count("POSTERN_BOMB_MIB", 32);
    let bombs = Arc::new(bombs(mib << 20));
    let origin = start(Arc::clone(&bombs)).await;
    let policy = policy("old").replace("\"GET /cut/", "\"GET /bomb/{n}\", \"GET /cut/");
    let process = Process::start_with(tempfile::tempdir().unwrap(), origin, None, &policy).await;
    let last = format!("/bomb/{}", bombs.len() - 1);
    drop(Client::get_once(process.data, &last).await);
    let base = process.memory_kib("VmRSS");
    for (number, bomb) in bombs.iter().enumerate() {
        let mut asking = JoinSet::new();
        for _ in 0..CLIENTS {
            let (address, path) = (process.data, format!("/bomb/{number}"));
            asking.spawn(async move { Client::get_once(address, &path).await });
        }
        let answers = asking.join_all().await;
        let peak = process.memory_kib("VmHWM");
        println!(
            "bombs: {}: {} bytes on the way, {}; base {base} KiB, peak so far {peak} KiB",
            bomb.name,
            bomb.body.len(),
            told(&answers)
        );
        for answer in &answers {
            let whole = answer.status == 200 && answer.complete;
            assert_eq!(whole, bomb.arrives, "{}: {}", bomb.name, answer.head);
            assert!(
                whole || [200, 502].contains(&answer.status),
                "{}",
                answer.head
            );
        }
        assert!(peak <= base + ALLOWED_KIB, "{}: {peak} KiB", bomb.name);
    }
    assert!(Client::get_once(process.data, &last).await.complete);
}

fn told(answers: &[Response]) -> String {
    let refused = answers.iter().filter(|answer| answer.status == 502).count();
    let whole = answers
        .iter()
        .filter(|answer| answer.status == 200 && answer.complete)
        .count();
    let cut = answers.len() - refused - whole;
    format!("{whole} whole, {refused} refused, {cut} cut")
}

/// Every bomb, of about so many bytes when it is read.
fn bombs(bytes: usize) -> Vec<Bomb> {
    let text = [b"[\"".as_slice(), &vec![b'a'; bytes], b"\"]"].concat();
    let refused = |name, coding, body| Bomb {
        name,
        coding,
        body,
        arrives: false,
    };
    let streamed = |name, body: String| Bomb {
        name,
        coding: None,
        body: body.into_bytes(),
        arrives: true,
    };
    let half = bytes / 2;
    let once = gzip(&text);
    vec![
        refused("gzip", Some("gzip"), once.clone()),
        refused("gzip in gzip", Some("gzip, gzip"), gzip(&once)),
        refused(
            "gzip of many members",
            Some("gzip"),
            gzip(&vec![b' '; 1 << 20]).repeat(bytes >> 20),
        ),
        refused("brotli", Some("br"), brotli(&text)),
        refused(
            "zstd",
            Some("zstd"),
            zstd::encode_all(text.as_slice(), 19).unwrap(),
        ),
        refused("depth, lists", None, vec![b'['; bytes]),
        refused("depth, members", None, b"{\"a\":".repeat(bytes / 5)),
        streamed("width, elements", format!("[{}0]", "0,".repeat(half))),
        streamed(
            "width, empty lists",
            format!("[{}0]", "[],".repeat(bytes / 3)),
        ),
        streamed(
            "width, the same member",
            format!("[{{{}\"a\":0}}]", "\"a\":0,".repeat(bytes / 6)),
        ),
        streamed("width, shown text", format!("[\"{}\"]", "a".repeat(bytes))),
        streamed("none", "[{\"customer\":{\"name\":\"x\"}}]".to_owned()),
    ]
}

fn gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(plain).unwrap();
    encoder.finish().unwrap()
}

fn brotli(plain: &[u8]) -> Vec<u8> {
    let mut coded = Vec::new();
    let parameters = brotli::enc::BrotliEncoderParams {
        quality: 5,
        ..Default::default()
    };
    brotli::BrotliCompress(&mut &plain[..], &mut coded, &parameters).unwrap();
    coded
}

/// An application that answers with the bomb that is asked for.
async fn start(bombs: Arc<Vec<Bomb>>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(answer(stream, Arc::clone(&bombs)));
        }
    });
    address
}

/// One answer, after which the connection closes.
async fn answer(mut stream: TcpStream, bombs: Arc<Vec<Bomb>>) {
    let mut request = Vec::new();
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.unwrap_or(0) == 0 {
            return;
        }
    }
    let request = String::from_utf8_lossy(&request);
    let number = request.split(['/', ' ']).nth(3).unwrap_or_default();
    let bomb = &bombs[number.parse::<usize>().unwrap()];
    let coding = bomb.coding.map_or_else(String::new, |coding| {
        format!("Content-Encoding: {coding}\r\n")
    });
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n{coding}Content-Length: {}\r\nConnection: close\r\n\r\n",
        bomb.body.len()
    );
    // Postern may have had enough.
    if stream.write_all(head.as_bytes()).await.is_ok() {
        let _gone = stream.write_all(&bomb.body).await;
    }
}
