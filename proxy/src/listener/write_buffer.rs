//! Small writes gathered, so that a head and a short body leave in one packet.
//!
//! It is there while it holds something: an idle connection has none.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A writer in front of which small writes are gathered. Reads go through.
pub(super) struct WriteBuffer<W> {
    inner: W,
    held: BytesMut,
    held_bytes_max: usize,
}

impl<W: AsyncWrite + Unpin> WriteBuffer<W> {
    /// Gathers up to so many bytes.
    pub(super) fn new(inner: W, held_bytes_max: usize) -> Self {
        Self {
            inner,
            held: BytesMut::new(),
            held_bytes_max,
        }
    }

    /// What it writes to.
    pub(super) const fn inner(&self) -> &W {
        &self.inner
    }

    /// Whether so many bytes more can be held.
    fn has_room(&self, bytes: usize) -> bool {
        self.held.len().saturating_add(bytes) <= self.held_bytes_max
    }

    /// Takes bytes for which there is room.
    fn hold(&mut self, bytes: &[u8]) {
        if self.held.is_empty() {
            self.held = BytesMut::with_capacity(self.held_bytes_max);
        }
        self.held.extend_from_slice(bytes);
    }

    /// Writes what is held, and gives its memory back.
    fn poll_empty(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.held.is_empty() {
            let written = ready!(Pin::new(&mut self.inner).poll_write(cx, &self.held))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.held.advance(written.min(self.held.len()));
        }
        self.held = BytesMut::new();
        Poll::Ready(Ok(()))
    }
}

impl<W: AsyncWrite + Unpin> AsyncWrite for WriteBuffer<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if !self.has_room(bytes.len()) {
            ready!(self.poll_empty(cx))?;
        }
        if bytes.len() >= self.held_bytes_max {
            return Pin::new(&mut self.inner).poll_write(cx, bytes);
        }
        self.hold(bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let total = slices
            .iter()
            .fold(0_usize, |sum, slice| sum.saturating_add(slice.len()));
        if !self.has_room(total) {
            ready!(self.poll_empty(cx))?;
        }
        if total >= self.held_bytes_max {
            return Pin::new(&mut self.inner).poll_write_vectored(cx, slices);
        }
        for slice in slices {
            self.hold(slice);
        }
        Poll::Ready(Ok(total))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_empty(cx))?;
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_empty(cx))?;
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for WriteBuffer<R> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buffer)
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn keeps_every_byte_in_order_whatever_the_sizes() {
        for most in [1, 3, 8, 64] {
            let (near, mut far) = tokio::io::duplex(5);
            let mut buffer = WriteBuffer::new(near, most);
            let writing = tokio::spawn(async move {
                let mut said = Vec::new();
                for size in 0..40_u8 {
                    let piece = vec![size; usize::from(size)];
                    said.extend_from_slice(&piece);
                    let (first, second) = piece.split_at(piece.len() / 3);
                    buffer.write_all(first).await.unwrap();
                    let mut rest = second;
                    while !rest.is_empty() {
                        let written = buffer.write_vectored(&[IoSlice::new(rest)]).await.unwrap();
                        rest = &rest[written..];
                    }
                }
                buffer.shutdown().await.unwrap();
                said
            });
            let mut heard = Vec::new();
            far.read_to_end(&mut heard).await.unwrap();
            assert_eq!(heard, writing.await.unwrap(), "up to {most} bytes");
        }
    }

    #[tokio::test]
    async fn gathers_small_writes_and_holds_no_memory_once_they_have_left() {
        let (near, mut far) = tokio::io::duplex(64);
        let mut buffer = WriteBuffer::new(near, 8);
        buffer.write_all(b"head").await.unwrap();
        buffer.write_all(b"body").await.unwrap();
        assert_eq!(buffer.held.as_ref(), b"headbody", "nothing has left");
        buffer.flush().await.unwrap();
        assert_eq!(buffer.held.capacity(), 0);
        let mut heard = [0; 8];
        far.read_exact(&mut heard).await.unwrap();
        assert_eq!(&heard, b"headbody");
    }
}
