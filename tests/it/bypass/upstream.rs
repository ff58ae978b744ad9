//! A scripted upstream over raw TCP: it records every request byte for byte and answers exactly the
//! bytes it was told to, paced as it was told to.
//!
//! It serves one script at a time, on every connection it is given. A connection is kept open after an
//! answer that ends by its own framing, so that pooled connections are part of what is tested.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use super::messages::find;
use super::wire;

/// What to answer, and how.
#[derive(Clone, Default)]
pub(super) struct Script {
    pub(super) bytes: Vec<u8>,
    pub(super) pace: Pace,
    /// Close after the answer even though its framing does not ask for it.
    pub(super) close: bool,
    /// Close with a reset.
    pub(super) reset: bool,
    /// A path that is answered with other bytes, and whose requests are not among those that were seen: where
    /// Postern asks who has logged in.
    pub(super) beside: Option<(String, Vec<u8>)>,
}

/// How an answer's bytes are paced.
#[derive(Clone, Default)]
pub(super) enum Pace {
    /// All at once.
    #[default]
    Whole,
    /// Two writes, cut at this offset.
    SplitAt(usize),
    /// So many bytes at a time, with a pause between.
    Drip(usize, Duration),
    /// A pause between head and body.
    BeforeBody(Duration),
    /// A pause in the middle of the body.
    MidBody(Duration),
    /// Answered as soon as the request's head is there.
    Early,
    /// Never answered.
    Stall,
    /// Answered, and then the same bytes once more while the connection is idle.
    Unsolicited,
}

/// What the upstream received since it was told what to answer.
#[derive(Clone, Default)]
pub(super) struct Seen {
    /// Each request, byte for byte.
    pub(super) requests: Vec<Vec<u8>>,
    /// Bytes that never became a request.
    pub(super) strays: Vec<u8>,
    /// Connections opened.
    pub(super) connections: usize,
}

#[derive(Default)]
struct State {
    script: Script,
    seen: Seen,
}

/// The upstream; it stops when dropped.
pub(super) struct Upstream {
    address: SocketAddr,
    state: Arc<Mutex<State>>,
    said: Arc<Notify>,
    accepting: JoinHandle<()>,
}

impl Upstream {
    /// Listens on a port of its own.
    pub(super) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("bound");
        let state = Arc::new(Mutex::new(State::default()));
        let said = Arc::new(Notify::new());
        let (shared, saying) = (Arc::clone(&state), Arc::clone(&said));
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                shared.lock().expect("state").seen.connections += 1;
                tokio::spawn(serve(stream, Arc::clone(&shared), Arc::clone(&saying)));
            }
        });
        Self {
            address,
            state,
            said,
            accepting,
        }
    }

    /// Where it listens.
    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What to answer from now on; forgets what was received so far.
    pub(super) fn play(&self, script: Script) {
        *self.state.lock().expect("state") = State {
            script,
            seen: Seen::default(),
        };
    }

    /// Waits until an unsolicited answer has been written.
    pub(super) async fn said_all(&self) {
        drop(tokio::time::timeout(Duration::from_secs(2), self.said.notified()).await);
        // The bytes cross the loopback before the next request is sent.
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    /// What was received since [`Self::play`].
    pub(super) fn seen(&self) -> Seen {
        self.state.lock().expect("state").seen.clone()
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

async fn serve(mut stream: TcpStream, state: Arc<Mutex<State>>, said: Arc<Notify>) {
    drop(stream.set_nodelay(true));
    let mut buffer = Vec::new();
    while let Some(head) = read_head(&mut stream, &mut buffer).await {
        let script = state.lock().expect("state").script.clone();
        let early = matches!(script.pace, Pace::Early);
        if early && deliver(&mut stream, &script).await.is_none() {
            return;
        }
        let length = read_body(&mut stream, &mut buffer, head).await;
        let request: Vec<u8> = buffer.drain(..length).collect();
        let method =
            String::from_utf8_lossy(request.split(|b| *b == b' ').next().unwrap_or_default())
                .into_owned();
        let beside = script.beside.as_ref();
        if let Some((_, bytes)) = beside.filter(|(path, _)| is_for(&request, path)) {
            if stream.write_all(bytes).await.is_err() {
                return;
            }
            continue;
        }
        state.lock().expect("state").seen.requests.push(request);
        if !early && deliver(&mut stream, &script).await.is_none() {
            return;
        }
        if matches!(script.pace, Pace::Unsolicited) {
            said.notify_one();
        }
        if ends(&script, &method) {
            finish(stream, &script).await;
            return;
        }
    }
    state.lock().expect("state").seen.strays.extend(buffer);
}

fn is_for(request: &[u8], path: &str) -> bool {
    request.split(|byte| *byte == b' ').nth(1) == Some(path.as_bytes())
}

/// The length of the next request's head, once it is there.
async fn read_head(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<usize> {
    loop {
        if let Some(at) = find(buffer, b"\r\n\r\n") {
            return Some(at + 4);
        }
        if stream.read_buf(buffer).await.ok()? == 0 {
            return None;
        }
    }
}

/// Reads the rest of a request; its whole length.
async fn read_body(stream: &mut TcpStream, buffer: &mut Vec<u8>, head: usize) -> usize {
    loop {
        if let Some(length) = request_length(buffer, head) {
            return length;
        }
        match stream.read_buf(buffer).await {
            Ok(0) | Err(_) => return buffer.len(),
            Ok(_) => {}
        }
    }
}

fn request_length(buffer: &[u8], head: usize) -> Option<usize> {
    let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
    let field = |name: &str| {
        let value = text
            .split("\r\n")
            .find_map(|line| line.strip_prefix(name))?;
        Some(value.trim().to_owned())
    };
    if field("transfer-encoding:").is_some() {
        // Postern writes chunks without trailers; the end is found from behind.
        let chunked = buffer.len() > head + 4 && buffer.ends_with(b"\r\n0\r\n\r\n");
        let empty = buffer[head..] == *b"0\r\n\r\n";
        return (chunked || empty).then_some(buffer.len());
    }
    let length: usize = field("content-length:")
        .and_then(|text| text.parse().ok())
        .unwrap_or(0);
    (buffer.len() >= head + length).then_some(head + length)
}

/// Writes the answer; nothing when the connection is gone or the script says never.
async fn deliver(stream: &mut TcpStream, script: &Script) -> Option<()> {
    let bytes = &script.bytes[..];
    let body = find(bytes, b"\r\n\r\n").map_or(bytes.len(), |at| at + 4);
    match script.pace {
        Pace::Whole | Pace::Early => stream.write_all(bytes).await.ok(),
        Pace::SplitAt(at) => paced(stream, bytes, at, Duration::from_millis(2)).await,
        Pace::BeforeBody(pause) => paced(stream, bytes, body, pause).await,
        Pace::MidBody(pause) => paced(stream, bytes, body.midpoint(bytes.len()), pause).await,
        Pace::Drip(size, gap) => {
            for piece in bytes.chunks(size.max(1)) {
                stream.write_all(piece).await.ok()?;
                tokio::time::sleep(gap).await;
            }
            Some(())
        }
        Pace::Stall => {
            let mut sink = [0; 1024];
            while stream.read(&mut sink).await.ok()? > 0 {}
            None
        }
        Pace::Unsolicited => {
            stream.write_all(bytes).await.ok()?;
            tokio::time::sleep(Duration::from_millis(50)).await;
            stream.write_all(bytes).await.ok()
        }
    }
}

async fn paced(stream: &mut TcpStream, bytes: &[u8], at: usize, pause: Duration) -> Option<()> {
    let (first, second) = bytes.split_at(at.min(bytes.len()));
    stream.write_all(first).await.ok()?;
    tokio::time::sleep(pause).await;
    stream.write_all(second).await.ok()
}

/// Whether the connection ends with the answer: told so, or nothing else would end it.
fn ends(script: &Script, method: &str) -> bool {
    let whole = wire::read(&script.bytes, method, false).is_ok_and(|answer| answer.complete);
    let switched = script.bytes.starts_with(b"HTTP/1.1 101");
    script.close || script.reset || switched || !whole
}

async fn finish(mut stream: TcpStream, script: &Script) {
    if script.reset {
        drop(stream.set_zero_linger());
        return;
    }
    drop(stream.shutdown().await);
    // Reads until the peer closes too, so that no reset overtakes the answer.
    let mut sink = [0; 1024];
    let drained = async { while stream.read(&mut sink).await.is_ok_and(|n| n > 0) {} };
    drop(tokio::time::timeout(Duration::from_secs(2), drained).await);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn records_what_it_gets_and_answers_what_it_was_told() {
        let upstream = Upstream::start().await;
        let bytes = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok".to_vec();
        upstream.play(Script {
            bytes: bytes.clone(),
            pace: Pace::SplitAt(7),
            ..Script::default()
        });
        let mut stream = TcpStream::connect(upstream.address())
            .await
            .expect("listening");
        for request in [
            &b"GET / HTTP/1.1\r\n\r\n"[..],
            b"POST / HTTP/1.1\r\nContent-Length: 1\r\n\r\nx",
        ] {
            stream.write_all(request).await.expect("open");
            let mut answer = vec![0; bytes.len()];
            stream.read_exact(&mut answer).await.expect("an answer");
            assert_eq!(answer, bytes);
            assert_eq!(
                upstream.seen().requests.last().map(Vec::as_slice),
                Some(request)
            );
        }
        assert_eq!(
            (upstream.seen().requests.len(), upstream.seen().connections),
            (2, 1)
        );
    }
}
