//! A raw HTTP/2 connection that says what it is told to and shows each frame that comes back.

use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::client::TlsStream;

use crate::bypass::h2::frames::{self, Frame, frame, kind};
use crate::bypass::h2::hpack::Decoder;

use super::given::{CANARY, Given};

/// How long a case waits for what must come; nothing that passes waits for it.
const PATIENCE: Duration = Duration::from_secs(20);

/// One connection of a case.
pub(super) struct Connection {
    stream: TlsStream<TcpStream>,
    buffer: Vec<u8>,
    decoder: Decoder,
}

impl Connection {
    /// Connects and says nothing.
    pub(super) async fn open(given: &Given) -> Result<Self, String> {
        Ok(Self {
            stream: given.connect().await?,
            buffer: Vec::new(),
            decoder: Decoder::default(),
        })
    }

    /// Exchanges prefaces: both sides have acknowledged the other's settings then.
    pub(super) async fn shake(&mut self) -> Result<(), String> {
        let opening = [frames::PREFACE, &frames::settings(&[])].concat();
        self.send(&opening).await;
        let (mut told, mut acknowledged) = (false, false);
        while !(told && acknowledged) {
            let got = self.expect("its preface").await?;
            if got.kind == kind::SETTINGS && got.flags & 1 == 0 {
                told = true;
                self.send(&frames::reply(&got)).await;
            } else if got.kind == kind::SETTINGS {
                acknowledged = true;
            }
        }
        Ok(())
    }

    /// Sends what a case says. A server that has had enough may be gone by then.
    pub(super) async fn send(&mut self, bytes: &[u8]) {
        if self.stream.write_all(bytes).await.is_ok() {
            drop(self.stream.flush().await);
        }
    }

    /// The next frame, or nothing once the server has closed.
    pub(super) async fn next(&mut self) -> Result<Option<Frame>, String> {
        loop {
            if let Some(got) = frames::take(&mut self.buffer) {
                let text = String::from_utf8_lossy(&got.payload);
                if text.contains(CANARY) {
                    return Err("what the policy hides has left".to_owned());
                }
                return Ok(Some(got));
            }
            match timeout(PATIENCE, self.stream.read_buf(&mut self.buffer)).await {
                Err(_) => return Err("nothing came".to_owned()),
                Ok(Ok(0) | Err(_)) => return Ok(None),
                Ok(Ok(_)) => {}
            }
        }
    }

    /// The next frame of a connection that has to be open.
    pub(super) async fn expect(&mut self, what: &str) -> Result<Frame, String> {
        let next = self.next().await?;
        next.ok_or_else(|| format!("closed before {what}"))
    }

    /// Waits for a frame and fails at the first one that ends the connection.
    pub(super) async fn until(
        &mut self,
        what: &str,
        wanted: impl Fn(&Frame) -> bool,
    ) -> Result<Frame, String> {
        loop {
            let got = self.expect(what).await?;
            if wanted(&got) {
                return Ok(got);
            }
            if got.kind == kind::GOAWAY && got.code(4) != 0 {
                return Err(format!("GOAWAY {} before {what}", got.code(4)));
            }
        }
    }

    /// Waits for the whole answer of a stream.
    pub(super) async fn answer(&mut self, stream: u32, status: Option<&str>) -> Result<(), String> {
        let ends = |got: &Frame| got.stream == stream && got.kind == kind::RST_STREAM;
        let head = self
            .until("an answer", |got| {
                ends(got) || (got.stream == stream && got.kind == kind::HEADERS)
            })
            .await?;
        if ends(&head) {
            return Err(format!("RST_STREAM {} and no answer", head.code(0)));
        }
        let told = self.status(&head);
        if status.is_some_and(|wanted| told != wanted) {
            return Err(format!("the answer is {told}"));
        }
        let mut last = head;
        while !last.ends_stream() {
            last = self.until("its end", |got| got.stream == stream).await?;
            if ends(&last) && status.is_some() {
                return Err(format!("RST_STREAM {} within the answer", last.code(0)));
            }
            if ends(&last) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The status that an answer begins with.
    pub(super) fn status(&mut self, head: &Frame) -> String {
        let fields = self.decoder.decode(head.block());
        let status = fields.into_iter().find(|(name, _)| name == ":status");
        status.map(|(_, value)| value).unwrap_or_default()
    }

    /// Sends a PING and waits until it is answered; the frames that came before.
    pub(super) async fn settle(&mut self) -> Result<Vec<Frame>, String> {
        const PAYLOAD: &[u8] = b"settled?";
        self.send(&frame(kind::PING, 0, 0, PAYLOAD)).await;
        let mut before = Vec::new();
        loop {
            let got = self.expect("the answer to a PING").await?;
            if got.kind == kind::PING && got.payload == PAYLOAD {
                return Ok(before);
            }
            before.push(got);
        }
    }
}
