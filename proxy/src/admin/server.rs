//! Serves the admin routes over HTTP/1.1, on a thread and a runtime of its own.
//!
//! Connections are few, heads must come soon and bodies are not read: whoever floods this listener
//! reaches nothing but it.

use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use axum::{Extension, Router};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, oneshot};

use super::routes::router;
use super::{AdminError, AdminState};

/// How many connections are served at once; more wait to be accepted.
pub(super) const CONNECTIONS_MAX: usize = 64;
/// How long a request's head may take to come.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// How large a request's head may be, in bytes.
const HEAD_BYTES_MAX: usize = 16 << 10;
/// How long a connection may live, unless its answer goes on.
const CONNECTION_TIME_MAX: Duration = Duration::from_secs(300);

/// The admin listener's thread. Dropping it stops the listener and does not wait.
#[derive(Debug)]
pub struct AdminThread {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl AdminThread {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops listening and waits until the thread has ended. It blocks for a moment.
    pub fn stop(mut self) {
        self.stop.take();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("the admin listener's thread panicked");
        }
    }
}

/// Serves the admin routes on a thread of its own.
///
/// # Errors
/// [`AdminError::Thread`] when the thread or its runtime cannot be made.
pub fn spawn(listener: TcpListener, state: AdminState) -> Result<AdminThread, AdminError> {
    let address = listener.local_addr().map_err(AdminError::Thread)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(AdminError::Thread)?;
    let (stop, stopped) = oneshot::channel::<()>();
    let run = move || {
        let served = runtime.block_on(serve(listener, state, async {
            // Sent or dropped, either way it is time to stop.
            stopped.await.unwrap_or_default();
        }));
        if let Err(error) = served {
            tracing::error!(%error, "the admin listener has ended");
        }
        runtime.shutdown_background();
    };
    let thread = std::thread::Builder::new()
        .name("postern-admin".to_owned())
        .spawn(run)
        .map_err(AdminError::Thread)?;
    Ok(AdminThread {
        address,
        stop: Some(stop),
        thread: Some(thread),
    })
}

/// Serves the admin routes on the current runtime until `shutdown` is done.
///
/// # Errors
/// [`AdminError::Thread`] when the listener cannot be used on this runtime.
pub async fn serve(
    listener: TcpListener,
    state: AdminState,
    shutdown: impl Future<Output = ()> + Send,
) -> Result<(), AdminError> {
    listener.set_nonblocking(true).map_err(AdminError::Thread)?;
    let listener = tokio::net::TcpListener::from_std(listener).map_err(AdminError::Thread)?;
    let router = router(state);
    let places = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let mut shutdown = std::pin::pin!(shutdown);
    loop {
        let next = async {
            let place = Arc::clone(&places).acquire_owned().await;
            (place, listener.accept().await)
        };
        let next = tokio::select! {
            () = &mut shutdown => return Ok(()),
            next = next => next,
        };
        match next {
            (Ok(place), Ok((stream, _))) => {
                let router = router.clone();
                tokio::spawn(async move {
                    answer(stream, router).await;
                    drop(place);
                });
            }
            // Out of file descriptors, most likely: some will be given back.
            (_, Err(_)) | (Err(_), _) => tokio::time::sleep(Duration::from_millis(100)).await,
        }
    }
}

/// Lets one connection live for as long as its answer goes on. The number of such answers is bounded
/// elsewhere.
#[derive(Debug, Clone, Default)]
pub(super) struct Stay(Arc<AtomicBool>);

impl Stay {
    /// The answer goes on until somebody leaves.
    pub(super) fn stay(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn stays(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

async fn answer(stream: TcpStream, router: Router) {
    let stay = Stay::default();
    let router = router.layer(Extension(stay.clone()));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let mut connection = std::pin::pin!(connection);
    let ended = match tokio::time::timeout(CONNECTION_TIME_MAX, &mut connection).await {
        Ok(ended) => ended.is_ok(),
        Err(_late) if stay.stays() => connection.await.is_ok(),
        Err(_late) => false,
    };
    if !ended {
        tracing::debug!("an admin connection ended early");
    }
}
