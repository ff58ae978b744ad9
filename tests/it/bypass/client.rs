//! A raw HTTP/1.1 client: it sends exactly the bytes it is given and keeps every byte that comes back,
//! with how the connection ended.

use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::messages::find;
use super::wire;

/// How long an answer may take.
pub(super) const PATIENCE: Duration = Duration::from_secs(10);
/// How long bytes after a complete answer are waited for.
const AFTERMATH: Duration = Duration::from_millis(20);
/// How long a server that ought to close may take to do so.
const CLOSING: Duration = Duration::from_millis(1500);

/// Everything that came back on one connection.
#[derive(Clone, Default)]
pub(super) struct Capture {
    pub(super) bytes: Vec<u8>,
    pub(super) end: End,
}

/// How a connection ended.
#[derive(Clone, Copy, Default, PartialEq, Eq, Debug)]
pub(super) enum End {
    /// The server closed it, unasked.
    #[default]
    Closed,
    /// The server reset it.
    Reset,
    /// The server kept it open after a complete answer; the client closed it.
    KeptOpen,
    /// Nothing, or nothing complete, came in time.
    TimedOut,
}

/// What to send and how.
#[derive(Clone, Default)]
pub(super) struct Sending {
    pub(super) bytes: Vec<u8>,
    /// A pause between head and body.
    pub(super) pause_after_head: Option<Duration>,
    /// The server ought to close the connection: wait for it to do so.
    pub(super) expects_close: bool,
}

impl Sending {
    /// The method, as far as there is one.
    pub(super) fn method(&self) -> String {
        let word = self.bytes.split(|b| *b == b' ').next().unwrap_or_default();
        String::from_utf8_lossy(word).into_owned()
    }
}

/// Sends a request on a new connection and reads until the server has nothing more to say.
pub(super) async fn exchange(address: SocketAddr, sending: &Sending) -> Capture {
    match TcpStream::connect(address).await {
        Ok(stream) => {
            drop(stream.set_nodelay(true));
            converse(stream, sending).await
        }
        Err(_) => Capture {
            bytes: Vec::new(),
            end: End::Reset,
        },
    }
}

/// The same on a stream that is already there.
pub(super) async fn converse<S>(stream: S, sending: &Sending) -> Capture
where
    S: AsyncRead + AsyncWrite + Send + 'static,
{
    let (mut reader, mut writer) = tokio::io::split(stream);
    let request = sending.clone();
    let writing = tokio::spawn(async move {
        // A server that answers early may close on us: what it said is still to be read.
        drop(write(&mut writer, &request).await);
        writer
    });
    let mut capture = Capture::default();
    let method = sending.method();
    let answered = timeout(PATIENCE, read_answer(&mut reader, &mut capture, &method)).await;
    if answered.is_err() {
        capture.end = End::TimedOut;
    }
    if answered == Ok(true) {
        let wait = if sending.expects_close {
            CLOSING
        } else {
            AFTERMATH
        };
        let quiet = timeout(wait, read_on(&mut reader, &mut capture))
            .await
            .is_err();
        if quiet {
            capture.end = End::KeptOpen;
            if let Ok(mut writer) = writing.await {
                drop(writer.shutdown().await);
            }
            drop(timeout(CLOSING, read_rest(&mut reader, &mut capture.bytes)).await);
        }
    }
    capture
}

async fn write<W: AsyncWrite + Unpin>(writer: &mut W, sending: &Sending) -> std::io::Result<()> {
    let head = find(&sending.bytes, b"\r\n\r\n").map_or(0, |at| at + 4);
    let (head, body) = sending.bytes.split_at(head);
    writer.write_all(head).await?;
    if let Some(pause) = sending.pause_after_head {
        writer.flush().await?;
        tokio::time::sleep(pause).await;
    }
    writer.write_all(body).await?;
    writer.flush().await
}

/// Reads until the answer is complete; false when the connection ended first.
async fn read_answer<R: AsyncRead + Unpin>(
    reader: &mut R,
    capture: &mut Capture,
    method: &str,
) -> bool {
    loop {
        if is_complete(&capture.bytes, method) {
            return true;
        }
        if !read_some(reader, capture).await {
            return false;
        }
    }
}

async fn read_on<R: AsyncRead + Unpin>(reader: &mut R, capture: &mut Capture) {
    while read_some(reader, capture).await {}
}

async fn read_rest<R: AsyncRead + Unpin>(reader: &mut R, bytes: &mut Vec<u8>) {
    while reader.read_buf(bytes).await.is_ok_and(|n| n > 0) {}
}

async fn read_some<R: AsyncRead + Unpin>(reader: &mut R, capture: &mut Capture) -> bool {
    match reader.read_buf(&mut capture.bytes).await {
        Ok(0) => capture.end = End::Closed,
        Err(_) => capture.end = End::Reset,
        Ok(_) => return true,
    }
    false
}

/// Whether an answer is there, cheaply enough to ask after every read of a long one.
fn is_complete(bytes: &[u8], method: &str) -> bool {
    let Some(head) = find(bytes, b"\r\n\r\n") else {
        return false;
    };
    let long = bytes.len() > 64 << 10;
    let text = String::from_utf8_lossy(&bytes[..head]).to_ascii_lowercase();
    let interim = text.starts_with("http/1.1 1");
    if long && !interim {
        if let Some((_, rest)) = text.split_once("\r\ncontent-length:") {
            let length = rest.split("\r\n").next().unwrap_or_default().trim();
            let length: usize = length.parse().unwrap_or(0);
            return bytes.len() >= head + 4 + length;
        }
        if !bytes.ends_with(b"0\r\n\r\n") {
            return false;
        }
    }
    // What cannot be read at all is not worth waiting for more of.
    wire::read(bytes, method, false).map_or(true, |answer| answer.complete)
}
