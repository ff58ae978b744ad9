//! The application of a bench: it answers from memory and does nothing else, so that what is in front of it
//! is what takes the time.

use std::collections::HashMap;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

use super::document;
use super::plan::Size;
use super::policy::{CASES, LOGIN};
use super::running;
use super::traps::pieces_by_name;

/// Longer heads are nobody's of ours.
const HEAD_BYTES_MAX: usize = 64 << 10;
/// What ends a head.
const HEAD_END: &[u8] = b"\r\n\r\n";
/// What a login answers: who it is, and a cookie that Postern keeps to itself.
const WELCOME: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\
    Set-Cookie: sid=b4f1a29c7d3e5068b4f1a29c7d3e5068; Path=/; HttpOnly\r\nContent-Length: 14\r\n\r\n{\"user\":\"ann\"}";
const NOT_FOUND: &[u8] = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n";

/// Whole answers by path, in the pieces in which they are sent.
type Answers = HashMap<Vec<u8>, Vec<Bytes>>;

/// Serves documents of these sizes until whoever started this process is gone. `tell` hears the address once.
///
/// # Errors
/// No port can be listened on.
pub(crate) async fn serve(sizes: &[Size], tell: impl FnOnce(String)) -> io::Result<()> {
    let answers = Arc::new(answers(sizes));
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    tell(listener.local_addr()?.to_string());
    let accept = async {
        loop {
            // A connection that ended before it was accepted is nobody's loss.
            if let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap_or_default();
                tokio::spawn(converse(stream, Arc::clone(&answers)));
            }
        }
    };
    tokio::select! {
        () = accept => {}
        () = running::abandoned() => {}
    }
    Ok(())
}

fn answers(sizes: &[Size]) -> Answers {
    let documents = sizes.iter().map(|size| {
        let path = format!("{CASES}{}", size.bytes()).into_bytes();
        let head = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            size.bytes()
        );
        let answer = head + &document::of(*size);
        (path, vec![Bytes::from(answer)])
    });
    let traps = pieces_by_name();
    let traps = traps.map(|(name, pieces)| (format!("{CASES}{name}").into_bytes(), pieces));
    let welcome = vec![Bytes::from_static(WELCOME)];
    let welcome = (LOGIN.as_bytes().to_vec(), welcome);
    documents.chain(traps).chain([welcome]).collect()
}

/// Answers one request after another; none has a body.
async fn converse(mut stream: TcpStream, answers: Arc<Answers>) {
    let mut heads = Vec::with_capacity(4096);
    loop {
        let end = heads
            .windows(HEAD_END.len())
            .position(|window| window == HEAD_END);
        let Some(end) = end else {
            let read = stream.read_buf(&mut heads).await.unwrap_or_default();
            if read == 0 || heads.len() > HEAD_BYTES_MAX {
                return;
            }
            continue;
        };
        let path = heads.split(|byte| *byte == b' ').nth(1);
        let answer = path.and_then(|path| answers.get(path));
        let not_found = [Bytes::from_static(NOT_FOUND)];
        for piece in answer.map_or(&not_found[..], Vec::as_slice) {
            if stream.write_all(piece).await.is_err() {
                return;
            }
        }
        heads.drain(..end + HEAD_END.len());
    }
}
