//! The data listener: accepts client connections within their limit, makes them TLS where the server
//! file says so, watches what arrives, and hands them to pingora's HTTP/1.1 and HTTP/2.
//!
//! It decides nothing about requests. A connection past the limit is closed at once; one whose TLS
//! handshake does not finish in time too.

mod chunk_grammar;
mod preface;
mod socket;
mod stream;
mod tls;
mod tls_files;
mod watch;
mod write_buffer;

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use pingora::apps::ServerApp;
use pingora::listeners::tls::Acceptor;
use pingora::protocols::l4::stream::Stream as L4Stream;
use pingora::protocols::{ALPN, Stream};
use postern_config::server::Listen;

use crate::identity::PeerFacts;
use crate::lifecycle::Place;
use crate::service::{Connection, Service};
use crate::start::StartError;

use socket::Accepted;
pub(crate) use socket::{Heirloom, Socket};
use stream::WatchedStream;
#[cfg(test)]
pub(crate) use stream::stuck;
pub(crate) use tls::certificates;
pub(crate) use tls_files::{LetInBy, Looked, TlsFiles};
pub(crate) use watch::{Complaint, Cork, Watch};

/// How long a TLS handshake may take.
const HANDSHAKE_TIME_MAX: Duration = Duration::from_secs(10);
/// How long accepting rests after it failed: most likely there are no file descriptors left.
const ACCEPT_REST: Duration = Duration::from_millis(50);

/// A bound listener that does not accept yet.
pub(crate) struct Listener {
    socket: Socket,
    tls: Option<Arc<TlsFiles>>,
    head_time: Duration,
    header_bytes_max: usize,
}

impl Listener {
    /// Binds the address, or goes on listening where another process did, and reads the certificates.
    ///
    /// # Errors
    /// The address cannot be listened on, or the TLS files are of no use.
    pub(crate) fn bind(
        listen: &Listen,
        base: &Path,
        limits: &postern_config::server::Limits,
        inherited: Option<OwnedFd>,
    ) -> Result<Self, StartError> {
        let tls = tls_files(listen, base)?;
        Ok(Self {
            socket: match inherited {
                Some(socket) => Socket::inherit(&listen.address, base, socket)?,
                None => Socket::bind(&listen.address, base)?,
            },
            tls: tls.map(Arc::new),
            head_time: Duration::from_secs(limits.header_seconds),
            header_bytes_max: limits.header_bytes,
        })
    }

    /// Where it listens.
    pub(crate) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Everything that keeps the certificates from being used, each with the key of the server file that it is
    /// about.
    pub(crate) fn faults(listen: &Listen, base: &Path) -> Vec<(&'static str, StartError)> {
        let tls = listen.tls.as_ref();
        tls.map(|tls| tls::faults(tls, base)).unwrap_or_default()
    }

    /// The certificates; none where clients speak without TLS.
    pub(crate) fn tls(&self) -> Option<&Arc<TlsFiles>> {
        self.tls.as_ref()
    }

    /// The socket once more, for the process that comes next.
    ///
    /// # Errors
    /// There are no file descriptors left.
    pub(crate) fn heirloom(&self) -> std::io::Result<Heirloom> {
        self.socket.heirloom()
    }

    /// Accepts until draining begins.
    pub(crate) async fn run(self, service: Arc<Service>) {
        let lifecycle = Arc::clone(service.lifecycle());
        let shutdown = lifecycle.drain_signal();
        let doorway = Arc::new(Doorway {
            tls: self.tls,
            head_time: self.head_time,
            header_bytes_max: self.header_bytes_max,
            service,
            shutdown,
        });
        loop {
            let accepted = tokio::select! {
                biased;
                () = lifecycle.draining() => return,
                accepted = self.socket.accept() => accepted,
            };
            let Ok(accepted) = accepted else {
                tracing::warn!("a connection could not be accepted");
                tokio::time::sleep(ACCEPT_REST).await;
                continue;
            };
            match lifecycle.admit_connection() {
                Some(place) => {
                    let doorway = Arc::clone(&doorway);
                    tokio::spawn(async move { doorway.admit(accepted, place).await });
                }
                None => doorway.service.metrics().connection_refused(),
            }
        }
    }
}

fn tls_files(listen: &Listen, base: &Path) -> Result<Option<TlsFiles>, StartError> {
    let tls = listen.tls.as_ref();
    tls.map(|tls| TlsFiles::read(tls, base)).transpose()
}

/// The connection as TLS; none when the handshake fails or takes too long. Boxed: an idle connection does not hold
/// what its handshake needed.
fn secured(acceptor: Arc<Acceptor>, stream: L4Stream) -> BoxFuture<'static, Option<Stream>> {
    Box::pin(async move {
        let handshake = acceptor.tls_handshake(stream);
        let done = tokio::time::timeout(HANDSHAKE_TIME_MAX, handshake).await;
        let stream: Stream = Box::new(done.ok()?.ok()?);
        Some(stream)
    })
}

/// What every connection passes.
struct Doorway {
    tls: Option<Arc<TlsFiles>>,
    head_time: Duration,
    header_bytes_max: usize,
    service: Arc<Service>,
    shutdown: tokio::sync::watch::Receiver<bool>,
}

impl Doorway {
    /// Serves one connection to its end; its place is given back then.
    async fn admit(&self, accepted: Accepted, place: Place) {
        let lifecycle = Arc::clone(self.service.lifecycle());
        let counted = self.service.metrics().connection_open();
        tokio::select! {
            () = self.serve(accepted) => {}
            () = lifecycle.cut() => {}
        }
        // Who sees it gone finds its place free.
        drop(place);
        drop(counted);
    }

    async fn serve(&self, accepted: Accepted) {
        let mut peer = PeerFacts {
            address: accepted.address,
            unix: accepted.unix,
            certificate: None,
        };
        // Taken before the handshake: authorities that change during it have not let anybody in.
        let let_in_by = self.tls.as_ref().map(|tls| tls.authorities().now());
        let stream: Stream = match &self.tls {
            None => Box::new(accepted.stream),
            Some(tls) => {
                let Some(stream) = secured(tls.acceptor(), accepted.stream).await else {
                    tracing::debug!("a TLS handshake failed");
                    return;
                };
                stream
            }
        };
        peer.certificate = stream
            .get_ssl()
            .and_then(|tls| tls.peer_certificate_der())
            .map(<[u8]>::to_vec);
        let watch = Arc::new(Watch::new(self.header_bytes_max));
        let http2 = matches!(stream.selected_alpn_proto(), Some(ALPN::H2));
        if http2 {
            watch.expect_preface();
        }
        let stream = WatchedStream::new(stream, Arc::clone(&watch), self.head_time);
        let stream: Stream = Box::new(stream);
        let connection = Connection::new(Arc::clone(&self.service), peer, watch, let_in_by);
        let connection = Arc::new(connection);
        match http2 {
            // pingora gives a stream back only to have it served again; here each ends with its task.
            true => drop(connection.process_new(stream, &self.shutdown).await),
            false => connection.converse(stream).await,
        }
    }
}
