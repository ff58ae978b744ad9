//! An application that breaks its answers where the path says so, and answers everything else well.

use std::net::SocketAddr;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use super::answers::{End, Fault, Framing, answer};
use crate::origin::case;

/// What a policy calls its routes, and what it hides.
pub(super) fn policy() -> String {
    r#"policy: v1
name: faults
identity: { from: header, subject: X-Subject, roles: X-Roles, trusted: [127.0.0.1/32], without_a_role: deny }
labels:
  pii: Personal data
routes:
  case:
    match: GET /cases/{id}
    label:
      $.customer.name: pii
      $.customer.email: pii
  broken:
    match: [ "GET /broken/{fault}", "GET /stuck/{fault}" ]
    label:
      $[*].customer.name: pii
      $[*].customer.email: pii
  everything_else:
    match: ANY /{path...}
    deny: true
roles:
  agent:
    sees:
      pii: { redact: { with: "hidden" } }
"#
    .to_owned()
}

/// The application while it runs; it ends with every connection when dropped.
pub(super) struct Origin {
    pub(super) address: SocketAddr,
    serving: JoinHandle<()>,
}

impl Origin {
    /// Starts it on a free port.
    pub(super) async fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    /// Takes every connection that comes to a listener, and serves it.
    pub(super) fn on(listener: TcpListener) -> Self {
        let address = listener.local_addr().unwrap();
        let serving = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream));
                while connections.try_join_next().is_some() {}
            }
        });
        Self { address, serving }
    }
}

impl Drop for Origin {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// Serves a connection until it breaks or the other side leaves.
pub(super) async fn serve(mut stream: TcpStream) {
    let mut buffer = Vec::new();
    while let Some(path) = asked(&mut stream, &mut buffer).await {
        if let Some(fault) = Fault::of(&path) {
            return break_off(stream, fault).await;
        }
        if let Some(fault) = path.strip_prefix("/stuck/") {
            return stick(stream, fault).await;
        }
        let body = case(1);
        let answer = format!(
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        if stream.write_all(answer.as_bytes()).await.is_err() {
            return;
        }
    }
}

/// The path of the next request; none when there is no more.
async fn asked(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = buffer.windows(4).position(|window| window == b"\r\n\r\n") {
            let head: Vec<u8> = buffer.drain(..end + 4).collect();
            let head = String::from_utf8_lossy(&head).into_owned();
            return head.split(' ').nth(1).map(str::to_owned);
        }
        let read = stream.read_buf(buffer).await;
        read.ok().filter(|count| *count > 0)?;
    }
}

async fn break_off(mut stream: TcpStream, fault: Fault) {
    let answer = answer(fault.size, fault.framing);
    let part = &answer[..fault.at.min(answer.len())];
    if stream.write_all(part).await.is_err() {
        return;
    }
    match fault.end {
        End::Closed => drop(stream.shutdown().await),
        End::Reset => drop(stream.set_zero_linger()),
    }
}

/// Says something, or nothing, and then nothing more; until the other side has had enough.
async fn stick(mut stream: TcpStream, fault: &str) {
    let mut words = fault.split('-');
    let size = match words.next() {
        Some("small") => super::answers::Size::Small,
        _ => super::answers::Size::Long,
    };
    let at = words.next().and_then(|at| at.parse().ok()).unwrap_or(0);
    let answer = answer(size, Framing::Chunked);
    if stream
        .write_all(&answer[..answer.len().min(at)])
        .await
        .is_ok()
    {
        let mut dropped = Vec::new();
        drop(stream.read_to_end(&mut dropped).await);
    }
}
