//! A raw HTTP/1.1 client, which shows an answer as it came.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A raw HTTP/1.1 client connection.
pub(crate) struct Client {
    stream: TcpStream,
    read: Vec<u8>,
}

/// An answer as it came.
#[derive(Debug, Clone)]
pub(crate) struct Reply {
    /// The status.
    pub(crate) status: u16,
    /// The head, as text.
    pub(crate) head: String,
    /// The body, without its chunks.
    pub(crate) body: Vec<u8>,
    /// Whether the message ended as its framing says.
    pub(crate) complete: bool,
}

impl Client {
    /// Connects.
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self::over(TcpStream::connect(address).await.unwrap())
    }

    /// Speaks over a connection that was made.
    pub(crate) fn over(stream: TcpStream) -> Self {
        Self {
            stream,
            read: Vec::new(),
        }
    }

    /// Sends bytes; a peer that has closed is no failure here.
    pub(crate) async fn write(&mut self, bytes: &[u8]) {
        let _sent = self.stream.write_all(bytes).await;
    }

    /// Reads one answer; none when the connection ended before its head did.
    pub(crate) async fn reply(&mut self, head_only: bool) -> Option<Reply> {
        let limit = Duration::from_secs(30);
        let reading = tokio::time::timeout(limit, async {
            loop {
                if let Some((reply, used)) = parse(&self.read, head_only, false) {
                    self.read.drain(..used);
                    return Some(reply);
                }
                match self.stream.read_buf(&mut self.read).await {
                    Ok(0) | Err(_) => {
                        let last = parse(&self.read, head_only, true).map(|(reply, _)| reply);
                        self.read.clear();
                        return last;
                    }
                    Ok(_) => {}
                }
            }
        });
        reading.await.expect("an answer in time")
    }

    /// Waits until something has arrived and shows it; it stays to be read.
    pub(crate) async fn says_something(&mut self) -> String {
        let limit = Duration::from_secs(30);
        let reading = tokio::time::timeout(limit, self.stream.read_buf(&mut self.read));
        let read = reading.await.expect("something in time").unwrap();
        assert!(read > 0, "nothing more is said");
        String::from_utf8_lossy(&self.read).into_owned()
    }

    /// Whether the other side has closed, with nothing more said.
    pub(crate) async fn is_closed(&mut self) -> bool {
        let limit = Duration::from_secs(30);
        let reading = tokio::time::timeout(limit, self.stream.read_buf(&mut self.read));
        let ended = matches!(reading.await.expect("an end in time"), Ok(0) | Err(_));
        ended && self.read.is_empty()
    }
}

impl Reply {
    /// The body as text.
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The value of a header; none when it is absent or repeated.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.head.lines().filter_map(|line| {
            let (found, value) = line.split_once(':')?;
            found.eq_ignore_ascii_case(name).then_some(value.trim())
        });
        let value = values.next();
        value.filter(|_| values.next().is_none())
    }

    /// The slug of a problem.
    pub(crate) fn slug(&self) -> String {
        let problem: Value = serde_json::from_slice(&self.body).unwrap_or_default();
        let kind = problem["type"].as_str().unwrap_or("no problem");
        kind.trim_start_matches("urn:postern:problem:").to_owned()
    }
}

/// An answer at the beginning of `bytes` and how long it is, once it is complete; at the end of the
/// connection an incomplete one too.
fn parse(bytes: &[u8], head_only: bool, ended: bool) -> Option<(Reply, usize)> {
    let end = bytes.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let mut reply = Reply {
        status: head.split(' ').nth(1)?.parse().ok()?,
        head,
        body: Vec::new(),
        complete: true,
    };
    let rest = &bytes[end..];
    if head_only || [204, 304].contains(&reply.status) {
        return Some((reply, end));
    }
    if reply.header("transfer-encoding").is_some() {
        let (body, used) = dechunk(rest);
        reply.body = body;
        reply.complete = used.is_some();
        return (used.is_some() || ended).then(|| (reply, end + used.unwrap_or(rest.len())));
    }
    let length: usize = reply.header("content-length").unwrap_or("0").parse().ok()?;
    reply.complete = rest.len() >= length;
    reply.body = rest[..rest.len().min(length)].to_vec();
    (reply.complete || ended).then(|| (reply, end + length.min(rest.len())))
}

/// What a chunked body holds, and how long it is when it is complete.
fn dechunk(bytes: &[u8]) -> (Vec<u8>, Option<usize>) {
    let mut body = Vec::new();
    let mut at = 0;
    loop {
        let Some(line) = bytes[at..].windows(2).position(|window| window == b"\r\n") else {
            return (body, None);
        };
        let size = std::str::from_utf8(&bytes[at..at + line]).unwrap();
        let size = usize::from_str_radix(size, 16).unwrap();
        let start = at + line + 2;
        let available = bytes.len().saturating_sub(start);
        body.extend_from_slice(&bytes[start..start + size.min(available)]);
        if available < size + 2 {
            return (body, None);
        }
        at = start + size + 2;
        if size == 0 {
            return (body, Some(at));
        }
    }
}
