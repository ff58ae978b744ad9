//! A scripted origin: a raw TCP server in the test's process that says exactly what it is told to and
//! keeps every request as it came.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// What the origin does when it has read a request.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    bytes: Vec<u8>,
    then: Then,
    /// Whether a held answer ends the connection.
    closes: bool,
}

/// What the origin does after an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Then {
    Keep,
    Close,
    /// Says nothing more and waits for the other side to close.
    Stall,
    /// Waits for [`Origin::let_go`] before it goes on with the rest of the answer.
    HoldAt(usize),
}

/// A running origin.
pub(crate) struct Origin {
    address: SocketAddr,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
    connections: Arc<AtomicUsize>,
    gate: watch::Sender<bool>,
    count: watch::Receiver<usize>,
    left: watch::Receiver<bool>,
}

impl Answer {
    /// Raw bytes, after which the connection is kept open for the next request.
    pub(crate) fn raw(bytes: impl Into<Vec<u8>>) -> Self {
        Self {
            bytes: bytes.into(),
            then: Then::Keep,
            closes: false,
        }
    }

    /// A JSON body with its length.
    pub(crate) fn json(body: &str) -> Self {
        Self::raw(format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    /// A chunked JSON body, one chunk for each piece.
    pub(crate) fn chunked(pieces: &[&str]) -> Self {
        let mut bytes = String::from(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n",
        );
        for piece in pieces {
            bytes.push_str(&format!("{:x}\r\n{piece}\r\n", piece.len()));
        }
        bytes.push_str("0\r\n\r\n");
        Self::raw(bytes)
    }

    /// The same, and the connection is closed.
    pub(crate) fn then_close(mut self) -> Self {
        self.then = Then::Close;
        self
    }

    /// The same, and nothing more is said.
    pub(crate) fn then_stall(mut self) -> Self {
        self.then = Then::Stall;
        self
    }

    /// Only the first `bytes` of it, and the connection is closed.
    pub(crate) fn cut_at(mut self, bytes: usize) -> Self {
        self.bytes.truncate(bytes);
        self.then_close()
    }

    /// Only the first `bytes` of it, and nothing more is said.
    pub(crate) fn stuck_at(mut self, bytes: usize) -> Self {
        self.bytes.truncate(bytes);
        self.then_stall()
    }

    /// The same, with a wait for [`Origin::let_go`] after the first `bytes`.
    pub(crate) fn held_at(mut self, bytes: usize) -> Self {
        self.then = Then::HoldAt(bytes);
        self
    }

    /// The same, and the connection is closed after the last byte.
    pub(crate) fn closing(mut self) -> Self {
        self.closes = true;
        self
    }

    /// How many bytes the answer has.
    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }
}

impl Origin {
    /// An origin that gives the first request the first answer, and so on; the last answer repeats.
    pub(crate) async fn scripted(answers: Vec<Answer>) -> Self {
        let next = AtomicUsize::new(0);
        Self::answering(move |_| {
            let at = next.fetch_add(1, Ordering::Relaxed);
            answers[at.min(answers.len() - 1)].clone()
        })
        .await
    }

    /// An origin that computes its answers.
    pub(crate) async fn answering(
        answer: impl Fn(&[u8]) -> Answer + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let requests = Arc::<Mutex<Vec<Vec<u8>>>>::default();
        let connections = Arc::<AtomicUsize>::default();
        let (gate, opened) = watch::channel(false);
        let (counter, count) = watch::channel(0);
        let (leaver, left) = watch::channel(false);
        let shared = Arc::new(Shared {
            answer: Box::new(answer),
            requests: Arc::clone(&requests),
            opened,
            counter,
            left: leaver,
        });
        let counted = Arc::clone(&connections);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                counted.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self {
            address,
            requests,
            connections,
            gate,
            count,
            left,
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Every request so far, head and body as they came.
    pub(crate) fn requests(&self) -> Vec<String> {
        let requests = self.requests.lock().unwrap();
        let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
        requests.iter().map(text).collect()
    }

    /// How many connections were accepted.
    pub(crate) fn connections(&self) -> usize {
        self.connections.load(Ordering::Relaxed)
    }

    /// Done when so many requests have arrived.
    pub(crate) async fn asked(&self, times: usize) {
        let mut count = self.count.clone();
        drop(count.wait_for(|count| *count >= times).await.unwrap());
    }

    /// Done when a connection whose answer stalled was closed by the other side; fails after a second.
    pub(crate) async fn left_alone(&self) {
        let mut left = self.left.clone();
        let leaving = left.wait_for(|left| *left);
        let limit = std::time::Duration::from_secs(1);
        drop(tokio::time::timeout(limit, leaving).await.expect("in time"));
    }

    /// Lets held answers go on.
    pub(crate) fn let_go(&self) {
        self.gate.send_replace(true);
    }
}

/// Computes the answer to a request.
type Answering = dyn Fn(&[u8]) -> Answer + Send + Sync;

struct Shared {
    answer: Box<Answering>,
    requests: Arc<Mutex<Vec<Vec<u8>>>>,
    opened: watch::Receiver<bool>,
    counter: watch::Sender<usize>,
    left: watch::Sender<bool>,
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    while let Some(request) = read_request(&mut stream).await {
        let answer = (shared.answer)(&request);
        shared.requests.lock().unwrap().push(request);
        shared.counter.send_modify(|count| *count += 1);
        let at = match answer.then {
            Then::HoldAt(at) => at,
            Then::Keep | Then::Close | Then::Stall => answer.bytes.len(),
        };
        let (first, rest) = answer.bytes.split_at(at);
        if stream.write_all(first).await.is_err() {
            return;
        }
        match answer.then {
            Then::Keep => {}
            Then::Close => return,
            Then::Stall => {
                let mut dropped = Vec::new();
                let _gone = stream.read_to_end(&mut dropped).await;
                shared.left.send_replace(true);
                return;
            }
            Then::HoldAt(_) => {
                let mut opened = shared.opened.clone();
                drop(opened.wait_for(|open| *open).await);
                if stream.write_all(rest).await.is_err() || answer.closes {
                    return;
                }
            }
        }
    }
}

/// Reads one request to its end; none when the connection has ended.
async fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    loop {
        if let Some(end) = end_of(&request) {
            request.truncate(end);
            return Some(request);
        }
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
}

/// Where a complete request ends: after its head, its length, or its last chunk.
fn end_of(request: &[u8]) -> Option<usize> {
    let find = |from: usize, wanted: &[u8]| {
        let at = request[from..]
            .windows(wanted.len())
            .position(|window| window == wanted)?;
        Some(from + at + wanted.len())
    };
    let head = find(0, b"\r\n\r\n")?;
    let text = String::from_utf8_lossy(&request[..head]).to_lowercase();
    if text.contains("transfer-encoding: chunked") {
        return find(head - 2, b"\r\n0\r\n\r\n");
    }
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "))
        .map_or(0, |length| length.trim().parse().unwrap());
    (request.len() >= head + length).then_some(head + length)
}
