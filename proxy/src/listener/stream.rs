//! A client connection as pingora sees it: the socket or TLS stream, watched and buffered.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_trait::async_trait;
use pingora::protocols::tls::{SslDigest, TlsRef};
use pingora::protocols::{
    ALPN, GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl,
    Stream, TimingDigest, UniqueID, UniqueIDType, raw_connect::ProxyDigest,
};
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::Sleep;

use super::watch::Watch;
use super::write_buffer::WriteBuffer;

/// Small writes are gathered up to this many bytes: a head and a short body leave in one packet.
const WRITE_BUFFER_BYTES: usize = 4 << 10;
/// The same while the connection is corked: what is written at once at most.
const CORKED_BYTES: usize = 128 << 10;

/// A stream whose reads are watched. Nothing of it is shown by `Debug`.
pub(super) struct WatchedStream {
    inner: WriteBuffer<Stream>,
    watch: Arc<Watch>,
    head_time: Duration,
    deadline: Option<Pin<Box<Sleep>>>,
}

impl WatchedStream {
    /// Watches a stream; a head may take `head_time`.
    pub(super) fn new(inner: Stream, watch: Arc<Watch>, head_time: Duration) -> Self {
        Self {
            inner: WriteBuffer::new(inner, WRITE_BUFFER_BYTES),
            watch,
            head_time,
            deadline: None,
        }
    }

    /// How much waits for more before it is written.
    fn hold_as_told(&mut self) {
        self.inner.hold_up_to(match self.watch.is_corked() {
            true => CORKED_BYTES,
            false => WRITE_BUFFER_BYTES,
        });
    }

    /// Fails when the clock of a head has run out.
    fn poll_deadline(&mut self, cx: &mut Context<'_>) -> io::Result<()> {
        if !self.watch.is_timed() {
            self.deadline = None;
            return Ok(());
        }
        let time = self.head_time;
        let deadline = self
            .deadline
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
        if deadline.as_mut().poll(cx).is_ready() {
            self.watch.late();
            return Err(io::ErrorKind::TimedOut.into());
        }
        Ok(())
    }
}

impl AsyncRead for WatchedStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        // PERF: a head that is there at once needs no timer.
        let read = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if read.is_pending() || self.deadline.is_some() {
            self.poll_deadline(cx)?;
        }
        ready!(read)?;
        let arrived = buffer.filled().get(before..).unwrap_or_default();
        if self.watch.arrived(arrived) {
            Poll::Ready(Ok(()))
        } else {
            Poll::Ready(Err(io::ErrorKind::InvalidData.into()))
        }
    }
}

impl AsyncWrite for WatchedStream {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.hold_as_told();
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.watch.is_corked() {
            true => Poll::Ready(Ok(())),
            false => Pin::new(&mut self.inner).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.hold_as_told();
        Pin::new(&mut self.inner).poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }
}

#[async_trait]
impl Shutdown for WatchedStream {
    async fn shutdown(&mut self) {
        // A peer that is gone cannot be told; the socket closes when the stream is dropped.
        if let Err(error) = AsyncWriteExt::shutdown(&mut self.inner).await {
            tracing::trace!(kind = %error.kind(), "the client was gone before the end");
        }
    }
}

impl UniqueID for WatchedStream {
    fn id(&self) -> UniqueIDType {
        self.inner.inner().id()
    }
}

impl Ssl for WatchedStream {
    fn get_ssl(&self) -> Option<&TlsRef> {
        self.inner.inner().get_ssl()
    }

    fn get_ssl_digest(&self) -> Option<Arc<SslDigest>> {
        self.inner.inner().get_ssl_digest()
    }

    fn selected_alpn_proto(&self) -> Option<ALPN> {
        self.inner.inner().selected_alpn_proto()
    }
}

impl GetTimingDigest for WatchedStream {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        self.inner.inner().get_timing_digest()
    }
}

impl GetProxyDigest for WatchedStream {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        None
    }
}

impl GetSocketDigest for WatchedStream {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        self.inner.inner().get_socket_digest()
    }
}

impl Peek for WatchedStream {}

impl fmt::Debug for WatchedStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WatchedStream").finish_non_exhaustive()
    }
}

/// A watched stream on which something waits that its peer does not take.
#[cfg(test)]
pub(crate) async fn stuck(inner: Stream, watch: Arc<Watch>) -> Stream {
    let mut stream = WatchedStream::new(inner, watch, Duration::from_secs(1));
    stream.write_all(&[b'x'; 100]).await.unwrap_or_default();
    Box::new(stream)
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt as _;

    use super::*;

    #[tokio::test]
    async fn what_is_written_while_corked_leaves_with_what_comes_behind_it() {
        let (near, mut far) = tokio::io::duplex(1 << 20);
        let watch = Arc::new(Watch::new(1000));
        let mut stream =
            WatchedStream::new(Box::new(near), Arc::clone(&watch), Duration::from_secs(1));
        let corked = watch.cork();
        stream.write_all(&[b'x'; 60_000]).await.unwrap();
        stream.flush().await.unwrap();
        let mut heard = vec![0; 1 << 20];
        let early = tokio::time::timeout(Duration::from_millis(20), far.read(&mut heard)).await;
        assert!(early.is_err(), "nothing has left");
        drop(corked);
        stream.write_all(b"end").await.unwrap();
        stream.flush().await.unwrap();
        assert_eq!(far.read(&mut heard).await.unwrap(), 60_003);
    }
}
