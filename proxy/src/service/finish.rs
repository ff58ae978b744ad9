//! The end of an exchange on its connection: used again, closed, or broken off visibly.

use std::time::Duration;

use pingora::protocols::Stream;
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::server::ReusableHttpStream;
use pingora::time::tokio_timeout;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::listener::Watch;

/// How long a client may take to hear that nothing more will be sent, and may say nothing itself, before its connection
/// is closed.
const LINGER_TIME_MAX: Duration = Duration::from_millis(1500);
/// How much of what a client still sends is read at most, in bytes.
const LINGER_BYTES_MAX: usize = 64 << 20;
/// How long that may take, and how long the last bytes of an answer may take to leave.
const FINISH_TIME_MAX: Duration = Duration::from_secs(30);

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// It may serve another exchange, if both sides want to.
    Reuse,
    /// It is closed, once the client has had time to read the answer.
    Close,
    /// The message is left visibly incomplete.
    BreakOff,
}

impl After {
    /// After a refusal: a request that was not read to its end ends the connection.
    pub(super) fn of_refusal(session: &mut ServerSession) -> Self {
        if session.is_http2() || (session.get_keepalive().is_some() && session.is_body_done()) {
            Self::Reuse
        } else {
            Self::Close
        }
    }
}

/// Ends an exchange on its connection and gives the connection back when it can be used again.
pub(super) async fn finish(
    mut session: ServerSession,
    after: After,
    watch: &Watch,
) -> Option<Stream> {
    match after {
        After::BreakOff => {
            let _taken = let_go(session.shutdown()).await;
            None
        }
        After::Close => {
            match session {
                ServerSession::H1(session) => close(session.into_inner(), watch).await,
                ServerSession::H2(_) | ServerSession::Subrequest(_) | ServerSession::Custom(_) => {
                    let _taken = let_go(session.shutdown()).await;
                }
            }
            None
        }
        After::Reuse => {
            // Not closed because draining has begun since the head left: it said that another request may come.
            let ended = tokio_timeout(FINISH_TIME_MAX, end(session)).await;
            match ended.ok()? {
                Ended::Stream(stream) => {
                    watch.expect_next_head();
                    Some(stream)
                }
                Ended::Closing(stream) => {
                    close(stream, watch).await;
                    None
                }
                Ended::Gone => None,
            }
        }
    }
}

/// What is left when an answer has left.
enum Ended {
    /// A connection that can be used again.
    Stream(Stream),
    /// One that cannot: a side wants to close it, what the client sends was not read to its end, or it has sent more
    /// than its request.
    Closing(Stream),
    /// None.
    Gone,
}

/// Sends what is left of an answer, and takes the connection back.
async fn end(session: ServerSession) -> Ended {
    let taken = match session {
        // PERF: what the library does for all kinds needs room for all kinds (`postern bench`).
        ServerSession::H1(mut session) => {
            if session.finish_body().await.is_err() {
                return Ended::Gone;
            }
            if !session.will_keepalive() {
                return Ended::Closing(session.into_inner());
            }
            // Only so that the library does not drop a connection on which more has been read.
            session.set_pipelining_enabled(true);
            session.reuse().await
        }
        ServerSession::H2(_) | ServerSession::Subrequest(_) | ServerSession::Custom(_) => {
            Box::pin(session.finish()).await
        }
    };
    match taken.map(|taken| taken.map(ReusableHttpStream::into_parts)) {
        Ok(Some((stream, None))) => Ended::Stream(stream),
        // Whoever sends a request before the last one is answered is not served again.
        Ok(Some((stream, Some(_ahead)))) => Ended::Closing(stream),
        Ok(None) | Err(_) => Ended::Gone,
    }
}

/// Ends a connection once the client has had time to read the answer.
async fn close(stream: Stream, watch: &Watch) {
    watch.turn_off();
    Box::pin(linger(stream)).await;
}

/// Says that nothing more will be sent, to a client that may take nothing any more. Whether that has left.
async fn let_go(saying: impl Future) -> bool {
    tokio_timeout(LINGER_TIME_MAX, saying).await.is_ok()
}

/// Says that nothing more will be sent, then reads and drops what still comes: closing with unread bytes resets the
/// connection, and the client may lose what it has not read of the answer.
async fn linger(mut stream: Stream) {
    if !let_go(stream.shutdown()).await {
        return;
    }
    let mut dropped = vec![0_u8; 16 << 10];
    let reading = async {
        let mut total = 0_usize;
        while total < LINGER_BYTES_MAX {
            let read = tokio_timeout(LINGER_TIME_MAX, stream.read(&mut dropped)).await;
            match read {
                Ok(Ok(read)) if read > 0 => total = total.saturating_add(read),
                Ok(Ok(_) | Err(_)) | Err(_) => return,
            }
        }
    };
    if tokio_timeout(FINISH_TIME_MAX, reading).await.is_err() {
        tracing::trace!("a client kept sending after its answer");
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::listener::stuck;

    #[tokio::test(start_paused = true)]
    async fn a_client_that_takes_nothing_holds_no_connection_that_is_closed() {
        for after in [After::BreakOff, After::Close] {
            let (near, _far) = tokio::io::duplex(1);
            let watch = Arc::new(Watch::new(1000));
            let stream = stuck(Box::new(near), Arc::clone(&watch)).await;
            let session = ServerSession::new_http1(stream);
            let finished = finish(session, after, &watch);
            let finished = tokio::time::timeout(LINGER_TIME_MAX * 3, finished).await;
            assert!(finished.is_ok_and(|stream| stream.is_none()), "{after:?}");
        }
    }
}
