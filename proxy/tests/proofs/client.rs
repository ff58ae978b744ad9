//! A small HTTP/1.1 client that tells a complete message from a cut one.

use std::net::SocketAddr;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;

/// A response as it arrived.
#[derive(Debug, Default)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    /// Whether the message ended as its framing says.
    pub(crate) complete: bool,
}

impl Response {
    /// The value of a header, by lower-case name.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head.lines().skip(1).find_map(|line| {
            let (key, value) = line.split_once(':')?;
            key.eq_ignore_ascii_case(name).then(|| value.trim())
        })
    }
}

/// One keep-alive connection, over TCP or what is spoken over it.
pub(crate) struct Client<S = TcpStream> {
    stream: S,
    buffer: Vec<u8>,
    /// Fields that it sends with each request besides those that say who it is.
    fields: String,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Self::over(stream)
    }

    /// A GET as `agent`, on a connection of its own.
    pub(crate) async fn get_once(address: SocketAddr, path: &str) -> Response {
        Self::connect(address).await.get(path).await
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Client<S> {
    /// A client on a connection that is there.
    pub(crate) const fn over(stream: S) -> Self {
        Self {
            stream,
            buffer: Vec::new(),
            fields: String::new(),
        }
    }

    /// The same client, which sends these fields too.
    pub(crate) fn with(mut self, fields: &str) -> Self {
        fields.clone_into(&mut self.fields);
        self
    }

    /// A GET as `agent`.
    pub(crate) async fn get(&mut self, path: &str) -> Response {
        self.send(path).await;
        self.response().await
    }

    /// Sends the GET without waiting for its answer.
    pub(crate) async fn send(&mut self, path: &str) {
        self.send_to(path, "desk.example").await;
    }

    /// Sends the GET to somebody who may be gone.
    pub(crate) async fn try_send(&mut self, path: &str) -> std::io::Result<()> {
        self.try_send_to(path, "desk.example").await
    }

    /// Sends the GET of somebody by name to a Postern that may be gone.
    pub(crate) async fn try_send_as(&mut self, subject: &str, path: &str) -> std::io::Result<()> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: desk.example\r\nX-Subject: {subject}\r\nX-Roles: agent\r\n\r\n"
        );
        self.stream.write_all(request.as_bytes()).await
    }

    /// Sends the GET for a given `Host`.
    pub(crate) async fn send_to(&mut self, path: &str, host: &str) {
        self.try_send_to(path, host).await.unwrap();
    }

    async fn try_send_to(&mut self, path: &str, host: &str) -> std::io::Result<()> {
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nX-Subject: ann\r\nX-Roles: agent\r\n{}\r\n",
            self.fields
        );
        self.stream.write_all(request.as_bytes()).await
    }

    /// Reads one response; a connection that ends early gives an incomplete one.
    pub(crate) async fn response(&mut self) -> Response {
        let Some(end) = self.fill_until(|buffer| find(buffer, b"\r\n\r\n")).await else {
            return Response::default();
        };
        let head = String::from_utf8(self.buffer.drain(..end + 4).collect()).unwrap();
        let status = head
            .split(' ')
            .nth(1)
            .and_then(|code| code.parse().ok())
            .unwrap_or_default();
        let mut response = Response {
            status,
            head,
            ..Response::default()
        };
        if let Some(length) = response
            .header("content-length")
            .and_then(|v| v.parse().ok())
        {
            let whole = self
                .fill_until(|buffer| (buffer.len() >= length).then_some(length))
                .await;
            let taken = whole.unwrap_or(self.buffer.len());
            response.body = self.buffer.drain(..taken).collect();
            response.complete = whole.is_some();
        } else if response.header("transfer-encoding").is_some() {
            response.complete = self.chunks(&mut response.body).await;
        } else {
            while self.fill().await {}
            response.body = std::mem::take(&mut self.buffer);
        }
        response
    }

    /// Reads chunks until the last one; false when the connection ends before it.
    async fn chunks(&mut self, body: &mut Vec<u8>) -> bool {
        loop {
            let Some(end) = self.fill_until(|buffer| find(buffer, b"\r\n")).await else {
                return false;
            };
            let line = String::from_utf8(self.buffer.drain(..end + 2).collect()).unwrap();
            let Ok(size) = usize::from_str_radix(line.trim(), 16) else {
                return false;
            };
            let whole = self
                .fill_until(|b| (b.len() >= size + 2).then_some(size))
                .await;
            let taken = whole.unwrap_or_else(|| self.buffer.len().min(size));
            body.extend(self.buffer.drain(..taken));
            if whole.is_none() {
                return false;
            }
            self.buffer.drain(..2);
            if size == 0 {
                return true;
            }
        }
    }

    /// Counts the bytes of a body to its end without keeping them; whether it was complete.
    pub(crate) async fn count_chunked(&mut self, path: &str) -> (u64, bool) {
        self.count_telling(path, |_so_far| {}).await
    }

    /// The same; with each chunk it is told how many bytes have come so far.
    pub(crate) async fn count_telling(
        &mut self,
        path: &str,
        mut told: impl FnMut(u64),
    ) -> (u64, bool) {
        self.send(path).await;
        let end = self
            .fill_until(|buffer| find(buffer, b"\r\n\r\n"))
            .await
            .unwrap();
        self.buffer.drain(..end + 4);
        let mut total = 0_u64;
        loop {
            let Some(end) = self.fill_until(|buffer| find(buffer, b"\r\n")).await else {
                return (total, false);
            };
            let line = String::from_utf8(self.buffer.drain(..end + 2).collect()).unwrap();
            let size = usize::from_str_radix(line.trim(), 16).unwrap();
            if self
                .fill_until(|b| (b.len() >= size + 2).then_some(size))
                .await
                .is_none()
            {
                return (total, false);
            }
            self.buffer.drain(..size + 2);
            total += size as u64;
            told(total);
            if size == 0 {
                return (total, true);
            }
        }
    }

    async fn fill_until(&mut self, found: impl Fn(&[u8]) -> Option<usize>) -> Option<usize> {
        loop {
            if let Some(at) = found(&self.buffer) {
                return Some(at);
            }
            if !self.fill().await {
                return None;
            }
        }
    }

    async fn fill(&mut self) -> bool {
        // On the heap: in an unoptimised build every future around this one would hold it.
        let mut part = vec![0_u8; 65_536];
        match self.stream.read(&mut part).await {
            Ok(count) if count > 0 => {
                self.buffer.extend_from_slice(&part[..count]);
                true
            }
            Ok(_) | Err(_) => false,
        }
    }
}

fn find(haystack: &[u8], needle: &[u8]) -> Option<usize> {
    haystack
        .windows(needle.len())
        .position(|window| window == needle)
}
