//! One HTTP/1.1 connection, from its first request to its last.
//!
//! Most connections are idle most of the time. One that waits for a request holds next to nothing: no session of
//! the HTTP library, no buffer, and nothing of an exchange: that is boxed for as long as it runs.

use std::future::poll_fn;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::BytesMut;
use futures::future::BoxFuture;
use pingora::protocols::Stream;
use pingora::protocols::http::ServerSession;
use tokio::io::AsyncReadExt as _;

use super::{Connection, IDLE_SECONDS};

/// How much of what begins a request is read at once, in bytes.
const OPENING_BYTES: usize = 4096;

impl Connection {
    /// Serves one exchange after the other, until a side has had enough.
    pub(crate) async fn converse(self: &Arc<Self>, mut stream: Stream) {
        while let Some(opening) = self.opening(&mut stream).await {
            match self.request(stream, opening).await {
                Some(again) => stream = again,
                None => return,
            }
        }
    }

    /// The first bytes of a request; none when the connection has ended or stays idle. When something is wrong
    /// with them already, they are nothing, and the watch knows.
    async fn opening(&self, stream: &mut Stream) -> Option<BytesMut> {
        let coming = poll_fn(|cx| poll_opening(stream, cx));
        let idle_max = Duration::from_secs(IDLE_SECONDS);
        let opening = tokio::select! {
            biased;
            coming = tokio::time::timeout(idle_max, coming) => coming.ok()?,
            // Whoever says nothing any more when draining has begun is let go.
            () = self.service.lifecycle.idle_over() => return None,
        };
        match opening {
            Ok(bytes) => Some(bytes).filter(|bytes| !bytes.is_empty()),
            Err(_) => self.watch.complaint().map(|_| BytesMut::new()),
        }
    }

    /// The request that began, and its answer.
    fn request(&self, stream: Stream, opening: BytesMut) -> BoxFuture<'_, Option<Stream>> {
        Box::pin(async move {
            let mut session = ServerSession::new_http1(stream);
            session.set_keepalive(Some(IDLE_SECONDS));
            session.set_pipelined_prefix(opening);
            self.serve(session).await
        })
    }
}

/// Reads into a buffer that is only there while there is something to read.
fn poll_opening(stream: &mut Stream, cx: &mut Context<'_>) -> Poll<io::Result<BytesMut>> {
    let mut bytes = BytesMut::with_capacity(OPENING_BYTES);
    let reading = pin!(stream.read_buf(&mut bytes));
    ready!(reading.poll(cx))?;
    Poll::Ready(Ok(bytes))
}
