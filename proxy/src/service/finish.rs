//! The end of an exchange on its connection: used again, closed, or broken off visibly.

use std::time::Duration;

use pingora::protocols::Stream;
use pingora::protocols::http::ServerSession;
use pingora::protocols::http::server::ReusableHttpStream;
use pingora::time::tokio_timeout;
use tokio::io::AsyncReadExt;

use crate::listener::Watch;

/// How long what a client still sends is read after a refusal, so that the refusal reaches it: closing
/// with unread bytes resets the connection.
const LINGER_TIME_MAX: Duration = Duration::from_millis(1500);
/// How much of it is read at most, in bytes.
const LINGER_BYTES_MAX: usize = 1 << 20;
/// How long the last bytes of an answer may take to leave.
const FINISH_TIME_MAX: Duration = Duration::from_secs(30);

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// It may serve another exchange, if both sides want to.
    Reuse,
    /// It is closed, once the client has had time to read the refusal.
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
            let _taken = let_go(&mut session).await;
            None
        }
        After::Close => {
            watch.turn_off();
            Box::pin(linger(session)).await;
            None
        }
        After::Reuse => {
            // Not closed because draining has begun since the head left: it said that another request may come.
            let finished = tokio_timeout(FINISH_TIME_MAX, end(session)).await;
            // Whoever sends a request before the last one is answered is not served again: nothing is left over.
            let (stream, _nothing) = finished.ok()?.ok()??.into_parts();
            watch.expect_next_head();
            Some(stream)
        }
    }
}

/// Sends what is left of an answer, and takes the connection back.
async fn end(session: ServerSession) -> pingora::Result<Option<ReusableHttpStream>> {
    match session {
        // PERF: what the library does for all kinds needs room for all kinds (`postern bench`).
        ServerSession::H1(mut session) => {
            session.finish_body().await?;
            session.reuse().await
        }
        ServerSession::H2(_) | ServerSession::Subrequest(_) | ServerSession::Custom(_) => {
            Box::pin(session.finish()).await
        }
    }
}

/// Says that nothing more will be sent, to a client that may take nothing any more. Whether that has left.
async fn let_go(session: &mut ServerSession) -> bool {
    let closing = tokio::time::timeout(LINGER_TIME_MAX, session.shutdown());
    closing.await.is_ok()
}

/// Says that nothing more will be sent, then reads and drops what still comes, for a moment.
async fn linger(mut session: ServerSession) {
    if !let_go(&mut session).await {
        return;
    }
    let ServerSession::H1(session) = session else {
        return;
    };
    let mut stream = session.into_inner();
    let mut dropped = vec![0_u8; 4096];
    let reading = async {
        let mut total = 0_usize;
        while total < LINGER_BYTES_MAX {
            match stream.read(&mut dropped).await {
                Ok(0) | Err(_) => return,
                Ok(read) => total = total.saturating_add(read),
            }
        }
    };
    if tokio::time::timeout(LINGER_TIME_MAX, reading)
        .await
        .is_err()
    {
        tracing::trace!("a client kept sending after its refusal");
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
