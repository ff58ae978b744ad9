//! Small writes gathered, so that a head and a short body leave in one packet.
//!
//! It is there while it holds something: an idle connection has none.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The memory that is taken at first, unless more is written at once.
const ROOM_BYTES: usize = 4 << 10;
/// How many slices can follow what is held in one call; more of them come after it.
const SLICES_MAX: usize = 4;

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

    /// Gathers up to so many bytes from now on.
    pub(super) const fn hold_up_to(&mut self, held_bytes_max: usize) {
        self.held_bytes_max = held_bytes_max;
    }

    /// Whether so many bytes more can be held.
    fn has_room(&self, bytes: usize) -> bool {
        self.held.len().saturating_add(bytes) <= self.held_bytes_max
    }

    /// Takes bytes for which there is room.
    fn hold(&mut self, bytes: &[u8]) {
        if self.held.is_empty() {
            let usual = self.held_bytes_max.min(ROOM_BYTES);
            self.held = BytesMut::with_capacity(usual.max(bytes.len()));
        }
        self.held.extend_from_slice(bytes);
    }

    /// Writes what is held and, in the same call where the writer can, the bytes that came after it. The answer is
    /// how many of these were written.
    fn poll_pass(
        &mut self,
        cx: &mut Context<'_>,
        after: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if !self.inner.is_write_vectored() || after.len() > SLICES_MAX {
            ready!(self.poll_empty(cx))?;
        }
        loop {
            let held = self.held.len();
            let mut slices = [IoSlice::new(&self.held); 1 + SLICES_MAX];
            for (slice, given) in slices.iter_mut().skip(1).zip(after) {
                *slice = *given;
            }
            let slices = slices.get(usize::from(held == 0)..=after.len());
            let slices = slices.unwrap_or(after);
            let written = ready!(Pin::new(&mut self.inner).poll_write_vectored(cx, slices))?;
            if written >= held {
                self.held = BytesMut::new();
                // Nothing of what came after may be called written before some of it is.
                if written > held || held == 0 {
                    return Poll::Ready(Ok(written - held));
                }
            } else if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            } else {
                self.held.advance(written);
            }
        }
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
        if self.has_room(bytes.len()) {
            self.hold(bytes);
            return Poll::Ready(Ok(bytes.len()));
        }
        self.poll_pass(cx, &[IoSlice::new(bytes)])
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let total = slices
            .iter()
            .fold(0_usize, |sum, slice| sum.saturating_add(slice.len()));
        if self.has_room(total) {
            for slice in slices {
                self.hold(slice);
            }
            return Poll::Ready(Ok(total));
        }
        self.poll_pass(cx, slices)
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

    /// Writes of which each takes so many bytes at most; what each of them took.
    #[derive(Default)]
    struct Calls {
        took: Vec<Vec<u8>>,
        most: usize,
        vectored: bool,
    }

    impl AsyncWrite for Calls {
        fn poll_write(
            mut self: Pin<&mut Self>,
            _cx: &mut Context<'_>,
            bytes: &[u8],
        ) -> Poll<io::Result<usize>> {
            let taken = bytes[..bytes.len().min(self.most)].to_vec();
            let length = taken.len();
            self.took.push(taken);
            Poll::Ready(Ok(length))
        }

        fn poll_write_vectored(
            self: Pin<&mut Self>,
            cx: &mut Context<'_>,
            slices: &[IoSlice<'_>],
        ) -> Poll<io::Result<usize>> {
            let taken = if self.vectored { slices.len() } else { 1 };
            let bytes: Vec<u8> = slices[..taken]
                .iter()
                .flat_map(|slice| slice.iter().copied())
                .collect();
            self.poll_write(cx, &bytes)
        }

        fn is_write_vectored(&self) -> bool {
            self.vectored
        }

        fn poll_flush(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }

        fn poll_shutdown(self: Pin<&mut Self>, _cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            Poll::Ready(Ok(()))
        }
    }

    #[tokio::test]
    async fn what_is_held_leaves_with_what_there_is_no_room_for() {
        for (vectored, calls) in [(true, 1), (false, 2)] {
            let writer = Calls {
                vectored,
                most: usize::MAX,
                ..Calls::default()
            };
            let mut buffer = WriteBuffer::new(writer, 8);
            buffer.write_all(b"head").await.unwrap();
            buffer.write_all(b"a longer body").await.unwrap();
            assert_eq!(buffer.inner.took.concat(), b"heada longer body");
            assert_eq!(buffer.inner.took.len(), calls);
        }
    }

    #[tokio::test]
    async fn a_writer_that_takes_little_gets_every_byte_once() {
        for (most, vectored) in (1..12).flat_map(|most| [(most, true), (most, false)]) {
            let writer = Calls {
                vectored,
                most,
                ..Calls::default()
            };
            let mut buffer = WriteBuffer::new(writer, 8);
            for piece in ["ab", "cdefgh", "ijk", "lmnopqrstuvwx", "yz"] {
                buffer.write_all(piece.as_bytes()).await.unwrap();
            }
            let slices: Vec<_> = [b"0", b"1", b"2", b"3", b"4", b"5"]
                .iter()
                .map(|digit| IoSlice::new(&digit[..]))
                .collect();
            let written = buffer.write_vectored(&slices).await.unwrap();
            buffer.write_all(&b"012345"[written..]).await.unwrap();
            buffer.flush().await.unwrap();
            let took = buffer.inner.took.concat();
            assert_eq!(
                took, b"abcdefghijklmnopqrstuvwxyz012345",
                "{most} {vectored}"
            );
        }
    }

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
